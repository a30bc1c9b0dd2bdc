"""What the ways of engines take, fitted to the delays of netlists.

A way of which a netlist tells the delay is met as well as may be; of the others the netlist tells that they
are no longer than its longest path. Where a way was seen in few netlists for all that its delay may follow,
what it is charged for is chosen by leaving out one netlist at a time: an amount is taken in where the netlist
that was left out comes out better for it, and not for what these few happen to differ in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from archsim.calibration.measurement import Measurement
from archsim.costs.fidelity.delays import charge, stretch
from archsim.technology import Technology
from rtl.parts.paths import ways

Floats = NDArray[np.float64]
ENOUGH = 2
"""With at least so many netlists for each amount all amounts are taken in."""

GAIN = 0.02
"""The least share of the squared error on netlists left out by which an amount must lower it."""


@dataclass(frozen=True)
class Told:
    """What one netlist says of a way: the amounts that its delay follows, and how long it takes apart from
    memories, or with not `exact` takes at most; and the delay in whose shares errors count."""

    amounts: Mapping[str, float]
    logic_s: float
    path_s: float
    exact: bool


def way_delays(measurements: Sequence[Measurement], technology: Technology) -> dict[str, dict[str, float]]:
    """The cost of each amount of each way, by family; zero where no netlist had a path along it, which tells
    it from a way that is in no netlist."""
    told: dict[str, list[Told]] = {}
    for measurement in measurements:
        stretched = stretch(technology, measurement.logic, measurement.sizes)
        longest_s = (measurement.logic.critical_path_s or 0.0) / stretched
        charges = {way.family: charge(technology, measurement.sizes, way) for way in ways(measurement.sizes)}
        known = {charges[way].family for way in measurement.delays if way in charges}
        for way, charged in charges.items():
            found_s = measurement.delays.get(way)
            found_s = None if found_s is None else found_s / stretched
            if found_s is not None or charged.family not in known:
                path_s = longest_s if found_s is None else found_s
                logic_s = path_s - charged.access_s - charged.setup_s
                delay = Told(charged.amounts, logic_s, path_s, found_s is not None)
                told.setdefault(charged.family, []).append(delay)
    return {family: fit_delays(delays) for family, delays in told.items()}


def fit_delays(delays: Sequence[Told]) -> dict[str, float]:
    """Non-negative least squares on relative errors, of the amounts that prove themselves."""
    names, exact = list(delays[0].amounts), np.array([delay.exact for delay in delays])
    if not exact.any():
        return {"one": 0.0}
    path_s = np.array([delay.path_s for delay in delays])
    amounts = np.array([[float(delay.amounts[name]) for name in names] for delay in delays])
    amounts, wanted = amounts / path_s[:, None], np.array([delay.logic_s for delay in delays]) / path_s
    varied = [place for place in range(len(names)) if amounts[exact, place].any()]
    if exact.sum() >= ENOUGH * len(varied):
        return _named(names, varied, _bounded(amounts[:, varied], wanted, exact))
    chosen = _proven(names.index("one"), amounts, wanted, exact)
    return _named(names, chosen, _bounded(amounts[:, chosen], wanted, exact))


def _proven(always: int, amounts: Floats, wanted: Floats, exact: NDArray[np.bool_]) -> list[int]:
    """The amounts that lower the error on what was left out, taken in one by one, or one for another."""
    chosen, least = [always], _left_out(amounts[:, [always]], wanted, exact)
    while True:
        others = [place for place in range(amounts.shape[1]) if place not in chosen]
        tried = [[*chosen, place] for place in others] + [
            [*(kept for kept in chosen if kept != dropped), place]
            for dropped in chosen
            for place in others
            if dropped != always
        ]
        errors = [_left_out(amounts[:, each], wanted, exact) for each in tried]
        if not errors or min(errors) > (1 - GAIN) * least:
            return chosen
        least = min(errors)
        chosen = tried[int(np.argmin(errors))]


def _named(names: Sequence[str], places: Sequence[int], costs: Floats) -> dict[str, float]:
    largest = float(costs.max())
    named = sorted(zip(places, costs, strict=True))
    return {names[place]: float(f"{cost:.5g}") for place, cost in named if cost > 1e-6 * largest}


def _left_out(amounts: Floats, wanted: Floats, exact: NDArray[np.bool_]) -> float:
    """The squared error of what a way takes in each netlist, found without it; of one that is bounded where
    it is longer."""
    error = 0.0
    for place in range(len(wanted)):
        kept = np.arange(len(wanted)) != place
        if not exact[kept].any():
            return np.inf
        costs = _bounded(amounts[kept], wanted[kept], exact[kept])
        difference = float(amounts[place] @ costs - wanted[place])
        error += difference**2 if exact[place] or difference > 0 else 0.0
    return error


def _bounded(amounts: Floats, wanted: Floats, exact: NDArray[np.bool_]) -> Floats:
    """Costs by non-negative least squares, where what is not exact counts if it is longer than wanted: what
    it is shorter by is one more unknown, not below zero."""
    short = np.eye(len(wanted))[:, ~exact]
    costs, _ = nnls(np.hstack([amounts, short]), wanted)
    return np.asarray(costs[: amounts.shape[1]])
