"""The engine of strided blocks, Clos networks among them: addresses from nested counters, and no index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from archsim.engine.biases import bias_rows
from archsim.engine.draws import Draws
from archsim.engine.engine import OF_THE_PES, Engine, engines
from archsim.engine.lockstep.mapping import LockstepMapping, dealt_to_banks
from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.mapping import MappingError, sized
from archsim.engine.strided.copies import Copies, once, with_copies
from archsim.engine.strided.plan import StridedPlan, pattern_of, patterns_of, plans_of
from archsim.engine.strided.search import MOST_PIECES, StridedOrder, cheapest
from rtl import Hardware, LoadWrite
from rtl.engines.clos import ClosSizes, build_clos
from workloads import IntegerNetwork, IntegerStage, Stage, build_layer
from workloads.refusal import Defect

Laid: TypeAlias = tuple[StridedOrder, Copies]
"""How stages lie, and which of the inputs the first one reads at each place."""


@engines.register("clos")
class Clos(Engine):
    """Strided blocks: stages that nested counters find, whatever family they are of."""

    hardware: ClassVar = ClosSizes
    trains: ClassVar = ("block", "dense")
    hardware_only: ClassVar = OF_THE_PES | {"fetch_bits"}
    best: ClassVar = {"asic": {"zero_gating": True}}

    kind: Literal["clos"] = "clos"

    @classmethod
    def layers(cls, draws: Draws) -> Iterator[tuple[Stage, ...]]:
        sides = draws.size(2, 28), draws.size(2, 28)
        for _ in range(draws.few(2, 3)):
            following = draws.size(2, 20), draws.size(2, 16)
            yield _drawn_layer(draws, *sides, *following)
            sides = following

    def lay(self, network: IntegerNetwork, fabric: str) -> ClosMapping:
        return self._laid([(network, self._order(network))], fabric)[0]

    def lay_together(self, networks: Sequence[IntegerNetwork], fabric: str) -> tuple[ClosMapping, ...]:
        return self._laid([(network, self._order(network, in_order=True)) for network in networks], fabric)

    def _order(self, network: IntegerNetwork, *, in_order: bool = False) -> Laid:
        """How a network lies, its inputs `in_order` or in any, or copied. Raises MappingError where it is
        irregular."""
        stages = [integer.stage for integer in network.stages]
        for number, stage in enumerate(stages):
            if not stage.row_lengths().all():
                raise MappingError.of(
                    f"inputs of output {int(np.argmin(stage.row_lengths()))} of stage {number}",
                    0,
                    "1 or more on a clos engine",
                )
        order, inputs = cheapest(tuple(stages), self.pes, in_order=in_order), once(stages[0])
        copied = None if in_order else with_copies(stages[0])
        if copied:
            other = cheapest((copied.stage, *stages[1:]), self.pes)
            if isinstance(order, int) or (isinstance(other, StridedOrder) and other.cost < order.cost):
                order, inputs = other, copied
        if isinstance(order, int):
            raise MappingError(
                f"stage {order} of the network is a {stages[order].kind} stage that nested counters do not "
                f"find in {MOST_PIECES} pieces, allowed on a clos engine are dense blocks at fixed strides "
                "(a first stage may read its inputs in several orders)"
            )
        return order, inputs

    def _laid(self, ordered: Sequence[tuple[IntegerNetwork, Laid]], fabric: str) -> tuple[ClosMapping, ...]:
        """The mappings of networks that lie so, on one piece of hardware."""
        plans = []
        for network, (order, _) in ordered:
            biases = (bias_rows(stage, self.weight_bits, self.activation_bits) for stage in network.stages)
            plans.append(plans_of(order, self.pes, [rows.of_row for rows in biases]))
        together = [plan for of_network in plans for plan in of_network]
        lanes = max(order.lanes for _, (order, _) in ordered)
        dealt = dealt_to_banks(together, self, lanes)
        left = iter(dealt.plans)
        return tuple(
            ClosMapping(
                network,
                dealt.engine,
                fabric,
                tuple(islice(left, len(of_network))),
                dealt.banks,
                order=order,
                inputs=inputs,
                together=dealt.plans,
                lanes=lanes,
            )
            for (network, (order, inputs)), of_network in zip(ordered, plans, strict=True)
        )


def _drawn_layer(draws: Draws, a: int, b: int, c: int, d: int) -> tuple[Stage, ...]:
    """A layer from a * b places to c * d, of one of the families that strided blocks are."""
    n_in, n_out = a * b, c * d
    side, family = min(n_in, n_out), draws.few(1, 5)
    if family == 1 and side > 1:
        return build_layer("butterfly", n_in, n_out, radix=min(1 + draws.few(1, 6), side))
    if family == 2:
        return build_layer("block-diagonal", n_in, n_out, blocks=min(draws.size(2, 28), side))
    if family == 3:
        return build_layer("kronecker", n_in, n_out, factors=[[a, d, b, 1], [1, c, a, d]])
    if family == 4:
        return build_layer("kronecker", n_in, n_out, factors=[[1, c, a, b], [c, d, b, 1]])
    return build_layer("clos", n_in, n_out, ingress=a, middle=draws.size(2, 16), egress=c)


@dataclass(frozen=True, eq=False, kw_only=True)
class ClosMapping(LockstepMapping):
    """A network of strided blocks. Inputs, and the outputs of each stage, lie in the order that lets the next
    stage read words that lie beside each other. The first stage reads copies of the `inputs`."""

    order: StridedOrder = field(repr=False)
    inputs: Copies = field(repr=False)
    together: tuple[StridedPlan, ...] = field(repr=False)
    """The plans of all networks that share the hardware, each of a piece."""
    lanes: int

    @cached_property
    def crosses(self) -> bool:
        """Whether the blocks of some stage lie across groups."""
        return any(plan.schedule.crosses for plan in self.together)

    @cached_property
    def patterns(self) -> tuple[tuple[int, ...], ...]:
        return patterns_of(self.together, self.lanes, crossing=self.crosses)

    @cached_property
    def sizes(self) -> ClosSizes:
        schedules = [plan.schedule for plan in self.together]
        taps = [schedule.piece.taps for schedule in schedules]
        counted = [schedule for schedule in schedules if self.crosses and schedule.block_out]
        return sized(
            ClosSizes,
            **self.common_sizes,
            lanes=self.lanes,
            patterns=self.patterns,
            largest_block=max((schedule.block_out for schedule in counted), default=0),
            touched=max((schedule.heard for schedule in counted), default=1),
            starts=any(schedule.piece.start for schedule in schedules),
            inner=max((t.inner for t in taps), default=0) if any(t.inner < t.count for t in taps) else 0,
            repeats=max(schedule.repeats for schedule in schedules),
            pieces=any(plan.continues for plan in self.together),
            most_run=self.most_run,
            idle=any(s.full < self.engine.pes and s.groups > 1 for s in schedules),
            turned=any(plan.turned for plan in self.together),
        )

    @cached_property
    def most_run(self) -> int:
        """The most groups of a run; a piece without runs is one."""
        schedules = [plan.schedule for plan in self.together]
        several = any(schedule.run for schedule in schedules)
        return max(schedule.run or schedule.groups for schedule in schedules) if several else 0

    @property
    def input_words(self) -> int:
        return len(self.inputs.holds)

    @property
    def input_reach(self) -> int:
        return int(self.order.inputs.max()) + 1

    @property
    def score_positions(self) -> NDArray[np.int64]:
        busy = np.concatenate([plan.busy for plan in self.of_stages[-1]])
        group, p = np.nonzero(busy)
        positions = np.empty(self.network.n_out, dtype=np.int64)
        # Only scores are collected, so a PE that had none in a group is not counted there.
        earlier = (np.cumsum(busy, axis=0) - 1)[group, p]
        positions[self.order.stages[-1].order] = earlier * self.engine.pes + p
        return positions

    def load(self, x: NDArray[np.int64]) -> list[LoadWrite]:
        mask = (1 << self.network.activation_bits) - 1
        return [
            LoadWrite("input", at % self.banks, at // self.banks, int(value) & mask)
            for at, value in zip(self.order.inputs.tolist(), x[self.inputs.holds], strict=True)
        ]

    def descriptor_fields(self, plan: StagePlan) -> dict[str, int]:
        assert isinstance(plan, StridedPlan)
        sizes, schedule = self.sizes, plan.schedule
        taps, counted = schedule.piece.taps, self.crosses and schedule.block_out
        values = {name: sizes.address.encode_step(value) for name, value in plan.fields.items()}
        values["inner_less_one"] = taps.inner - 1
        values["block_out"] = schedule.block_out if counted else 1
        values["advance_outputs"] = self.engine.pes % schedule.block_out if counted else 0
        values["repeats_less_one"] = schedule.repeats - 1
        values["run_less_one"] = (schedule.run or schedule.groups) - 1
        values["run_valid_less_one"] = max(schedule.run_valid, 1) - 1
        values["full_less_one"] = schedule.full - 1
        values["continues"] = int(plan.continues)
        own = None if counted else self.patterns.index(pattern_of(plan, self.lanes))
        values["pattern"] = len(self.patterns) if own is None else own
        return {name: values[name] for name, _ in sizes.own_fields if name in values}

    @cached_property
    def _named_weights(self) -> list[_NamedWeights]:
        places = [self.order.inputs, *(np.argsort(stage.order) for stage in self.order.stages[:-1])]
        integers = self.network.stages
        stages = [self.inputs.stage, *(integer.stage for integer in integers[1:])]
        return [_NamedWeights(*given) for given in zip(integers, stages, places, strict=True)]

    def row_weights(self, stage: IntegerStage, plan: StagePlan) -> NDArray[np.int64]:
        assert isinstance(plan, StridedPlan)
        return self._named_weights[plan.stage].at(plan.issued, plan.addresses[plan.busy])

    def build(self) -> Hardware:
        return build_clos(self.sizes)


class _NamedWeights:
    """The weights of a stage by output and address. That every address of a piece names one is the proof that
    its counters find what the stage reads."""

    def __init__(self, integer: IntegerStage, stage: Stage, place: NDArray[np.int64]) -> None:
        self.reach = int(place.max()) + 1
        rows = np.repeat(np.arange(stage.n_out), stage.row_lengths())
        keys = rows * self.reach + place[stage.columns()]
        sorted_by = np.argsort(keys)
        self.keys, self.weights = keys[sorted_by], integer.weights.ravel()[sorted_by]

    def at(self, outputs: NDArray[np.int64], addresses: NDArray[np.int64]) -> NDArray[np.int64]:
        """The weights of these outputs, shape (outputs,), at their addresses, shape (outputs, taps)."""
        wanted = outputs[:, None] * self.reach + addresses
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        if (self.keys[places] != wanted).any():
            raise Defect("a strided piece reads a word that its stage has no weight for")
        return self.weights[places]
