"""What can be said of a topology without training it: paths, constraints solved, degrees of freedom.

`data/topology_measures.csv` holds a line for the hidden layer of every network of the *square*
group of the training plan, dense and pruned ones apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tqdm import tqdm

from archsim.store import remembered
from reports.studies.topologies.files import records_of
from reports.studies.topologies.plan import DENSE, PRUNED, SQUARE
from reports.studies.topologies.runs import Planned
from reports.studies.topologies.trainings import recipe_values

FILE = "topology_measures.csv"
MEASURES_VERSION = 2
"""Raised whenever a measure gives another figure for the same topology."""
KIND = "topology-measures"


@dataclass(frozen=True)
class Measures:
    """The measures of the hidden layer of a network, which `label` and `budget` name in its group.

    `solved` is the count of the colouring heuristic, an estimate from below; `freedom` the generic rank
    of the Jacobian of the product; paths are counted from an input to an output.
    """

    label: str
    budget: int
    weights: int
    stages: int
    least_paths: int
    most_paths: int
    solved: int
    freedom: int

    @property
    def efficiency(self) -> float:
        """Constraints solved for each weight."""
        return self.solved / self.weights

    @property
    def free_share(self) -> float:
        """Degrees of freedom for each weight."""
        return self.freedom / self.weights

    @property
    def is_connected(self) -> bool:
        """Whether every output depends on every input."""
        return self.least_paths > 0


def measure_all(planned: Sequence[Planned], *, progress: bool = True) -> list[Measures]:
    """The measures of all networks of the square group that are sparse from the start."""
    chosen = [
        network for network in planned if network.group == SQUARE and network.label not in (DENSE, PRUNED)
    ]
    measured = []
    for network in tqdm(chosen, desc="topologies", unit="topology", disable=not progress):
        layer = recipe_values(network.recipe)["layers"][0]
        content = {"version": MEASURES_VERSION, "inputs": network.recipe.inputs, "layer": layer}
        values = remembered(KIND, content, partial(_measured, network))
        measured.append(Measures(network.label, network.budget, **values))
    return measured


def _measured(planned: Planned) -> dict[str, int]:
    from workloads.measures.constraints import constraint_score
    from workloads.measures.degrees_of_freedom import degrees_of_freedom
    from workloads.topology.paths import path_statistics

    topology = planned.recipe.topology()
    stages = topology.layers[0]
    skips = topology.skipped[: len(stages)]
    paths = path_statistics(stages, skips)
    return {
        "weights": sum(stage.stored_weights for stage in stages),
        "stages": len(stages),
        "least_paths": int(paths.least),
        "most_paths": int(paths.most),
        "solved": constraint_score(stages, skips).solved,
        "freedom": degrees_of_freedom(stages, skips),
    }


def shipped_measures() -> list[Measures]:
    """The measures that come with the package."""
    return records_of(FILE, Measures)
