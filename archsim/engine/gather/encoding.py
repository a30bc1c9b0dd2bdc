"""Indices beside weights: absolute addresses, or distances from the last one with padding where they are far.

A row of entries is a list of increasing activation addresses. An absolute index is the address. A relative
index of b bits is the distance to the address before it, less one (a row starts from address -1); a distance
over 2^b is bridged by entries with weight zero. Each index carries one more bit that ends the row.

Where the addresses of every row come in runs, of as many as a power of two from a multiple of it on, one
absolute index stands for a run: the rest of an address is counted. Where several rows keep the same inputs,
PEs in lockstep share the list of one. So a block that is full has one index.

Where of every group of M inputs at most N are kept, an index is the place in its group, and groups are
counted: N entries each, those that are missing with weight zero. All rows of a stage then have as many
entries, so that none needs a bit that ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_GROUP = 32
"""The most inputs of a group of which some are kept."""

NO_BIASES = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class IndexEncoding:
    """How an index is written: `bits` without the row-end flag, whether it is a distance, the weights of a
    `run` that share one, the inputs of a `group` that are counted (1 where none are), and the PEs in
    `lockstep` that share a list."""

    bits: int
    relative: bool
    run: int = 1
    group: int = 1
    lockstep: int = 1

    def __str__(self) -> str:
        bits = f"{self.bits} bit" + ("s" if self.bits > 1 else "")
        if self.group > 1:
            written, shared = f"places of {bits} in groups of {self.group}", f"one for {self.lockstep} rows"
        elif self.relative:
            written, shared = f"distances of {bits}", f"one for {self.lockstep} rows"
        else:
            written, shared = f"addresses of {bits}", f"one for {self.run} weights"
            if self.lockstep > 1:
                shared = f"one for {self.lockstep} x {self.run} weights"
        return written + (f", {shared}" if self.run * self.lockstep > 1 else "")

    @property
    def word_bits(self) -> int:
        """Bits of an index with its row-end flag, which where groups are counted it has none of."""
        return self.bits + (self.group == 1)

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
        included, after its biases, whose address is -1. Weights and biases have a second axis where lanes
        share an index. An empty row is one index of weights zero, for its end must be marked; where groups
        are counted its entries are those of `filled_groups`."""
        if not len(addresses) and len(biases):
            indices, padded, visited = addresses, weights, addresses
        else:
            indices, padded, visited = self._encode_weights(addresses, weights)
        indices = np.concatenate([np.zeros(len(biases), dtype=np.int64), indices])
        if self.group == 1:
            indices[-1] |= 1 << self.bits
        visited = np.concatenate([np.full(len(biases), -1, dtype=np.int64), visited])
        return indices, np.concatenate([biases, padded]), visited

    def _encode_weights(
        self, addresses: NDArray[np.int64], weights: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Indices without a flag, weights and addresses of a row's weights, padding included."""
        lanes = weights.shape[1:]
        if not len(addresses):
            addresses, weights = np.arange(self.run), np.zeros((self.run, *lanes), dtype=np.int64)
        if self.group > 1:
            return addresses % self.group, weights, addresses
        if self.run > 1:
            return addresses[:: self.run] // self.run, weights, addresses
        taken = self.entries(addresses, np.zeros(1, dtype=np.int64))
        last = np.cumsum(taken) - 1
        padded = np.zeros((int(taken.sum()), *lanes), dtype=np.int64)
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


def candidates(
    highest_address: int, fetch_bits: int, kinds: Sequence[str], *, lanes: int = 1, run: int = 1
) -> list[IndexEncoding]:
    """The encodings that reach `highest_address` and fit a fetch, of some of the `kinds` absolute, relative
    and grouped. Where weights come in runs, an absolute index is one of a run."""
    full = max(1, (highest_address // run).bit_length())
    options = [IndexEncoding(full, relative=False, run=run, lockstep=lanes)] if "absolute" in kinds else []
    if run == 1 and "relative" in kinds:
        options += [IndexEncoding(bits, relative=True, lockstep=lanes) for bits in range(1, max(full, 2))]
    if run == 1 and "grouped" in kinds:
        options += [
            IndexEncoding(bits, relative=False, group=1 << bits, lockstep=lanes)
            for bits in range(1, MOST_GROUP.bit_length())
        ]
    return [encoding for encoding in options if encoding.word_bits <= fetch_bits]


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
