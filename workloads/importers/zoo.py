"""The zoo: trained networks that come with the package."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

from workloads.topology.network import TrainedNetwork

FOLDER = Path(__file__).parents[1] / "zoo"


class Zoo(Mapping[str, TrainedNetwork]):
    """The networks of a folder by name, each read when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, TrainedNetwork] = {}

    @functools.cached_property
    def _paths(self) -> dict[str, Path]:
        return dict(sorted((path.stem, path) for path in self.folder.glob("*.npz")))

    def __getitem__(self, name: str) -> TrainedNetwork:
        if name not in self._read:
            self._read[name] = TrainedNetwork.load(self._paths[name])
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __repr__(self) -> str:
        first, *_, last = self
        return f"<{len(self)} networks of the zoo, from {first} to {last}>"


networks = Zoo(FOLDER)
"""The networks that come with the package."""


def zoo_names() -> tuple[str, ...]:
    """The networks that come with the package, by name."""
    return tuple(networks)
