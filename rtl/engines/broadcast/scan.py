"""The scan: rows of activations are read, those that are not zero found, and broadcast one a cycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyrtl

from rtl.engines.broadcast.sizes import BroadcastSizes
from rtl.parts.arithmetic import at_most, number_of, word_of
from rtl.parts.components import Wire, bits_for, delayed, fit, named, register
from rtl.parts.processing_element import bias_operand


@dataclass(frozen=True)
class Scan:
    """What is broadcast: the `column` of an activation and its `value`, while it is `valid`, until it is
    `taken` by all queues at once; `bias` says whether the column is one of biases, where some entries are
    codes. `read` asks all banks for `row`; `busy` until all has been taken."""

    read: Wire
    row: Wire
    valid: Wire
    column: Wire
    value: Wire
    busy: Wire
    bias: Wire | None = None


def scan(
    sizes: BroadcastSizes,
    field: Mapping[str, Wire],
    words: Sequence[Wire],
    *,
    stage_start: Wire,
    starting: Wire,
    taken: Wire,
) -> Scan:
    """Walks over the rows of a stage's inputs, after the columns of its biases. A row whose last activation
    is broadcast is followed by the next without a pause; a row of zeros takes a cycle."""
    pes = sizes.pes
    scanning = register(1, "scanning", reset=True)
    holds = register(1, "row_holds", reset=True)
    row = register(bits_for(sizes.activation_rows + 1), "scan_row")
    rest = register(pes, "rest")
    valid = register(1, "broadcast_valid", reset=True)

    rows_read = row == fit(field["input_rows_less_one"], len(row)) + 1
    in_last = pyrtl.concat_list(at_most(field["input_valid_less_one"], pes))
    present = pyrtl.concat_list([word != 0 for word in words])
    there = present & rest & pyrtl.select(rows_read, in_last, pyrtl.Const((1 << pes) - 1, pes))
    lowest = named(there & fit(~there + 1, pes), "lowest")
    after = there & ~lowest
    moves = named(~valid | taken, "scan_moves")
    biases = _biases(sizes, field, stage_start, scanning & moves)
    if biases is None:
        chooses = holds & moves
        offers = chooses & pyrtl.or_all_bits(there)
    else:
        chooses = holds & moves & ~biases
        offers = (chooses & pyrtl.or_all_bits(there)) | (scanning & moves & biases)
    done = named(chooses & ~pyrtl.or_all_bits(after), "row_done")
    ends = done & rows_read
    read = named(scanning & (~holds | done) & ~rows_read, "read_row")

    scanning.next <<= stage_start | (scanning & ~ends)
    holds.next <<= read | (holds & ~done)
    row.next <<= pyrtl.select(
        stage_start, pyrtl.Const(0, len(row)), pyrtl.select(read, fit(row + 1, len(row)), row)
    )
    rest.next <<= pyrtl.select(
        read, pyrtl.Const((1 << pes) - 1, pes), pyrtl.select(chooses, rest & ~lowest, rest)
    )
    biased = None if biases is None else scanning & moves & biases
    first_column = _first_column(sizes, field, starting=starting, done=done, last=rows_read, biased=biased)
    valid.next <<= offers | (valid & ~taken)
    bank = number_of(lowest)
    value = word_of(lowest, words)
    if biases is not None:
        bank = pyrtl.select(biases, pyrtl.Const(0, len(bank)), bank)
        value = pyrtl.select(biases, bias_operand(sizes, field), value)
    column = delayed(fit(first_column + bank, sizes.column_bits), "broadcast_column", enable=offers)
    value = delayed(value, "broadcast_value", enable=offers)
    bias = None
    if biases is not None and sizes.biases_beside_codes:
        bias = delayed(biases, "broadcast_bias", enable=offers)
    return Scan(read, row, valid, column, value, named(scanning | valid, "busy"), bias)


def _first_column(
    sizes: BroadcastSizes,
    field: Mapping[str, Wire],
    *,
    starting: Wire,
    done: Wire,
    last: Wire,
    biased: Wire | None,
) -> Wire:
    """The column of the first activation of a row, or of a bias: as many more as a row has when it is `done`,
    fewer for the `last`, and one more when a bias has been chosen."""
    bits = sizes.column_bits
    first, zero = register(bits, "first_column"), pyrtl.Const(0, bits)
    of_last = fit(fit(field["input_valid_less_one"], bits) + 1, bits)
    passed = pyrtl.select(last, of_last, pyrtl.Const(sizes.pes % (1 << bits), bits))
    step = pyrtl.select(done, passed, zero)
    if biased is not None:
        step = pyrtl.select(biased, pyrtl.Const(1, bits), step)
    first.next <<= pyrtl.select(starting, zero, fit(first + step, bits))
    return first


def _biases(sizes: BroadcastSizes, field: Mapping[str, Wire], stage_start: Wire, moves: Wire) -> Wire | None:
    """That columns of biases are broadcast, which come before all others; `None` where no stage has any."""
    if not sizes.bias_words:
        return None
    seen = register(bits_for(sizes.bias_words + 1), "biases")
    biases = named(seen < field["bias_words"], "bias")
    step = fit(seen + (moves & biases), len(seen))
    seen.next <<= pyrtl.select(stage_start, pyrtl.Const(0, len(seen)), step)
    return biases
