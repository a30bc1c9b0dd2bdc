"""Schedules of the engines whose PEs march in step: dense, CSC and Clos.

A stage is worked off in groups of P outputs, F taps a group. With D descriptor words it takes (D + 1) cycles
to fetch the first descriptor after `start`; those of later stages are fetched while the stage before drains.
A stage takes groups * F cycles to issue its taps (more where a step is read row by row), with pauses where B
banks cannot take P results in the cycles of a group; then its last results travel through the pipeline and
are written, B a cycle.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping as MappingOf, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from archsim.engine.biases import bias_rows
from archsim.engine.counts import Counts, StageActivity
from archsim.engine.engine import Engine
from archsim.engine.lockstep.events import simulate_lockstep
from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.mapping import Mapping, MappingError, StoredBits, bank_rows, pack_words
from archsim.engine.watch import Watch
from rtl import Images, LoadWrite
from rtl.engines.lockstep.sizes import LockstepSizes
from workloads import IntegerNetwork, IntegerStage, Stage

P = TypeVar("P", bound=StagePlan)


@dataclass(frozen=True, eq=False)
class LockstepMapping(Mapping):
    """A network as a list of stage plans. `row_weights` gives a plan's weights as (outputs, taps) in the
    order in which its outputs and taps are issued."""

    network: IntegerNetwork
    engine: Engine = field(repr=False)
    fabric: str
    plans: tuple[StagePlan, ...] = field(repr=False)
    banks: int
    input_padding: int = 0
    """How many words of zero follow the input vector."""
    input_mirror: int = 0
    """How many words of the input vector, and of those, are repeated past their end."""

    @property
    @abstractmethod
    def sizes(self) -> LockstepSizes:
        """The sizes of the hardware that this mapping needs."""

    @abstractmethod
    def row_weights(self, stage: IntegerStage, plan: StagePlan) -> NDArray[np.int64]:
        """The weights of a plan of this stage in issue order, shape (outputs, taps)."""

    def group_fields(self, number: int) -> dict[str, int]:
        """None of a stage: each of its plans says its own."""
        return {}

    def descriptor_fields(self, plan: StagePlan) -> dict[str, int]:
        """The values of the engine's own descriptor fields."""
        return plan.fields

    def step_fields(self, plan: StagePlan) -> dict[str, int]:
        """What the descriptor says of the steps of a group."""
        return {"steps_less_one": plan.steps - 1}

    @property
    def weights_per_fetch(self) -> int:
        return int(self.engine.fetch_bits) // self.network.weight_bits

    @property
    def input_words(self) -> int:
        """Words that are loaded for one inference."""
        return self.network.n_in + self.input_padding + self.input_mirror

    @property
    def input_reach(self) -> int:
        """Words from the first input to the last."""
        return self.input_words

    @cached_property
    def common_sizes(self) -> dict[str, Any]:
        """Sizes that every engine needs, for just this network."""
        named = [value for plan in self.plans for value in plan.fields.values()]
        rows = [max(plan.rows_written for plan in plans) for plans in self.of_stages]
        input_rows = -(-self.input_reach // self.banks)
        of_banks = bank_rows(input_rows, rows, own_input=bool(self.engine.input_buffer))
        shared = self.plans[0].scores_queue
        return {
            **self.engine_sizes(self.engine, self.fabric),
            "weight_words": sum(p.weight_fetches(p.groups, self.weights_per_fetch) for p in self.plans),
            "banks": self.banks,
            "shared_requantiser": shared,
            **of_banks,
            "activation_rows": max(max([*named, 0]) // self.banks + 1, of_banks["activation_rows"]),
            "stages": len(self.plans),
            "longest_row": max(plan.steps for plan in self.plans),
            "most_groups": max(plan.groups for plan in self.plans),
            "longest_pause": max(plan.pause for plan in self.plans),
        }

    @property
    def stored_bits(self) -> StoredBits:
        words = sum(plan.macs + plan.padding + plan.biases for plan in self.plans)
        return StoredBits(words * self.network.weight_bits, index=0)

    @property
    def score_positions(self) -> NDArray[np.int64]:
        return np.arange(self.network.n_out)

    def drain_cycles(self, plan: StagePlan) -> int:
        """Cycles from the last tap of a plan to the first of the next one, or to the last score."""
        return self.written_cycles(plan) + self.waiting_cycles(plan)

    def written_cycles(self, plan: StagePlan) -> int:
        """Cycles from the last tap of a plan until its last result is written, or has left."""
        return self.sizes.pipeline.write + plan.last_write_cycles - 1

    def waiting_cycles(self, plan: StagePlan) -> int:
        """Cycles from then on until the next descriptor is there."""
        ends = plan.final and not plan.continues
        fetched = 0 if ends else self.sizes.descriptor_format.words + 1
        return max(0, fetched - self.written_cycles(plan))

    @cached_property
    def of_stages(self) -> tuple[tuple[StagePlan, ...], ...]:
        """The plans of each stage."""
        return _by_stage(self.plans)

    def count(self) -> Counts:
        return self.counts_of(self.plans)

    def counts_of(self, planned: Sequence[StagePlan]) -> Counts:
        """The closed form of these plans, which are those of the mapping on stated inputs."""
        fetch, activity = self.sizes.descriptor_format.words, list[StageActivity]()
        start, ends, of_stages = 1, 1 + fetch + 1, _by_stage(planned)
        for number, plans in enumerate(of_stages):
            ends += sum(plan.issue_cycles + self.drain_cycles(plan) for plan in plans)
            macs, stalls = sum(plan.macs for plan in plans), sum(plan.stalls for plan in plans)
            activity.append(StageActivity(number, start, ends, macs, stalls))
            start = ends
        return Counts(
            cycles=ends,
            load_cycles=self.input_words,
            interval_cycles=self.interval(activity, self.input_words, self.waiting_cycles(of_stages[0][-1])),
            macs=sum(plan.macs for plan in planned),
            padding=sum(plan.padding for plan in planned),
            biases=sum(plan.biases for plan in planned),
            stalls=sum(plan.stalls for plan in planned),
            traffic=self.traffic(
                weight=sum(plan.weight_reads(self.weights_per_fetch) for plan in planned),
                read=[sum(plan.activation_reads for plan in plans) for plans in of_stages],
                written=[sum(plan.activation_writes for plan in plans) for plans in of_stages],
                loaded=self.input_words,
                descriptor=fetch * len(planned),
            ),
            stages=tuple(activity),
        )

    def simulate(self, x: NDArray[np.int64] | None = None, *, watch: Watch | None = None) -> Counts:
        return simulate_lockstep(self.plans, self.sizes, self.input_words, self.traffic, watch)

    @cached_property
    def images(self) -> Images:
        per, pes = self.weights_per_fetch, self.engine.pes
        streams: list[list[int]] = [[] for _ in range(pes)]
        descriptors: list[int] = []
        numbers = np.cumsum([0, *(not plan.continues for plan in self.plans)])
        for plan, number in zip(self.plans, numbers, strict=False):
            biases = self.biases[number].words
            biases = np.pad(biases, ((0, plan.zeros), (0, 0)))[plan.order]
            rows = np.zeros((plan.groups, pes, plan.steps), dtype=np.int64)
            rows[plan.busy] = np.hstack([biases, self.row_weights(self.network.stages[number], plan)])
            for p in range(pes):
                streams[p] += pack_words(rows[:, p].ravel(), bits=self.network.weight_bits, per_word=per)
            own = {
                **plan.group_fields,
                **self.descriptor_fields(plan),
                **self.step_fields(plan),
            }
            if self.sizes.longest_pause:
                own["pause"] = plan.pause
            descriptors += self.descriptor(number, **own)
        return Images(descriptors, streams)

    def load(self, x: NDArray[np.int64]) -> list[LoadWrite]:
        mask = (1 << self.network.activation_bits) - 1
        mirrored = np.resize(np.pad(x, (0, self.input_padding)), self.input_words)
        return [
            LoadWrite("input", i % self.banks, i // self.banks, int(value) & mask)
            for i, value in enumerate(mirrored)
        ]


def _by_stage(plans: Sequence[StagePlan]) -> tuple[tuple[StagePlan, ...], ...]:
    """The plans of each stage."""
    stages: list[list[StagePlan]] = [[]]
    for plan in plans:
        stages[-1].append(plan)
        if not plan.continues:
            stages.append([])
    return tuple(map(tuple, stages[:-1]))


@dataclass(frozen=True)
class Dealt(Generic[P]):
    """Stages on banks: the engine with what became of its requantisers, the plans, the number of banks."""

    engine: Engine
    plans: tuple[P, ...]
    banks: int


def dealt_to_banks(plans: Sequence[P], engine: Engine, lanes: int | None = None) -> Dealt[P]:
    """The plans on the fewest banks that answer every step, whose words lie at most `lanes` apart, and take
    the results of every group before the next ones come; their number is a divisor of the PEs. Raises
    MappingError for a shared requantiser where there are as many banks as PEs."""
    pes = engine.pes
    if lanes is None:
        lanes = max(int(plan.lane_words.max()) for plan in plans)
    for banks in (number for number in range(lanes, pes + 1) if pes % number == 0):
        queue = engine.requantiser != "each" and banks < pes
        dealt = tuple(replace(plan, banks=banks, scores_queue=queue) for plan in plans)
        if not any(plan.pause for plan in dealt):
            break
    shared = shares_requantisers(engine, banks)
    return Dealt(engine.requantising(shared=shared), dealt, banks)


def shares_requantisers(engine: Engine, banks: int) -> bool:
    """Whether PEs share requantisers. Raises MappingError where they are to and there are as many banks as
    PEs."""
    if engine.requantiser == "shared" and banks == engine.pes:
        raise MappingError(
            f"requantiser is shared, allowed is each where there are as many banks ({banks}) as PEs"
        )
    return engine.requantiser != "each" and banks < engine.pes


def plan_stages(
    network: IntegerNetwork, engine: str, plans: MappingOf[type[Stage], Callable[..., StagePlan]]
) -> tuple[StagePlan, ...]:
    """A plan for each stage, made as `plans` says for its type, from the stage and whether it is the `final`
    one. Raises MappingError for a stage of another type."""
    planned = []
    for number, integer in enumerate(network.stages):
        make = plans.get(type(integer.stage))
        if make is None:
            kinds = " and ".join(kind.kind for kind in plans)
            raise MappingError(
                f"stage {number} of the network is a {integer.stage.kind} stage, "
                f"allowed on a {engine} engine are {kinds} stages"
            )
        biases = bias_rows(integer, network.weight_bits, network.activation_bits).of_row
        plan = make(integer.stage, final=integer is network.stages[-1])
        planned.append(replace(plan, bias_words=biases))
    return tuple(planned)
