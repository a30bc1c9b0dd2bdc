"""The CSC engine: counter plus stride, modulo N, and words that PEs pass on to each other.

B banks answer with B consecutive words. A group of P outputs is P / B rows of B PEs, and the words of a tap
are read row by row. Output j + s reads, one tap earlier, the word that output j reads: where rows lie a
stride s apart, or outputs in a line and the stride is 1, only the words of a group's first tap are read for
each PE. From then on a PE takes what the row (or the PE) after it took before, and new words are read for the
last one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pyrtl

from rtl.engines.lockstep.controller import Controller, Step
from rtl.engines.lockstep.machine import Placed, Source, Special, Written, build_lockstep
from rtl.engines.lockstep.rows import RowBeat, RowSizes, rows_in_turn
from rtl.engines.lockstep.sizes import LockstepSizes
from rtl.parts.amounts import rotator, wrap_bits
from rtl.parts.arithmetic import choose
from rtl.parts.components import Wire, bits_for, delayed, fit, named, register
from rtl.parts.sizes import Amounts, levels
from rtl.parts.skeleton import Hardware


@dataclass(frozen=True, kw_only=True, repr=False)
class CscSizes(RowSizes):
    """`most_mirrors`: how often a stage's first words are written again past the end of the vector (more than
    once only for vectors shorter than the number of banks); `strides`: the most that a stage takes in turn.
    `xors`: a stage may find places by exclusive or, with `tiles` in several tiles of them."""

    engine: ClassVar[str] = "csc"

    most_mirrors: int
    strides: int = 1
    xors: bool = False
    tiles: bool = False

    @property
    def own_fields(self) -> tuple[tuple[str, int], ...]:
        pair = self.address.bits
        return (
            *super().own_fields,
            *((stride_name(k), pair) for k in range(self.strides)),
            *((("strides_less_one", bits_for(self.strides)),) if self.strides > 1 else ()),
            *((("xors", 1),) if self.xors else ()),
            *((("tile", pair),) if self.tiles else ()),
            *((("row_step", pair),) if self.reads_rows else ()),
            ("advance", pair),
            ("modulus", pair),
            *self.mirror_fields,
        )

    @property
    def mirror_fields(self) -> tuple[tuple[str, int], ...]:
        """Where the first words are written again, and how often."""
        if not self.most_mirrors:
            return ()
        return ("outputs", self.address.bits), ("mirrors", bits_for(self.most_mirrors + 1))

    @property
    def held_fields(self) -> tuple[str, ...]:
        mirrors = (name for name, _ in self.mirror_fields)
        return (*super().held_fields, *mirrors, *(("passes_rows", "stride") if self.passes_rows else ()))

    @property
    def placing_amounts(self) -> Amounts:
        pair, banks = self.address.bits, self.banks
        mirrored = bits_for(self.most_mirrors + 1) + pair if self.most_mirrors else 0
        columns = self.address.row_bits * self.passes_rows
        shared = banks - 1 if self.shares_words or self.passes_words else 0
        passing = (self.pes - 1) * self.passes_words + (self.pes - banks) * self.passes_rows
        turned = rotator(banks, banks) if self.most_mirrors or self.passes_rows else 0
        gates = {
            "passed_bits": self.activation_bits * passing,
            "shared_bits": self.activation_bits * shared,
            "placed_bits": pair + columns + mirrored,
            "turned_bits": (self.activation_bits + 1) * turned,
            "turned_row_bits": (banks - 1) * self.address.row_bits * (turned > 0),
        }
        travelled = self.pipeline.write * self.passes_rows + (1 + self.rows) * self.passes
        return Amounts(
            "route", 1, "lockstep.route", gates, {"placed_bits": pair + columns + mirrored + travelled}
        )

    @property
    def structures(self) -> tuple[Amounts, ...]:
        pair, by_row = self.address.bits, self.rows > 1
        counted = bits_for(self.strides) if self.strides > 1 else 0
        address = self.address_amounts(
            (3 if by_row else 2) * pair + counted,
            ring_bits=pair,
            ring_wrap_bits=wrap_bits(self.address),
            turned_enables=rotator(self.banks, self.banks),
            ring_chosen_bits=pair
            * (2 + self.reads_rows + by_row + self.passes_rows + self.strides - 1 + 2 * self.xors),
        )
        heard = [1 + self.address.bank_bits] * self.pes if self.xors else []
        return self.lockstep_structures(address, self.route_amounts(self.banks, heard=heard))

    @property
    def control_path(self) -> dict[str, float]:
        # A column ends or not, so a step is chosen; it is added modulo the length of the vector.
        return {
            **super().control_path,
            "address_levels": levels(self.address.bits),
            "row_levels": levels(self.rows),
            "by_row": self.rows > 1,
            "columns": self.passes_rows,
        }

    @property
    def places_results(self) -> bool:
        return self.most_mirrors > 0 or self.passes_rows


def stride_name(k: int) -> str:
    """The field of the k-th stride of a stage."""
    return f"stride_{k}" if k else "stride"


def build_csc(sizes: CscSizes) -> Hardware:
    """Describes a CSC engine of the given sizes."""
    return build_lockstep(sizes, _cyclic, Special(sizes.passes, rows_in_turn, _heard, _placed))


def _cyclic(sizes: LockstepSizes, field: Mapping[str, Wire], step: Step) -> Source:
    """Output j takes taps j, j + stride, j + 2 stride, … modulo N. The first output of the group is `base`;
    `tap` is where the first row reads the present tap."""
    beat, address = step.beat, sizes.address
    assert isinstance(sizes, CscSizes)
    assert isinstance(beat, RowBeat)
    base, now = register(address.bits, "base"), register(address.bits, "now")
    zero = pyrtl.Const(0, address.bits)
    tap_ends, group_ends = step.issue & beat.last, step.issue & beat.last & step.last
    start, moves_tap = now, beat.last & ~beat.passed
    by, turns_over = _stride_in_turn(sizes, field, step, tap_ends, group_ends)
    if sizes.reads_rows:
        by = pyrtl.select(beat.loading & ~moves_tap, field["row_step"], by)
    if sizes.rows > 1:
        tap = register(address.bits, "tap")
        start = pyrtl.select(moves_tap, tap, now)
    if sizes.xors:
        xors = field["xors"]
        tile = pyrtl.select(turns_over, field["tile"], zero) if sizes.tiles else zero
        start, by = pyrtl.select(xors, start ^ by, start), pyrtl.select(xors, tile, by)
    moved = address.modulo_add(
        pyrtl.select(group_ends, base, start),
        pyrtl.select(group_ends, field["advance"], by),
        field["modulus"],
    )
    if beat.column_ends is not None:
        moved = pyrtl.select(beat.column_ends, beat.next_column, moved)
    base.next <<= pyrtl.select(step.stage_start, zero, pyrtl.select(group_ends, moved, base))
    now.next <<= pyrtl.select(step.stage_start, zero, pyrtl.select(step.issue, moved, now))
    if sizes.rows > 1:
        tap.next <<= pyrtl.select(step.stage_start, zero, pyrtl.select(tap_ends, moved, tap))
    if not sizes.xors:
        return Source(now, beat.lanes, None)
    # A row of words that is there already is not read again.
    there = register(1, "row_there", reset=True)
    same = xors & (address.row(moved) == address.row(now)) & ~group_ends & ~step.stage_start
    there.next <<= pyrtl.select(step.issue, same, there & ~step.stage_start)
    lanes = [pyrtl.select(xors, ~there, lane) for lane in beat.lanes]
    if not address.bank_bits:
        return Source(now, lanes, None)
    first = pyrtl.Const(0, address.bank_bits)
    row, low = pyrtl.concat(address.row(now), first), pyrtl.select(xors, address.bank(now), first)
    return Source(pyrtl.select(xors, row, now), lanes, None, exchange=low)


def _stride_in_turn(
    sizes: CscSizes, field: Mapping[str, Wire], step: Step, tap_ends: Wire, group_ends: Wire
) -> tuple[Wire, Wire]:
    """The stride to the next tap, and whether it is the last of those that are taken in turn."""
    if sizes.strides == 1:
        return field["stride"], pyrtl.Const(1, 1)
    turn = register(bits_for(sizes.strides), "stride_turn", reset=True)
    last = turn == field["strides_less_one"]
    rewinds = step.stage_start | group_ends | (tap_ends & last)
    turn.next <<= pyrtl.select(rewinds, pyrtl.Const(0, len(turn)), fit(turn + tap_ends, len(turn)))
    return choose(turn, [field[stride_name(k)] for k in range(sizes.strides)]), last


def _heard(
    sizes: LockstepSizes, controller: Controller, lanes: Sequence[Wire], taken: Sequence[Wire]
) -> list[Wire]:
    """The words of the lanes, or one word for all, or what the PE or the row after took before."""
    beat, field, pes, banks = controller.step.beat, controller.field, sizes.pes, sizes.banks
    assert isinstance(sizes, CscSizes)
    assert isinstance(beat, RowBeat)
    if beat.single is not None:
        single = delayed(beat.single, "single_1")
        first = lanes[0]
        row = [first, *(pyrtl.select(single, first, lane) for lane in lanes[1:banks])]
        lanes = row * sizes.rows
    if not sizes.passes:
        return list(lanes)
    passing = delayed(beat.passing, "passing_1")
    tops = [delayed(top, f"top_1_{m}") for m, top in enumerate(beat.tops)]
    heard = []
    for p, lane in enumerate(lanes):
        own = tops[p // banks]
        after, row_after = p + 1, p + banks
        if not sizes.passes_rows:
            passed = taken[after] if after < pes else None
        elif not sizes.passes_words:
            passed = taken[row_after] if row_after < pes else None
        elif row_after < pes:
            passed = pyrtl.select(field["passes_rows"], taken[row_after], taken[after])
        else:
            passed = taken[after] if after < pes else None
        if (p + 1) % banks:
            own = own & field["passes_rows"] if sizes.passes_rows else pyrtl.Const(0, 1)
        heard.append(lane if passed is None else pyrtl.select(passing & ~own, passed, lane))
    return heard


def _placed(sizes: LockstepSizes, controller: Controller, written: Written) -> Placed:
    """Row after row of results goes to consecutive words, a stride apart where rows are passed on. After the
    first group its first row is written once more at `outputs`, `2 * outputs`, … as often as `mirrors` says,
    so that a run of B words which wraps around still lies in B banks."""
    assert isinstance(sizes, CscSizes)
    address, stage_start, held = sizes.address, controller.step.stage_start, controller.held
    at, zero = register(address.bits, "write_address", reset=True), pyrtl.Const(0, address.bits)
    by = next_row = pyrtl.Const(address.encode(sizes.banks), address.bits)
    if sizes.passes_rows:
        by = pyrtl.select(held["passes_rows"], held["stride"], next_row)
    following = address.add(at, by)
    if sizes.passes_rows:
        column_written = written.last & _travelled(sizes, controller)
        column = register(address.bits, "write_column", reset=True)
        next_column = address.add(column, next_row)
        column.next <<= pyrtl.select(stage_start, zero, pyrtl.select(column_written, next_column, column))
        following = pyrtl.select(column_written, next_column, following)
    at.next <<= pyrtl.select(stage_start, zero, pyrtl.select(written.writing, following, at))
    where, stored, last, again = at, written.stored, written.last, None
    if sizes.most_mirrors:
        where, last, again = _mirrored(sizes, controller, written, at)
        stored = stored | again
    elif not sizes.passes_rows:
        enables = [stored & bit for bit in written.valid]
        return Placed(written.data, enables, [address.row(at)] * sizes.banks, last)
    data, valid = address.spread(written.data, where), address.spread(written.valid, where)
    data = [named(word, f"placed_{b}") for b, word in enumerate(data)]
    return Placed(
        data, [stored & bit for bit in valid], address.rows_from(where), named(last, "last_written"), again
    )


def _travelled(sizes: CscSizes, controller: Controller) -> Wire:
    """Whether the group that is being written is the last of its column."""
    beat, pipeline, ends = controller.step.beat, sizes.pipeline, controller.travelling.ends
    assert isinstance(beat, RowBeat)
    value = beat.last_of_column
    for stage in range(1, pipeline.write):
        value = delayed(value, f"column_ends_{stage}")
    return delayed(value, "column_written", enable=ends[pipeline.finish])


def _mirrored(sizes: CscSizes, controller: Controller, written: Written, at: Wire) -> tuple[Wire, Wire, Wire]:
    """Where a row is written, whether it is the last of its group, and whether it is one that is written
    again: once the first group's results are, as often as `mirrors` says."""
    address, held = sizes.address, controller.held
    fresh = register(1, "fresh", reset=True)
    fresh.next <<= controller.step.stage_start | (fresh & ~written.last)
    left, base = (
        register(len(held["mirrors"]), "mirrors_left", reset=True),
        register(address.bits, "mirror_base"),
    )
    again = left != 0
    begins = written.stored & written.last & fresh
    left.next <<= pyrtl.select(begins, held["mirrors"], pyrtl.select(again, fit(left - 1, len(left)), left))
    base.next <<= pyrtl.select(
        begins, held["outputs"], pyrtl.select(again, address.add(base, held["outputs"]), base)
    )
    last = pyrtl.select(begins & (held["mirrors"] != 0), pyrtl.Const(0, 1), written.last | (left == 1))
    return pyrtl.select(again, base, at), last, again
