"""What the experiments say on the claims of NeuroFabric: the bed, deep linear cascades and other layers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from reports.studies.neurofabric_2020.charts import bed_chart, cascades_chart, task_chart
from reports.studies.neurofabric_2020.pairs import Pair, of_layers, pairs_of
from reports.studies.topologies.accuracy import Group, accuracy_table
from reports.studies.topologies.bed.runs import RATES as BED_RATES, SEEDS, TUNING
from reports.studies.topologies.bed.view import (
    FEWEST_STAGES,
    BedLayerView,
    BedView,
    bed_views,
    rank_measures,
)
from reports.studies.topologies.cascade_runs import (
    FAN_IN,
    RATES,
    STEPS,
    TOPOLOGIES,
    WIDTH,
    CascadeRun,
    of_init,
)
from reports.studies.topologies.compared import error_of_difference, seed_deviation, with_error
from reports.studies.topologies.experiments import Experiments
from reports.studies.topologies.growing_view import grown, grown_table
from reports.studies.topologies.plan import CASCADES, DENSE, OTHER_LAYERS, OTHER_MODELS
from reports.studies.topologies.ranking import Ranking
from reports.tables import Cell
from reports.write_up.claims import SeedRule, judge_cases, judge_losses
from reports.write_up.study_page import Findings
from reports.write_up.verdicts import Verdict

STARTS = {"Glorot": "glorot", "sparse Glorot": "sparse-glorot"}
TASK = {"constraints drawn": "solved", "their bound": "bound", "degrees of freedom": "freedom"}
"""What is held against the entries that a layer meets, by the field that holds it."""
RATERS = {"bound on constraints": "score", "entries met": "met", "L2 error, the least first": "error"}
"""What is held against accuracy."""
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
Starts = Mapping[str, Mapping[str, Mapping[int, Sequence[CascadeRun]]]]
"""Runs by topology, start and depth."""
EQUAL_DEPTH = "equal depth"
CUTS = {"all": 1, f"from {FEWEST_STAGES} stages on": FEWEST_STAGES}


def findings(experiments: Experiments, content: Mapping[str, Any]) -> Findings:
    """What the page reads. `content` is the study's data file."""
    compared, rule = content["compared"], content["rule"]
    others = Group.among(experiments.runs, OTHER_LAYERS)
    every = bed_views(experiments.bed, experiments.measures)
    views = [view for view in every if view.ranked]
    starts = {
        topology: {shown: of_init(experiments.cascades, init, topology) for shown, init in STARTS.items()}
        for topology in TOPOLOGIES
    }
    pairs = {name: list(pairs_of(every, compared[name])) for name in compared if name != "clos"}
    figures: dict[str, Any] = {
        "every": every,
        "views": views,
        "others": others,
        "bed": {"seeds": len(SEEDS), "tuning": len(TUNING), "rates": BED_RATES, "cuts": CUTS},
        "cascade": {"width": WIDTH, "fan_in": FAN_IN, "steps": STEPS, "rates": RATES},
        "cascade_seeds": len({run.seed for run in experiments.cascades}),
        "deepest": max(run.depth for run in experiments.cascades),
        "starts": {
            topology: {start: _start(runs, rule["trained_from"]) for start, runs in of_start.items()}
            for topology, of_start in starts.items()
        },
        "pairs": pairs,
        "untrained": {name: of_layers(of_name) for name, of_name in pairs.items()},
        "apart_from": _errors_apart(len(pairs["look_alikes"]), rule["family_error"]),
        "task": _task([*views[0].ranked, *views[0].apart]),
        "task_with_skips": _task([*views[0].ranked, *views[0].apart, *_skipped(views[0])]),
        "drawn_short": _drawn_short(views[0]),
        "predictions": [_predictions(view) for view in views],
        "clos": [_clos_standing(view, compared["clos"], SeedRule(rule["significant"])) for view in views],
        "skipped_clos": next(pair for pair in pairs["skips"] if pair.base.label.startswith("clos")),
        "locality": [_locality(view, rule["family_error"]) for view in views if view.bed.natural],
        "grown": grown(experiments.growing),
        "served": (served := [_served(others, label) for label in OTHER_MODELS]),
        "convolved": _convolved(served[0]),
    }
    return Findings(
        figures=figures | {"verdicts": _verdicts(figures, rule)},
        filters={"with_error": with_error, "power": _power},
        rows=_rows(figures, starts)
        | {"other-layers": accuracy_table(others.networks), "densified": grown_table(figures["grown"])},
        charts={
            "cascades": cascades_chart(starts),
            "bed": bed_chart(views),
            "task": task_chart(views[0].layers.values()),
        },
        assumptions=(),
        plain={
            "bed": [_plain(view) for view in every],
            "measures": [asdict(one) for one in experiments.measures],
            "cascades": [asdict(one) for one in experiments.cascades],
            "others": [one.plain() for one in others.networks],
        },
    )


def _verdicts(figures: Mapping[str, Any], rule: Mapping[str, Any]) -> dict[str, Verdict]:
    """The verdict on each claim, by the name that it has in the data file."""
    pairs, starts, views = figures["pairs"], figures["starts"], figures["views"]
    seeds, less, apart = SeedRule(rule["significant"]), rule["less_by"], figures["apart_from"]
    clos, ideal = figures["skipped_clos"], rule["ideal_efficiency"]
    untrained = figures["untrained"]
    drawn = [figures[layers]["constraints drawn"] for layers in ("task", "task_with_skips")]
    cases = {
        "initialisation": [
            holds
            for start in starts.values()
            for holds in (not start["sparse Glorot"]["lost"], figures["deepest"] in start["Glorot"]["lost"])
        ],
        "look_alikes": [abs(pair.errors_apart) > apart for pair in pairs["look_alikes"]],
        "depth": [pair.raised < -less for pair in untrained["depth"]]
        + [-pair.errors_apart > seeds.significant for pair in pairs["depth"]],
        "skips": [raised > less for pair in untrained["skips"] for raised in (pair.raised, pair.met_raised)],
        "butterflies": [-pair.errors_apart > seeds.significant for pair in pairs["butterflies"]],
        "clos": [*(of_weight >= ideal for of_weight in clos.reached), clos.changed.measures.least_paths > 1],
        "best": [holds for one in figures["clos"] for holds in (one["place"] == 1, not one["ahead"])],
        "fourth_stage": [pair.errors_apart <= seeds.significant for pair in pairs["stages"]],
    }
    losses = [dense.mean - cascades.mean for cascades, dense in (pair.networks for pair in figures["served"])]
    ranked = [one["bound on constraints"]["all"] for one in figures["predictions"]]
    return {claim: judge_cases(of_claim) for claim, of_claim in cases.items()} | {
        "heuristic": _judge_ranks(drawn, rule),
        "predicts": _judge_ranks(ranked, rule) if len(ranked) == len(views) else Verdict.NOT_TESTABLE,
        "layers": judge_losses(losses, rule["serves_within_points"] / 100),
    }


def _judge_ranks(rankings: Sequence[Ranking | None], rule: Mapping[str, Any]) -> Verdict:
    """A measure ranks topologies where every correlation is high enough, partly where each is some way up."""
    found = [ranking.correlation for ranking in rankings if ranking is not None]
    if len(found) < len(rankings):
        return Verdict.NOT_TESTABLE
    if min(found) >= rule["ranks_from"]:
        return Verdict.HELD
    return Verdict.PARTLY if statistics.fmean(found) >= rule["ranks_partly_from"] else Verdict.FAILED


def _errors_apart(pairs: int, family_error: float) -> float:
    """From how many standard errors on a pair is told apart, so that of so many pairs that do not differ any
    is told apart with this chance at most (Bonferroni's correction, two sides)."""
    return statistics.NormalDist().inv_cdf(1 - family_error / (2 * pairs)) if pairs else math.inf


# The bed.


def _skipped(view: BedView) -> list[BedLayerView]:
    """The layers with skips, which store as many weights as the ranked ones."""
    flagged = {layer.label for layer in view.bed.layers if any(layer.flags)}
    return [one for label, one in view.layers.items() if label in flagged]


def _task(layers: Sequence[BedLayerView]) -> dict[str, Ranking | None]:
    """How each count ranks how many entries of a random matrix are met, over layers of equal weights."""
    return {name: rank_measures(layers, field, "met") for name, field in TASK.items()}


def _drawn_short(view: BedView) -> float:
    """The largest share of the bound that a drawing falls short of it."""
    measured = [one.measures for one in view.layers.values()]
    return max((1 - one.solved / one.bound for one in measured if one.solved is not None), default=0.0)


def _predictions(view: BedView) -> dict[str, Any]:
    """How each rater ranks accuracies: over all layers that join all pairs, over a second cut of them, and
    among layers of equal depth."""
    return {"view": view} | {
        name: {cut: view.ranking(field, fewest_stages=fewest) for cut, fewest in CUTS.items()}
        | {EQUAL_DEPTH: view.ranking(field, equal_depth=True)}
        for name, field in RATERS.items()
    }


def _clos_standing(view: BedView, labels: Mapping[int, str], rule: SeedRule) -> dict[str, Any]:
    """Where the Clos layer stands in a bed, and which layers are ahead of it by the rule."""
    label = labels[view.bed.places]
    places = [one.label for one in view.ranked]
    ahead = [one.label for one in view.ranked if view.errors_apart(one.label, label) > rule.significant]
    return {
        "view": view,
        "label": label,
        "place": places.index(label) + 1,
        "of": len(places),
        "ahead": ahead,
    }


def _locality(view: BedView, family_error: float) -> dict[str, Any]:
    """What the natural order of the pixels is worth to the layer that gains least and to the one that gains
    most, with the error of that, and which layers it moves by more than chance moves any of so many."""
    tried = sorted((one for one in view.ranked if one.natural), key=lambda one: one.gain_of_order or 0.0)
    natural = [one.natural for one in tried if one.natural]
    deviation = seed_deviation([*natural, *(one.permuted for one in tried)])
    error = error_of_difference(natural[0], tried[0].permuted, deviation)
    apart = _errors_apart(len(tried), family_error) * error
    return {
        "view": view,
        "least": tried[0],
        "most": tried[-1],
        "error": error,
        "seeds": len(natural[0].accuracies),
        "moved": [one.label for one in tried if abs(one.gain_of_order or 0.0) > apart],
    }


def _plain(view: BedView) -> dict[str, Any]:
    return {
        "places": view.bed.places,
        "images": view.images,
        "weights": view.bed.weights,
        "layers": [
            {
                "label": one.label,
                "rate": one.permuted.rate,
                "accuracies": list(one.permuted.accuracies),
                "accuracies_in_natural_order": list(one.natural.accuracies) if one.natural else [],
            }
            for one in view.layers.values()
        ],
    }


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


def _convolved(group: Group) -> dict[str, float]:
    """What convolutions hold of the weights of the dense network, and how many times fewer cascades store."""
    recipe = group.networks[0].runs[0].cell.recipe
    mixings = [each.mixing for each in recipe.geometry()]
    dense = sum(each.dense_weights for each in mixings)
    return {
        "share": dense / recipe.dense_weights,
        "fewer": dense / sum(each.stored_weights for each in mixings),
    }


# The tables.


def _rows(figures: Mapping[str, Any], starts: Starts) -> dict[str, Any]:
    return {
        "cascades": [
            _cascade_row(start, of_start[start][depth])
            for of_start in starts.values()
            for depth in sorted(of_start["Glorot"])
            for start in of_start
        ],
        "predictions": [row for predicted in figures["predictions"] for row in _prediction_rows(predicted)],
        **{
            f"bed-{view.key}": [_layer_row(view, one) for one in (*view.ranked, *view.apart)]
            for view in figures["views"]
        },
        **{
            name: [_pair_row(pair) for pair in figures["pairs"][name]]
            for name in ("skips", "depth", "butterflies", "look_alikes", "stages")
        },
    }


def _cascade_row(start: str, runs: Sequence[CascadeRun]) -> tuple[Any, ...]:
    accuracies = [one.accuracy for one in runs]
    measured = statistics.fmean(one.measured_signal for one in runs)
    first = runs[0]
    energies = (first.signal, measured, first.gradient)
    return (
        first.topology,
        first.depth,
        start,
        *energies,
        statistics.fmean(accuracies),
        min(accuracies),
        first.rate,
    )


def _prediction_rows(predicted: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    view = predicted["view"]
    for name in RATERS:
        shown = [_correlation(ranking) for ranking in predicted[name].values()]
        if any(shown):
            yield (view.where, name, *shown)


def _correlation(ranking: Ranking | None) -> str | None:
    if ranking is None:
        return None
    low, high = (f"{end:+.2f}" for end in (ranking.low, ranking.high))
    return f"{ranking.correlation:+.2f} ({low} to {high})".replace("-", "−")


def _layer_row(view: BedView, one: BedLayerView) -> tuple[Any, ...]:
    measures, reached = one.measures, one.permuted
    accuracy = Cell(reached.mean, f"{reached.mean * 100:.2f} %")
    error = Cell(reached.standard_error, f"{reached.standard_error * 100:.2f}")
    natural = [None if one.natural is None else one.natural.mean] if view.bed.natural else []
    paths = (measures.pairs, measures.least_paths, measures.most_paths)
    counts = [measures.a_weight(name) for name in ("solved", "met")] + [measures.error]
    measured = counts if view.is_measured else []
    row = (one.label, accuracy, error, *natural, measures.stages, *paths, measures.score, *measured)
    return (*row, reached.rate)


def _pair_row(pair: Pair) -> tuple[Any, ...]:
    accuracies = (Cell(one.permuted.mean, with_error(one.permuted)) for one in (pair.base, pair.changed))
    gain = Cell(pair.gain, pair.shown_gain)
    return (pair.view.where, pair.base.label, pair.changed.label, *accuracies, gain, *pair.efficiencies)


def _power(value: float) -> str:
    """A number, or the power of ten next to one that is very small or large."""
    if 0.01 <= value < 100:
        return f"{value:.2f}"
    return "10" + f"{math.log10(value):.0f}".translate(RAISED)
