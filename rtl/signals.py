"""What the units of an engine do in every cycle of a run, read off the wires of its hardware.

The event simulations write the same signals, so that the two can be held against each other cycle by cycle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from rtl.engines import eie
from rtl.engines.broadcast.sizes import BroadcastSizes
from rtl.engines.gather import scheduled
from rtl.engines.gather.sizes import GatherSizes
from rtl.engines.lockstep import controller as marching
from rtl.engines.lockstep.sizes import LockstepSizes
from rtl.engines.pruned import RUN as WALKS
from rtl.engines.training import sequencer as training
from rtl.engines.training.sizes import TrainingSizes
from rtl.parts import sweep
from rtl.parts.descriptor import SizeError
from rtl.parts.sizes import Sizes
from rtl.parts.skeleton import Hardware
from rtl.simulation import Images, LoadWrite, Simulation

Rows = Mapping[str, NDArray[np.int64]]
TRAINING = (
    *("busy", "input_free", "score_valid", "controller__state", "controller__stage"),
    *("controller__issue", "controller__finishes"),
)
"""Wires that say what an engine that trains does."""
BROADCAST = ("scanning", "broadcast_valid", "pushed")
"""Wires that say what the broadcast does."""


class State(IntEnum):
    """What a unit does in a cycle, or why it does nothing."""

    IDLE = 0
    BUSY = 1
    CONFLICT = 2
    BUS = 3
    FETCH = 4
    TURN = 5
    PAUSE = 6
    DRAIN = 7
    NO_WORK = 8
    ENGINE = 9
    WINDOW = 10
    QUEUE = 11
    SEARCH = 12
    STARVED = 13
    PASS = 14
    FORWARD = 15
    BACKWARD = 16
    HEAD = 17
    PORT = 18
    BOTH = 19


@dataclass(frozen=True, eq=False)
class Signals:
    """The cycles from `first` on, counted from that of `start`: `rows` by name, shape (cycles,), `products`
    and `stalls` of each PE, shape (pes, cycles), where its accumulator and its front are; where columns are
    sent to PEs also which of them each `passes` over, for it has no entry of it.

    Rows are `engine` (whether it works), `stage` (of the cascade, from 1), `controller` and `broadcast` (a
    `State` each), `route` (activations that PEs take), `requantisers` and `bus` (whether they work), `scores`
    (that leave), `load` (whether the load port writes), `input_free` (whether it may, which the hardware
    alone says), the words at each memory's ports (`weight.read`, …); at places also `segment` and `place`
    (from 1), and `sequencer` (a `State`); in training also `pass` (a `State`) and `update` (weights that
    move).
    """

    first: int
    rows: Rows
    products: NDArray[np.bool_]
    stalls: NDArray[np.bool_]
    passes: NDArray[np.bool_] | None = None

    def cut(self, first: int, last: int) -> Signals:
        """The cycles from `first` to before `last`."""
        part = slice(first - self.first, last - self.first)
        rows = {name: row[part] for name, row in self.rows.items()}
        passes = None if self.passes is None else self.passes[:, part]
        return Signals(first, rows, self.products[:, part], self.stalls[:, part], passes)


def watch_hardware(
    hardware: Hardware,
    images: Images,
    inputs: Iterable[LoadWrite],
    following: Sequence[LoadWrite],
    *,
    loads_from: int,
    cycles: int,
    before: Iterable[Sequence[LoadWrite]] = (),
) -> Signals:
    """The first `cycles` cycles of a run on `inputs`, after runs on those `before`; from cycle `loads_from`
    on the load port writes the inputs `following`. Raises SizeError for an engine of another kind."""
    sizes = hardware.sizes
    if not isinstance(sizes, LockstepSizes | GatherSizes | BroadcastSizes | TrainingSizes):
        raise SizeError(
            f"engine is {sizes.engine}, allowed with a trace of the hardware are engines whose PEs march in "
            "step, gather by index, are sent activations or train"
        )
    wires = _wires(hardware)
    simulation = Simulation(hardware, images, expected_cycles=cycles, record=list(wires))
    for writes in before:
        simulation.run(writes)
    chunks: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in wires}
    for values in simulation.watched(inputs, following, loads_from=loads_from, cycles=cycles):
        for name, width in wires.items():
            chunks[name].append(_bits(values[name], width))
    bits = {name: np.concatenate(parts) for name, parts in chunks.items()}
    loading = np.zeros(cycles, dtype=np.int64)
    loading[loads_from : loads_from + len(following)] = 1
    rows = {"load": loading} | _common_rows(hardware, bits)
    rows |= _own_rows(sizes, bits)
    if sizes.sweep:
        rows |= _sweep_rows(bits)
    made = bits[hardware.probes["pe.product"].name].T.astype(bool)
    # A PE that trains has two products in a cycle backward, or three.
    products: NDArray[np.bool_] = np.any(made.reshape(sizes.pes, -1, cycles), axis=1)
    return Signals(0, rows, products, _stalls(hardware, bits), _passes(sizes, bits))


def _wires(hardware: Hardware) -> dict[str, int]:
    """The wires that say it, with their widths."""
    sizes, pes = hardware.sizes, range(hardware.sizes.pes)
    if isinstance(sizes, TrainingSizes):
        names = [*TRAINING, *(f"controller__updates_{p}" for p in pes)]
        names += [] if sizes.overlapped else ["controller__backward"]
        names += [probe.name for probe in hardware.probes.values()]
        return _widths(hardware, names)
    names = ["busy", "input_free", "score_valid", "controller__state", "controller__half"]
    names += [probe.name for probe in hardware.probes.values()]
    if isinstance(sizes, BroadcastSizes):
        names += ["controller__drain", *(f"route__{name}" for name in BROADCAST)]
        names += [name.format(p) for name in ("top__takes_{}", "sequencer_{}__walks") for p in pes]
    elif isinstance(sizes, GatherSizes) and sizes.scheduled:
        names += [f"address_{p}__finish" for p in pes]
    elif isinstance(sizes, LockstepSizes):
        names += ["controller__issue", *(f"controller__take_{p}" for p in pes)]
        shared, finish = "top__requantising", [f"controller__finish_{p}" for p in pes]
        names += [shared] if sizes.shared_requantiser else finish
    else:
        names += ["controller__issued", "controller__held_final"]
        of_pes = ["top__front_{}", "sequencer_{}__finish"]
        assert isinstance(sizes, GatherSizes)
        of_pes.append("route__full_{}" if sizes.replicated else "address_{}__holds_entry")
        names += [name.format(p) for name in of_pes for p in pes]
    if sizes.sweep:
        names += ["places__state", "places__segment", "places__starts"]
    return _widths(hardware, names)


def _widths(hardware: Hardware, names: Iterable[str]) -> dict[str, int]:
    return {name: len(hardware.block.get_wirevector_by_name(name, strict=True)) for name in names}


def _bits(values: Sequence[int], width: int) -> NDArray[np.uint8]:
    """The bits of values, shape (values, width), the lowest first."""
    size = -(-width // 8)
    raw = np.frombuffer(b"".join(value.to_bytes(size, "little") for value in values), dtype=np.uint8)
    return np.unpackbits(raw.reshape(-1, size), axis=1, count=width, bitorder="little")


def _number(bits: NDArray[np.uint8]) -> NDArray[np.int64]:
    number: NDArray[np.int64] = bits @ (1 << np.arange(bits.shape[1], dtype=np.int64))
    return number


def _of_pes(bits: Mapping[str, NDArray[np.uint8]], name: str, pes: int) -> NDArray[np.int64]:
    """A wire of each PE, shape (pes, cycles)."""
    return np.stack([bits[name.format(p)][:, 0] for p in range(pes)]).astype(np.int64)


def _common_rows(hardware: Hardware, bits: Mapping[str, NDArray[np.uint8]]) -> dict[str, NDArray[np.int64]]:
    rows = {"engine": _number(bits["busy"]), "input_free": _number(bits["input_free"])}
    rows["scores"] = bits["score_valid"].sum(axis=1, dtype=np.int64)
    for name, probe in hardware.probes.items():
        if name != "pe.product":
            rows[name] = bits[probe.name].sum(axis=1, dtype=np.int64)
    return rows


def _own_rows(sizes: Sizes, bits: Mapping[str, NDArray[np.uint8]]) -> dict[str, NDArray[np.int64]]:
    """The rows that follow from the kind of engine."""
    if isinstance(sizes, TrainingSizes):
        return _training_rows(sizes, bits)
    if isinstance(sizes, BroadcastSizes):
        return _broadcast_rows(bits)
    if isinstance(sizes, LockstepSizes):
        return _lockstep_rows(sizes, bits)
    assert isinstance(sizes, GatherSizes)
    return _scheduled_rows(sizes, bits) if sizes.scheduled else _gather_rows(sizes, bits)


def _scheduled_rows(
    sizes: GatherSizes, bits: Mapping[str, NDArray[np.uint8]]
) -> dict[str, NDArray[np.int64]]:
    state = _number(bits["controller__state"])
    codes = np.zeros(4, dtype=np.int64)
    codes[[scheduled.FETCH, scheduled.RUN, scheduled.DRAIN]] = State.FETCH, State.BUSY, State.DRAIN
    return {
        "controller": codes[state],
        "stage": _stages(state, _number(bits["controller__half"]), fetch=scheduled.FETCH),
        "requantisers": _of_pes(bits, "address_{}__finish", sizes.pes).max(axis=0),
    }


def _broadcast_rows(bits: Mapping[str, NDArray[np.uint8]]) -> dict[str, NDArray[np.int64]]:
    state = _number(bits["controller__state"])
    scanning, valid, pushed = (_number(bits[f"route__{name}"]) for name in BROADCAST)
    codes = np.zeros(4, dtype=np.int64)
    codes[[eie.FETCH, eie.RUN, eie.DRAIN]] = State.FETCH, State.BUSY, State.DRAIN
    sent = np.where(pushed == 1, State.BUSY, State.QUEUE)
    searches = np.where(scanning == 1, State.SEARCH, State.IDLE)
    return {
        "controller": codes[state],
        "stage": _stages(state, _number(bits["controller__half"]), fetch=eie.FETCH),
        "broadcast": np.where(valid == 1, sent, searches),
        "requantisers": _number(bits["controller__drain"]),
    }


def _passes(sizes: Sizes, bits: Mapping[str, NDArray[np.uint8]]) -> NDArray[np.bool_] | None:
    """Where a PE that has begun a column in the cycle before finds no entry of it."""
    if not isinstance(sizes, BroadcastSizes):
        return None
    takes, walks = (_of_pes(bits, name, sizes.pes) for name in ("top__takes_{}", "sequencer_{}__walks"))
    passes = np.zeros(takes.shape, dtype=bool)
    passes[:, 1:] = (takes[:, :-1] == 1) & (walks[:, 1:] == 0)
    return passes


def _lockstep_rows(
    sizes: LockstepSizes, bits: Mapping[str, NDArray[np.uint8]]
) -> dict[str, NDArray[np.int64]]:
    state, issue = _number(bits["controller__state"]), _number(bits["controller__issue"])
    codes = np.zeros(5, dtype=np.int64)
    for code, shown in (
        (marching.FETCH, State.FETCH),
        (marching.RUN, State.TURN),
        (marching.PAUSE, State.PAUSE),
        (marching.DRAIN, State.DRAIN),
    ):
        codes[code] = shown
    if sizes.shared_requantiser:
        requantises = _number(bits["top__requantising"])
    else:
        requantises = _of_pes(bits, "controller__finish_{}", sizes.pes).max(axis=0)
    return {
        "controller": np.where(issue == 1, State.BUSY, codes[state]),
        "stage": _stages(state, _number(bits["controller__half"]), fetch=marching.FETCH),
        "route": _of_pes(bits, "controller__take_{}", sizes.pes).sum(axis=0),
        "requantisers": requantises,
    }


def _gather_rows(sizes: GatherSizes, bits: Mapping[str, NDArray[np.uint8]]) -> dict[str, NDArray[np.int64]]:
    state, issued = _number(bits["controller__state"]), _number(bits["controller__issued"])
    running = np.where(issued == 1, State.DRAIN, State.BUSY)
    fetching = np.where(state > 0, State.FETCH, State.IDLE)
    rows = {
        "controller": np.where(state == WALKS, running, fetching),
        "stage": _stages(state, _number(bits["controller__half"]), fetch=1),
        "requantisers": _of_pes(bits, "sequencer_{}__finish", sizes.pes).max(axis=0),
    }
    if sizes.replicated:
        waiting = _of_pes(bits, "route__full_{}", sizes.pes).max(axis=0)
        final = _number(bits["controller__held_final"])
        rows["bus"] = waiting if sizes.shared_requantiser else waiting * (1 - final)
        if sizes.shared_requantiser:
            rows["requantisers"] = waiting
    return rows


def _training_rows(
    sizes: TrainingSizes, bits: Mapping[str, NDArray[np.uint8]]
) -> dict[str, NDArray[np.int64]]:
    state, stage, issue, finishes = (_number(bits[name]) for name in TRAINING[3:])
    codes = np.full(5, State.IDLE, dtype=np.int64)
    codes[[training.TAPS, training.HEAD]] = State.PORT, State.HEAD
    codes[[training.PAUSE, training.DRAIN]] = State.PAUSE, State.DRAIN
    works = state != training.IDLE
    if sizes.overlapped:
        goes: NDArray[np.int64] = np.full_like(state, State.BOTH)
    else:
        goes = np.where(_number(bits["controller__backward"]) == 1, State.BACKWARD, State.FORWARD)
    return {
        "controller": np.where(issue == 1, State.BUSY, codes[state]),
        "stage": np.where(works, stage + 1, 0),
        "pass": np.where(works, goes, State.IDLE),
        "update": _of_pes(bits, "controller__updates_{}", sizes.pes).sum(axis=0),
        "requantisers": finishes,
    }


def _stalls(hardware: Hardware, bits: Mapping[str, NDArray[np.uint8]]) -> NDArray[np.bool_]:
    """Where a PE is not let go: with banks an entry that is refused, else a result that the bus must take."""
    sizes = hardware.sizes
    if not isinstance(sizes, GatherSizes) or sizes.scheduled:
        return np.zeros((sizes.pes, len(bits["busy"])), dtype=bool)
    stands: NDArray[np.bool_] = _of_pes(bits, "top__front_{}", sizes.pes) == 0
    if not sizes.replicated:
        stands &= _of_pes(bits, "address_{}__holds_entry", sizes.pes) == 1
    return stands


def _stages(state: NDArray[np.int64], half: NDArray[np.int64], *, fetch: int) -> NDArray[np.int64]:
    """The stage of each cycle, from 1, and 0 at rest: a stage lasts until the next one runs."""
    works = state != 0
    turns = np.zeros(len(state), dtype=np.int64)
    turns[1:] = (half[1:] != half[:-1]) & works[1:] & works[:-1]
    starts = np.flatnonzero(works & ~np.roll(works, 1))
    total, cycles = np.cumsum(turns), np.arange(len(state))
    run = np.searchsorted(starts, cycles, side="right") - 1
    before = np.where(run >= 0, total[starts[np.maximum(run, 0)]] if len(starts) else 0, 0)
    # While the next descriptor is awaited it is still the stage before.
    settled = np.maximum.accumulate(np.where((state != fetch) | np.isin(cycles, starts), cycles, 0))
    return np.where(works, total[settled] - before + 1, 0)


def _sweep_rows(bits: Mapping[str, NDArray[np.uint8]]) -> dict[str, NDArray[np.int64]]:
    state, segment = _number(bits["places__state"]), _number(bits["places__segment"])
    codes = np.full(6, State.ENGINE, dtype=np.int64)
    codes[sweep.REST], codes[sweep.FILL] = State.IDLE, State.BUSY
    codes[[sweep.FETCH, sweep.BEGIN]] = State.FETCH
    segments = np.where(state != sweep.REST, segment + 1, 0)
    started = np.cumsum(_number(bits["places__starts"]))
    begins = np.maximum.accumulate(np.where(np.diff(segments, prepend=-1) != 0, np.arange(len(state)), 0))
    return {
        "sequencer": codes[state],
        "segment": segments,
        "place": np.where(segments > 0, started - started[begins], 0),
    }
