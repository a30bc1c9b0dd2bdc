"""The update of Adam in one compiled pass over the weights and their two moments, in place.

The bits are those of the same formula written with arrays; what is saved is the passes over memory.
"""

from __future__ import annotations

from workloads.kernels import Array
from workloads.kernels_threads import share

# The update of one weight takes about as long as so many products of a compiled loop.
PRODUCTS = 16


def adam_update(
    weights: Array,
    gradient: Array,
    first: Array,
    second: Array,
    *,
    first_share: float,
    second_share: float,
    keep: float,
    size: float,
    scale: float,
    epsilon: float,
) -> None:
    """Adam in place, on arrays of one type and shape.

    first += first_share * (gradient - first); second += second_share * (gradient**2 - second);
    weights = keep * weights - size * first / (scale * sqrt(second) + epsilon).
    Raises `ValueError` for weights or moments that are not contiguous.
    """
    from workloads.kernels_compiled import adam

    for name, array in (("weights", weights), ("first", first), ("second", second)):
        if not array.flags.c_contiguous:
            raise ValueError(f"{name} has strides {array.strides}; it must be contiguous to change in place.")
    arrays = [array.reshape(-1) for array in (weights, gradient, first, second)]
    numbers = [weights.dtype.type(each) for each in (first_share, second_share, keep, size, scale, epsilon)]

    def part(start: int, stop: int) -> None:
        values, slopes, means, squares = (array[start:stop] for array in arrays)
        adam(values, slopes, means, squares, *numbers)

    share(weights.size, PRODUCTS * weights.size, part)
