"""The layers of the bed, trained: a hidden layer, a ReLU and a dense read-out, at the rate that suits each.

`data/bed_runs.csv` holds a line a training. A layer's rate is the one of the highest accuracy on images held
out of training, in the mean over `TUNING` seeds, with permuted pixels; all seeds then train at it, in either
order of the pixels. The test images are met once a training and choose nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from archsim.store import remembered
from reports.parallel import worked
from reports.studies.topologies.bed.bed import NATURAL, PERMUTED, Bed, BedLayer
from reports.studies.topologies.files import records_of
from reports.studies.topologies.trainings import Images, images_of
from reports.write_up.claims import standard_error
from workloads.data.labelled import LabelledData
from workloads.stages import DenseStage
from workloads.topology.topology import Topology
from workloads.training.models.model import Model, initial_arrays
from workloads.training.optimisers import Adam, one_cycle
from workloads.training.training import Examples

FILE = "bed_runs.csv"
KIND = "bed"
CODE_VERSION = 1
"""Raised whenever the same settings train to other figures: what was remembered is then stale."""
RATES = (0.003, 0.01, 0.03, 0.1)
SEEDS = tuple(range(10))
TUNING = SEEDS[:3]
OF_ORDER: Mapping[str, Sequence[int]] = {PERMUTED: SEEDS, NATURAL: SEEDS[:5]}
"""The seeds of each order."""
BATCH = 128
HELD_OUT = 5000


@dataclass(frozen=True)
class BedCell:
    """A training of a layer."""

    layer: BedLayer
    images: Images
    epochs: int
    order: str
    rate: float
    seed: int

    @property
    def content(self) -> dict[str, Any]:
        """Everything that decides the outcome, as plain values."""
        settings = {name: getattr(self, name) for name in ("images", "epochs", "order", "rate", "seed")}
        return {"version": CODE_VERSION} | self.layer.content | settings


@dataclass(frozen=True)
class BedRun:
    """A training and what it came to: accuracies in [0, 1], chance where it left the finite numbers."""

    places: int
    images: str
    label: str
    order: str
    rate: float
    seed: int
    validation_accuracy: float
    test_accuracy: float
    cpu_s: float


@dataclass(frozen=True)
class OnBed:
    """A layer over its seeds, on one set of images in one order, at its rate."""

    places: int
    images: str
    label: str
    order: str
    rate: float
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.accuracies)

    @property
    def standard_error(self) -> float:
        """Of the mean over seeds."""
        return standard_error(self.accuracies)


def train_beds(given: Sequence[Bed], *, processes: int = 1, progress: bool = True) -> list[BedRun]:
    """Every layer at every rate with the tuning seeds, then with all seeds at its best, where it is not
    remembered."""
    runs: list[BedRun] = []
    for bed in given:
        todo = [(layer, images) for images in bed.images for layer in bed.layers]
        tuning = [
            BedCell(layer, images, bed.epochs, PERMUTED, rate, seed)
            for layer, images in todo
            for rate in RATES
            for seed in TUNING
        ]
        tuned = _train(tuning, f"rates at {bed.places} places", processes, progress)
        cells = [
            BedCell(layer, images, bed.epochs, order, best_rate(tuned, layer.label, images), seed)
            for layer, images in todo
            for order in bed.orders
            for seed in OF_ORDER[order]
        ]
        known = {run_key(run) for run in tuned}
        rest = [cell for cell in cells if _key(cell) not in known]
        runs += tuned + _train(rest, f"layers of {bed.places} places", processes, progress)
    return runs


def best_rate(runs: Iterable[BedRun], label: str, images: str) -> float:
    """The rate of the highest accuracy on images held out, with permuted pixels and the tuning seeds."""
    reached: dict[float, list[float]] = {}
    for run in runs:
        if (run.label, run.images, run.order) == (label, images, PERMUTED) and run.seed in TUNING:
            reached.setdefault(run.rate, []).append(run.validation_accuracy)
    return max(reached, key=lambda rate: statistics.fmean(reached[rate]))


def on_bed(runs: Sequence[BedRun], places: int, images: str, order: str = PERMUTED) -> dict[str, OnBed]:
    """The layers of a bed by their labels, each over its seeds at its rate."""
    here = [run for run in runs if (run.places, run.images) == (places, images)]
    rates = {label: best_rate(here, label, images) for label in dict.fromkeys(run.label for run in here)}
    seeds: dict[str, dict[int, float]] = {label: {} for label in rates}
    for run in here:
        if (run.order, run.rate) == (order, rates[run.label]):
            seeds[run.label][run.seed] = run.test_accuracy
    return {
        label: OnBed(
            places, images, label, order, rate, tuple(seeds[label][seed] for seed in sorted(seeds[label]))
        )
        for label, rate in rates.items()
    }


def run_key(run: BedRun) -> tuple[str, str, str, float, int]:
    """What tells trainings of one bed apart."""
    return (run.label, run.images, run.order, run.rate, run.seed)


def _key(cell: BedCell) -> tuple[str, str, str, float, int]:
    return (cell.layer.label, cell.images, cell.order, cell.rate, cell.seed)


def _train(cells: Sequence[BedCell], what: str, processes: int, progress: bool) -> list[BedRun]:
    runs: dict[BedCell, BedRun] = {}
    with tqdm(total=len(cells), desc=what, unit="run", disable=not progress) as bar:
        for cell, run in worked(train_bed_cell, cells, processes):
            runs[cell] = run
            bar.update()
    return [runs[cell] for cell in cells]


def train_bed_cell(cell: BedCell) -> BedRun:
    """Trains one cell, or recalls what came out before."""
    outcome = remembered(KIND, cell.content, lambda: _outcome(cell))
    layer = cell.layer
    return BedRun(layer.places, cell.images, layer.label, cell.order, cell.rate, cell.seed, **outcome)


def _outcome(cell: BedCell) -> dict[str, float]:
    start = time.process_time()
    validation, test = _accuracies(cell, _ordered(images_of(cell.images), cell))
    return {
        "validation_accuracy": round(validation, 6),
        "test_accuracy": round(test, 6),
        "cpu_s": round(time.process_time() - start, 2),
    }


def _ordered(data: LabelledData, cell: BedCell) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The training and test inputs with their pixels in the order of the cell."""
    if cell.order == NATURAL:
        return data.train_inputs, data.test_inputs
    places = np.random.default_rng([cell.seed, cell.layer.places]).permutation(cell.layer.places)
    return data.train_inputs[:, places], data.test_inputs[:, places]


def _accuracies(
    cell: BedCell, inputs: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> tuple[float, float]:
    """On the images held out and on all test images, by Adam with a one-cycle rate."""
    data, (seen, tested) = images_of(cell.images), inputs
    labels, stages = data.train_labels, cell.layer.stages
    read_out = DenseStage(cell.layer.places, int(labels.max()) + 1)
    topology = Topology((stages, (read_out,)), (*(cell.layer.flags or (False,) * len(stages)), False))
    start, order = (np.random.default_rng(each) for each in np.random.SeedSequence(cell.seed).spawn(2))
    model = Model(topology, initial_arrays(topology, start))
    optimiser = Adam(model.weights, weight_decay=0.0)
    kept = len(labels) - HELD_OUT
    batches = kept // BATCH
    steps = batches * cell.epochs
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for step in range(steps):
            if step % batches == 0:
                shuffled = order.permutation(kept)
            chosen = shuffled[step % batches * BATCH :][:BATCH]
            loss, gradients = model.loss_and_gradients(np.ascontiguousarray(seen[chosen].T), labels[chosen])
            if not np.isfinite(loss):
                return 0.1, 0.1
            optimiser.step(model.weights, gradients, cell.rate * one_cycle(step / steps))
        held_out, test = Examples(seen[kept:], labels[kept:]), Examples(tested, data.test_labels)
        return held_out.accuracy(model), test.accuracy(model)


def shipped_bed() -> list[BedRun]:
    """The runs that come with the package."""
    return records_of(FILE, BedRun)
