"""Rows of a picture of a run: what each unit is, and what it does in each cycle, from signals.

A PE is shown where its accumulator is. What the controller does, and an entry that is let go or refused,
reaches that stage of the pipeline some cycles later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from archsim.engine.mapping import ROLES
from rtl import Signals, Sizes, State
from rtl.engines.broadcast.sizes import BroadcastSizes
from rtl.engines.gather.sizes import GatherSizes
from rtl.engines.training.sizes import TrainingSizes

S = TypeVar("S", bound=np.generic)
Holds = Literal["state", "number", "words"]
"""A state, the number of what is worked on from 1 (0: none), or words in a cycle."""

_ENGINES = ("input", "activation_0", "activation_1")
_WRITTEN = (*_ENGINES, "image", "map_0", "map_1")
"""The memories that are written during a run; those of the network are before."""

MULTIPLIES = 2
"""In which cycle after its issue a PE that trains makes the products of a tap."""

LEAD = 8
"""Cycles before a window that are looked at: more than a pipeline is long."""


@dataclass(frozen=True)
class Unit:
    """A row: its `group`, and what it holds. Words go through so many ports (`of`), one a cycle in each."""

    name: str
    group: str
    holds: Holds = "state"
    of: int = 1


Row = tuple[Unit, NDArray[np.int64]]


def rows_of(signals: Signals, sizes: Sizes, first: int) -> Iterator[Row]:
    """The rows of all units from cycle `first` on, up to `LEAD` cycles after where the signals begin."""
    cut, own = first - signals.first, signals.rows
    zeros = np.zeros(signals.products.shape[1], dtype=np.int64)

    def row(name: str) -> NDArray[np.int64]:
        return own.get(name, zeros)[cut:]

    controller = own.get("controller", zeros)
    if sizes.sweep:
        controller = np.where((controller == State.IDLE) & (own["engine"] == 1), State.WINDOW, controller)
    yield Unit("engine", "run"), row("engine")
    trains = isinstance(sizes, TrainingSizes)
    if trains:
        yield Unit("pass", "run"), row("pass")
    for name in (*(("segment", "place") if sizes.sweep else ()), "stage"):
        yield Unit(name, "run", "number"), row(name)
    if sizes.sweep:
        yield Unit("sequencer", "control"), row("sequencer")
    yield Unit("controller", "control"), controller[cut:]
    for number, states in enumerate(_pes(signals, sizes, controller)):
        yield Unit(f"PE {number}", "PEs"), states[cut:]
    yield from ((unit, states[cut:]) for unit, states in _route(signals, sizes, zeros))
    yield Unit("requantisers", "results"), row("requantisers")
    yield Unit("scores", "results", "words", sizes.pes), row("scores")
    ports = {shape.role: shape.number for shape in sizes.memory_shapes}
    written = _WRITTEN if not trains else ports.keys() - {"descriptor"}
    for role in ports if trains else ROLES:
        for way in ("read", "write") if role in written else ("read",):
            if role in ports:
                yield Unit(f"{role} {way}", "memories", "words", ports[role]), row(f"{role}.{way}")
    yield Unit("load port", "load"), row("load")


def _pes(signals: Signals, sizes: Sizes, controller: NDArray[np.int64]) -> NDArray[np.int64]:
    """The states of the PEs, shape (pes, cycles): that a sum takes a product, else why it takes none."""
    # A walker that has let an entry go, or taken a column, is a cycle into the pipeline.
    walks = isinstance(sizes, BroadcastSizes) or (isinstance(sizes, GatherSizes) and not sizes.scheduled)
    delay = MULTIPLIES if isinstance(sizes, TrainingSizes) else sizes.pipeline.accumulate - walks
    idle = np.full_like(controller, State.NO_WORK)
    if isinstance(sizes, BroadcastSizes):
        # Until all activations have been sent, the one that a PE lacks may still come.
        idle[signals.rows["broadcast"] != State.IDLE] = State.STARVED
    why = _later(np.where(controller == State.BUSY, idle, controller), delay)
    states = np.repeat(why[None], sizes.pes, axis=0)
    if isinstance(sizes, GatherSizes):
        # With replicated activations the whole pipeline of a PE stands still.
        stalls = signals.stalls if sizes.replicated else _later(signals.stalls, delay)
        states[stalls] = State.BUS if sizes.replicated else State.CONFLICT
    if signals.passes is not None:
        states[_later(signals.passes, delay)] = State.PASS
    states[signals.products] = State.BUSY
    return states


def _route(signals: Signals, sizes: Sizes, zeros: NDArray[np.int64]) -> Iterator[Row]:
    """How words get to the PEs, or results from them."""
    if isinstance(sizes, BroadcastSizes):
        yield Unit("broadcast", "route"), signals.rows.get("broadcast", zeros)
    elif isinstance(sizes, TrainingSizes):
        yield Unit("update", "route", "words", sizes.pes), signals.rows.get("update", zeros)
    elif not isinstance(sizes, GatherSizes):
        yield Unit("route", "route", "words", sizes.pes), signals.rows.get("route", zeros)
    elif sizes.replicated:
        yield Unit("result bus", "route"), signals.rows.get("bus", zeros)
    else:
        banks = [signals.rows.get(f"{role}.read", zeros) for role in _ENGINES]
        granted = np.where(sum(banks, start=zeros) > 0, State.BUSY, State.IDLE)
        yield Unit("crossbar", "route"), np.where(signals.stalls.any(axis=0), State.CONFLICT, granted)


def _later(row: NDArray[S], cycles: int) -> NDArray[S]:
    """The same so many cycles later, along the last axis."""
    later = np.zeros_like(row)
    later[..., cycles:] = row[..., :-cycles]
    return later
