"""Moves a cascade over maps: fills the window of a place, starts the engine, and keeps what it gives.

The engine itself knows nothing of places. For each window the words under the kernel are read from the map,
one a cycle: the table of channels says in which bank and at which rank a channel lies, and nested counters
over columns and rows of the kernel, and over channels, say where from there. Zeros stand for what lies in the
padding. The words enter the engine as inputs do. Then the engine is started at the stages of the segment, and
while it works on later stages than the first, the next window is filled. Scores go to the map of outputs,
whose banks are those of the PEs, row after row. When all places are done the maps change sides.

A recurrent segment has steps for places. Behind the inputs of a step its window has the scores of the step
before, so it waits until they are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyrtl

from rtl.parts.arithmetic import choose
from rtl.parts.components import Wire, bits_for, component, counted, delayed, fit, named, register, wire
from rtl.parts.feed import Feed, drive
from rtl.parts.resume import moved

if TYPE_CHECKING:
    from rtl.parts.skeleton import Description

REST, FETCH, BEGIN, FILL, READY, WAIT = range(6)


@dataclass(frozen=True)
class Swept:
    """What the pins show instead of what the engine says."""

    done: Wire
    busy: Wire
    free: Wire
    score_valid: Sequence[Wire]


@dataclass(frozen=True)
class _Control:
    """The state of the sequencer: whether a word is asked for (`fills`), the engine is started, counters are
    put to the beginning of a window (`rewinds`), which is the first of its segment (`begins`)."""

    fills: Wire
    starts: Wire
    begins: Wire
    rewinds: Wire
    fetches: Wire
    first_place: Wire
    first_segment: Wire
    half: Wire


@dataclass(frozen=True)
class _Window:
    """The word that is asked for, in the cycle in which its channel is looked up: where the first rank of its
    place lies, whether that lies in the map (`None` where no map is padded); and whether its channel is new,
    and it is the last word."""

    address: Wire
    inside: Wire | None
    new_channel: Wire
    channel_at: Wire
    last: Wire


@dataclass(frozen=True)
class _Asked:
    """The word that is asked for, a cycle later: that there is one (`asked`) which is read, and is no zero,
    whether it is one of the step before, its row, its bank, and of each bank whether it is that."""

    asked: Wire
    reads: Wire
    of_state: Wire
    row: Wire
    bank: Wire
    chosen: Sequence[Wire]


def sweep(
    described: Description,
    given: Feed,
    *,
    busy: Wire,
    free: Wire,
    valid: Sequence[Wire],
    scores: Sequence[Wire],
) -> Swept:
    """Describes it around an engine that says that it is `busy`, that its inputs are `free` to be written,
    and gives `scores` where they are `valid`."""
    sizes = described.sizes.sweep
    assert sizes is not None
    with component("places"):
        state = register(3, "state", reset=True)
        segment = register(bits_for(sizes.segments), "segment", reset=True)
        fetches = state == FETCH
    lanes = [
        described.loaded_memory(
            "segment", lane, words=sizes.segments, word_bits=32, read_enable=fetches, read_address=segment
        )
        for lane in range(sizes.segment_format.words)
    ]
    with component("places"):
        places = sizes.segment_format.places
        field = {name: lanes[at][low : low + bits] for name, (at, low, bits) in places.items()}
        last_word, last_place = wire(1, "last_word"), wire(1, "last_place")
        control, swept_done = _control(described, field, state, segment, last_word, last_place, busy, free)
        window = _window(described, field, control, last_place)
        last_word <<= control.fills & window.last
        drive(given.start, control.starts)
        drive(given.resume.first, control.first_place & control.first_segment)
        drive(given.resume.again, ~control.first_place)
    _fill(described, given, field, control, window, valid, scores)
    with component("places"):
        shown = [bit & field["final"] for bit in valid]
        sweeping = state != REST
        return Swept(swept_done, sweeping, ~sweeping | ~control.first_segment, shown)


def _control(
    described: Description,
    field: Mapping[str, Wire],
    state: Wire,
    segment: Wire,
    last_word: Wire,
    last_place: Wire,
    busy: Wire,
    free: Wire,
) -> tuple[_Control, Wire]:
    """The sequence of a run: segment after segment, place after place."""
    first_place = register(1, "first_place", reset=True)
    first_segment = register(1, "first_segment", reset=True)
    half, done = register(1, "half", reset=True), register(1, "done", reset=True)
    # Whether the engine works on the last place.
    at_last = register(1, "at_last_place", reset=True)
    low, high = pyrtl.Const(0, 1), pyrtl.Const(1, 1)
    begun = (state == REST) & described.pins.start
    starts = named((state == READY) & ~busy, "starts")
    waits = state == WAIT
    may_fill = pyrtl.select(field["recurrent"], ~busy, free) if "recurrent" in field else free
    ends = named(waits & at_last & ~busy, "segment_ends")
    goes_on = waits & ~at_last & may_fill
    finished = ends & field["final"]
    value = state
    for condition, chosen in (
        (begun, FETCH),
        (state == FETCH, BEGIN),
        (state == BEGIN, FILL),
        (last_word, READY),
        (starts, WAIT),
        (goes_on, FILL),
        (finished, REST),
        (ends & ~finished, FETCH),
    ):
        value = pyrtl.select(condition, pyrtl.Const(chosen, 3), value)
    state.next <<= value
    begins = state == BEGIN
    first_place.next <<= pyrtl.select(begins, high, first_place & ~starts)
    at_last.next <<= pyrtl.select(starts, last_place, at_last)
    first_segment.next <<= pyrtl.select(begun, high, first_segment & ~ends)
    half.next <<= pyrtl.select(begun, low, half ^ ends)
    done.next <<= pyrtl.select(begun, low, done | finished)
    zero = pyrtl.Const(0, len(segment))
    segment.next <<= pyrtl.select(begun, zero, pyrtl.select(ends, fit(segment + 1, len(segment)), segment))
    control = _Control(
        fills=named(state == FILL, "fills"),
        starts=starts,
        begins=begins,
        rewinds=begins | delayed(starts, "started", reset=True),
        fetches=state == FETCH,
        first_place=first_place,
        first_segment=first_segment,
        half=half,
    )
    return control, done


def _counter(limit: Wire, name: str, *, rewinds: Wire, step: Wire) -> Wire:
    """A counter from 0 to `limit` and around. Returns its wire of being at the limit."""
    value = register(len(limit), name)
    at_limit = value == limit
    counted(value, clear=rewinds | (step & at_limit), step=step)
    return at_limit


def _window(
    described: Description, field: Mapping[str, Wire], control: _Control, last_place: Wire
) -> _Window:
    """The counters of a window, and those of the places."""
    sizes = described.sizes.sweep
    assert sizes is not None
    bits, fills, rewinds, starts = sizes.address_bits, control.fills, control.rewinds, control.starts
    last_column = _counter(field["columns_less_one"], "place_column", rewinds=control.begins, step=starts)
    row_ends = named(starts & last_column, "row_ends")
    last_row = _counter(field["rows_less_one"], "place_row", rewinds=control.begins, step=row_ends)
    last_place <<= last_column & last_row
    base, address = register(bits, "place_address"), register(bits, "address")
    origin = fit(field["origin"], bits) if "origin" in field else pyrtl.Const(0, bits)
    step = fit(field["place_step"], bits)
    if "place_jump" in field:
        step = pyrtl.select(last_column, fit(field["place_jump"], bits), step)
    moved(base, control.begins, origin, starts, fit(base + step, bits))
    first = ends = row_of_kernel_ends = pyrtl.Const(1, 1)
    following = base
    if "row_jump" in field:
        row_of_kernel_ends = _counter(
            field["kernel_columns_less_one"], "kernel_column", rewinds=rewinds, step=fills
        )
        last_kernel_row = _counter(
            field["kernel_rows_less_one"], "kernel_row", rewinds=rewinds, step=fills & row_of_kernel_ends
        )
        ends = named(row_of_kernel_ends & last_kernel_row, "kernel_ends")
        first = register(1, "kernel_begins")
        moved(first, rewinds, pyrtl.Const(1, 1), fills, ends)
        within = pyrtl.select(
            row_of_kernel_ends, fit(field["row_jump"], bits), fit(field["column_step"], bits)
        )
        following = pyrtl.select(ends, base, fit(address + within, bits))
    moved(address, rewinds, pyrtl.select(control.begins, origin, base), fills, following)
    channel = register(len(field["last_channel"]), "channel")
    first_channel = fit(field["first_channel"], len(channel))
    goes_on = named(fills & ends, "channel_ends")
    wraps = rewinds | (goes_on & (channel == field["last_channel"]))
    moved(channel, wraps, first_channel, goes_on, fit(channel + 1, len(channel)))
    last = _counter(field["words_less_one"], "word", rewinds=rewinds, step=fills)
    inside = None
    if sizes.has_padding:
        inside = _inside(field, control, row_ends, row_of_kernel_ends, ends)
    return _Window(address, inside, first, channel, last)


def _inside(
    field: Mapping[str, Wire],
    control: _Control,
    row_ends: Wire,
    row_of_kernel_ends: Wire,
    kernel_ends: Wire,
) -> Wire:
    """Whether the place under the kernel lies in the map, and not in its padding."""
    fills, starts, rewinds, begins = control.fills, control.starts, control.rewinds, control.begins
    bits = len(field["bottom"]), len(field["far"])
    y_place, x_place = register(bits[0], "place_y"), register(bits[1], "place_x")
    y, x = register(bits[0], "y"), register(bits[1], "x")
    zeros = [pyrtl.Const(0, width) for width in bits]
    further = [fit(y_place + field["down"], bits[0]), fit(x_place + field["right"], bits[1])]
    moved(y_place, begins, zeros[0], row_ends, further[0])
    moved(x_place, begins | row_ends, zeros[1], starts, further[1])
    origins = [pyrtl.select(begins, zero, at) for zero, at in zip(zeros, (y_place, x_place), strict=True)]
    row_moves = fills & row_of_kernel_ends
    moved(y, rewinds | (fills & kernel_ends), origins[0], row_moves, fit(y + 1, bits[0]))
    moved(x, rewinds | row_moves, origins[1], fills, fit(x + 1, bits[1]))
    return (y >= field["top"]) & (y < field["bottom"]) & (x >= field["left"]) & (x < field["far"])


def _look_up(described: Description, control: _Control, window: _Window) -> _Asked:
    """Where the word that is asked for lies, a cycle later, by the table of channels."""
    sizes, pes = described.sizes.sweep, described.sizes.pes
    assert sizes is not None
    with component("places"):
        looks_up = named(control.fills & window.new_channel, "looks_up")
    entry = described.loaded_memory(
        "channel",
        0,
        words=sizes.channels,
        word_bits=sum(sizes.channel_parts(pes).values()),
        read_enable=looks_up,
        read_address=window.channel_at,
    )
    with component("places"):
        bank_bits, rank_bits, _ = sizes.channel_parts(pes).values()
        bank, rank = entry[:bank_bits], entry[bank_bits : bank_bits + rank_bits]
        asked = delayed(control.fills, "asked", reset=True)
        at = delayed(window.address, "address_1")
        reads = asked if window.inside is None else asked & delayed(window.inside, "inside_1")
        of_state = pyrtl.Const(0, 1)
        if sizes.has_state:
            of_state = entry[-1]
            at = pyrtl.select(of_state, pyrtl.Const(0, len(at)), at)
            reads = reads & ~(of_state & control.first_place)
        row = named(fit(at + rank, len(at)), "row")
        chosen = [bank == b if pes > 1 else pyrtl.Const(1, 1) for b in range(pes)]
    return _Asked(asked, reads, of_state, row, bank, chosen)


def _fill(
    described: Description,
    given: Feed,
    field: Mapping[str, Wire],
    control: _Control,
    window: _Window,
    valid: Sequence[Wire],
    scores: Sequence[Wire],
) -> None:
    """Reads maps and writes the engine's inputs; and writes the maps."""
    sizes, all_sizes = described.sizes.sweep, described.sizes
    assert sizes is not None
    asked = _look_up(described, control, window)
    with component("places"):
        reads_image = named(asked.reads & control.first_segment & ~asked.of_state, "reads_image")
        # A cycle later, so that no path leads from a sum into all maps.
        given_1 = [delayed(bit, f"score_valid_1_{p}", reset=True) for p, bit in enumerate(valid)]
        scores_1 = [
            delayed(score, f"score_1_{p}", enable=bit)
            for p, (score, bit) in enumerate(zip(scores, valid, strict=True))
        ]
        written_rows = _written_rows(sizes.address_bits, field, control, given_1)
    word = described.loaded_memory(
        "image",
        0,
        words=sizes.image_words,
        word_bits=all_sizes.activation_bits,
        read_enable=reads_image,
        read_address=fit(asked.row, bits_for(sizes.image_words)),
        counts_writes=True,
    )
    words, sources = {"image": word}, {"image": reads_image}
    for number, rows in enumerate(sizes.rows):
        role, banks = f"map_{number}", []
        with component("places"):
            # The segments with half low write map 0.
            writes_it = control.half if number else ~control.half
            of_source = ~asked.of_state & ~writes_it & ~control.first_segment
            sources[role] = asked.reads & (asked.of_state & writes_it | of_source)
            kept = writes_it & ~field["final"]
        for b, score in enumerate(scores_1):
            with component("places"):
                read = named(sources[role] & asked.chosen[b], f"read_{role}_{b}")
                write = named(kept & given_1[b], f"write_{role}_{b}")
            written = (write, written_rows[b], score)
            banks.append(described.swept_memory(role, b, rows, read=(read, asked.row), write=written))
        with component("places"):
            words[role] = choose(delayed(asked.bank, f"bank_1_{number}", enable=asked.asked), banks)
    _land(described, given, control, asked.asked, words, sources)


def _written_rows(
    bits: int, field: Mapping[str, Wire], control: _Control, valid: Sequence[Wire]
) -> list[Wire]:
    """The row of the next score of each PE."""
    base = register(bits, "written_base")
    zero, following = pyrtl.Const(0, bits), fit(base + field["ranks_out"], bits)
    moved(base, control.begins, zero, control.starts, following)
    rows = []
    for p, bit in enumerate(valid):
        row = register(bits, f"written_row_{p}")
        moved(row, control.starts, base, bit, fit(row + 1, bits))
        rows.append(row)
    return rows


def _land(
    described: Description,
    given: Feed,
    control: _Control,
    asked: Wire,
    words: Mapping[str, Wire],
    sources: Mapping[str, Wire],
) -> None:
    """Words land in the engine's memory of inputs, one after the other."""
    sizes = described.sizes
    address = sizes.address
    with component("places"):
        lands = delayed(asked, "lands", reset=True)
        value = pyrtl.Const(0, sizes.activation_bits)
        for role, word in words.items():
            value = pyrtl.select(delayed(sources[role], f"from_{role}"), word, value)
        at = register(address.bits, "landing")
        zero, one = pyrtl.Const(0, address.bits), pyrtl.Const(address.encode(1), address.bits)
        moved(at, control.rewinds, zero, lands, address.add(at, one))
        drive(given.enable, lands)
        drive(given.data, value)
        bank = address.bank(at)
        if described.copied:
            drive(given.unit, pyrtl.Const(0, len(given.unit)))
            drive(given.address, fit(at, len(given.address)))
        else:
            drive(given.unit, pyrtl.Const(0, 1) if bank is None else fit(bank, len(given.unit)))
            drive(given.address, fit(address.row(at), len(given.address)))
