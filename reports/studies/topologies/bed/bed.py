"""The bed on which topologies are compared: which layers, of how many places, on which images.

`bed.yaml` says what a bed is and what was fixed before anything was trained on it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.studies.topologies.trainings import Images
from workloads.families import build_layer
from workloads.stages import Stage
from workloads.strict_yaml import parse_yaml
from workloads.topology.topology import Topology

PLAN = Path(__file__).with_suffix(".yaml")
PERMUTED, NATURAL = "permuted", "natural"
"""The orders of pixels: drawn anew for each seed, and as they come."""


@dataclass(frozen=True, eq=False)
class BedLayer:
    """A square layer of a bed: `places` wide, its cascade made of the `parts` one after the other, each a
    family with its parameters. One that is not `ranked` is compared in pairs only."""

    places: int
    label: str
    parts: tuple[Mapping[str, Any], ...]
    skips: bool
    ranked: bool

    @functools.cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The cascade."""
        parts = [dict(part) for part in self.parts]
        cascades = (build_layer(part.pop("family"), self.places, self.places, **part) for part in parts)
        return tuple(stage for cascade in cascades for stage in cascade)

    @property
    def flags(self) -> tuple[bool, ...]:
        """A flag a stage, or nothing where none is skipped."""
        return tuple(True for _ in self.stages) if self.skips else ()

    @property
    def weights(self) -> int:
        return sum(stage.stored_weights for stage in self.stages)

    @functools.cached_property
    def is_connected(self) -> bool:
        """Whether every output depends on every input."""
        return Topology((self.stages,), self.flags).is_fully_connected()

    @property
    def content(self) -> dict[str, Any]:
        """What decides its figures, as plain values."""
        return {
            "places": self.places,
            "parts": [dict(part) for part in self.parts],
            "skips": self.skips,
        }


@dataclass(frozen=True, eq=False)
class Bed:
    """Layers of so many places and so many weights, and the images that they see for so many epochs, with
    their pixels permuted and, if `natural`, as they come too."""

    places: int
    weights: int
    images: tuple[Images, ...]
    epochs: int
    layers: tuple[BedLayer, ...]
    natural: bool = False

    @property
    def orders(self) -> tuple[str, ...]:
        """The orders of pixels in which all seeds are trained."""
        return (PERMUTED, NATURAL) if self.natural else (PERMUTED,)


@functools.cache
def beds() -> tuple[Bed, ...]:
    """All of them, the narrowest first."""
    return tuple(_bed(given) for given in parse_yaml(PLAN.read_text(encoding="utf-8"), PLAN.name))


def _bed(given: Mapping[str, Any]) -> Bed:
    places = given["places"]
    layers = [
        BedLayer(places, one["label"], tuple(one["parts"]), bool(one.get("skips")), name == "layers")
        for name in ("layers", "beside")
        for one in given.get(name, ())
    ]
    natural = bool(given.get("natural"))
    return Bed(places, given["weights"], tuple(given["images"]), given["epochs"], tuple(layers), natural)
