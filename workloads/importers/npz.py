"""The project's own files, which `TrainedNetwork.save` writes."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from workloads.importers.registry import importers
from workloads.topology.network import TrainedNetwork


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

    def read(self, source: Any) -> TrainedNetwork:
        return TrainedNetwork.load(source)
