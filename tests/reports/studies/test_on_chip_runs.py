"""Trainings on chip as data: what is shipped is what the command makes, to the last digit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reports.studies.topologies import on_chip_runs
from reports.studies.topologies.float_steps import fitted
from reports.studies.topologies.on_chip_runs import (
    ENTROPY,
    FILE,
    MARGIN,
    SHORT,
    SPARSE,
    Cell,
    OnChip,
    cells,
    shipped_on_chip,
    trained,
    write_on_chip,
)
from tests.daily import todays
from tests.workloads.synthetic import patches, recipe
from workloads import Stage, load_data
from workloads.training.models.model import initial_arrays
from workloads.training.onchip.trainer import relus
from workloads.training.training import fit


def test_what_is_shipped_is_what_is_planned() -> None:
    planned = list(cells())
    assert len(set(planned)) == len(planned)
    assert [Cell.of(one) for one in shipped_on_chip()] == planned
    assert all(cell.recipe.on_chip for cell in planned if cell.weight_bits)
    assert all(cell.recipe.batch == cell.batch for cell in planned)


@pytest.mark.network
@pytest.mark.long
def test_a_training_comes_to_the_shipped_figures_again() -> None:
    """Integers are the same on every machine; the floats that they begin from are drawn by NumPy."""
    integers = [one for one in shipped_on_chip() if one.weight_bits and one.network in SPARSE]
    (shipped,) = todays(integers, 1, FILE)
    again = trained(Cell.of(shipped), load_data("mnist", inputs=784, classes=10))
    assert replace(again, cpu_s=shipped.cpu_s) == shipped


@pytest.mark.network
@pytest.mark.slow
def test_a_short_training_comes_to_the_shipped_figures_again() -> None:
    short = [one for one in shipped_on_chip() if one.epochs == SHORT and one.network in SPARSE]
    (shipped,) = todays(short, 1, f"{FILE} short")
    again = trained(Cell.of(shipped), load_data("mnist", inputs=784, classes=10))
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


# In floating point, one sample at a time.

ONE_BY_ONE = {
    "epochs": 2,
    "batch": 1,
    "optimiser": {"kind": "sgd", "momentum": 0.0},
    "rate": {"peak": 0.03125, "course": [1.0, 0.5]},
}


def test_in_order_it_is_plain_gradient_descent() -> None:
    data, small = patches(200), recipe(**ONE_BY_ONE)
    ours = fitted(small, data, loss=ENTROPY, overlap="none")
    theirs = fit(small, data.train_inputs, data.train_labels, progress=False)
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("overlap", ["pipelined", "junctions"])
def test_overlapped_it_updates_by_old_signals_and_new_weights(overlap: str) -> None:
    """Against matrices, with what each sample left behind on its way."""
    data, small = patches(80), recipe(**ONE_BY_ONE | {"epochs": 1})
    ours = fitted(small, data, loss=MARGIN, overlap=overlap)
    initial, order = map(np.random.default_rng, np.random.SeedSequence(small.seed).spawn(2))
    topology = small.topology()
    flat = initial_arrays(topology, initial, init=small.init)
    taps = [of_taps(stage) for stage in topology.stages]
    now = [np.zeros((stage.n_out, stage.n_in)) for stage in topology.stages]
    for matrix, places, weights in zip(now, taps, flat, strict=True):
        matrix[places] = weights.ravel()
    masks = [matrix != 0 for matrix in now]
    chosen = order.permutation(len(data.train_labels))
    count, stages, relu = len(chosen), len(now), relus(topology)
    seen = [[data.train_inputs[one].astype(float)] for one in chosen]
    slopes = [np.zeros(0) for _ in chosen]
    for block in range(count + 2 * stages):
        before = [matrix.copy() for matrix in now]
        for s in range(stages):
            if 0 <= (n := block - s) < count:
                y = before[s] @ seen[n][s]
                seen[n].append(np.maximum(y, 0) if relu[s] else y)
                if s == stages - 1:
                    is_label = np.arange(len(y)) == data.train_labels[chosen[n]]
                    slopes[n] = np.where(is_label, np.minimum(y - 1, 0), np.maximum(y + 1, 0))
        for s in reversed(range(stages)):
            if 0 <= (n := block - (stages if overlap == "pipelined" else 2 * stages - 1 - s)) < count:
                rate = small.rate.levels[n * 2 // count]
                now[s] -= rate * np.outer(slopes[n], seen[n][s]) * masks[s]
                slopes[n] = before[s].T @ slopes[n]
                if s > 0 and relu[s - 1]:
                    slopes[n] *= seen[n][s] > 0
    for weights, matrix, places in zip(ours.weights, now, taps, strict=True):
        np.testing.assert_allclose(weights.ravel(), matrix[places], atol=1e-5)


def of_taps(stage: Stage) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The row and the column of every stored weight."""
    return np.repeat(np.arange(stage.n_out), stage.row_lengths()), stage.columns().astype(np.int64)
