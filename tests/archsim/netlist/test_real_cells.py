"""The table that sets our cells beside real ones: measured again, and what it says of ours."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest

from archsim.calibration.real_cells import (
    CIRCUITS,
    IHP_FOLDER,
    OSU018_FILE,
    OURS,
    TABLE,
    comparison,
    libraries,
    measure,
)
from archsim.technology.quantity import load_table

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed"),
]
LIBRARIES = {OURS: True, "ihp-sg13g2": IHP_FOLDER in os.environ, "osu018": OSU018_FILE.is_file()}


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("circuit", CIRCUITS)
def test_the_table_is_what_is_measured(circuit: str, name: str) -> None:
    if not LIBRARIES[name]:
        pytest.skip(f"library {name} is not at hand ({IHP_FOLDER} names the folder of ihp-sg13g2)")
    (row,) = [row for row in load_table(TABLE).rows if (row["circuit"], row["library"]) == (circuit, name)]
    for figure, value in measure(libraries()[name], circuit).items():
        assert value == pytest.approx(row[figure], rel=1e-3)


def _found(circuit: str, library: str) -> Any:
    (only,) = [each for each in comparison() if (each.circuit, each.library) == (circuit, library)]
    return only


def test_a_product_lies_between_published_and_real_ones() -> None:
    ours = _found("product 8 x 8", OURS)
    assert _found("product 8 x 8", "Horowitz 2014").glitching_energy_j < ours.glitching_energy_j
    assert ours.glitching_energy_j < _found("product 8 x 8", "ihp-sg13g2").glitching_energy_j
    assert ours.glitching_energy_j < 1.25 * _found("product 8 x 8", "Horowitz 2014").glitching_energy_j


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_gate_equivalents_travel_within_a_fifth(circuit: str) -> None:
    sizes = [_found(circuit, name).gate_equivalents for name in LIBRARIES]
    assert max(sizes) < 1.25 * min(sizes)
