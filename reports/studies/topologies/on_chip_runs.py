"""Trainings on chip as data: the accuracy of LeNet-300-100 over widths, rounding of the update and rates.

`python -m reports.studies.topologies.on_chip_runs FOLDER` trains whatever its file in the folder lacks, a
line a training (about two hours on one core), and writes it after each. Rows of 0 bits are in floating
point, one sample at a time with the same rates: by the loss that integers have, or by cross-entropy. Those of
a batch are trained as the shipped recipe says, with its optimiser and rate, which has no shift.
"""

from __future__ import annotations

import csv
import itertools
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np

from reports.studies.topologies.files import record, records_of, write_records
from reports.studies.topologies.float_steps import fitted
from workloads import LabelledData, Recipe, evaluate, load_data, load_recipe
from workloads.training.models.model import classify
from workloads.training.onchip.arithmetic import CUT, ERRORS_CUT, WEIGHTS_CUT
from workloads.training.onchip.run import OnChipRun
from workloads.training.training import fit

FILE = "on_chip.csv"
COURSE = (1.0, 0.5, 0.25)
SPARSE = ("lenet-300-100-clos", "lenet-300-100-csc")
DENSE = ("lenet-300-100-dense",)
FLOAT = "float"
MARGIN, ENTROPY = "margin", "cross-entropy"
BATCH = 128
EVERY, THREE = (5, 6, 7), (1, 2, 3)
EPOCHS, SHORT = 10, 3
"""Epochs of a training, and of those that take long."""


@dataclass(frozen=True)
class Way:
    """How a network is trained, but for the rate and the seed: the width of its stored weights (0 in floating
    point), the rounding of the update, the loss, which steps overlap, samples in a batch, and epochs."""

    network: str
    weight_bits: int
    rounding: str
    loss: str
    overlap: str
    batch: int
    epochs: int

    @classmethod
    def of(cls, run: Way) -> Self:
        """That of a training that says more."""
        return cls(**{given.name: getattr(run, given.name) for given in fields(cls)})

    @property
    def label(self) -> str:
        """The network in a word."""
        return self.network.rpartition("-")[2]


@dataclass(frozen=True)
class Cell(Way):
    """A training, at a rate that begins at 2**-rate_shift (of a batch that of the recipe, and 0 here), from a
    seed."""

    rate_shift: int
    seed: int

    @property
    def recipe(self) -> Recipe:
        """What is trained: the layers of a shipped recipe, without shifts of the images."""
        recipe = load_recipe(self.network).replace(seed=self.seed, epochs=self.epochs, shift_pixels=0)
        if self.batch > 1:
            return recipe.replace(batch=self.batch)
        of_chip = ("weight_bits", "rounding", "loss", "overlap")
        arithmetic = {name: getattr(self, name) for name in of_chip}
        return recipe.replace(
            batch=1,
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


@dataclass(frozen=True)
class Grid:
    """Trainings that differ in seed, network and rate."""

    weight_bits: int
    rounding: str
    peaks: tuple[int, ...]
    loss: str = MARGIN
    overlap: str = "none"
    batch: int = 1
    networks: tuple[str, ...] = SPARSE
    seeds: tuple[int, ...] = (1, 2)
    epochs: int = EPOCHS

    def cells(self) -> Iterator[Cell]:
        """Its trainings, a seed after another."""
        of = (self.weight_bits, self.rounding, self.loss, self.overlap, self.batch, self.epochs)
        for seed, network, peak in itertools.product(self.seeds, self.networks, self.peaks):
            yield Cell(network, *of, peak, seed)


GRIDS = (
    Grid(12, "nearest", peaks=EVERY, seeds=THREE),
    Grid(0, FLOAT, peaks=EVERY, seeds=THREE),
    Grid(0, FLOAT, loss=ENTROPY, batch=BATCH, peaks=(0,), networks=SPARSE + DENSE, seeds=THREE),
    Grid(0, FLOAT, loss=ENTROPY, peaks=EVERY, seeds=THREE),
    Grid(12, "nearest", peaks=(6,), epochs=SHORT, seeds=THREE),
    Grid(12, "nearest", peaks=(6,), networks=DENSE, epochs=SHORT, seeds=THREE),
    Grid(0, FLOAT, overlap="junctions", peaks=(6,), seeds=THREE),
    Grid(10, "nearest", peaks=EVERY, seeds=THREE),
    Grid(11, "nearest", peaks=EVERY, seeds=THREE),
    Grid(8, "nearest", peaks=(5, 6), seeds=(1,)),
    Grid(14, "nearest", peaks=(6,)),
    Grid(10, "stochastic", peaks=(6,), seeds=(1,)),
    Grid(8, "stochastic", peaks=(6,), seeds=(1,)),
    Grid(16, "nearest", peaks=(6,), seeds=(1,)),
    Grid(12, "stochastic", peaks=(6,), seeds=(1,)),
    Grid(12, "nearest", overlap="pipelined", peaks=(6,), seeds=THREE),
    Grid(0, FLOAT, overlap="pipelined", peaks=(6,), seeds=THREE),
)


def cells() -> Iterator[Cell]:
    """Every training of the file, what decides first."""
    for grid in GRIDS:
        yield from grid.cells()


def trained(cell: Cell, data: LabelledData) -> OnChip:
    """What a training comes to."""
    began, recipe = time.process_time(), cell.recipe
    if not recipe.on_chip:
        if cell.batch == 1:
            model = fitted(recipe, data, loss=cell.loss, overlap=cell.overlap)
        else:
            model = fit(recipe, data.train_inputs, data.train_labels, progress=False)
        share, cut = float(np.mean(classify(model, data.test_inputs) == data.test_labels)), [0.0] * 3
    else:
        run = OnChipRun(recipe, data.train_inputs, data.train_labels, data.range)
        while run.step < run.steps:
            run.advance()
        share = evaluate(run.model.integer(recipe.name, data.range), data.test_inputs, data.test_labels)
        counts = run.trainer.words.counts[:, [CUT, ERRORS_CUT, WEIGHTS_CUT]].sum(axis=0)
        cut = [round(1000 * count / (len(data.train_labels) * cell.epochs), 3) for count in counts.tolist()]
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
    known = {Cell.of(one): one for one in (record(OnChip, line) for line in lines)}
    data = load_data("mnist", inputs=784, classes=10)
    for cell in cells():
        if cell not in known:
            known[cell] = trained(cell, data)
            write_records(path, OnChip, [known[each] for each in cells() if each in known])


if __name__ == "__main__":
    write_on_chip(Path(sys.argv[1]))
