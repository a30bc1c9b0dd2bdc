"""The published equations of scaling, where they are taken, and where they are refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from archsim.calibration.between_nodes import left_out, row_of
from archsim.technology.asic.scaling import (
    FLAVOURS,
    NODES_NM,
    BetweenNodes,
    Process,
    factors,
    macro_processes,
    process,
)
from archsim.technology.evidence import BETWEEN_TABLE
from archsim.technology.quantity import load_table

PROCESSES = [row_of(node, flavour) for node in NODES_NM for flavour in FLAVOURS[: 1 if node >= 65 else 2]]


def named(each: Process) -> str:
    return f"{each.node_nm}{each.flavour}"


def test_the_published_checks_of_the_scaling_equations_are_reproduced() -> None:
    assert process(65).energy(1.3) == pytest.approx(2.604, abs=5e-4)
    assert process(32, "hp").energy(0.9) == pytest.approx(0.4571, abs=5e-4)


@pytest.mark.parametrize("each", PROCESSES, ids=named)
def test_where_a_polynomial_is_taken_more_supply_costs_energy_and_makes_nothing_slower(each: Process) -> None:
    least, most = each.overdrive
    assert 0.7 <= least < 1 <= most <= 1.1
    # Up to nominal the delays of 45 and 32 hp turn up by themselves: the published fit, taken as it is.
    allowed = {"45hp": 1.025, "32hp": 1.11}.get(named(each), 1.0)
    supplies = np.linspace(least, most, 300) * each.nominal_v
    delays = np.array([each.delay(v) for v in supplies])
    energies = np.array([each.energy(v) for v in supplies])
    assert (delays > 0).all()
    assert (delays <= np.minimum.accumulate(delays) * allowed * (1 + 1e-4)).all()
    assert (np.diff(energies) > 0).all()
    assert 1.2 < delays[0] / each.delay(each.nominal_v) < 2.8


def test_each_smaller_node_of_a_flavour_is_smaller_and_takes_less_energy_at_its_nominal_supply() -> None:
    for flavour in ("bulk", *FLAVOURS):
        line = [each for each in PROCESSES if each.flavour == flavour]
        for older, newer in itertools.pairwise(line):
            by = factors(older, older.nominal_v, newer, newer.nominal_v)
            assert by.area < 1
            assert by.energy < 1
            assert by.leakage < 1


def test_a_process_scaled_to_itself_stays_as_it_is_and_a_way_there_and_back_is_one() -> None:
    here, there = process(65), process(45, "hp")
    same = factors(here, 1.2, here, 1.2)
    assert vars(same) == {"area": 1.0, "energy": 1.0, "delay": 1.0, "leakage": 1.0}
    out, back = factors(here, 1.2, there, 1.0), factors(there, 1.0, here, 1.2)
    assert out.energy * back.energy == pytest.approx(1)
    assert out.delay * back.delay == pytest.approx(1)
    # The published area factors are rounded to two digits.
    assert out.area * back.area == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("node", NODES_NM)
def test_macros_never_go_from_low_power_to_high_performance_rows_or_back(node: int) -> None:
    for cell_type in ("lstp", "lop", "hp"):
        native, target = macro_processes(node, cell_type)
        assert native.flavour == target.flavour
        assert native.node_nm == (65 if node >= 65 else 45)
        assert target.node_nm == node
        if node < 65:
            assert target.flavour == ("hp" if cell_type == "hp" else "lp")


def test_the_error_of_a_node_between_two_is_that_of_the_table_s_own_nodes_left_out() -> None:
    for made, row in zip(left_out(), load_table(BETWEEN_TABLE).rows, strict=True):
        assert made.keys() == row.keys()
        for name, value in made.items():
            assert row[name] == (pytest.approx(value, rel=1e-3) if name.endswith("_ratio") else value)


def test_a_node_laid_at_a_neighbour_is_the_neighbour_and_one_further_on_has_less_supply() -> None:
    wide = BetweenNodes(32, "hp", row_of(45, "hp"), row_of(20, "hp"))
    at_end = BetweenNodes(45, "hp", row_of(45, "hp"), row_of(20, "hp"))
    assert at_end.energy(1.0) == pytest.approx(process(45, "hp").energy(1.0))
    assert process(20, "hp").nominal_v < wide.nominal_v < process(45, "hp").nominal_v


@pytest.mark.parametrize(
    ("node", "flavour", "message"),
    [
        (5, None, "node_nm is 5, allowed are whole numbers from 7 to 180"),
        ("65", None, "node_nm is '65', allowed are whole numbers"),
        ([65], None, r"node_nm is \[65\], allowed are whole"),
        (True, None, "node_nm is True, allowed are whole"),
        (28.0, None, "node_nm is 28.0, allowed are whole"),
        (100, "lp", "flavour is 'lp', allowed at 100 nm is none, which is bulk"),
        (28, "bulk", "flavour is 'bulk', allowed at 28 nm are hp, lp"),
        (90, "lp", "flavour is 'lp', allowed at 90 nm is none, which is bulk"),
        (45, "bulk", "flavour is 'bulk', allowed at 45 nm are hp, lp"),
    ],
)
def test_a_node_or_flavour_that_the_table_lacks_is_refused(
    node: int, flavour: str | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        process(node, flavour)
