"""Our files: NumPy archives without pickles, of arrays and of `metadata`, a JSON text with all the rest.

A file appears whole or not at all, and one that is there already stays until the new one is whole.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.files import write_file
from workloads.refusal import Refusal

UNREADABLE = (ValueError, TypeError, AttributeError, OSError, EOFError, zipfile.BadZipFile, zlib.error)
"""What NumPy raises for a file that is no archive, or half of one."""


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
