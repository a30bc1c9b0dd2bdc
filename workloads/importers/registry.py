"""The formats that a network can be read from, by name, and which of them a file is of."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, TypeAlias

from workloads.importers.layers import Layers
from workloads.importers.zoo import networks
from workloads.register import Register
from workloads.topology.network import NetworkFileError, TrainedNetwork
from workloads.topology.placed import PlacedNetwork
from workloads.training.trained_model import TrainedModel

AnyNetwork: TypeAlias = TrainedNetwork | TrainedModel | PlacedNetwork
"""A network of our own: a multi-layer perceptron, a CNN or an RNN of a recipe, or one with places."""


class Importer(Protocol):
    """One format of files, or one kind of objects. It is made without arguments."""

    def recognises(self, source: Any) -> bool:
        """Whether this is of the format: the `Path` of a file that exists, by how it begins and not by its
        name alone, or an object. It neither raises nor imports a library that only its format needs."""

    def read(self, source: Any) -> AnyNetwork | Layers:
        """What a source of the format holds: a network of our own, or the layers of one from elsewhere. A
        `NetworkFileError` says in a sentence what is wrong with it, or which library is missing."""


importers: Register[type[Importer]] = Register(
    "format", "workloads.importers", group="archsim.importers", error=NetworkFileError
)
"""Every format there is: a file of this folder, or a module that an installed package announces."""


def load_network(name_or_path: str | Path) -> TrainedNetwork:
    """A multi-layer perceptron: one of the zoo by name, or any by the path of its file, in a format that is
    known."""
    network = read_network(name_or_path)
    if not isinstance(network, TrainedNetwork):
        raise NetworkFileError(
            f"file is {name_or_path}, {network!r}, allowed is a multi-layer perceptron, or `read_network`"
        )
    return network


def read_network(name_or_path: str | Path) -> AnyNetwork:
    """A network of the zoo by name, or any network by the path of its file, in a format that is known."""
    if str(name_or_path) in networks:
        return networks[str(name_or_path)]
    path = Path(name_or_path)
    if not path.exists():
        raise NetworkFileError.of("network", str(name_or_path), [*networks, "the path of a file"])
    for importer in (kind() for kind in importers.values()):
        if importer.recognises(path):
            network = importer.read(path)
            if not isinstance(network, Layers):
                return network
    raise NetworkFileError.of("file", str(path), f"those of a format that is known: {', '.join(importers)}")
