"""Numbers of other types as the 32-bit floats of a network: what is finite stays so, what is not zero too,
since a zero in a matrix is a connection that does not exist."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.topology.network import NetworkFileError

LARGEST, NORMAL, SMALLEST = (
    float(limit)
    for limit in (
        np.finfo(np.float32).max,
        np.finfo(np.float32).smallest_normal,
        np.finfo(np.float32).smallest_subnormal,
    )
)
"""Of the magnitudes of 32-bit floats: the largest, the least of full precision, and the least."""

FINITE = "finite numbers that 32-bit floats hold"


def check_finite(field: str, values: NDArray[Any]) -> None:
    """Raises NetworkFileError, with the first value that is not finite or too large for 32-bit floats."""
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(values) <= np.float32(LARGEST))
    if wrong.any():
        first = values.ravel()[np.argmax(wrong.ravel())]
        raise NetworkFileError(f"{field} is {_shown(first)}, allowed are {FINITE}")


def narrowed(values: NDArray[Any]) -> NDArray[np.float32]:
    """Values as 32-bit floats; those that would become zero as the nearest that is not."""
    held: NDArray[np.float32] = values.astype(np.float32)
    if values.dtype.kind == "f" and values.dtype.itemsize > held.itemsize:
        lost = (held == 0) & (values != 0)
        held[lost] = np.copysign(np.float32(SMALLEST), values[lost])
    return held


def weights_held(field: str, weights: NDArray[Any]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Weights as 32-bit floats, and what has to be said where some are nearer to zero than those reach.

    Each is then off by less than the last place of the largest one. Raises NetworkFileError where that is not
    so, because the largest is so small itself: all of the layer would be something else.
    """
    held = narrowed(weights)
    largest = np.abs(weights).max(initial=0)
    if largest < NORMAL and (held != weights).any():
        raise NetworkFileError(
            f"the largest weight of {field} is {_shown(largest)}, allowed are those from {NORMAL:.3g} on, of "
            "which 32-bit floats hold every place: scale the layer"
        )
    small = int(((np.abs(weights) < SMALLEST) & (weights != 0)).sum())
    if not small:
        return held, ()
    told = (
        f"{small:,} of {weights.size:,} weights of {field} are nearer to zero than 32-bit floats reach, "
        f"and became {SMALLEST:.2g}: they are next to nothing, and still connections"
    )
    return held, (told,)


def _shown(number: Any) -> str:
    """A number of any type of floats, which Python's own may not hold."""
    return np.format_float_scientific(number, precision=3, trim="-").replace(".e", "e")
