"""A sequencer that passes over activations which are zero, for engines whose PEs all take the same one.

A row of words, one of each bank, is asked for at once and stays at the banks' outputs until the next one is.
In each cycle the first of its words that is not zero and was not taken yet is taken, by all PEs. With the
last of them the next row is asked for, so that rows follow each other without a pause; a row of zeros takes a
cycle. The first word of an output that has no bias is taken whatever it is, for the sum begins with it.

The place of a weight in its stream is that of its activation, so it is found by adding the lane to where the
row begins. A word of weights is fetched where the place lies in another one than the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyrtl

from rtl.parts.arithmetic import BankedAddress, at_most, choose, number_of, word_of
from rtl.parts.components import Wire, delayed, fit, named, register, wire
from rtl.parts.processing_element import WeightFetch, bias_operand
from rtl.parts.sizes import Sizes

FETCH_STAGE = 1
"""The pipeline stage in which the weight of a tap is asked for; the tap is chosen in stage 0."""


@dataclass(frozen=True)
class Scan:
    """What the scan does in a cycle. `reads`: which banks are asked for a word of `row`. A tap is chosen
    (`tap`), the `first` of its output, which may bring a `bias`; the group `ends`, maybe without a tap, which
    may be the `last_group`. `value` is what PEs take of it, and `number` its lane, a stage
    later; `row_done`: with this cycle the row is, which may be the `last_row`.
    """

    reads: Sequence[Wire]
    row: Wire
    tap: Wire
    first: Wire
    bias: Wire
    ends: Wire
    last_group: Wire
    value: Wire
    number: Wire
    row_done: Wire
    last_row: Wire


def scanned(
    sizes: Sizes, field: Mapping[str, Wire], words: Sequence[Wire], *, running: Wire, stage_start: Wire
) -> Scan:
    """Describes the scan of the rows of a stage, again for each group, over the `words` of all banks."""
    lanes = len(words)
    every = pyrtl.Const((1 << lanes) - 1, lanes)
    group = register(len(field["groups_less_one"]), "group", reset=True)
    row = register(len(field["rows_less_one"]), "scan_row", reset=True)
    holds, rest = register(1, "row_holds", reset=True), register(lanes, "rest")
    first_row, last_row = register(1, "row_is_first"), register(1, "row_is_last")
    ends = wire(1, "group_ends")
    biases = _biases(sizes, field, running, ends)

    in_last = at_most(field["lanes_less_one"], lanes)
    there = pyrtl.concat_list([word != 0 for word in words]) | fit(first_row & biases.none, lanes)
    there = there & rest & pyrtl.select(last_row, pyrtl.concat_list(in_last), every)
    lowest = named(there & fit(~there + 1, lanes), "lowest")
    chooses = running & holds & ~biases.now
    row_done = named(chooses & ~pyrtl.or_all_bits(there & ~lowest), "row_done")
    ends <<= row_done & last_row
    last_group = named(group == field["groups_less_one"], "last_group")
    read = named(running & (~holds | row_done) & ~(ends & last_group), "read_row")
    tap = named((chooses & pyrtl.or_all_bits(there)) | (running & biases.now), "issue")

    reads_last = row == field["rows_less_one"]
    following = pyrtl.select(reads_last, pyrtl.Const(0, len(row)), fit(row + 1, len(row)))
    row.next <<= pyrtl.select(read, following, row)
    first_row.next <<= pyrtl.select(read, row == 0, first_row)
    last_row.next <<= pyrtl.select(read, reads_last, last_row)
    holds.next <<= read | (holds & ~row_done)
    rest.next <<= pyrtl.select(read, every, pyrtl.select(chooses, rest & ~lowest, rest))
    group.next <<= pyrtl.select(stage_start, pyrtl.Const(0, len(group)), fit(group + ends, len(group)))

    number, value = number_of(lowest), word_of(lowest, words)
    if sizes.bias_words:
        number = pyrtl.select(biases.now, pyrtl.Const(0, len(number)), number)
        value = pyrtl.select(biases.now, bias_operand(sizes, field), value)
    return Scan(
        reads=[named(read & (~reads_last | bit), f"read_bank_{b}") for b, bit in enumerate(in_last)],
        row=row,
        tap=tap,
        first=named(biases.first | (biases.none & first_row & lowest[0]), "first_tap"),
        bias=biases.now,
        ends=ends,
        last_group=last_group,
        value=delayed(value, "scanned_value", enable=tap),
        number=delayed(number, "scanned_lane", enable=tap),
        row_done=row_done,
        last_row=last_row,
    )


@dataclass(frozen=True)
class _Biases:
    """Whether a bias is issued `now`, the `first` of its output, or the stage has `none`."""

    now: Wire
    first: Wire
    none: Wire


def _biases(sizes: Sizes, field: Mapping[str, Wire], running: Wire, ends: Wire) -> _Biases:
    """The words of bias that come before the activations of each output, counted anew when a group `ends`."""
    if not sizes.bias_words:
        low = pyrtl.Const(0, 1)
        return _Biases(low, low, pyrtl.Const(1, 1))
    words = field["bias_words"]
    step = register(len(words), "bias_step", reset=True)
    now = named(step < words, "bias_tap")
    following = fit(step + (running & now), len(step))
    step.next <<= pyrtl.select(ends, pyrtl.Const(0, len(step)), following)
    return _Biases(now, now & (step == 0), words == 0)


def jumping_fetch(
    sizes: Sizes, field: Mapping[str, Wire], scan: Scan, *, stage_start: Wire, starting: Wire
) -> WeightFetch:
    """Fetches the word that the weight of a tap lies in, where it is not the one that was fetched last, a
    stage after the tap was chosen. A place is a pair of a word and a weight in it; a stage begins with a new
    word."""
    places = BankedAddress(banks=sizes.weights_per_fetch, rows=sizes.weight_words + 1)
    lanes = len(scan.reads)
    begins, zero = register(places.bits, "row_place"), pyrtl.Const(0, places.bits)
    held, holds = register(places.row_bits, "held_word"), register(1, "word_held", reset=True)
    tap = delayed(scan.tap, "was_chosen", reset=True)
    row_done = delayed(scan.row_done, "row_was_done", reset=True)
    last_row = delayed(scan.last_row, "row_was_last")
    bias = delayed(scan.tap & scan.bias, "was_bias", reset=True)

    place = named(places.add(begins, _pair(places, scan.number, lanes)), "place")
    word = places.row(place)
    due = named(tap & (~holds | (word != held)), "word_due")
    held.next <<= pyrtl.select(due, word, held)
    holds.next <<= (holds | due) & ~stage_start

    of_row = pyrtl.select(
        last_row,
        _pair(places, field["lanes_less_one"], lanes, more=1),
        pyrtl.Const(_encoded(places, lanes), places.bits),
    )
    passed = pyrtl.select(bias, pyrtl.Const(_encoded(places, 1), places.bits), of_row)
    moved = pyrtl.select(row_done | bias, places.add(begins, passed), begins)
    begins.next <<= pyrtl.select(starting, zero, pyrtl.select(stage_start, _next_word(places, begins), moved))
    return WeightFetch(due, word, places.bank(place)).after(sizes.pipeline.take, first=FETCH_STAGE + 1)


def _encoded(places: BankedAddress, number: int) -> int:
    """The pair of so many weights, of which those that no stage has may be cut off."""
    return places.encode(number) % (1 << places.bits)


def _pair(places: BankedAddress, number: Wire, most: int, *, more: int = 0) -> Wire:
    """A number below `most`, and `more`, as a pair."""
    if places.power_of_two:
        return fit(number + more if more else number, places.bits)
    return choose(number, [pyrtl.Const(_encoded(places, k + more), places.bits) for k in range(most)])


def _next_word(places: BankedAddress, place: Wire) -> Wire:
    """The first place of a word that is not before this one."""
    bank = places.bank(place)
    if bank is None:
        return place
    row = places.row(place)
    row = fit(row + (bank != 0), places.row_bits)
    return pyrtl.concat(row, pyrtl.Const(0, places.bank_bits))
