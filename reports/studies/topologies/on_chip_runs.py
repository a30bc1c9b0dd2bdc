"""Trainings on chip as data: the accuracy of LeNet-300-100 over widths, rounding of the update and rates.

`python -m reports.studies.topologies.on_chip_runs FOLDER` trains whatever its file in the folder lacks, a
line a training (about twenty minutes on one core), and writes it after each. Rows of 0 bits are in floating
point, one sample at a time with the same rates, by cross-entropy.
"""

from __future__ import annotations

import csv
import itertools
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reports.studies.topologies.files import record, records_of, write_records
from workloads import LabelledData, Recipe, evaluate, load_data, load_recipe
from workloads.training.model import Model, classify
from workloads.training.onchip.arithmetic import CUT, ERRORS_CUT, WEIGHTS_CUT
from workloads.training.onchip.run import OnChipRun
from workloads.training.training import fit

FILE = "on_chip.csv"
EPOCHS = 3
COURSE = (1.0, 0.5, 0.25)
PEAKS = (5, 6)
WIDTHS = (8, 10, 12, 16)
ROUNDINGS = ("nearest", "stochastic")
SEEDS = (1, 2)
NETWORKS = ("lenet-300-100-clos", "lenet-300-100-csc")
DENSE = "lenet-300-100-dense"
FLOAT = "float"


@dataclass(frozen=True)
class Cell:
    """A training: a network, the width of its stored weights (0 in floating point), the rounding of the
    update, a rate that begins at 2**-rate_shift, and a seed."""

    network: str
    weight_bits: int
    rounding: str
    rate_shift: int
    seed: int

    @property
    def recipe(self) -> Recipe:
        """What is trained: the layers of a shipped recipe, one sample at a time."""
        arithmetic = {"weight_bits": self.weight_bits, "rounding": self.rounding}
        return load_recipe(self.network).replace(
            seed=self.seed,
            epochs=EPOCHS,
            batch=1,
            shift_pixels=0,
            optimiser={"kind": "sgd", "momentum": 0.0},
            rate={"peak": 2.0**-self.rate_shift, "course": COURSE},
            on_chip=arithmetic if self.weight_bits else None,
        )


@dataclass(frozen=True)
class OnChip(Cell):
    """A training with what it came to: the share of all test images that are named right, in the arithmetic
    of training; and of 1,000 samples how many outputs and errors of stages and weights were cut off."""

    accuracy: float
    outputs_cut: float
    errors_cut: float
    weights_cut: float
    cpu_s: float


def cells() -> Iterator[Cell]:
    """Every training of the file."""
    for seed, network, peak in itertools.product(SEEDS, NETWORKS, PEAKS):
        for bits, rounding in itertools.product(WIDTHS, ROUNDINGS):
            yield Cell(network, bits, rounding, peak, seed)
    for seed, network, peak in itertools.product(SEEDS, NETWORKS, PEAKS):
        yield Cell(network, 0, FLOAT, peak, seed)
    yield Cell(DENSE, 12, "nearest", PEAKS[-1], SEEDS[0])


def trained(cell: Cell, data: LabelledData) -> OnChip:
    """What a training comes to."""
    began, recipe = time.process_time(), cell.recipe
    if not recipe.on_chip:
        model: Model = fit(recipe, data.train_inputs, data.train_labels, progress=False)
        share, cut = float(np.mean(classify(model, data.test_inputs) == data.test_labels)), [0.0] * 3
    else:
        run = OnChipRun(recipe, data.train_inputs, data.train_labels, data.range)
        while run.step < run.steps:
            run.advance()
        share = evaluate(run.model.integer(recipe.name, data.range), data.test_inputs, data.test_labels)
        counts = run.trainer.words.counts[:, [CUT, ERRORS_CUT, WEIGHTS_CUT]].sum(axis=0)
        cut = [round(1000 * count / (len(data.train_labels) * EPOCHS), 3) for count in counts.tolist()]
    return OnChip(
        **vars(cell),
        accuracy=share,
        outputs_cut=cut[0],
        errors_cut=cut[1],
        weights_cut=cut[2],
        cpu_s=round(time.process_time() - began, 1),
    )


def shipped_on_chip() -> list[OnChip]:
    """The trainings that come with the package."""
    return records_of(FILE, OnChip)


def write_on_chip(folder: Path) -> None:
    """Trains what the file in a folder lacks, and writes it after each."""
    path = folder / FILE
    lines = csv.DictReader(path.read_text(encoding="utf-8").splitlines()) if path.exists() else ()
    known = {cell_of(one): one for one in (record(OnChip, line) for line in lines)}
    data = load_data("mnist", inputs=784, classes=10)
    for cell in cells():
        if cell not in known:
            known[cell] = trained(cell, data)
            write_records(path, OnChip, [known[each] for each in cells() if each in known])


def cell_of(one: OnChip) -> Cell:
    """What was trained."""
    return Cell(one.network, one.weight_bits, one.rounding, one.rate_shift, one.seed)


if __name__ == "__main__":
    write_on_chip(Path(sys.argv[1]))
