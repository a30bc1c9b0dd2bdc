"""The table of placed engines is of all of them, and comes out of the code that ships with it."""

from __future__ import annotations

import pytest

from archsim.calibration.placing import TABLE, row_of
from archsim.calibration.routing import PES, designs
from archsim.technology import Cmos65
from archsim.technology.quantity import load_table

ROWS = {(row["engine"], row["pes"]): row for row in load_table(TABLE).rows}
POINTS = {(label, point.engine.pes): point for label, point in designs(PES, Cmos65())}


def test_every_organisation_stands_there_with_every_number_of_pes() -> None:
    assert set(ROWS) == set(POINTS)
    assert len(ROWS) == len(load_table(TABLE).rows)


def test_a_core_is_larger_than_what_lies_in_it_and_wires_cost_energy() -> None:
    for row in ROWS.values():
        assert row["placed_area_mm2"] > row["mapped_area_mm2"]
        assert row["placed_energy_j"] > row["mapped_energy_j"]
        assert row["clock_factor"] > 1


@pytest.mark.slow
@pytest.mark.parametrize("label", ["csc", "scheduled"])
def test_rows_come_out_again(label: str) -> None:
    row, known = row_of(label, POINTS[label, 1]), ROWS[label, 1]
    for name, value in row.items():
        assert value == (known[name] if isinstance(value, str) else pytest.approx(known[name], rel=1e-3)), (
            name
        )
