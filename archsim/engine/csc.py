"""The CSC engine: taps at a fixed stride around a ring, P consecutive words a cycle, never a conflict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from archsim.engine.draws import Draws
from archsim.engine.engine import Engine, engines
from archsim.engine.lockstep.mapping import LockstepMapping, plan_stages
from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.mapping import MappingError, sized
from rtl import BankedAddress, Hardware
from rtl.engines.csc import CscSizes, build_csc
from workloads import CscStage, DenseStage, IntegerNetwork, IntegerStage, Stage, build_layer


@engines.register("csc")
class Csc(Engine):
    """CSC stages, and dense ones, which are rings with as many taps as inputs."""

    hardware: ClassVar = CscSizes

    kind: Literal["csc"] = "csc"

    @classmethod
    def layers(cls, draws: Draws) -> Iterator[tuple[Stage, ...]]:
        for n_in, n_out in draws.widths():
            yield build_layer("csc", n_in, n_out, fan_in=draws.between(2, 30), depth=draws.few(1, 3))

    def lay(self, network: IntegerNetwork, fabric: str) -> CscMapping:
        if self.requantiser == "shared":
            raise MappingError("engine.requantiser is shared, allowed on a csc engine is each")
        plans = plan_stages(network, self.kind, dict.fromkeys((CscStage, DenseStage), self._plan))
        engine = self.requantising(shared=False)
        return CscMapping(network, engine, fabric, plans, banks=self.pes, input_mirror=self.pes - 1)

    def _plan(self, stage: CscStage | DenseStage, *, final: bool) -> StagePlan:
        pes, n_in, n_out = self.pes, stage.n_in, stage.n_out
        taps, stride = _ring(stage)
        mirrors = 0 if final else -(-(pes - 1) // n_out)
        groups = -(-n_out // pes)
        lane_words = np.full(groups, pes, dtype=np.int64)
        lane_words[-1] = n_out - (groups - 1) * pes
        return StagePlan(
            taps=taps,
            outputs=n_out,
            pes=pes,
            lane_words=lane_words,
            fields={
                "stride": stride % n_in,
                "advance": pes % n_in,
                "modulus": n_in,
                "outputs": n_out,
                "mirrors": mirrors,
            },
            final=final,
            mirrors=mirrors,
            banks=pes,
        )


@dataclass(frozen=True, eq=False)
class CscMapping(LockstepMapping):
    """A CSC network on the CSC engine. Activation i lies in bank i mod P, and the first P - 1 are repeated
    past the end of their vector."""

    @cached_property
    def sizes(self) -> CscSizes:
        return sized(
            CscSizes,
            **self.common_sizes,
            most_mirrors=max(plan.mirrors for plan in self.plans),
        )

    def descriptor_fields(self, plan: StagePlan) -> dict[str, int]:
        address: BankedAddress = self.sizes.address
        pairs = {name: address.encode(value) for name, value in plan.fields.items() if name != "mirrors"}
        return {**pairs, "mirrors": plan.mirrors}

    def row_weights(self, stage: IntegerStage, plan: StagePlan) -> NDArray[np.int64]:
        if isinstance(stage.stage, CscStage):
            return stage.weights
        n_out, n_in = stage.weights.shape
        around = (np.arange(n_out)[:, None] + np.arange(n_in)[None, :]) % n_in
        return np.take_along_axis(stage.weights, around, axis=1)

    def build(self) -> Hardware:
        return build_csc(self.sizes)


def _ring(stage: CscStage | DenseStage) -> tuple[int, int]:
    """Taps per output and stride between them."""
    return (stage.weight_shape[1], stage.stride) if isinstance(stage, CscStage) else (stage.n_in, 1)
