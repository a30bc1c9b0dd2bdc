"""Sums that are rounded once, of floats and of arrays: place by place they are what `math.fsum` gives."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_UNIT = 2.0**-53
"""The largest relative error of one rounding."""


def total(values: Iterable[Any]) -> Any:
    """The sum of floats, rounded once; of floats and arrays of shape (n,) the sums of each place, shape (n,).

    A sum that is rounded once is one number, however it was found: so arrays come out as `math.fsum` has it,
    to the last bit. They are added with the errors of the additions carried along (Knuth's TwoSum), and where
    what those may leave out could turn the last bit, that place is summed by `math.fsum` itself.
    """
    addends = list(values)
    arrays = [value for value in addends if isinstance(value, np.ndarray)]
    if not arrays:
        return math.fsum(addends)
    floats = [float(value) for value in addends if not isinstance(value, np.ndarray)]
    sums, doubtful = _carried(floats, arrays)
    for place in np.flatnonzero(doubtful):
        sums[place] = math.fsum([*floats, *(array[place] for array in arrays)])
    return sums


def _carried(floats: list[float], arrays: list[Floats]) -> tuple[Floats, NDArray[np.bool_]]:
    """The sums, and where they may not be the nearest floats."""
    whole = math.fsum(floats)
    sums = np.full(arrays[0].shape, whole)
    # What the first sum lost is one float, but for what is beyond twice the digits of a float.
    lost = np.full(arrays[0].shape, math.fsum([*floats, -whole]))
    sizes = np.full(arrays[0].shape, math.fsum(map(abs, floats)))
    with np.errstate(all="ignore"):
        for array in arrays:
            sums, more = _two_sum(sums, array)
            lost += more
            sizes += np.abs(array)
        rounded, rest = _two_sum(sums, lost)
        # Each of k additions to `lost` errs by a rounding of what is lost, which is k roundings of the sum.
        unknown = 2 * (len(arrays) + 2) ** 2 * _UNIT**2 * sizes
        half_step = 0.5 * np.spacing(np.nextafter(np.abs(rounded), 0.0))
        return rounded, ~(np.abs(rest) + unknown < half_step)


def _two_sum(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """The rounded sum, and exactly what rounding took from it (Knuth, The Art of Computer Programming, vol.
    2, section 4.2.2)."""
    summed = first + second
    of_second = summed - first
    return summed, (first - (summed - of_second)) + (second - of_second)
