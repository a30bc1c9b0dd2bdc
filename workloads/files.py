"""The one writer of files. A file appears whole or not at all, and what is there stays until the new one is.

Each write grows under a name of its own, so that two runs that write the same file never meet; the last one
stands. Links are followed, and a file that is replaced keeps its permissions. What a killed run was writing
is removed by a later write beside it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from workloads.leftovers import part_name, remove_leftovers
from workloads.refusal import Refusal

LEAST_FREE_BYTES = 1_000_000
"""What must be free where long work is begun: the largest network of the zoo takes less."""

_NAME_LENGTH = 48
"""Characters of its name that a part keeps; names have 255 bytes at most."""

Fill = Callable[[BinaryIO], object]


class OutputError(Refusal):
    """A place that cannot be written to, or must not be; the message names it and what is allowed."""


def write_text(target: Path, text: str, *, precious: bool = False) -> None:
    """Writes a text in UTF-8 with its ends of lines as they are; see `write_file`."""
    content = text.encode()
    write_file(target, lambda file: file.write(content), precious=precious)


def write_file(target: Path, fill: Fill, *, precious: bool = False) -> None:
    """Writes what `fill` writes into the open file that it is given.

    Raises OutputError where that fails. What is `precious` took long to make: it is then left in the
    temporary folder, if there is room, and the message says where.
    """
    place = Path(os.path.realpath(target))
    try:
        _write(place, fill)
    except OSError as error:
        kept = _elsewhere(place, fill) if precious else None
        lies = f"; what was to be written lies in {kept}" if kept else ""
        raise OutputError(
            f"file is {target}, which cannot be written ({reason_of(error)}){lies}, allowed is a place that "
            "can be written to"
        ) from None


def _write(place: Path, fill: Fill) -> None:
    try:
        before = place.stat()
    except FileNotFoundError:
        _replace(place, fill, None)
        return
    if stat.S_ISREG(before.st_mode):
        # A file that its owner protects is not replaced, although its folder would allow it.
        os.close(os.open(place, os.O_WRONLY))
        _replace(place, fill, stat.S_IMODE(before.st_mode))
        return
    with place.open("wb") as file:
        fill(file)


def _replace(place: Path, fill: Fill, mode: int | None) -> None:
    """Fills a file of its own name, which then takes its place."""
    remove_leftovers(place.parent)
    part = place.with_name(part_name(place.name[:_NAME_LENGTH]))
    handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            if mode is not None:
                part.chmod(mode)
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync(place.parent)


def _sync(folder: Path) -> None:
    """Makes a new name in a folder last, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _elsewhere(place: Path, fill: Fill) -> Path | None:
    """Where a file was written to instead, if it could be."""
    with contextlib.suppress(OSError):
        kept = Path(tempfile.mkdtemp(prefix="archsim_kept_")) / place.name
        _replace(kept, fill, None)
        return kept
    return None


def check_file(target: Path) -> None:
    """Raises OutputError where a file could not be written, before long work is begun for it."""
    place = Path(os.path.realpath(target))
    if place.is_dir():
        raise OutputError(f"out is {target}, which is a folder, allowed is the name of a file")
    allowed = "allowed is a file in a folder that exists and can be written to"
    if not place.parent.is_dir():
        raise OutputError(f"out is {target}, {allowed}")
    if place.exists() and not os.access(place, os.W_OK):
        raise OutputError(f"out is {target}, which may not be written, {allowed}")
    if not place.exists() or place.is_file():
        _try(place.parent, f"out is {target}", allowed)


def check_folder(target: Path) -> None:
    """Makes a folder, unless it is there. Raises OutputError where no file could be written into it."""
    allowed = "allowed is a folder that can be written to"
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"out is {target}, {allowed} (here: {reason_of(error)})") from None
    _try(target, f"out is {target}", allowed)


def _try(folder: Path, what: str, allowed: str) -> None:
    """Writes into a folder, and looks how much room there is."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"0")
    except OSError as error:
        raise OutputError(f"{what}, {allowed} (here: {reason_of(error)})") from None
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise OutputError(
            f"{what}, where {free:,} bytes are free, allowed are places with {LEAST_FREE_BYTES:,} or more"
        ) from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def digest_of(folders: Iterable[Path]) -> str:
    """What the files of some folders hold, under their names, as a hexadecimal digest; what Python makes of
    its own files is left out."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            made = "__pycache__" in path.parts or path.name.startswith(".") or path.suffix in (".pyc", ".pyi")
            if not made and path.is_file():
                digest.update(path.relative_to(folder.parent).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def reason_of(error: OSError) -> str:
    """What the system says, in a few small words."""
    return error.strerror.lower() if error.strerror else str(error) or "no reason given"
