"""What is said of an error that nobody foresaw: whose it is, where its trace lies, and what to do."""

from __future__ import annotations

import platform
import sys
import tempfile
import time
import traceback
from importlib import metadata
from pathlib import Path

from workloads.data.cache import cache_folder
from workloads.files import OutputError, write_text

FOLDER = "defects"
_LONGEST = 200
"""Characters of its message that are said; the rest stands in the file."""


def defect_of(error: BaseException) -> str:
    """A sentence about an error of ours. Its trace is kept in a file that the sentence names."""
    said = " ".join(str(error).split())[:_LONGEST].rstrip(".")
    named = f"{type(error).__name__}: {said}" if said else type(error).__name__
    trace = _trace(error)
    kept = _kept(trace)
    if kept is None:
        sys.stderr.write(trace)
    lies = f"its trace lies in {kept}" if kept else "its trace stands above"
    return (
        f"a defect of archsim, not of what it was given ({named}); {lies}: please report it with that, and "
        "with the files of the command, where archsim came from"
    )


def _trace(error: BaseException) -> str:
    """All that whoever mends it must know."""
    head = (
        f"archsim {metadata.version('archsim')}, Python {platform.python_version()}, {platform.platform()}\n"
        f"arguments: {sys.argv[1:]}\nfolder: {Path.cwd()}\n\n"
    )
    return head + "".join(traceback.format_exception(error))


def _kept(trace: str) -> Path | None:
    """Where a trace was written: the cache, or else the temporary folder."""
    name = time.strftime("%Y%m%d-%H%M%S") + f"-{time.time_ns() % 1_000_000:06d}.txt"
    for folder in (cache_folder() / FOLDER, Path(tempfile.gettempdir()) / f"archsim-{FOLDER}"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_text(folder / name, trace)
        except (OSError, OutputError):
            continue
        return folder / name
    return None
