"""Which engines run a network, and each of its stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from archsim.engine import engines
from rtl import SizeError
from workloads import IntegerNetwork, TrainedNetwork, quantise
from workloads.importers.assemble import STAGE_NAMES
from workloads.refusal import Refusal
from workloads.topology.recognise import told_pattern

BITS = 8
"""Bits of weights and activations with which engines are asked, as they have unless told."""


@dataclass(frozen=True)
class StageFound:
    """One stage of a network: its `layer` and its own `stage`, from 1, and what its author calls the layer,
    if that is known; `kind` with its parameters or what its pattern is; how many weights it stores and how
    many of them are `zeros`; and the `engines` that run it."""

    layer: int
    stage: int
    name: str
    kind: str
    n_in: int
    n_out: int
    weights: int
    zeros: int
    biases: int
    density: float
    engines: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def stages_found(network: TrainedNetwork) -> tuple[StageFound, ...]:
    """What every stage of a network is, in the order in which data meets them."""
    topology = network.topology
    layer_of = [number for number, layer in enumerate(topology.layers, start=1) for _ in layer]
    names = network.recipe.get(STAGE_NAMES)
    known = names if isinstance(names, list) and len(names) == len(topology.stages) else []
    biases = network.biases or (None,) * len(topology.stages)
    return tuple(
        StageFound(
            layer=layer_of[number],
            stage=number + 1,
            name=str(known[number]) if known else "",
            kind=told_pattern(stage),
            n_in=stage.n_in,
            n_out=stage.n_out,
            weights=stage.stored_weights,
            zeros=stage.stored_weights - int(np.count_nonzero(network.weights[number])),
            biases=0 if bias is None else bias.size,
            density=stage.density,
            engines=runs,
        )
        for number, (stage, bias, runs) in enumerate(
            zip(topology.stages, biases, _engines_of_stages(network), strict=True)
        )
    )


def engines_of(network: IntegerNetwork) -> tuple[str, ...]:
    """The engines that run all of a network, as they are unless told otherwise."""
    return tuple(name for name in engines if _runs(name, network))


def engines_of_trained(network: TrainedNetwork) -> tuple[str, ...]:
    """The engines that run all of a network with 8-bit integers: none where it has no integer form."""
    try:
        return engines_of(quantise(network, BITS, BITS))
    except Refusal:
        return ()


def _engines_of_stages(network: TrainedNetwork) -> Iterator[tuple[str, ...]]:
    try:
        integer = quantise(network, BITS, BITS)
    except Refusal:
        yield from ((),) * len(network.topology.stages)
        return
    for stage in integer.stages:
        yield engines_of(replace(integer, stages=(stage,), samples=None, input_order=()))


def _runs(name: str, network: IntegerNetwork) -> bool:
    try:
        engines[name](kind=name).map(network)
    except (Refusal, SizeError):
        return False
    return True
