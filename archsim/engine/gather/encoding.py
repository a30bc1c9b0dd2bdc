"""Indices beside weights: absolute addresses, or distances from the last one with padding where they are far.

A row of entries is a list of increasing activation addresses. An absolute index is the address. A relative
index of b bits is the distance to the address before it, less one (a row starts from address -1); a distance
over 2^b is bridged by entries with weight zero. Each index carries one more bit that ends the row.

Where the addresses of every row come in runs, of as many as a power of two from a multiple of it on, one
absolute index stands for a run: the rest of an address is counted. So blocks that are full share their index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_BIASES = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class IndexEncoding:
    """How an index is written: `bits` without the row-end flag, whether it is a distance, and the weights of
    a `run` that share one."""

    bits: int
    relative: bool
    run: int = 1

    def __str__(self) -> str:
        if self.relative:
            return f"distances of {self.bits} bits"
        return f"addresses of {self.bits} bits" + (f", one for {self.run} weights" if self.run > 1 else "")

    def entries(self, addresses: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many entries each weight takes, itself and the padding before it. `starts` are the places
        where a row begins."""
        if not self.relative:
            return np.ones(len(addresses), dtype=np.int64)
        return -(-_distances(addresses, starts) >> self.bits)

    def encode_row(
        self,
        addresses: NDArray[np.int64],
        weights: NDArray[np.int64],
        biases: NDArray[np.int64] = NO_BIASES,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Index words (with the row-end flag on top), weights and addresses of a row's entries, padding
        included, after its biases, whose address is -1. An empty row is one index of weights zero, for its
        end must be marked."""
        if not len(addresses) and len(biases):
            indices, padded, visited = (np.zeros(0, dtype=np.int64) for _ in range(3))
        else:
            indices, padded, visited = self._encode_weights(addresses, weights)
        indices = np.concatenate([np.zeros(len(biases), dtype=np.int64), indices])
        indices[-1] |= 1 << self.bits
        visited = np.concatenate([np.full(len(biases), -1, dtype=np.int64), visited])
        return indices, np.concatenate([biases, padded]), visited

    def _encode_weights(
        self, addresses: NDArray[np.int64], weights: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Indices without a flag, weights and addresses of a row's weights, padding included."""
        if not len(addresses):
            addresses, weights = np.arange(self.run), np.zeros(self.run, dtype=np.int64)
        if self.run > 1:
            return addresses[:: self.run] // self.run, weights, addresses
        taken = self.entries(addresses, np.zeros(1, dtype=np.int64))
        last = np.cumsum(taken) - 1
        padded = np.zeros(int(taken.sum()), dtype=np.int64)
        padded[last] = weights
        if self.relative:
            steps = np.full(len(padded), 1 << self.bits, dtype=np.int64)
            steps[last] = _distances(addresses, np.zeros(1, dtype=np.int64)) - ((taken - 1) << self.bits)
            indices, visited = steps - 1, np.cumsum(steps) - 1
        else:
            indices, visited = addresses.copy(), addresses
        return indices, padded, visited


def _distances(addresses: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    distances = np.diff(addresses, prepend=-1)
    distances[starts] = addresses[starts] + 1
    return distances


def candidates(highest_address: int, fetch_bits: int, kind: str, run: int = 1) -> list[IndexEncoding]:
    """The encodings that reach `highest_address` and fit a fetch; `kind`: auto, absolute, relative. Where
    weights come in runs, an absolute index is one of a run."""
    if run > 1:
        bits = max(1, (highest_address // run).bit_length())
        return (
            [IndexEncoding(bits, relative=False, run=run)] if kind != "relative" and bits < fetch_bits else []
        )
    full = max(1, highest_address.bit_length())
    absolute = [IndexEncoding(full, relative=False)] if kind != "relative" else []
    relative = [IndexEncoding(b, relative=True) for b in range(1, max(full, 2))] if kind != "absolute" else []
    return [encoding for encoding in [*absolute, *relative] if encoding.bits < fetch_bits]


def deal_rows(lengths: Sequence[int] | NDArray[np.int64], pes: int) -> NDArray[np.int64]:
    """Deals rows to PEs so that their entries balance: longest first, always to the PE with the least so far
    that has a place left (PE p has one more place where p < rows mod pes). Returns each row's position,
    place * pes + PE."""
    rows = len(lengths)
    places = np.full(pes, rows // pes) + (np.arange(pes) < rows % pes)
    load, used = np.zeros(pes, dtype=np.int64), np.zeros(pes, dtype=np.int64)
    positions = np.empty(rows, dtype=np.int64)
    for row in np.argsort(-np.asarray(lengths), kind="stable"):
        open_load = np.where(used < places, load, np.iinfo(np.int64).max)
        pe = int(np.argmin(open_load))
        positions[row] = used[pe] * pes + pe
        used[pe] += 1
        load[pe] += lengths[row]
    return positions
