"""Layers that become one of ours: those with nothing but linear maps between them, or a convolution alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workloads.importers.layers import Layer
from workloads.importers.precision import check_finite, narrowed
from workloads.importers.structure import Structure
from workloads.topology.placed import PlacedLayers
from workloads.topology.places import Places
from workloads.topology.topology import Topology


@dataclass(frozen=True)
class Cascade:
    """Layers with nothing but linear maps between them: a layer of ours. Its bias is that of its end, into
    which those before are carried: W2 (W1 x + b1) + b2 = W2 W1 x + (W2 b1 + b2)."""

    layers: tuple[Layer, ...]

    @property
    def bias(self) -> NDArray[np.float32] | None:
        """The bias (n_out,) of all of it. Raises NetworkFileError where 32-bit floats do not hold it."""
        total: NDArray[np.float64] | None = None
        for layer in self.layers:
            if total is not None:
                total = np.asarray(layer.matrix @ total, dtype=np.float64)
            if layer.bias is not None:
                total = layer.bias.astype(np.float64) + (0.0 if total is None else total)
        if total is None:
            return None
        check_finite(f"a bias of layer {self.layers[-1].name}, with those carried to it,", total)
        return narrowed(total)


def cascades(layers: Sequence[Layer]) -> list[Cascade]:
    """The layers, those together that become one."""
    gathered: list[list[Layer]] = [[]]
    for layer in layers:
        if layer.sweep and gathered[-1]:
            gathered.append([])
        gathered[-1].append(layer)
        if layer.activation == "relu" or layer.sweep:
            gathered.append([])
    return [Cascade(tuple(together)) for together in gathered if together]


def placed_layers(layers: Sequence[Layer], built: Sequence[Structure]) -> tuple[PlacedLayers, ...]:
    """The layers of a network with places, of which each has become the structure beside it: a convolution at
    its places, and every other cascade at one. A ReLU at the end of all of them is left out."""
    return tuple(_placed_layers(layers, built))


def _placed_layers(layers: Sequence[Layer], built: Sequence[Structure]) -> Iterator[PlacedLayers]:
    following, map_out, written = iter(built), (1, 1), layers[0].n_in
    for cascade in cascades(layers):
        last = cascade.layers[-1]
        structures = [next(following) for _ in cascade.layers]
        topology = Topology((tuple(stage for structure in structures for stage in structure.stages),))
        sweep = last.sweep or Places.whole(written, *map_out)
        map_out, written = sweep.shape_out, topology.n_out
        biases = (*(None for _ in topology.stages[1:]), cascade.bias)
        yield PlacedLayers(
            sweep=sweep,
            topology=topology,
            weights=tuple(array for structure in structures for array in structure.weights),
            biases=() if cascade.bias is None else biases,
            ending="relu" if last.activation == "relu" and last is not layers[-1] else "none",
        )
