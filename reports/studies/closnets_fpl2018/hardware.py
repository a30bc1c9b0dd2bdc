"""What a step of training asks of hardware: products, bits that are stored, and cycles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from archsim import Clos, Csc, Dense, DesignPoint, Engine, Pruned
from archsim.engine.training.mapping import TrainingLayout
from rtl import Sizes
from rtl.engines.training.sizes import Overlap, TrainingSizes
from workloads import Topology, TrainedNetwork, read_network
from workloads.training.schema import OnChipRecipe

NETWORK = "lenet-300-100-{}"
PES = (2, 4, 8, 16, 32, 64)
SHOWN_PES = 16
"""Those of the engines whose memories are shown."""
BITS = 8
"""Of weights and signals where nothing is trained."""
ENGINES: Mapping[str, tuple[type[Engine], dict[str, Any]]] = {
    "clos": (Clos, {}),
    "csc": (Csc, {}),
    "dense": (Dense, {}),
    "pruned": (Pruned, {"gather": "banked"}),
}
"""What runs a network of the zoo, and trains it where an engine of the kind trains."""
TRAINED = tuple(label for label, (engine, _) in ENGINES.items() if engine.trains)


@dataclass(frozen=True)
class Products:
    """Products of a step, by its pass. Backward the first stage has none: nobody asks for the errors of
    inputs."""

    network: str
    forward: int
    backward: int
    update: int

    @property
    def total(self) -> int:
        return self.forward + self.backward + self.update


def products(label: str) -> Products:
    """Those of a network of the zoo."""
    topology = topology_of(label)
    weights = topology.stored_weights
    return Products(label, weights, weights - topology.stages[0].stored_weights, weights)


@cache
def topology_of(label: str) -> Topology:
    """Of a LeNet-300-100 of the zoo."""
    network = read_network(NETWORK.format(label))
    assert isinstance(network, TrainedNetwork), "of fully connected layers"
    return network.topology


def trained(
    topology: Topology,
    engine: type[Engine],
    pes: int,
    weight_bits: int,
    overlap: Overlap = "none",
) -> TrainingSizes:
    """The engine that trains a topology, its update rounded to the nearest."""
    arithmetic = OnChipRecipe(pes=pes, weight_bits=weight_bits, overlap=overlap)
    return TrainingLayout(topology, arithmetic, engine.trains).sizes


@dataclass(frozen=True)
class Storage:
    """Bits of the memories of an engine."""

    network: str
    trains: bool
    weight_bits: int
    weights: int
    indices: int
    signals: int
    errors: int
    settings: int

    @property
    def total(self) -> int:
        return self.weights + self.indices + self.signals + self.errors + self.settings


def storage(weight_bits: int) -> Iterator[Storage]:
    """Each network on the engine that runs it, and on the one that trains it where there is one, whose
    weights have so many bits."""
    for label, (engine, fields) in ENGINES.items():
        point = DesignPoint(
            network=NETWORK.format(label),
            engine=engine(pes=SHOWN_PES, weight_bits=BITS, **fields),
            clock_hz=100e6,
            technology="cmos65",
        )
        yield stored(label, point.mapping.sizes, BITS, trains=False)
        if label in TRAINED:
            sizes = trained(topology_of(label), engine, SHOWN_PES, weight_bits)
            yield stored(label, sizes, weight_bits, trains=True)


def stored(label: str, sizes: Sizes, weight_bits: int, *, trains: bool) -> Storage:
    """The bits of the memories of an engine of these sizes."""
    bits: dict[str, int] = {}
    for shape in sizes.memory_shapes:
        kind = shape.role.partition("_")[0]
        bits[kind] = bits.get(kind, 0) + shape.number * shape.words * shape.word_bits
    return Storage(
        label,
        trains,
        weight_bits,
        weights=bits.pop("weight"),
        indices=bits.pop("index", 0),
        signals=sum(bits.pop(kind, 0) for kind in ("input", "activation", "signal", "kept")),
        errors=bits.pop("sum", 0),
        settings=sum(bits.values()),
    )


@dataclass(frozen=True)
class Step:
    """The cycles of a step on so many PEs, by pass, and `overlapped`."""

    network: str
    pes: int
    forward: int
    backward: int
    overlapped: int
    busy: float

    @property
    def cycles(self) -> int:
        return self.forward + self.backward


def steps(
    topology: Topology, engine: type[Engine], label: str, weight_bits: int, numbers: Sequence[int] = PES
) -> list[Step]:
    """Steps of a topology on engines of several sizes; `busy` is the share of the PEs' cycles in which they
    take a weight."""
    of_sizes = []
    for pes in numbers:
        sizes = trained(topology, engine, pes, weight_bits)
        overlapped = trained(topology, engine, pes, weight_bits, "pipelined").cycles
        busy = 2 * topology.stored_weights / (pes * sizes.cycles)
        of_sizes.append(Step(label, pes, sizes.forward_cycles, sizes.backward_cycles, overlapped, busy))
    return of_sizes


def queued_bits(topology: Topology, bits: int) -> int:
    """Bits of signals that forward, backward and update of different samples ask for: of S stages, what
    stage s reads is kept in 2 (S - s) + 1 copies, as in the engine of Dey et al., JETCAS 2019: one is being
    written, the others wait from the block of their forward pass to that of their update."""
    stages = topology.stages
    return sum(stage.n_in * (2 * (len(stages) - s) + 1) * bits for s, stage in enumerate(stages))
