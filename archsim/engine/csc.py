"""The CSC engine: taps at a stride around a ring, or at a few strides in turn, consecutive words from few
banks, never a conflict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from archsim.engine.biases import bias_rows
from archsim.engine.draws import Draws
from archsim.engine.engine import OF_THE_PES, Auto, Engine, EngineError, engines
from archsim.engine.lockstep.mapping import LockstepMapping, shares_requantisers
from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.lockstep.rows import Reading, RowPlan, in_a_line, in_columns
from archsim.engine.lockstep.stencil import MOST_DISTANCES, MOST_PADDING, Stencil, stencil_of
from archsim.engine.mapping import MappingError, sized
from rtl import Hardware
from rtl.engines.csc import CscSizes, build_csc, stride_name
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
    trains: ClassVar = ("csc", "dense")
    hardware_only: ClassVar = OF_THE_PES | {"fetch_bits"}

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
        stencils = self._stencils(network)
        if self.banks == "auto" and any(stencils):
            # Each PE reads a word of its own at every tap.
            return self.model_copy(update={"banks": self.pes}).lay(network, fabric)
        banks, queue = self.built_banks, shares_requantisers(self, self.built_banks)
        plans = self._plans(network, stencils, queue=queue)
        mirrors = [banks - 1 if plan.wraps else 0 for plan in plans]
        mirrored = tuple(
            replace(plan, mirrors=-(-following // plan.outputs))
            for plan, following in zip(plans, [*mirrors[1:], 0], strict=True)
        )
        engine = self.requantising(shared=queue).model_copy(update={"banks": banks})
        padding = max(0, plans[0].length - network.n_in)
        return CscMapping(
            network, engine, fabric, mirrored, banks, input_padding=padding, input_mirror=mirrors[0]
        )

    def _stencils(self, network: IntegerNetwork) -> list[Stencil | None]:
        """The stencil of each stage that is neither cyclic nor dense."""
        stencils: list[Stencil | None] = []
        for number, integer in enumerate(network.stages):
            stage = integer.stage
            own = isinstance(stage, CscStage | DenseStage)
            whole_rows = self.pes if self.banks in ("auto", self.pes) else 0
            stencils.append(None if own else stencil_of(stage, whole_rows))
            if not own and stencils[-1] is None:
                raise MappingError(
                    f"stage {number} of the network is a {stage.kind} stage, allowed on a csc engine are csc "
                    "and dense stages, and those whose outputs all read at the same distances, at most "
                    f"{MOST_DISTANCES} and {MOST_PADDING} for each that is stored"
                )
        return stencils

    def _plans(
        self, network: IntegerNetwork, stencils: Sequence[Stencil | None], *, queue: bool
    ) -> list[RowPlan]:
        """A plan for each stage; it ends with zeros where the next one reads beyond its outputs."""
        plans: list[RowPlan] = []
        following = 0
        for integer, stencil in zip(reversed(network.stages), reversed(stencils), strict=True):
            stage, zeros = integer.stage, max(0, following - integer.stage.n_out)
            plan = self._plan(stage, stencil, stage.n_out + zeros, final=not plans)
            biases = bias_rows(integer, network.weight_bits, network.activation_bits).of_row
            padding = plan.taps * plan.outputs - stage.stored_weights
            plan = replace(plan, bias_words=biases, scores_queue=queue, zeros=zeros, padding=padding)
            plans.insert(0, plan)
            following = plan.length
        return plans

    def _plan(self, stage: Stage, stencil: Stencil | None, outputs: int, *, final: bool) -> RowPlan:
        """The reading that takes the fewest cycles, and of those the fewest words."""
        if stencil:
            taps = _Taps(stencil.taps, stencil.strides, stencil.length)
            return replace(self._read(taps, outputs, "each", final=final), stencil=stencil)
        if isinstance(stage, DenseStage):
            taps = _Taps(stage.n_in, (1 % stage.n_in,), stage.n_in)
            return self._read(taps, outputs, "shared", final=final)
        assert isinstance(stage, CscStage)
        stride = stage.stride % stage.n_in
        taps = _Taps(stage.taps, (stride,), stage.n_in)
        readings: list[Reading] = ["each"]
        if self.reads != "rotated" and stage.taps > 1:
            # Rows a stride apart begin with as many words as there are banks, and outputs beyond the ring
            # would begin again where others are.
            readings += ["words"] * (stride == 1 and self.built_banks > 1)
            rows = self.built_banks < self.pes and self.built_banks <= stride < outputs <= stage.n_in
            readings += ["rows"] * rows
        plans = [self._read(taps, outputs, reading, final=final) for reading in readings]
        return min(plans, key=lambda plan: (plan.issue_cycles, plan.activation_reads))

    def _read(self, taps: _Taps, outputs: int, reading: Reading, *, final: bool) -> RowPlan:
        if reading == "rows":
            dealing = in_columns(outputs, taps.strides[0], self.pes, self.built_banks)
        else:
            dealing = in_a_line(outputs, self.pes, self.built_banks)
        return RowPlan(
            taps=taps.count,
            outputs=outputs,
            pes=self.pes,
            lane_words=dealing.words_of_row,
            fields={
                **{stride_name(k): stride for k, stride in enumerate(taps.strides)},
                "row_step": dealing.row_step % taps.ring,
                "advance": 0 if reading == "shared" else dealing.advance % taps.ring,
                "modulus": taps.ring,
                "outputs": outputs,
                "columns": dealing.columns,
                "edge": dealing.edge,
            },
            final=final,
            banks=self.built_banks,
            reading=reading,
            dealing=dealing,
        )


@dataclass(frozen=True)
class _Taps:
    """How many taps an output has, the strides between them that are taken in turn, and the words that they
    go round in."""

    count: int
    strides: tuple[int, ...]
    ring: int


_CYCLIC = Stencil(1, 1, (0,), xors=False)
"""What stages of one stride say."""

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
        stencils = [plan.stencil for plan in self.plans if plan.stencil]
        by_exclusive_or = [stencil for stencil in stencils if stencil.xors]
        return sized(
            CscSizes,
            **self.common_sizes,
            most_mirrors=max(plan.mirrors for plan in self.plans),
            **{kind: reading in readings for kind, reading in KINDS.items()},
            strides=max(len(plan.stencil.distances) if plan.stencil else 1 for plan in self.plans),
            xors=bool(by_exclusive_or),
            tiles=any(stencil.tiles > 1 for stencil in by_exclusive_or),
        )

    def descriptor_fields(self, plan: StagePlan) -> dict[str, int]:
        assert isinstance(plan, RowPlan)
        encode = self.sizes.address.encode
        stencil = plan.stencil or _CYCLIC
        values = {
            **{stride_name(k): 0 for k in range(self.sizes.strides)},
            **{name: encode(value) for name, value in plan.fields.items()},
            **{kind: int(plan.reading == reading) for kind, reading in KINDS.items()},
            "mirrors": plan.mirrors,
            "strides_less_one": len(stencil.distances) - 1,
            "xors": int(stencil.xors),
            "tile": encode(stencil.places) if stencil.tiles > 1 else 0,
            "tiles_less_one": plan.dealing.tiles - 1,
            "rows_less_one": plan.dealing.rows_less_one,
        }
        return {name: values[name] for name, _ in self.sizes.descriptor_format.fields if name in values}

    def row_weights(self, stage: IntegerStage, plan: StagePlan) -> NDArray[np.int64]:
        assert isinstance(plan, RowPlan)
        if plan.stencil is None:
            return np.pad(stage.weights, ((0, plan.zeros), (0, 0)))[plan.order]
        n_out, n_in = stage.stage.n_out, stage.stage.n_in
        matrix = np.zeros((n_out + plan.zeros, plan.length), dtype=np.int64)
        matrix[:n_out, :n_in] = stage.stage.csr(stage.weights).toarray()
        return np.take_along_axis(matrix[plan.order], plan.stencil.addresses(plan.order), axis=1)

    @property
    def score_positions(self) -> NDArray[np.int64]:
        return self.plans[-1].score_positions

    def build(self) -> Hardware:
        return build_csc(self.sizes)
