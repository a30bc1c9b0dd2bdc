"""The formats that a network can be read from, by name, and which of them a file is of."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from workloads.importers.zoo import networks
from workloads.register import Register
from workloads.topology.network import NetworkFileError, TrainedNetwork


class Importer(Protocol):
    """One format of files. It is made without arguments."""

    def recognises(self, path: Path) -> bool:
        """Whether this file, which exists, is of the format: by its name, or by how it begins."""

    def load(self, path: Path) -> TrainedNetwork:
        """The network of a file of the format; a `NetworkFileError` says what is wrong with it."""


importers: Register[type[Importer]] = Register(
    "format", "workloads.importers", group="archsim.importers", error=NetworkFileError
)
"""Every format there is: a file of this folder, or a module that an installed package announces."""


def load_network(name_or_path: str | Path) -> TrainedNetwork:
    """A network of the zoo by name, or any network by the path of its file, in a format that is known."""
    if str(name_or_path) in networks:
        return networks[str(name_or_path)]
    path = Path(name_or_path)
    if not path.exists():
        raise NetworkFileError.of("network", str(name_or_path), [*networks, "the path of a file"])
    for importer in (kind() for kind in importers.values()):
        if importer.recognises(path):
            return importer.load(path)
    raise NetworkFileError.of("file", str(path), f"those of a format that is known: {', '.join(importers)}")
