"""The Clos engine: stages of small dense blocks, one word for each block that a group touches."""

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
from archsim.engine.mapping import sized
from rtl import Hardware
from rtl.engines.clos import ClosSizes, build_clos
from workloads import BlockStage, DenseStage, IntegerNetwork, IntegerStage, Stage, build_layer


@engines.register("clos")
class Clos(Engine):
    """Block stages, and dense ones, which are one block."""

    hardware: ClassVar = ClosSizes

    kind: Literal["clos"] = "clos"

    @classmethod
    def layers(cls, draws: Draws) -> Iterator[tuple[Stage, ...]]:
        ingress = draws.size(2, 28)
        n_in = ingress * draws.size(2, 28)
        for _ in range(draws.few(2, 3)):
            egress, middle = draws.size(2, 20), draws.size(2, 16)
            n_out = egress * draws.size(2, 16)
            yield build_layer("clos", n_in, n_out, ingress=ingress, middle=middle, egress=egress)
            ingress, n_in = egress, n_out

    def lay(self, network: IntegerNetwork, fabric: str) -> ClosMapping:
        plans = plan_stages(network, self.kind, dict.fromkeys((BlockStage, DenseStage), self._plan))
        dealt = dealt_to_banks(plans, self)
        return ClosMapping(network, dealt.engine, fabric, dealt.plans, dealt.banks)

    def _plan(self, stage: BlockStage | DenseStage, *, final: bool) -> StagePlan:
        blocks, taps, block_out = _blocks(stage)
        first = np.arange(0, stage.n_out, self.pes)
        last = np.minimum(first + self.pes, stage.n_out) - 1
        return StagePlan(
            taps=taps,
            outputs=stage.n_out,
            pes=self.pes,
            lane_words=last // block_out - first // block_out + 1,
            fields={
                "stride": blocks,
                "block_out": block_out,
                "advance_blocks": self.pes // block_out,
                "advance_outputs": self.pes % block_out,
            },
            final=final,
        )


@dataclass(frozen=True, eq=False)
class ClosMapping(LockstepMapping):
    """A Clos network on the Clos engine."""

    @cached_property
    def sizes(self) -> ClosSizes:
        return sized(
            ClosSizes,
            **self.common_sizes,
            lanes=max(int(plan.lane_words.max()) for plan in self.plans),
            largest_block=max(plan.fields["block_out"] for plan in self.plans),
        )

    def descriptor_fields(self, plan: StagePlan) -> dict[str, int]:
        encode = self.sizes.address.encode
        pairs = {name: encode(plan.fields[name]) for name in ("stride", "advance_blocks")}
        return {**plan.fields, **pairs}

    def row_weights(self, stage: IntegerStage) -> NDArray[np.int64]:
        return stage.weights.reshape(stage.stage.n_out, -1)

    def build(self) -> Hardware:
        return build_clos(self.sizes)


def _blocks(stage: BlockStage | DenseStage) -> tuple[int, int, int]:
    """Blocks, inputs and outputs of a block."""
    if isinstance(stage, BlockStage):
        return stage.blocks, stage.block_in, stage.block_out
    return 1, stage.n_in, stage.n_out
