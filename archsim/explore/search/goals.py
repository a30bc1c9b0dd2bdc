"""What a search is for: objectives, each with the direction that its metric has, and constraints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archsim.costs.metrics import METRICS, metric_of
from archsim.explore.conditions import Condition
from archsim.explore.pareto import ObjectiveError
from archsim.explore.spec import Space, with_defaults
from archsim.explore.store import Row, fields_of
from archsim.technology import Fpga, technologies

LESS, MORE = "min", "max"


@dataclass(frozen=True)
class Objective:
    """A figure of results by its name. Less of it is better, or more where the table of metrics says so."""

    name: str

    @classmethod
    def of(cls, text: str) -> Objective:
        """The objective of a text: the name of a figure, or that and its direction, as `accuracy:max`.
        Raises ObjectiveError for what is no figure, and for a direction that its metric does not have."""
        name, _, direction = text.partition(":") if isinstance(text, str) else (text, "", "")
        if not isinstance(name, str) or name not in figure_names():
            raise ObjectiveError.of("objective", text, sorted(figure_names()))
        objective = cls(name)
        if direction not in ("", objective.direction):
            better = "more" if objective.direction == MORE else "less"
            allowed = f"{name}:{objective.direction}: {better} of it is better"
            raise ObjectiveError.of("objective", text, allowed)
        return objective

    @property
    def direction(self) -> str:
        return MORE if metric_of(self.name).more_is_better else LESS

    def __str__(self) -> str:
        return f"{self.name}:{self.direction}"

    def cost(self, value: float) -> float:
        """A figure as a number of which less is better."""
        return -value if self.direction == MORE else value


def figure_names() -> frozenset[str]:
    """The figures that a result may have: the metrics, and what else a device has a number of."""
    devices = (technologies[name] for name in technologies)
    more = (name for device in devices if issubclass(device, Fpga) for name in device.counted)
    return frozenset(name for name, metric in METRICS.items() if not metric.relative) | {*more}


@dataclass(frozen=True)
class Judged:
    """What a point is worth: its `costs`, one an objective, of which less is better, and how far it misses
    each constraint (`violations`, 0 where it holds). A refused point has no costs and misses all.
    """

    costs: tuple[float, ...] | None
    violations: tuple[float, ...]

    @property
    def feasible(self) -> bool:
        return self.costs is not None and not any(self.violations)


@dataclass(frozen=True)
class Goals:
    """Objectives and constraints. `Goals.of` makes them from texts."""

    objectives: tuple[Objective, ...]
    constraints: tuple[Condition, ...] = ()

    @classmethod
    def of(cls, space: Space, objectives: Iterable[str], constraints: Iterable[str] = ()) -> Goals:
        """The goals that these texts name, of points of a space. Raises ObjectiveError for none, for one
        twice and for what is no figure; ConditionError for a constraint that asks for nothing that a point
        or a result has."""
        told, asked = _listed("objectives", objectives), _listed("constraints", constraints)
        if not told:
            raise ObjectiveError.of("objectives", told, "names of figures, as energy_j and area_mm2")
        known = [*map(Objective.of, told)]
        for objective in known:
            if known.count(objective) > 1:
                raise ObjectiveError.of("objectives", told, f"{objective.name} once")
        conditions = tuple(map(Condition, dict.fromkeys(asked)))
        for condition in conditions:
            condition.check_names(space.fields() | figure_names())
        return cls(tuple(known), conditions)

    @property
    def of_no_point(self) -> Judged:
        """What a point without figures is worth."""
        return Judged(None, (1.0,) * len(self.constraints))

    def judged(self, row: Row) -> Judged:
        """What a finished point is worth."""
        if row.figures is None:
            return self.of_no_point
        # What a result lacks is nothing, and not the text of its name.
        fields = with_defaults(row.point) | dict.fromkeys(figure_names()) | fields_of(row)
        violations = tuple(condition.violation(fields) for condition in self.constraints)
        if self._lacking(row):
            return Judged(None, violations)
        costs = (objective.cost(row.figures[objective.name]) for objective in self.objectives)
        return Judged(tuple(costs), violations)

    def refuse_without(self, row: Row, judged: Judged) -> None:
        """Raises ObjectiveError for a point that meets all constraints and lacks an objective, since nothing
        could be said of it: not even that it is worse than others."""
        lacking = self._lacking(row)
        if row.figures is None or any(judged.violations) or not lacking:
            return
        fields = fields_of(row)
        names = ("network", "engine.kind", "technology.kind", "technology")
        where = " on ".join(str(fields[name]) for name in names if name in fields)
        allowed = (
            f"figures of all points that meet the constraints, and {where} has none of it: "
            f"the constraint '{lacking} > 0' leaves such points out"
        )
        raise ObjectiveError.of("objective", lacking, allowed)

    def _lacking(self, row: Row) -> str:
        """An objective that a finished point has no figure of."""
        names = (objective.name for objective in self.objectives)
        return next((name for name in names if (row.figures or {}).get(name) is None), "")


def _listed(name: str, texts: Any) -> Sequence[str]:
    """Texts as a list; one text alone is none."""
    if isinstance(texts, str | Mapping) or not isinstance(texts, Iterable):
        raise ObjectiveError.of(name, texts, "a list of texts")
    return list(texts)
