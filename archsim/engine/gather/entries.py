"""The entries of a pruned stage: its rows dealt to PEs, its indices encoded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archsim.engine.gather.encoding import IndexEncoding
from workloads import IntegerStage


@dataclass(frozen=True, eq=False)
class DealtStage:
    """The rows of one stage in the order in which they are worked off, walker after walker. A walker is a PE,
    or several in lockstep, its `lanes`, whose rows are then one, of all that any of them keeps.

    `addresses` and `weights` (entries, lanes) of all kept weights, rows one after the other and addresses
    rising in each, in whole runs, weights that are not kept zero; `starts` where each row begins, with the
    end at last; `biases` the words of bias of each row, shape (rows, words, lanes); `row_walker` the walker
    of each row; `results` how many lanes have one in it; empty rows too. Of the `inputs` and of the network
    `kept` and `biased`: how many weights and words of bias it has.
    """

    addresses: NDArray[np.int64]
    weights: NDArray[np.int64]
    starts: NDArray[np.int64]
    biases: NDArray[np.int64]
    row_walker: NDArray[np.int64]
    results: NDArray[np.int64]
    walkers: int
    inputs: int
    kept: int
    biased: int

    @property
    def fits(self) -> bool:
        """Whether all addresses are of inputs, which whole runs may go beyond."""
        return int(self.addresses.max(initial=0)) < self.inputs

    def groups(self, group: int) -> int:
        """Into how many groups of so many the inputs fall, the last of which may be short."""
        return -(-self.inputs // group)

    def kept_of_group(self, group: int) -> int:
        """The most entries of any row in any group of so many inputs, at least one."""
        return _kept_of_group(self, group)

    def entries_of_rows(self, encoding: IndexEncoding) -> NDArray[np.int64]:
        """Entries of each row, padding included, at least those of one index."""
        biases = self.biases.shape[1]
        if encoding.group > 1:
            of_row = self.groups(encoding.group) * self.kept_of_group(encoding.group)
            return np.full(len(self.row_walker), of_row + biases, dtype=np.int64)
        filled = self.starts[:-1][np.diff(self.starts) > 0]
        taken = encoding.entries(self.addresses, filled)
        total = np.concatenate([[0], np.cumsum(taken)])
        lengths: NDArray[np.int64] = np.diff(total[self.starts]) + biases
        lengths[lengths == 0] = encoding.run
        return lengths

    def indices_of(self, entries: NDArray[np.int64], encoding: IndexEncoding) -> NDArray[np.int64]:
        """Indices of each row, at least one, by its entries."""
        biases = self.biases.shape[1]
        indices: NDArray[np.int64] = (entries - biases) // encoding.run + biases
        return indices

    def filled(self, group: int) -> DealtStage:
        """The same with as many entries in each group of so many inputs. What is added reads what the entry
        before it does, so that it moves nothing; in an empty group its first input."""
        rows, groups, kept = len(self.row_walker), self.groups(group), self.kept_of_group(group)
        row = np.repeat(np.arange(rows), np.diff(self.starts))
        of_group = row * groups + self.addresses // group
        first = np.searchsorted(of_group, of_group)
        slots = of_group * kept + np.arange(len(of_group)) - first
        addresses = np.tile(np.repeat(np.arange(groups, dtype=np.int64) * group, kept), rows)
        addresses[slots] = self.addresses
        weights = np.zeros((len(addresses), self.weights.shape[1]), dtype=np.int64)
        weights[slots] = self.weights
        return replace(
            self,
            addresses=np.maximum.accumulate(addresses.reshape(-1, kept), axis=1).ravel(),
            weights=weights,
            starts=np.arange(rows + 1) * groups * kept,
        )

    def encoded(self, encoding: IndexEncoding) -> EncodedStage:
        """The entries of each walker."""
        stage = self.filled(encoding.group) if encoding.group > 1 else self
        lists: list[list[tuple[NDArray[np.int64], ...]]] = [[] for _ in range(self.walkers)]
        for row, walker in enumerate(stage.row_walker):
            kept = slice(stage.starts[row], stage.starts[row + 1])
            lists[walker].append(
                encoding.encode_row(stage.addresses[kept], stage.weights[kept], stage.biases[row])
            )
        none = np.zeros(0, dtype=np.int64)
        nothing = (none, np.zeros((0, stage.weights.shape[1]), dtype=np.int64), none)
        joined = [
            [np.concatenate([empty, *(part[i] for part in rows)]) for i, empty in enumerate(nothing)]
            for rows in lists
        ]
        return EncodedStage(
            indices=tuple(part[0] for part in joined),
            weights=tuple(part[1] for part in joined),
            addresses=tuple(part[2] for part in joined),
            row_lengths=tuple(np.array([len(part[1]) for part in rows], dtype=np.int64) for rows in lists),
            results=tuple(self.results[self.row_walker == walker] for walker in range(self.walkers)),
            run=encoding.run,
            lockstep=encoding.lockstep,
            stored=self.kept,
            biases=self.biased,
            groups=self.groups(encoding.group) if encoding.group > 1 else 1,
            kept_of_group=self.kept_of_group(encoding.group) if encoding.group > 1 else 1,
        )


@dataclass(frozen=True, eq=False)
class EncodedStage:
    """The entries of each walker: index words, of which one may stand for a `run` of entries, weights
    (entries, lanes), the addresses they visit (-1 for a bias, which reads none and has an index of its own),
    how many make a row, and how many `results` each row has. Where groups of inputs are counted, how many
    `groups` a row has, and the entries `kept_of_group`."""

    indices: tuple[NDArray[np.int64], ...]
    weights: tuple[NDArray[np.int64], ...]
    addresses: tuple[NDArray[np.int64], ...]
    row_lengths: tuple[NDArray[np.int64], ...]
    results: tuple[NDArray[np.int64], ...]
    stored: int
    biases: int
    run: int = 1
    lockstep: int = 1
    groups: int = 1
    kept_of_group: int = 1

    @property
    def entries(self) -> NDArray[np.int64]:
        """Entries of each walker, shape (walkers,)."""
        return np.array([len(part) for part in self.weights], dtype=np.int64)

    @property
    def reads(self) -> int:
        """Entries that read an activation, of all walkers."""
        return sum(int((addresses >= 0).sum()) for addresses in self.addresses)

    @property
    def index_entries(self) -> NDArray[np.int64]:
        """Indices of each walker, shape (walkers,)."""
        return np.array([len(part) for part in self.indices], dtype=np.int64)

    @property
    def begins_index(self) -> tuple[NDArray[np.int64], ...]:
        """Of every entry of each walker the number of the index that it begins, or -1 where it shares that of
        the entry before it."""
        begun = []
        for addresses in self.addresses:
            begins = (addresses < 0) | (addresses % self.run == 0)
            begun.append(np.where(begins, np.cumsum(begins) - 1, -1))
        return tuple(begun)

    def banks(self, bank_bits: int) -> list[NDArray[np.int64]]:
        """The bank that each entry of each walker reads: the low bits of its address; -1 where it reads
        none."""
        mask = (1 << bank_bits) - 1
        return [np.where(addresses < 0, -1, addresses & mask) for addresses in self.addresses]

    @property
    def outputs(self) -> int:
        return sum(int(results.sum()) for results in self.results)


@lru_cache(maxsize=128)
def _kept_of_group(stage: DealtStage, group: int) -> int:
    row = np.repeat(np.arange(len(stage.row_walker)), np.diff(stage.starts))
    counts = np.bincount(row * stage.groups(group) + stage.addresses // group)
    return max(1, int(counts.max(initial=0)))


def deal_stage(
    integer: IntegerStage,
    biases: NDArray[np.int64],
    read_from: NDArray[np.int64],
    positions: NDArray[np.int64],
    pes: int,
    *,
    lanes: int = 1,
    run: int = 1,
) -> DealtStage:
    """Puts the rows of a stage in order of walker and place, and their weights in order of address."""
    walkers, rows = pes // lanes, -(-len(positions) // lanes)
    place, row_walker = np.divmod(np.arange(rows), walkers)
    order = np.lexsort((place, row_walker))
    rank = np.empty(rows, dtype=np.int64)
    rank[order] = np.arange(rows)
    of_output, lane = rank[positions // lanes], positions % lanes
    lengths = integer.stage.row_lengths()
    addresses = read_from[integer.stage.columns()]
    row, column = np.repeat(of_output, lengths), np.repeat(lane, lengths)
    reach = int(read_from.max(initial=0)) // run + 1
    runs, at = np.unique(row * reach + addresses // run, return_inverse=True)
    weights = np.zeros((len(runs) * run, lanes), dtype=np.int64)
    weights[at * run + addresses % run, column] = integer.weights.ravel()
    words = np.zeros((rows, biases.shape[1], lanes), dtype=np.int64)
    words[of_output, :, lane] = biases
    return DealtStage(
        addresses=((runs % reach)[:, None] * run + np.arange(run)).ravel(),
        weights=weights,
        starts=np.concatenate([[0], np.cumsum(np.bincount(runs // reach, minlength=rows))]) * run,
        biases=words,
        row_walker=row_walker[order],
        results=np.bincount(of_output, minlength=rows),
        walkers=walkers,
        inputs=int(read_from.max(initial=-1)) + 1,
        kept=integer.weights.size,
        biased=biases.size,
    )
