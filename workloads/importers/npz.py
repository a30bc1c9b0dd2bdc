"""The project's own files, which `TrainedNetwork.save` writes."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from workloads.importers.registry import importers
from workloads.topology.network import TrainedNetwork

METADATA = "metadata.npy"
"""The member by which a file of ours is known."""


def members(source: Any) -> list[str] | None:
    """The names in an archive, or none where this is the path of something else."""
    if not isinstance(source, Path):
        return None
    try:
        with zipfile.ZipFile(source) as archive:
            return archive.namelist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return None


@importers.register("npz")
class Npz:
    """NumPy archives with our metadata, and what is called .npz and is no whole archive at all."""

    def recognises(self, source: Any) -> bool:
        names = members(source)
        if names is None:
            return isinstance(source, Path) and source.suffix == ".npz"
        return METADATA in names

    def read(self, source: Any) -> TrainedNetwork:
        return TrainedNetwork.load(source)
