"""What a process leaves that was killed while it wrote a file, and who may remove it.

A part's name says who writes it: a digest of the machine, and the number of the process there. On a disk that
several machines share only age tells whether another machine's is still written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import socket
import time
from functools import lru_cache
from pathlib import Path

OLD_S = 24 * 3600.0
"""Age from which a part is nobody's, whoever wrote it: no file takes a day to write."""

AGAIN_S = 60.0
"""Time for which a folder that was looked through is not looked through again."""

_PART = re.compile(r"\..+\.(?:([0-9a-f]{8})-([0-9]{1,10})-)?[0-9a-f]{12}\.part")
_looked: dict[Path, float] = {}


def part_name(name: str) -> str:
    """A name for a part of the file of this name, which no other part has."""
    return f".{name}.{_machine()}-{os.getpid()}-{secrets.token_hex(6)}.part"


def remove_leftovers(folder: Path) -> None:
    """Removes the parts in a folder that no living process writes: those of a process of this machine that is
    no more, and any that nothing was added to for a day. What cannot be removed stays."""
    now = time.monotonic()
    if now - _looked.get(folder, -AGAIN_S) < AGAIN_S:
        return
    _looked[folder] = now
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            named = _PART.fullmatch(entry.name)
            if named and _left(entry, *named.groups()):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def _left(entry: os.DirEntry[str], machine: str | None, process: str | None) -> bool:
    """Whether nobody writes a part any more."""
    try:
        written = entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        return False
    if time.time() - written > OLD_S:
        return True
    return machine == _machine() and process is not None and not _lives(int(process))


def _lives(process: int) -> bool:
    """Whether there is a process of this number; where the system cannot be asked there may be."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@lru_cache(maxsize=1)
def _machine() -> str:
    """A digest of what the numbers of processes are of: a machine, or a container on one."""
    numbers = ""
    with contextlib.suppress(OSError):
        numbers = os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(f"{socket.gethostname()} {numbers}".encode()).hexdigest()[:8]
