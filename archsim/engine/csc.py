"""The CSC engine: taps at a fixed stride around a ring, consecutive words from few banks, never a
conflict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from archsim.engine.draws import Draws
from archsim.engine.engine import Auto, Engine, EngineError, engines
from archsim.engine.lockstep.mapping import LockstepMapping, plan_stages, shares_requantisers
from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.lockstep.rows import Reading, RowPlan, in_a_line, in_columns
from archsim.engine.mapping import sized
from rtl import Hardware
from rtl.engines.csc import CscSizes, build_csc
from workloads import CscStage, DenseStage, IntegerNetwork, IntegerStage, Stage, build_layer

FEW_BANKS = 4
FEWER_THAN_PES = 8
"""How many banks there are, about: at least so many, and one for so many PEs. On the networks of the zoo at
fidelity gate in 65 nm, 16 PEs with 2, 4, 8 and 16 banks take 14.2, 13.6, 16.7 and 18.9 nJ mm² of energy times
area at 12.7 times fewer weights, and 2.9, 3.1, 3.7 and 4.7 at 40 times fewer; the fewer banks, the more
cycles. 64 PEs with 4, 8 and 16 banks take 27.8, 28.6 and 30.2, and the second a quarter fewer cycles than the
first."""


@engines.register("csc")
class Csc(Engine):
    """CSC stages, and dense ones, of which every word serves all PEs.

    `reads`: *rotated* reads all words of every tap, the next one's a stride further; *along_stride* reads
    those of a group's first tap, and from then on only words that no PE has, where a stage's stride allows.
    `banks` answer with as many consecutive words a cycle, a divisor of the PEs.
    """

    hardware: ClassVar = CscSizes

    kind: Literal["csc"] = "csc"
    reads: Literal["rotated", "along_stride"] | Auto = "auto"
    banks: Annotated[int, Field(ge=1)] | Auto = "auto"

    @classmethod
    def layers(cls, draws: Draws) -> Iterator[tuple[Stage, ...]]:
        for n_in, n_out in draws.widths():
            yield build_layer("csc", n_in, n_out, fan_in=draws.between(2, 30), depth=draws.few(1, 3))

    @model_validator(mode="after")
    def _banks_divide_the_pes(self) -> Csc:
        if self.banks != "auto" and self.pes % self.banks:
            raise EngineError.of("banks", self.banks, f"divisors of pes ({self.pes})")
        return self

    @property
    def built_banks(self) -> int:
        """As many banks as are built."""
        if self.banks != "auto":
            return self.banks
        if self.reads == "rotated":
            return self.pes
        best = max(FEW_BANKS, self.pes / FEWER_THAN_PES)
        divisors = [number for number in range(1, self.pes + 1) if self.pes % number == 0]
        return min(divisors, key=lambda number: max(number / best, best / number))

    def lay_together(self, networks: Sequence[IntegerNetwork], fabric: str) -> tuple[CscMapping, ...]:
        return tuple(self.lay(network, fabric) for network in networks)

    def lay(self, network: IntegerNetwork, fabric: str) -> CscMapping:
        banks, queue = self.built_banks, shares_requantisers(self, self.built_banks)
        planned = plan_stages(network, self.kind, dict.fromkeys((CscStage, DenseStage), self._plan))
        plans = [replace(plan, scores_queue=queue) for plan in planned if isinstance(plan, RowPlan)]
        mirrors = [0 if plan.reading == "shared" else banks - 1 for plan in plans]
        mirrored = tuple(
            replace(plan, mirrors=-(-following // plan.outputs))
            for plan, following in zip(plans, [*mirrors[1:], 0], strict=True)
        )
        engine = self.requantising(shared=queue).model_copy(update={"banks": banks})
        return CscMapping(network, engine, fabric, mirrored, banks, input_mirror=mirrors[0])

    def _plan(self, stage: CscStage | DenseStage, *, final: bool) -> RowPlan:
        """The reading that takes the fewest cycles, and of those the fewest words."""
        if isinstance(stage, DenseStage):
            return self._read(stage, "shared", final=final)
        stride = stage.stride % stage.n_in
        readings: list[Reading] = ["each"]
        if self.reads != "rotated" and stage.taps > 1:
            # Rows a stride apart begin with as many words as there are banks, and outputs beyond the ring
            # would begin again where others are.
            readings += ["words"] * (stride == 1 and self.built_banks > 1)
            rows = self.built_banks < self.pes and self.built_banks <= stride < stage.n_out <= stage.n_in
            readings += ["rows"] * rows
        plans = [self._read(stage, reading, final=final) for reading in readings]
        return min(plans, key=lambda plan: (plan.issue_cycles, plan.activation_reads))

    def _read(self, stage: CscStage | DenseStage, reading: Reading, *, final: bool) -> RowPlan:
        taps, stride = (stage.taps, stage.stride) if isinstance(stage, CscStage) else (stage.n_in, 1)
        stride %= stage.n_in
        if reading == "rows":
            dealing = in_columns(stage.n_out, stride, self.pes, self.built_banks)
        else:
            dealing = in_a_line(stage.n_out, self.pes, self.built_banks)
        return RowPlan(
            taps=taps,
            outputs=stage.n_out,
            pes=self.pes,
            lane_words=dealing.words_of_row,
            fields={
                "stride": stride,
                "row_step": dealing.row_step % stage.n_in,
                "advance": 0 if reading == "shared" else dealing.advance % stage.n_in,
                "modulus": stage.n_in,
                "outputs": stage.n_out,
                "columns": dealing.columns,
                "edge": dealing.edge,
            },
            final=final,
            banks=self.built_banks,
            reading=reading,
            dealing=dealing,
        )


KINDS: Mapping[str, Reading] = {"shares_words": "shared", "passes_words": "words", "passes_rows": "rows"}
"""What the hardware calls readings, by descriptor field."""


@dataclass(frozen=True, eq=False)
class CscMapping(LockstepMapping):
    """A CSC network on the CSC engine. Activation i lies in bank i mod B, and the first B - 1 are repeated
    past the end of their vector."""

    plans: tuple[RowPlan, ...] = field(repr=False)

    @cached_property
    def sizes(self) -> CscSizes:
        readings = {plan.reading for plan in self.plans}
        return sized(
            CscSizes,
            **self.common_sizes,
            most_mirrors=max(plan.mirrors for plan in self.plans),
            **{kind: reading in readings for kind, reading in KINDS.items()},
        )

    def descriptor_fields(self, plan: StagePlan) -> dict[str, int]:
        assert isinstance(plan, RowPlan)
        encode = self.sizes.address.encode
        values = {
            **{name: encode(value) for name, value in plan.fields.items()},
            **{kind: int(plan.reading == reading) for kind, reading in KINDS.items()},
            "mirrors": plan.mirrors,
            "tiles_less_one": plan.dealing.tiles - 1,
            "rows_less_one": plan.dealing.rows_less_one,
        }
        return {name: values[name] for name, _ in self.sizes.descriptor_format.fields if name in values}

    def row_weights(self, stage: IntegerStage, plan: StagePlan) -> NDArray[np.int64]:
        return stage.weights[plan.order]

    @property
    def score_positions(self) -> NDArray[np.int64]:
        return self.plans[-1].score_positions

    def build(self) -> Hardware:
        return build_csc(self.sizes)
