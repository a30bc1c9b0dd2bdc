"""Our files: NumPy archives without pickles, of arrays and of `metadata`, a JSON text with all the rest.

A file appears whole or not at all, and one that is there already stays until the new one is whole.
"""

from __future__ import annotations

import json
import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.files import write_file
from workloads.refusal import Refusal

UNREADABLE = (
    *(ValueError, TypeError, AttributeError, OSError, EOFError, LookupError, ArithmeticError, MemoryError),
    *(
        RuntimeError,
        SyntaxError,
        tokenize.TokenError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        struct.error,
    ),
)
"""What NumPy and its archives raise for a file that is no archive, half of one, or one that was tampered
with."""

MOST_SHOWN = 60
"""Characters of a value that a refusal shows."""


def write_archive(
    path: Path,
    metadata: Mapping[str, Any],
    arrays: Mapping[str, Any],
    *,
    compressed: bool,
    precious: bool = True,
) -> None:
    """Write the file. Raises `OutputError` where that fails; what is `precious` then lies elsewhere."""
    write, text = np.savez_compressed if compressed else np.savez, np.array(json.dumps(metadata))
    write_file(path, lambda file: write(file, metadata=text, **arrays), precious=precious)


def one_line(error: BaseException) -> str:
    """What an error says, in one line and without a full stop."""
    return shortened(" ".join(str(error).split()), most=4 * MOST_SHOWN, quoted=False).rstrip(".")


def shortened(value: Any, *, most: int = MOST_SHOWN, quoted: bool = True) -> str:
    """A value as a refusal shows it."""
    text = " ".join((repr(value) if quoted else str(value)).splitlines())
    return text if len(text) <= most else f"{text[: most - 3]}..."


def format_of(path: Path) -> str:
    """The format that the metadata of a file name; empty where there are none that can be read."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return str(json.loads(str(archive["metadata"]))["format"])
    except (*UNREADABLE, KeyError):
        return ""


def read_archive(
    path: Path, *, file_format: str, versions: Sequence[int], holds: str, error: type[Refusal]
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The metadata and the arrays of a file of this format; an `error` says in a sentence what is wrong."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: _array(archive, name, path, error) for name in archive.files}
    except FileNotFoundError as cause:
        raise error(f"file is {path}, which does not exist, allowed is that of a {holds}") from cause
    except error:
        raise
    except UNREADABLE as cause:
        raise error(
            f"file is {path}, which is no whole NumPy archive, allowed is that of a {holds}"
        ) from cause
    try:
        metadata = json.loads(str(arrays.pop("metadata")))
        format_of_file, version = metadata["format"], metadata["version"]
    except (KeyError, TypeError, json.JSONDecodeError, RecursionError) as cause:
        raise error(
            f"file is {path}, a NumPy archive of something else, allowed is that of a {holds}"
        ) from cause
    if format_of_file != file_format or type(version) is not int or version not in versions:
        raise error(
            f"format of {path} is {shortened(format_of_file)} version {shortened(version)}, "
            f"allowed is {file_format!r} version {' or '.join(map(str, versions))}"
        )
    return metadata, arrays


def _array(archive: Any, name: str, path: Path, error: type[Refusal]) -> NDArray[Any]:
    """One array of an archive; an `error` for what holds objects or is none."""
    try:
        array = archive[name]
    except ValueError as cause:
        if "allow_pickle" in str(cause):
            raise error(f"{name} of {path} holds Python objects, allowed are numbers") from cause
        raise
    if not isinstance(array, np.ndarray):
        raise error(f"{name} of {path} is no array, allowed are arrays of NumPy")
    return array
