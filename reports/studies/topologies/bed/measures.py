"""What can be said of a layer of the bed without data: paths, what bounds and counts its constraints, and how
near it comes to random matrices.

`data/bed_measures.csv` holds a line a layer. What takes minutes at more places is measured at up to
`MOST_MEASURED`: the drawing, the degrees of freedom and the decompositions.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tqdm import tqdm

from archsim.store import remembered
from reports.studies.topologies.bed.bed import Bed, BedLayer
from reports.studies.topologies.files import records_of

FILE = "bed_measures.csv"
KIND = "bed-measures"
MEASURES_VERSION = 1
"""Raised whenever a measure gives another figure for the same layer: what was remembered is then stale."""
MOST_MEASURED = 64
TARGETS = (0, 1)
"""The seeds of the random matrices that a layer is decomposed to."""
ITERATIONS = 3000


@dataclass(frozen=True)
class BedMeasures:
    """The measures of a layer.

    `pairs` is the share of inputs and outputs that a path joins, and paths are counted from an input to an
    output. `bound` is what no drawing of constraints exceeds, `solved` what one solves, `freedom` the degrees
    of freedom. `met` is how many entries of a random matrix are met exactly under L1, and `error` the
    relative L2 error, both in the mean over the targets. None is what was not measured at this size.
    """

    places: int
    label: str
    weights: int
    stages: int
    pairs: float
    least_paths: int
    most_paths: int
    bound: int
    solved: int | None
    freedom: int | None
    met: float | None
    error: float | None

    @property
    def is_connected(self) -> bool:
        """Whether every output depends on every input."""
        return self.pairs == 1

    @property
    def score(self) -> float:
        """The bound on constraints for each weight."""
        return self.bound / self.weights

    def a_weight(self, name: str) -> float | None:
        """A count for each weight."""
        count: float | None = getattr(self, name)
        return None if count is None else count / self.weights


def measure_beds(given: Sequence[Bed], *, progress: bool = True) -> list[BedMeasures]:
    """The measures of all layers, where they are not remembered."""
    layers = [layer for bed in given for layer in bed.layers]
    measured = []
    for layer in tqdm(layers, desc="layers", unit="layer", disable=not progress):
        settings = {"version": MEASURES_VERSION, "targets": TARGETS, "iterations": ITERATIONS}
        values = remembered(KIND, settings | layer.content, partial(_measured, layer))
        measured.append(BedMeasures(layer.places, layer.label, **values))
    return measured


def counted(layer: BedLayer) -> dict[str, Any]:
    """What is counted without a search: weights, stages, paths and the bound."""
    from workloads.measures.constraints import most_constraints
    from workloads.topology.paths import path_statistics, reachable

    stages = layer.stages
    flags = layer.flags or (False,) * len(stages)
    paths = path_statistics(stages, flags)
    return {
        "weights": layer.weights,
        "stages": len(stages),
        "pairs": round(float(reachable(stages, flags).mean()), 4),
        "least_paths": int(paths.least),
        "most_paths": int(paths.most),
        "bound": most_constraints(stages, flags),
    }


def _measured(layer: BedLayer) -> dict[str, Any]:
    from workloads.measures.constraints import constraint_score
    from workloads.measures.decomposition import decompose, random_target
    from workloads.measures.degrees_of_freedom import degrees_of_freedom

    if layer.places > MOST_MEASURED:
        return counted(layer) | dict.fromkeys(("solved", "freedom", "met", "error"))
    stages, flags = layer.stages, layer.flags
    targets = [random_target(layer.places, layer.places, seed) for seed in TARGETS]
    common: dict[str, Any] = {"skips": flags, "iterations": ITERATIONS}
    met = [decompose(stages, target, loss="l1", **common).met for target in targets]
    errors = [decompose(stages, target, loss="l2", **common).relative_error for target in targets]
    return counted(layer) | {
        "solved": constraint_score(stages, flags).solved,
        "freedom": degrees_of_freedom(stages, flags),
        "met": statistics.fmean(met),
        "error": round(statistics.fmean(errors), 5),
    }


def shipped_measures() -> list[BedMeasures]:
    """The measures that come with the package."""
    return records_of(FILE, BedMeasures)
