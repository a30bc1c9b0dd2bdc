"""What trained networks, and what can be counted of their layers, say on the claims of ClosNets."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports import formatting as f
from reports.studies.topologies.accuracy import Group, accuracy_chart, accuracy_table
from reports.studies.topologies.baselines import BASELINES, baseline_table
from reports.studies.topologies.bed.measures import BedMeasures
from reports.studies.topologies.bed.view import BedView, bed_views
from reports.studies.topologies.compared import with_error
from reports.studies.topologies.experiments import Experiments
from reports.studies.topologies.plan import (
    BOTTOM_UP,
    CONTIGUOUS,
    DENSE,
    FIRST_LAYER,
    LENET,
    LONG,
    NEAR,
    PRUNED,
    ZOO,
)
from reports.studies.topologies.runs import Trained
from reports.tables import Cell, Table
from reports.write_up.claims import SeedRule, judge_cases
from reports.write_up.study_page import Findings

CLOS = "clos"
CLOS_FORMS = (CLOS, CONTIGUOUS)
NOT_A_PRIORI = (DENSE, PRUNED, BOTTOM_UP)
"""What is not chosen before training, or is trained in another way."""
ABOUT_HALF = 0.45
"""Networks meet a compression only nearly."""
FEW_STAGES = 3
BELOW_MIDDLE = 0.02
HARDWARE_NETWORK = "lenet-300-100-{}"


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

    def plain(self) -> dict[str, Any]:
        """As plain values."""
        counts = {name: value for name, value in vars(self).items() if name != "network"}
        return {"family": self.network.label, "stored_weights": self.network.stored_weights} | counts


@dataclass(frozen=True)
class Standing:
    """Where the better of the two forms of Clos stands among so many families at a budget, and which of them
    are ahead of it by the rule."""

    clos: Trained
    place: int
    families: int
    ahead: tuple[str, ...]


def findings(experiments: Experiments, content: Mapping[str, Any]) -> Findings:
    """What the page reads. `content` is the study's data file."""
    short, long, zoo = (Group.among(experiments.runs, name) for name in (LENET, LONG, ZOO))
    others = Group.among(experiments.runs, BASELINES)
    views = bed_views(experiments.bed, experiments.measures)
    counted = [_count(network) for network in short.networks if network.label not in NOT_A_PRIORI]
    paths = sorted(counted, key=lambda one: (-one.network.budget, one.network.label))
    rule = SeedRule(content["rule"]["significant"])
    weights = _weights(long, short, content, rule)
    standings = {"short": list(_standings(short, rule)), "zoo": list(_standings(zoo, rule))}
    layers = _layers(counted, experiments.measures)
    cases = weights.pop("cases") | layers.pop("cases")
    cases["best"] = [not one.ahead for several in standings.values() for one in several]
    return Findings(
        figures={
            "short": short,
            "long": long,
            "zoo": zoo,
            "baselines": others,
            "groups": (short, long),
            "near": NEAR,
            "first_layer": FIRST_LAYER,
            "weights": weights,
            "layers": layers,
            "standings": standings,
            "verdicts": {claim: judge_cases(of_claim) for claim, of_claim in cases.items()},
            "clos_rows": [place for place, one in enumerate(paths) if one.network.label == CLOS],
        },
        filters={"with_error": with_error},
        rows={
            "accuracy": _by_budget(_shown(short)),
            "long": accuracy_table(sorted(long.networks, key=lambda one: one.compression)),
            "zoo": accuracy_table(
                sorted(zoo.networks, key=lambda one: (-one.budget, -one.validation)), validation=True
            ),
            "baselines": baseline_table(others.networks),
            "stages": list(_by_stages(views)),
            "paths": [tuple(one.plain().values()) for one in paths],
        },
        charts={"closnets-accuracy": _chart(short)},
        assumptions=(),
        plain={
            "networks": [one.plain() for group in (short, long, zoo) for one in group.networks],
            "paths": [one.plain() for one in counted],
        },
    )


def _by_stages(views: Sequence[BedView]) -> Iterator[tuple[Any, ...]]:
    """The Clos layers that a bed compares by their stages only, on each set of images."""
    for view in views:
        clos = [
            one for one in view.layers.values() if one.label.startswith(f"{CLOS}, ") and "stages" in one.label
        ]
        for one in sorted(clos, key=lambda one: (one.measures.weights, one.measures.stages)):
            reached = Cell(one.permuted.mean, with_error(one.permuted))
            yield (view.where, one.measures.weights, one.measures.stages, one.measures.most_paths, reached)


# The claims.


def _weights(long: Group, short: Group, content: Mapping[str, Any], rule: SeedRule) -> dict[str, Any]:
    """Which Clos networks lose nothing against dense ones. The claim holds where that of the claimed factor
    is one of them, and partly where it loses little, or half of the factor loses nothing."""
    factor, small = content["claims"]["weights"]["factor"], content["rule"]["partly_loss_points"] / 100
    clos, dense = long.labelled(CLOS), long.dense
    lossless = [
        one.compression for one in clos if one.mean >= dense.mean or not long.differ(one, dense, rule)
    ]
    claimed, quick = (
        min(some, key=lambda one: abs(one.compression - factor)) for some in (clos, short.labelled(CLOS))
    )
    at_half = any(compression >= ABOUT_HALF * factor for compression in lossless)
    cases = [claimed.compression in lossless, dense.mean - claimed.mean <= small or at_half]
    told = {"clos": clos, "claimed": claimed, "lossless": lossless, "quick": quick}
    return told | {"cases": {"weights": cases}}


def _standings(group: Group, rule: SeedRule) -> Iterator[Standing]:
    """At each budget, the largest first."""
    for budget in group.budgets(*CLOS_FORMS):
        networks = group.at(budget)
        clos = next(one for one in networks if one.label in CLOS_FORMS)
        rivals = [one for one in networks if one.label not in (*CLOS_FORMS, *NOT_A_PRIORI)]
        better = [one for one in rivals if one.mean > clos.mean]
        ahead = tuple(one.label for one in better if group.differ(one, clos, rule))
        yield Standing(clos, 1 + len(better), 1 + len(rivals), ahead)


def _layers(counted: Sequence[Counted], measures: Sequence[BedMeasures]) -> dict[str, Any]:
    """What can be counted of Clos layers and of others, and the indices that the hardware stores. Whether
    stages stay few is asked of square layers of the bed too, of every size."""
    sides = {one.places: math.isqrt(one.places) for one in measures}
    square = {
        one.places: one.stages
        for one in measures
        if one.label == f"{CLOS}, " + "-".join([str(sides[one.places])] * 3)
    }
    clos = [one for one in counted if one.network.label == CLOS]
    deepest, deepest_clos = (max(some, key=lambda one: one.stages) for some in (counted, clos))
    deeper = _labels(one for one in counted if one.stages > deepest_clos.stages)
    indices = [_index_bits(engine) for engine in ("clos", "pruned")]
    return {
        "clos": clos,
        "partial": _labels(one for one in counted if not one.connected),
        "single": _labels(one for one in counted if one.most_paths <= 1),
        "deeper": deeper,
        "deepest": deepest,
        "stages": deepest_clos.stages,
        "square": square,
        "indices": indices,
        "cases": {
            "connectivity": [one.connected for one in clos],
            "diversity": [one.least_paths > 1 for one in clos],
            "shallow": [
                bool(deeper) and stages <= FEW_STAGES for stages in (deepest_clos.stages, *square.values())
            ],
            "indices": [indices[0] == 0],
        },
    }


def _labels(counted: Iterable[Counted]) -> list[str]:
    return sorted({one.network.label for one in counted})


def _count(network: Trained) -> Counted:
    from workloads.topology.paths import path_statistics

    topology = network.runs[0].cell.recipe.topology()
    first = topology.layers[0]
    paths = path_statistics(first, topology.skipped[: len(first)])
    return Counted(network, len(first), topology.is_fully_connected(), paths.least, paths.mean, paths.most)


def _index_bits(family: str) -> int:
    """Bits of indices that the hardware stores for a network of the zoo."""
    from archsim import Clos, DesignPoint, Pruned

    engine = Clos(pes=16) if family == CLOS else Pruned(pes=16, gather="banked")
    point = DesignPoint(
        network=HARDWARE_NETWORK.format(family), engine=engine, clock_hz=100e6, technology="cmos65"
    )
    return int(point.simulate("analytic").stored_bits.index)


# The table and the chart of short training.


def _shown(short: Group) -> list[Trained]:
    return [one for one in short.networks if one.label not in (DENSE, BOTTOM_UP)]


def _by_budget(shown: Sequence[Trained]) -> Table:
    """A line a family and two columns a budget, the best at the first budget first. A dash where no member of
    the family comes near the budget."""
    near = {(one.label, one.budget): one for one in shown if abs(one.stored_weights / one.budget - 1) <= NEAR}
    budgets = sorted({one.budget for one in shown}, reverse=True)
    best = {label: -one.mean for (label, budget), one in near.items() if budget == budgets[0]}
    labels = sorted({one.label for one in shown}, key=lambda label: (best.get(label, 0.0), label))

    def line(label: str) -> Iterator[str]:
        yield label
        for budget in budgets:
            one = near.get((label, budget))
            yield from (with_error(one), f.count(one.stored_weights)) if one else ("—", "—")

    heads = (head for budget in budgets for head in (f"{f.count(budget)} weights asked", "stored"))
    return Table("", ("family", *heads), map(line, labels))


def _chart(short: Group) -> str:
    """It ends a little under the middle of the networks of the smallest budget."""
    shown, dense = _shown(short), short.dense
    smallest = min(one.budget for one in shown)
    middle = statistics.median(one.mean for one in shown if one.budget == smallest)
    levels = {f"dense, {with_error(dense)}": dense.mean}
    return accuracy_chart("closnets-accuracy", shown, levels=levels, lowest=middle - BELOW_MIDDLE)
