"""The table of placed engines is of all of them, and comes out of the code that ships with it."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.calibration.placing import COLUMNS, TABLE, Ratios, errors, fit_text, row_of
from archsim.calibration.routing import PES, designs
from archsim.costs.fidelity.placing import ANY, FIGURES, LAW, placing_law
from archsim.technology import Cmos65
from archsim.technology.quantity import load_table, read_text
from tests.daily import day, todays

ROWS = {(row["organisation"], row["pes"]): row for row in load_table(TABLE).rows}
STATES = ("mapped", "placed")
POINTS = {(label, point.engine.pes): point for label, point in designs(PES, Cmos65())}


def test_every_organisation_stands_there_with_every_number_of_pes() -> None:
    assert set(ROWS) == set(POINTS)
    assert len(ROWS) == len(load_table(TABLE).rows)


def test_a_core_is_larger_than_what_lies_in_it_and_wires_cost_energy() -> None:
    for row in ROWS.values():
        assert row["placed_area_mm2"] > row["mapped_area_mm2"]
        assert row["placed_switching_j"] > row["mapped_switching_j"]
        assert row["clock_factor"] > 1


def test_the_law_follows_from_the_table() -> None:
    assert fit_text(load_table(TABLE).rows) == read_text(LAW)


def test_a_law_is_found_in_rows_that_follow_it() -> None:
    """Rows made by a law of one factor for all engines: the fit gives it back, and errs nowhere."""
    rows = [
        {"engine": engine, "gate_equivalents": gates}
        | {f"mapped_{of}": 2.0 for of in COLUMNS.values()}
        | {f"placed_{of}": 3.0 * (gates / 1e4) ** 0.1 for of in COLUMNS.values()}
        for engine, gates in (("one", 2e3), ("one", 3e4), ("other", 5e3), ("other", 9e4), ("third", 2e4))
    ]
    ratios = Ratios(rows)
    for figure in FIGURES:
        common, exponent, *own = ratios.solved(figure, np.ones(len(rows), bool))
        assert [np.exp(common), exponent, *own] == pytest.approx([1.5, 0.1, 0, 0, 0], abs=1e-12)
    for off in errors(ratios).values():
        assert np.abs(off).max() < 1e-12


def test_the_law_is_nearer_to_placed_designs_than_mapped_netlists_are() -> None:
    law, rows = placing_law(), list(ROWS.values())
    for metric, figures in (("area_mm2", ["area_mm2"]), ("critical_path_s", ["path_s"])):
        mapped, placed = (sum(np.array([row[f"{s}_{f}"] for row in rows]) for f in figures) for s in STATES)
        assert law.errors[metric][0] < np.abs(mapped / placed - 1).mean()
        assert law.errors[metric][0] <= law.errors[metric][1]


def test_an_engine_has_its_own_factor_and_an_unknown_one_that_of_all() -> None:
    law = placing_law()
    for figure in FIGURES:
        assert law.ratio(figure, "csc", 1e4) == law.factors[figure]["csc"]
        assert law.ratio(figure, "dense skipping", 1e4) == law.factors[figure]["dense"]
        assert law.ratio(figure, "unheard of", 1e4) == law.factors[figure][ANY]
        larger = law.ratio(figure, "csc", 1e5) / law.ratio(figure, "csc", 1e4)
        assert larger == pytest.approx(10 ** law.exponents[figure])


SMALL = [label for label, pes in ROWS if pes == 1 and label not in ("dense", "eie")]
"""Engines of one PE are placed in seconds, but for those whose memories or flip-flops are many."""


@pytest.mark.long
@pytest.mark.parametrize("label", todays(SMALL, 2, "placement_cmos65.csv"))
def test_rows_come_out_again(label: str) -> None:
    row, known = row_of(label, POINTS[label, 1]), ROWS[label, 1]
    for name, value in row.items():
        there = known[name] if isinstance(value, str) else pytest.approx(known[name], rel=1e-3)
        assert value == there, (name, day())
