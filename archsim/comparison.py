"""Design points side by side, with ratios to the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archsim.costs.metrics import figures, metrics_of, ratios_to_first
from archsim.costs.ratio_error import ratio_intervals
from archsim.costs.result import Result
from archsim.design import DesignError, DesignPoint, simulate
from archsim.engine.training.options import OF_ENGINE

if TYPE_CHECKING:
    from archsim.explore.frames import Frame


ACROSS_FABRICS = (
    "energy and power on an FPGA hold the static power of the whole device, on standard cells the leakage of "
    "the design alone"
)
"""What a ratio between fabrics compares, and does not."""

ACROSS_TASKS = (
    "figures of a design that trains are of a step, which is forward, backward and update, those of the "
    "others of an inference"
)
"""What a ratio between training and inference compares, and does not."""


def compare(designs: Sequence[DesignPoint], fidelity: str = "cycle") -> Frame:
    """A frame with a row for each design: what it is of, as far as designs differ in it, figures, then
    `<figure>_ratio` to the first design, with the ends between which it lies as `<figure>_ratio_low` and
    `_high`. A cost that nobody can tell is left blank, as is one that a design has none of.

    Raises DesignError for an empty list.
    """
    refuse_none(designs)
    return frame_of([simulate(design, fidelity) for design in designs])


def refuse_none(designs: Sequence[DesignPoint]) -> None:
    """Raises DesignError for an empty list, and for what is no list of design points."""
    if isinstance(designs, DesignPoint) or not isinstance(designs, Iterable):
        raise DesignError(f"designs is {designs!r}, allowed is a list of design points")
    for each in designs:
        if not isinstance(each, DesignPoint):
            raise DesignError(f"designs holds {each!r}, allowed are design points")
    if not designs:
        raise DesignError("designs is empty, allowed is a list of at least one design point")


def settings(result: Result) -> dict[str, Any]:
    """What a result is of, by dotted names: `engine.pes`. The fastest clock is the hertz that it came to; of
    an engine that trains, whose widths are those of `training`, what counts."""
    flat: dict[str, Any] = {}
    for name, value in {**result.design, "clock_hz": result.clock_hz}.items():
        if isinstance(value, Mapping):
            flat |= {
                f"{name}.{inner}": each
                for inner, each in value.items()
                if name != "engine" or not trains(result) or inner in OF_ENGINE
            }
        else:
            flat[name] = value
    return flat


def what_differs(results: Sequence[Result]) -> dict[str, list[Any]]:
    """The settings that tell designs apart, by name, each with its value in every design; None for one that a
    design does not have."""
    sides = [settings(result) for result in results]
    names = dict.fromkeys(name for side in sides for name in side)
    values = {name: [side.get(name) for side in sides] for name in names}
    return {name: each for name, each in values.items() if any(value != each[0] for value in each)}


def not_in_ratio(results: Sequence[Result]) -> dict[str, list[int]]:
    """The figures that are compared and that not all results have, each with the places of those without."""
    known = {metric.name: metric for result in results for metric in metrics_of(result) if metric.compared}
    without = {
        name: [place for place, result in enumerate(results) if metric.read(result) is None]
        for name, metric in known.items()
    }
    return {name: places for name, places in without.items() if 0 < len(places) < len(results)}


def unlike(results: Sequence[Result]) -> dict[str, str]:
    """Across what designs are compared, and what figures then are of: fabrics, and training and inference."""
    said = {
        "Across fabrics": (ACROSS_FABRICS, {result.is_asic for result in results}),
        "Across tasks": (ACROSS_TASKS, {trains(result) for result in results}),
    }
    return {across: note for across, (note, kinds) in said.items() if len(kinds) > 1}


def trains(result: Result) -> bool:
    """Whether all figures are of a step of training."""
    return result.design.get("training") is not None


_TASKS = {False: ("an inference", "inferences"), True: ("a step", "steps")}
"""What figures are of, one and many: of a step where the engine trains."""


def of_task(label: str, train: Iterable[bool]) -> str:
    """The label of a figure of designs of which some or all train."""
    tasks = [_TASKS[learns] for learns in sorted(set(train))] or [_TASKS[False]]
    one, many = map(" or ".join, zip(*tasks, strict=True))
    return label.replace("an inference", one).replace("inferences", many)


def frame_of(results: Sequence[Result]) -> Frame:
    """Results as rows: what they are of, their figures, and the ratios of these to the first row."""
    from archsim.explore.frames import Frame

    ratios, intervals = ratios_to_first(results), ratio_intervals(results)
    told_apart = what_differs(results)
    rows = [
        _identity(result)
        | {name: values[place] for name, values in told_apart.items() if name not in _ALWAYS}
        | {"clock_met": result.clock_met}
        | figures(result)
        | {f"{name}_ratio": values[place] for name, values in ratios.items() if values[place] is not None}
        | {
            f"{name}_ratio_{end}": value
            for name, ends in intervals.items()
            for end, value in zip(("low", "high"), ends[place] or (), strict=False)
        }
        for place, result in enumerate(results)
    ]
    return Frame(rows)


_ALWAYS = ("network", "engine.kind", "engine.pes", "clock_hz")
"""The settings that every row begins with."""


def _identity(result: Result) -> dict[str, Any]:
    engine = result.design["engine"]
    return {
        "network": result.design["network"],
        "engine": "-".join(word for word in engine.values() if isinstance(word, str) and word != "auto"),
        "pes": engine["pes"],
        "clock_hz": result.clock_hz,
    }
