"""The project's own files: of trained networks, of trained CNNs and RNNs, and of networks with places."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from workloads.importers.registry import AnyNetwork, importers
from workloads.topology.archive import format_of
from workloads.topology.network import TrainedNetwork
from workloads.topology.placed import FORMAT as PLACED, PlacedNetwork
from workloads.training.trained_model import FORMAT as MODEL, TrainedModel


@importers.register("npz")
class Npz:
    """NumPy archives: by the end of their name, or by the metadata in them."""

    def recognises(self, source: Any) -> bool:
        if not isinstance(source, Path):
            return False
        if source.suffix == ".npz":
            return True
        if not zipfile.is_zipfile(source):
            return False
        with zipfile.ZipFile(source) as archive:
            return "metadata.npy" in archive.namelist()

    def read(self, source: Any) -> AnyNetwork:
        for file_format, kind in ((MODEL, TrainedModel), (PLACED, PlacedNetwork)):
            if format_of(source) == file_format:
                return kind.load(source)
        return TrainedNetwork.load(source)
