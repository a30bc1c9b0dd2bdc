"""One processing element of EIE, described anew from its published organisation.

S. Han et al., EIE: Efficient Inference Engine on Compressed Deep Neural Network, ISCA 2016. Non-zero
activations are broadcast and wait in a queue; two banks of pointers give the entries of their column; each
entry is a code of a weight and the number of zeros before it; a codebook turns the code into a weight, whose
product with the activation is added to one of the accumulators. What the publication leaves open is settled
here the plain way.

An entry passes four stages: codebook and address, product and read of the accumulator, addition, write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyrtl

from rtl.parts.arithmetic import signed_product
from rtl.parts.components import (
    StructuredBlock,
    Wire,
    bits_for,
    component,
    delayed,
    fit,
    memory,
    named,
    register,
    wire,
)
from rtl.parts.descriptor import SizeError

LOAD_TARGETS = ("even pointers", "odd pointers", "entries", "codebook")
"""What `load_target` selects, by number."""


@dataclass(frozen=True, kw_only=True)
class EiePeSizes:
    """Sizes of the element; those of the publication unless given.

    `pointers` are dealt to two banks; `entry_words` words of `entries_per_word` entries; `rows` are
    the words of each of the two register files; an activation SRAM of `activation_words` stands behind
    them. A product of two `value_bits` numbers is shifted right by `shift`. Raises SizeError for a size
    that is no power of two.
    """

    queue_depth: int = 8
    pointers: int = 16384
    pointer_bits: int = 16
    entry_words: int = 16384
    entries_per_word: int = 8
    code_bits: int = 4
    zeros_bits: int = 4
    rows: int = 64
    activation_words: int = 1024
    value_bits: int = 16
    shift: int = 12

    def __post_init__(self) -> None:
        counts = ("queue_depth", "pointers", "entry_words", "entries_per_word", "rows", "activation_words")
        for name in counts:
            value = getattr(self, name)
            if value < 2 or value & (value - 1):
                raise SizeError(f"{name} is {value}, allowed are powers of two from 2 on")

    @property
    def column_bits(self) -> int:
        return bits_for(self.pointers)

    @property
    def entry_bits(self) -> int:
        return self.code_bits + self.zeros_bits

    @property
    def row_bits(self) -> int:
        return bits_for(self.rows)


@dataclass(frozen=True)
class EiePe:
    """A described element. `files` are the registers of the two register files, the accumulators first."""

    block: StructuredBlock
    sizes: EiePeSizes
    files: tuple[tuple[Wire, ...], tuple[Wire, ...]]


@dataclass(frozen=True)
class _Load:
    """The load port: what is written where, and with what."""

    chosen: dict[str, Wire]
    address: Wire
    data: Wire


@dataclass(frozen=True)
class _Stage:
    """An entry between two stages: whether there is one, its accumulator, and its number."""

    valid: Wire
    row: Wire
    number: Wire


def build_eie_pe(sizes: EiePeSizes) -> EiePe:
    """Describes the element with its memories. Each module is a component of its own."""
    block = StructuredBlock()
    pyrtl.set_working_block(block)
    load = _load_port(sizes)
    taken = wire(1, "taken")
    column, value, waiting, take = _act_queue(sizes)
    pointers = _ptr_read(sizes, load, column, value, waiting, take, taken)
    entry = _spmat_read(sizes, load, pointers, taken)
    files = _arithm_unit_and_act_rw(sizes, load, entry)
    return EiePe(block, sizes, files)


def _output(value: Wire, name: str) -> None:
    port = pyrtl.Output(len(value), name)
    port <<= value


def _load_port(sizes: EiePeSizes) -> _Load:
    enable, target = pyrtl.Input(1, "load_enable"), pyrtl.Input(2, "load_target")
    deepest = max(bits_for(sizes.entry_words), sizes.column_bits - 1, sizes.code_bits)
    widest = max(sizes.entry_bits * sizes.entries_per_word, sizes.pointer_bits, sizes.value_bits)
    address, data = pyrtl.Input(deepest, "load_address"), pyrtl.Input(widest, "load_data")
    chosen = {name: enable & (target == number) for number, name in enumerate(LOAD_TARGETS)}
    return _Load(chosen, address, data)


def _act_queue(sizes: EiePeSizes) -> tuple[Wire, Wire, Wire, Wire]:
    """The queue: column and value at its head, whether there is one, and the wire that takes it."""
    valid = pyrtl.Input(1, "broadcast_valid")
    arriving = pyrtl.concat(
        pyrtl.Input(sizes.column_bits, "broadcast_column"), pyrtl.Input(sizes.value_bits, "broadcast_value")
    )
    with component("act_queue"):
        place_bits = bits_for(sizes.queue_depth)
        take = wire(1, "take")
        held = register(place_bits + 1, "held", reset=True)
        head, tail = (register(place_bits, name, reset=True) for name in ("head", "tail"))
        full = held[-1]
        push = valid & ~full
        head.next <<= fit(head + take, place_bits)
        tail.next <<= fit(tail + push, place_bits)
        held.next <<= fit(held + push - take, place_bits + 1)
        slots = [
            delayed(arriving, f"slot_{number}", enable=push & (tail == number))
            for number in range(sizes.queue_depth)
        ]
        front = pyrtl.mux(head, *slots)
        waiting = named(held != 0, "waiting")
        _output(full, "queue_full")
    return front[sizes.value_bits :], front[: sizes.value_bits], waiting, take


@dataclass(frozen=True)
class _Column:
    """A column whose pointers have been read: its first entry, the end, and the activation."""

    valid: Wire
    start: Wire
    end: Wire
    value: Wire


def _ptr_read(
    sizes: EiePeSizes, load: _Load, column: Wire, value: Wire, waiting: Wire, take: Wire, taken: Wire
) -> _Column:
    """Column j starts at pointer j and ends at pointer j + 1; even and odd pointers lie in different banks,
    so that both are read at once."""
    bank_bits = sizes.column_bits - 1
    with component("ptr_read"):
        valid = register(1, "valid", reset=True)
        issue = named(waiting & (~valid | taken), "issue")
        valid.next <<= issue | (valid & ~taken)
        odd = delayed(column[0], "odd", enable=issue)
        activation = delayed(value, "activation", enable=issue)
        row = column[1:]
        addresses = [named(fit(row + column[0], bank_bits), "even_address"), named(row, "odd_address")]
    take <<= issue
    banks = [
        memory(
            "pointer",
            number,
            words=sizes.pointers // 2,
            word_bits=sizes.pointer_bits,
            read_enable=issue,
            read_address=address,
            write_enable=load.chosen[LOAD_TARGETS[number]],
            write_address=load.address,
            write_data=load.data,
        ).data
        for number, address in enumerate(addresses)
    ]
    with component("ptr_read"):
        start, end = pyrtl.select(odd, banks[1], banks[0]), pyrtl.select(odd, banks[0], banks[1])
        return _Column(valid, start, end, activation)


@dataclass(frozen=True)
class _Entry:
    """An entry of a column as it leaves the memory."""

    valid: Wire
    first: Wire
    code: Wire
    zeros: Wire
    value: Wire


def _spmat_read(sizes: EiePeSizes, load: _Load, column: _Column, taken: Wire) -> _Entry:
    """Walks through the entries of a column, one a cycle, and reads a word where a new one begins."""
    place_bits = bits_for(sizes.entries_per_word)
    with component("spmat_read"):
        busy, first = register(1, "busy", reset=True), register(1, "first")
        at, end = register(sizes.pointer_bits, "at"), register(sizes.pointer_bits, "until")
        following = fit(at + 1, sizes.pointer_bits)
        last = following == end
        taking = named(column.valid & (~busy | last), "taking")
        busy.next <<= pyrtl.select(taking, column.start != column.end, busy & ~last)
        first.next <<= taking
        at.next <<= pyrtl.select(taking | busy, pyrtl.select(taking, column.start, following), at)
        end.next <<= pyrtl.select(taking, column.end, end)
        value = delayed(column.value, "value", enable=taking)
        read = named(busy & (first | (at[:place_bits] == 0)), "read")
        word_address = named(at[place_bits:], "word_address")
    taken <<= taking
    word = memory(
        "entry",
        0,
        words=sizes.entry_words,
        word_bits=sizes.entry_bits * sizes.entries_per_word,
        read_enable=read,
        read_address=word_address,
        write_enable=load.chosen["entries"],
        write_address=load.address,
        write_data=load.data,
    ).data
    with component("spmat_read"):
        place = delayed(at[:place_bits], "place", enable=busy)
        bits = sizes.entry_bits
        entry = pyrtl.mux(place, *(word[k * bits : (k + 1) * bits] for k in range(sizes.entries_per_word)))
        return _Entry(
            valid=delayed(busy, "valid", reset=True),
            first=delayed(first, "entry_is_first", enable=busy),
            code=entry[: sizes.code_bits],
            zeros=entry[sizes.code_bits :],
            value=delayed(value, "entry_value", enable=busy),
        )


def _arithm_unit_and_act_rw(
    sizes: EiePeSizes, load: _Load, entry: _Entry
) -> tuple[tuple[Wire, ...], tuple[Wire, ...]]:
    bits = sizes.value_bits
    with component("arithm_unit"):
        weights = [
            delayed(
                fit(load.data, bits),
                f"codebook_{code}",
                enable=load.chosen["codebook"] & (load.address[: sizes.code_bits] == code),
            )
            for code in range(1 << sizes.code_bits)
        ]
        row = register(sizes.row_bits, "row")
        base = pyrtl.select(entry.first, pyrtl.Const(0, sizes.row_bits), fit(row + 1, sizes.row_bits))
        row.next <<= pyrtl.select(entry.valid, fit(base + entry.zeros, sizes.row_bits), row)
        weight = delayed(pyrtl.mux(entry.code, *weights), "weight", enable=entry.valid)
        activation = delayed(entry.value, "activation", enable=entry.valid)
        looked_up = _Stage(delayed(entry.valid, "looked_up", reset=True), row, weight)
        product = signed_product(weight, activation)[sizes.shift : sizes.shift + bits]
        multiplied = _Stage(
            delayed(looked_up.valid, "multiplied", reset=True),
            delayed(row, "multiplied_row", enable=looked_up.valid),
            delayed(product, "product", enable=looked_up.valid),
        )
        total = register(bits, "total")
        added = _Stage(
            delayed(multiplied.valid, "added", reset=True),
            delayed(multiplied.row, "added_row", enable=multiplied.valid),
            total,
        )
    accumulator, files = _act_rw(sizes, looked_up, added)
    with component("arithm_unit"):
        # The sum of the entry just before is on its way to the same accumulator.
        same = added.valid & (added.row == multiplied.row)
        before = pyrtl.select(same, added.number, accumulator)
        total.next <<= pyrtl.select(multiplied.valid, fit(before + multiplied.number, bits), total)
    return files


def _act_rw(
    sizes: EiePeSizes, reading: _Stage, writing: _Stage
) -> tuple[Wire, tuple[tuple[Wire, ...], tuple[Wire, ...]]]:
    """Two register files that change roles: one holds the accumulators, the other the source activations, of
    which the non-zero ones are offered for broadcast. An SRAM behind them holds longer vectors. Returns the
    accumulator of the entry that is being multiplied, a cycle later."""
    swap, fill, spill, clear, granted = (
        pyrtl.Input(1, name) for name in ("swap", "fill", "spill", "clear", "granted")
    )
    page = pyrtl.Input(max(1, bits_for(sizes.activation_words) - sizes.row_bits), "page")
    bits, row_bits, rows = sizes.value_bits, sizes.row_bits, range(sizes.rows)
    with component("act_rw"):
        swapped = register(1, "swapped", reset=True)
        swapped.next <<= swapped ^ swap
        moving = named(fill | spill | clear, "moving")
        moved, scanned = register(row_bits, "moved", reset=True), register(row_bits, "scanned", reset=True)
        moved.next <<= fit(moved + moving, row_bits)
        filling, filled = delayed(fill, "filling", reset=True), delayed(moved, "filled", enable=fill)
        from_memory = wire(bits, "from_memory")
        accumulate = writing.valid | clear
        accumulator_row = pyrtl.select(clear, moved, writing.row)
        sum_or_zero = pyrtl.select(clear, pyrtl.Const(0, bits), writing.number)
        read_row = pyrtl.select(spill, moved, reading.row)
        files, outputs = [], []
        for name, is_source in (("file_0", swapped), ("file_1", ~swapped)):
            write = pyrtl.select(is_source, filling, accumulate)
            at = pyrtl.select(is_source, filled, accumulator_row)
            data = pyrtl.select(is_source, from_memory, sum_or_zero)
            files.append(tuple(delayed(data, f"{name}_{row}", enable=write & (at == row)) for row in rows))
            outputs.append(pyrtl.mux(pyrtl.select(is_source, scanned, read_row), *files[-1]))
        read = pyrtl.select(swapped, outputs[1], outputs[0])
        source = _rectified(pyrtl.select(swapped, outputs[0], outputs[1]))
        offered = source != 0
        scanned.next <<= fit(scanned + (granted | ~offered), row_bits)
        # The sum of the entry two before is being written to the same accumulator.
        same = writing.valid & (writing.row == reading.row)
        accumulator = delayed(pyrtl.select(same, writing.number, read), "accumulator", enable=reading.valid)
        _output(offered, "offered")
        _output(scanned, "offered_row")
        _output(source, "offered_value")
        address = named(pyrtl.concat(page, moved), "memory_address")
        spilled = named(_rectified(read), "spilled")
    from_memory <<= memory(
        "activation",
        0,
        words=sizes.activation_words,
        word_bits=bits,
        read_enable=fill,
        read_address=address,
        write_enable=spill,
        write_address=address,
        write_data=spilled,
    ).data
    return accumulator, (files[0], files[1])


def _rectified(value: Wire) -> Wire:
    return pyrtl.select(value[-1], pyrtl.Const(0, len(value)), value)


def column_words(
    sizes: EiePeSizes, columns: Sequence[Sequence[tuple[int, int]]]
) -> tuple[list[int], list[int]]:
    """The pointers and the words of entries for columns of (code, zeros before it).

    Raises SizeError where they do not fit.
    """
    pointers, entries = [0], []
    for column in columns:
        entries += [code | zeros << sizes.code_bits for code, zeros in column]
        pointers.append(len(entries))
    per = sizes.entries_per_word
    words = [
        sum(entry << k * sizes.entry_bits for k, entry in enumerate(entries[start : start + per]))
        for start in range(0, len(entries), per)
    ]
    if (
        len(pointers) > sizes.pointers
        or len(words) > sizes.entry_words
        or len(entries) >= 1 << sizes.pointer_bits
    ):
        raise SizeError(f"columns have {len(entries)} entries, allowed are what the memories hold")
    return pointers, words
