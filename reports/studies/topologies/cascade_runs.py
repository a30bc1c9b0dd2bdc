"""Deep linear cascades as data: what becomes of a signal at the start, and whether training follows.

`data/linear_cascades.csv` holds a line for every depth, start and seed, at the learning rate that
suits the depth and start best.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from tqdm import tqdm

from archsim.store import remembered
from reports.studies.topologies.cascades import (
    INITIALISATIONS,
    TrainedCascade,
    best_rate,
    deep_cascade,
    starting_gains,
    train_cascade,
)
from reports.studies.topologies.files import records_of
from reports.studies.topologies.trainings import images_of
from workloads import Stage, build_layer
from workloads.data.images import ImageData

FILE = "linear_cascades.csv"
CODE_VERSION = 1
"""Raised whenever the same settings train to other figures: what was remembered is then stale."""
WIDTH = 64
FAN_IN = 4
RATES = (3e-3, 1e-2)
STEPS = 400


@dataclass(frozen=True)
class CascadeRun:
    """A cascade with a read-out, trained on MNIST of 8 x 8 pixels for some hundred steps.

    `signal` and `gradient` are the expected energies behind all stages over those before them, exact;
    `measured_signal` is that of this seed. `accuracy` is on all test images.
    """

    depth: int
    init: str
    seed: int
    signal: float
    gradient: float
    measured_signal: float
    rate: float
    loss: float
    accuracy: float


def train_cascades(*, progress: bool = True) -> list[CascadeRun]:
    """Both starts at every depth from 1 to 64, trained where they are not remembered."""
    layer = build_layer("csc", WIDTH, WIDTH, fan_in=FAN_IN)
    return list(depth_study(layer, images_of("mnist-8"), rates=RATES, steps=STEPS, progress=progress))


def depth_study(
    layer: Sequence[Stage],
    data: ImageData,
    *,
    depths: Sequence[int] = (1, 2, 4, 8, 16, 32, 64),
    rates: Sequence[float] = RATES,
    seeds: Sequence[int] = (0, 1, 2),
    steps: int = STEPS,
    progress: bool = True,
) -> Iterator[CascadeRun]:
    """Both starts at every depth of the repeated `layer`, whose width must be that of the images; a run for
    each seed, at the best of the rates.

    Every training is remembered, so an interrupted study goes on where it stopped.
    """
    digest = _digest(data)
    cells = len(depths) * len(INITIALISATIONS) * len(rates) * len(seeds)
    with tqdm(total=cells, desc="linear cascades", unit="run", disable=not progress) as bar:
        for depth, init in itertools.product(depths, INITIALISATIONS):
            stages = deep_cascade(layer, depth)
            runs = []
            for rate, seed in itertools.product(rates, seeds):
                settings: dict[str, Any] = {"init": init, "rate": rate, "seed": seed, "steps": steps}
                run = remembered(
                    "linear-cascades",
                    settings | {"version": CODE_VERSION, "data": digest, "stages": _plain(stages)},
                    partial(_trained, stages, data, settings),
                )
                runs.append(TrainedCascade(**run))
                bar.update()
            gains = starting_gains(stages, init=init, seeds=seeds)
            for run, measured in zip(best_rate(runs), gains.measured_signal[:, -1].tolist(), strict=True):
                signal, gradient = float(gains.expected_signal[-1]), float(gains.expected_gradient[-1])
                figures = (signal, gradient, measured, run.rate, run.loss, run.accuracy)
                yield CascadeRun(depth, init, run.seed, *figures)


def _trained(stages: Sequence[Stage], data: ImageData, settings: dict[str, Any]) -> dict[str, Any]:
    return asdict(train_cascade(stages, data, **settings))


def _digest(data: ImageData) -> str:
    whole = hashlib.sha256()
    for array in (data.train_images, data.train_labels, data.test_images, data.test_labels):
        whole.update(np.ascontiguousarray(array).data)
    return whole.hexdigest()


def _plain(stages: Sequence[Stage]) -> list[list[Any]]:
    """Stages as plain values."""
    return [
        [stage.kind, {name: np.asarray(value).tolist() for name, value in stage.parameters().items()}]
        for stage in stages
    ]


def of_init(runs: Iterable[CascadeRun], init: str) -> dict[int, list[CascadeRun]]:
    """The runs with one start, by depth."""
    depths: dict[int, list[CascadeRun]] = {}
    for run in runs:
        if run.init == init:
            depths.setdefault(run.depth, []).append(run)
    return depths


def shipped_cascades() -> list[CascadeRun]:
    """The runs that come with the package."""
    return records_of(FILE, CascadeRun)
