"""Design points side by side, with ratios to the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archsim.costs.result import Result
from archsim.design import DesignError, DesignPoint, simulate

if TYPE_CHECKING:
    import pandas as pd

COMPARED = ("cycles", "latency_s", "energy_j", "power_w", "dynamic_power_w", "leakage_w", "area_mm2")


def compare(designs: Sequence[DesignPoint], fidelity: str = "cycle") -> pd.DataFrame:
    """A frame with a row for each design: figures, then `<figure>_ratio` to the first design. A cost that
    nobody can tell is left blank.

    Raises DesignError for an empty list or where the designs mix kinds of technology.
    """
    if not designs:
        raise DesignError("designs is empty, allowed is a list of at least one design point")
    fabrics = sorted({design.technology.fabric for design in designs})
    if len(fabrics) > 1:
        raise DesignError(f"technology mixes {' and '.join(fabrics)}, allowed is one kind in a comparison")
    return frame_of([simulate(design, fidelity) for design in designs])


def frame_of(results: Sequence[Result]) -> pd.DataFrame:
    """Results as rows with ratios to the first row."""
    import pandas as pd

    rows = [_figures(result) for result in results]
    for row in rows:
        ratios = {
            f"{name}_ratio": row[name] / rows[0][name]
            for name in tuple(row)
            if isinstance(row[name], int | float) and name not in _PLAIN and rows[0].get(name)
        }
        row |= ratios
    return pd.DataFrame(rows)


_PLAIN = ("pes", "clock_hz", "accuracy", "compression")


def _figures(result: Result) -> dict[str, Any]:
    engine = result.design["engine"]
    figures: dict[str, Any] = {
        "network": result.design["network"],
        "engine": "-".join(word for word in engine.values() if isinstance(word, str) and word != "auto"),
        "pes": engine["pes"],
        "clock_hz": result.clock_hz,
        "compression": result.compression,
        "accuracy": result.accuracy,
        "stored_weights": result.stored_weights,
        "stored_bits": result.stored_bits.total,
    }
    figures |= {name: value for name in COMPARED if (value := getattr(result, name)) is not None}
    figures |= result.resources or {}
    figures["traffic_bits"] = sum(t.bits_read + t.bits_written for t in result.traffic.values())
    return figures
