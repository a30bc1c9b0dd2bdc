"""A network without its weights: layers, each a cascade of stages.

Inside a layer the cascade is linear; a ReLU follows every layer but the last.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workloads.stages import (
    BlockStage,
    CscStage,
    DenseStage,
    PrunedStage,
    Stage,
    TopologyError,
    build_stage,
)

__all__ = [
    "BlockStage",
    "CscStage",
    "DenseStage",
    "PrunedStage",
    "Stage",
    "Topology",
    "TopologyError",
    "build_stage",
]


@dataclass(frozen=True)
class Topology:
    """The layers of a network; raises `TopologyError` where sizes do not chain."""

    layers: tuple[tuple[Stage, ...], ...]

    def __post_init__(self) -> None:
        layers = tuple(tuple(layer) for layer in self.layers)
        object.__setattr__(self, "layers", layers)
        if not layers or not all(layers):
            raise TopologyError("layers has an empty entry or none; it must hold at least one stage a layer.")
        stages = self.stages
        for number, (before, after) in enumerate(itertools.pairwise(stages), start=1):
            if before.n_out != after.n_in:
                raise TopologyError(
                    f"n_in of stage {number} is {after.n_in}; it must be {before.n_out}, "
                    f"the n_out of stage {number - 1}."
                )

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Every stage, in the order in which data meets them."""
        return tuple(stage for layer in self.layers for stage in layer)

    @property
    def ends_layer(self) -> tuple[bool, ...]:
        """For every stage, whether it is the last of its layer."""
        return tuple(place == len(layer) - 1 for layer in self.layers for place in range(len(layer)))

    @property
    def n_in(self) -> int:
        """Inputs of the network."""
        return self.layers[0][0].n_in

    @property
    def n_out(self) -> int:
        """Outputs of the network."""
        return self.layers[-1][-1].n_out

    @property
    def stored_weights(self) -> int:
        """Number of weights kept."""
        return sum(stage.stored_weights for stage in self.stages)

    @property
    def dense_weights(self) -> int:
        """Number of weights that the same layers would have if they were dense."""
        return sum(layer[0].n_in * layer[-1].n_out for layer in self.layers)

    @property
    def compression(self) -> float:
        """Dense weights divided by stored weights."""
        return self.dense_weights / self.stored_weights

    def paths(self, layer: int) -> NDArray[np.int64]:
        """Number of paths from every input to every output of a layer, shape (n_out, n_in)."""
        first, *rest = self.layers[layer]
        product = first.adjacency()
        for stage in rest:
            product = stage.adjacency() @ product
        return np.asarray(product.toarray(), dtype=np.int64)

    def is_fully_connected(self, layer: int | None = None) -> bool:
        """Whether every output of the layer (of each layer, if none is named) depends on all its inputs."""
        chosen = range(len(self.layers)) if layer is None else (layer,)
        return all(bool((self.paths(number) > 0).all()) for number in chosen)
