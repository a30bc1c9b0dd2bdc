"""One segment: a cascade on the engine, the places or steps at which it runs, and what that takes.

With w words in a window, N places, R cycles of the engine at one place, and its inputs free again after F
cycles (R where it reads its own outputs of the place before, or has no memory of its own for inputs), a
segment takes 2 cycles to read its word and w to fill the first window; then every place but the last takes
max(F + 1 + w, R) cycles, and the last one R, and 1 to notice.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archsim.engine.counts import Counts
from archsim.engine.mapping import Mapping
from workloads.topology.places import Places, Steps, Sweep

BEGINS = 2
"""Cycles in which the word of a segment is read, and the counters are set."""


@dataclass(frozen=True, eq=False)
class Segment:
    """The segment `number`, of which `final` is the last one: `mapping`, a cascade on the engine; `sweep`,
    its places or steps; `before`, the mapping whose scores it reads, none for the image."""

    number: int
    mapping: Mapping
    sweep: Sweep
    before: Mapping | None
    final: bool

    @cached_property
    def counted(self) -> Counts:
        """What happens in the engine at one place, by the closed form."""
        return self.mapping.count()

    @property
    def places(self) -> int:
        """How often the engine runs."""
        return self.sweep.places

    @property
    def words(self) -> int:
        """Words of a window: its inputs, and those that the engine wants again behind them."""
        return self.counted.load_cycles

    @property
    def recurrent(self) -> bool:
        """Whether it reads its own scores of the place before."""
        return isinstance(self.sweep, Steps)

    @property
    def source(self) -> str:
        """The memory that it reads."""
        return "image" if self.number == 0 else f"map_{(self.number + 1) % 2}"

    @property
    def target(self) -> str:
        """The memory that it writes, unless its scores leave the hardware."""
        return f"map_{self.number % 2}"

    @cached_property
    def places_of_scores(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The PE that gives each output, and its rank: how many it gives before."""
        return places_of_scores(self.mapping)

    @property
    def ranks(self) -> int:
        """Rows of a bank for each place that is written."""
        return int(self.places_of_scores[1].max()) + 1

    @property
    def rows(self) -> int:
        """Rows of a bank that it writes."""
        return self.ranks * (1 if self.recurrent else self.places)

    @cached_property
    def words_read(self) -> NDArray[np.int64]:
        """What is read for every word of every window, shape (places, words): -1 nothing, 0 a word of the
        source, 1 one of the place before."""
        place = np.arange(self.words) % self.mapping.network.n_in
        if isinstance(self.sweep, Places):
            return np.minimum(self.sweep.windows[:, place], 0)
        assert isinstance(self.sweep, Steps)
        kinds = np.tile((place >= self.sweep.inputs).astype(np.int64), (self.places, 1))
        kinds[0, kinds[0] == 1] = -1
        return kinds

    @property
    def looked_up(self) -> NDArray[np.bool_]:
        """For every word of a window, whether it begins a channel."""
        kernel = self.sweep.kernel if isinstance(self.sweep, Places) else (1, 1)
        place = np.arange(self.words) % self.mapping.network.n_in
        begins: NDArray[np.bool_] = place % (kernel[0] * kernel[1]) == 0
        return begins

    def place_cycles(self, engine: Counts) -> int:
        """Cycles from a start of the engine to the next one in this segment, where it takes as many at one
        place as `engine` says."""
        return max(self.free_after(engine) + 1 + self.words, engine.cycles)

    def free_after(self, engine: Counts) -> int:
        """Cycles from a start of the engine until its inputs may be written."""
        own_memory = self.mapping.sizes.input_rows and not self.recurrent
        return engine.stages[0].end_cycle if own_memory else engine.cycles

    @property
    def channels(self) -> list[tuple[int, int, int]]:
        """Its entries in the table of channels: bank and rank, and whether it is one of the place before."""
        if self.before is None:
            count = self.sweep.channels if isinstance(self.sweep, Places) else self._inputs
            entries = [(0, rank, 0) for rank in range(count)]
        else:
            entries = [
                (int(bank), int(rank), 0) for bank, rank in zip(*places_of_scores(self.before), strict=True)
            ]
        if self.recurrent:
            entries += [(int(bank), int(rank), 1) for bank, rank in zip(*self.places_of_scores, strict=True)]
        return entries

    @property
    def _inputs(self) -> int:
        assert isinstance(self.sweep, Steps)
        return self.sweep.inputs

    def fields(self, first_channel: int) -> MappingOf[str, int]:
        """The fields of its word. Addresses may be negative, for they are taken modulo their reach."""
        ranks = self._inputs if self.recurrent else self._source_ranks
        sweep = self.sweep if isinstance(self.sweep, Places) else Places(1, 1, self.places)
        (top, left), (down, right) = sweep.padding[:2], sweep.stride
        rows_out, columns_out = sweep.shape_out
        return {
            "final": int(self.final),
            "recurrent": int(self.recurrent),
            "words_less_one": self.words - 1,
            "first_channel": first_channel,
            "last_channel": first_channel + len(self.channels) - 1,
            "kernel_rows_less_one": sweep.kernel[0] - 1,
            "kernel_columns_less_one": sweep.kernel[1] - 1,
            "columns_less_one": columns_out - 1,
            "rows_less_one": rows_out - 1,
            "place_step": right * ranks,
            "ranks_out": 0 if self.recurrent or self.final else self.ranks,
            "column_step": ranks,
            "row_jump": (sweep.columns - sweep.kernel[1] + 1) * ranks,
            "origin": -(top * sweep.columns + left) * ranks,
            "place_jump": (down * sweep.columns - (columns_out - 1) * right) * ranks,
            "down": down,
            "right": right,
            "top": top,
            "bottom": top + sweep.rows,
            "left": left,
            "far": left + sweep.columns,
            "padded": int(any(sweep.padding)),
            "extent": max(sweep.padded),
        }

    @property
    def _source_ranks(self) -> int:
        """Rows of a bank, or words of the image, for each place that is read."""
        if self.before is None:
            assert isinstance(self.sweep, Places)
            return self.sweep.channels
        return int(places_of_scores(self.before)[1].max()) + 1


def places_of_scores(mapping: Mapping) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The PE that gives each output of a mapping, and how many it gives before."""
    rank, pe = np.divmod(mapping.score_positions, mapping.sizes.pes)
    return pe, rank
