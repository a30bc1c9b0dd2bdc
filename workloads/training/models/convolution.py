"""A small convolutional network: the channels of every convolution are mixed by a cascade of stages.

A k x k convolution is a matrix product after im2col: at every place, the k * k * channels inputs under the
kernel are one column, and the cascade takes that column to the output channels. With k = 1 the cascade works
on the channels themselves. A ReLU follows every convolution. Activations are (channels, rows, columns,
batch), so that both steps are reshapes of the (features, batch) that the rest of the project uses.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workloads.kernels.arrays import Array
from workloads.stages import TopologyError
from workloads.topology.topology import Topology
from workloads.training.models.cascade import Cascade
from workloads.training.models.model import HeadedModel, cross_entropy


@dataclass(frozen=True)
class Convolution:
    """A convolution of square images: `mixing` is one layer, from kernel * kernel * channels to the output
    channels; its inputs are ordered by channel, then row and column of the kernel.

    Images of `side` places a side are padded with (kernel - 1) / 2 zeros; every `stride`-th place is kept.
    """

    mixing: Topology
    side: int
    kernel: int
    stride: int

    def __post_init__(self) -> None:
        if self.kernel % 2 == 0 or self.mixing.n_in % self.kernel**2 or len(self.mixing.layers) != 1:
            raise TopologyError(
                f"kernel of a convolution is {self.kernel}, and its mixing has {len(self.mixing.layers)} "
                f"layers and {self.mixing.n_in} inputs, allowed are odd kernels whose square divides the "
                "inputs, and one layer"
            )

    @property
    def channels(self) -> int:
        """Channels of the input."""
        return self.mixing.n_in // self.kernel**2

    @property
    def side_out(self) -> int:
        """Rows and columns of the output."""
        return -(-self.side // self.stride)

    @property
    def n_in(self) -> int:
        """Values of an input image."""
        return self.channels * self.side**2

    @property
    def n_out(self) -> int:
        """Values of an output image."""
        return self.mixing.n_out * self.side_out**2

    def columns(self, x: Array) -> Array:
        """The columns (kernel * kernel * channels, places * batch) of images x (n_in, batch)."""
        images = x.reshape(self.channels, self.side, self.side, -1)
        margin, batch = self.kernel // 2, images.shape[-1]
        padded = np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0))) if margin else images
        shape = (self.channels, self.kernel, self.kernel, self.side_out, self.side_out, batch)
        columns = np.empty(shape, dtype=x.dtype)
        for row, column in np.ndindex(self.kernel, self.kernel):
            columns[:, row, column] = padded[self._under(row, column)]
        return columns.reshape(self.mixing.n_in, -1)

    def from_columns(self, columns: Array) -> Array:
        """The transpose of `columns`: every value goes back to its place in (n_in, batch), and adds up."""
        side, margin = self.side, self.kernel // 2
        parts = columns.reshape(self.channels, self.kernel, self.kernel, self.side_out, self.side_out, -1)
        padded = np.zeros(
            (self.channels, side + 2 * margin, side + 2 * margin, parts.shape[-1]), dtype=columns.dtype
        )
        for row, column in np.ndindex(self.kernel, self.kernel):
            padded[self._under(row, column)] += parts[:, row, column]
        return padded[:, margin : margin + side, margin : margin + side].reshape(self.n_in, -1)

    def _under(self, row: int, column: int) -> tuple[slice, slice, slice]:
        """The places of a padded image that lie under this place of the kernel."""
        reach = self.stride * (self.side_out - 1) + 1
        return (slice(None), slice(row, row + reach, self.stride), slice(column, column + reach, self.stride))


class ConvolutionalModel(HeadedModel):
    """Convolutions, then fully connected layers. Weights: those of the convolutions come first."""

    def __init__(
        self, convolutions: Sequence[Convolution], topology: Topology, weights: Sequence[Array]
    ) -> None:
        self.convolutions = tuple(convolutions)
        self.cascades = [Cascade(each.mixing.stages, each.mixing.skipped) for each in self.convolutions]
        ends = np.cumsum([0, *map(len, self.cascades)])
        self.parts = [slice(start, end) for start, end in itertools.pairwise(ends)]
        self.own = self.parts[-1].stop
        self.replace(topology, weights)

    def _forward(self, x: Array) -> tuple[list[list[Array]], list[Array]]:
        """The columns and outputs of every convolution, the last after ReLU, and the signals of the head."""
        signals: list[list[Array]] = []
        for convolution, cascade, part in zip(self.convolutions, self.cascades, self.parts, strict=True):
            columns = convolution.columns(x)
            signals.append([columns, *cascade.forward(self.weights[part], columns)])
            y = signals[-1][-1]
            np.maximum(y, 0, out=y)
            x = y.reshape(convolution.n_out, -1)
        return signals, self.head.forward(x)

    def logits(self, x: Array) -> Array:
        return self._forward(x)[1][-1]

    def loss_and_gradients(self, x: Array, labels: NDArray[np.int64]) -> tuple[float, list[Array]]:
        signals, of_head = self._forward(x)
        loss, dy = cross_entropy(of_head[-1], labels)
        gradients, dx = self.head.backward(of_head, dy)
        for number in reversed(range(len(self.convolutions))):
            cascade, weights = self.cascades[number], self.weights[self.parts[number]]
            *inputs, y = signals[number]
            dy = dx.reshape(y.shape)
            dy *= y > 0
            if number:
                of_layer, columns = cascade.backward(weights, inputs, dy)
                dx = self.convolutions[number].from_columns(columns)
            else:
                of_layer = cascade.weight_gradients(weights, inputs, dy)
            gradients = of_layer + gradients
        return loss, gradients

    def first_out_of_range(self, x: Array) -> str:
        signals, of_head = self._forward(x)
        for number, (outputs, part) in enumerate(zip(signals, self.parts, strict=True)):
            for stage, (array, y) in enumerate(zip(self.weights[part], outputs[1:], strict=True)):
                if not (np.isfinite(array).all() and np.isfinite(y).all()):
                    return f"stage {stage} of convolution {number}"
        return f"{self.head.first_out_of_range(of_head[0])} of the fully connected ones"
