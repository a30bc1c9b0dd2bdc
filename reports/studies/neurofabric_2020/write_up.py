"""Puts the reproduction of NeuroFabric together: cascades, topologies, skips, and the claims."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from reports import formatting as f
from reports.claims import Claim, SeedRule
from reports.report import Assumption, Report, Section
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
from reports.tables import Cell, Column, Table

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
    rows = []
    for depth in found.depths():
        for init in STARTS:
            at = found.at_depth(init, depth)
            accuracies = [one.accuracy for one in at]
            measured = statistics.fmean(one.measured_signal for one in at)
            line = (at[0].signal, measured, at[0].gradient, statistics.fmean(accuracies), min(accuracies))
            rows.append((depth, STARTS_SHOWN[init], *line, at[0].rate))
    table = Table(
        "Deep linear cascades with a read-out",
        (
            Column("stages", "count"),
            "start",
            Column("signal, expected", "plain", 3),
            Column("signal, measured", "plain", 3),
            Column("gradient, expected", "plain", 3),
            Column("accuracy", "share"),
            Column("worst seed", "share"),
            Column("peak rate", "plain"),
        ),
        rows,
        name="cascades",
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


def _topology_table(found: Findings, budget: int) -> Table:
    order = sorted((each for each in found.measured() if each.budget == budget), key=lambda one: -one.mean)
    weights = budget - READ_OUT
    marks = [found.trained(PRUNED, budget), next(each for each in found.square if each.label == DENSE)]
    rows = []
    for one in order:
        measures = found.measures(one.label, budget)
        deviation = Cell(one.standard_error, f"{one.standard_error * 100:.2f}")
        line = (measures.weights, measures.stages, measures.least_paths, measures.most_paths)
        rows.append(
            (
                one.label,
                Cell(one.mean, f"{one.mean * 100:.2f} %"),
                deviation,
                *line,
                measures.efficiency,
                measures.free_share,
            )
        )
    counts = ("weights", "stages", "fewest paths", "most paths")
    return Table(
        f"Hidden layers of {f.count(weights)} weights, the best first",
        (
            "topology",
            Column("accuracy", "share"),
            Column("± points", "share"),
            *(Column(heading, "count") for heading in counts),
            Column("constraints", "number", 2),
            Column("degrees of freedom", "number", 2),
        ),
        rows,
        name=f"topologies-{weights}",
        note="Beside them: " + "; ".join(f"{one.label}, {with_error(one)}" for one in marks) + ".",
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


def _pairs_table(name: str, title: str, pairs: Sequence[Pair], found: Findings) -> Table:
    return Table(
        title,
        (
            *("from", "to", Column("weights", "count"), Column("accuracy", "share")),
            *(Column("accuracy then", "share"), Column("change", "share")),
            *(Column("constraints", "number", 2), Column("then", "number", 2)),
        ),
        (
            (
                pair.base.label,
                pair.changed.label,
                pair.changed_measures.weights,
                Cell(pair.base.mean, with_error(pair.base)),
                Cell(pair.changed.mean, with_error(pair.changed)),
                Cell(pair.gain, difference(pair.changed, pair.base, found.deviation)),
                pair.base_measures.efficiency,
                pair.changed_measures.efficiency,
            )
            for pair in pairs
        ),
        name=name,
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
