"""A timeline as waveforms: value change dump (VCD, IEEE 1364), which GTKWave and Surfer open."""

from __future__ import annotations

import io
from importlib import metadata
from typing import Any, BinaryIO

from vcd import VCDWriter

from archsim.trace.changes import changes
from archsim.trace.timeline import Timeline, Track
from archsim.trace.units import Unit

TOP = "archsim"
_PICOSECONDS = 1e12


def write_vcd(timeline: Timeline, file: BinaryIO) -> None:
    """Writes a timeline. Time is that of the design's clock, in picoseconds from the cycle of `start`.

    A unit is a scope. One with states has `busy` and `stalled`, a bit each, and `state`, a text (a type that
    viewers know, and the standard does not); one that counts has `number` from 0, x for none; a memory's port
    has `words` a cycle. The pins `busy` and `done` of the engine stand above all.
    """
    text = io.TextIOWrapper(file, encoding="ascii", newline="\n")
    period = _PICOSECONDS / timeline.clock_hz
    with VCDWriter(
        text,
        timescale="1 ps",
        date="",
        comment=f"{timeline.label}, fidelity {timeline.fidelity}, a cycle is {period:g} ps",
        version=f"archsim {metadata.version('archsim')}",
        init_timestamp=round(timeline.first * period),
    ) as writer:
        done = writer.register_var(TOP, "done", "wire", 1, init=int(timeline.done <= timeline.first))
        digits = len(str(sum(track.unit.group == "PEs" for track in timeline) - 1))
        shown = {track.unit: _variables(writer, track, digits) for track in timeline}
        busy = shown[timeline["engine"].unit]["busy"]
        writer.register_alias(TOP, "busy", busy)
        for track, start, _, value in changes(timeline):
            at = round(start * period)
            if track.unit.name == "engine" and start == timeline.done:
                writer.change(done, at, 1)
            for name, told in _values(track, value).items():
                writer.change(shown[track.unit][name], at, told)
        if timeline.last == timeline.done:
            writer.change(done, round(timeline.last * period), 1)
            writer.change(busy, round(timeline.last * period), 0)
        writer.close(round(timeline.last * period))
    text.detach()


def _variables(writer: VCDWriter, track: Track, digits: int) -> dict[str, Any]:
    """The variables of a unit, which begin with its first values. Numbers of PEs have so many digits, for
    scopes are sorted by their names."""
    unit, words = track.unit, track.unit.name.split()
    if unit.group == "PEs":
        words[-1] = words[-1].zfill(digits)
    scope = f"{TOP}.{'_'.join(words)}"
    return {
        name: writer.register_var(scope, name, *_type(unit, name), init=told)
        for name, told in _values(track, int(track.values[0])).items()
    }


def _type(unit: Unit, name: str) -> tuple[str, int]:
    match name:
        case "state":
            return "string", 1
        case "number":
            return "integer", 64
        case "words":
            return "reg", max(2, unit.of.bit_length())
        case _:
            return "wire", 1


def _values(track: Track, value: int) -> dict[str, Any]:
    """The values of a unit's variables."""
    match track.unit.holds:
        case "number":
            return {"number": value - 1 if value else "x"}
        case "words":
            return {"words": value}
    kind, state = track.told(value)
    return {
        "busy": int(kind == "busy"),
        "stalled": int(kind == "stalled"),
        "state": state.replace(" ", "_"),
    }
