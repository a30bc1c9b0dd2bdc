"""The update of Adam in one compiled pass over the weights and their two moments, in place.

The bits are those of the same formula written with arrays; what is saved is the passes over memory.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from workloads.kernels.arrays import Array
from workloads.kernels.threads import share
from workloads.refusal import Refusal

PRODUCTS = 16
"""The update of one weight takes about as long as so many products of a compiled loop."""


def adam_update(
    weights: Sequence[Array],
    gradients: Sequence[Array],
    first: Sequence[Array],
    second: Sequence[Array],
    *,
    first_share: float,
    second_share: float,
    keep: float,
    size: float,
    scale: float,
    epsilon: float,
) -> None:
    """Adam in place, on arrays that correspond in number, type and shape, shared among threads as one range.

    first += first_share * (gradient - first); second += second_share * (gradient**2 - second);
    weights = keep * weights - size * first / (scale * sqrt(second) + epsilon).
    Raises a `Refusal` for weights or moments that are not contiguous.
    """
    from workloads.kernels.compiled import adam

    for name, arrays in (("weights", weights), ("first", first), ("second", second)):
        for array in arrays:
            if not array.flags.c_contiguous:
                raise Refusal(f"{name} has strides {array.strides}, allowed are those of a contiguous array")
    numbers = (first_share, second_share, keep, size, scale, epsilon)
    ends = [0, *itertools.accumulate(array.size for array in weights)]
    updates = [
        (begin, [array.reshape(-1) for array in arrays], [arrays[0].dtype.type(each) for each in numbers])
        for begin, arrays in zip(ends, zip(weights, gradients, first, second, strict=True), strict=False)
    ]

    def part(start: int, stop: int) -> None:
        for begin, arrays, values in updates:
            lower, upper = max(start - begin, 0), stop - begin
            if lower < arrays[0].size and upper > 0:
                ours, slopes, means, squares = (array[lower:upper] for array in arrays)
                adam(ours, slopes, means, squares, *values)

    share(ends[-1], PRODUCTS * ends[-1], part)
