"""Runs of design points, to be looked at window by window: by events, or on the hardware itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.costs.fidelity.fidelities import FidelityError
from archsim.design import DesignError, DesignPoint
from archsim.engine.counts import Counts
from archsim.engine.mapping import Mapping
from archsim.engine.recording import Recording
from archsim.engine.stimulus import sample_inputs
from archsim.trace.timeline import Timeline, Track
from archsim.trace.units import LEAD, Unit, rows_of
from rtl import Signals, Sizes, watch_hardware
from workloads.refusal import Defect, Refusal

TRACED = ("cycle", "rtl")
"""The fidelities that know what happens in which cycle."""

BLOCK = 1 << 16
"""Cycles that are looked at together, so that a long run takes no more memory than its changes."""

MOST_INTERVALS = 20_000_000
"""Intervals of a timeline, which take 16 bytes each."""

MOST_WATCHED = 4_000_000
"""Cycles for which the hardware is watched, some hundred bytes each."""


class TraceError(Refusal):
    """A window of a run, or a file of it, that cannot be had; the message says what can."""


@dataclass(frozen=True, eq=False)
class Run:
    """A run on hardware of these `sizes`, of which `signals` are had for any window."""

    label: str
    fidelity: str
    clock_hz: float
    counts: Counts
    sizes: Sizes = field(repr=False)
    signals: Callable[[int, int], Signals] = field(repr=False)

    @property
    def cycles(self) -> int:
        """Cycles from that of `start` until the next inference could start."""
        return self.counts.interval_cycles

    def blocks(self, first: int, last: int) -> Iterator[tuple[int, dict[Unit, NDArray[np.int64]]]]:
        """What every unit does from cycle `first` to before `last`, some cycles at a time with the first of
        them."""
        for begins in range(first, last, BLOCK):
            signals = self.signals(max(0, begins - LEAD), min(begins + BLOCK, last))
            yield begins, dict(rows_of(signals, self.sizes, begins))

    def timeline(self, first: int = 0, last: int | None = None) -> Timeline:
        """The cycles from `first` to before `last`, all unless it is given. Raises TraceError for a window
        that does not lie in the run, or has too many changes."""
        first, last = window_of(self.cycles, first, last)
        parts: dict[Unit, list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = {}
        held = 0
        for begins, rows in self.blocks(first, last):
            for unit, row in rows.items():
                parts.setdefault(unit, []).append(_intervals(row, begins))
                held += len(parts[unit][-1][0])
            if held > MOST_INTERVALS:
                reached = begins + len(rows[next(iter(rows))])
                raise TraceError(
                    f"window is cycles {first:,} to {last:,}, allowed are up to {MOST_INTERVALS:,} changes, "
                    f"which are had up to cycle {reached:,}"
                )
        tracks = {unit.name: _joined(unit, pieces, last) for unit, pieces in parts.items()}
        return Timeline(self.label, self.fidelity, self.clock_hz, first, last, self.counts, tracks)


def timeline(
    design: DesignPoint | Mapping, fidelity: str = "cycle", *, first: int = 0, last: int | None = None
) -> Timeline:
    """What every unit of a design point, or of its mapping, does in each cycle of one inference.

    Cycle 0 is that of `start`; the window is `first` to before `last`, and without `last` the whole run until
    the next inference could start. `fidelity` is cycle (event simulation) or rtl (the hardware itself, run on
    the design's first input): they give the same.
    Raises FidelityError for another fidelity, TraceError for a window that cannot be had.
    """
    return run_of(design, fidelity, last).timeline(first, last)


def run_of(design: DesignPoint | Mapping, fidelity: str = "cycle", last: int | None = None) -> Run:
    """The run of a design point, or of its mapping, to be looked at up to before cycle `last`. Raises as
    `timeline` does."""
    if fidelity not in TRACED:
        raise FidelityError.of("fidelity", fidelity, TRACED)
    if not isinstance(design, DesignPoint | Mapping):
        raise DesignError(f"design is {design!r}, allowed are a design point and its mapping")
    mapping = design.mapping if isinstance(design, DesignPoint) else design
    recorded = mapping.record()
    _, last = window_of(recorded.cycles, 0, last)
    signals = recorded.signals if fidelity == "cycle" else _watched(mapping, recorded, last)
    if isinstance(design, DesignPoint):
        named, clock = f"{Path(design.network).stem} on {_engine(mapping)}", design.clock_hz
        clock_hz = clock if isinstance(clock, float) else design.simulate("analytic").clock_hz
    else:
        named, clock_hz = _engine(mapping), float(DesignPoint.model_fields["clock_hz"].default)
    return Run(named, fidelity, clock_hz, recorded.counts, mapping.sizes, signals)


def window_of(cycles: int, first: int, last: int | None) -> tuple[int, int]:
    """The window of a run of so many cycles. Raises TraceError where it does not lie in it."""
    last = cycles if last is None else last
    for name, value, least, most in (("from", first, 0, cycles - 1), ("to", last, first + 1, cycles)):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise TraceError(f"{name} is {value!r}, allowed are cycles {least} to {most} of this run")
    return first, last


def _watched(mapping: Mapping, recorded: Recording, last: int) -> Callable[[int, int], Signals]:
    """The signals of the hardware up to before cycle `last`."""
    if last > MOST_WATCHED:
        raise TraceError(
            f"to is {last:,}, allowed with fidelity rtl are cycles up to {MOST_WATCHED:,} of this run"
        )
    load = mapping.load(sample_inputs(mapping.network, 1)[:, 0])
    seen = watch_hardware(
        *(mapping.hardware, mapping.images, load, load),
        loads_from=recorded.loads_from,
        cycles=last,
        before=[load] * mapping.in_flight,
    )
    loading = seen.rows["load"] == 1
    if not seen.rows["input_free"][loading].all():
        raise Defect("the load port writes inputs while the hardware still reads those before")
    return seen.cut


def _engine(mapping: Mapping) -> str:
    return f"{mapping.sizes.label}, {mapping.sizes.pes} PEs"


def _intervals(row: NDArray[np.int64], begins: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where a row changes, and to what."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(row)) + 1])
    return starts + begins, row[starts]


def _joined(unit: Unit, pieces: list[tuple[NDArray[np.int64], NDArray[np.int64]]], last: int) -> Track:
    """One track of pieces that follow each other, without changes to the same."""
    starts, values = (np.concatenate([piece[k] for piece in pieces]) for k in (0, 1))
    kept = np.append(True, np.diff(values) != 0)
    return Track(unit, starts[kept], values[kept], last)
