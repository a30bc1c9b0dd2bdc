"""Many design points at their analytic costs: what points share is found once, their clocks are arrays.

A clock changes no mapping, no logic and no unit cost, only for how long things leak and how often they
happen. So points are put together by all that is not their clock. Of each such group one point is checked and
costed; every clock is checked by itself, as a design point would check it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from archsim.clock import FASTEST, Clock, ClockError, fastest_hz
from archsim.costs.at_clocks import told_at
from archsim.costs.breakdown import Breakdown, breakdown_of
from archsim.costs.metrics import told
from archsim.design import DesignPoint
from archsim.explore.spec import DESIGN_FIELDS, flat, nested
from workloads.refusal import Defect, Refusal

if TYPE_CHECKING:
    import pandas as pd

    from archsim.costs.result import Result
    from archsim.explore.frames import Frame

Point = Mapping[str, Any] | DesignPoint
"""The values of a design point, as a file has them, or the design point itself."""

CLOCK, PARTS = "clock_hz", ("engine", "technology")
"""The field that the points of a group differ in, and those that take longest to check."""

_CHECKED: TypeAdapter[float | str] = TypeAdapter(Clock)
_UNLESS_TOLD_HZ: float = DesignPoint.model_fields[CLOCK].default


class PointsError(Refusal):
    """What was given holds no design points."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a point: its `figures`, the `clock_hz` that it ran at, and where it was asked for the
    `breakdown`; or the `error` that it ended with."""

    figures: dict[str, Any] | None = None
    error: str | None = None
    clock_hz: float = math.nan
    breakdown: Breakdown | None = None


class Checked:
    """Makes design points of values, and checks each value of a part once: an engine or a technology that a
    point had before is taken as it then came out. Files are looked for in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts: dict[Any, Any] = {}

    def design(self, point: Point) -> DesignPoint:
        """The design point. Raises DesignError."""
        if isinstance(point, DesignPoint):
            return point
        keys = {name: (name, _typed(point[name])) for name in PARTS if name in point}
        keys = {name: key for name, key in keys.items() if _can_be_hashed(key)}
        known = {name: self.parts[key] for name, key in keys.items() if key in self.parts}
        design = DesignPoint.beside(self.folder, {**point, **known})
        self.parts |= {key: getattr(design, name) for name, key in keys.items()}
        return design


def analytic(points: pd.DataFrame | Iterable[Point]) -> Frame:
    """The analytic costs of many design points, a row each, in their order.

    `points` are design points, mappings of their values as in a design file, or a frame with a column for
    each field, by its name with dots (`engine.pes`); a blank cell is a field that is not given. A row has
    the fields of its point, with the clock that the fastest one came to, its figures by the names of metrics,
    `exact` and `warnings`. They are the floats that `DesignPoint.simulate("analytic")` gives. A point that is
    refused has the sentence as its `error`, and blanks. Raises PointsError for what holds no points.
    """
    import pandas as pd

    from archsim.explore.frames import Frame

    if isinstance(points, pd.DataFrame):
        fields, outcomes = points, _costed_frame(points)
    else:
        given = _checked_points(points)
        dumped = (point.model_dump() if isinstance(point, DesignPoint) else point for point in given)
        fields, outcomes = pd.DataFrame(map(flat, dumped)), costed(given)
    figures = pd.DataFrame([outcome.figures or {} for outcome in outcomes], index=fields.index)
    if CLOCK in fields and FASTEST in set(fields[CLOCK]):
        fields = fields.assign(**{CLOCK: np.array([outcome.clock_hz for outcome in outcomes])})
    figures["error"] = pd.Series([outcome.error for outcome in outcomes], index=fields.index, dtype=object)
    return Frame(pd.concat([fields, figures], axis=1))


def costed(points: Sequence[Point], folder: Path = Path(), *, broken_down: bool = False) -> list[Outcome]:
    """What comes of each point, `broken_down` by component too if asked for; files that points name are
    looked for in the folder. A defect is nobody's result, and is raised."""
    keys = (_all_but_the_clock(point, place) for place, point in enumerate(points))
    clocks = [
        point.clock_hz if isinstance(point, DesignPoint) else point.get(CLOCK, _UNLESS_TOLD_HZ)
        for point in points
    ]
    checked = Checked(folder)
    return _costed(keys, clocks, lambda place: checked.design(points[place]), broken_down=broken_down)


def _costed(
    keys: Iterable[Any],
    clocks: Sequence[Any],
    design: Callable[[int], DesignPoint],
    *,
    broken_down: bool = False,
) -> list[Outcome]:
    """What comes of each point, of which points of one key are the same but for their clocks; `design` makes
    a point of its place."""
    groups: dict[Any, list[int]] = {}
    for place, key in enumerate(keys):
        groups.setdefault(key, []).append(place)
    outcomes = [Outcome()] * len(clocks)
    for places in groups.values():
        given = [_clock(clocks[place]) for place in places]
        sound = [place for place, clock in zip(places, given, strict=True) if clock is not None]
        known = [clock for clock in given if clock is not None]
        alike = _costed_alike(sound, known, design, broken_down=broken_down)
        for place, outcome in zip(sound, alike, strict=True):
            outcomes[place] = outcome
        for place in {*places} - {*sound}:
            outcomes[place] = _refused(place, design)
    return outcomes


def _costed_alike(
    places: Sequence[int],
    clocks: Sequence[float | str],
    design: Callable[[int], DesignPoint],
    *,
    broken_down: bool,
) -> Iterable[Outcome]:
    """What comes of points that differ in nothing but these clocks. They share one breakdown."""
    if not places:
        return []
    try:
        if len(places) == 1 and not broken_down:
            alone = design(places[0]).simulate("analytic")
            return [Outcome(told(alone), clock_hz=alone.clock_hz)]
        result = design(places[0]).analytic()
        return _at_clocks(result, clocks, breakdown_of(result) if broken_down else None)
    except Refusal as error:
        return [Outcome(error=str(error))] * len(places)


def _at_clocks(result: Result, clocks: Sequence[float | str], breakdown: Breakdown | None) -> list[Outcome]:
    """What comes of a result at each of these clocks, with its breakdown."""
    try:
        fastest: Any = fastest_hz(result.critical_path_s, result.fidelity) if FASTEST in clocks else None
        refused = None
    except ClockError as error:
        fastest, refused = None, str(error)
    clocks_hz: list[Any] = [fastest if clock == FASTEST else clock for clock in clocks]
    known = [clock_hz for clock_hz in clocks_hz if clock_hz is not None]
    figures = told_at(result, np.array(known, dtype=float))
    return [
        Outcome(error=refused)
        if clock_hz is None
        else Outcome(next(figures), clock_hz=clock_hz, breakdown=breakdown)
        for clock_hz in clocks_hz
    ]


def _clock(value: Any) -> float | str | None:
    """A clock as a design point has it; None for one that it does not take."""
    try:
        return _CHECKED.validate_python(value)
    except ValidationError:
        return None


def _refused(place: int, design: Callable[[int], DesignPoint]) -> Outcome:
    """The sentence of a point whose clock is refused, which may be refused for something before it."""
    try:
        design(place)
    except Refusal as error:
        return Outcome(error=str(error))
    raise Defect("clock_hz came out as one that is refused, and a design point takes it")


def _all_but_the_clock(point: Point, place: int) -> Any:
    """What two points have in common that are the same but for their clocks, to be hashed."""
    if isinstance(point, DesignPoint):
        return DesignPoint, *(getattr(point, name) for name in DESIGN_FIELDS if name != CLOCK)
    key = tuple([(name, _typed(value)) for name, value in point.items() if name != CLOCK])
    return key if _can_be_hashed(key) else place


def _can_be_hashed(key: Any) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _typed(value: Any) -> Any:
    """A value to be hashed: equal ones are of one type, and a sentence would show them alike."""
    kind = type(value)
    if kind is str:
        return value
    if kind is int or kind is bool:
        return kind, value
    if kind is dict:
        return kind, (*value,), tuple(map(_typed, value.values()))
    if kind is list or kind is tuple:
        return kind, tuple(map(_typed, value))
    return kind, repr(value) if isinstance(value, float) else value


def _checked_points(points: Any) -> list[Point]:
    allowed = "a frame, or design points and mappings of their values"
    if isinstance(points, DesignPoint | Mapping | str) or not isinstance(points, Iterable):
        raise PointsError.of("points", points, allowed)
    given = list(points)
    for number, point in enumerate(given):
        if not isinstance(point, DesignPoint | Mapping):
            raise PointsError.of(f"points[{number}]", point, allowed)
    return given


def _costed_frame(frame: pd.DataFrame) -> list[Outcome]:
    """What comes of the points of a frame."""
    columns = {str(name): _cells(frame.iloc[:, place]) for place, name in enumerate(frame)}
    if len(columns) < frame.shape[1]:
        raise PointsError.of("columns of points", [*map(str, frame)], "names of fields, each once")

    checked = Checked(Path())

    def design(place: int) -> DesignPoint:
        cells = ((name, values[place]) for name, values in columns.items())
        return checked.design(nested({name: cell for name, cell in cells if cell is not None}))

    clocks = columns.get(CLOCK, [None] * len(frame))
    others = [map(_typed, values) for name, values in columns.items() if name != CLOCK]
    keys = zip(*others, strict=True) if others else [()] * len(frame)
    return _costed(
        (key if _can_be_hashed(key) else place for place, key in enumerate(keys)),
        [_UNLESS_TOLD_HZ if clock is None else clock for clock in clocks],
        design,
    )


def _cells(column: pd.Series) -> list[Any]:
    """The cells of a column as Python's values, None where they are blank. Whole numbers that blanks have
    turned into floats are whole again."""
    blank = column.isna().to_numpy()
    values = column.tolist()
    if not blank.any():
        return values
    whole = column.dtype.kind == "f" and bool((column[~blank] % 1 == 0).all())
    return [
        None if gone else int(value) if whole else value for value, gone in zip(values, blank, strict=True)
    ]
