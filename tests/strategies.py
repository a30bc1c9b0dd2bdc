"""Hypothesis strategies: random small networks, each with an engine that can run it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from archsim.engines import Clos, Csc, Dense, Engine, Pruned
from workloads import (
    IntegerNetwork,
    PrunedStage,
    Stage,
    Topology,
    build_layer,
    random_integer_network,
)


@dataclass(frozen=True)
class Case:
    """An engine and a network that it can run."""

    engine: Engine
    network: IntegerNetwork

    def __repr__(self) -> str:
        stages = [integer.stage for integer in self.network.stages]
        return f"Case({self.engine!r}, stages={stages!r})"


sizes = st.integers(1, 24)
fan_ins = st.integers(2, 6)


@st.composite
def dense_layers(draw: st.DrawFn) -> Topology:
    """One to three dense layers."""
    widths = draw(st.lists(sizes, min_size=2, max_size=4))
    return Topology(tuple(build_layer("dense", n_in, n_out) for n_in, n_out in itertools.pairwise(widths)))


@st.composite
def csc_layers(draw: st.DrawFn) -> Topology:
    """One to three CSC layers, rectangular ones among them, each with a fan-in of its own."""
    widths = draw(st.lists(sizes, min_size=2, max_size=4))
    pairs = itertools.pairwise(widths)
    return Topology(tuple(build_layer("csc", n_in, n_out, fan_in=draw(fan_ins)) for n_in, n_out in pairs))


@st.composite
def clos_layers(draw: st.DrawFn) -> Topology:
    """One or two Clos layers whose block counts divide their widths."""
    counts = draw(st.lists(st.integers(1, 5), min_size=2, max_size=3))
    widths = [count * draw(st.integers(1, 6)) for count in counts]
    return Topology(
        tuple(
            build_layer(
                "clos",
                widths[i],
                widths[i + 1],
                ingress=counts[i],
                middle=draw(st.integers(1, 6)),
                egress=counts[i + 1],
            )
            for i in range(len(counts) - 1)
        )
    )


@st.composite
def pruned_layers(draw: st.DrawFn) -> Topology:
    """One to three layers with random patterns, empty rows among them."""
    widths = draw(st.lists(sizes, min_size=2, max_size=4))
    density = draw(st.sampled_from((0.0, 0.1, 0.4, 1.0)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    layers: list[tuple[Stage, ...]] = []
    for n_in, n_out in itertools.pairwise(widths):
        kept = random.random((n_out, n_in)) < density
        indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
        layers.append((PrunedStage(n_in, n_out, indptr, np.nonzero(kept)[1]),))
    return Topology(tuple(layers))


TOPOLOGIES = {
    "dense": dense_layers(),
    "csc": csc_layers(),
    "clos": clos_layers(),
    "pruned": pruned_layers(),
}


PLAIN_ENGINES: dict[str, type[Engine]] = {"dense": Dense, "csc": Csc, "clos": Clos}


@st.composite
def cases(draw: st.DrawFn, kind: str, most_pes: int = 12) -> Case:
    """A case for the engine of this kind: any PEs, widths, fetch width and, for pruned, organisation."""
    topology = draw(TOPOLOGIES[kind])
    pes = draw(st.integers(1, most_pes))
    weight_bits, activation_bits = draw(st.integers(2, 10)), draw(st.integers(2, 10))
    widths = {
        "pes": pes,
        "weight_bits": weight_bits,
        "activation_bits": activation_bits,
        "fetch_bits": draw(st.integers(max(10, weight_bits), 70)),
    }
    engine: Engine
    if kind == "pruned":
        gather = draw(st.sampled_from(("replicated", "banked")))
        may_pad = gather == "replicated" or pes & (pes - 1) == 0
        indices = ("auto", "absolute", "relative") if may_pad else ("auto", "absolute")
        engine = Pruned.model_validate(widths | {"gather": gather, "index": draw(st.sampled_from(indices))})
    else:
        engine = PLAIN_ENGINES[kind].model_validate(widths)
    network = random_integer_network(
        topology,
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        seed=draw(st.integers(0, 2**32 - 1)),
    )
    return Case(engine, network)
