"""A trained network in floating point, whatever its biases and skips: what integers are measured against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.topology.integer import WORTH_FILLING
from workloads.topology.network import TrainedNetwork
from workloads.topology.topology import Topology


class FloatNetwork:
    """Weights, one array a stage, and biases, one array or none a stage or none at all, in their topology."""

    def __init__(
        self,
        topology: Topology,
        weights: Sequence[NDArray[Any]],
        biases: Sequence[NDArray[Any] | None] = (),
    ) -> None:
        self.topology = topology
        self.biases = tuple(biases) or (None,) * len(topology.stages)
        matrices = (stage.csr(array) for stage, array in zip(topology.stages, weights, strict=True))
        self._matrices = [
            matrix.toarray() if stage.density > WORTH_FILLING else matrix
            for stage, matrix in zip(topology.stages, matrices, strict=True)
        ]
        self._order = list(topology.input_places) or slice(None)
        self._first = np.cumsum([0, *(len(layer) for layer in topology.layers)])

    @classmethod
    def of(cls, network: TrainedNetwork) -> FloatNetwork:
        """That of a trained network."""
        return cls(network.topology, network.weights, network.biases)

    def __repr__(self) -> str:
        return f"<FloatNetwork of {self.topology!r}>"

    def stages_of(self, layer: int) -> range:
        """The numbers of the stages of a layer."""
        return range(self._first[layer], self._first[layer + 1])

    def ordered(self, x: NDArray[Any]) -> NDArray[Any]:
        """Inputs x (n_in, batch) in the order of the first stage."""
        ordered: NDArray[Any] = x[self._order]
        return ordered

    def layer(self, number: int, x: NDArray[Any]) -> list[NDArray[Any]]:
        """The outputs of every stage of a layer, after bias and ReLU where there are any."""
        signals = [x]
        for stage in self.stages_of(number):
            y = np.asarray(self._matrices[stage] @ signals[-1])
            bias = self.biases[stage]
            if bias is not None:
                y += bias[:, None]
            if self.topology.skipped[stage]:
                y += signals[-1]
            signals.append(y)
        if number < len(self.topology.layers) - 1:
            np.maximum(signals[-1], 0, out=signals[-1])
        return signals[1:]

    def forward(self, x: NDArray[Any]) -> list[NDArray[Any]]:
        """Inputs x (n_in, batch) in the order of the first stage, then the outputs of every stage."""
        signals = [self.ordered(x)]
        for number in range(len(self.topology.layers)):
            signals += self.layer(number, signals[-1])
        return signals

    def rest(self, layer: int, x: NDArray[Any]) -> NDArray[Any]:
        """The outputs of the network where the inputs of this layer are x."""
        for number in range(layer, len(self.topology.layers)):
            x = self.layer(number, x)[-1]
        return x

    def classify(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """The class of every input (batch, n_in): the position of the largest output, the lowest on a tie."""
        outputs = self.rest(0, self.ordered(np.asarray(values, dtype=np.float32).T))
        classes: NDArray[np.int64] = np.argmax(outputs, axis=0)
        return classes
