"""The entries of a pruned stage: its rows dealt to PEs, its indices encoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.engine.gather.encoding import IndexEncoding
from workloads import IntegerStage


@dataclass(frozen=True, eq=False)
class DealtStage:
    """The rows of one stage in the order in which they are worked off, PE after PE.

    `addresses` and `weights` of all kept weights, rows one after the other and addresses rising in each;
    `starts` where each row begins, with the end at last; `biases` the words of bias of each row, shape
    (rows, words); `row_pe` the PE of each row; empty rows too.
    """

    addresses: NDArray[np.int64]
    weights: NDArray[np.int64]
    starts: NDArray[np.int64]
    biases: NDArray[np.int64]
    row_pe: NDArray[np.int64]
    pes: int

    def entries_of_rows(self, encoding: IndexEncoding) -> NDArray[np.int64]:
        """Entries of each row, padding included, at least those of one index."""
        filled = self.starts[:-1][np.diff(self.starts) > 0]
        taken = encoding.entries(self.addresses, filled)
        total = np.concatenate([[0], np.cumsum(taken)])
        lengths: NDArray[np.int64] = np.diff(total[self.starts]) + self.biases.shape[1]
        lengths[lengths == 0] = encoding.run
        return lengths

    def indices_of(self, entries: NDArray[np.int64], encoding: IndexEncoding) -> NDArray[np.int64]:
        """Indices of each row, at least one, by its entries."""
        biases = self.biases.shape[1]
        indices: NDArray[np.int64] = (entries - biases) // encoding.run + biases
        return indices

    def comes_in_runs(self, run: int) -> bool:
        """Whether the addresses of every row are runs of so many, each from a multiple of it on."""
        if (np.diff(self.starts) % run).any():
            return False
        runs = self.addresses.reshape(-1, run)
        return bool((runs == runs[:, :1] + np.arange(run)).all() and (runs[:, 0] % run == 0).all())

    def encoded(self, encoding: IndexEncoding) -> EncodedStage:
        """The entries of each PE."""
        lists: list[list[tuple[NDArray[np.int64], ...]]] = [[] for _ in range(self.pes)]
        for row, pe in enumerate(self.row_pe):
            kept = slice(self.starts[row], self.starts[row + 1])
            lists[pe].append(encoding.encode_row(self.addresses[kept], self.weights[kept], self.biases[row]))
        none = np.zeros(0, dtype=np.int64)
        joined = [[np.concatenate([none, *(part[i] for part in rows)]) for i in range(3)] for rows in lists]
        return EncodedStage(
            indices=tuple(part[0] for part in joined),
            weights=tuple(part[1] for part in joined),
            addresses=tuple(part[2] for part in joined),
            row_lengths=tuple(np.array([len(part[1]) for part in rows], dtype=np.int64) for rows in lists),
            run=encoding.run,
            stored=len(self.weights),
            biases=self.biases.size,
        )


@dataclass(frozen=True, eq=False)
class EncodedStage:
    """The entries of each PE: index words, of which one may stand for a `run` of entries, weights, the
    addresses they visit (-1 for a bias, which reads none and has an index of its own), and how many make a
    row."""

    indices: tuple[NDArray[np.int64], ...]
    weights: tuple[NDArray[np.int64], ...]
    addresses: tuple[NDArray[np.int64], ...]
    row_lengths: tuple[NDArray[np.int64], ...]
    stored: int
    biases: int
    run: int = 1

    @property
    def entries(self) -> NDArray[np.int64]:
        """Entries of each PE, shape (pes,)."""
        return np.array([len(part) for part in self.weights], dtype=np.int64)

    @property
    def index_entries(self) -> NDArray[np.int64]:
        """Indices of each PE, shape (pes,)."""
        return np.array([len(part) for part in self.indices], dtype=np.int64)

    @property
    def begins_index(self) -> tuple[NDArray[np.int64], ...]:
        """Of every entry of each PE the number of the index that it begins, or -1 where it shares that of the
        entry before it."""
        begun = []
        for addresses in self.addresses:
            begins = (addresses < 0) | (addresses % self.run == 0)
            begun.append(np.where(begins, np.cumsum(begins) - 1, -1))
        return tuple(begun)

    def banks(self, bank_bits: int) -> list[NDArray[np.int64]]:
        """The bank that each entry of each PE reads: the low bits of its address; -1 where it reads none."""
        mask = (1 << bank_bits) - 1
        return [np.where(addresses < 0, -1, addresses & mask) for addresses in self.addresses]

    @property
    def outputs(self) -> int:
        return sum(len(rows) for rows in self.row_lengths)


def deal_stage(
    integer: IntegerStage,
    biases: NDArray[np.int64],
    read_from: NDArray[np.int64],
    positions: NDArray[np.int64],
    pes: int,
) -> DealtStage:
    """Puts the rows of a stage in order of PE and place, and their weights in order of address."""
    lengths = integer.stage.row_lengths()
    addresses = read_from[integer.stage.columns()]
    place, pe = np.divmod(positions, pes)
    row_of_weight = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((addresses, place[row_of_weight], pe[row_of_weight]))
    rows = np.lexsort((place, pe))
    return DealtStage(
        addresses=addresses[order],
        weights=integer.weights.ravel()[order],
        starts=np.concatenate([[0], np.cumsum(lengths[rows])]),
        biases=biases[rows],
        row_pe=pe[rows],
        pes=pes,
    )
