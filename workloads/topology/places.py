"""Where a cascade of stages is applied: at every place of a map, or at every step of a sequence.

A convolution is a cascade that is moved over a map: at each place it takes the window under the kernel to the
output channels. Fully connected layers are the same with one place. A recurrent layer is a cascade that takes
the inputs of a step together with its own outputs of the step before. Neither knows what the stages of the
cascade are.

Maps are flat vectors in the order channel, row, column, as those of PyTorch are; so are windows: channel, row
and column of the kernel. Those of sequences are in the order step, input.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal

Cascade = Callable[[NDArray[Any]], NDArray[Any]]
"""From windows (window, columns) to outputs (outputs, columns)."""


class PlacesError(Refusal):
    """A cascade is moved over a map that it does not fit."""


class Sweep(ABC):
    """How a cascade meets its inputs."""

    @property
    @abstractmethod
    def n_in(self) -> int:
        """Values of the map or the sequence that is read."""

    @property
    @abstractmethod
    def places(self) -> int:
        """How often the cascade runs."""

    @abstractmethod
    def window(self, outputs: int) -> int:
        """Inputs of the cascade, where it has so many outputs."""

    @abstractmethod
    def n_out(self, outputs: int) -> int:
        """Values of what is written, where the cascade has so many outputs."""

    @abstractmethod
    def run(self, cascade: Cascade, x: NDArray[Any], outputs: int) -> NDArray[Any]:
        """What is written (n_out, batch), for x (n_in, batch) and a cascade of so many outputs."""


@dataclass(frozen=True)
class Places(Sweep):
    """The places of a map of `channels` x `rows` x `columns`, for a convolution.

    `kernel` and `stride` are (rows, columns); `padding` is (top, left, bottom, right), in zeros. A layer that
    is fully connected has a kernel as large as its map. Raises PlacesError for sizes below one, and for a
    kernel that is larger than the padded map.
    """

    channels: int
    rows: int
    columns: int
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        for name, least in (
            *(("channels", 1), ("rows", 1), ("columns", 1)),
            *(("kernel", 1), ("stride", 1), ("padding", 0)),
        ):
            value = getattr(self, name)
            values = value if isinstance(value, tuple) else (value,)
            if any(type(number) is not int or number < least for number in values):
                raise PlacesError.of(f"{name} of a convolution", value, f"integers from {least}")
        padded = self.padded
        if any(size > most for size, most in zip(self.kernel, padded, strict=True)):
            raise PlacesError.of(
                "kernel of a convolution", self.kernel, f"up to {padded}, the padded rows and columns"
            )

    @classmethod
    def whole(cls, channels: int, rows: int = 1, columns: int = 1) -> Places:
        """The one place of fully connected layers behind a map."""
        return cls(channels, rows, columns, kernel=(rows, columns))

    @property
    def padded(self) -> tuple[int, int]:
        """Rows and columns with the zeros around them."""
        top, left, bottom, right = self.padding
        return self.rows + top + bottom, self.columns + left + right

    @property
    def shape_out(self) -> tuple[int, int]:
        """Rows and columns of what is written."""
        rows, columns = (
            (size - kernel) // stride + 1
            for size, kernel, stride in zip(self.padded, self.kernel, self.stride, strict=True)
        )
        return rows, columns

    @property
    def is_pointwise(self) -> bool:
        """Whether each place reads only itself, so that stages may follow those before without a map
        between them."""
        return self.kernel == self.stride == (1, 1) and not any(self.padding)

    @property
    def n_in(self) -> int:
        return self.channels * self.rows * self.columns

    @property
    def places(self) -> int:
        rows, columns = self.shape_out
        return rows * columns

    def window(self, outputs: int = 0) -> int:
        return self.channels * self.kernel[0] * self.kernel[1]

    def n_out(self, outputs: int) -> int:
        return outputs * self.places

    @cached_property
    def windows(self) -> NDArray[np.int64]:
        """The place in the map of every input of every window, shape (places, window), -1 for a zero."""
        (rows, columns), (down, right), (top, left) = self.kernel, self.stride, self.padding[:2]
        rows_out, columns_out = self.shape_out
        row = np.arange(rows_out)[:, None] * down + np.arange(rows) - top
        column = np.arange(columns_out)[:, None] * right + np.arange(columns) - left
        y, x = row[:, None, None, :, None], column[None, :, None, None, :]
        channel = np.arange(self.channels)[None, None, :, None, None]
        inside = (y >= 0) & (y < self.rows) & (x >= 0) & (x < self.columns)
        place = np.where(inside, (channel * self.rows + y) * self.columns + x, -1)
        return place.reshape(self.places, self.window())

    def run(self, cascade: Cascade, x: NDArray[Any], outputs: int) -> NDArray[Any]:
        with_zero = np.vstack([x, np.zeros((1, x.shape[1]), dtype=x.dtype)])
        columns = with_zero[self.windows.T]
        return cascade(columns.reshape(self.window(), -1)).reshape(self.n_out(outputs), x.shape[1])


@dataclass(frozen=True)
class Steps(Sweep):
    """The steps of a recurrent layer: `steps` times `inputs` values are read, and behind them, in each
    window, the outputs of the step before, which are zero at first. Only the outputs of the last step are
    kept. Raises PlacesError for sizes below one."""

    steps: int
    inputs: int

    def __post_init__(self) -> None:
        for name in ("steps", "inputs"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise PlacesError.of(f"{name} of a recurrent layer", value, "integers from 1")

    @property
    def n_in(self) -> int:
        return self.steps * self.inputs

    @property
    def places(self) -> int:
        return self.steps

    def window(self, outputs: int) -> int:
        return self.inputs + outputs

    def n_out(self, outputs: int) -> int:
        return outputs

    def run(self, cascade: Cascade, x: NDArray[Any], outputs: int) -> NDArray[Any]:
        state = np.zeros((outputs, x.shape[1]), dtype=x.dtype)
        for step in np.split(x, self.steps):
            state = cascade(np.vstack([step, state]))
        return state
