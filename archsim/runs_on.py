"""Which engines run a network, and each of its stages."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.engine import engines
from rtl import SizeError
from workloads import AnyIntegerNetwork, IntegerModel, PlacedNetwork, Places, TrainedNetwork, quantise
from workloads.importers.assemble import STAGE_NAMES
from workloads.refusal import Refusal
from workloads.stages import Stage
from workloads.topology.places import Sweep
from workloads.topology.recognise import told_pattern

BITS = 8
"""Bits of weights and activations with which engines are asked, as they have unless told."""


@dataclass(frozen=True)
class StageFound:
    """One stage of a network: its `layer` and its own `stage`, from 1, and what its author calls the layer,
    if that is known; `kind` with its parameters or what its pattern is; how many weights it stores and how
    many of them are `zeros`; the `engines` that run it; and at how many `places` of a map, in what words
    `swept`, where it is a convolution."""

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
    places: int = 1
    swept: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class _Layer:
    """One layer of a network: its stages, their weights and biases, and where it runs."""

    stages: Sequence[Stage]
    weights: Sequence[NDArray[Any]]
    biases: Sequence[NDArray[Any] | None]
    sweep: Sweep | None = None

    @property
    def is_swept(self) -> bool:
        """Whether it runs at more than one place, or reads more than a vector."""
        return self.sweep is not None and self.sweep.places > 1

    @property
    def swept(self) -> str:
        """How it moves, in a few words."""
        if not self.is_swept:
            return ""
        if not isinstance(self.sweep, Places):
            return "recurrent"
        rows, columns = self.sweep.kernel
        stride = "" if self.sweep.stride == (1, 1) else f", stride {' × '.join(map(str, self.sweep.stride))}"
        return f"{rows} × {columns} convolution{stride}"


def _layers(network: TrainedNetwork | PlacedNetwork) -> list[_Layer]:
    if isinstance(network, PlacedNetwork):
        return [
            _Layer(
                layers.topology.stages,
                layers.weights,
                layers.biases or (None,) * len(layers.weights),
                layers.sweep,
            )
            for layers in network.layers
        ]
    biases = network.biases or (None,) * len(network.weights)
    ends = list(itertools.accumulate(len(layer) for layer in network.topology.layers))
    slices = [slice(start, end) for start, end in itertools.pairwise([0, *ends])]
    return [_Layer(network.topology.stages[part], network.weights[part], biases[part]) for part in slices]


def stages_found(network: TrainedNetwork | PlacedNetwork) -> tuple[StageFound, ...]:
    """What every stage of a network is, in the order in which data meets them."""
    layers = _layers(network)
    count = sum(len(layer.stages) for layer in layers)
    names = network.recipe.get(STAGE_NAMES)
    known = iter(names if isinstance(names, list) and len(names) == count else [""] * count)
    runs, number = _engines_of_stages(network, count), itertools.count(1)
    return tuple(
        StageFound(
            layer=place,
            stage=next(number),
            name=str(next(known)),
            kind=told_pattern(stage),
            n_in=stage.n_in,
            n_out=stage.n_out,
            weights=stage.stored_weights,
            zeros=stage.stored_weights - int(np.count_nonzero(weights)),
            biases=0 if bias is None else bias.size,
            density=stage.density,
            engines=next(runs),
            places=layer.sweep.places if layer.sweep else 1,
            swept=layer.swept,
        )
        for place, layer in enumerate(layers, start=1)
        for stage, weights, bias in zip(layer.stages, layer.weights, layer.biases, strict=True)
    )


def engines_of(network: AnyIntegerNetwork) -> tuple[str, ...]:
    """The engines that run all of a network, as they are unless told otherwise."""
    return tuple(name for name in engines if _runs(name, network))


def engines_of_trained(network: TrainedNetwork | PlacedNetwork) -> tuple[str, ...]:
    """The engines that run all of a network with 8-bit integers: none where it has no integer form."""
    try:
        return engines_of(quantise(network, BITS, BITS))
    except Refusal:
        return ()


def _engines_of_stages(network: TrainedNetwork | PlacedNetwork, count: int) -> Iterator[tuple[str, ...]]:
    try:
        integer = quantise(network, BITS, BITS)
    except Refusal:
        yield from ((),) * count
        return
    cascades = [part.cascade for part in integer.parts] if isinstance(integer, IntegerModel) else [integer]
    for cascade in cascades:
        for stage in cascade.stages:
            yield engines_of(replace(cascade, stages=(stage,), samples=None, input_order=()))


def _runs(name: str, network: AnyIntegerNetwork) -> bool:
    try:
        engines[name](kind=name).map(network)
    except (Refusal, SizeError):
        return False
    return True
