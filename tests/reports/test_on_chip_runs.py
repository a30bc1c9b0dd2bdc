"""Trainings on chip as data: what is shipped is what the command makes, to the last digit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reports.studies.topologies import on_chip_runs
from reports.studies.topologies.on_chip_runs import (
    FILE,
    Cell,
    OnChip,
    cell_of,
    cells,
    shipped_on_chip,
    trained,
    write_on_chip,
)
from tests.workloads.synthetic import patches
from workloads import load_data


def test_what_is_shipped_is_planned_and_stands_once() -> None:
    shipped = [cell_of(one) for one in shipped_on_chip()]
    planned = list(cells())
    assert len(set(planned)) == len(planned)
    assert len(set(shipped)) == len(shipped)
    assert set(shipped) <= set(planned)
    assert all(cell.recipe.on_chip for cell in planned if cell.weight_bits)


@pytest.mark.network
def test_a_training_comes_to_the_shipped_figures_again() -> None:
    """Integers are the same on every machine; the floats that they begin from are drawn by NumPy."""
    chosen = Cell("lenet-300-100-clos", 12, "nearest", 6, 1)
    (shipped,) = (one for one in shipped_on_chip() if cell_of(one) == chosen)
    again = trained(chosen, load_data("mnist", inputs=784, classes=10))
    assert replace(again, cpu_s=shipped.cpu_s) == shipped


def test_only_what_a_file_lacks_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned, asked = list(cells())[:3], list[Cell]()

    def stand_in(cell: Cell, data: object) -> OnChip:
        asked.append(cell)
        return OnChip(**vars(cell), accuracy=0.5, outputs_cut=1.0, errors_cut=0.5, weights_cut=0.0, cpu_s=1.0)

    monkeypatch.setattr(on_chip_runs, "cells", lambda: iter(planned))
    monkeypatch.setattr(on_chip_runs, "trained", stand_in)
    monkeypatch.setattr(on_chip_runs, "load_data", lambda *_, **__: patches(4))
    write_on_chip(tmp_path)
    whole = (tmp_path / FILE).read_text()
    lines = whole.splitlines(keepends=True)
    (tmp_path / FILE).write_text("".join(lines[:2]))
    write_on_chip(tmp_path)
    assert asked == [*planned, *planned[1:]]
    assert (tmp_path / FILE).read_text() == whole
