"""Schedules of the engines whose PEs march in step: dense, CSC and Clos.

A stage is worked off in groups of P outputs, F taps a group. With D descriptor words a stage takes
(D + 1) cycles to fetch its descriptor, groups * F to issue its taps, `hold` to let mirror writes pass, and 4
for the last result to reach its memory; one more cycle answers `start`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping as MappingOf
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archsim.engine.counts import Counts, StageActivity
from archsim.engine.lockstep.events import simulate_lockstep
from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.mapping import Mapping, MappingError, StoredBits, pack_words
from rtl import PIPELINE_CYCLES, Images, LoadWrite
from workloads import IntegerNetwork, IntegerStage, Stage


@dataclass(frozen=True, eq=False)
class LockstepMapping(Mapping):
    """A network as a list of stage plans. `row_weights` gives a stage's weights as (outputs, taps) in the
    order in which its taps are issued."""

    network: IntegerNetwork
    pes: int
    fetch_bits: int
    plans: tuple[StagePlan, ...] = field(repr=False)
    input_mirror: int
    """How many words of the input vector are repeated past its end."""

    @abstractmethod
    def row_weights(self, stage: IntegerStage) -> NDArray[np.int64]:
        """The weights in issue order, shape (n_out, taps)."""

    def descriptor_fields(self, plan: StagePlan) -> dict[str, int]:
        """The values of the engine's own descriptor fields."""
        return plan.fields

    @property
    def weights_per_fetch(self) -> int:
        return self.fetch_bits // self.network.weight_bits

    @cached_property
    def common_sizes(self) -> dict[str, int]:
        """Sizes that every engine needs, for just this network."""
        written = [plan.highest_address for plan in self.plans[:-1]]
        named = [value for plan in self.plans for value in plan.fields.values()]
        highest = max(self.network.n_in + self.input_mirror - 1, *written, *named, 0)
        return {
            "pes": self.pes,
            "weight_bits": self.network.weight_bits,
            "activation_bits": self.network.activation_bits,
            "accumulator_bits": self.accumulator_bits,
            "fetch_bits": self.fetch_bits,
            "weight_words": sum(p.weight_fetches(p.groups, self.weights_per_fetch) for p in self.plans),
            "activation_rows": highest // self.pes + 1,
            "stages": len(self.plans),
            "longest_row": max(plan.taps for plan in self.plans),
            "most_groups": max(plan.groups for plan in self.plans),
        }

    @property
    def stored_bits(self) -> StoredBits:
        return StoredBits(weight=self.network.stored_weights * self.network.weight_bits, index=0)

    @property
    def score_positions(self) -> NDArray[np.int64]:
        return np.arange(self.network.n_out)

    def stage_cycles(self, plan: StagePlan) -> int:
        """Cycles from the first descriptor word of a stage to its last write."""
        fetch = self.sizes.descriptor_format.words + 1
        return fetch + plan.groups * plan.taps + plan.hold + PIPELINE_CYCLES

    def count(self) -> Counts:
        fetch, ends, activity = self.sizes.descriptor_format.words, 1, []
        for number, plan in enumerate(self.plans):
            start, ends = ends, ends + self.stage_cycles(plan)
            activity.append(StageActivity(number, start, ends, plan.macs))
        return Counts(
            cycles=ends,
            macs=sum(plan.macs for plan in self.plans),
            traffic=self.traffic(
                weight=sum(plan.weight_reads(self.weights_per_fetch) for plan in self.plans),
                activation=sum(plan.activation_reads for plan in self.plans),
                activation_written=sum(plan.activation_writes for plan in self.plans),
                descriptor=fetch * len(self.plans),
            ),
            stages=tuple(activity),
        )

    def simulate(self) -> Counts:
        return simulate_lockstep(self.plans, self.sizes, self.traffic)

    @cached_property
    def images(self) -> Images:
        per = self.weights_per_fetch
        streams: list[list[int]] = [[] for _ in range(self.pes)]
        descriptors: list[int] = []
        for plan, stage in zip(self.plans, self.network.stages, strict=True):
            rows = np.zeros((plan.groups * self.pes, plan.taps), dtype=np.int64)
            rows[: plan.outputs] = self.row_weights(stage)
            for p in range(self.pes):
                dealt = rows[p :: self.pes].ravel()
                streams[p] += pack_words(dealt, bits=self.network.weight_bits, per_word=per)
            descriptors += self.descriptor(
                stage, steps_less_one=plan.taps - 1, **self.descriptor_fields(plan)
            )
        return Images(descriptors, streams)

    def load(self, x: NDArray[np.int64]) -> list[LoadWrite]:
        mask = (1 << self.network.activation_bits) - 1
        mirrored = np.resize(x, len(x) + self.input_mirror)
        return [
            LoadWrite("activation", i % self.pes, i // self.pes * 2, int(value) & mask)
            for i, value in enumerate(mirrored)
        ]


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
        planned.append(make(integer.stage, final=integer is network.stages[-1]))
    return tuple(planned)
