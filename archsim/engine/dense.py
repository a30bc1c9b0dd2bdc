"""The dense engine: every weight of the matrix, one activation broadcast to all PEs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from archsim.engine.counts import Counts
from archsim.engine.draws import Draws
from archsim.engine.engine import OF_THE_PES, Engine, EngineError, engines
from archsim.engine.lockstep.events import simulate_lockstep
from archsim.engine.lockstep.mapping import (
    LockstepMapping,
    dealt_to_banks,
    plan_stages,
    shares_requantisers,
)
from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.lockstep.skipping import SkippingPlan, skipping
from archsim.engine.lockstep.skipping_events import SkippingMachine
from archsim.engine.mapping import MappingError, sized
from archsim.engine.stimulus import stimulus
from archsim.engine.watch import Watch
from rtl import Hardware
from rtl.engines.dense import DenseSizes, build_dense
from workloads import DenseStage, IntegerNetwork, IntegerStage, Stage


@engines.register("dense")
class Dense(Engine):
    """Dense layers; the address is a counter.

    `zero_window`: so many activations are looked at together, one of each bank, and only those that are not
    zero are broadcast; at 1 nothing is skipped. Above, cycles, products and traffic depend on the inputs:
    what is told lies between bounds that hold for all, `analytic` is the mean over the network's samples, and
    `cycle` and `rtl` run the first of them.
    """

    hardware: ClassVar = DenseSizes
    trains: ClassVar = ("dense",)
    hardware_only: ClassVar = OF_THE_PES | {"fetch_bits"}
    best: ClassVar = {"asic": {"zero_gating": True}}
    stalls: ClassVar = "cycles are lost to windows of zeros"

    kind: Literal["dense"] = "dense"
    zero_window: Annotated[int, Field(ge=1, le=64)] = 1

    @model_validator(mode="after")
    def _window_divides_the_pes(self) -> Dense:
        if self.pes % self.zero_window:
            raise EngineError.of("zero_window", self.zero_window, f"divisors of pes ({self.pes})")
        return self

    @classmethod
    def layers(cls, draws: Draws) -> Iterator[tuple[Stage, ...]]:
        for n_in, n_out in draws.widths():
            yield (DenseStage(n_in, n_out),)

    def lay(self, network: IntegerNetwork, fabric: str) -> DenseMapping:
        return self._laid([network], fabric)[0] if self.zero_window == 1 else self._skipping(network, fabric)

    def lay_together(self, networks: Sequence[IntegerNetwork], fabric: str) -> tuple[DenseMapping, ...]:
        if self.zero_window > 1:
            raise MappingError.of("zero_window", self.zero_window, "1 for a network of places or steps")
        return self._laid(networks, fabric)

    def _laid(self, networks: Sequence[IntegerNetwork], fabric: str) -> tuple[DenseMapping, ...]:
        plans = [plan_stages(network, self.kind, {DenseStage: self._plan}) for network in networks]
        dealt = dealt_to_banks([plan for of_network in plans for plan in of_network], self)
        left = iter(dealt.plans)
        return tuple(
            DenseMapping(network, dealt.engine, fabric, tuple(islice(left, len(of_network))), dealt.banks)
            for network, of_network in zip(networks, plans, strict=True)
        )

    def _skipping(self, network: IntegerNetwork, fabric: str) -> SkippingMapping:
        """The mapping with as many banks as activations are looked at together."""
        banks = self.zero_window
        shared = shares_requantisers(self, banks)
        plans = tuple(
            skipping(plan, banks=banks, scores_queue=shared)
            for plan in plan_stages(network, self.kind, {DenseStage: self._plan})
        )
        return SkippingMapping(network, self.requantising(shared=shared), fabric, plans, banks)

    def _plan(self, stage: DenseStage, *, final: bool) -> StagePlan:
        groups = -(-stage.n_out // self.pes)
        return StagePlan(
            taps=stage.n_in,
            outputs=stage.n_out,
            pes=self.pes,
            lane_words=np.ones(groups, dtype=np.int64),
            fields={},
            final=final,
        )


@dataclass(frozen=True, eq=False)
class DenseMapping(LockstepMapping):
    """A dense network on the dense engine."""

    @cached_property
    def sizes(self) -> DenseSizes:
        return sized(DenseSizes, **self.common_sizes)

    def row_weights(self, stage: IntegerStage, plan: StagePlan) -> NDArray[np.int64]:
        return stage.weights

    def build(self) -> Hardware:
        return build_dense(self.sizes)


@dataclass(frozen=True, eq=False)
class SkippingMapping(DenseMapping):
    """A dense network on the dense engine that skips activations which are zero. The plans are those of
    activations none of which is."""

    plans: tuple[SkippingPlan, ...] = field(repr=False)

    @cached_property
    def sizes(self) -> DenseSizes:
        return sized(DenseSizes, **self.common_sizes, skips=True)

    @property
    def watched(self) -> bool:
        return False

    def step_fields(self, plan: StagePlan) -> dict[str, int]:
        row, lane = divmod(plan.taps - 1, self.banks)
        return {"rows_less_one": row, "lanes_less_one": lane}

    def count(self) -> Counts:
        runs = [self.counts_of(self._on(x[:, None])) for x in stimulus(self.network).T]
        least, most = self._bounds
        return Counts.mean(runs, least=least, most=most)

    def count_of(self, x: NDArray[np.int64]) -> Counts:
        return self.counts_of(self._on(x)).between(*self._bounds)

    def simulate(self, x: NDArray[np.int64] | None = None, *, watch: Watch | None = None) -> Counts:
        plans = self._on(stimulus(self.network)[:, :1] if x is None else x)
        counts = simulate_lockstep(plans, self.sizes, self.input_words, self.traffic, kind=SkippingMachine)
        return replace(counts, exact=False).between(*self._bounds)

    def counts_of(self, planned: Sequence[StagePlan]) -> Counts:
        return replace(super().counts_of(planned), exact=False)

    @cached_property
    def _bounds(self) -> tuple[Counts, Counts]:
        """Counts with all activations zero, and with none: no others are less, or more."""
        none = tuple(replace(plan, nonzero=np.zeros(plan.taps, dtype=bool)) for plan in self.plans)
        return self.counts_of(none), self.counts_of(self.plans)

    def _on(self, x: NDArray[np.int64]) -> tuple[SkippingPlan, ...]:
        """The plans on an input, shape (n_in, 1)."""
        signals = self.network.signals(x)
        return tuple(
            replace(plan, nonzero=signal[:, 0] != 0)
            for plan, signal in zip(self.plans, signals, strict=False)
        )
