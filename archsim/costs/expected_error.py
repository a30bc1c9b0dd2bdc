"""How far off a result is expected to be, from what was measured on designs that no fit ever saw.

A figure of the logic that was fitted carries the mean error of the fit on held-out netlists, in proportion to
its share of the whole; what a netlist or the counts gave carries none. Power on an FPGA carries the error of
its coefficients. The uncertainty of published and assumed unit costs is not in it: those are listed with the
terms that rest on them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import singledispatch

from archsim.costs.logic import Logic
from archsim.costs.pricing import Bill, Term
from archsim.technology import Fpga, StandardCells, Technology
from archsim.technology.technology import refuse_fabric


def expected_errors(bill: Bill, logic: Logic, technology: Technology) -> dict[str, float]:
    """Mean relative error by metric; a metric that is exact, or of which nobody measured the error, is left
    out."""
    errors = _errors(technology, bill, logic)
    if "critical_path_s" in logic.mean_error:
        errors["critical_path_s"] = logic.mean_error["critical_path_s"]
    return errors


@singledispatch
def _errors(technology: Technology, bill: Bill, logic: Logic) -> dict[str, float]:
    """Mean relative error by metric, as this fabric has them."""
    refuse_fabric(technology, "the error")


@_errors.register(StandardCells)
def _cells(technology: StandardCells, bill: Bill, logic: Logic) -> dict[str, float]:
    if not logic.mean_error:
        return {}
    error, parts = logic.mean_error, {part.component for part in logic.parts}
    dynamic = [term for term in bill.energy if term.what != "leakage"]
    energy = error["energy_j"] * _share(dynamic, bill.energy_j, parts)
    leakage = error["leakage_w"] * _share(bill.leakage, bill.leakage_w, parts)
    return {
        "energy_j": energy,
        "power_w": energy,
        "dynamic_power_w": error["energy_j"]
        * _share(dynamic, math.fsum(term.value for term in dynamic), parts),
        "leakage_w": leakage,
        "area_mm2": error["area_mm2"] * _share(bill.area, bill.area_mm2, parts),
    }


@_errors.register(Fpga)
def _fabric(technology: Fpga, bill: Bill, logic: Logic) -> dict[str, float]:
    errors: dict[str, float] = {}
    if technology.dynamic_power_error is not None:
        off = float(technology.dynamic_power_error) - 1
        dynamic_j = math.fsum(term.value for term in bill.energy if term.what != "leakage")
        of_all = off * dynamic_j / bill.energy_j
        errors |= {"dynamic_power_w": off, "energy_j": of_all, "power_w": of_all}
    counted = [name for name in technology.fitted if name in technology.counted and name in logic.mean_error]
    errors |= {name: logic.mean_error[name] for name in counted}
    return {name: error for name, error in errors.items() if name not in technology.missing}


def _share(terms: Iterable[Term], total: float, parts: set[str]) -> float:
    """The share of a total that the logic's own components make up."""
    return math.fsum(term.value for term in terms if term.component in parts) / total if total else 0.0
