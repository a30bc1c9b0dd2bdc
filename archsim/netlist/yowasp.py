"""Tools that come as WebAssembly in a Python package: compiled once for this machine, each run a process."""

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
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources
from pathlib import Path

import platformdirs

from workloads.data.cache import cache_folder, warn_of_cache
from workloads.files import reason_of

_LOG = logging.getLogger(__name__)
_VARIABLE = "YOWASP_CACHE_DIR"


@dataclass(frozen=True)
class Tool:
    """A tool as its users know it, the Python package that it comes in, its module there, and the function
    that runs it."""

    title: str
    package: str
    module: str
    function: str

    @property
    def version(self) -> str:
        """The version of its package; a part of every cache key, since results move with it. Raises
        PackageNotFoundError where it is not installed."""
        return metadata.version(self.package.replace("_", "-"))

    def command(self, arguments: Sequence[str]) -> list[str]:
        """What starts it."""
        start = f"import sys, {self.package} as tool; sys.exit(tool.{self.function}(sys.argv[1:]))"
        return [sys.executable, "-c", start, *arguments]


@cache
def compiled(tool: Tool) -> Path:
    """The folder in which YoWASP finds a tool compiled for this machine.

    That is the one of $YOWASP_CACHE_DIR, ours, or YoWASP's own where somebody filled it. If there is none it
    is compiled, on all cores for most of a minute, in a folder of its own name that then takes its place: a
    process that reads it never meets another that writes it. Where the cache cannot be written to it is kept
    in the temporary folder.
    """
    if chosen := os.environ.get(_VARIABLE):
        return Path(chosen)
    ours = cache_folder() / "yowasp" / _kept_as(tool)
    theirs = Path(platformdirs.user_cache_dir("YoWASP", appauthor=False))
    spare = Path(tempfile.gettempdir()) / f"archsim_yowasp_{_user()}_{_kept_as(tool)}"
    for folder in (ours, theirs, spare):
        if _is_own(folder / _module(tool)):
            return folder
    for folder in (ours, spare):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            return _compile_into(tool, folder)
        except OSError as error:
            warn_of_cache(folder, reason_of(error))
    return spare


def _kept_as(tool: Tool) -> str:
    return f"{tool.package}_{tool.version}"


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


def _is_own(module: Path) -> bool:
    """Whether this user put a compiled module there: what others leave in a temporary folder is not run."""
    try:
        return module.stat().st_uid in (_user(), 0)
    except OSError:
        return False


def _module(tool: Tool) -> Path:
    """Where YoWASP keeps a compiled module: by the content of what it compiles."""
    content = resources.files(tool.package).joinpath(tool.module).read_bytes()
    return Path(tool.package, tool.module, hashlib.sha1(content).hexdigest())


def _compile_into(tool: Tool, folder: Path) -> Path:
    _LOG.info("preparing %s, once", tool.title)
    room = Path(tempfile.mkdtemp(dir=folder.parent, suffix=".part"))
    try:
        done = start(tool, ["-V"], room, cache=room)
        if done.returncode:
            raise OSError(last_line(done.stderr) or f"{tool.title} could not be compiled")
        with contextlib.suppress(OSError):  # of another process that was as quick
            room.rename(folder)
        return folder
    finally:
        shutil.rmtree(room, ignore_errors=True)


def start(
    tool: Tool, arguments: Sequence[str], room: Path, *, cache: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a tool in a folder to its end, with what is compiled, or is to be, in the folder `cache`."""
    return subprocess.run(
        tool.command(arguments),
        cwd=room,
        env=environment(cache or compiled(tool)),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def environment(cache: Path) -> Mapping[str, str]:
    """What a tool is started with, for it to find itself compiled in this folder."""
    return {**os.environ, _VARIABLE: str(cache)}


def last_line(printed: str) -> str:
    """The last line with anything in it, without its full stop."""
    return next((line.strip().rstrip(".") for line in reversed(printed.splitlines()) if line.strip()), "")
