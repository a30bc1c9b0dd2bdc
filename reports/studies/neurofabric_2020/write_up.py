"""Puts the reproduction of NeuroFabric together: cascades, topologies, skips, and the claims."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from reports import formatting as f
from reports.claims import Claim, SeedRule
from reports.report import Assumption, Report, ReportTable, Section
from reports.studies.neurofabric_2020.charts import STARTS, cascades_chart, efficiency_chart
from reports.studies.neurofabric_2020.claims import judge
from reports.studies.neurofabric_2020.findings import (
    FIRST,
    SECOND,
    STARTS_SHOWN,
    TRAINED_FROM,
    Findings,
    Pair,
)
from reports.studies.topologies.accuracy import accuracy_table, difference, with_error
from reports.studies.topologies.cascade_runs import FAN_IN, RATES, STEPS, WIDTH
from reports.studies.topologies.experiments import Experiments
from reports.studies.topologies.grounds import MEASURED_ONCE, chosen_here
from reports.studies.topologies.plan import DENSE, PRUNED, READ_OUT
from reports.studies.topologies.runs import trained_how

NAME = "neurofabric-2020"
CLAIM_HEADS = ("claim", "where", "against", "measured", "verdict", "beside it", "how it is counted")


def write_up(experiments: Experiments, content: Mapping[str, Any]) -> Report:
    """The report. `content` is the study's data file."""
    stated = content["rule"]
    seeds = SeedRule(stated["significant"])
    found = Findings(experiments, seeds)
    judged = tuple(judge(found, stated))
    return Report(
        name=NAME,
        title="NeuroFabric: which sparse topologies are worth training",
        question=(
            "Can a topology be judged before it is trained, do skip connections help it, and does a start "
            "that knows of its sparsity train it at any depth?"
        ),
        setup=(
            f"One hidden layer of {WIDTH} × {WIDTH} by the topology and a dense read-out, on MNIST shrunk to "
            f"8 × 8 pixels: a power of two, where every family has its own shape. {trained_how(found.square)}"
        ),
        citation=" ".join(content["citation"].split()),
        summary=tuple(_summary(found, judged)),
        sections=(
            _cascades_section(found),
            _topologies_section(found),
            _skips_section(found),
            _depth_section(found),
            _stages_section(found),
            _other_layers_section(found),
        ),
        claims=judged,
        rule=(
            f"Rule: {seeds}. A claim of several cases holds where all do, and partly where some do. A "
            f"measure ranks topologies from a Spearman correlation of {stated['ranks_from']:g}, partly from "
            f"{stated['ranks_partly_from']:g}. A start trains a depth where it reaches "
            f"{f.percent(TRAINED_FROM, 0)} of the accuracy of a single stage. A cascade serves another kind "
            f"of layer where it loses at most {stated['serves_within_points']:g} point against dense layers."
        ),
        limits=(
            "The paper's figures are curves without numbers; its claims are those of its text. Not known "
            "are: " + "; ".join(content["not_known"]) + ".",
            "The count of constraints is a greedy estimate from below, the best of a few random orders. A "
            "low count of a deep cascade may be the estimate's and not the topology's.",
            "One layer of 64 places on small images: differences between topologies at other sizes may be "
            "others. Random topologies are one draw each, trained with several seeds.",
            "The data-free decomposition task is not part of this page (archsim decompose).",
        ),
        assumptions=(
            Assumption(
                "deep linear cascades",
                f"{WIDTH} places, fan-in {FAN_IN}, {STEPS} steps, peak rates {RATES[0]:g} and {RATES[1]:g}",
                "Ours. The rate of the least loss at the end of training is taken for each start and depth",
            ),
            *chosen_here(found.square),
        ),
        designs={},
        command=f"archsim reproduce {NAME}",
        figures={
            "study": NAME,
            "networks": [each.plain() for each in found.square],
            "measures": [asdict(each) for each in experiments.measures],
            "cascades": [asdict(each) for each in experiments.cascades],
            "claims": [vars(claim) for claim in judged],
        },
        claim_heads=CLAIM_HEADS,
        grounds=MEASURED_ONCE,
    )


# Sections.


def _cascades_section(found: Findings) -> Section:
    rows, values = [], []
    for depth in found.depths():
        for init in STARTS:
            at = found.at_depth(init, depth)
            accuracies = [each.accuracy for each in at]
            measured = statistics.fmean(each.measured_signal for each in at)
            line = (at[0].signal, measured, at[0].gradient)
            label = STARTS_SHOWN[init]
            rows.append(
                (
                    str(depth),
                    label,
                    *(f"{value:.3g}" for value in line),
                    f.percent(statistics.fmean(accuracies), 2),
                    f.percent(min(accuracies), 2),
                    f"{at[0].rate:g}",
                )
            )
            values.append((depth, label, *line, statistics.fmean(accuracies), min(accuracies), at[0].rate))
    table = ReportTable(
        name="cascades",
        title="Deep linear cascades with a read-out",
        columns=(
            "stages",
            "start",
            "signal, expected",
            "signal, measured",
            "gradient, expected",
            "accuracy",
            "worst seed",
            "peak rate",
        ),
        rows=tuple(rows),
        values=tuple(values),
        words=2,
        note="Signal and gradient are energies behind all stages over those before them, at the start.",
    )
    return Section("Deep linear cascades", tables=(table,), charts=(cascades_chart(found),))


def _topologies_section(found: Findings) -> Section:
    paragraphs = (
        "Every layer of a table stores equal weights, or nearly so. Constraints are those that the colouring "
        "heuristic solves, degrees of freedom the generic rank of the Jacobian of the product with respect "
        "to the weights; both are shown for each weight, and neither sees data.",
        _ranking_words(found),
    )
    tables = tuple(_topology_table(found, budget) for budget in (FIRST, SECOND))
    return Section("Topologies", paragraphs, tables, (efficiency_chart(found),))


def _topology_table(found: Findings, budget: int) -> ReportTable:
    order = sorted((each for each in found.measured() if each.budget == budget), key=lambda one: -one.mean)
    weights = budget - READ_OUT
    marks = [found.trained(PRUNED, budget), next(each for each in found.square if each.label == DENSE)]
    rows, values = [], []
    for each in order:
        measures = found.measures(each.label, budget)
        line = (measures.weights, measures.stages, measures.least_paths, measures.most_paths)
        shares = (measures.efficiency, measures.free_share)
        values.append((each.label, each.mean, each.standard_error, *line, *shares))
        rows.append(
            (
                each.label,
                f"{each.mean * 100:.2f} %",
                f"{each.standard_error * 100:.2f}",
                *(f.count(value) for value in line),
                *(f"{value:.2f}" for value in shares),
            )
        )
    return ReportTable(
        name=f"topologies-{weights}",
        title=f"Hidden layers of {f.count(weights)} weights, the best first",
        columns=(
            "topology",
            "accuracy",
            "± points",
            "weights",
            "stages",
            "fewest paths",
            "most paths",
            "constraints",
            "degrees of freedom",
        ),
        rows=tuple(rows),
        values=tuple(values),
        note="Beside them: " + "; ".join(f"{each.label}, {with_error(each)}" for each in marks) + ".",
    )


def _ranking_words(found: Findings) -> str:
    texts = []
    ways = {"all layers": {}, "with skips too": {"skips": True}, "fully connected ones": {"connected": True}}
    for measure, name in (("efficiency", "constraints"), ("free_share", "degrees of freedom")):
        for way, chosen in ways.items():
            ranking = found.ranked(measure, **chosen)
            if ranking:
                texts.append(
                    f"{name}, {way}: {ranking.correlation:+.2f} ({ranking.low:+.2f} to {ranking.high:+.2f}; "
                    f"{ranking.topologies} layers)"
                )
    words = "; ".join(texts).replace("-0", "−0")
    best = found.ranked("efficiency")
    seeds = (
        ""
        if best is None or best.ceiling is None
        else (f" The accuracies of one seed rank those of the others at {best.ceiling:+.2f}.")
    )
    return f"Spearman's correlation with accuracy, inside a budget: {words or 'no order'}.{seeds}"


def _skips_section(found: Findings) -> Section:
    return Section(
        "Identity skip connections",
        paragraphs=(
            "A skip connection adds the inputs of a square stage to its outputs; it stores nothing.",
        ),
        tables=(_pairs_table("skips", "Without skips and with them", found.skips(), found),),
    )


def _depth_section(found: Findings) -> Section:
    return Section(
        "Depth, and butterflies",
        tables=(
            _pairs_table("depth", "From the shallowest to the deepest of each kind", found.deeper(), found),
            _pairs_table(
                "butterflies", "From a random cascade to a butterfly of its size", found.butterflies(), found
            ),
        ),
    )


def _pairs_table(name: str, title: str, pairs: Sequence[Pair], found: Findings) -> ReportTable:
    return ReportTable(
        name=name,
        title=title,
        columns=("from", "to", "weights", "accuracy", "accuracy then", "change", "constraints", "then"),
        rows=tuple(
            (
                pair.base.label,
                pair.changed.label,
                f.count(pair.changed_measures.weights),
                with_error(pair.base),
                with_error(pair.changed),
                difference(pair.changed, pair.base, found.deviation),
                f"{pair.base_measures.efficiency:.2f}",
                f"{pair.changed_measures.efficiency:.2f}",
            )
            for pair in pairs
        ),
        values=tuple(
            (
                pair.base.label,
                pair.changed.label,
                pair.changed_measures.weights,
                pair.base.mean,
                pair.changed.mean,
                pair.gain,
                pair.base_measures.efficiency,
                pair.changed_measures.efficiency,
            )
            for pair in pairs
        ),
        words=2,
    )


def _stages_section(found: Findings) -> Section:
    clos = sorted(
        (each for each in found.measured() if each.label.startswith("clos")),
        key=lambda each: (each.budget, each.label),
    )
    return Section("Clos by stages", tables=(accuracy_table("clos", "Every Clos layer", clos),))


def _other_layers_section(found: Findings) -> Section:
    return Section(
        "Convolutional and recurrent layers",
        paragraphs=(
            "The recipes cnn-mnist and rnn-mnist: cascades over the values under a kernel and over channels, "
            "and one between the states of a recurrent network, on MNIST as it is. Beside them the same "
            "networks with a dense matrix for every cascade, trained alike but for the rate of the dense "
            "recurrent one, which is lower, as it needs.",
        ),
        tables=(accuracy_table("other-layers", "Cascades and dense layers", found.others),),
    )


# Words.


def _summary(found: Findings, judged: Sequence[Claim]) -> Iterator[str]:
    for verdict in ("holds", "partly", "does not hold", "not testable here"):
        claims = [claim.claim for claim in judged if claim.verdict == verdict]
        if claims:
            yield f"{verdict[0].upper()}{verdict[1:]}: {'; '.join(claims)}."
    by_topic = {claim.topic: claim for claim in judged}
    yield f"Deep linear cascades: {by_topic['initialisation'].measured}."
    for budget in (FIRST, SECOND):
        order = sorted((e for e in found.measured() if e.budget == budget), key=lambda one: -one.mean)
        best, worst = order[0], order[-1]
        yield (
            f"At {f.count(budget - READ_OUT)} weights accuracy goes from {worst.label}, {with_error(worst)}, "
            f"to {best.label}, {with_error(best)}."
        )
    yield _ranking_words(found)
