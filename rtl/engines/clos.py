"""The engine of strided blocks, Clos networks among them: nested counters, and words that several PEs hear.

The words that a group reads in a step lie beside each other from `now` on, one a lane. `now` goes on by
`stride` from tap to tap, and after each `inner` taps by `tile_jump`. `base`, where a group begins, goes on by
`advance`; after the last group of a run it goes back to where the run began, or goes on by `jump`.

Which PE listens to which lane is one of the `patterns` of these sizes, fixed for all groups of a piece. Or
it is counted, where blocks lie across two groups: the blocks that a group touches are neighbours, so the
words they need are, one lane a block, and PE p hears the block that it is in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import pyrtl

from rtl.engines.lockstep.controller import Controller, Step
from rtl.engines.lockstep.machine import ORDINARY, Placed, Source, Special, Written, build_lockstep
from rtl.engines.lockstep.sizes import LockstepSizes
from rtl.parts.amounts import rotator, wrap_bits
from rtl.parts.arithmetic import BankedAddress, choose
from rtl.parts.components import Wire, bits_for, fit, named, register
from rtl.parts.sizes import Amounts, levels
from rtl.parts.skeleton import Hardware


@dataclass(frozen=True, kw_only=True, repr=False)
class ClosSizes(LockstepSizes):
    """`lanes`: the words that one step reaches over; `patterns`: the lane of each PE, in ways that a piece
    may choose. Where blocks lie across groups, `largest_block` is the most outputs of a block, else 0, and
    `touched` the most blocks that a group touches. `starts`: a piece may begin past the first word; `inner`:
    the most taps of an inner counter, where a stage has two; `repeats`: how often a run may be repeated;
    `turned`: the results of a group may begin in another bank than the first one.
    """

    engine: ClassVar[str] = "clos"

    lanes: int
    patterns: tuple[tuple[int, ...], ...] = ()
    largest_block: int = 0
    touched: int = 1
    starts: bool = False
    inner: int = 0
    repeats: int = 1
    turned: bool = False

    @property
    def ways(self) -> int:
        """In how many ways PEs may listen to lanes."""
        return len(self.patterns) + (self.largest_block > 0)

    @property
    def heard(self) -> tuple[tuple[int, ...], ...]:
        """The lanes that each PE may listen to."""
        counted = [range(min(p + 1, self.touched) if self.largest_block else 0) for p in range(self.pes)]
        return tuple(
            tuple(sorted({*counted[p], *(pattern[p] for pattern in self.patterns)})) for p in range(self.pes)
        )

    @property
    def own_fields(self) -> tuple[tuple[str, int], ...]:
        pair, count = self.address.bits, bits_for(self.largest_block + 1)
        return (
            *super().own_fields,
            *((("start", pair),) if self.starts else ()),
            ("stride", pair),
            *((("inner_less_one", bits_for(self.inner)), ("tile_jump", pair)) if self.inner else ()),
            *((("block_out", count),) if self.largest_block else ()),
            ("advance", pair),
            *((("advance_outputs", count),) if self.largest_block else ()),
            *((("jump", pair),) if self.most_run else ()),
            *((("repeats_less_one", bits_for(self.repeats)),) if self.repeats > 1 else ()),
            *((("pattern", bits_for(self.ways)),) if self.ways > 1 else ()),
        )

    @property
    def early_fields(self) -> tuple[str, ...]:
        return ("start",) if self.starts else ()

    @property
    def placing_amounts(self) -> Amounts:
        placing, pair, banks = super().placing_amounts, self.address.bits, self.banks
        if not self.turned:
            return placing
        turned = {
            "placed_bits": pair,
            "turned_bits": (self.activation_bits + 1) * rotator(banks, banks),
            "turned_row_bits": (banks - 1) * self.address.row_bits,
        }
        return replace(placing, gates={**placing.gates, **turned}, registers={"placed_bits": pair})

    @property
    def structures(self) -> tuple[Amounts, ...]:
        place_bits = bits_for(self.largest_block + 1) if self.largest_block else 0
        boundaries, pair = self.touched - 1 if self.largest_block else 0, self.address.bits
        counted = bits_for(self.inner) if self.inner else 0
        if self.repeats > 1:
            counted += bits_for(self.repeats)
        began = pair if self.repeats > 1 else 0
        address = self.address_amounts(
            2 * pair + began + place_bits + counted,
            stride_bits=pair + place_bits,
            stride_wrap_bits=wrap_bits(self.address),
            chosen_step_bits=pair * (bool(self.inner) + (self.most_run > 0) + self.starts) + began,
            counted_bits=counted,
            pattern_bits=self.pes * bits_for(self.lanes) * (self.ways - 1),
            turned_enables=rotator(self.banks, self.banks),
            boundary_bits=boundaries * (bits_for(self.pes + self.largest_block) + 1),
            passed_boundaries=boundaries * self.pes,
        )
        heard = [len(lanes) for lanes in self.heard]
        return self.lockstep_structures(address, self.route_amounts(self.lanes, heard=heard))

    @property
    def control_path(self) -> dict[str, float]:
        # A boundary is found from the one before it, by an addition and a comparison.
        boundaries = self.touched - 1 if self.largest_block else 0
        return {
            **super().control_path,
            "crosses": boundaries > 0,
            "boundaries": boundaries,
            "boundary_levels": boundaries * levels(self.pes + self.largest_block),
            "repeats": self.repeats > 1,
        }

    @property
    def places_results(self) -> bool:
        return self.turned

    @property
    def heard_lanes(self) -> int:
        return max(map(len, self.heard), default=1)


def build_clos(sizes: ClosSizes) -> Hardware:
    """Describes an engine of strided blocks of the given sizes."""
    return build_lockstep(sizes, _strided, Special(placed=_turned) if sizes.turned else ORDINARY)


def _strided(sizes: LockstepSizes, field: Mapping[str, Wire], step: Step) -> Source:
    assert isinstance(sizes, ClosSizes)
    group_ends = step.issue & step.last
    lanes, enables, crosses = _lanes(sizes, field, step, group_ends)
    now = _addresses(sizes, field, step, group_ends, crosses)
    return Source(now, enables, lanes if sizes.lanes > 1 else None, sizes.heard)


def _addresses(
    sizes: ClosSizes, field: Mapping[str, Wire], step: Step, group_ends: Wire, crosses: Wire | None
) -> Wire:
    """The counters of addresses. Returns the address of lane 0."""
    address = sizes.address
    base, now = register(address.bits, "base"), register(address.bits, "now")
    start = field["start"] if sizes.starts else pyrtl.Const(0, address.bits)
    advance = field["advance"]
    if step.run_ends is not None:
        advance = pyrtl.select(step.run_ends, field["jump"], advance)
    next_base = address.add(base, advance, crosses)
    if sizes.repeats > 1:
        repeat = register(bits_for(sizes.repeats), "repetition", reset=True)
        began = register(address.bits, "began")
        repeated = repeat == field["repeats_less_one"]
        run_ends = group_ends & step.run_ends
        next_base = pyrtl.select(step.run_ends & ~repeated, began, next_base)
        repeat.next <<= pyrtl.select(
            step.stage_start | (run_ends & repeated),
            pyrtl.Const(0, len(repeat)),
            fit(repeat + run_ends, len(repeat)),
        )
        began.next <<= pyrtl.select(
            step.stage_start, start, pyrtl.select(run_ends & repeated, next_base, began)
        )
    stride = field["stride"]
    if sizes.inner:
        tap = register(bits_for(sizes.inner), "inner_tap", reset=True)
        inner_ends = tap == field["inner_less_one"]
        stride = pyrtl.select(inner_ends, field["tile_jump"], stride)
        tap.next <<= pyrtl.select(
            step.stage_start | group_ends | (step.issue & inner_ends),
            pyrtl.Const(0, len(tap)),
            fit(tap + step.issue, len(tap)),
        )
    next_now = pyrtl.select(group_ends, next_base, pyrtl.select(step.issue, address.add(now, stride), now))
    base.next <<= pyrtl.select(step.stage_start, start, pyrtl.select(group_ends, next_base, base))
    now.next <<= pyrtl.select(step.stage_start, start, next_now)
    return now


def _lanes(
    sizes: ClosSizes, field: Mapping[str, Wire], step: Step, group_ends: Wire
) -> tuple[list[Wire], list[Wire], Wire | None]:
    """The lane of each PE, which lanes are read, and whether the next group's first block is one further than
    its descriptor says (`None` where blocks do not lie across groups)."""
    bits, crosses = bits_for(sizes.lanes), None
    ways: list[Sequence[Wire]] = []
    reads: list[Sequence[Wire]] = []
    for pattern in sizes.patterns:
        ways.append([pyrtl.Const(lane, bits) for lane in pattern])
        first = [pattern.index(t) if t in pattern else None for t in range(sizes.lanes)]
        reads.append([pyrtl.Const(0, 1) if p is None else step.valid[p] for p in first])
    if sizes.largest_block:
        counted, read, crosses = _boundaries(sizes, field, step, group_ends)
        ways.append(counted)
        reads.append(read)
    if len(ways) == 1:
        return list(ways[0]), list(reads[0]), crosses
    chosen = field["pattern"]
    lanes = [named(choose(chosen, [way[p] for way in ways]), f"lane_of_{p}") for p in range(sizes.pes)]
    enables = [choose(chosen, [read[t] for read in reads]) for t in range(sizes.lanes)]
    return lanes, enables, crosses


def _boundaries(
    sizes: ClosSizes, field: Mapping[str, Wire], step: Step, group_ends: Wire
) -> tuple[list[Wire], list[Wire], Wire]:
    """The lane of each PE where blocks lie across groups, the lanes read, and whether the next group begins
    in a block further on than its descriptor says."""
    outputs = field["block_out"]
    count, lane_bits = len(outputs), bits_for(sizes.lanes)
    place = register(count, "place")

    # Where the group starts inside its first block, and whether the next one starts a block later.
    moved = fit(place, count + 1) + fit(field["advance_outputs"], count + 1)
    crosses = moved >= outputs
    next_place = pyrtl.select(crosses, fit(moved - outputs, count), fit(moved, count))
    rewinds = step.stage_start
    if step.run_ends is not None:
        crosses = crosses & ~step.run_ends
        rewinds = rewinds | (group_ends & step.run_ends)
    place.next <<= pyrtl.select(rewinds, pyrtl.Const(0, count), pyrtl.select(group_ends, next_place, place))

    # PE p has passed boundary i when p >= i * block_out - place.
    bits = bits_for(sizes.pes + sizes.largest_block) + 1
    boundaries = []
    boundary = fit(fit(outputs, bits) - place, bits)
    for _ in range(sizes.touched - 1):
        boundaries.append(boundary)
        grown = boundary + outputs
        # A boundary beyond the last PE stays beyond it: saturating keeps the sum from wrapping.
        boundary = pyrtl.select(boundary >= sizes.pes, boundary, fit(grown, bits))
    passed = [[boundary <= p for boundary in boundaries] for p in range(sizes.pes)]
    read = [pyrtl.Const(1, 1)] + [
        pyrtl.rtl_any(*[step.valid[p] & passed[p][i] for p in range(sizes.pes)])
        for i in range(sizes.touched - 1)
    ]
    read += [pyrtl.Const(0, 1)] * (sizes.lanes - sizes.touched)
    block_of = [named(_count(row, lane_bits), f"block_of_{p}") for p, row in enumerate(passed)]
    return block_of, read, crosses


def _turned(sizes: LockstepSizes, controller: Controller, written: Written) -> Placed:
    """Results go to word after word, whatever bank that is in."""
    address = sizes.address
    at, zero = register(address.bits, "write_address", reset=True), pyrtl.Const(0, address.bits)
    following = pyrtl.select(written.writing, address.add(at, _number(written.valid, address)), at)
    at.next <<= pyrtl.select(controller.stage_written, zero, following)
    data, valid = address.spread(written.data, at), address.spread(written.valid, at)
    data = [named(word, f"placed_{b}") for b, word in enumerate(data)]
    return Placed(data, [written.stored & bit for bit in valid], address.rows_from(at), written.last)


def _number(valid: Sequence[Wire], address: BankedAddress) -> Wire:
    """How many bits of a thermometer are high, as the address of what follows so many words."""
    number = pyrtl.Const(0, address.bits)
    for i, bit in enumerate(valid, start=1):
        number = pyrtl.select(bit, pyrtl.Const(address.encode(i), address.bits), number)
    return number


def _count(thermometer: list[Wire], bits: int) -> Wire:
    """How many bits of a thermometer are high."""
    value = pyrtl.Const(0, bits)
    for i, bit in enumerate(thermometer, start=1):
        value = pyrtl.select(bit, pyrtl.Const(i, bits), value)
    return value
