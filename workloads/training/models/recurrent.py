"""A small recurrent network: h_t = f(U x_t + W h_(t-1)), where U and W are cascades of stages.

f is tanh, or a hard tanh, which cuts values to -1 to 1.

An image is read in equal parts, row by row if there are as many parts as rows; the fully connected layers
read the last state. Gradients are taken through all steps (Werbos, "Backpropagation through time",
Proceedings of the IEEE, 1990).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workloads.kernels.arrays import Array
from workloads.topology.topology import Topology
from workloads.training.models.cascade import Cascade
from workloads.training.models.model import HeadedModel, cross_entropy


class RecurrentModel(HeadedModel):
    """A recurrent layer, then fully connected ones. Weights are in the order U, W, the rest."""

    def __init__(
        self,
        steps: int,
        inputs: Topology,
        hidden: Topology,
        topology: Topology,
        weights: Sequence[Array],
        *,
        hard: bool = False,
    ) -> None:
        """With `hard`, values are cut to -1 to 1 in place of a tanh."""
        self.steps, self.hard = steps, hard
        self.inputs = Cascade(inputs.stages, inputs.skipped)
        self.hidden = Cascade(hidden.stages, hidden.skipped)
        split = len(self.inputs)
        self.input_part, self.hidden_part = slice(split), slice(split, split + len(self.hidden))
        self.own = self.hidden_part.stop
        self.replace(topology, weights)

    def _forward(self, x: Array) -> tuple[list[list[Array]], list[list[Array]], list[Array], list[Array]]:
        """For every step, the signals of the input cascade and of the hidden one; the states, of which the
        first is zero; and the signals of the head."""
        input_weights, hidden_weights = self.weights[self.input_part], self.weights[self.hidden_part]
        of_inputs: list[list[Array]] = []
        of_hidden: list[list[Array]] = []
        states: list[Array] = []
        for part in np.split(x, self.steps):
            of_inputs.append([part, *self.inputs.forward(input_weights, part)])
            if not states:
                states.append(np.zeros_like(of_inputs[0][-1]))
            of_hidden.append([states[-1], *self.hidden.forward(hidden_weights, states[-1])])
            sums = of_inputs[-1][-1] + of_hidden[-1][-1]
            states.append(np.clip(sums, -1, 1) if self.hard else np.tanh(sums))
        return of_inputs, of_hidden, states, self.head.forward(states[-1])

    def logits(self, x: Array) -> Array:
        return self._forward(x)[3][-1]

    def loss_and_gradients(self, x: Array, labels: NDArray[np.int64]) -> tuple[float, list[Array]]:
        of_inputs, of_hidden, states, of_head = self._forward(x)
        loss, dy = cross_entropy(of_head[-1], labels)
        of_layers, dh = self.head.backward(of_head, dy)
        input_weights, hidden_weights = self.weights[self.input_part], self.weights[self.hidden_part]
        gradients = [np.zeros_like(array) for array in input_weights + hidden_weights]
        for step in reversed(range(self.steps)):
            state = states[step + 1]
            dy = dh * ((np.abs(state) < 1) if self.hard else 1 - state**2)
            of_input = self.inputs.weight_gradients(input_weights, of_inputs[step][:-1], dy)
            of_state, dh = self.hidden.backward(hidden_weights, of_hidden[step][:-1], dy)
            for total, gradient in zip(gradients, of_input + of_state, strict=True):
                total += gradient
        return loss, gradients + of_layers

    def first_out_of_range(self, x: Array) -> str:
        """The first step and part whose weights or outputs are not finite for inputs x, in words."""
        of_inputs, of_hidden, _, of_head = self._forward(x)
        for step, signals in enumerate(zip(of_inputs, of_hidden, strict=True)):
            for name, part, outputs in zip(
                ("input", "hidden"), (self.input_part, self.hidden_part), signals, strict=True
            ):
                for stage, array in enumerate(self.weights[part]):
                    if not (np.isfinite(array).all() and np.isfinite(outputs[stage + 1]).all()):
                        return f"stage {stage} of the {name} matrix, at step {step} of the sequence"
        return f"{self.head.first_out_of_range(of_head[0])} of the fully connected ones"
