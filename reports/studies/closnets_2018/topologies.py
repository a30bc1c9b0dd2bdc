"""What can be counted of the layers that ClosNets is about: stages, connectivity, paths, indices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reports.studies.topologies.runs import Trained

HARDWARE_NETWORK = "lenet-300-100-clos"


@dataclass(frozen=True)
class Counted:
    """The first layer of a network: its stages, whether every output depends on every input, and the paths
    from an input to an output. `connected` is of all layers."""

    network: Trained
    stages: int
    connected: bool
    least_paths: float
    mean_paths: float
    most_paths: float


def count(network: Trained) -> Counted:
    """The counts of a network."""
    from workloads.topology.paths import path_statistics

    topology = network.runs[0].cell.recipe.topology()
    first = topology.layers[0]
    paths = path_statistics(first, topology.skipped[: len(first)])
    return Counted(
        network=network,
        stages=len(first),
        connected=topology.is_fully_connected(),
        least_paths=paths.least,
        mean_paths=paths.mean,
        most_paths=paths.most,
    )


def count_all(networks: Iterable[Trained], *, but: Iterable[str]) -> list[Counted]:
    """The counts of all networks but those of these labels."""
    left_out = set(but)
    return [count(each) for each in networks if each.label not in left_out]


def index_bits() -> tuple[int, int]:
    """Bits of indices that the hardware stores for a Clos network, and for a pruned one of equal weights."""
    from archsim import Clos, DesignPoint, Pruned

    def stored(network: str, engine: Clos | Pruned) -> int:
        point = DesignPoint(network=network, engine=engine, clock_hz=100e6, technology="cmos65")
        return int(point.simulate("analytic").stored_bits.index)

    pruned = HARDWARE_NETWORK.replace("clos", "pruned")
    return stored(HARDWARE_NETWORK, Clos(pes=16)), stored(pruned, Pruned(pes=16, gather="banked"))
