"""A network on banks that are read by a schedule: its sizes, its counts and what its memories hold.

A stage takes its steps, and the pipeline that carries a result to memory; the descriptor of the next one
comes while that drains. All PEs fetch words together, those without an output none of weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.engine.biases import bias_rows
from archsim.engine.counts import Counts, StageActivity
from archsim.engine.gather.schedule import ScheduledStage, schedule_stage
from archsim.engine.gather.scheduled_events import simulate_scheduled
from archsim.engine.mapping import Mapping, MappingError, StoredBits, bank_rows, pack_words, sized
from archsim.engine.watch import Watch
from rtl import BankedAddress, Hardware, Images, LoadWrite
from rtl.engines.pruned import PrunedSizes, build_pruned
from workloads import IntegerNetwork


@dataclass(frozen=True, eq=False)
class ScheduledMapping(Mapping):
    """A network on the pruned engine with `gather: scheduled`. An index is the row that the bank of its
    number reads, all ones where it reads none, above the bank that the PE of its number listens to."""

    network: IntegerNetwork = field(repr=False)
    engine: Any = field(repr=False)
    fabric: str
    stages: tuple[ScheduledStage, ...] = field(repr=False)
    index_bits: int

    @property
    def score_positions(self) -> NDArray[np.int64]:
        return self.stages[-1].positions

    @cached_property
    def sizes(self) -> PrunedSizes:
        engine, pes, bits = self.engine, self.engine.pes, self.index_bits
        rows = _rows_written(self.stages, pes)
        return sized(
            PrunedSizes,
            **self.engine_sizes(engine, self.fabric),
            weight_words=self._fetches(int(engine.fetch_bits) // self.network.weight_bits),
            banks=pes,
            shared_requantiser=False,
            **bank_rows(-(-self.network.n_in // pes), rows, own_input=bool(engine.input_buffer)),
            stages=len(self.stages),
            longest_row=1,
            most_groups=max(-(-stage.outputs // pes) for stage in self.stages),
            index_bits=bits,
            relative=False,
            index_words=self._fetches(int(engine.fetch_bits) // (bits + 1)),
            replicated=False,
            scheduled=True,
            most_steps=max(stage.steps for stage in self.stages),
        )

    def _fetches(self, per_fetch: int) -> int:
        """Words that hold an entry of each cycle, of one PE."""
        return sum(-(-stage.steps // per_fetch) for stage in self.stages)

    @property
    def _row_bits(self) -> int:
        """Bits of the row of a bank in an index."""
        return self.sizes.index_bits - self.sizes.address.bank_bits

    @property
    def stored_bits(self) -> StoredBits:
        sizes = self.sizes
        entries = sizes.pes * sum(stage.steps for stage in self.stages)
        encoding = f"rows of {self._row_bits} bits and banks of {sizes.address.bank_bits} bits"
        return StoredBits(entries * sizes.weight_bits, entries * (sizes.index_bits + 1), encoding)

    def count(self) -> Counts:
        sizes, activity = self.sizes, []
        fetch = sizes.descriptor_format.words
        start, ends = 1, 1 + fetch + 1
        for number, stage in enumerate(self.stages):
            ends += stage.steps + sizes.pipeline.write
            activity.append(StageActivity(number, start, ends, stage.stored))
            start = ends
        stored, biases, products = (
            sum(getattr(stage, name) for stage in self.stages) for name in ("stored", "biases", "products")
        )
        return Counts(
            cycles=ends,
            load_cycles=self.network.n_in,
            interval_cycles=self.interval(activity, self.network.n_in),
            macs=stored,
            padding=products - stored - biases,
            biases=biases,
            traffic=self.traffic(
                weight=sum(
                    stage.active * -(-stage.steps // sizes.weights_per_fetch) for stage in self.stages
                ),
                index=sizes.pes * self._fetches(sizes.entries_per_fetch),
                read=[stage.reads for stage in self.stages],
                written=[*(stage.outputs for stage in self.stages[:-1]), 0],
                loaded=self.network.n_in,
                descriptor=fetch * len(self.stages),
            ),
            stages=tuple(activity),
        )

    def simulate(self, x: NDArray[np.int64] | None = None, *, watch: Watch | None = None) -> Counts:
        return simulate_scheduled(self.stages, self.sizes, self.network.n_in, self.traffic, watch)

    def build(self) -> Hardware:
        return build_pruned(self.sizes)

    @cached_property
    def images(self) -> Images:
        sizes, pes = self.sizes, self.sizes.pes
        idle, bank_bits = (1 << self._row_bits) - 1, sizes.address.bank_bits
        weights: list[list[int]] = [[] for _ in range(pes)]
        indices: list[list[int]] = [[] for _ in range(pes)]
        descriptors: list[int] = []
        packed = partial(pack_words, bits=sizes.weight_bits, per_word=sizes.weights_per_fetch)
        indexed = partial(pack_words, bits=sizes.index_bits + 1, per_word=sizes.entries_per_fetch)
        for number, stage in enumerate(self.stages):
            ends = stage.ends.astype(np.int64) << sizes.index_bits
            entries = ends | stage.rows_of_banks(idle) << bank_bits | stage.heard
            for p in range(pes):
                weights[p] += packed(stage.weights[p])
                indices[p] += indexed(entries[p])
            descriptors += self.descriptor(number, steps_less_one=stage.steps - 1)
        return Images(descriptors, weights, indices)

    def load(self, x: NDArray[np.int64]) -> list[LoadWrite]:
        mask, pes = (1 << self.network.activation_bits) - 1, self.engine.pes
        return [LoadWrite("input", i % pes, i // pes, int(value) & mask) for i, value in enumerate(x)]


def lay_scheduled(
    networks: Sequence[IntegerNetwork], engine: Any, fabric: str
) -> tuple[ScheduledMapping, ...]:
    """The mappings of networks on an engine whose requantisers are settled, with indices of equal width: of a
    row, all ones of which are none, and of a bank."""
    pes = engine.pes
    of_networks = [_scheduled(network, pes) for network in networks]
    rows = [
        max([-(-network.n_in // pes), *_rows_written(stages, pes)])
        for network, stages in zip(networks, of_networks, strict=True)
    ]
    bits = max(rows).bit_length() + BankedAddress(banks=pes, rows=1).bank_bits
    if bits >= engine.fetch_bits:
        raise MappingError(
            f"fetch_bits is {engine.fetch_bits}, allowed are at least {bits + 1} for this network, an "
            f"index of {bits} bits and a row-end flag"
        )
    return tuple(
        ScheduledMapping(network, engine, fabric, stages, bits)
        for network, stages in zip(networks, of_networks, strict=True)
    )


def _rows_written(stages: Sequence[ScheduledStage], pes: int) -> list[int]:
    """Rows of a bank that each stage but the last writes."""
    return [-(-stage.outputs // pes) for stage in stages[:-1]]


@lru_cache(maxsize=32)
def _scheduled(network: IntegerNetwork, pes: int) -> tuple[ScheduledStage, ...]:
    """The stages of a network, one after the other, for where outputs lie is known with their schedule. A
    search maps a network again and again; this is found once."""
    lies_at = np.arange(network.n_in, dtype=np.int64)
    stages = []
    for number, integer in enumerate(network.stages):
        following = network.stages[number + 1 :][:1]
        columns = following[0].stage.columns() if following else np.zeros(0, dtype=np.int64)
        biases = bias_rows(integer, network.weight_bits, network.activation_bits).words
        read_next = np.bincount(columns, minlength=integer.stage.n_out)
        stages.append(schedule_stage(integer, biases, lies_at, read_next, pes))
        lies_at = stages[-1].positions
    return tuple(stages)
