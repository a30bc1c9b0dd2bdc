"""Files of timelines, by the ending of their name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from archsim.trace.chrome import write_chrome
from archsim.trace.runs import TraceError
from archsim.trace.timeline import Timeline
from archsim.trace.vcd import write_vcd
from workloads.files import check_file, write_file

WRITERS: dict[str, Callable[[Timeline, BinaryIO], None]] = {".vcd": write_vcd, ".json": write_chrome}
"""How a timeline is written, by ending."""


def check_trace(path: Path, endings: tuple[str, ...] = tuple(WRITERS)) -> None:
    """Raises TraceError for another ending, OutputError where the file could not be written."""
    if path.suffix not in endings:
        listed = f"{', '.join(endings[:-1])} or {endings[-1]}"
        raise TraceError(f"out is {path}, allowed are files that end in {listed}")
    check_file(path)


def write_trace(timeline: Timeline, path: str | Path) -> None:
    """Writes a timeline as waveforms (.vcd) or as a trace for Perfetto (.json), line by line.

    Raises TraceError for another ending, OutputError where the file cannot be written.
    """
    path = Path(path)
    check_trace(path)
    write_file(path, lambda file: WRITERS[path.suffix](timeline, file))
