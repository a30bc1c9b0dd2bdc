"""What a technology is calibrated on: engines and networks drawn by seed, and trained networks held out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsim.engines import Clos, Csc, Dense, Engine, Pruned
from archsim.engines.mapping import Mapping
from workloads import (
    DenseStage,
    PrunedStage,
    Stage,
    Topology,
    build_layer,
    load_network,
    quantise,
    random_integer_network,
    zoo_names,
)

NARROW = {
    "train": ((2, 2), (2, 5), (3, 5), (4, 4), (5, 3), (6, 2)),
    "held_out": ((3, 3), (4, 2), (2, 6)),
}
"""Bits of weights and activations whose products are too narrow for a DSP block, drawn for a dense engine."""

LONGEST_CYCLES, SMALL_CYCLES = 6000, 1000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a technology is calibrated on: the seed and the number of netlists of each set, and the limits of
    what is drawn, within which the stated errors hold."""

    sets: MappingOf[str, tuple[int, int]]
    largest_product: int
    widest_weight: int
    most_pes: int = 64


PLANS = {
    "cmos65": Plan(
        sets={"train": (1, 80), "held_out": (102, 25)},
        largest_product=256,
        widest_weight=16,
    ),
    "artix7": Plan(
        sets={"train": (3, 30), "held_out": (104, 12)},
        largest_product=256,
        widest_weight=16,
    ),
}


@dataclass(frozen=True)
class Configuration:
    """One engine and the network it is sized for: what is synthesised once. The weights of the network are
    normal, with a `spread` of so much of the largest."""

    engine: Engine
    topology: Topology
    spread: float

    def map(self) -> Mapping:
        """The network, with weights as training leaves them, on the engine."""
        engine = self.engine
        network = random_integer_network(
            self.topology,
            weight_bits=engine.weight_bits,
            activation_bits=engine.activation_bits,
            spread=self.spread,
        )
        return engine.map(network)


@dataclass(frozen=True)
class TrainedConfiguration:
    """A network of the zoo on an engine: held out beside the random ones, so that errors are stated for
    weights and activations as training leaves them."""

    engine: Engine
    network: str

    def map(self) -> Mapping:
        """The trained network on the engine."""
        engine = self.engine
        return engine.map(quantise(load_network(self.network), engine.weight_bits, engine.activation_bits))


def trained_configurations() -> list[TrainedConfiguration]:
    """The networks of the zoo, each on the engines that are made for it, with 16 PEs."""
    engines: dict[str, list[Engine]] = {
        "dense": [Dense(pes=16)],
        "csc": [Csc(pes=16)],
        "clos": [Clos(pes=16)],
        "pruned": [Pruned(pes=16, gather="replicated"), Pruned(pes=16, gather="banked")],
    }
    return [
        TrainedConfiguration(engine, name)
        for name in zoo_names()
        for family, made in engines.items()
        if f"-{family}" in name
        for engine in made
    ]


def configurations(plan: Plan, label: str) -> list[Configuration | TrainedConfiguration]:
    """All that one set of a plan is measured on: what is drawn, and trained networks among the held out."""
    return [*draw(plan, label), *(trained_configurations() if label == "held_out" else ())]


def draw(plan: Plan, label: str) -> list[Configuration]:
    """The configurations of one set of a plan, the same each time.

    The engines take turns, the pruned one with both of its gathers. The numbers of PEs of an engine are
    spread evenly in log over 1 to `most_pes` (half of that for a banked gather, whose crossbar grows with
    the square). Weights and activations have 4 to 16 bits, each 8 in a third of the draws, and their product
    is `largest_product` at most; where the weight is wider than `widest_weight` the two change places.
    A fetch has 16 to 128 bits. After these come the engines of `NARROW`.
    """
    seed, count = plan.sets[label]
    random = np.random.default_rng(seed)
    turns = math.ceil(count / len(_DRAWN))
    strata = {kind: random.permutation(turns) for kind in _DRAWN}
    drawn = []
    for number in range(count):
        kind = list(_DRAWN)[number % len(_DRAWN)]
        limit = plan.most_pes // 2 if kind == "banked" else plan.most_pes
        share = (strata[kind][number // len(_DRAWN)] + random.random()) / turns
        make, layers = _DRAWN[kind]
        options: dict[str, Any] = {
            "pes": min(limit, int((limit + 1) ** share)),
            **_word_bits(random, plan.largest_product, plan.widest_weight),
            "fetch_bits": int(random.choice([16, 32, 64, 128])),
        }
        if make is Pruned:
            options["gather"] = kind
        chosen = make(**options)
        drawn.append(Configuration(chosen, _topology(random, layers, chosen.pes), _spread(random)))
    for weight, activation in NARROW[label]:
        engine = Dense(pes=2, weight_bits=weight, activation_bits=activation)
        drawn.append(Configuration(engine, _topology(random, _dense, 2), _spread(random)))
    return drawn


def draw_small(weight_bits: int, activation_bits: int, *, pes: int = 4) -> list[Configuration]:
    """A small engine of every kind with these word widths, the same each time."""
    random = np.random.default_rng(weight_bits * 100 + activation_bits)
    drawn = []
    for kind, (make, layers) in _DRAWN.items():
        gather = {"gather": kind} if make is Pruned else {}
        engine = make(pes=pes, weight_bits=weight_bits, activation_bits=activation_bits, **gather)
        drawn.append(Configuration(engine, _topology(random, layers, pes, SMALL_CYCLES), _spread(random)))
    return drawn


def _topology(
    random: np.random.Generator, layers: Any, pes: int, most_cycles: int = LONGEST_CYCLES
) -> Topology:
    """Layers that keep each PE busy for so many cycles at most, so that a run of the hardware stays short."""
    while True:
        drawn = Topology(tuple(layers(random)))
        if drawn.stored_weights <= most_cycles * pes:
            return drawn


def _spread(random: np.random.Generator) -> float:
    """The spread of the weights over their largest value, as in the networks of the zoo: 0.1 to 0.43."""
    return float(np.exp(random.uniform(np.log(0.1), np.log(0.45))))


def _word_bits(random: np.random.Generator, largest_product: int, widest_weight: int) -> dict[str, int]:
    while True:
        weight, activation = (8 if random.random() < 1 / 3 else int(random.integers(4, 17)) for _ in range(2))
        if weight * activation <= largest_product:
            if weight > widest_weight:
                weight, activation = activation, weight
            return {"weight_bits": weight, "activation_bits": activation}


def _log_uniform(random: np.random.Generator, least: int, most: int) -> int:
    return round(float(np.exp(random.uniform(np.log(least), np.log(most)))))


def _widths(random: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Inputs and outputs of two or three layers, up to the widths of LeNet-300-100."""
    between = [_log_uniform(random, 30, 300) for _ in range(random.integers(1, 3))]
    widths = [_log_uniform(random, 30, 784), *between, _log_uniform(random, 4, 100)]
    return itertools.pairwise(widths)


def _dense(random: np.random.Generator) -> Iterator[tuple[Stage, ...]]:
    for n_in, n_out in _widths(random):
        yield (DenseStage(n_in, n_out),)


def _csc(random: np.random.Generator) -> Iterator[tuple[Stage, ...]]:
    for n_in, n_out in _widths(random):
        yield build_layer(
            "csc", n_in, n_out, fan_in=_log_uniform(random, 2, 30), depth=int(random.integers(1, 4))
        )


def _clos(random: np.random.Generator) -> Iterator[tuple[Stage, ...]]:
    ingress, n_in = (blocks := _log_uniform(random, 2, 28)), blocks * _log_uniform(random, 2, 28)
    for _ in range(random.integers(2, 4)):
        egress, middle = _log_uniform(random, 2, 20), _log_uniform(random, 2, 16)
        n_out = egress * _log_uniform(random, 2, 16)
        yield build_layer("clos", n_in, n_out, ingress=ingress, middle=middle, egress=egress)
        ingress, n_in = egress, n_out


def _pruned(random: np.random.Generator) -> Iterator[tuple[Stage, ...]]:
    for n_in, n_out in _widths(random):
        density = float(np.exp(random.uniform(np.log(0.03), np.log(0.4))))
        yield (PrunedStage.from_mask(random.random((n_out, n_in)) < density),)


_DRAWN: dict[str, tuple[Any, Any]] = {
    "dense": (Dense, _dense),
    "csc": (Csc, _csc),
    "clos": (Clos, _clos),
    "replicated": (Pruned, _pruned),
    "banked": (Pruned, _pruned),
}
