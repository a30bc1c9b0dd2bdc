"""Other programs: which are there, and how long they take."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 600
"""No program may take more seconds of processor time."""
CORIOLIS = Path("build/coriolis/bin/python")
QFLOW = Path("/usr/lib/qflow")
OSU018 = Path("/usr/share/qflow/tech/osu018")


class ProgramError(Exception):
    """A program ended otherwise than well: which, how, and where it wrote why."""


@dataclass(frozen=True)
class Tool:
    """What is needed: whether it `is_there`, and where it comes from."""

    name: str
    is_there: bool
    source: str

    @property
    def missing(self) -> str:
        return f"{self.name} is missing, {self.source}: its rows are left out"


def tools() -> dict[str, Tool]:
    """All that can be compared with, by a short name."""
    placed = shutil.which("graywolf") and shutil.which("tcsh") and (QFLOW / "scripts/placement.sh").is_file()
    return {
        "coriolis": Tool(
            "Coriolis",
            _runs([str(CORIOLIS), "-c", "from coriolis import Etesian, Katana"]),
            "`make build/coriolis/installed` fetches it from the package index for Python 3.11 and 3.12",
        ),
        "graywolf": Tool("graywolf", bool(placed), "Debian has it in graywolf and qflow"),
        "qrouter": Tool("qrouter", shutil.which("qrouter") is not None, "Debian has it in qrouter"),
        "osu018": Tool("osu018", OSU018.is_dir(), "Debian has it in qflow-tech-osu018"),
    }


def _runs(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


def run(command: Sequence[str | Path], folder: Path, log: str) -> float:
    """Runs a command in a folder, where it writes to the file `log`; the seconds of processor time that it
    took. Without a display, since all of these would open a window. Raises ProgramError where it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    limited = ["sh", "-c", f'ulimit -t {LIMIT_S}; exec "$@"', "sh", *map(str, command)]
    with (folder / log).open("wb") as written:
        process = subprocess.Popen(
            limited, cwd=folder, env=environment, stdout=written, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        overtime = process.returncode == -signal.SIGXCPU
        how = f"after {LIMIT_S} s" if overtime else f"with status {process.returncode}"
        raise ProgramError(f"{Path(command[0]).name} ended {how}, {folder / log} says why")
    return usage.ru_utime + usage.ru_stime
