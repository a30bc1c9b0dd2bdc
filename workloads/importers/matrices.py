"""From matrices and vectors, in an order or by name, to layers: which bias is whose, which layer comes when,
which side of a matrix is the outputs', and what follows each layer.

Only one reading is ever taken: the one that names, widths and what the user tells leave.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from workloads.importers.layers import Activation, Layer, Layers, Matrix
from workloads.topology.network import NetworkFileError

Layout = Literal["out_in", "in_out"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
"""Whether matrices are (n_out, n_in), as in y = W x, or (n_in, n_out), as in y = x W."""

ACTIVATIONS: dict[str, Activation] = {"relu": "relu", "none": "none", "linear": "none", "identity": "none"}
MONOTONE = ("softmax", "log_softmax")
"""What may follow the last layer and is left out, because it changes no order of the outputs."""

NOT_NAMED = "activation functions were not named: a ReLU was taken between layers, and none after the last"
NOT_TOLD = (
    "the matrix was read as (n_out, n_in), as in y = W x, because one matrix alone does not tell: "
    "layout in_out reads it as (n_in, n_out)"
)


@dataclass(frozen=True, eq=False)
class Part:
    """A matrix as it is given, on whichever side its outputs are, with its bias."""

    name: str
    matrix: Matrix
    bias: NDArray[Any] | None = None

    def widths(self, layout: Layout) -> tuple[int, int]:
        """Inputs and outputs of the layer in this reading."""
        rows, columns = self.matrix.shape
        return (columns, rows) if layout == "out_in" else (rows, columns)

    def fits(self, layout: Layout) -> bool:
        """Whether the bias has an entry for each output in this reading."""
        return self.bias is None or self.bias.shape == (self.widths(layout)[1],)


@dataclass(frozen=True)
class Reading:
    """One way to read parts: their order and the layout of all of them."""

    order: tuple[int, ...]
    layout: Layout


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the user says of matrices: `layout`, *auto* where widths decide; `activations`, a name for what
    stands between layers, or one a layer; `n_in`, the values of an input, where inputs are there."""

    layout: str = "auto"
    activations: str | Sequence[str] | None = None
    n_in: int | None = None
    options: tuple[str, ...] = field(default=("auto", *LAYOUTS), repr=False)

    def __post_init__(self) -> None:
        if self.layout not in self.options:
            raise NetworkFileError.of("layout", self.layout, self.options)

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The layouts that are left."""
        return tuple(layout for layout in LAYOUTS if self.layout in ("auto", layout))


def is_matrix(value: Any) -> bool:
    """Whether this is an array of NumPy or a sparse one of SciPy."""
    if isinstance(value, np.ndarray):
        return True
    import scipy.sparse

    return bool(scipy.sparse.issparse(value))


def vector(array: Matrix) -> NDArray[Any]:
    """An array of one dimension, sparse or not, as one of NumPy."""
    return np.asarray(array if isinstance(array, np.ndarray) else array.toarray())


def paired(named: Sequence[tuple[str, Matrix]]) -> list[Part]:
    """The parts of arrays in the order of the data, where a vector is the bias of the matrix before it."""
    parts: list[Part] = []
    for name, array in named:
        if array.ndim == 2:
            parts.append(Part(name, array))
        elif array.ndim == 1 and parts and parts[-1].bias is None:
            parts[-1] = Part(parts[-1].name, parts[-1].matrix, vector(array))
        else:
            allowed = "a matrix, or a vector that is the bias of the matrix before it"
            raise NetworkFileError.of(f"array {name}", f"{array.dtype} of shape {array.shape}", allowed)
    return parts


def layers_of(parts: Sequence[Part], told: Told, *, name: str, origin: str, ordered: bool = True) -> Layers:
    """The layers of parts, which are in the order of the data if `ordered`, else in the one that widths
    leave. Raises NetworkFileError, in a sentence that says what to tell, where they leave none or several."""
    if not parts:
        raise NetworkFileError.of(f"matrices of {origin}", "none", "at least one")
    reading, remarks = _reading(parts, told, ordered=ordered)
    chosen = [parts[place] for place in reading.order]
    names = [part.name for part in chosen]
    activations, said = _activations(names, told.activations)
    layers = tuple(
        Layer(part.name, part.matrix if reading.layout == "out_in" else part.matrix.T, part.bias, activation)
        for part, activation in zip(chosen, activations, strict=True)
    )
    return Layers(name, layers, origin, (*remarks, *said))


def _reading(parts: Sequence[Part], told: Told, *, ordered: bool) -> tuple[Reading, tuple[str, ...]]:
    orders = _in_order if ordered else _by_widths
    readings = [Reading(order, layout) for layout in told.layouts for order in orders(parts, layout)]
    if not readings and ordered and len(told.layouts) == 1:
        # What does not fit is named by the layers themselves.
        return Reading(tuple(range(len(parts))), told.layouts[0]), ()
    fitting = [one for one in readings if parts[one.order[0]].widths(one.layout)[0] == told.n_in]
    readings = fitting or readings
    if len(readings) == 1:
        return readings[0], ()
    if len(parts) == 1 and readings:
        return readings[0], (NOT_TOLD,)
    shapes = ", ".join(f"{part.name} {'×'.join(map(str, part.matrix.shape))}" for part in parts[:12])
    if not readings:
        raise NetworkFileError(
            f"shapes of matrices are {shapes}, allowed are those where the outputs of each, and the length "
            "of its bias, are the inputs of the next, read as (n_out, n_in) or as (n_in, n_out)"
        )
    if len({reading.layout for reading in readings}) == 1:
        raise NetworkFileError(
            f"order of matrices is not told by {shapes}, allowed are names that differ in numbers alone, or "
            "order, the names in the order in which data meets them"
        )
    raise NetworkFileError(
        f"layout is not told by {shapes}, which chain both as (n_out, n_in) and as (n_in, n_out), allowed "
        f"are {' and '.join(LAYOUTS)}"
    )


def _in_order(parts: Sequence[Part], layout: Layout) -> Iterator[tuple[int, ...]]:
    widths = [part.widths(layout) for part in parts]
    chain = all(before[1] == after[0] for before, after in itertools.pairwise(widths))
    if chain and all(part.fits(layout) for part in parts):
        yield tuple(range(len(parts)))


def _by_widths(parts: Sequence[Part], layout: Layout) -> list[tuple[int, ...]]:
    """The first two orders in which the outputs of each part are the inputs of the next."""
    if not all(part.fits(layout) for part in parts):
        return []
    orders: list[tuple[int, ...]] = []

    def extend(order: tuple[int, ...]) -> None:
        if len(order) == len(parts):
            orders.append(order)
        for place, part in enumerate(parts):
            follows = not order or part.widths(layout)[0] == parts[order[-1]].widths(layout)[1]
            if follows and place not in order and len(orders) < 2:
                extend((*order, place))

    extend(())
    return orders


def _activations(
    names: Sequence[str], told: str | Sequence[str] | None
) -> tuple[list[Activation], tuple[str, ...]]:
    """What follows each layer, and what has to be said of it."""
    count, remarks = len(names), list[str]()
    if told is None:
        told, remarks = "relu", [NOT_NAMED] if count > 1 else []
    if isinstance(told, str):
        told = [told] * (count - 1)
    given = list(told) if isinstance(told, list | tuple) else []
    if len(given) not in (count - 1, count):
        allowed = f"one name, one for each of the {count} layers, or one for each but the last"
        raise NetworkFileError.of("activations", told, allowed)
    if len(given) == count and given[-1] in MONOTONE:
        remarks.append(f"the {given[-1]} after layer {names[-1]} is left out: it changes no order of outputs")
        given[-1] = "none"
    for name, activation in zip(names, given, strict=False):
        if not isinstance(activation, str) or activation not in ACTIVATIONS:
            raise NetworkFileError.of(f"activation after layer {name}", activation, ACTIVATIONS)
    return [ACTIVATIONS[activation] for activation in [*given, "none"][:count]], tuple(remarks)
