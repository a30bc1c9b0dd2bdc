"""The dense engine: every weight of the matrix, one activation broadcast to all PEs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from archsim.engine.draws import Draws
from archsim.engine.engine import OF_THE_PES, Engine, engines
from archsim.engine.lockstep.mapping import LockstepMapping, dealt_to_banks, plan_stages
from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.mapping import sized
from rtl import Hardware
from rtl.engines.dense import DenseSizes, build_dense
from workloads import DenseStage, IntegerNetwork, IntegerStage, Stage


@engines.register("dense")
class Dense(Engine):
    """Dense layers; the address is a counter."""

    hardware: ClassVar = DenseSizes
    hardware_only: ClassVar = OF_THE_PES | {"fetch_bits"}
    best: ClassVar = {"asic": {"zero_gating": True}}

    kind: Literal["dense"] = "dense"

    @classmethod
    def layers(cls, draws: Draws) -> Iterator[tuple[Stage, ...]]:
        for n_in, n_out in draws.widths():
            yield (DenseStage(n_in, n_out),)

    def lay(self, network: IntegerNetwork, fabric: str) -> DenseMapping:
        return self.lay_together([network], fabric)[0]

    def lay_together(self, networks: Sequence[IntegerNetwork], fabric: str) -> tuple[DenseMapping, ...]:
        plans = [plan_stages(network, self.kind, {DenseStage: self._plan}) for network in networks]
        dealt = dealt_to_banks([plan for of_network in plans for plan in of_network], self)
        left = iter(dealt.plans)
        return tuple(
            DenseMapping(network, dealt.engine, fabric, tuple(islice(left, len(of_network))), dealt.banks)
            for network, of_network in zip(networks, plans, strict=True)
        )

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
