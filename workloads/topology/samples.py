"""Samples of the inputs that a network is made for: what it is run on where nobody gives other inputs.

Switching, and with it energy, follows the data; a network of something else than digits must not be run on
digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal

MOST = 64
"""Samples that a network can carry."""

REPRESENTATIVE = 2
"""How many samples, from the first, stand for all where running one takes long: typical ones come first."""

_LEVELS = 255
"""Steps of a value that is stored in a byte, as the pixels of images are."""


class SamplesError(Refusal):
    """Samples are not inputs of the network that is to carry them."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs (k, n_in) as finite float32, 1 to 64 of them, typical ones first; `source` says in a few words
    where they are from. Raises SamplesError for anything else."""

    values: NDArray[np.float32]
    source: str

    def __post_init__(self) -> None:
        given = np.asarray(self.values)
        if given.dtype.kind not in "fiub":
            raise SamplesError.of("type of samples", str(given.dtype), "real numbers")
        with np.errstate(over="ignore"):
            values = np.array(given, dtype=np.float32)
        if values.ndim != 2 or not 1 <= len(values) <= MOST:
            raise SamplesError.of("shape of samples", values.shape, f"(k, n_in) with k from 1 to {MOST}")
        if not np.isfinite(values).all():
            span = f"{values.min()} to {values.max()}"
            raise SamplesError.of("span of samples", span, "finite numbers of 32 bits")
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    def __repr__(self) -> str:
        return f"<Samples: {len(self.values)} of {self.values.shape[1]} values, {self.source[:60]}>"

    def stored(self) -> NDArray[Any]:
        """The array that a file holds: bytes where every value is a whole number of 255ths, as of images."""
        in_bytes = np.rint(np.clip(self.values, 0, 1) * _LEVELS).astype(np.uint8)
        return in_bytes if np.array_equal(_from_bytes(in_bytes), self.values) else self.values

    @classmethod
    def restored(cls, stored: NDArray[Any], source: str) -> Samples:
        """The samples of what `stored` gave. Raises SamplesError for any other array."""
        if stored.dtype not in (np.uint8, np.float32):
            raise SamplesError.of("type of stored samples", stored.dtype, "uint8 or float32")
        return cls(_from_bytes(stored) if stored.dtype == np.uint8 else stored, source)


@dataclass(frozen=True, eq=False)
class IntegerSamples:
    """Inputs (n_in, k) as the integers that hardware is loaded with, typical ones first.

    `source` says what they are of, and the first `representative` stand for all where running one takes long.
    `saturated` counts the values that an activation could not hold.
    """

    inputs: NDArray[np.int64]
    source: str
    representative: int = REPRESENTATIVE
    saturated: int = 0

    def __post_init__(self) -> None:
        inputs = np.array(self.inputs, dtype=np.int64, order="C")
        inputs.setflags(write=False)
        object.__setattr__(self, "inputs", inputs)

    def __repr__(self) -> str:
        return f"<IntegerSamples: {self.inputs.shape[1]} of {len(self.inputs)} values, {self.source[:60]}>"


def _from_bytes(stored: NDArray[Any]) -> NDArray[np.float32]:
    return stored.astype(np.float32) / np.float32(_LEVELS)
