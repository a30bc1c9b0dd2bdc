"""Weights by column: the rows of a stage dealt to PEs, and of each column the entries of each PE.

An entry is a weight and the number of rows of that PE before it, after the entry before, that have none. More
than `zeros_bits` can say are passed over by entries with weight zero. The biases of a stage are its first
columns, whose activation is a power of two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class DealtColumns:
    """The weights of one stage in the order in which a PE meets them: by PE, column and place.

    `pe`, `column` (those of biases first), `place` (the output of that PE) and `weight` of each, shape
    (weights,); `columns` how many there are, `bias_columns` of them of biases.
    """

    pe: NDArray[np.int64]
    column: NDArray[np.int64]
    place: NDArray[np.int64]
    weight: NDArray[np.int64]
    columns: int
    bias_columns: int
    pes: int

    @property
    def _gaps(self) -> NDArray[np.int64]:
        """Rows without a weight before each, shape (weights,)."""
        begins = np.ones(len(self.pe), dtype=bool)
        begins[1:] = (np.diff(self.pe) != 0) | (np.diff(self.column) != 0)
        gaps: NDArray[np.int64] = np.diff(self.place, prepend=-1) - 1
        gaps[begins] = self.place[begins]
        return gaps

    def entries(self, zeros_bits: int) -> int:
        """Entries of all PEs, padding included."""
        return int((self._gaps >> zeros_bits).sum()) + len(self.pe)

    def encoded(self, zeros_bits: int) -> EncodedColumns:
        """The entries of each PE, column after column."""
        gaps = self._gaps
        taken = (gaps >> zeros_bits) + 1
        last = np.cumsum(taken) - 1
        total = int(taken.sum())
        zeros = np.full(total, (1 << zeros_bits) - 1, dtype=np.int64)
        weights = np.zeros(total, dtype=np.int64)
        zeros[last], weights[last] = gaps & ((1 << zeros_bits) - 1), self.weight
        place, shape = self.pe * self.columns + self.column, (self.pes, self.columns)
        stored = np.bincount(place, minlength=self.pes * self.columns).reshape(shape)
        padding = np.zeros_like(stored).ravel()
        np.add.at(padding, place, taken - 1)
        counts = stored + padding.reshape(shape)
        # They lie in the order of PEs.
        parts = np.cumsum(counts.sum(axis=1))[:-1]
        return EncodedColumns(
            weights=tuple(np.split(weights, parts)),
            zeros=tuple(np.split(zeros, parts)),
            counts=counts,
            stored=stored,
            bias_columns=self.bias_columns,
        )


@dataclass(frozen=True, eq=False)
class EncodedColumns:
    """The entries of each PE: their `weights`, the `zeros` before them, how many each column has, and how
    many of those are no padding, shape (pes, columns)."""

    weights: tuple[NDArray[np.int64], ...]
    zeros: tuple[NDArray[np.int64], ...]
    counts: NDArray[np.int64]
    stored: NDArray[np.int64]
    bias_columns: int

    @property
    def entries(self) -> NDArray[np.int64]:
        """Entries of each PE, shape (pes,)."""
        of_pes: NDArray[np.int64] = self.counts.sum(axis=1)
        return of_pes

    @cached_property
    def _of_biases(self) -> list[int]:
        """Entries of each PE that are biases, its first ones."""
        counts: list[int] = self.counts[:, : self.bias_columns].sum(axis=1).tolist()
        return counts

    @cached_property
    def values(self) -> NDArray[np.int64]:
        """The weights of all entries but biases, padding included, each once, in rising order."""
        pairs = zip(self.weights, self._of_biases, strict=True)
        return np.unique(np.concatenate([weights[biases:] for weights, biases in pairs]))

    def codes(self, pe: int) -> NDArray[np.int64]:
        """The entries of a PE with the place of each weight among `values` in its stead; a bias stays what it
        is."""
        weights, biases = self.weights[pe], self._of_biases[pe]
        return np.concatenate([weights[:biases], np.searchsorted(self.values, weights[biases:])])
