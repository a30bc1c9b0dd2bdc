"""What is known of how far off a result is. Two lines that have nothing to do with each other:

- `fit_error`: fitted logic against gates, the mean and the worst on held-out netlists, in proportion to the
  share that fitted logic has of the figure. What a netlist or the counts gave carries none.
- `technology_error`: the figures of the technology against real ones. Cells, memory macros, scaling and
  power reports were compared with published and measured figures; the ends between which those found the
  truth. Each end of a figure is the sum of its terms at theirs, a memory's own times those of its part. What
  nobody compared is taken as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch

from archsim.costs.logic import Logic
from archsim.costs.pricing import Bill, Term
from archsim.technology import Fpga, StandardCells, Technology
from archsim.technology.evidence import EXACT, LEAKAGE, MEMORY_LEAKAGE, Bracket, Brackets
from archsim.technology.technology import refuse_fabric

Parts = Mapping[str, Sequence[Term]]
"""Terms by what was compared by itself."""

BRACKET_OF = {
    "energy_j": "energy_j",
    "power_w": "energy_j",
    "dynamic_power_w": "energy_j",
    "leakage_w": "leakage_w",
    "area_mm2": "area_mm2",
}
"""The figures that are sums of parts, and whose brackets move the parts."""


@dataclass(frozen=True)
class FitError:
    """Relative errors of fitted logic on netlists that the fit never saw."""

    mean: float
    worst: float

    def of_share(self, share: float) -> FitError:
        """What it is of a figure of which fitted logic has a share."""
        return FitError(self.mean * share, self.worst * share)

    def __add__(self, other: FitError) -> FitError:
        return FitError(self.mean + other.mean, self.worst + other.worst)

    def beside(self, other: FitError) -> FitError:
        """Of a figure that two independent fits rest under: means by their squares, the worst together."""
        return FitError(math.hypot(self.mean, other.mean), self.worst + other.worst)


NO_ERROR = FitError(0.0, 0.0)


def fit_errors(bill: Bill, logic: Logic, technology: Technology) -> dict[str, FitError]:
    """The error of the fit by metric; a metric of which nothing was fitted is left out."""
    errors: dict[str, FitError] = {}
    if logic.fit_error:
        stated = {name: FitError(*error) for name, error in logic.fit_error.items()}
        errors = _fitted(technology, bill, logic, stated)
        if "critical_path_s" in stated and technology.known_path is None:
            errors["critical_path_s"] = stated["critical_path_s"]
    for name, error in placing_errors(bill, logic).items():
        errors[name] = errors.get(name, NO_ERROR).beside(error)
    return {name: error for name, error in errors.items() if name not in technology.missing}


def placing_errors(bill: Bill, logic: Logic) -> dict[str, FitError]:
    """The part of the error that is of placing, which is expected and not done; empty where it is done. That
    of energy is of what the logic spends, memories and leakage left out."""
    stated = {name: FitError(*error) for name, error in logic.placing_error.items()}
    if not stated:
        return {}
    parts, dynamic = {part.component for part in logic.parts}, dynamic_terms(bill)
    energy = stated.pop("energy_j")
    of_all = energy.of_share(_share(dynamic, bill.energy_j, parts))
    return stated | {
        "energy_j": of_all,
        "power_w": of_all,
        "dynamic_power_w": energy.of_share(_share(dynamic, _sum(dynamic), parts)),
    }


@singledispatch
def _fitted(
    technology: Technology, bill: Bill, logic: Logic, stated: Mapping[str, FitError]
) -> dict[str, FitError]:
    """The error of the fit by metric, as this fabric has them."""
    refuse_fabric(technology, "the error")


@_fitted.register(StandardCells)
def _cells(
    technology: StandardCells, bill: Bill, logic: Logic, stated: Mapping[str, FitError]
) -> dict[str, FitError]:
    parts, dynamic = logic.fitted_components, dynamic_terms(bill)
    energy = stated["energy_j"].of_share(_share(dynamic, bill.energy_j, parts))
    return {
        "energy_j": energy,
        "power_w": energy,
        "dynamic_power_w": stated["energy_j"].of_share(_share(dynamic, _sum(dynamic), parts)),
        "leakage_w": stated["leakage_w"].of_share(_share(bill.leakage, bill.leakage_w, parts)),
        "area_mm2": stated["area_mm2"].of_share(_share(bill.area, bill.area_mm2, parts)),
    }


@_fitted.register(Fpga)
def _fabric(
    technology: Fpga, bill: Bill, logic: Logic, stated: Mapping[str, FitError]
) -> dict[str, FitError]:
    parts, dynamic = logic.fitted_components, dynamic_terms(bill)
    energy, without_static = NO_ERROR, NO_ERROR
    for charged in technology.fabric_costs:
        if charged.resource in stated:
            own = [term for term in dynamic if term.what == charged.what]
            energy += stated[charged.resource].of_share(_share(own, bill.energy_j, parts))
            without_static += stated[charged.resource].of_share(_share(own, _sum(dynamic), parts))
    powers = {"energy_j": energy, "power_w": energy, "dynamic_power_w": without_static}
    counted = [name for name in technology.fitted if name in technology.counted and name in stated]
    return (powers if technology.fabric_costs else {}) | {name: stated[name] for name in counted}


def technology_errors(
    bill: Bill, critical_path_s: float | None, brackets: Brackets, missing: Iterable[str]
) -> dict[str, Bracket]:
    """The ends by metric, as multiples of the figure; one of which nobody compared a term is left out."""
    errors: dict[str, Bracket] = {}
    for metric, bracketed in BRACKET_OF.items():
        if metric == "power_w" and "energy_j" in errors and metric not in missing:
            errors[metric] = errors["energy_j"]
            continue
        moved, parts = brackets.of(bracketed), by_part(bill, metric)
        total = math.fsum(map(_sum, parts.values()))
        if total and _compared(parts, moved) and metric not in missing:
            ends = part_ends(parts, moved).values()
            errors[metric] = Bracket(
                math.fsum(end.low for end in ends) / total, math.fsum(end.high for end in ends) / total
            )
    if critical_path_s and "critical_path_s" not in missing:
        errors |= _path_errors(bill, critical_path_s, brackets.of("critical_path_s"))
    return errors


def _path_errors(bill: Bill, path_s: float, moved: Mapping[str, Bracket]) -> dict[str, Bracket]:
    """The ends of the longest path, where anybody compared what it is made of.

    It begins at one memory at most, whichever it then is. So it is that of logic at its end, and beyond that
    at most as much longer, or shorter, as an access to one of the memories may be.
    """
    logic, scaled = moved.get("logic", EXACT), moved.get("memory", EXACT)
    known = [(term.value, term.bracket * scaled) for term in bill.access if term.bracket is not None]
    if "logic" not in moved and all(ends == EXACT for _, ends in known):
        return {}
    slower_s = max((value * (ends.high - logic.high) for value, ends in known), default=0.0)
    faster_s = max((value * (logic.low - ends.low) for value, ends in known), default=0.0)
    ends = Bracket(logic.low - max(0.0, faster_s) / path_s, logic.high + max(0.0, slower_s) / path_s)
    return {"critical_path_s": ends}


def part_ends(parts: Parts, moved: Mapping[str, Bracket]) -> dict[str, Bracket]:
    """What each part comes to with every term at its low end, and with every term at its high end."""
    summed = {}
    for part, terms in parts.items():
        own = [(term.value, (term.bracket or EXACT).ends) for term in terms]
        low, high = (math.fsum(value * ends[place] for value, ends in own) for place in (0, 1))
        summed[part] = Bracket(low, high) * moved.get(part, EXACT)
    return summed


def _compared(parts: Parts, moved: Mapping[str, Bracket]) -> bool:
    """Whether anybody compared a part, or a memory in it."""
    return any(
        part in moved or any((term.bracket or EXACT) != EXACT for term in terms)
        for part, terms in parts.items()
    )


def by_part(bill: Bill, metric: str) -> dict[str, list[Term]]:
    """The terms of the energy of an inference (for powers too), the leakage or the area, by what was compared
    by itself: compute, logic, memory, and the leakage of memories and of all else."""
    terms = {"leakage_w": bill.leakage, "area_mm2": bill.area, "dynamic_power_w": dynamic_terms(bill)}
    parts: dict[str, list[Term]] = {}
    for term in terms.get(metric, bill.energy):
        parts.setdefault(_part(term, metric), []).append(term)
    return parts


def _part(term: Term, metric: str) -> str:
    """The part of a term. What a PE spends but for its clock is compute; of areas all cells are logic, those
    that a small memory is built of among them."""
    is_memory = term.bracket is not None
    if metric == "leakage_w" or term.what == LEAKAGE:
        return MEMORY_LEAKAGE if is_memory else LEAKAGE
    if is_memory:
        return "memory"
    computes = metric != "area_mm2" and term.component == "pe" and "clock" not in term.what
    return "compute" if computes else "logic"


def dynamic_terms(bill: Bill) -> tuple[Term, ...]:
    """The terms of energy without leakage."""
    return tuple(term for term in bill.energy if term.what != LEAKAGE)


def _sum(terms: Iterable[Term]) -> float:
    return math.fsum(term.value for term in terms)


def _share(terms: Iterable[Term], total: float, parts: set[str]) -> float:
    """The share of a total that the logic's own components make up."""
    return _sum(term for term in terms if term.component in parts) / total if total else 0.0
