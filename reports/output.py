"""Folders and files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workloads.refusal import Refusal

MARKER = ".archsim-output"
"""A folder with this file was written by archsim and may be replaced by it."""


class OutputError(Refusal):
    """A place that cannot be written to, or must not be; the message names it and what is allowed."""


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` that takes its place when the block ends well.

    Nothing is left behind when it does not. A folder that is there already is replaced if it is empty or was
    written by archsim. Raises OutputError for any other, and where the place cannot be written to.
    """
    target = target.absolute()
    try:
        _refuse_what_is_not_ours(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
    except OSError as error:
        raise _cannot_be_written(target, error) from None
    try:
        room.chmod(0o755)
        yield room
        (room / MARKER).touch()
        _take_the_place_of(target, room)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def check_file(target: Path) -> None:
    """Raises OutputError where a file could not be written, before long work is begun for it."""
    if target.is_dir():
        raise OutputError(f"out is {target}, which is a folder, allowed is the name of a file")
    folder = target.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise OutputError(f"out is {target}, allowed is a file in a folder that exists and can be written to")


def _refuse_what_is_not_ours(target: Path) -> None:
    allowed = "allowed is a new or an empty folder, or one that archsim wrote"
    if target.exists() and not target.is_dir():
        raise OutputError(f"out is {target}, which is a file, {allowed}")
    if target.is_dir() and any(target.iterdir()) and not (target / MARKER).is_file():
        raise OutputError(f"out is {target}, which holds something else, {allowed}")


def _take_the_place_of(target: Path, room: Path) -> None:
    """Renames, with the old folder put aside so that it is lost only once the new one stands."""
    aside = room.with_suffix(".old")
    try:
        if target.exists():
            target.rename(aside)
        room.rename(target)
    except OSError as error:
        if aside.exists():
            aside.rename(target)
        raise _cannot_be_written(target, error) from None
    shutil.rmtree(aside, ignore_errors=True)


def _cannot_be_written(target: Path, error: OSError) -> OutputError:
    reason = (error.strerror or "no reason given").lower()
    return OutputError(f"out is {target}, allowed is a folder that can be written to (here: {reason})")
