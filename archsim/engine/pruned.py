"""The pruned engine: any pattern, an index beside every weight, PEs that run free within a stage.

With D descriptor words it takes (D + 1) cycles to fetch the first descriptor after `start`; those of later
stages are fetched while the last results of the stage before are on their way. A stage runs until the last
result has left its PE: its entries, the pipeline that carries a result to memory, 1 to notice that all is
idle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from archsim.engine.biases import bias_rows
from archsim.engine.counts import Counts, StageActivity
from archsim.engine.draws import Draws
from archsim.engine.engine import Engine, EngineError, engines
from archsim.engine.gather.conflicts import StageRun, banked_run, replicated_run
from archsim.engine.gather.encoding import IndexEncoding, candidates, deal_rows
from archsim.engine.gather.entries import DealtStage, EncodedStage, deal_stage
from archsim.engine.gather.events import simulate_pruned
from archsim.engine.gather.scheduled import ScheduledMapping, lay_scheduled
from archsim.engine.mapping import Mapping, MappingError, StoredBits, pack_words, sized
from rtl import BankedAddress, Hardware, Images, LoadWrite
from rtl.engines.pruned import PrunedSizes, build_pruned
from workloads import IntegerNetwork, PrunedStage, Stage


@engines.register("pruned")
class Pruned(Engine):
    """Any sparse pattern, by indices.

    `gather`: *replicated* gives every PE a whole copy of the activations and broadcasts results over one
    bus; *banked* shares one copy behind a crossbar, with conflicts; *scheduled* shares it without any, for it
    is found beforehand which PE reads which bank in which cycle. `index`: *auto* takes the encoding with
    the least product of bits stored and entries, for padding takes time as a weight does: absolute, relative
    of any width, or, where all weights come in runs and PEs are a power of two, one index a run, so that a
    block that is full has one for each of its rows. `route_register`: a register between an entry and the
    arbiters of the banks, which shortens the longest path and makes each stage a cycle longer.
    """

    hardware: ClassVar = PrunedSizes
    best: ClassVar = {"asic": {"zero_gating": True}}
    variants: ClassVar = {name: {"gather": name} for name in ("replicated", "banked", "scheduled")}
    crossed: ClassVar = frozenset({"banked", "scheduled"})

    kind: Literal["pruned"] = "pruned"
    gather: Literal["replicated", "banked", "scheduled"] = "replicated"
    index: Literal["auto", "absolute", "relative"] = "auto"
    route_register: bool = False

    @classmethod
    def layers(cls, draws: Draws) -> Iterator[tuple[Stage, ...]]:
        for n_in, n_out in draws.widths():
            yield (PrunedStage.from_mask(draws.mask(n_out, n_in, draws.share(0.03, 0.4))),)

    @model_validator(mode="after")
    def _a_schedule_has_addresses(self) -> Pruned:
        if self.gather == "scheduled" and self.index not in ("auto", "absolute"):
            raise EngineError(
                f"index is {self.index}, allowed with a scheduled gather are auto and absolute, for entries "
                "are not in order of address"
            )
        return self

    @model_validator(mode="after")
    def _padding_meets_a_bank(self) -> Pruned:
        if self.index == "relative" and not self._may_pad:
            raise EngineError(
                f"index is relative with {self.pes} banked PEs, allowed with banks are powers of two only"
            )
        return self

    @model_validator(mode="after")
    def _arbiters_are_behind_a_register(self) -> Pruned:
        if self.route_register and self.gather != "banked":
            raise EngineError(f"route_register is true, allowed with a {self.gather} gather is false")
        return self

    @model_validator(mode="after")
    def _banks_requantise(self) -> Pruned:
        if self.requantiser == "shared" and self.gather != "replicated":
            raise EngineError(f"requantiser is shared, allowed with a {self.gather} gather are auto and each")
        return self

    @property
    def _may_pad(self) -> bool:
        """Padding reads the address it stops at, which must lie in a bank: with gaps between the addresses
        of banks, as there are unless their number is a power of two, it might not."""
        return self.gather == "replicated" or self.pes & (self.pes - 1) == 0

    @property
    def _index_kinds(self) -> str:
        return self.index if self._may_pad else "absolute"

    def lay(self, network: IntegerNetwork, fabric: str) -> PrunedMapping | ScheduledMapping:
        return self.lay_together([network], fabric)[0]

    def lay_together(
        self, networks: Sequence[IntegerNetwork], fabric: str
    ) -> tuple[PrunedMapping, ...] | tuple[ScheduledMapping, ...]:
        if self.gather == "scheduled":
            return lay_scheduled(networks, self.requantising(shared=False), fabric)
        encoding = self._encoding(networks)
        of_networks = [_dealt(network, self.pes, in_order=encoding.run > 1) for network in networks]
        engine = self.requantising(shared=self.gather == "replicated" and self.requantiser != "each")
        return tuple(
            PrunedMapping(
                network,
                engine,
                fabric,
                encoding,
                tuple(_encoded(stage, encoding) for stage in stages),
                output_positions=at,
            )
            for network, (stages, at) in zip(networks, of_networks, strict=True)
        )

    def _encoding(self, networks: Sequence[IntegerNetwork]) -> IndexEncoding:
        """The encoding with the least bits x entries, for all networks, of those that may be taken."""
        options: list[tuple[int, int, IndexEncoding]] = []
        needed = 0
        longest = min(longest_run(each, self.pes) for each in networks) if self.index == "auto" else 1
        for run in (1 << bits for bits in reversed(range(longest.bit_length()))):
            of_networks = [_dealt(network, self.pes, in_order=run > 1) for network in networks]
            dealt = [stage for stages, _ in of_networks for stage in stages]
            highest = max(int(stage.addresses.max(initial=0)) for stage in dealt)
            needed = (highest // run).bit_length()
            fitting = candidates(highest, int(self.fetch_bits), self._index_kinds, run)
            options += [(_expense(option, dealt, self), len(options), option) for option in fitting]
        if not options:
            raise MappingError(
                f"engine.fetch_bits is {self.fetch_bits}, allowed are at least {needed + 1} "
                f"for this network, an index of {needed} bits and a row-end flag"
            )
        return min(options, key=lambda option: option[:2])[2]


@dataclass(frozen=True, eq=False)
class PrunedMapping(Mapping):
    """A network on the pruned engine. Output r of PE p lies at address r * pes + p, and the next stage's
    indices are written for that, so that no output needs to be stored with its number."""

    network: IntegerNetwork = field(repr=False)
    engine: Pruned = field(repr=False)
    fabric: str
    encoding: IndexEncoding = field(repr=False)
    stages: tuple[EncodedStage, ...] = field(repr=False)
    output_positions: NDArray[np.int64] = field(repr=False)

    @property
    def score_positions(self) -> NDArray[np.int64]:
        return self.output_positions

    @property
    def entries_per_fetch(self) -> int:
        return int(self.engine.fetch_bits) // (self.encoding.bits + 1)

    @property
    def weights_per_fetch(self) -> int:
        return int(self.engine.fetch_bits) // self.engine.weight_bits

    @property
    def shared_requantiser(self) -> bool:
        return self.engine.requantiser == "shared"

    @property
    def replicated(self) -> bool:
        return self.engine.gather == "replicated"

    @cached_property
    def sizes(self) -> PrunedSizes:
        engine, network = self.engine, self.network
        pes, own = engine.pes, bool(engine.input_buffer)
        rows = [-(-stage.outputs // pes) for stage in self.stages[:-1]]
        sides, input_rows = [max(rows[k::2], default=0) for k in (0, 1)], -(-network.n_in // pes)
        entries = np.array([stage.entries for stage in self.stages])
        return sized(
            PrunedSizes,
            **self.engine_sizes(engine, self.fabric),
            weight_words=int((-(-entries // self.weights_per_fetch)).sum(axis=0).max()),
            banks=pes,
            shared_requantiser=self.shared_requantiser,
            activation_rows=max(input_rows, *sides),
            even_rows=sides[1] if own else max(sides[1], input_rows),
            odd_rows=sides[0],
            input_rows=input_rows if own else 0,
            stages=len(self.stages),
            longest_row=1,
            most_groups=max(-(-stage.outputs // pes) for stage in self.stages),
            index_bits=self.encoding.bits,
            relative=self.encoding.relative,
            index_words=int((-(-self._indices // self.entries_per_fetch)).sum(axis=0).max()),
            replicated=self.replicated,
            run=self.encoding.run,
            route_register=self.engine.route_register,
        )

    @property
    def stored_bits(self) -> StoredBits:
        entries = sum(int(stage.entries.sum()) for stage in self.stages)
        indices = int(self._indices.sum())
        index_bits = indices * (self.encoding.bits + 1)
        return StoredBits(entries * self.network.weight_bits, index_bits, str(self.encoding))

    @property
    def _indices(self) -> NDArray[np.int64]:
        """Indices of every stage and PE."""
        return np.array([stage.index_entries for stage in self.stages])

    @cached_property
    def _runs(self) -> tuple[StageRun, ...]:
        """How each stage runs: found once, since a fixed pattern always meets the same conflicts."""
        last, pipeline = len(self.stages) - 1, self.sizes.pipeline
        return tuple(
            _replicated_run(stage, pipeline.write, final=number == last and not self.shared_requantiser)
            if self.replicated
            else _banked_run(stage, self.sizes.address.bank_bits, pipeline.write, self.sizes.accepts)
            for number, stage in enumerate(self.stages)
        )

    def count(self) -> Counts:
        fetch, activity = self.sizes.descriptor_format.words, []
        start, ends = 1, 1 + fetch + 1
        for number, (stage, run) in enumerate(zip(self.stages, self._runs, strict=True)):
            ends += run.cycles
            activity.append(StageActivity(number, start, ends, stage.stored, run.stalls))
            start = ends
        entries = np.array([stage.entries for stage in self.stages])
        stored = sum(stage.stored for stage in self.stages)
        biases = sum(stage.biases for stage in self.stages)
        return Counts(
            cycles=ends,
            load_cycles=self.network.n_in,
            interval_cycles=self.interval(activity, self.network.n_in),
            macs=stored,
            padding=int(entries.sum()) - stored - biases,
            biases=biases,
            traffic=self.traffic(
                weight=int((-(-entries // self.weights_per_fetch)).sum()),
                index=int((-(-self._indices // self.entries_per_fetch)).sum()),
                read=[int(stage.entries.sum()) - stage.biases for stage in self.stages],
                written=[*(stage.outputs for stage in self.stages[:-1]), 0],
                loaded=self.network.n_in,
                copies=self.engine.pes if self.replicated else 1,
                descriptor=fetch * len(self.stages),
            ),
            stalls=sum(run.stalls for run in self._runs),
            stages=tuple(activity),
        )

    def simulate(self) -> Counts:
        return simulate_pruned(self.stages, self.sizes, self.network.n_in, self.traffic)

    def build(self) -> Hardware:
        return build_pruned(self.sizes)

    @cached_property
    def images(self) -> Images:
        pes = self.engine.pes
        weights: list[list[int]] = [[] for _ in range(pes)]
        indices: list[list[int]] = [[] for _ in range(pes)]
        descriptors: list[int] = []
        packed = partial(pack_words, bits=self.network.weight_bits, per_word=self.weights_per_fetch)
        indexed = partial(pack_words, bits=self.encoding.bits + 1, per_word=self.entries_per_fetch)
        for number, stage in enumerate(self.stages):
            for p in range(pes):
                weights[p] += packed(stage.weights[p])
                indices[p] += indexed(stage.indices[p])
            descriptors += self.descriptor(number)
        return Images(descriptors, weights, indices)

    def load(self, x: NDArray[np.int64]) -> list[LoadWrite]:
        mask, pes = (1 << self.network.activation_bits) - 1, self.engine.pes
        encode = self.sizes.address.encode
        if self.replicated:
            return [LoadWrite("input", 0, encode(i), int(value) & mask) for i, value in enumerate(x)]
        return [LoadWrite("input", i % pes, i // pes, int(value) & mask) for i, value in enumerate(x)]


# A search maps a network again and again; what its settings leave as it was is found once.


MOST_RUN = 64
"""The most weights that share an index."""


def longest_run(network: IntegerNetwork, pes: int) -> int:
    """How many weights may share an index: the longest runs of neighbouring inputs, each from a multiple of
    its length on, that all stages are made of. A power of two, and 1 where PEs are none, for then neighbours
    have addresses with gaps between them."""
    if pes & (pes - 1):
        return 1
    dealt, _ = _dealt(network, pes, in_order=True)
    run = 1
    while run < MOST_RUN and all(stage.comes_in_runs(2 * run) for stage in dealt):
        run *= 2
    return run


@lru_cache(maxsize=32)
def _dealt(
    network: IntegerNetwork, pes: int, *, in_order: bool
) -> tuple[tuple[DealtStage, ...], NDArray[np.int64]]:
    """The stages with their rows dealt to PEs, and the place of every output: so that entries balance, or
    `in_order`, so that the inputs of a run of weights are neighbours for the next stage."""
    address = BankedAddress(banks=pes, rows=1)
    at = np.arange(network.n_in, dtype=np.int64)
    stages = []
    for integer in network.stages:
        biases = bias_rows(integer, network.weight_bits, network.activation_bits).words
        lengths = integer.stage.row_lengths()
        positions = np.arange(len(lengths)) if in_order else deal_rows(lengths, pes)
        read_from = np.array([address.encode(int(i)) for i in at])
        stages.append(deal_stage(integer, biases, read_from, positions, pes))
        at = positions
    return tuple(stages), at


@lru_cache(maxsize=128)
def _encoded(stage: DealtStage, encoding: IndexEncoding) -> EncodedStage:
    return stage.encoded(encoding)


@lru_cache(maxsize=512)
def _replicated_run(stage: EncodedStage, latency: int, *, final: bool) -> StageRun:
    return replicated_run(stage.row_lengths, latency, final=final)


@lru_cache(maxsize=512)
def _banked_run(stage: EncodedStage, bank_bits: int, latency: int, accepts: int) -> StageRun:
    return banked_run(stage.banks(bank_bits), latency, accepts)


def _expense(encoding: IndexEncoding, dealt: Sequence[DealtStage], engine: Pruned) -> int:
    """Words of weights and indices that all PEs need with this encoding, times their entries: what is stored
    times how long it takes, stalls apart. Padding pays in both."""
    words, taken = 0, 0
    fetch_bits = int(engine.fetch_bits)
    for stage in dealt:
        per_fetch = (fetch_bits // (encoding.bits + 1), fetch_bits // engine.weight_bits)
        for of_pes, number in zip(_of_pes(stage, encoding), per_fetch, strict=True):
            words += int(np.ceil(of_pes / number).sum())
        taken += int(stage.entries_of_rows(encoding).sum())
    return words * taken


@lru_cache(maxsize=128)
def _of_pes(stage: DealtStage, encoding: IndexEncoding) -> tuple[NDArray[Any], NDArray[Any]]:
    """The indices and the entries of each PE, however many go into a word, shape (pes,) each."""
    indices, entries = (
        np.bincount(stage.row_pe, weights=rows, minlength=stage.pes)
        for rows in (stage.indices_of_rows(encoding), stage.entries_of_rows(encoding))
    )
    return indices, entries
