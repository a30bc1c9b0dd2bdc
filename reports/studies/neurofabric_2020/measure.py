"""What the experiments say on the claims of NeuroFabric: square layers, deep linear cascades and others."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reports.studies.neurofabric_2020.charts import cascades_chart, efficiency_chart
from reports.studies.topologies.accuracy import Group, accuracy_table, with_error
from reports.studies.topologies.cascade_runs import FAN_IN, RATES, STEPS, WIDTH, CascadeRun, of_init
from reports.studies.topologies.experiments import Experiments
from reports.studies.topologies.measures import Measures
from reports.studies.topologies.plan import (
    CASCADES,
    DENSE,
    FIRST_LAYER,
    NEAR,
    OTHER_LAYERS,
    OTHER_MODELS,
    PRUNED,
    READ_OUT,
    SHAPES,
    SQUARE,
    WITH_SKIPS,
)
from reports.studies.topologies.ranking import Observation, Ranking, RankingError, rank_by
from reports.studies.topologies.runs import Trained
from reports.tables import Cell
from reports.write_up.claims import FactorRule, SeedRule, by_hand, judge_cases, judge_losses
from reports.write_up.study_page import Findings
from reports.write_up.verdicts import Verdict

STARTS = {"Glorot": "glorot", "sparse Glorot": "sparse-glorot"}
MEASURES = {"constraints": "efficiency", "degrees of freedom": "free_share"}


@dataclass(frozen=True)
class Layer:
    """A square layer: its network, and what can be measured of it without training."""

    network: Trained
    measures: Measures

    @property
    def label(self) -> str:
        return self.network.label

    @property
    def budget(self) -> int:
        """The weights that it was asked to store."""
        return self.network.budget - READ_OUT

    @property
    def has_skips(self) -> bool:
        return self.label.endswith(WITH_SKIPS)


@dataclass(frozen=True)
class Pair:
    """Two layers that differ in one thing."""

    base: Layer
    changed: Layer

    @property
    def gain(self) -> float:
        """What the change does to accuracy."""
        return self.changed.network.mean - self.base.network.mean

    @property
    def raised(self) -> float:
        """What the change does to parameter efficiency."""
        return self.changed.measures.efficiency - self.base.measures.efficiency


Layers = Mapping[tuple[str, int], Layer]
"""Layers by their label and their weights."""


def findings(experiments: Experiments, content: Mapping[str, Any]) -> Findings:
    """What the page reads. `content` is the study's data file."""
    compared, rule = content["compared"], content["rule"]
    square, others = (Group.among(experiments.runs, name) for name in (SQUARE, OTHER_LAYERS))
    layers = _layers(square, experiments.measures)
    starts = {shown: of_init(experiments.cascades, init) for shown, init in STARTS.items()}
    at = {weights: [one for one in layers.values() if one.budget == weights] for weights in SHAPES}
    figures = {
        "square": square,
        "groups": (square,),
        "near": NEAR,
        "first_layer": FIRST_LAYER,
        "cascade": {"width": WIDTH, "fan_in": FAN_IN, "steps": STEPS, "rates": RATES},
        "deepest": max(starts["Glorot"]),
        "starts": {start: _start(runs, rule["trained_from"]) for start, runs in starts.items()},
        "best_first": {
            weights: sorted(several, key=lambda layer: -layer.network.mean) for weights, several in at.items()
        },
        "pruned": {one.budget - READ_OUT: one for one in square.labelled(PRUNED)},
        "look_alikes": [_best_and_worst(layers, alike) for alike in compared["look_alikes"]],
        "pairs": _pairs(layers, compared, rule["ideal_efficiency"]),
        "rankings": _rankings([layer for several in at.values() for layer in several]),
        "served": [_served(others, label) for label in OTHER_MODELS],
    }
    return Findings(
        figures=figures | {"verdicts": _verdicts(figures, rule) | by_hand(content)},
        filters={"with_error": with_error, "power": _power},
        rows=_rows(figures, layers, starts) | {"other-layers": accuracy_table(others.networks)},
        charts={"cascades": cascades_chart(starts), "efficiency": efficiency_chart(_series(at))},
        assumptions=(),
        plain={
            "networks": [one.plain() for one in square.networks],
            "measures": [asdict(one) for one in experiments.measures],
            "cascades": [asdict(one) for one in experiments.cascades],
        },
    )


def _verdicts(figures: Mapping[str, Any], rule: Mapping[str, Any]) -> dict[str, Verdict]:
    """The verdict on each claim, by the name that it has in the data file."""
    square: Group = figures["square"]
    pairs, starts = figures["pairs"], figures["starts"]
    ranking = figures["rankings"]["constraints"]["all layers"]
    ranks = FactorRule(rule["ranks_from"], rule["ranks_partly_from"])
    seeds, less, ideal = SeedRule(rule["significant"]), rule["less_by"], rule["ideal_efficiency"]
    clos = pairs["clos"].changed.measures

    def differ(pair: Pair) -> bool:
        return square.differ(pair.changed.network, pair.base.network, seeds)

    cases = {
        "initialisation": [
            not starts["sparse Glorot"]["lost"],
            figures["deepest"] in starts["Glorot"]["lost"],
        ],
        "look_alikes": [square.differ(best, worst, seeds) for best, worst in figures["look_alikes"]],
        "depth": [pair.raised < -less for pair in pairs["depth"]],
        "skips": [pair.raised > less for pair in pairs["not ideal"]],
        "butterflies": [pair.gain < 0 and differ(pair) for pair in pairs["butterflies"][1:]],
        "clos": [clos.efficiency >= ideal, clos.least_paths > 1],
        "fourth_stage": [pair.gain <= 0 or not differ(pair) for pair in pairs["stages"]],
    }
    losses = [dense.mean - cascades.mean for cascades, dense in (pair.networks for pair in figures["served"])]
    return {claim: judge_cases(of_claim) for claim, of_claim in cases.items()} | {
        "heuristic": ranks.judge(ranking.correlation) if ranking else Verdict.NOT_TESTABLE,
        "layers": judge_losses(losses, rule["serves_within_points"] / 100),
    }


# Square layers.


def _layers(square: Group, measures: Sequence[Measures]) -> Layers:
    """The layers that were measured: all but the dense and the pruned ones."""
    networks = {(one.label, one.budget): one for one in square.networks}
    of_layer = {(one.label, one.budget): one for one in measures}
    return {
        (label, budget - READ_OUT): Layer(one, of_layer[label, budget])
        for (label, budget), one in networks.items()
        if (label, budget) in of_layer
    }


def _series(at: Mapping[int, Sequence[Layer]]) -> dict[str, list[tuple[Trained, Measures]]]:
    """The layers of so many weights, those with skip connections apart."""
    return {
        f"{weights:,} weights{WITH_SKIPS if skips else ''}": [
            (layer.network, layer.measures) for layer in layers if layer.has_skips == skips
        ]
        for weights, layers in at.items()
        for skips in (False, True)
    }


def _best_and_worst(layers: Layers, alike: Mapping[str, Any]) -> tuple[Trained, Trained]:
    networks = [layers[label, alike["weights"]].network for label in alike["labels"]]
    return max(networks, key=lambda one: one.mean), min(networks, key=lambda one: one.mean)


def _pairs(layers: Layers, compared: Mapping[str, Any], ideal: float) -> dict[str, Any]:
    """What is compared in pairs, and all layers of square stages without skips and with them."""
    pairs: dict[str, Any] = {
        name: [
            Pair(*(layers[one[end], one["weights"]] for end in ("base", "changed"))) for one in compared[name]
        ]
        for name in ("depth", "butterflies", "stages")
    }
    skips = [
        Pair(layers[label.removesuffix(WITH_SKIPS), weights], layer)
        for (label, weights), layer in layers.items()
        if layer.has_skips
    ]
    return pairs | {
        "skips": skips,
        "not ideal": [pair for pair in skips if pair.base.measures.efficiency < ideal],
        "clos": next(pair for pair in skips if pair.base.label == compared["clos"]),
    }


def _rankings(layers: Sequence[Layer]) -> dict[str, dict[str, Ranking | None]]:
    """How well each measure ranks the layers of equal weights; none where it has no order."""
    plain = [layer for layer in layers if not layer.has_skips]
    ways = {
        "all layers": plain,
        "with skips too": layers,
        "fully connected ones": [layer for layer in plain if layer.measures.is_connected],
    }
    return {
        name: {way: _ranking(several, measure) for way, several in ways.items()}
        for name, measure in MEASURES.items()
    }


def _ranking(layers: Sequence[Layer], measure: str) -> Ranking | None:
    try:
        return rank_by(
            [
                Observation(
                    layer.label, getattr(layer.measures, measure), layer.network.accuracies, str(layer.budget)
                )
                for layer in layers
            ]
        )
    except RankingError:
        return None


# Deep linear cascades, and other layers.


def _start(runs: Mapping[int, Sequence[CascadeRun]], trained_from: float) -> dict[str, Any]:
    """The depths that a start does not train, and what becomes of the deepest cascade."""
    accuracy = {depth: statistics.fmean(one.accuracy for one in runs[depth]) for depth in sorted(runs)}
    least = trained_from * accuracy[min(runs)]
    return {
        "accuracy": accuracy[max(runs)],
        "signal": runs[max(runs)][0].signal,
        "lost": [depth for depth, reached in accuracy.items() if reached < least],
    }


def _served(others: Group, label: str) -> Group:
    """A convolutional or recurrent network of cascades, and the same of dense layers."""
    networks = {one.label: one for one in others.networks}
    return Group(label, (networks[label + CASCADES], networks[f"{label}, {DENSE}"]))


# The tables.


def _rows(
    figures: Mapping[str, Any], layers: Layers, starts: Mapping[str, Mapping[int, Sequence[CascadeRun]]]
) -> dict[str, Any]:
    clos = [one.network for one in layers.values() if one.label.startswith("clos")]
    depths = sorted(starts["Glorot"])
    return {
        "cascades": [_cascade_row(start, starts[start][depth]) for depth in depths for start in starts],
        "clos": accuracy_table(sorted(clos, key=lambda one: (one.budget, one.label))),
        **{
            f"topologies-{weights}": map(_topology_row, several)
            for weights, several in figures["best_first"].items()
        },
        **{
            name: [_pair_row(pair, figures["square"]) for pair in figures["pairs"][name]]
            for name in ("skips", "depth", "butterflies")
        },
    }


def _cascade_row(start: str, runs: Sequence[CascadeRun]) -> tuple[Any, ...]:
    accuracies = [one.accuracy for one in runs]
    measured = statistics.fmean(one.measured_signal for one in runs)
    first = runs[0]
    energies = (first.signal, measured, first.gradient)
    return (first.depth, start, *energies, statistics.fmean(accuracies), min(accuracies), first.rate)


def _topology_row(layer: Layer) -> tuple[Any, ...]:
    one, measures = layer.network, layer.measures
    accuracy = Cell(one.mean, f"{one.mean * 100:.2f} %")
    error = Cell(one.standard_error, f"{one.standard_error * 100:.2f}")
    counts = (measures.weights, measures.stages, measures.least_paths, measures.most_paths)
    return (one.label, accuracy, error, *counts, measures.efficiency, measures.free_share)


def _pair_row(pair: Pair, square: Group) -> tuple[Any, ...]:
    base, changed = pair.base.network, pair.changed.network
    accuracies = (Cell(one.mean, with_error(one)) for one in (base, changed))
    gain = Cell(pair.gain, square.difference(changed, base))
    efficiencies = (pair.base.measures.efficiency, pair.changed.measures.efficiency)
    return (base.label, changed.label, pair.changed.measures.weights, *accuracies, gain, *efficiencies)


def _power(value: float) -> str:
    """A number, or the power of ten next to one that is very small or large."""
    return f"{value:.2f}" if 0.01 <= value < 100 else f"10^{math.log10(value):.0f}".replace("-", "−")
