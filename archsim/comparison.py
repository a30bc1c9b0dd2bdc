"""Design points side by side, with ratios to the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archsim.costs.metrics import figures, ratios_to_first
from archsim.costs.ratio_error import ratio_intervals
from archsim.costs.result import Result
from archsim.design import DesignError, DesignPoint, simulate

if TYPE_CHECKING:
    import pandas as pd


def compare(designs: Sequence[DesignPoint], fidelity: str = "cycle") -> pd.DataFrame:
    """A frame with a row for each design: figures, then `<figure>_ratio` to the first design, with the ends
    between which it lies as `<figure>_ratio_low` and `_high`. A cost that nobody can tell is left blank.

    Raises DesignError for an empty list or where the designs mix kinds of technology.
    """
    refuse_mixture(designs)
    return frame_of([simulate(design, fidelity) for design in designs])


def refuse_mixture(designs: Sequence[DesignPoint]) -> None:
    """Raises DesignError for an empty list, and for designs on an ASIC beside others on an FPGA."""
    if not designs:
        raise DesignError("designs is empty, allowed is a list of at least one design point")
    fabrics = sorted({design.technology.fabric for design in designs})
    if len(fabrics) > 1:
        raise DesignError(f"technology mixes {' and '.join(fabrics)}, allowed is one kind in a comparison")


def frame_of(results: Sequence[Result]) -> pd.DataFrame:
    """Results as rows: what they are of, their figures, and the ratios of these to the first row."""
    import pandas as pd

    ratios, intervals = ratios_to_first(results), ratio_intervals(results)
    rows = [
        _identity(result)
        | figures(result)
        | {f"{name}_ratio": values[place] for name, values in ratios.items() if values[place] is not None}
        | {
            f"{name}_ratio_{end}": value
            for name, ends in intervals.items()
            for end, value in zip(("low", "high"), ends[place] or (), strict=False)
        }
        for place, result in enumerate(results)
    ]
    return pd.DataFrame(rows)


def _identity(result: Result) -> dict[str, Any]:
    engine = result.design["engine"]
    return {
        "network": result.design["network"],
        "engine": "-".join(word for word in engine.values() if isinstance(word, str) and word != "auto"),
        "pes": engine["pes"],
        "clock_hz": result.clock_hz,
    }
