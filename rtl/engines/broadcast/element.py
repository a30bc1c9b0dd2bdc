"""What each PE has: its place in the queue, the reader of columns, and a multiplier with its accumulators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyrtl

from rtl.engines.broadcast.scan import Scan
from rtl.engines.broadcast.sizes import BroadcastSizes
from rtl.parts.arithmetic import choose, requantise, signed_product
from rtl.parts.components import Wire, bits_for, component, delayed, fit, named, register, staged
from rtl.parts.processing_element import only_if
from rtl.parts.skeleton import Description


@dataclass(frozen=True)
class Queue:
    """The activations that were broadcast last: `slots` of column and value, and the place of the next."""

    slots: Sequence[Wire]
    tail: Wire


@dataclass(frozen=True)
class Head:
    """A PE's place in the queue: whether an activation `waits` for it, which, and that the queue is `full` of
    those that it has not taken; and whether its column is one of biases, where some entries are codes."""

    waits: Wire
    column: Wire
    value: Wire
    full: Wire
    biases: Wire | None = None


@dataclass(frozen=True)
class Column:
    """A column whose pointers are read: whether there is one, its first entry, its end, its activation; and
    whether it is one of biases, where some entries are no codes."""

    valid: Wire
    start: Wire
    end: Wire
    value: Wire
    biases: Wire | None = None


@dataclass(frozen=True)
class Entry:
    """An entry that is about to enter the multiplier, or the codebook: then `weight` is a code, unless it is
    of a `bias`."""

    valid: Wire
    weight: Wire
    row: Wire
    value: Wire
    bias: Wire | None = None


@dataclass(frozen=True)
class Drain:
    """That results leave, `row` after row."""

    valid: Wire
    row: Wire


def queue(sizes: BroadcastSizes, pushed: Wire, sent: Scan) -> Queue:
    """One store for all PEs, for they are all sent the same."""
    tail = register(bits_for(sizes.queue_depth), "tail", reset=True)
    tail.next <<= _following(tail, sizes.queue_depth, pushed)
    flags = [] if sent.bias is None else [sent.bias]
    arriving = pyrtl.concat(*flags, sent.column, sent.value)
    return Queue(
        [
            delayed(arriving, f"slot_{number}", enable=pushed & (tail == number))
            for number in range(sizes.queue_depth)
        ],
        tail,
    )


def _following(place: Wire, depth: int, step: Wire) -> Wire:
    """The next of so many places, or the same."""
    after = pyrtl.select(place == depth - 1, pyrtl.Const(0, len(place)), fit(place + 1, len(place)))
    return pyrtl.select(step, after, place)


def head_of(sizes: BroadcastSizes, kept: Queue, pushed: Wire, take: Wire) -> Head:
    """A PE takes what was broadcast in its order, and no sooner than the cycle after."""
    depth = sizes.queue_depth
    held = register(bits_for(depth + 1), "held", reset=True)
    at = register(bits_for(depth), "head", reset=True)
    at.next <<= _following(at, depth, take)
    held.next <<= pyrtl.select(
        pushed ^ take,
        pyrtl.select(pushed, fit(held + 1, len(held)), fit(held - 1, len(held))),
        held,
    )
    front = choose(at, list(kept.slots))
    bits = sizes.activation_bits
    biases = None
    if sizes.biases_beside_codes:
        front, biases = front[:-1], front[-1]
    return Head(named(held != 0, "waits"), front[bits:], front[:bits], named(held == depth, "full"), biases)


def column_of(
    sizes: BroadcastSizes, described: Description, number: int, head: Head, taken: Wire
) -> tuple[Column, Wire]:
    """Reads where a column begins and ends: even and odd pointers lie in banks of their own, so that both
    come at once. Returns it with what takes the activation out of the queue."""
    with component("address", number):
        valid = register(1, "column_valid", reset=True)
        issue = named(head.waits & (~valid | taken), "fetch_column")
        valid.next <<= issue | (valid & ~taken)
        odd = delayed(head.column[0], "odd", enable=issue)
        value = delayed(head.value, "column_value", enable=issue)
        bits = bits_for(sizes.pointers)
        row = fit(head.column[1:], bits) if sizes.column_bits > 1 else pyrtl.Const(0, bits)
        even_row = named(fit(row + head.column[0], bits), "even_row")
        odd_row = named(row, "odd_row")
    banks = [
        described.loaded_memory(
            "index",
            2 * number + side,
            words=sizes.pointers,
            word_bits=sizes.pointer_bits,
            read_enable=issue,
            read_address=address,
        )
        for side, address in enumerate((even_row, odd_row))
    ]
    with component("address", number):
        start = named(pyrtl.select(odd, banks[1], banks[0]), "column_start")
        end = named(pyrtl.select(odd, banks[0], banks[1]), "column_end")
        biases = None
        if head.biases is not None:
            biases = delayed(head.biases, "column_of_biases", enable=issue)
    return Column(valid, start, end, value, biases), issue


def entries_of(
    sizes: BroadcastSizes, described: Description, number: int, column: Column, taken: Wire
) -> tuple[Entry, Wire]:
    """Walks through the entries of a column, one a cycle, and reads a word where it begins or a new one does.
    Columns follow each other without a pause. Returns the entry, and that the walk is busy."""
    place_bits, per = sizes.place_bits, sizes.weights_per_fetch
    with component("sequencer", number):
        busy, first = register(1, "walks", reset=True), register(1, "first")
        at, until = register(sizes.pointer_bits, "at"), register(sizes.pointer_bits, "ends_at")
        wraps = at[:place_bits] == per - 1
        next_word = pyrtl.concat(
            fit(at[place_bits:] + 1, sizes.pointer_bits - place_bits), pyrtl.Const(0, place_bits)
        )
        following = pyrtl.select(wraps, next_word, fit(at + 1, sizes.pointer_bits))
        last = following == until
        takes = named(column.valid & (~busy | last), "takes")
        busy.next <<= pyrtl.select(takes, column.start != column.end, busy & ~last)
        first.next <<= takes
        at.next <<= pyrtl.select(takes, column.start, pyrtl.select(busy, following, at))
        until.next <<= pyrtl.select(takes, column.end, until)
        value = delayed(column.value, "walk_value", enable=takes)
        biases = None
        if column.biases is not None:
            biases = delayed(column.biases, "walk_biases", enable=takes)
        read = named(busy & (first | (at[:place_bits] == 0)), "fetch_weight")
        address = named(at[place_bits:], "word_address")
    taken <<= takes
    word = described.loaded_memory(
        "weight",
        number,
        words=sizes.weight_words,
        word_bits=sizes.fetch_bits,
        read_enable=read,
        read_address=address,
    )
    with component("sequencer", number):
        place = delayed(at[:place_bits], "place", enable=busy)
        begins = delayed(first, "begins", enable=busy)
        valid = delayed(busy, "entry_valid", reset=True)
        bits = sizes.entry_bits
        entry = choose(place, [word[k * bits : (k + 1) * bits] for k in range(per)])
        row = register(sizes.row_bits, "entry_row")
        base = pyrtl.select(begins, pyrtl.Const(0, sizes.row_bits), fit(row + 1, sizes.row_bits))
        at_row = fit(base + entry[sizes.code_bits :], sizes.row_bits)
        row.next <<= pyrtl.select(valid, at_row, row)
        weight = named(entry[: sizes.code_bits], "entry_weight")
        activation = delayed(value, "entry_value", enable=busy)
        bias = None if biases is None else delayed(biases, "entry_of_bias", enable=busy)
        walked = Entry(named(valid, "entry"), weight, named(at_row, "entry_at"), activation, bias)
        return walked, named(busy | valid, "busy")


def decoded(
    sizes: BroadcastSizes, described: Description, number: int, entry: Entry, field: Mapping[str, Wire]
) -> Entry:
    """The entry a cycle later, with the weight that its code names in the stage's table of the codebook; a
    bias is what it says itself."""
    with component("sequencer", number):
        read = entry.valid if entry.bias is None else entry.valid & ~entry.bias
        read = named(read, "fetch_codebook")
        address = named(
            fit(pyrtl.concat(field["table"], entry.weight), bits_for(sizes.codebook_words)), "code_address"
        )
    weight = described.loaded_memory(
        "codebook",
        number,
        words=sizes.codebook_words,
        word_bits=sizes.weight_bits,
        read_enable=read,
        read_address=address,
    )
    with component("sequencer", number):
        if entry.bias is not None:
            of_bias = delayed(entry.bias, "decoded_bias", enable=entry.valid)
            value = delayed(entry.weight, "bias_value", enable=entry.valid)
            weight = pyrtl.select(of_bias, value.sign_extended(sizes.weight_bits), weight)
        return Entry(
            delayed(entry.valid, "decoded", reset=True),
            named(weight, "decoded_weight"),
            delayed(entry.row, "decoded_at", enable=entry.valid),
            delayed(entry.value, "decoded_value", enable=entry.valid),
        )


def accumulating_element(
    sizes: BroadcastSizes,
    described: Description,
    number: int,
    entry: Entry,
    drain: Drain,
    held: Mapping[str, Wire],
) -> tuple[Wire, Wire]:
    """Multiplier, accumulators and requantiser of a PE. While it drains, results leave and their sums begin
    anew. Returns the register of a result, and that products are on their way."""
    with component("pe", number):
        weight = delayed(entry.weight, "weight", enable=entry.valid)
        activation = delayed(entry.value, "activation", enable=entry.valid)
        stages = 2 if sizes.product_register else 1
        valid = staged(entry.valid, "valid", stages, reset=True)
        row = delayed(entry.row, "row_1", enable=entry.valid)
        product = signed_product(weight, activation)
        if sizes.product_register:
            product = delayed(product, "product", enable=valid[1])
            row = delayed(row, "row_2", enable=valid[1])
        accumulate = named(valid[stages], "accumulate")
        at = pyrtl.select(drain.valid, fit(drain.row, sizes.row_bits), row)
        places = [at == place for place in range(sizes.most_groups)]
        sums = [register(sizes.accumulator_bits, f"sum_{place}") for place in range(sizes.most_groups)]
        # A sum counts from its first product on: so it need not be cleared, nor clocked to be.
        begun = [register(1, f"begun_{place}", reset=True) for place in range(sizes.most_groups)]
        total = only_if(choose(at, begun), choose(at, sums))
        added = fit(total + product.sign_extended(sizes.accumulator_bits), sizes.accumulator_bits)
        for here, kept, counts in zip(places, sums, begun, strict=True):
            kept.next <<= pyrtl.select(accumulate & here, added, kept)
            counts.next <<= (counts | (accumulate & here)) & ~(drain.valid & here)
        finished = only_if(drain.valid, total) if sizes.operand_isolation else total
        rounded = requantise(finished, held["shift"], held["relu"], sizes.activation_bits)
        result = delayed(rounded, "result", enable=drain.valid)
        busy = named(valid[1] | valid[stages], "busy")
    described.count_products(accumulate)
    return result, busy
