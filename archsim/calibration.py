"""Calibration: synthesises configurations drawn by seed, and fits to them what the fast fidelities charge for logic.

Two sets are drawn, one to fit and one that the fit never sees. Both are kept as measured tables beside the
coefficients, so that every stated error can be checked without Yosys.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from archsim.engines import Clos, Csc, Dense, Engine, Pruned
from archsim.gate import map_to_gates
from archsim.logic import Logic
from archsim.mapping import Mapping
from archsim.technology import Technology
from rtl import Sizes
from workloads import DenseStage, PrunedStage, Stage, Topology, build_layer, random_integer_network


@dataclass(frozen=True)
class Configuration:
    """One engine and the network it is sized for: what is synthesised once."""

    engine: Engine
    topology: Topology

    def map(self) -> Mapping:
        """The network, with random weights, on the engine."""
        engine = self.engine
        widths = {"weight_bits": engine.weight_bits, "activation_bits": engine.activation_bits}
        return engine.map(random_integer_network(self.topology, **widths))


@dataclass(frozen=True)
class Measurement:
    """A synthesised configuration: the sizes of its hardware and what came out."""

    sizes: Sizes
    logic: Logic


def draw(seed: int, count: int, *, most_pes: int = 64) -> list[Configuration]:
    """``count`` configurations, the same for a seed.

    The engines take turns, the pruned one with both of its gathers. The numbers of PEs of an engine are
    spread evenly in log over 1 to ``most_pes`` (half of that for a banked gather, whose crossbar grows with
    the square). Weights and activations have 4 to 16 bits, each 8 in a third of the draws; a fetch 16 to 128.
    """
    random = np.random.default_rng(seed)
    turns = math.ceil(count / len(_DRAWN))
    strata = {kind: random.permutation(turns) for kind in _DRAWN}
    drawn = []
    for number in range(count):
        kind = list(_DRAWN)[number % len(_DRAWN)]
        limit = most_pes // 2 if kind == "banked" else most_pes
        share = (strata[kind][number // len(_DRAWN)] + random.random()) / turns
        engine, layers = _DRAWN[kind]
        options = {
            "pes": min(limit, int((limit + 1) ** share)),
            "weight_bits": _bits(random),
            "activation_bits": _bits(random),
            "fetch_bits": int(random.choice([16, 32, 64, 128])),
        }
        chosen = engine(**options, gather=kind) if engine is Pruned else engine(**options)
        drawn.append(Configuration(chosen, Topology(tuple(layers(random)))))
    return drawn


def measure(configurations: list[Configuration], technology: Technology, label: str) -> list[Measurement]:
    """Synthesises each configuration in one technology. What was synthesised before comes from the cache, so
    an interrupted run goes on where it stopped."""
    found = []
    for configuration in tqdm(configurations, desc=f"{technology.name} {label}", unit="netlist"):
        mapping = configuration.map()
        found.append(Measurement(mapping.sizes, map_to_gates(mapping, technology)))
    return found


def _bits(random: np.random.Generator) -> int:
    return 8 if random.random() < 1 / 3 else int(random.integers(4, 17))


def _log_uniform(random: np.random.Generator, least: int, most: int) -> int:
    return round(float(np.exp(random.uniform(np.log(least), np.log(most)))))


def _widths(random: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Inputs and outputs of two or three layers, up to the widths of LeNet-300-100."""
    between = [_log_uniform(random, 30, 300) for _ in range(random.integers(1, 3))]
    widths = [_log_uniform(random, 30, 784), *between, _log_uniform(random, 4, 100)]
    return zip(widths, widths[1:], strict=False)


def _dense(random: np.random.Generator) -> Iterator[tuple[Stage, ...]]:
    for n_in, n_out in _widths(random):
        yield (DenseStage(n_in, n_out),)


def _csc(random: np.random.Generator) -> Iterator[tuple[Stage, ...]]:
    for n_in, n_out in _widths(random):
        yield build_layer("csc", n_in, n_out, fan_in=_log_uniform(random, 2, 30), depth=int(random.integers(1, 4)))


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
