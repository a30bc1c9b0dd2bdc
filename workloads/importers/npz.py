"""The project's own files, which `TrainedNetwork.save` writes."""

from __future__ import annotations

import zipfile
from pathlib import Path

from workloads.importers.registry import importers
from workloads.topology.network import TrainedNetwork


@importers.register("npz")
class Npz:
    """NumPy archives: by the end of their name, or by the metadata in them."""

    def recognises(self, path: Path) -> bool:
        if path.suffix == ".npz":
            return True
        if not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            return "metadata.npy" in archive.namelist()

    def load(self, path: Path) -> TrainedNetwork:
        return TrainedNetwork.load(path)
