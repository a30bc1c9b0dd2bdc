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
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from archsim.engine.counts import Counts, StageActivity
from archsim.engine.draws import Draws
from archsim.engine.engine import AUTO, OF_THE_PES, Engine, EngineError, engines
from archsim.engine.gather.conflicts import StageRun, banked_run, replicated_run
from archsim.engine.gather.dealing import all_dealt, dealt_stages, order_of
from archsim.engine.gather.encoding import IndexEncoding, candidates
from archsim.engine.gather.entries import DealtStage, EncodedStage
from archsim.engine.gather.events import simulate_pruned
from archsim.engine.gather.expense import expense, worth_blocks
from archsim.engine.gather.scheduled import ScheduledMapping, lay_scheduled
from archsim.engine.mapping import Mapping, MappingError, StoredBits, bank_rows, pack_words, sized
from archsim.engine.watch import Watch
from rtl import Hardware, Images, LoadWrite
from rtl.engines.pruned import PrunedSizes, build_pruned
from workloads import IntegerNetwork, PrunedStage, Stage


@engines.register("pruned")
class Pruned(Engine):
    """Any sparse pattern, by indices.

    `gather`: *replicated* gives every PE a whole copy of the activations and broadcasts results over one
    bus; *banked* shares one copy behind a crossbar, with conflicts; *scheduled* shares it without any, for it
    is found beforehand which PE reads which bank in which cycle. `index`: *auto* takes the encoding with
    the least product of bits stored and entries, for padding takes time as a weight does: absolute, relative
    of any width, one index for a block, whose rows lie on PEs in lockstep and whose columns are counted, or
    grouped, the place in a group of 2, 4, 8 … inputs of which N are kept. By hand: *absolute*, *relative*,
    *blocks*, *grouped*. Runs of columns and groups are counted where PEs are a power of two.
    `route_register`: a register between an entry and the arbiters of the banks, which shortens the longest
    path and makes each stage a cycle longer.
    """

    hardware: ClassVar = PrunedSizes
    hardware_only: ClassVar = OF_THE_PES
    best: ClassVar = {"asic": {"zero_gating": True}}
    variants: ClassVar = {name: {"gather": name} for name in ("replicated", "banked", "scheduled")}
    crossed: ClassVar = frozenset({"banked", "scheduled"})
    drawn: ClassVar = {"index": ("auto", "absolute", "relative")}

    kind: Literal["pruned"] = "pruned"
    gather: Literal["replicated", "banked", "scheduled"] = "replicated"
    index: Literal["auto", "absolute", "relative", "blocks", "grouped"] = "auto"
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
    def _groups_have_no_gaps(self) -> Pruned:
        if self.index == "grouped" and not self._powers:
            raise EngineError(
                f"index is grouped with {self.pes} PEs, allowed with PEs that are powers of two only"
            )
        return self

    @model_validator(mode="after")
    def _banks_requantise(self) -> Pruned:
        if self.requantiser == "shared" and self.gather != "replicated":
            raise EngineError(f"requantiser is shared, allowed with a {self.gather} gather are auto and each")
        return self

    @property
    def _powers(self) -> bool:
        """Whether PEs are a power of two, so that there are no gaps between addresses."""
        return self.pes & (self.pes - 1) == 0

    @property
    def _may_pad(self) -> bool:
        """Padding reads the address it stops at, which must lie in a bank: with gaps between the addresses
        of banks it might not."""
        return self.gather == "replicated" or self._powers

    @property
    def _index_kinds(self) -> tuple[str, ...]:
        possible = ("absolute", *(("relative",) * self._may_pad), *(("grouped",) * self._powers))
        if self.index == "blocks":
            return possible[:-1] if self._powers else possible
        return tuple(kind for kind in possible if self.index in (AUTO, kind))

    def lay(self, network: IntegerNetwork, fabric: str) -> PrunedMapping | ScheduledMapping:
        return self.lay_together([network], fabric)[0]

    def lay_together(
        self, networks: Sequence[IntegerNetwork], fabric: str
    ) -> tuple[PrunedMapping, ...] | tuple[ScheduledMapping, ...]:
        if self.gather == "scheduled":
            return lay_scheduled(networks, self.requantising(shared=False), fabric)
        encoding = self._encoding(networks)
        of_networks = [dealt_stages(network, self.pes, *order_of(encoding)) for network in networks]
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
        kinds, fetch_bits = self._index_kinds, int(self.fetch_bits)
        for lanes, run in self._blocks(networks):
            highest = max(stage.inputs - 1 for stage in all_dealt(networks, self.pes, lanes, run))
            needed = (highest // run).bit_length()
            for encoding in candidates(highest, fetch_bits, kinds, lanes=lanes, run=run):
                dealt = all_dealt(networks, self.pes, *order_of(encoding))
                cost = expense(encoding, dealt, fetch_bits, self.weight_bits)
                options.append((cost, len(options), encoding))
        if not options:
            raise self._refusal(needed)
        return min(options, key=lambda option: option[:2])[2]

    def _refusal(self, needed: int) -> MappingError:
        """Why no index may be taken."""
        if self.index == "blocks":
            return MappingError.of(
                "index", self.index, "those of networks with rows or columns that may share one on these PEs"
            )
        return MappingError(
            f"fetch_bits is {self.fetch_bits}, allowed are at least {needed + 1} "
            f"for this network, an index of {needed} bits and a row-end flag"
        )

    def _blocks(self, networks: Sequence[IntegerNetwork]) -> list[tuple[int, int]]:
        """The shapes of block, rows in lockstep and columns counted, that may have one index: those which
        leave so few places empty that it could be worth it. What a larger block leaves empty is more."""
        if self.index not in (AUTO, "blocks"):
            return [(1, 1)]
        shapes: list[tuple[int, int]] = []
        # Behind a register a walker is not known to be at its end in time for those beside it.
        for lanes in _powers_up_to(1 if self.route_register else self.pes & -self.pes):
            of_lanes = []
            for run in _powers_up_to(MOST_RUN if self._powers else 1):
                dealt = all_dealt(networks, self.pes, lanes, run)
                if (lanes, run) != (1, 1) and not worth_blocks(dealt, self.weight_bits):
                    break
                of_lanes.append((lanes, run))
            if not of_lanes:
                break
            shapes += reversed(of_lanes)
        return [shape for shape in shapes if self.index == AUTO or shape != (1, 1)]


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
        return int(self.engine.fetch_bits) // self.encoding.word_bits

    @property
    def weights_per_fetch(self) -> int:
        return int(self.engine.fetch_bits) // self.engine.weight_bits

    @property
    def shared_requantiser(self) -> bool:
        return self.engine.requantiser == "shared"

    @property
    def replicated(self) -> bool:
        return self.engine.gather == "replicated"

    @property
    def copies(self) -> int:
        return self.sizes.walkers if self.replicated else 1

    @property
    def watched(self) -> bool:
        return self.sizes.lockstep == 1 and not self.sizes.route_register

    @cached_property
    def sizes(self) -> PrunedSizes:
        engine, network = self.engine, self.network
        pes = engine.pes
        rows = [-(-stage.outputs // pes) for stage in self.stages[:-1]]
        grouped = self.encoding.group > 1
        entries = np.array([stage.entries for stage in self.stages])
        return sized(
            PrunedSizes,
            **self.engine_sizes(engine, self.fabric),
            weight_words=int((-(-entries // self.weights_per_fetch)).sum(axis=0).max()),
            banks=pes,
            shared_requantiser=self.shared_requantiser,
            **bank_rows(-(-network.n_in // pes), rows, own_input=bool(engine.input_buffer)),
            stages=len(self.stages),
            longest_row=1,
            most_groups=max(-(-stage.outputs // pes) for stage in self.stages),
            index_bits=self.encoding.bits,
            relative=self.encoding.relative,
            index_words=int((-(-self._indices // self.entries_per_fetch)).sum(axis=0).max()),
            replicated=self.replicated,
            run=self.encoding.run,
            route_register=self.engine.route_register,
            lockstep=self.encoding.lockstep,
            group=self.encoding.group,
            kept_of_group=max(stage.kept_of_group for stage in self.stages) if grouped else 1,
            input_groups=max(stage.groups for stage in self.stages) if grouped else 1,
        )

    @property
    def stored_bits(self) -> StoredBits:
        entries = sum(int(stage.entries.sum()) for stage in self.stages) * self.encoding.lockstep
        indices = int(self._indices.sum())
        return StoredBits(
            entries * self.network.weight_bits, indices * self.encoding.word_bits, str(self.encoding)
        )

    @property
    def _indices(self) -> NDArray[np.int64]:
        """Indices of every stage and walker."""
        return np.array([stage.index_entries for stage in self.stages])

    @cached_property
    def _runs(self) -> tuple[StageRun, ...]:
        """How each stage runs: found once, since a fixed pattern always meets the same conflicts."""
        last, pipeline = len(self.stages) - 1, self.sizes.pipeline
        return tuple(
            _replicated_run(stage, pipeline.write, final=number == last and not self.shared_requantiser)
            if self.replicated
            else _banked_run(stage, self.sizes.address.bank_bits, self.sizes.accepts).later(pipeline.write)
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
        lanes, fetches = self.encoding.lockstep, -(-entries // self.weights_per_fetch)
        stored = sum(stage.stored for stage in self.stages)
        biases = sum(stage.biases for stage in self.stages)
        return Counts(
            cycles=ends,
            load_cycles=self.network.n_in,
            interval_cycles=self.interval(activity, self.network.n_in),
            macs=stored,
            padding=int(entries.sum()) * lanes - stored - biases,
            biases=biases,
            traffic=self.traffic(
                weight=int(fetches.sum()) * lanes,
                index=int((-(-self._indices // self.entries_per_fetch)).sum()),
                read=[stage.reads for stage in self.stages],
                written=[*(stage.outputs for stage in self.stages[:-1]), 0],
                loaded=self.network.n_in,
                copies=self.copies,
                descriptor=fetch * len(self.stages),
            ),
            stalls=sum(run.stalls for run in self._runs),
            stages=tuple(activity),
        )

    def simulate(self, x: NDArray[np.int64] | None = None, *, watch: Watch | None = None) -> Counts:
        return simulate_pruned(self.stages, self.sizes, self.network.n_in, self.traffic, watch)

    def build(self) -> Hardware:
        return build_pruned(self.sizes)

    @cached_property
    def images(self) -> Images:
        pes, lanes = self.engine.pes, self.encoding.lockstep
        weights: list[list[int]] = [[] for _ in range(pes)]
        indices: list[list[int]] = [[] for _ in range(pes // lanes)]
        descriptors: list[int] = []
        packed = partial(pack_words, bits=self.network.weight_bits, per_word=self.weights_per_fetch)
        indexed = partial(pack_words, bits=self.encoding.word_bits, per_word=self.entries_per_fetch)
        for number, stage in enumerate(self.stages):
            for p in range(pes):
                weights[p] += packed(stage.weights[p // lanes][:, p % lanes])
            for walker, words in enumerate(stage.indices):
                indices[walker] += indexed(words)
            descriptors += self.descriptor(number, **self._group_of_inputs(stage))
        return Images(descriptors, weights, indices)

    def _group_of_inputs(self, stage: EncodedStage) -> dict[str, int]:
        """The fields that say how the entries of a row fall into groups, where groups are counted."""
        values = {"kept_less_one": stage.kept_of_group - 1, "input_groups_less_one": stage.groups - 1}
        return {name: values[name] for name, _ in self.sizes.own_fields}

    def load(self, x: NDArray[np.int64]) -> list[LoadWrite]:
        mask, pes = (1 << self.network.activation_bits) - 1, self.engine.pes
        encode = self.sizes.address.encode
        if self.replicated:
            return [LoadWrite("input", 0, encode(i), int(value) & mask) for i, value in enumerate(x)]
        return [LoadWrite("input", i % pes, i // pes, int(value) & mask) for i, value in enumerate(x)]


# A search maps a network again and again; what its settings leave as it was is found once.


MOST_RUN = 64
"""The most weights of a row that share an index."""


def _powers_up_to(most: int) -> list[int]:
    return [1 << bits for bits in range(most.bit_length())]


@lru_cache(maxsize=128)
def _encoded(stage: DealtStage, encoding: IndexEncoding) -> EncodedStage:
    return stage.encoded(encoding)


@lru_cache(maxsize=512)
def _replicated_run(stage: EncodedStage, latency: int, *, final: bool) -> StageRun:
    return replicated_run(stage.row_lengths, stage.results, stage.lockstep, latency, final=final)


@lru_cache(maxsize=512)
def _banked_run(stage: EncodedStage, bank_bits: int, accepts: int) -> StageRun:
    """Without the latency of the pipeline, which all come to wait for in the end."""
    return banked_run(stage.banks(bank_bits), 0, accepts)
