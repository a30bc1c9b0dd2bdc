"""Stencils: stages whose outputs all read at the same distances from their own place, so that no index is
needed.

The places of a stage are a ring, on which a distance is added, or a power of two, on which it is taken by
exclusive or. A vector longer than the places is several tiles of them. A cyclic stage and a torus are
stencils on a ring, a hypercube is one by exclusive or. What a row does not store is a weight of zero there:
in a torus each place reads both its neighbour and the place where a row that closes goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workloads import Stage

MOST_DISTANCES = 32
"""Distances of a stencil, from which on a stage is taken for irregular: each is a field of the descriptor."""

MOST_PADDING = 2.5
"""Products of a stencil for each weight that is stored, from which on it is taken for irregular. With 16 PEs
one of an index is then as fast."""


@dataclass(frozen=True)
class Stencil:
    """Output j reads, in each of so many `tiles` of `places` words, the places that lie at the `distances`,
    of which the first is 0, from j: j + d on the ring of all tiles, or with `xors` j xor d."""

    places: int
    tiles: int
    distances: tuple[int, ...]
    xors: bool

    @property
    def taps(self) -> int:
        return self.tiles * len(self.distances)

    @property
    def length(self) -> int:
        """Words of all tiles."""
        return self.tiles * self.places

    @property
    def strides(self) -> tuple[int, ...]:
        """From each distance to the next one, and from the last one to the first, on a ring in the next
        tile."""
        following = [*self.distances[1:], 0 if self.xors else self.places]
        if self.xors:
            return tuple(a ^ b for a, b in zip(self.distances, following, strict=True))
        return tuple((b - a) % self.length for a, b in zip(self.distances, following, strict=True))

    def addresses(self, outputs: NDArray[np.int64]) -> NDArray[np.int64]:
        """The word that each output reads at each tap, shape (outputs, taps)."""
        own, distances = outputs[:, None] % self.length, np.array(self.distances)
        first = own ^ distances if self.xors else own + distances
        tile = np.arange(self.tiles)[:, None] * self.places
        words: NDArray[np.int64] = (first[:, None] + tile) % self.length
        return words.reshape(len(outputs), self.taps)

    def rows_read(self, pes: int) -> NDArray[np.bool_]:
        """At which taps of a group words are read, shape (taps,): by exclusive or those of a row of `pes`
        words are already there where only the place in it changes."""
        if not self.xors:
            return np.ones(self.taps, dtype=bool)
        row = np.tile(np.array(self.distances) // pes, self.tiles)
        rows: NDArray[np.bool_] = np.diff(row, prepend=-1) != 0
        rows[:: len(self.distances)] = True
        return rows


def stencil_of(stage: Stage, pes: int) -> Stencil | None:
    """The stencil of this stage that takes the fewest cycles; `None` where it has none that is worth it."""
    stored = stage.stored_weights
    fitting = [
        stencil
        for stencil in (*_by_exclusive_or(stage, pes), *_on_rings(stage))
        if stencil.taps * stage.n_out <= MOST_PADDING * stored
    ]

    def cost(stencil: Stencil) -> tuple[int, bool]:
        # A zero that is appended to the vector is taken to cost the stage before as many taps.
        return stencil.taps * (stage.n_out + stencil.length - stage.n_in), not stencil.xors

    return min(fitting, key=cost, default=None)


def _entries(stage: Stage) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of every weight."""
    return np.repeat(np.arange(stage.n_out), stage.row_lengths()), stage.columns()


def _by_exclusive_or(stage: Stage, pes: int) -> Iterator[Stencil]:
    """On places of whole rows of so many words; 0 for none."""
    if not pes or pes & (pes - 1):
        return
    row, column = _entries(stage)
    places = pes
    while places < 2 * stage.n_in:
        mask = places - 1
        distances = np.unique(np.append((row ^ column) & mask, 0))
        if len(distances) <= MOST_DISTANCES:
            yield Stencil(places, -(-stage.n_in // places), tuple(distances.tolist()), xors=True)
        places *= 2


def _on_rings(stage: Stage) -> Iterator[Stencil]:
    row, column = _entries(stage)
    apart = column - row
    for places in range(1, stage.n_in + 1):
        present = np.bincount(apart % places, minlength=places)
        present[0] = 1
        if np.count_nonzero(present) <= MOST_DISTANCES:
            distances = tuple(np.flatnonzero(present).tolist())
            yield Stencil(places, -(-stage.n_in // places), distances, xors=False)
