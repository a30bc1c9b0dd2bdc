"""Networks from files: one file here for each format, and the zoo of those that come with the package."""

from __future__ import annotations

from workloads.importers.registry import (
    AnyNetwork,
    Importer,
    import_network,
    importers,
    load_network,
    read_network,
)
from workloads.importers.zoo import Zoo, networks, zoo_names

__all__ = [
    "AnyNetwork",
    "Importer",
    "Zoo",
    "import_network",
    "importers",
    "load_network",
    "networks",
    "read_network",
    "zoo_names",
]
