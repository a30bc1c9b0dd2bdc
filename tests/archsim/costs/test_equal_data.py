"""With data made equal a product takes the same in every design, and nothing else changes."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest

from archsim import Result
from archsim.costs.equal_data import product_energy_j, with_equal_data, with_product_energy
from archsim.costs.pricing import Term
from tests.reports.stand_ins import point, result


def named(*names: str, technology: str = "cmos65") -> dict[str, Result]:
    return {name: result(point(technology, name)) for name in names}


def test_every_product_takes_the_median() -> None:
    own = named("csc", "pruned banked", "dense")
    spent = [product_energy_j(one) for one in own.values()]
    equal = with_equal_data(own)
    assert len(set(spent)) == 3
    for one in equal.values():
        assert product_energy_j(one) == pytest.approx(statistics.median(spent))


def test_only_what_follows_data_changes() -> None:
    own = result(point("cmos65", "csc"))
    clock = Term("pe", "clock", 7.0, "cycles", 1e-12, "J/cycle", "measured", "made up")
    own = replace(own, bill=replace(own.bill, energy=(*own.bill.energy, clock)))
    equal = with_product_energy(own, 3 * product_energy_j(own))
    kept = [term for term in own.bill.energy if term.what != "gates"]
    assert [term for term in equal.bill.energy if term.what != "gates"] == kept
    assert equal.bill.area == own.bill.area
    assert equal.cost("energy_j") - own.cost("energy_j") == pytest.approx(2e-9)
    changed = next(term for term in equal.bill.energy if term.what == "gates")
    assert changed.kind == "assumed"
    assert "made equal" in changed.source


def test_what_no_data_move_stays_as_it_is() -> None:
    own = named("csc", "dense", technology="artix7")
    blind = {
        name: replace(one, bill=replace(one.bill, energy=one.bill.energy[1:])) for name, one in own.items()
    }
    assert with_equal_data(blind) == blind
