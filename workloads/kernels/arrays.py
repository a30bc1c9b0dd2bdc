"""The arrays of the kernels: feature-major, so activations have shape (features, batch)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def alike(*arrays: Array) -> tuple[Array, ...]:
    """The arrays, contiguous and of one type, as compiled loops want them; a copy only where they are not."""
    dtype = np.result_type(*arrays)
    return tuple(np.ascontiguousarray(array, dtype) for array in arrays)
