"""The range of the inputs of a network, and the power of two by which it becomes integers.

There is one scale for all inputs and no offset, because the hardware takes signed activations and adds no
zero point: a range is as wide as its end further from zero.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal

IMAGES = (0.0, 1.0)
"""The range where nobody states another: that of images."""

INNER_PERCENTILE = 99.99
"""The share of magnitudes, in percent, that the format of inputs or of an inner stage must hold; what lies
above saturates."""


class RangeError(Refusal):
    """A range of inputs is no range."""


class InputWarning(UserWarning):
    """Some inputs are larger than an activation holds, and were cut off."""


def checked_range(field: str, ends: Any, error: type[Refusal] = RangeError) -> tuple[float, float]:
    """The two ends as numbers. Raises an `error` where they are not finite or do not rise."""
    allowed = "two finite numbers of 32-bit floats, the lower first"
    try:
        low, high = (float(end) for end in ends)
    except (TypeError, ValueError) as cause:
        raise error.of(field, ends, allowed) from cause
    largest = float(np.finfo(np.float32).max)
    if any(isinstance(end, bool | str) for end in ends) or not -largest <= low < high <= largest:
        raise error.of(field, (low, high), allowed)
    return low, high


def range_of(values: NDArray[Any]) -> tuple[float, float]:
    """The range of a network whose inputs are like these values, of any shape, zero within it.

    It is that of images where they lie in it and need its scale; else it goes from the least to the largest,
    without the one magnitude in ten thousand that is furthest out. Raises RangeError for values that are not
    finite, or for none.
    """
    finite = values.size and values.dtype.kind in "fiub" and bool(np.isfinite(values).all())
    if not finite:
        raise RangeError.of(
            "inputs", f"{values.dtype} of shape {values.shape}", "finite numbers, one or more"
        )
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    if low == 0 and (IMAGES[1] / 2 < high <= IMAGES[1] or high == 0):
        return IMAGES
    magnitudes = np.abs(values, dtype=np.float64, casting="unsafe")
    reach = float(np.percentile(magnitudes, INNER_PERCENTILE, method="higher"))
    if reach:
        low, high = max(low, -reach), min(high, reach)
    return checked_range("range of the inputs", (low, high))


def input_fraction_bits(ends: tuple[float, float], bits: int) -> int:
    """The most fraction bits with which a signed number of `bits` bits holds both ends; negative where they
    are further from zero than its largest value. An upper end that is a power of two is held but for its last
    step, so that 1 takes no bit from images."""
    reach, exponent = math.frexp(max(abs(end) for end in ends))
    return bits - 1 - (exponent - (reach == 0.5))
