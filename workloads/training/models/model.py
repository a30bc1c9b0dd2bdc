"""The float network while it is trained: forward, loss and gradients. Activations are (features, batch).

`Classifier` is what any model gives to training; `Model` is the multi-layer perceptron, whose layers are
cascades with a ReLU after each but the last. A layer may have biases, which its last stage adds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workloads.kernels.arrays import Array
from workloads.stages import Stage
from workloads.topology.topology import Topology
from workloads.training.models.cascade import Cascade

Initialisation = Literal["glorot", "sparse-glorot"]
CHUNK = 2000
"""Images classified at once: bounds the memory of the activations."""


def initial_weights(
    stage: Stage,
    random: np.random.Generator,
    dtype: type[np.floating] = np.float32,
    *,
    init: Initialisation = "sparse-glorot",
) -> NDArray[np.floating]:
    """Uniform on (-a, a) with a = sqrt(6) / (sqrt(n_in + n_out) * sqrt(density)): sparse Glorot.

    Equation of Isakov and Kinsy, "NeuroFabric", arXiv 2002.08339; density is one minus their sparsity.
    Plain `glorot` leaves the density out, as for a dense stage (Glorot and Bengio, AISTATS 2010).
    """
    density = stage.density if init == "sparse-glorot" else 1.0
    reach = np.sqrt(6.0 / ((stage.n_in + stage.n_out) * density))
    return random.uniform(-reach, reach, size=stage.weight_shape).astype(dtype)


def initial_arrays(
    topology: Topology,
    random: np.random.Generator,
    dtype: type[np.floating] = np.float32,
    *,
    init: Initialisation = "sparse-glorot",
) -> list[NDArray[np.floating]]:
    """The weights of all stages at the start, an array a stage, drawn in turn by `initial_weights`.

    A stage with a skip passes its inputs on beside what it computes, which doubles the variance of a signal
    if its weights alone keep it. Those of a layer of k such stages start smaller by the root of k, so that
    all of them together multiply it by (1 + 1/k)^k, which is below e at any depth.
    """
    arrays: list[NDArray[np.floating]] = []
    for number, layer in enumerate(topology.layers):
        skips = topology.skipped_in(number)
        smaller = max(sum(skips), 1) ** -0.5
        for stage, skip in zip(layer, skips, strict=True):
            drawn = initial_weights(stage, random, dtype, init=init)
            arrays.append(drawn * dtype(smaller) if skip else drawn)
    return arrays


class Classifier(ABC):
    """What is trained: weights that change in place, and the slope of the loss with respect to them."""

    weights: list[Array]

    topology: Topology
    """The fully connected layers."""

    @abstractmethod
    def replace(self, topology: Topology, weights: Sequence[Array]) -> None:
        """Continue with these fully connected layers and these weights, the arrays of all parts in order."""

    @abstractmethod
    def loss_and_gradients(self, x: Array, labels: NDArray[np.int64]) -> tuple[float, list[Array]]:
        """Mean cross-entropy of inputs x (n_in, batch), and its gradient for every weight array."""

    @abstractmethod
    def logits(self, x: Array) -> Array:
        """The outputs (classes, batch) for inputs x (n_in, batch)."""

    @abstractmethod
    def first_out_of_range(self, x: Array) -> str:
        """The first part whose weights or outputs are not finite for inputs x, in words."""


class Model(Classifier):
    """A topology with weights, one array a stage. Both change when the model is pruned or grows.

    Where the layers have biases, `weights` holds them too: after those of all stages, an array (n_out,) a
    layer.
    """

    def __init__(self, topology: Topology, weights: Sequence[Array]) -> None:
        self.replace(topology, weights)

    def replace(self, topology: Topology, weights: Sequence[Array]) -> None:
        self.topology = topology
        places = topology.input_places
        self.input_order = np.array(places, dtype=np.int64) if places else None
        self.weights = list(weights)
        self.cascades: list[Cascade] = []
        self.parts: list[slice] = []
        for number, layer in enumerate(topology.layers):
            start = self.parts[-1].stop if self.parts else 0
            part = slice(start, start + len(layer))
            self.parts.append(part)
            self.cascades.append(Cascade(layer, topology.skipped_in(number)))

    @property
    def of_stages(self) -> list[Array]:
        """The weights alone, one array a stage."""
        return self.weights[: self.parts[-1].stop]

    @property
    def biases(self) -> list[Array]:
        """The biases, an array a layer; empty where there are none."""
        return self.weights[self.parts[-1].stop :]

    def ordered(self, x: Array) -> Array:
        """Inputs x (n_in, batch) in the order of the first stage."""
        return x if self.input_order is None else x[self.input_order]

    def forward(self, x: Array) -> list[Array]:
        """The inputs x (n_in, batch) in the order of the first stage, then the outputs of every stage, after
        bias and ReLU where there are any."""
        signals, biases = [self.ordered(x)], self.biases
        for number, (cascade, part) in enumerate(zip(self.cascades, self.parts, strict=True), start=1):
            signals += cascade.forward(self.weights[part], signals[-1])
            if biases:
                signals[-1] += biases[number - 1][:, None]
            if number < len(self.cascades):
                np.maximum(signals[-1], 0, out=signals[-1])
        return signals

    def loss_and_gradients(self, x: Array, labels: NDArray[np.int64]) -> tuple[float, list[Array]]:
        signals = self.forward(x)
        loss, dy = cross_entropy(signals[-1], labels)
        later, dy = self._back_to_first_layer(signals, dy)
        part = self.parts[0]
        return loss, self.cascades[0].weight_gradients(self.weights[part], signals[part], dy) + later

    def backward(self, signals: list[Array], dy: Array) -> tuple[list[Array], Array]:
        """The gradients of every weight array and dx (n_in, batch), where the layers follow others.

        `signals` are those of `forward`, dy (n_out, batch) the gradient of its last.
        """
        later, dy = self._back_to_first_layer(signals, dy)
        part = self.parts[0]
        first, seen = self.cascades[0].backward(self.weights[part], signals[part], dy)
        if self.input_order is None:
            return first + later, seen
        dx = np.empty_like(seen)
        dx[self.input_order] = seen
        return first + later, dx

    def _back_to_first_layer(self, signals: list[Array], dy: Array) -> tuple[list[Array], Array]:
        """The gradients of all weight arrays but those of the first layer, with the biases' after them, and
        the slope at its outputs."""
        gradients: list[Array] = []
        slopes = [dy]
        for number in reversed(range(1, len(self.cascades))):
            part = self.parts[number]
            of_layer, dy = self.cascades[number].backward(self.weights[part], signals[part], dy)
            dy *= signals[part.start] > 0
            gradients = of_layer + gradients
            slopes.append(dy)
        if self.biases:
            gradients += [slope.sum(axis=1) for slope in reversed(slopes)]
        return gradients, dy

    def logits(self, x: Array) -> Array:
        return self.forward(x)[-1]

    def first_out_of_range(self, x: Array) -> str:
        """The first stage whose weights or outputs are not finite for inputs x, or the last if all are."""
        outputs = self.forward(x)[1:]
        finite = [
            bool(np.isfinite(weights).all() and np.isfinite(y).all())
            for weights, y in zip(self.of_stages, outputs, strict=True)
        ]
        number = finite.index(False) if False in finite else len(finite) - 1
        layer = next(place for place, part in enumerate(self.parts) if number < part.stop)
        return f"stage {number} ({self.topology.stages[number].kind}), in layer {layer}"


class HeadedModel(Classifier):
    """What stands before the fully connected layers, its `own` weights first, and the `Model` of these."""

    own: int

    def replace(self, topology: Topology, weights: Sequence[Array]) -> None:
        self.topology, self.weights = topology, list(weights)
        self.head = Model(topology, self.weights[self.own :])


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


def classify(model: Classifier, images: Array) -> NDArray[np.int64]:
    """The class of every image (batch, n_in)."""
    chunks = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    classes = [np.argmax(model.logits(np.ascontiguousarray(chunk.T)), axis=0) for chunk in chunks]
    return np.concatenate(classes)
