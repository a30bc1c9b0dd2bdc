"""Engines whose PEs march in step: one controller, one address source, and banks that answer every tap.

`dense`, `clos` and `csc` are this machine with different address sources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyrtl

from rtl.engines.lockstep.controller import IDLE, Controller, Step, lockstep_controller
from rtl.engines.lockstep.sizes import LockstepSizes
from rtl.parts.arithmetic import BankedAddress, rotate
from rtl.parts.components import Wire, bits_for, component, delayed, fit, named, register, wire
from rtl.parts.skeleton import (
    BankPort,
    Description,
    Hardware,
    choose,
    processing_element,
    shared_requantiser,
)


@dataclass(frozen=True)
class Source:
    """What an address source answers: the address of lane 0, which lanes are read, and for each PE the
    lane it listens to (`None`: PE p listens to lane p, or all to the only lane), and those lanes that it may
    listen to."""

    address: Wire
    lane_enables: Sequence[Wire]
    lane_of_pe: Sequence[Wire] | None
    heard: Sequence[Sequence[int]] = ()


AddressSource = Callable[[LockstepSizes, Mapping[str, Wire], Step], Source]


@dataclass(frozen=True)
class Writes:
    """What each bank is given to write: the data, whether to, and the row; `last`: with this a group's
    results are all written. `scores` of the final stage, by PE."""

    data: Sequence[Wire]
    enables: Sequence[Wire]
    rows: Sequence[Wire]
    last: Wire
    score_valid: Sequence[Wire]
    scores: Sequence[Wire]


def build_lockstep(sizes: LockstepSizes, source: AddressSource, *, mirrored: bool = False) -> Hardware:
    """Describes a lockstep engine with the given address source.

    With `mirrored` the results of a stage's first group are written once more, past the end of the
    vector, so that a run of `pes` words which wraps around still lies in `pes` banks.
    """
    described = Description(sizes)
    controller = lockstep_controller(described, pauses_once=mirrored)
    with component("address"):
        answer = source(sizes, controller.field, controller.step)
        spread = sizes.address.spread(list(answer.lane_enables), answer.address)
        enables = [named(controller.step.issue & bit, f"read_bank_{b}") for b, bit in enumerate(spread)]
        rows = [named(row, f"read_row_{b}") for b, row in enumerate(sizes.address.rows_from(answer.address))]
    results = [wire(sizes.result_bits, f"result_{p}") for p in range(sizes.pes)]
    writes = _writes(sizes, controller, results, mirrored=mirrored)
    ports = [
        BankPort(enables[b], rows[b], writes.enables[b], writes.rows[b], writes.data[b])
        for b in range(sizes.banks)
    ]
    words = [described.activation_bank(b, controller.turn, port) for b, port in enumerate(ports)]
    with component("route"):
        lanes = _route(sizes, controller, answer, words)
    for p in range(sizes.pes):
        with component("controller"):
            control = controller.travelling.control(p)
            due = named(controller.weights.due & controller.step.fetches[p], f"fetch_weight_{p}")
        weights = replace(controller.weights, due=due)
        results[p] <<= processing_element(p, described, weights, lanes[p], control, controller.held)
    return described.finish(
        done=controller.done,
        busy=controller.state != IDLE,
        turn=controller.turn,
        score_valid=writes.score_valid,
        scores=writes.scores,
    )


def _writes(
    sizes: LockstepSizes, controller: Controller, results: Sequence[Wire], *, mirrored: bool
) -> Writes:
    """Results go to row after row, as many at once as there are banks, and where they are mirrored once more
    past the end of the vector. Scores of the final stage leave on their own pins, all at once, or where the
    requantisers are shared as many at once."""
    held, travelling, write = controller.held, controller.travelling, sizes.pipeline.write
    valid, ends = list(travelling.valid[write]), travelling.ends[write]
    shared, final = sizes.shared_requantiser, held["final"]
    with component("controller"):
        at = register(sizes.address.bits if sizes.turned else sizes.address.row_bits, "write_at", reset=True)
        chunks = sizes.pes // sizes.banks
        if chunks > 1:
            chunk = register(bits_for(chunks), "chunk", reset=True)
            writing = ends | (chunk != 0)
            following = [*(valid[sizes.banks * c] for c in range(1, chunks)), pyrtl.Const(0, 1)]
            more = choose(chunk, following)
            more = more if shared else more & ~final
            chunk.next <<= pyrtl.select(
                writing & more, fit(chunk + 1, len(chunk)), pyrtl.Const(0, len(chunk))
            )
        else:
            writing, more = ends, pyrtl.Const(0, 1)
        last = writing & ~more
        zero = pyrtl.Const(0, len(at))
        if not sizes.turned:
            at.next <<= pyrtl.select(controller.stage_written, zero, fit(at + writing, len(at)))
        stored, scored = named(writing & ~final, "writing"), named(writing & final, "scoring")
        turns = [chunk == c if chunks > 1 and shared else pyrtl.Const(1, 1) for c in range(chunks)]
        score_valid = [scored & bit & turns[p // sizes.banks] for p, bit in enumerate(valid)]
    scores = list(results)
    with component("route"):
        if chunks > 1:
            results = [choose(chunk, results[b :: sizes.banks]) for b in range(sizes.banks)]
            valid = [choose(chunk, valid[b :: sizes.banks]) for b in range(sizes.banks)]
    if shared:
        results = [shared_requantiser(b, sizes, total, held, writing) for b, total in enumerate(results)]
        scores = [results[p % sizes.banks] for p in range(sizes.pes)]
    with component("route"):
        enables = [stored & bit for bit in valid]
        writes = Writes(results, enables, [at] * sizes.banks, last, score_valid, scores)
        if mirrored:
            writes = _mirrored(sizes, held, writes, first_written=stored & (at == 0), valid=valid)
        if sizes.turned:
            data, enables = sizes.address.spread(results, at), sizes.address.spread(enables, at)
            writes = replace(writes, data=data, enables=enables, rows=sizes.address.rows_from(at))
            following = sizes.address.add(at, _number(valid, sizes.address))
            at.next <<= pyrtl.select(controller.stage_written, zero, pyrtl.select(writing, following, at))
    with component("controller"):
        written = controller.written
        written <<= writes.last
    return writes


def _number(valid: Sequence[Wire], address: BankedAddress) -> Wire:
    """How many bits of a thermometer are high, as the address of what follows so many words."""
    number = pyrtl.Const(0, address.bits)
    for i, bit in enumerate(valid, start=1):
        number = pyrtl.select(bit, pyrtl.Const(address.encode(i), address.bits), number)
    return number


def _mirrored(
    sizes: LockstepSizes,
    held: Mapping[str, Wire],
    writes: Writes,
    *,
    first_written: Wire,
    valid: Sequence[Wire],
) -> Writes:
    """Adds the mirror writes to the ordinary ones: after the first group's results are written, they are
    written again at `outputs`, `2 * outputs`, … as often as `mirrors` says."""
    address = sizes.address
    left = register(len(held["mirrors"]), "mirrors_left", reset=True)
    base = register(address.bits, "mirror_base")
    active = left != 0
    left.next <<= pyrtl.select(
        first_written, held["mirrors"], pyrtl.select(active, fit(left - 1, len(left)), left)
    )
    base.next <<= pyrtl.select(
        first_written, held["outputs"], pyrtl.select(active, address.add(base, held["outputs"]), base)
    )
    turned = address.spread(writes.data, base)
    turned_valid = address.spread(valid, base)
    rows = address.rows_from(base)
    last = pyrtl.select(first_written & (held["mirrors"] != 0), pyrtl.Const(0, 1), writes.last | (left == 1))
    return replace(
        writes,
        data=[pyrtl.select(active, t, r) for t, r in zip(turned, writes.data, strict=True)],
        enables=[pyrtl.select(active, t, e) for t, e in zip(turned_valid, writes.enables, strict=True)],
        rows=[pyrtl.select(active, t, r) for t, r in zip(rows, writes.rows, strict=True)],
        last=last,
    )


def _route(sizes: LockstepSizes, controller: Controller, answer: Source, words: Sequence[Wire]) -> list[Wire]:
    """The activation of each PE from the words of the banks, or what its bias is multiplied by."""
    bank = sizes.address.bank(answer.address)
    lane_count = len(answer.lane_enables)
    lanes = list(words) if bank is None else rotate(words, delayed(bank, "bank_1"), lane_count)
    if controller.bias is not None:
        biased, operand = controller.bias
        lanes = [pyrtl.select(biased, operand, lane) for lane in lanes]
    if answer.lane_of_pe is not None:
        heard = [delayed(lane, f"lane_1_{p}") for p, lane in enumerate(answer.lane_of_pe)]
        lanes = [_listen(lane, lanes, answer.heard[p]) for p, lane in enumerate(heard)]
    elif lane_count == 1:
        lanes = lanes * sizes.pes
    return [named(lane, f"lane_{p}") for p, lane in enumerate(lanes)]


def _listen(lane: Wire, lanes: Sequence[Wire], heard: Sequence[int]) -> Wire:
    """`lanes[lane]`. The multiplexer is only as wide as the lanes that may be heard."""
    value = lanes[heard[0]]
    for t in heard[1:]:
        value = pyrtl.select(lane == t, lanes[t], value)
    return value
