"""Layers gathered while the graph of a model is walked, in the order in which it computes.

Every format that is a graph, of PyTorch or ONNX, is walked alike: one signal enters and each operation makes
the next of it. Where numbers only move (flatten, reshape, transpose, slice) it is remembered where they went;
factors and shifts (batch normalisation, scaled inputs) wait until a matrix takes them in. What a graph does
twice or beside is no matter, since a signal never changes: only what the output is made of counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.importers.layers import Layer, Layers
from workloads.topology.network import NetworkFileError
from workloads.topology.places import Places

BATCH = 2
"""Samples at once where a graph leaves their number open: with two it shows if they are mixed."""

MOST_ELEMENTS = 1 << 27
"""Elements of a signal that are followed; a file can ask for any number of them in a few bytes."""

FOLDED = "batch normalisations are folded into the matrices beside them"

Ending = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class NotUnderstoodError(NetworkFileError):
    """An operation cannot be brought into layers: `trouble` says why in a few words, `remedy` what could be
    done. `placed` adds where it stands."""

    def __init__(self, trouble: str, remedy: str) -> None:
        super().__init__(f"operation {trouble}, allowed are {remedy}")
        self.trouble, self.remedy = trouble, remedy


@contextmanager
def placed(place: str) -> Iterator[None]:
    """Names the place of what is not understood inside."""
    try:
        yield
    except NotUnderstoodError as error:
        raise NetworkFileError(f"{place} {error.trouble}, allowed are {error.remedy}") from error


@dataclass(frozen=True, eq=False)
class Signal:
    """What flows along one edge of a graph, for a batch of `samples` inputs.

    Element e is `scale[e] * outputs[places[e]] + shift[e]`, where `outputs` (samples * width,) are those of
    `layers`, or the inputs of the network where there are none yet. `scale` and `shift` are none where they
    are all one and all zero. `ending` is a function after the last layer that keeps the largest output the
    largest; `levels` the scale, zero point and type of a signal that stands in integers.
    """

    layers: tuple[Layer, ...]
    width: int
    samples: int
    places: NDArray[np.int64]
    scale: NDArray[np.float64] | None = None
    shift: NDArray[np.float64] | None = None
    ending: Ending | None = None
    remarks: tuple[str, ...] = ()
    levels: tuple[Any, ...] | None = None

    @classmethod
    def entering(cls, shape: tuple[int, ...], *, batched: bool) -> Signal:
        """The inputs of a network: the first axis of the shape counts samples, or all of it is one sample."""
        size = checked_size(shape)
        samples = shape[0] if batched else 1
        return cls((), size // samples, samples, np.arange(size).reshape(shape))

    def __repr__(self) -> str:
        return f"<Signal of shape {self.shape} after {len(self.layers)} layers>"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.places.shape

    def moved(self, move: Callable[[NDArray[Any]], NDArray[Any]]) -> Signal:
        """The signal after numbers went elsewhere, or were left out, as `move` does it with an array."""
        try:
            places = move(self.places)
        except (ValueError, IndexError, TypeError) as error:
            raise NotUnderstoodError(
                f"does not fit a signal of shape {self.shape} ({error})", "shapes that fit"
            ) from error
        scale, shift = (None if array is None else move(array) for array in (self.scale, self.shift))
        return replace(self._open(), places=places, scale=scale, shift=shift)

    def times(self, factor: Any) -> Signal:
        """The signal times a constant, whose shape is broadcast as that of NumPy is."""
        wide, factor = self._open()._broadcast(factor)
        if np.all(factor == 1):
            return wide
        scale = factor if wide.scale is None else wide.scale * factor
        return replace(wide, scale=scale, shift=None if wide.shift is None else wide.shift * factor)

    def plus(self, constant: Any) -> Signal:
        """The signal plus a constant, whose shape is broadcast as that of NumPy is."""
        wide, constant = self._open()._broadcast(constant)
        if not np.any(constant):
            return wide
        return replace(wide, shift=constant if wide.shift is None else wide.shift + constant)

    def normalised(self, factor: Any, shift: Any) -> Signal:
        """The signal times a factor plus a shift, both along its second axis: a batch normalisation."""
        if len(self.shape) < 2:
            raise NotUnderstoodError(
                f"normalises a signal of shape {self.shape}", "at least (samples, features)"
            )
        shape = (-1, *(1 for _ in self.shape[2:]))
        arrays = [np.asarray(array, dtype=np.float64).reshape(shape) for array in (factor, shift)]
        return self.times(arrays[0]).plus(arrays[1]).remarked(FOLDED)

    def multiplied(self, name: str, matrix: Any, bias: Any = None) -> Signal:
        """The signal after a matrix (n_out, n_in) along its last axis, and a bias (n_out,) where there is
        one: a further layer."""
        matrix = np.asarray(matrix)
        if matrix.ndim != 2 or not self.shape or self.shape[-1] != matrix.shape[-1]:
            raise NotUnderstoodError(
                f"multiplies a signal of shape {self.shape} by a matrix of shape {matrix.shape}",
                "matrices (n_out, n_in) for the last axis of the signal",
            )
        before = self._open()._taken_in()
        samples, place = before._rows()
        if before.scale is not None or before.shift is not None:
            matrix, bias = before._with_factors(matrix, bias)
        if not np.array_equal(place, np.arange(before.width)):
            spread = np.zeros((len(matrix), before.width), matrix.dtype)
            np.add.at(spread.T, place, matrix.T)
            matrix = spread
        n_out = len(matrix)
        layer = Layer(name, matrix, None if bias is None else np.broadcast_to(bias, (n_out,)).copy())
        places = samples[:, None] * n_out + np.arange(n_out)
        shape = (*self.shape[:-1], n_out)
        layers = (*before.layers, layer)
        return Signal(layers, n_out, self.samples, places.reshape(shape), remarks=self.remarks)

    def convolved(self, name: str, kernel: NDArray[Any], bias: Any, sweep: Places) -> Signal:
        """The signal (samples, channels, rows, columns) after a kernel (n_out, channels, rows, columns) at
        the places of a sweep over it, and a bias (n_out,) where there is one: a further layer."""
        before = self._open()._taken_in()
        samples, place = before.flat()._rows()
        copies, n_out = sweep.rows * sweep.columns, len(kernel)
        channels = place[::copies] // copies
        straight = self.shape[0] == self.samples and before.width % copies == 0
        straight = straight and np.array_equal(place, whole_maps(channels, copies))
        if not straight or not before._writes(before.width // copies, sweep.rows, sweep.columns):
            raise NotUnderstoodError(
                "is a convolution of a map that was turned, cut or reshaped",
                "maps as the convolution before writes them, or inputs in the order channel, row, column",
            )
        kernel, bias = before._with_factors_of_channels(kernel, bias, sweep)
        if not np.array_equal(channels, np.arange(before.width // copies)):
            spread = np.zeros((n_out, before.width // copies, *kernel.shape[2:]), kernel.dtype)
            np.add.at(spread.swapaxes(0, 1), channels, kernel.swapaxes(0, 1))
            kernel, sweep = spread, replace(sweep, channels=before.width // copies)
        bias = None if bias is None else np.broadcast_to(bias, (n_out,)).copy()
        layer = Layer(name, kernel.reshape(n_out, -1), bias, sweep=sweep)
        places = samples[:, None] * layer.n_out + np.arange(layer.n_out)
        shape = (self.samples, n_out, *sweep.shape_out)
        layers = (*before.layers, layer)
        return Signal(layers, layer.n_out, self.samples, places.reshape(shape), remarks=self.remarks)

    def _writes(self, channels: int, rows: int, columns: int) -> bool:
        """Whether this is the map that the last layer writes; inputs can be read as any."""
        if not self.layers:
            return True
        layer = self.layers[-1]
        shape = layer.sweep.shape_out if layer.sweep else (1, 1)
        return (len(layer.matrix), *shape) == (channels, rows, columns)

    def _with_factors_of_channels(self, kernel: Any, bias: Any, sweep: Places) -> tuple[Any, Any]:
        """A kernel and a bias that hold the factors and shifts of the channels of the signal before them."""
        if self.scale is None and self.shift is None:
            return kernel, bias
        exact = kernel.astype(np.float64)
        of_map = (sweep.channels, sweep.rows * sweep.columns)
        scale, shift = (
            None if array is None else array[0].reshape(of_map) for array in (self.scale, self.shift)
        )
        if any(array is not None and (array != array[:, :1]).any() for array in (scale, shift)):
            raise NotUnderstoodError("follows factors that differ from place to place", "one a channel")
        if shift is not None:
            if any(sweep.padding):
                raise NotUnderstoodError(
                    "pads with zeros what was shifted, by a batch normalisation or in preparing inputs",
                    "shifts before a ReLU, no padding, or inputs that are prepared outside",
                )
            from_shift = np.einsum("ocij,c->o", exact, shift[:, 0])
            bias = from_shift if bias is None else bias + from_shift
        return (exact if scale is None else exact * scale[:, :1, None]), bias

    def rectified(self) -> Signal:
        """The signal after a ReLU, which the layer before it takes in."""
        if not self.layers:
            raise NotUnderstoodError(
                "is a ReLU on the inputs of the network", "a ReLU after a matrix; prepare the inputs outside"
            )
        if self.layers[-1].activation == "relu":
            if self.shift is None and (self.scale is None or (self.scale >= 0).all()):
                return self._open()
            raise NotUnderstoodError(
                "is a second ReLU after factors and shifts, without a matrix between",
                "one ReLU after each matrix",
            )
        before = self._open()._taken_in()
        if before.scale is not None or before.shift is not None:
            raise NotUnderstoodError(
                "is a ReLU after factors that differ for copies of one number", "one factor an output"
            )
        return replace(before, layers=(*before.layers[:-1], replace(before.layers[-1], activation="relu")))

    def ended(self, ending: Ending, remark: str) -> Signal:
        """The signal with a last function left out, since the largest output stays the largest."""
        return replace(self._open(), ending=ending, remarks=(*self.remarks, remark))

    def remarked(self, remark: str) -> Signal:
        """The signal with a sentence more for the user, said once."""
        return self if remark in self.remarks else replace(self, remarks=(*self.remarks, remark))

    def finished(self, name: str, origin: str) -> Layers:
        """The layers of a signal that is the output of its graph."""
        last = self
        if self.layers and self.shift is None and self.scale is not None and (self.scale > 0).all():
            last = self._taken_in(through_relu=True)
        elif self.layers:
            last = self._taken_in()
        if last.scale is not None or last.shift is not None:
            raise NotUnderstoodError(
                "ends in factors and shifts after its last ReLU",
                "none, or a matrix after them; leave them out and apply them to the outputs",
            )
        _, place = last.flat()._rows()
        if not last.layers:
            return Layers(name, (), origin)
        layers = last.layers
        if not np.array_equal(place, np.arange(last.width)):
            layer = layers[-1]
            rows = place[:: layer.copies] // layer.copies
            if not np.array_equal(place, whole_maps(rows, layer.copies)):
                raise NotUnderstoodError(
                    "rearranges the places of a convolution at its end",
                    "whole channels, or a matrix after it",
                )
            bias = None if layer.bias is None else layer.bias[rows]
            layers = (*layers[:-1], replace(layer, matrix=layer.matrix[rows], bias=bias))
        return Layers(name, layers, origin, last.remarks)

    def flat(self) -> Signal:
        """The signal as one row a sample."""
        scale, shift = (
            None if array is None else array.reshape(self.samples, -1) for array in (self.scale, self.shift)
        )
        return replace(self, places=self.places.reshape(self.samples, -1), scale=scale, shift=shift)

    def _open(self) -> Signal:
        """The signal, if more can follow it."""
        if self.ending is not None:
            raise NotUnderstoodError(
                "follows a function that is left out at the end only", "nothing after a softmax or sigmoid"
            )
        if self.levels is not None:
            raise NotUnderstoodError(
                "works on integers between QuantizeLinear and DequantizeLinear",
                "floating-point operations with quantisers around them (the QDQ form of ONNX)",
            )
        return self

    def _broadcast(self, constant: Any) -> tuple[Signal, NDArray[np.float64]]:
        constant = np.asarray(constant, dtype=np.float64)
        try:
            shape = np.broadcast_shapes(self.shape, constant.shape)
        except ValueError as error:
            raise NotUnderstoodError(
                f"combines a signal of shape {self.shape} with a constant of shape {constant.shape}",
                "shapes that fit",
            ) from error
        checked_size(shape)
        wide = self if shape == self.shape else self.moved(lambda array: np.broadcast_to(array, shape))
        return wide, np.broadcast_to(constant, shape)

    def _rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The sample that each row along the last axis is of, and the places that all rows share."""
        rows = self.places.reshape(-1, self.shape[-1])
        samples, places = rows // self.width, rows % self.width
        of_one = (samples == samples[:, :1]).all()
        if not of_one or sorted(samples[:, 0]) != list(range(self.samples)):
            raise NotUnderstoodError(
                f"works on {len(rows)} rows of a signal of shape {self.shape} for {self.samples} "
                f"sample{'s' * (self.samples > 1)}",
                "one row a sample: flatten what is more, or export the model for one vector of inputs",
            )
        factors = [array for array in (self.scale, self.shift) if array is not None]
        flat = [array.reshape(rows.shape) for array in factors]
        if not all((array == array[:1]).all() for array in (places, *flat)):
            raise NotUnderstoodError("treats samples unlike each other", "the same for every sample")
        return samples[:, 0], places[0]

    def _with_factors(self, matrix: Any, bias: Any) -> tuple[NDArray[np.float64], Any]:
        """A matrix and a bias that hold the factors and shifts of the signal before them."""
        exact = matrix.astype(np.float64)
        width = self.shape[-1]
        if self.shift is not None:
            from_shift = exact @ self.shift.reshape(-1, width)[0]
            bias = from_shift if bias is None else bias + from_shift
        if self.scale is not None:
            exact = exact * self.scale.reshape(-1, width)[0]
        return exact, bias

    def _taken_in(self, *, through_relu: bool = False) -> Signal:
        """The signal with its factors and shifts in the rows of the last layer, where it can take them."""
        if (self.scale is None and self.shift is None) or not self.layers:
            return self
        layer = self.layers[-1]
        if layer.activation != "none" and not through_relu:
            return self
        place = self.places % self.width // layer.copies
        per_place = []
        for array, neutral in ((self.scale, 1.0), (self.shift, 0.0)):
            values = np.full(len(layer.matrix), neutral)
            if array is not None:
                values[place] = array
                if not (values[place] == array).all():
                    return self
            per_place.append(values)
        scale, shift = per_place
        bias = np.zeros(len(layer.matrix)) if layer.bias is None else layer.bias.astype(np.float64)
        bias = bias * scale + shift
        folded = replace(
            layer,
            matrix=layer.matrix.astype(np.float64) * scale[:, None],
            bias=None if layer.bias is None and self.shift is None else bias,
        )
        return replace(self, layers=(*self.layers[:-1], folded), scale=None, shift=None)


def checked_size(shape: tuple[int, ...]) -> int:
    """The elements of a shape. Raises NotUnderstoodError for none, or more than can be followed."""
    size = math.prod(shape)
    if not 0 < size <= MOST_ELEMENTS:
        raise NotUnderstoodError(
            f"makes a signal of shape {shape}", f"those of 1 to {MOST_ELEMENTS:,} elements"
        )
    return size


def through(layers: Layers, inputs: NDArray[Any]) -> NDArray[np.float64]:
    """What the layers compute of inputs (samples, n_in), in double precision."""
    signal = np.asarray(inputs, dtype=np.float64).T
    for layer in layers.layers:
        signal = layer.run(signal)
    return signal.T


def whole_maps(channels: NDArray[np.int64], copies: int) -> NDArray[np.int64]:
    """The places of these channels of so many places each, one channel after another."""
    places: NDArray[np.int64] = (channels[:, None] * copies + np.arange(copies)).ravel()
    return places
