"""A network without its weights: layers, each a cascade of stages.

Inside a layer the cascade is linear; a ReLU follows every layer but the last. A stage may be skipped: an
identity connection then runs beside it, so that it computes y = W x + x.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal
from workloads.stages import Stage, TopologyError, whole_number
from workloads.topology.paths import is_fully_connected, path_counts

MOST_SHOWN = 100
"""Characters of a shape that are shown."""


def digit_reversed(digits: Sequence[int]) -> NDArray[np.int64]:
    """The numbers of a mixed radix, most significant digit first, in the order of the reversed digits."""
    numbers: NDArray[np.int64] = np.arange(math.prod(digits)).reshape(digits).T.ravel()
    return numbers


def checked_order(order: Sequence[int], n_in: int, error: type[Refusal] = TopologyError) -> tuple[int, ...]:
    """The order of so many inputs as plain numbers; empty where there is none or it changes nothing.

    Raises an `error` where it does not hold every input once.
    """
    places = tuple(whole_number("the order of inputs", "input_order", place, least=0) for place in order)
    if not places:
        return ()
    if len(places) != n_in or sorted(places) != list(range(n_in)):
        shown = f"{list(places[:4])}{'...' * (len(places) > 4)} of {len(places)} places"
        raise error(f"input_order is {shown}, allowed are the numbers 0 to {n_in - 1}, once each")
    return () if places == tuple(range(n_in)) else places


def tiles(n_in: int) -> tuple[int, ...]:
    """An order for square images, row by row, in which neighbours in the image are neighbours: that of
    G. M. Morton's curve (1966), which goes through each quarter of the image before the next, and so within
    them. Raises TopologyError where the number of inputs is no square.
    """
    side = math.isqrt(n_in)
    if side * side != n_in:
        raise TopologyError.of("inputs of an order by tiles", n_in, "square numbers")
    rows, columns = np.divmod(np.arange(n_in), side)
    place = np.zeros(n_in, dtype=np.int64)
    for bit in range(side.bit_length()):
        place |= ((columns >> bit) & 1) << (2 * bit) | ((rows >> bit) & 1) << (2 * bit + 1)
    return tuple(np.argsort(place, kind="stable").tolist())


def tile_by_tile(n_in: int, rows: int, columns: int) -> tuple[int, ...]:
    """The pixels of a square image in tiles of so many rows and columns, one tile after the other, row by row
    in each. Raises TopologyError where the number of inputs is no square, or its side no multiple."""
    side = math.isqrt(n_in)
    if side * side != n_in or side % rows or side % columns:
        raise TopologyError(
            f"input_order is of tiles of {rows} by {columns} with {n_in} inputs, allowed are divisors of the "
            "side of a square image"
        )
    places = np.arange(n_in).reshape(side // rows, rows, side // columns, columns)
    return tuple(places.swapaxes(1, 2).ravel().tolist())


def neighbours(stage: Stage, pixels: Sequence[int] = ()) -> tuple[int, ...]:
    """The order in which a first stage reads neighbours in a square image: the `pixels`, in the order of
    `tiles` unless given in another, are dealt to its outputs in turn, to each those that it reads and none
    before it does. A block of the interleaved ones then reads a piece of the image, an output of a fold
    pixels that touch. Raises TopologyError as `tiles` does.
    """
    read = stage.columns()
    _, first = np.unique(read, return_index=True)
    dealt = read[np.sort(first)]
    order = np.empty(stage.n_in, dtype=np.int64)
    order[np.concatenate((dealt, np.setdiff1d(np.arange(stage.n_in), dealt)))] = pixels or tiles(stage.n_in)
    return tuple(order.tolist())


ORDERS: Mapping[str, Callable[[Stage], tuple[int, ...]]] = {
    "tiles": lambda stage: tiles(stage.n_in),
    "neighbours": neighbours,
}
"""What a recipe calls an order that follows from the first stage."""


def compression_of(dense_weights: int, stored_weights: int) -> float:
    """Dense weights divided by stored weights; infinite where none is stored."""
    return dense_weights / stored_weights if stored_weights else math.inf


@dataclass(frozen=True)
class Topology:
    """The layers of a network; raises `TopologyError` where sizes do not chain.

    `skips` has one flag a stage, in the order in which data meets them, or is empty where no stage is
    skipped; all flags down is stored as empty. Only a stage with as many outputs as inputs may be skipped.

    `input_digits` is the order in which the first stage sees the inputs of the network: they are numbered in
    this mixed radix, most significant digit first, and come in the order of the reversed digits, as those of
    a fast Fourier transform do. It is empty where they come as they are. With digits (b, k), block i of b
    interleaved ones, which reads the places i, b + i, 2 b + i ..., sees the neighbours i k to i k + k - 1.
    `input_order` states any other order: the input that stands at each place. One of the two is empty.
    """

    layers: tuple[tuple[Stage, ...], ...]
    skips: tuple[bool, ...] = ()
    input_digits: tuple[int, ...] = ()
    input_order: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        layers = tuple(tuple(layer) for layer in self.layers)
        object.__setattr__(self, "layers", layers)
        if not layers or not all(layers):
            raise TopologyError("layers has an empty entry or none, allowed is at least one stage a layer")
        stages = self.stages
        for number, (before, after) in enumerate(itertools.pairwise(stages), start=1):
            if before.n_out != after.n_in:
                raise TopologyError(
                    f"n_in of stage {number} is {after.n_in}, allowed is {before.n_out}, "
                    f"the n_out of stage {number - 1}"
                )
        object.__setattr__(self, "skips", self._checked_skips())
        object.__setattr__(self, "input_digits", self._checked_digits())
        object.__setattr__(self, "input_order", checked_order(self.input_order, self.n_in))
        if self.input_digits and self.input_order:
            raise TopologyError("input_order is given with input_digits, allowed is one of the two")

    def _checked_digits(self) -> tuple[int, ...]:
        digits = tuple(
            whole_number("the order of inputs", "input_digits", each) for each in self.input_digits
        )
        if digits and math.prod(digits) != self.n_in:
            raise TopologyError(
                f"input_digits is {list(digits)}, whose product is {math.prod(digits)}, allowed is the "
                f"number of inputs, {self.n_in}"
            )
        return digits

    def _checked_skips(self) -> tuple[bool, ...]:
        skips, stages = tuple(self.skips), self.stages
        if skips and len(skips) != len(stages):
            raise TopologyError(
                f"skips has {len(skips)} entries, allowed are {len(stages)}, one a stage, or none"
            )
        for number, (skip, stage) in enumerate(zip(skips, stages, strict=False)):
            if not isinstance(skip, bool | np.bool_):
                raise TopologyError(f"skips of stage {number} is {skip!r}, allowed is true or false")
            if skip and stage.n_in != stage.n_out:
                raise TopologyError(
                    f"skips of stage {number} is true, with {stage.n_in} inputs and {stage.n_out} outputs, "
                    "allowed is false where the two differ"
                )
        return tuple(bool(skip) for skip in skips) if any(skips) else ()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Every stage, in the order in which data meets them."""
        return tuple(stage for layer in self.layers for stage in layer)

    @property
    def skipped(self) -> tuple[bool, ...]:
        """For every stage, whether an identity connection runs beside it."""
        return self.skips or (False,) * len(self.stages)

    @property
    def ends_layer(self) -> tuple[bool, ...]:
        """For every stage, whether it is the last of its layer."""
        return tuple(place == len(layer) - 1 for layer in self.layers for place in range(len(layer)))

    @property
    def n_in(self) -> int:
        """Inputs of the network."""
        return self.layers[0][0].n_in

    @property
    def input_places(self) -> tuple[int, ...]:
        """The input of the network that stands at each place of the first stage, whichever field says so;
        empty where they come as they are."""
        digits = digit_reversed(self.input_digits).tolist() if self.input_digits else ()
        return self.input_order or checked_order(digits, self.n_in)

    @property
    def n_out(self) -> int:
        """Outputs of the network."""
        return self.layers[-1][-1].n_out

    @property
    def stored_weights(self) -> int:
        """Number of weights kept; an identity connection has none."""
        return sum(stage.stored_weights for stage in self.stages)

    @property
    def dense_weights(self) -> int:
        """Number of weights that the same layers would have if they were dense."""
        return sum(layer[0].n_in * layer[-1].n_out for layer in self.layers)

    @property
    def compression(self) -> float:
        """Dense weights divided by stored weights, infinite where none is kept."""
        return compression_of(self.dense_weights, self.stored_weights)

    @property
    def shape(self) -> str:
        """The widths from layer to layer, with the number of stages of each: 784-(2)-300-(1)-10."""
        return "-".join([str(self.n_in), *(f"({len(layer)})-{layer[-1].n_out}" for layer in self.layers)])

    def __repr__(self) -> str:
        shape = self.shape if len(self.shape) <= MOST_SHOWN else f"{self.shape[:MOST_SHOWN]}..."
        skips = f", {sum(self.skips)} skips" if self.skips else ""
        return f"<Topology {shape}, {self.stored_weights:,} weights{skips}>"

    def skipped_in(self, layer: int) -> tuple[bool, ...]:
        """For every stage of a layer, whether it is skipped."""
        first = sum(len(before) for before in self.layers[:layer])
        return self.skipped[first : first + len(self.layers[layer])]

    def paths(self, layer: int) -> NDArray[np.int64]:
        """Number of paths from every input to every output of a layer, shape (n_out, n_in).

        Identity connections are paths too. Raises `TopologyError` where a count might not fit 64 bits.
        """
        return path_counts(self.layers[layer], self.skipped_in(layer))

    def is_fully_connected(self, layer: int | None = None) -> bool:
        """Whether every output of the layer (of each layer, if none is named) depends on all its inputs."""
        chosen = range(len(self.layers)) if layer is None else (layer,)
        return all(is_fully_connected(self.layers[number], self.skipped_in(number)) for number in chosen)


def skips_of(layers: Sequence[Sequence[Stage]], wanted: Sequence[bool] | None = None) -> tuple[bool, ...]:
    """The flags that skip every stage with as many outputs as inputs, for `Topology.skips`.

    `wanted` says for every layer whether its stages are skipped at all; without it, all layers are.
    """
    chosen = [True] * len(layers) if wanted is None else list(wanted)
    if len(chosen) != len(layers):
        raise TopologyError(f"wanted has {len(chosen)} entries, allowed are {len(layers)}, one a layer")
    flags = tuple(
        bool(skip and stage.n_in == stage.n_out)
        for skip, layer in zip(chosen, layers, strict=True)
        for stage in layer
    )
    return flags if any(flags) else ()
