"""The project's own files: of trained networks, of trained CNNs and RNNs, and of networks with places."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from workloads.archive import format_of
from workloads.importers.registry import AnyNetwork, importers
from workloads.topology.network import TrainedNetwork
from workloads.topology.placed import FORMAT as PLACED, PlacedNetwork
from workloads.training.models.trained_model import FORMAT as MODEL, TrainedModel

METADATA = "metadata.npy"
"""The member by which a file of ours is known."""


ARCHIVE = b"PK"


def begins(source: Any, start: bytes) -> bool:
    """Whether this is the path of a file that begins so."""
    if not isinstance(source, Path):
        return False
    try:
        with source.open("rb") as file:
            return file.read(len(start)) == start
    except OSError:
        return False


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
    """NumPy archives with our metadata, and archives that are damaged."""

    def recognises(self, source: Any) -> bool:
        names = members(source)
        return begins(source, ARCHIVE) if names is None else METADATA in names

    def read(self, source: Any) -> AnyNetwork:
        for file_format, kind in ((MODEL, TrainedModel), (PLACED, PlacedNetwork)):
            if format_of(source) == file_format:
                return kind.load(source)
        return TrainedNetwork.load(source)
