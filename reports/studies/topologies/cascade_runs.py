"""Deep linear cascades: what becomes of a signal and of a gradient at the start, and whether it can train.

The claim of Isakov and Kinsy, "NeuroFabric" (arXiv 2002.08339): a cascade of sparse stages that starts with
the weights of Glorot and Bengio (AISTATS 2010) loses its signal exponentially in its depth, because a stage
of density d multiplies the energy of a signal by d; sparse Glorot divides the variance by d and trains linear
cascades of any depth.

The expectations here are exact. Weights are independent of each other and have mean zero and one variance v
a stage, so the expected squares of the outputs of a stage are v A times those of its inputs, with A the 0/1
matrix of its connections; A' takes squares of gradients the other way. A skip adds the squares themselves.

`data/linear_cascades.csv` holds a line for every topology, depth, start and seed, at the learning rate that
suits the topology, depth and start best.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from archsim.store import remembered
from reports.studies.topologies.files import records_of
from reports.studies.topologies.trainings import images_of
from workloads.data.labelled import LabelledData
from workloads.families import build_layer
from workloads.stages import DenseStage, Stage, TopologyError, whole_number
from workloads.topology.topology import Topology
from workloads.training.models.cascade import Cascade
from workloads.training.models.model import Initialisation, Model, classify, initial_weights
from workloads.training.optimisers import Adam, one_cycle

FILE = "linear_cascades.csv"
CODE_VERSION = 1
"""Raised whenever the same settings train to other figures: what was remembered is then stale."""
WIDTH = 64
FAN_IN = 4
TOPOLOGIES: Mapping[str, Mapping[str, Any]] = {
    "csc": {"fan_in": FAN_IN},
    "butterfly": {"radix": FAN_IN},
    "random-regular": {"fan_in": FAN_IN, "depth": 4},
}
"""The families of the cascades with their parameters: each stage of a fan-in of four."""
RATES = (3e-3, 1e-2)
STEPS = 400
INITIALISATIONS: tuple[Initialisation, ...] = ("glorot", "sparse-glorot")
Vector = NDArray[np.float64]


def deep_cascade(layer: Sequence[Stage], depth: int) -> tuple[Stage, ...]:
    """A cascade of `depth` stages: those of a square layer, over and over.

    Raises `TopologyError` where the layer is not square or a part of it ends at another width.
    """
    depth = whole_number("a deep cascade", "depth", depth)
    stages = Topology((tuple(layer),)).stages
    repeated = tuple(itertools.islice(itertools.cycle(stages), depth))
    if stages[-1].n_out != stages[0].n_in or repeated[-1].n_out != stages[0].n_in:
        raise TopologyError(
            f"layer of a deep cascade takes {stages[0].n_in} values and gives {repeated[-1].n_out} after "
            f"{depth} stages, allowed are equal ones"
        )
    return repeated


@dataclass(frozen=True, eq=False)
class StartingGains:
    """The energy of signals and gradients at the start, from no stage to all, each (stages + 1,).

    Entry k of a signal is the mean square after k stages over that of the inputs; of a gradient, the mean
    square k stages back over that of the outputs. `expected_…` is exact for inputs, or gradients at the
    outputs, of equal energy in every place; `measured_…` has a row for each seed, (seeds, stages + 1).
    """

    init: Initialisation
    expected_signal: Vector
    expected_gradient: Vector
    measured_signal: Vector
    measured_gradient: Vector


def starting_gains(
    stages: Sequence[Stage],
    *,
    init: Initialisation,
    skips: Sequence[bool] = (),
    seeds: Sequence[int] = range(10),
    batch: int = 64,
) -> StartingGains:
    """Expected and measured, on normal inputs and normal gradients at the outputs, in double precision."""
    flags = Topology((tuple(stages),), tuple(skips)).skipped
    measured = [_measured(stages, flags, init, seed, batch) for seed in seeds]
    return StartingGains(
        init=init,
        expected_signal=_expected(stages, flags, init),
        expected_gradient=_expected(stages, flags, init, backward=True),
        measured_signal=np.array([signal for signal, _ in measured]),
        measured_gradient=np.array([gradient for _, gradient in measured]),
    )


def variance(stage: Stage, init: Initialisation) -> float:
    """The variance of a weight at the start: 2 / (n_in + n_out), divided by the density in sparse Glorot."""
    return 2.0 / ((stage.n_in + stage.n_out) * (stage.density if init == "sparse-glorot" else 1.0))


def _expected(
    stages: Sequence[Stage], skips: Sequence[bool], init: Initialisation, *, backward: bool = False
) -> Vector:
    pairs = list(zip(stages, skips, strict=True))
    squares = np.ones(stages[-1].n_out if backward else stages[0].n_in)
    means = [1.0]
    for stage, skip in reversed(pairs) if backward else pairs:
        connections = stage.adjacency()
        passed = variance(stage, init) * ((connections.T if backward else connections) @ squares)
        squares = passed + squares if skip else passed
        means.append(float(squares.mean()))
    return np.array(means)


def _measured(
    stages: Sequence[Stage], skips: tuple[bool, ...], init: Initialisation, seed: int, batch: int
) -> tuple[Vector, Vector]:
    random = np.random.default_rng(seed)
    cascade = Cascade(stages, skips)
    weights = [initial_weights(stage, random, np.float64, init=init) for stage in stages]
    x = random.normal(size=(stages[0].n_in, batch))
    dy = random.normal(size=(stages[-1].n_out, batch))
    signals = [x, *cascade.forward(weights, x)]
    gradients = [dy]
    for kernel, array, skip in reversed(list(zip(cascade.kernels, weights, skips, strict=True))):
        dx = kernel.input_gradient(array, gradients[-1])
        gradients.append(dx + gradients[-1] if skip else dx)
    forward, backward = (np.array([np.mean(y**2) for y in part]) for part in (signals, gradients))
    return forward / forward[0], backward / backward[0]


@dataclass(frozen=True)
class TrainedCascade:
    """A linear classifier that is a cascade and a dense read-out, after training at a peak `rate`.

    `loss` is the mean cross-entropy of the last tenth of the steps, infinite where training left the finite
    numbers; `accuracy` is that on the test images, in [0, 1].
    """

    init: Initialisation
    depth: int
    seed: int
    rate: float
    loss: float
    accuracy: float


def train_cascade(
    stages: Sequence[Stage],
    data: LabelledData,
    *,
    init: Initialisation,
    rate: float,
    skips: Sequence[bool] = (),
    seed: int = 0,
    steps: int = 400,
    batch: int = 128,
) -> TrainedCascade:
    """Adam with a one-cycle rate on batches of `data`, in single precision as all training here.

    The read-out has an output for every class and starts the same with either initialisation; no activation
    stands anywhere, so the accuracy is that of a linear classifier at best.
    """
    read_out = DenseStage(stages[-1].n_out, int(data.train_labels.max()) + 1)
    topology = Topology(((*stages, read_out),), (*(skips or (False,) * len(stages)), False))
    start, order = (np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(2))
    model = Model(topology, [initial_weights(stage, start, init=init) for stage in topology.stages])
    optimiser = Adam(model.weights, weight_decay=0.0)
    losses = []
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for step in range(steps):
            chosen = order.integers(len(data.train_labels), size=batch)
            x = np.ascontiguousarray(data.train_inputs[chosen].T)
            loss, gradients = model.loss_and_gradients(x, data.train_labels[chosen])
            if not np.isfinite(loss):
                losses = [float("inf")]
                break
            losses.append(loss)
            optimiser.step(model.weights, gradients, rate * one_cycle(step / steps))
        accuracy = float(np.mean(classify(model, data.test_inputs) == data.test_labels))
    return TrainedCascade(
        init=init,
        depth=len(stages),
        seed=seed,
        rate=rate,
        loss=float(np.mean(losses[-max(1, steps // 10) :])),
        accuracy=accuracy,
    )


def best_rate(runs: Sequence[TrainedCascade]) -> tuple[TrainedCascade, ...]:
    """Of runs at several rates with several seeds, those at the rate of the least mean loss."""
    rates = dict.fromkeys(run.rate for run in runs)
    least = min(rates, key=lambda rate: float(np.mean([run.loss for run in runs if run.rate == rate])))
    return tuple(run for run in runs if run.rate == least)


@dataclass(frozen=True)
class CascadeRun:
    """A cascade of a family with a read-out, trained on MNIST of 8 x 8 pixels for some hundred steps.

    `signal` and `gradient` are the expected energies behind all stages over those before them, exact;
    `measured_signal` is that of this seed. `accuracy` is on all test images.
    """

    topology: str
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
    """Both starts of every topology at every depth from 1 to 64, trained where they are not remembered."""
    data = images_of("mnist-8")
    return [
        run
        for topology in TOPOLOGIES
        for run in depth_study(topology, layer_of(topology), data, steps=STEPS, progress=progress)
    ]


def layer_of(topology: str) -> tuple[Stage, ...]:
    """The square layer that a cascade of this family repeats."""
    return build_layer(topology, WIDTH, WIDTH, **TOPOLOGIES[topology])


def depth_study(
    topology: str,
    layer: Sequence[Stage],
    data: LabelledData,
    *,
    depths: Sequence[int] = (1, 2, 4, 8, 16, 32, 64),
    rates: Sequence[float] = RATES,
    seeds: Sequence[int] = (0, 1, 2),
    steps: int = STEPS,
    progress: bool = True,
) -> Iterator[CascadeRun]:
    """Both starts at every depth of the repeated `layer`, which is called by its `topology` and whose width
    must be that of the images; a run for each seed, at the best of the rates.

    Every training is remembered, so an interrupted study goes on where it stopped.
    """
    digest = _digest(data)
    cells = len(depths) * len(INITIALISATIONS) * len(rates) * len(seeds)
    with tqdm(total=cells, desc=f"linear cascades, {topology}", unit="run", disable=not progress) as bar:
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
                yield CascadeRun(topology, depth, init, run.seed, *figures)


def _trained(stages: Sequence[Stage], data: LabelledData, settings: dict[str, Any]) -> dict[str, Any]:
    return asdict(train_cascade(stages, data, **settings))


def _digest(data: LabelledData) -> str:
    whole = hashlib.sha256()
    for array in (data.train_inputs, data.train_labels, data.test_inputs, data.test_labels):
        whole.update(np.ascontiguousarray(array).data)
    return whole.hexdigest()


def _plain(stages: Sequence[Stage]) -> list[list[Any]]:
    """Stages as plain values."""
    return [
        [stage.kind, {name: np.asarray(value).tolist() for name, value in stage.parameters().items()}]
        for stage in stages
    ]


def of_init(runs: Iterable[CascadeRun], init: str, topology: str) -> dict[int, list[CascadeRun]]:
    """The runs of a topology with one start, by depth."""
    depths: dict[int, list[CascadeRun]] = {}
    for run in runs:
        if (run.init, run.topology) == (init, topology):
            depths.setdefault(run.depth, []).append(run)
    return depths


def shipped_cascades() -> list[CascadeRun]:
    """The runs that come with the package."""
    return records_of(FILE, CascadeRun)
