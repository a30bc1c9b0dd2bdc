"""Many design points at their analytic costs: what points share is found once, their clocks are arrays.

A clock changes no mapping, no logic and no unit cost, only for how long things leak and how often they
happen. So points are put together by all that is not their clock. Of each such group one point is checked and
costed; every clock is checked by itself, as a design point would check it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from archsim.costs.metrics import told_at
from archsim.design import Clock, DesignPoint
from workloads.refusal import Refusal

if TYPE_CHECKING:
    import pandas as pd

Point = Mapping[str, Any] | DesignPoint
"""The values of a design point, as a file has them, or the design point itself."""

CLOCK = "clock_hz"
_CHECKED: TypeAdapter[float] = TypeAdapter(Clock)
_DEFAULT_HZ: float = DesignPoint.model_fields[CLOCK].default


class PointsError(Refusal):
    """What was given holds no design points."""


@dataclass(frozen=True)
class Outcome:
    """What came of a point: its `figures`, or the `error` that it ended with."""

    figures: dict[str, Any] | None = None
    error: str | None = None


def analytic(points: pd.DataFrame | Iterable[Point]) -> pd.DataFrame:
    """The analytic costs of many design points, a row each, in their order.

    `points` are design points, mappings of their values as in a design file, or a frame with a column for
    each field, by its name with dots (`engine.pes`); a blank cell is a field that is not given. A row has
    the fields of its point, its figures by the names of metrics, `exact` and `warnings`. They are the floats
    that `DesignPoint.simulate("analytic")` gives. A point that is refused has the sentence as its `error`,
    and blanks. Raises PointsError for what holds no points.
    """
    import pandas as pd

    given, fields = _points_and_fields(points)
    outcomes = costed(given)
    figures = pd.DataFrame([outcome.figures or {} for outcome in outcomes], index=fields.index)
    errors = pd.Series([outcome.error for outcome in outcomes], index=fields.index, dtype=object)
    return pd.concat([fields, figures, errors.rename("error")], axis=1)


def costed(points: Sequence[Point], folder: Path = Path()) -> list[Outcome]:
    """What comes of each point; files that they name are looked for in the folder. A defect is nobody's
    result, and is raised."""
    groups: dict[Any, list[int]] = {}
    for place, point in enumerate(points):
        groups.setdefault(_all_but_the_clock(point, place), []).append(place)
    outcomes = [Outcome()] * len(points)
    for places in groups.values():
        group = [points[place] for place in places]
        for place, outcome in zip(places, _costed_alike(group, folder), strict=True):
            outcomes[place] = outcome
    return outcomes


def _costed_alike(group: Sequence[Point], folder: Path) -> Iterator[Outcome]:
    """What comes of points that differ in nothing but their clocks."""
    clocks = [_clock(point) for point in group]
    sound = [clock for clock in clocks if clock is not None]
    refused: Outcome | None = None
    rows: Iterator[dict[str, Any]] = iter(())
    if sound:
        first = group[next(place for place, clock in enumerate(clocks) if clock is not None)]
        try:
            rows = told_at(_design(first, folder).analytic(), np.array(sound))
        except Refusal as error:
            refused = Outcome(error=str(error))
    for point, clock in zip(group, clocks, strict=True):
        if clock is None:
            yield _refused(point, folder)
        else:
            yield refused or Outcome(next(rows))


def _clock(point: Point) -> float | None:
    """The clock of a point; None for one that a design point does not take."""
    if isinstance(point, DesignPoint):
        return point.clock_hz
    try:
        return _CHECKED.validate_python(point.get(CLOCK, _DEFAULT_HZ))
    except ValidationError:
        return None


def _refused(point: Point, folder: Path) -> Outcome:
    """The sentence of a point whose clock is refused, which may be refused for something before it."""
    try:
        _design(point, folder)
    except Refusal as error:
        return Outcome(error=str(error))
    raise AssertionError("a clock is refused that a design point takes")


def _design(point: Point, folder: Path) -> DesignPoint:
    return point if isinstance(point, DesignPoint) else DesignPoint.beside(folder, point)


def _all_but_the_clock(point: Point, place: int) -> Any:
    """What two points have in common that are the same but for their clocks, to be hashed."""
    if isinstance(point, DesignPoint):
        return DesignPoint, point.network, point.engine, point.technology, point.inputs
    key = tuple((name, _typed(value)) for name, value in point.items() if name != CLOCK)
    try:
        hash(key)
    except TypeError:
        return place
    return key


def _typed(value: Any) -> Any:
    """A value to be hashed: equal ones are of one type, and a sentence would show them alike."""
    kind = type(value)
    if kind is str:
        return value
    if isinstance(value, Mapping):
        return kind, tuple((name, _typed(inner)) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return kind, tuple(map(_typed, value))
    return kind, repr(value) if isinstance(value, float) else value


def _points_and_fields(points: Any) -> tuple[list[Point], pd.DataFrame]:
    """The points, and a frame of their fields."""
    import pandas as pd

    from archsim.explore.spec import flat

    if isinstance(points, pd.DataFrame):
        return list(_points_of(points)), points
    allowed = "a frame, or design points and mappings of their values"
    if isinstance(points, DesignPoint | Mapping | str) or not isinstance(points, Iterable):
        raise PointsError.of("points", points, allowed)
    given = list(points)
    for number, point in enumerate(given):
        if not isinstance(point, DesignPoint | Mapping):
            raise PointsError.of(f"points[{number}]", point, allowed)
    dumped = (point.model_dump() if isinstance(point, DesignPoint) else point for point in given)
    return given, pd.DataFrame([flat(values) for values in dumped])


def _points_of(frame: pd.DataFrame) -> Iterator[Point]:
    """The points of a frame. Whole numbers that blanks have turned into floats are whole again."""
    from archsim.explore.spec import nested

    columns = []
    for name in frame:
        column = frame[name]
        blank = column.isna()
        values = column.astype(object)
        if column.dtype.kind == "f" and blank.any() and (column[~blank] % 1 == 0).all():
            values = values.map(int, na_action="ignore")
        columns.append([None if gone else value for value, gone in zip(values, blank, strict=True)])
    names = [str(name) for name in frame]
    for cells in zip(*columns, strict=True):
        given = {name: cell for name, cell in zip(names, cells, strict=True) if cell is not None}
        yield nested(given)
