"""Our files: NumPy archives without pickles, of arrays and of `metadata`, a JSON text with all the rest.

A file appears whole or not at all, and one that is there already stays until the new one is whole.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal

UNREADABLE = (ValueError, TypeError, AttributeError, OSError, EOFError, zipfile.BadZipFile, zlib.error)
"""What NumPy raises for a file that is no archive, or half of one."""


def write_archive(
    path: Path, metadata: Mapping[str, Any], arrays: Mapping[str, Any], *, compressed: bool
) -> None:
    """Write the file; what is written before it is whole lies beside it under the name of `part_of`."""
    part, write = part_of(path), np.savez_compressed if compressed else np.savez
    try:
        with part.open("wb") as file:
            write(file, metadata=np.array(json.dumps(metadata)), **arrays)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def part_of(path: Path) -> Path:
    """Where a file grows until it is whole."""
    return path.with_name(f"{path.name}.part")


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
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError as cause:
        raise error(f"file is {path}, which does not exist, allowed is that of a {holds}") from cause
    except UNREADABLE as cause:
        raise error(
            f"file is {path}, which is no whole NumPy archive, allowed is that of a {holds}"
        ) from cause
    try:
        metadata = json.loads(str(arrays.pop("metadata")))
        format_of_file, version = metadata["format"], metadata["version"]
    except (KeyError, TypeError, json.JSONDecodeError) as cause:
        raise error(
            f"file is {path}, a NumPy archive of something else, allowed is that of a {holds}"
        ) from cause
    if format_of_file != file_format or version not in versions:
        raise error(
            f"format of {path} is {format_of_file!r} version {version!r}, "
            f"allowed is {file_format!r} version {' or '.join(map(str, versions))}"
        )
    return metadata, arrays
