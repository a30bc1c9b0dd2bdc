"""Folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workloads.files import OutputError, check_folder, reason_of

MARKER = ".archsim-output"
"""A folder with this file was written by archsim and may be replaced by it."""

_TRIES = 5
"""How often a folder tries to take its place while others take the same one."""


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its place when the block ends well.

    Nothing is left behind when it does not. A folder that is there already is replaced if it is empty or was
    written by archsim; a link to one stays a link. Where only the folder itself can be written to, as where
    it is a mounted disk, what it holds is replaced. Raises OutputError for any other, and where the place
    cannot be written to; a folder that is finished and cannot take its place stays where the message says.
    """
    place = Path(os.path.realpath(target))
    try:
        _refuse_what_is_not_ours(place)
        inside = _is_fixed(place)
        check_folder(place if inside else place.parent)
        home, name = (place, "") if inside else (place.parent, place.name[:80])
        room = Path(tempfile.mkdtemp(dir=home, prefix=f".{name}.", suffix=".part"))
    except OSError as error:
        raise _cannot_be_written(place, error) from None
    try:
        room.chmod(0o755)
        yield room
        (room / MARKER).touch()
    except BaseException:
        shutil.rmtree(room, ignore_errors=True)
        raise
    try:
        (_fill if inside else _take_the_place_of)(place, room)
    except OSError as error:
        raise OutputError(
            f"{_cannot_be_written(place, error)}; what was to be there lies in {room}"
        ) from None


def _refuse_what_is_not_ours(target: Path) -> None:
    allowed = "allowed is a new or an empty folder, or one that archsim wrote"
    if target.exists() and not target.is_dir():
        raise OutputError(f"out is {target}, which is a file, {allowed}")
    if target.is_dir() and any(target.iterdir()) and not (target / MARKER).is_file():
        raise OutputError(f"out is {target}, which holds something else, {allowed}")


def _is_fixed(target: Path) -> bool:
    """Whether a folder cannot be renamed."""
    return target.is_dir() and (os.path.ismount(target) or not os.access(target.parent, os.W_OK))


def _take_the_place_of(target: Path, room: Path) -> None:
    """Renames, with the old folder put aside so that it is lost only once the new one stands. Another run
    that ends at the same time may have put its own there meanwhile."""
    asides = [room.with_suffix(f".old{number}") for number in range(_TRIES)]
    for last, aside in enumerate(asides, start=1):
        try:
            if target.exists():
                target.rename(aside)
        except FileNotFoundError:
            pass
        try:
            room.rename(target)
            break
        except OSError:
            if not target.exists() and aside.exists():
                aside.rename(target)
            if last == _TRIES or not target.exists():
                raise
    for aside in asides:
        shutil.rmtree(aside, ignore_errors=True)


def _fill(target: Path, room: Path) -> None:
    """Puts what a folder holds in the place of what another does."""
    for old in target.iterdir():
        if old != room:
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    for new in room.iterdir():
        new.rename(target / new.name)
    room.rmdir()


def _cannot_be_written(target: Path, error: OSError) -> OutputError:
    return OutputError(
        f"out is {target}, allowed is a folder that can be written to (here: {reason_of(error)})"
    )
