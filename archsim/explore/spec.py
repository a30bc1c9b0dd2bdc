"""A space of design points: a base and axes, as a file says them.

    base: {network: lenet-300-100-csc, engine: {kind: csc}, technology: cmos65, clock_hz: 100e6}
    axes:
      engine.pes: [4, 8, 16, 32]                        # a field by its name with dots, and its values
      engine.weight_bits: {from: 4, to: 8}              # whole numbers, `step` apart
      clock_hz: {from: 50e6, to: 400e6, points: 4, scale: log}
      sides:                                            # fields that go together, entry by entry
        - {network: lenet-300-100-csc, engine.kind: csc}
        - {network: lenet-300-100-pruned, engine.kind: pruned, engine.gather: banked}
      widths: {zip: {engine.weight_bits: [8, 4], engine.activation_bits: [8, 6]}}   # the same, field by field
    where: ["pes <= 16 if technology == artix7"]        # only points of which all of these hold
    fidelity: analytic

Every value of an axis meets every value of all others. The last axis changes fastest. `clock_hz: fastest` is
the clock that the critical path of a point allows.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archsim.costs.fidelity.fidelities import FIDELITIES
from archsim.engine import engines
from archsim.engine.training.options import Training
from archsim.explore.conditions import Condition
from archsim.refusals import one_sentence
from archsim.technology import technologies
from workloads.refusal import Refusal
from workloads.strict_yaml import read_yaml

MOST_POINTS = 10_000_000
"""Points that a space may have: a sweep of more would neither end nor be looked at."""

MOST_VALUES = 100_000
"""Values that a range may have."""

LEAST, MOST = 1e-30, 1e30
"""Between them lie the numbers that anything in a design point is, and their ratios are numbers too."""

DESIGN_FIELDS = ("network", "engine", "clock_hz", "technology", "inputs", "training")
"""The fields of a design point, which its settings begin with."""

TECHNOLOGY_KIND, TRAINING = "technology.kind", "training"
_MEMBERS: Mapping[str, Mapping[str, type[BaseModel]]] = {"engine": engines, "technology": technologies}

Values = Mapping[str, Any]


class SpecError(Refusal):
    """A file does not describe a space of design points."""


class Range(BaseModel):
    """Numbers from `first` to `last`, both among them: `step` apart, or so many `points`, evenly spaced on a
    linear or a logarithmic scale. Whole numbers stay whole where ends and step are."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    first: Annotated[float, Field(alias="from", ge=-MOST, le=MOST, allow_inf_nan=False)]
    last: Annotated[float, Field(alias="to", ge=-MOST, le=MOST, allow_inf_nan=False)]
    step: Annotated[float, Field(gt=0, le=1e12)] | None = None
    points: Annotated[int, Field(ge=2, le=MOST_VALUES)] | None = None
    scale: Literal["linear", "log"] = "linear"

    def many(self, name: str) -> int:
        """How many numbers. Raises SpecError where there are none, or no way to space them."""
        if self.step is not None and (self.points is not None or self.scale == "log"):
            raise SpecError.of(f"axes.{name}.step", self.step, "none beside points or a log scale")
        if self.last < self.first or (self.scale == "log" and self.first < LEAST):
            least = "above 0 and " if self.scale == "log" else ""
            raise SpecError.of(
                f"axes.{name}.from", self.first, f"numbers {least}up to {self.last:g}, its end"
            )
        if self.points is None:
            if self.scale == "log":
                raise SpecError.of(f"axes.{name}.points", None, "a number of points for a log scale")
            step = self.step or 1.0
            steps = (self.last - self.first) / step
            if steps >= MOST_VALUES:
                raise SpecError.of(f"axes.{name}.step", step, f"steps that make up to {MOST_VALUES:,} values")
            return math.floor(steps + 1e-9) + 1
        return self.points

    def values(self, name: str) -> tuple[float, ...]:
        """The numbers, in order. Raises SpecError as `many` does."""
        many = self.many(name)
        if self.points is None:
            return tuple(_whole(self.first + (self.step or 1.0) * number) for number in range(many))
        shares = (number / (self.points - 1) for number in range(self.points))
        if self.scale == "log":
            ratio = self.last / self.first
            return tuple(_whole(self.first * ratio**share) for share in shares)
        return tuple(_whole(self.first + (self.last - self.first) * share) for share in shares)


def _whole(number: float) -> float:
    """A number as a whole one where it is one, to within what its arithmetic may have lost."""
    nearest = round(number)
    return nearest if math.isclose(number, nearest, rel_tol=1e-12, abs_tol=1e-12) else number


class _Spec(BaseModel):
    """The file as it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    base: dict[str, Any] = Field(default_factory=dict)
    axes: dict[str, Any] = Field(default_factory=dict)
    where: list[str] = Field(default_factory=list)
    fidelity: str = "analytic"


@dataclass(frozen=True, eq=False)
class Space:
    """A base, axes and conditions: `axes` by name what each entry sets, fields by their names with dots.

    `name` is what its results are called after; files that a point names are looked for in `folder`. Raises
    SpecError for an axis without values and for more than `MOST_POINTS` points, ConditionError for a
    condition that asks for no field of its points. `Space.of` makes one from values as a file holds them.
    """

    name: str
    base: Values
    axes: Mapping[str, tuple[Values, ...]]
    where: tuple[Condition, ...] = ()
    fidelity: str = "analytic"
    folder: Path = Path()
    _size: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.fidelity not in FIDELITIES:
            raise SpecError.of("fidelity", self.fidelity, FIDELITIES)
        for axis, entries in self.axes.items():
            if not entries:
                raise SpecError.of(f"axes.{axis}", [], "at least one value")
        object.__setattr__(self, "_size", _size([*map(len, self.axes.values())]))
        known = self.fields() if self.where else frozenset()
        for condition in self.where:
            condition.check_names(known)

    def fields(self) -> frozenset[str]:
        """Every field that a point of the space may have, by its name with dots."""
        settings = (self.base, *(entry for entries in self.axes.values() for entry in entries))
        named = {name for setting in settings for name in flat(setting)}
        options = {
            f"{part}.{name}"
            for part, members in _MEMBERS.items()
            for member in members.values()
            for name in ("kind", *member.model_fields)
        }
        trains = any(name.partition(".")[0] == TRAINING for name in named)
        options |= {f"{TRAINING}.{name}" for name in Training.model_fields if trains}
        return frozenset({*DESIGN_FIELDS, *named, *options})

    def __repr__(self) -> str:
        axes = ", ".join(f"{name} ({len(entries)})" for name, entries in self.axes.items())
        return f"<Space {self.name[:40]}: {self._size:,} points of {axes[:100] or 'no axis'}>"

    def __len__(self) -> int:
        """Points before conditions are asked."""
        return self._size

    def point(self, number: int) -> dict[str, Any]:
        """The point of this number, from 0, whether the conditions hold of it or not."""
        places: dict[str, int] = {}
        for axis, entries in reversed(tuple(self.axes.items())):
            number, places[axis] = divmod(number, len(entries))
        return self.at(places)

    def at(self, places: Mapping[str, int]) -> dict[str, Any]:
        """The point with the entry at this place of each axis, whether the conditions hold of it or not."""
        return nested(self.base, *(entries[places[axis]] for axis, entries in self.axes.items()))

    def points(self) -> Iterator[dict[str, Any]]:
        """The points of which every condition holds, as the values of a `DesignPoint`."""
        for entries in itertools.product(*self.axes.values()):
            values = nested(self.base, *entries)
            if self.holds(values):
                yield values

    def holds(self, values: Values) -> bool:
        """Whether every condition holds of a point."""
        if not self.where:
            return True
        fields = with_defaults(values)
        return all(condition.holds(fields) for condition in self.where)

    @classmethod
    def of(
        cls,
        *,
        base: Values,
        axes: Mapping[str, Any],
        where: Sequence[str] = (),
        fidelity: str = "analytic",
        folder: str | Path = "",
    ) -> Space:
        """The space that these values describe, as a file holds them. Raises SpecError."""
        values = {"base": dict(base), "axes": dict(axes), "where": list(where), "fidelity": fidelity}
        return space_of(values, folder=Path(folder))

    @classmethod
    def from_file(cls, path: str | Path) -> Space:
        """The space that a YAML file describes. Files that a design point names are looked for beside it.
        Raises SpecError, in a sentence."""
        file = Path(path)
        values = read_yaml(file, "sweep file", error=SpecError)
        if not isinstance(values, dict):
            raise SpecError(f"sweep file {file} holds {type(values).__name__}, allowed is a mapping")
        return space_of(values, name=file.stem, folder=file.parent)


def space_of(values: Values, *, name: str = "space", folder: Path = Path()) -> Space:
    """The space that these values describe, as a file holds them."""
    try:
        spec = _Spec.model_validate(dict(values))
    except ValidationError as error:
        raise SpecError(one_sentence(error, _Spec)) from None
    _size([_many(axis, given) for axis, given in spec.axes.items()])
    axes = {axis: _entries(axis, given) for axis, given in spec.axes.items()}
    _check("base", spec.base)
    for axis, entries in axes.items():
        for entry in entries:
            _check(f"axes.{axis}", entry)
    return Space(name, spec.base, axes, tuple(map(Condition, spec.where)), spec.fidelity, folder)


def _size(lengths: Sequence[int]) -> int:
    """How many points axes of these lengths have. Raises SpecError for more than anybody waits for."""
    size = math.prod(lengths)
    if size > MOST_POINTS:
        product = " x ".join(map(str, lengths))
        raise SpecError(f"axes have {product} = {size:,} points, allowed are up to {MOST_POINTS:,}")
    return size


def _many(axis: str, given: Any) -> int:
    """How many entries an axis has, as far as that is seen before they are made."""
    if isinstance(given, Mapping) and given.keys() == {"zip"} and isinstance(given["zip"], Mapping):
        return max((_many(f"{axis}.zip.{name}", values) for name, values in given["zip"].items()), default=0)
    if isinstance(given, Mapping) and {"from", "to"} & given.keys():
        return _range(axis, given).many(axis)
    return len(given) if isinstance(given, list | tuple) else 0


def _check(place: str, settings: Values) -> None:
    """Raises SpecError where settings name what no design point has, or hold what no file of results can."""
    for name, value in settings.items():
        known = isinstance(name, str) and name.partition(".")[0] in DESIGN_FIELDS
        if not known or (isinstance(name, str) and not all(name.split("."))):
            allowed = ", ".join(DESIGN_FIELDS)
            raise SpecError(f"{place} sets {str(name)[:60]!r}, allowed are {allowed} and fields inside them")
        if not _plain(value):
            allowed = "texts, finite numbers, true, false, lists and mappings"
            raise SpecError.of(f"{place}: {name}", value, allowed)


def _plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _plain(inner) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return all(map(_plain, value))
    return (
        value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    )


def _entries(axis: str, given: Any) -> tuple[dict[str, Any], ...]:
    """What each entry of an axis sets."""
    if isinstance(given, Mapping) and given.keys() == {"zip"}:
        return _zipped(axis, given["zip"])
    values = _values(axis, given)
    # Fields that go together have names; the axis then is named after nothing that a point has.
    together = all(isinstance(entry, Mapping) and "kind" not in entry for entry in values)
    return tuple(dict(entry) if together else {axis: entry} for entry in values)


def _zipped(axis: str, given: Any) -> tuple[dict[str, Any], ...]:
    """What each entry of fields with as many values sets."""
    if not isinstance(given, Mapping) or not given:
        raise SpecError.of(f"axes.{axis}.zip", given, "a mapping of fields to their values")
    columns = {name: _values(f"{axis}.zip.{name}", values) for name, values in given.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len({*lengths.values()}) > 1:
        told = ", ".join(f"{many} of {name}" for name, many in lengths.items())
        raise SpecError(f"axes.{axis}.zip has {told} values, allowed are as many of each")
    return tuple(dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


def _values(axis: str, given: Any) -> Sequence[Any]:
    """The values of a list or of a range."""
    if isinstance(given, Mapping) and {"from", "to"} & given.keys():
        return _range(axis, given).values(axis)
    if not isinstance(given, list | tuple) or not given:
        allowed = "a list of at least one value, or a range {from: …, to: …}"
        raise SpecError.of(f"axes.{axis}", given, allowed)
    return given


def _range(axis: str, given: Values) -> Range:
    try:
        return Range.model_validate(dict(given))
    except ValidationError as error:
        raise SpecError(f"axes.{axis}.{one_sentence(error, Range)}") from None


def flat(values: Values, prefix: str = "") -> dict[str, Any]:
    """Values of mappings in mappings by their names with dots; an empty one, as of training, is a value."""
    fields: dict[str, Any] = {}
    for name, value in values.items():
        if (type(value) is dict or isinstance(value, Mapping)) and value:
            fields |= flat(value, f"{prefix}{name}.")
        else:
            fields[f"{prefix}{name}"] = value
    return fields


def field_order(name: str) -> tuple[int, bool, str]:
    """Where a field stands among others: as in a design point, and the kind before what it has."""
    first, _, rest = name.partition(".")
    place = DESIGN_FIELDS.index(first) if first in DESIGN_FIELDS else len(DESIGN_FIELDS)
    return place, rest != "kind", rest


def nested(*settings: Values) -> dict[str, Any]:
    """The values of a design point from fields by their names with dots; later settings count. One of a whole
    field, as `technology: cmos65` or `engine: {kind: csc}`, takes the place of all that was set inside it."""
    point: dict[str, Any] = {}
    for setting in settings:
        for name, value in setting.items():
            place, (*path, last) = point, name.split(".")
            for part in path:
                inner = place.get(part)
                if not isinstance(inner, dict):
                    inner = {} if inner is None else {"kind": inner}
                    place[part] = inner
                place = inner
            place[last] = _copied(value)
    return point


def _copied(value: Any) -> Any:
    """A value that can be set inside without the one that it came from."""
    return {name: _copied(inner) for name, inner in value.items()} if isinstance(value, Mapping) else value


def with_defaults(values: Values) -> dict[str, Any]:
    """The fields of a point by their names with dots, those that its engine, its technology and its training
    have by default among them. A technology that is a bare name is its kind, and the other way round."""
    fields = flat(values)
    named = fields.get("technology", fields.get(TECHNOLOGY_KIND))
    both = {} if named is None else {"technology": named, TECHNOLOGY_KIND: named}
    defaults = {
        f"{part}.{name}": option.default
        for part, members in _MEMBERS.items()
        if isinstance(kind := (fields | both).get(f"{part}.kind"), str) and kind in members
        for name, option in members[kind].model_fields.items()
        if not option.is_required() and option.default is not None
    }
    if isinstance(values.get(TRAINING), Mapping):
        defaults |= {f"{TRAINING}.{name}": option.default for name, option in Training.model_fields.items()}
    return defaults | fields | both
