"""One rule for layers that are not of the size that a family is defined for.

Many families connect a square of m places, where m is a power, or a product of sides. A layer of n_in inputs
and n_out outputs uses the largest such m that exceeds neither, and wraps around it: input i enters at place
i mod m, output j leaves at place j mod m. So the first stage is the family's stage with its columns
repeated, the last with its rows repeated, those between are square. No stage is added, no place is left
unused, paths stay as many as in the square, and the layer is fully connected exactly if the square is. Where
n_in and n_out are multiples of m this is the Kronecker product with a matrix of ones by which RadiX-Nets
(Kepner and Robinett, arXiv 1905.00416) grow from square to any shape.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse

from workloads.stages import (
    CscStage,
    KroneckerStage,
    PrunedStage,
    Stage,
    TopologyError,
    whole_number,
)


def wrap(core: Sequence[Stage], n_in: int, n_out: int, *, owner: str, width: int = 1) -> tuple[Stage, ...]:
    """The square cascade `core` with n_in inputs and n_out outputs, and `width` * m places between stages."""
    places = core[0].n_in
    check_places(owner, places, n_in, n_out, sparse_alone=len(core) == 1 and core[0].density < 1)
    sizes = [n_in, *[width * places] * (len(core) - 1), n_out]
    return tuple(tiled(stage, a, b) for stage, a, b in zip(core, sizes[:-1], sizes[1:], strict=True))


def wrapped_weights(
    fan_ins: Sequence[int], places: int, n_in: int, n_out: int, *, owner: str, width: int = 1
) -> int:
    """Weights of a wrapped cascade whose square stages have these fan-ins, equal to their fan-outs.

    A stage from a to b places stores F a b / m.
    """
    check_places(owner, places, n_in, n_out, sparse_alone=len(fan_ins) == 1 and fan_ins[0] < places)
    sizes = [n_in, *[width * places] * (len(fan_ins) - 1), n_out]
    pairs = zip(fan_ins, sizes[:-1], sizes[1:], strict=True)
    return sum(fan_in * a * b // places for fan_in, a, b in pairs)


def tiled(stage: Stage, n_in: int, n_out: int) -> Stage:
    """The stage repeated over and cut to (n_out, n_in): row j is its row j mod m, and columns alike.

    The result is of a regular kind where one describes it, and a `PrunedStage` otherwise.
    """
    if (stage.n_in, stage.n_out) == (n_in, n_out):
        return stage
    if isinstance(stage, CscStage) and n_in == stage.n_in:
        return CscStage(n_in, n_out, stage.fan_in, stage.stride)
    across, down = -(-n_in // stage.n_in), -(-n_out // stage.n_out)
    whole = (across * stage.n_in, down * stage.n_out) == (n_in, n_out)
    if isinstance(stage, KroneckerStage) and stage.left == 1 and whole:
        return KroneckerStage(1, down * stage.outputs, across * stage.inputs, stage.right)
    square = stage.adjacency()
    row = scipy.sparse.hstack([square] * across, format="csr")[:, :n_in]
    return from_matrix(scipy.sparse.vstack([row] * down, format="csr")[:n_out])


def from_matrix(matrix: scipy.sparse.csr_array) -> PrunedStage:
    """The stage that stores a weight at every entry of a matrix (n_out, n_in)."""
    matrix.sort_indices()
    n_out, n_in = matrix.shape
    return PrunedStage(n_in, n_out, matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64))


def from_columns(n_in: int, columns: np.ndarray) -> PrunedStage:
    """The stage whose output j reads the inputs columns[j], distinct ones, as many for every output."""
    n_out, fan_in = columns.shape
    return PrunedStage(n_in, n_out, np.arange(n_out + 1) * fan_in, np.sort(columns, axis=1).ravel())


def largest_power(owner: str, base: int, limit: int) -> int:
    """The largest power of `base` that is at most `limit`, and at least `base`."""
    power = whole_number(owner, "radix", base, 2, limit, "the smaller side of the layer")
    while power * base <= limit:
        power *= base
    return power


def exact_power(owner: str, base: int, places: int) -> int:
    """k where `places` is base^k with k of at least 1, or a `TopologyError`."""
    exponent, power = 0, 1
    while power < whole_number(owner, "places", places):
        exponent, power = exponent + 1, power * base
    if power != places or not exponent:
        raise TopologyError(f"places of {owner} is {places}, allowed is a power of {base}")
    return exponent


def powers_of(base: int, limit: int) -> list[int]:
    """The powers of `base` from base^2 to `limit`, the largest first."""
    powers = [base**k for k in range(2, max(2, math.ceil(math.log2(limit + 1))) + 1)]
    return [power for power in reversed(powers) if power <= limit]


def divisors(number: int) -> list[int]:
    """The divisors of a number, those nearest to its root (in ratio) first; of equals, the smaller."""
    every = [divisor for divisor in range(1, number + 1) if number % divisor == 0]
    return sorted(every, key=lambda divisor: max(divisor, number // divisor))


def dividing(owner: str, name: str, value: Any, size_name: str, size: int) -> int:
    """`value` as an int that divides `size`, or a `TopologyError`."""
    if size % whole_number(owner, name, value):
        raise TopologyError.of(f"{name} of {owner}", value, f"divisors of {size_name}, which is {size}")
    return int(value)


def check_places(owner: str, places: int, n_in: int, n_out: int, *, sparse_alone: bool) -> None:
    """Raise a `TopologyError` for more places than a side of the layer has, or where a sparse stage stands
    alone and neither side is a multiple of the places: that would leave fan-ins to the remainders."""
    whole_number(owner, "places", places, 1, min(n_in, n_out), "the smaller side of the layer")
    if sparse_alone and n_in % places and n_out % places:
        raise TopologyError(
            f"stages of {owner} are 1 on {places} places, allowed are 2 or more, or n_in or n_out "
            f"(here {n_in} and {n_out}) a multiple of the places"
        )
