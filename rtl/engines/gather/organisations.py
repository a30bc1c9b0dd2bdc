"""How activations are gathered on the pruned engine: a copy for each PE and a bus for results, or banks
behind a crossbar with an arbiter at each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyrtl

from rtl.engines.gather.sizes import GatherSizes
from rtl.engines.gather.walk import Back, Walk
from rtl.parts.arithmetic import choose
from rtl.parts.components import Wire, bits_for, counted, delayed, fit, named, register
from rtl.parts.processing_element import shared_requantiser
from rtl.parts.skeleton import BankPort, Description, Turn


@dataclass(frozen=True)
class Gathering:
    """What a route is built between: the descriptor's fields that are `held`, the walks and their controls,
    the PEs' `results` and when each `finishes` one, the `turn` of the activations to be read, and the wires
    that let each walker go, which the route drives: `front` an entry, `back` the pipeline behind it."""

    described: Description
    sizes: GatherSizes
    held: Mapping[str, Wire]
    walks: Sequence[Walk]
    backs: Sequence[Back]
    results: Sequence[Wire]
    finishes: Sequence[Wire]
    stage_start: Wire
    turn: Turn
    front: list[Wire]
    back: list[Wire]


@dataclass(frozen=True)
class Routed:
    """What the route gives: each walker's activation, what is still on its way to memory, and the scores."""

    activations: Sequence[Wire]
    pending: Sequence[Wire]
    score_valid: Sequence[Wire]
    scores: Sequence[Wire]


def write_row(bits: int, number: int, stage_start: Wire, written: Wire) -> Wire:
    """The row of the next result of a PE: results go to row after row."""
    row = register(bits, f"write_row_{number}")
    counted(row, clear=stage_start, step=written)
    return row


def gather_replicated(given: Gathering) -> Routed:
    """Every walker reads its own copy. Results wait in their PE until the bus takes them, lowest PE first; a
    walker whose next result would overwrite a waiting one stands still. Scores need no bus, unless the one
    requantiser sits there."""
    described, held, results = given.described, given.held, given.results
    final = held["final"]
    front, back = given.front, given.back
    sizes = given.sizes
    pes, address = sizes.pes, sizes.address
    full = [register(1, f"full_{p}", reset=True) for p in range(pes)]
    granted = _lowest(full)
    if not sizes.shared_requantiser:
        granted = [bit | (full[p] & final) for p, bit in enumerate(granted)]
    rows = [write_row(address.row_bits, p, given.stage_start, granted[p]) for p in range(pes)]
    for w, control in enumerate(given.backs):
        own = range(w * sizes.lockstep, (w + 1) * sizes.lockstep)
        if sizes.lockstep == 1:
            go = ~(control.ends & full[w] & ~granted[w])
        else:
            go = ~(control.ends & pyrtl.rtl_any(*[full[p] & ~granted[p] for p in own]))
        front[w] <<= go
        back[w] <<= go
        for p in own:
            full[p].next <<= given.finishes[p] | (full[p] & ~granted[p])
    places = [
        rows[p] if not address.bank_bits else pyrtl.concat(rows[p], pyrtl.Const(p, address.bank_bits))
        for p in range(pes)
    ]
    bus_data, scores = named(_one_of(granted, results), "granted_result"), list(results)
    if sizes.shared_requantiser:
        bus_data = shared_requantiser(0, sizes, bus_data, held, pyrtl.rtl_any(*granted))
        scores = [bus_data] * pes
    bus_data = named(bus_data, "bus_data")
    bus_address = named(_one_of(granted, places), "bus_address")
    bus_write = named(pyrtl.rtl_any(*granted) & ~final, "bus_write")
    activations = [
        described.activation_bank(
            w,
            given.turn,
            BankPort(walk.reads & front[w], walk.target, bus_write, bus_address, bus_data),
        )
        for w, walk in enumerate(given.walks)
    ]
    return Routed(
        activations, full, [named(bit & final, f"scores_{p}") for p, bit in enumerate(granted)], scores
    )


def gather_banked(given: Gathering) -> Routed:
    """Every walker asks the bank its index points at. A bank answers one a cycle; the turn to be first moves
    on by one walker each cycle. One that is refused asks again, while entries ahead of it move on. Each PE
    writes its own bank, so results never collide."""
    described, final, walks = given.described, given.held["final"], given.walks
    front, back = given.front, given.back
    sizes = given.sizes
    pes, walkers, address = sizes.pes, sizes.walkers, sizes.address
    turn = register(bits_for(walkers), "turn", reset=True)
    turn.next <<= pyrtl.select(
        given.stage_start | (turn == walkers - 1), pyrtl.Const(0, len(turn)), fit(turn + 1, len(turn))
    )
    in_turn = [turn <= w for w in range(walkers)]
    banks = [address.bank(walk.target) for walk in walks]
    asks = [
        [
            walk.reads if bank is None else walk.reads & (bank == b)
            for walk, bank in zip(walks, banks, strict=True)
        ]
        for b in range(pes)
    ]
    grants = [_in_turn(bank_asks, in_turn) for bank_asks in asks]
    for w, walk in enumerate(walks):
        front[w] <<= ~walk.reads | pyrtl.rtl_any(*[grants[b][w] for b in range(pes)])
        back[w] <<= pyrtl.Const(1, 1)
    written = [delayed(finish, f"written_{p}", reset=True) for p, finish in enumerate(given.finishes)]
    rows = [write_row(address.row_bits, p, given.stage_start, written[p]) for p in range(pes)]
    target_rows = [address.row(walk.target) for walk in walks]
    words = [
        described.activation_bank(
            b,
            given.turn,
            BankPort(
                read_enable=pyrtl.rtl_any(*grants[b]),
                read_row=_one_of(grants[b], target_rows),
                write_enable=written[b] & ~final,
                write_row=rows[b],
                write_data=given.results[b],
            ),
        )
        for b in range(pes)
    ]
    # A bank is remembered with the entry that it answers, so that words which nobody takes move nothing.
    activations = [
        words[0]
        if bank is None
        else named(
            choose(delayed(bank, f"bank_2_{w}", enable=walk.holds_entry & front[w]), words), f"heard_{w}"
        )
        for w, (bank, walk) in enumerate(zip(banks, walks, strict=True))
    ]
    return Routed(
        activations,
        written,
        [named(bit & final, f"scores_{p}") for p, bit in enumerate(written)],
        given.results,
    )


def _lowest(bits: Sequence[Wire]) -> list[Wire]:
    """Only the lowest high bit, found with a carry chain."""
    vector = pyrtl.concat_list(list(bits))
    lowest = vector & fit(~vector + 1, len(bits))
    return [lowest[i] for i in range(len(bits))]


def _in_turn(asks: Sequence[Wire], in_turn: Sequence[Wire]) -> list[Wire]:
    """One grant: the lowest asker whose turn is not past, else the lowest asker."""
    count = len(asks)
    chosen = _lowest([*[ask & turn for ask, turn in zip(asks, in_turn, strict=True)], *asks])
    return [chosen[p] | chosen[count + p] for p in range(count)]


def _one_of(selected: Sequence[Wire], values: Sequence[Wire]) -> Wire:
    """The value whose select bit is high (zero where none is): one gate a bit and an OR tree."""
    gated = [value & bit.sign_extended(len(value)) for bit, value in zip(selected, values, strict=True)]
    return pyrtl.tree_reduce(lambda a, b: a | b, gated) if len(gated) > 1 else gated[0]
