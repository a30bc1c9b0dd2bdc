"""How a network lies on the countdown engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from archsim.engine.draws import Draws
from archsim.engine.engine import Engine, engines
from archsim.engine.lockstep.mapping import LockstepMapping, dealt_to_banks, plan_stages
from archsim.engine.lockstep.plan import StagePlan
from archsim_example.countdown_hardware import CountdownSizes, build_countdown
from rtl import Hardware
from workloads import DenseStage, IntegerNetwork, IntegerStage, Stage


@engines.register("countdown")
class Countdown(Engine):
    """Dense layers, their inputs from the last to the first."""

    hardware: ClassVar = CountdownSizes

    kind: Literal["countdown"] = "countdown"

    @classmethod
    def layers(cls, draws: Draws) -> Iterator[tuple[Stage, ...]]:
        for n_in, n_out in draws.widths():
            yield (DenseStage(n_in, n_out),)

    def lay(self, network: IntegerNetwork, fabric: str) -> CountdownMapping:
        dealt = dealt_to_banks(plan_stages(network, self.kind, {DenseStage: self._plan}), self)
        return CountdownMapping(network, dealt.engine, fabric, dealt.plans, dealt.banks)

    def _plan(self, stage: DenseStage, *, final: bool) -> StagePlan:
        return StagePlan(
            taps=stage.n_in,
            outputs=stage.n_out,
            pes=self.pes,
            lane_words=np.ones(-(-stage.n_out // self.pes), dtype=np.int64),
            fields={"highest": stage.n_in - 1},
            final=final,
        )


@dataclass(frozen=True, eq=False)
class CountdownMapping(LockstepMapping):
    """A dense network on the countdown engine."""

    @cached_property
    def sizes(self) -> CountdownSizes:
        return CountdownSizes(**self.common_sizes)

    def descriptor_fields(self, plan: StagePlan) -> dict[str, int]:
        return {"highest": self.sizes.address.encode(plan.fields["highest"])}

    def row_weights(self, stage: IntegerStage, plan: StagePlan) -> NDArray[np.int64]:
        return stage.weights[:, ::-1]

    def build(self) -> Hardware:
        return build_countdown(self.sizes)
