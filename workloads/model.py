"""The float network while it is trained: forward, loss and gradients.  Activations are (features, batch)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workloads.kernels import Array
from workloads.stages import Stage
from workloads.topology import Topology


def initial_weights(
    stage: Stage, random: np.random.Generator, dtype: type[np.floating] = np.float32
) -> NDArray[np.floating]:
    """Sparse Glorot: uniform on (-a, a) with a = sqrt(6) / (sqrt(n_in + n_out) * sqrt(density)).

    Equation of Isakov and Kinsy, "NeuroFabric", arXiv 2002.08339; density is one minus their sparsity.
    """
    reach = np.sqrt(6.0 / ((stage.n_in + stage.n_out) * stage.density))
    return random.uniform(-reach, reach, size=stage.weight_shape).astype(dtype)


class Model:
    """A topology with weights, one array a stage.  Both change when the model is pruned."""

    def __init__(self, topology: Topology, weights: Sequence[Array]) -> None:
        self.topology = topology
        self.weights = list(weights)
        self.kernels = [stage.kernel() for stage in topology.stages]
        last = len(topology.stages) - 1
        self.relu = [ends and number != last for number, ends in enumerate(topology.ends_layer)]

    def replace_stage(self, number: int, topology: Topology, weights: Array) -> None:
        """Continue with `topology`, which differs in this stage only, and with the weights of the stage."""
        self.topology = topology
        self.kernels[number] = topology.stages[number].kernel()
        self.weights[number] = weights

    def forward(self, x: Array) -> list[Array]:
        """The inputs x (n_in, batch), then the outputs of every stage, after ReLU where there is one."""
        signals = [x]
        for kernel, weights, relu in zip(self.kernels, self.weights, self.relu, strict=True):
            y = kernel.forward(weights, signals[-1])
            signals.append(np.maximum(y, 0, out=y) if relu else y)
        return signals

    def loss_and_gradients(self, x: Array, labels: NDArray[np.int64]) -> tuple[float, list[Array]]:
        """Mean cross-entropy of a batch and its gradient with respect to every weight array."""
        signals = self.forward(x)
        loss, dy = cross_entropy(signals[-1], labels)
        gradients: list[Array] = []
        for number in reversed(range(len(self.weights))):
            if self.relu[number]:
                dy *= signals[number + 1] > 0
            gradients.append(self.kernels[number].weight_gradient(signals[number], dy))
            if number:
                dy = self.kernels[number].input_gradient(self.weights[number], dy)
        return loss, gradients[::-1]

    def classify(self, images: Array) -> NDArray[np.int64]:
        """The class of every image (batch, n_in)."""
        classes: NDArray[np.int64] = np.argmax(self.forward(np.ascontiguousarray(images.T))[-1], axis=0)
        return classes

    def first_stage_out_of_range(self, x: Array) -> int:
        """The first stage whose weights or outputs are not finite for inputs x, or the last if all are."""
        outputs = self.forward(x)[1:]
        finite = [
            bool(np.isfinite(weights).all() and np.isfinite(y).all())
            for weights, y in zip(self.weights, outputs, strict=True)
        ]
        return finite.index(False) if False in finite else len(finite) - 1


def cross_entropy(logits: Array, labels: NDArray[np.int64]) -> tuple[float, Array]:
    """Mean cross-entropy of logits (classes, batch), and its gradient with respect to them."""
    batch = np.arange(labels.size)
    shifted = logits - logits.max(axis=0)
    exponentials = np.exp(shifted)
    totals = exponentials.sum(axis=0)
    loss = float(np.mean(np.log(totals) - shifted[labels, batch]))
    gradient = exponentials / totals
    gradient[labels, batch] -= 1
    gradient /= labels.size
    return loss, gradient
