"""A network of three matrices with biases, and what it computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads import TrainedNetwork

RANDOM = np.random.default_rng(0)
W1, W2, W3 = RANDOM.normal(size=(20, 30)), RANDOM.normal(size=(10, 20)), RANDOM.normal(size=(5, 10))
B1, B2, B3 = RANDOM.normal(size=20), RANDOM.normal(size=10), RANDOM.normal(size=5)


def outputs(network: TrainedNetwork, x: NDArray[Any]) -> NDArray[Any]:
    """The outputs (n_out, batch) of the network in floats for x (n_in, batch), stage by stage."""
    stages_of, ends = network.topology.stages, network.topology.ends_layer
    biases = network.biases or (None,) * len(stages_of)
    for number, (stage, weights) in enumerate(zip(stages_of, network.weights, strict=True)):
        x = stage.csr(weights).astype(np.float64) @ x
        bias = biases[number]
        if bias is not None:
            x = x + bias[:, None]
        if ends[number] and number < len(stages_of) - 1:
            x = np.maximum(x, 0)
    return x


def saved(path: Path, **arrays: Any) -> None:
    np.savez(path, **arrays)


def product(layers: Any, x: NDArray[Any]) -> NDArray[Any]:
    """The same by the matrices and biases themselves, with a ReLU between layers."""
    for number, (matrix, bias) in enumerate(layers):
        x = np.asarray(matrix @ x) + (0 if bias is None else bias[:, None])
        if number < len(layers) - 1:
            x = np.maximum(x, 0)
    return x


ALL = [(W1, B1), (W2, B2), (W3, B3)]
INPUTS = RANDOM.random((40, 30))
