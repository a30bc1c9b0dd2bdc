"""Puts the reproduction of ClosNets together: accuracy against stored weights, paths, and the claims."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports import formatting as f
from reports.claims import Claim, SeedRule
from reports.report import Report, Section
from reports.studies.closnets_2018.claims import CLOS, LossRule, judge
from reports.studies.closnets_2018.topologies import Counted, count_all, index_bits
from reports.studies.topologies.accuracy import (
    accuracy_chart,
    accuracy_table,
    budget_table,
    difference,
    with_error,
)
from reports.studies.topologies.grounds import MEASURED_ONCE, chosen_here
from reports.studies.topologies.plan import (
    BOTTOM_UP,
    CONTIGUOUS,
    DENSE,
    LENET,
    LONG,
    NEAR,
    PRUNED,
    SQUARE,
    ZOO,
)
from reports.studies.topologies.runs import Run, Trained, networks, seed_deviation, trained_how
from reports.tables import Column, Table

NAME = "closnets-2018"
BELOW_MIDDLE = 0.02
CLAIM_HEADS = ("claim", "where", "against", "measured", "verdict", "beside it", "how it is counted")


def write_up(runs: Sequence[Run], content: Mapping[str, Any]) -> Report:
    """The report. `content` is the study's data file."""
    short, long, zoo, square = (networks(runs, group) for group in (LENET, LONG, ZOO, SQUARE))
    counted = count_all(short, but=(DENSE, PRUNED, BOTTOM_UP))
    seeds = SeedRule(content["rule"]["significant"])
    rule = LossRule(seeds, content["rule"]["partly_loss_points"] / 100)
    judged = tuple(judge(long, short, zoo, counted, index_bits(), content["claims"], rule))
    return Report(
        name=NAME,
        title="ClosNets: Clos layers chosen before training, against every other family",
        question=(
            "Does a layer of three sparse stages wired as a Clos network keep the accuracy of a dense one "
            "with a tenth of its weights, and do its topology and its paths set it apart?"
        ),
        setup=trained_how(short),
        citation=" ".join(content["citation"].split()),
        summary=tuple(_summary(short, long, zoo, judged)),
        sections=(
            _accuracy_section(short),
            _long_section(long),
            _zoo_section(zoo),
            _stages_section(square),
            Section(
                "Connectivity and paths",
                paragraphs=(
                    "Paths are counted from an input to an output of the first layer, over all pairs. Where "
                    "the least is 0, some output does not depend on some input.",
                ),
                tables=(_paths_table(counted),),
            ),
        ),
        claims=judged,
        rule=f"Rule: {rule}. A claim of several cases holds where all do, and partly where some do.",
        limits=(
            "The tables of the paper were not found; its claims are those of its abstract and text. Not "
            "known are: " + "; ".join(content["not_known"]) + ".",
            "The error of a mean is that of the seeds. All networks are judged on the same 10,000 images, "
            "whose choice adds about 0.15 points to every accuracy, much the same to each.",
            "But for the zoo's budgets shapes were chosen by rule, not by search: another of the same family "
            "may do better at a budget.",
            "One data set and one network; convolutions are not part of this page.",
        ),
        assumptions=chosen_here(short, long, square),
        designs={},
        command=f"archsim reproduce {NAME}",
        figures=_plain((*short, *long, *zoo), counted, judged),
        claim_heads=CLAIM_HEADS,
        grounds=MEASURED_ONCE,
    )


# Sections.


def _accuracy_section(short: Sequence[Trained]) -> Section:
    shown = [each for each in short if each.label not in (DENSE, BOTTOM_UP)]
    dense = next(each for each in short if each.label == DENSE)
    return Section(
        "Accuracy against stored weights",
        tables=(
            budget_table(
                "accuracy",
                f"LeNet-300-100 after {dense.epochs} epochs: test accuracy in %, mean ± standard error",
                shown,
                within=NEAR,
                note=(
                    f"The dense network, {f.count(dense.stored_weights)} weights: {with_error(dense)}. "
                    "Pruned is magnitude pruning while training, the only one whose pattern follows the "
                    f"data. A dash: no member of the family comes within {f.percent(NEAR, 0)} of the budget."
                ),
            ),
        ),
        charts=(
            accuracy_chart(
                "closnets-accuracy",
                shown,
                "Accuracy over stored weights, with standard errors over seeds. Every family trains the same "
                "way; the third layer, which stays dense, is counted. What lies below the picture is in the "
                "table.",
                lowest=_lowest(shown),
                levels={f"dense, {with_error(dense)}": dense.mean},
            ),
        ),
    )


def _lowest(shown: Sequence[Trained]) -> float:
    """Where the picture ends below: two points under the middle of the networks of the smallest budget."""
    smallest = min(each.budget for each in shown)
    return statistics.median(each.mean for each in shown if each.budget == smallest) - BELOW_MIDDLE


def _long_section(long: Sequence[Trained]) -> Section:
    dense = next(each for each in long if each.label == DENSE)
    deviation = seed_deviation(long)
    order = sorted(long, key=lambda each: each.compression)
    losses = "; ".join(
        f"{difference(each, dense, deviation)} at {each.compression:.1f}×"
        for each in order
        if each.label == CLOS
    )
    return Section(
        "Trained for longer",
        paragraphs=(
            f"A short training favours the network that learns fastest. After {dense.epochs} epochs with "
            f"random shifts of the images, the recipe of the zoo, Clos against dense is {losses}.",
        ),
        tables=(accuracy_table("long", f"After {dense.epochs} epochs with random shifts", order),),
    )


def _zoo_section(zoo: Sequence[Trained]) -> Section:
    order = sorted(zoo, key=lambda each: (-each.budget, -each.validation))
    deviation = seed_deviation(zoo)
    orders = []
    for budget in sorted({each.budget for each in zoo}, reverse=True):
        plain, contiguous = (
            next(each for each in zoo if (each.budget, each.label) == (budget, label))
            for label in (CLOS, CONTIGUOUS)
        )
        orders.append(f"{difference(contiguous, plain, deviation)} at {plain.compression:.1f}×")
    return Section(
        "At the budgets of the zoo",
        paragraphs=(
            f"Every family at the two budgets of the zoo, never above them, for {zoo[0].epochs} epochs with "
            "random shifts. Families are chosen by the images held out of training, on which a figure is "
            "uncertain by about 0.15 points; the test images have no part in it. Pruned starts from a dense "
            "network, at its own rate. The shapes of the Kronecker layers and deformable butterflies are the "
            "best of about twenty each that were tried with one seed, those of Clos and CSC are the zoo's, "
            "also the best of some; every other family has one shape, by rule, which is to its disadvantage.",
            "Clos layers whose blocks read neighbouring inputs, against interleaved ones of the same "
            f"topology: {'; '.join(orders)}. The order of the inputs is free in hardware, and no property "
            "of a graph shows it.",
        ),
        tables=(
            accuracy_table("zoo", f"After {zoo[0].epochs} epochs with random shifts", order, validation=True),
        ),
    )


def _stages_section(square: Sequence[Trained]) -> Section:
    chosen = [each for each in square if each.label.startswith(CLOS) and "square" not in each.label]
    order = sorted(chosen, key=lambda each: (each.budget, each.label))
    return Section(
        "Three, four and five stages",
        paragraphs=(
            "One hidden layer of 64 × 64 on MNIST of 8 × 8 pixels, where Clos layers of three and of four "
            "stages store exactly equal weights. A fourth stage is one more column of middle blocks; with "
            "five, every middle block is a Clos network itself. The dense read-out of 640 weights is "
            "counted.",
        ),
        tables=(accuracy_table("stages", "Clos layers by stages", order),),
    )


def _paths_table(counted: Sequence[Counted]) -> Table:
    order = sorted(counted, key=lambda one: (-one.network.budget, one.network.label))
    return Table(
        "The first layer, 784 × 300, of every network",
        (
            "family",
            Column("stored weights", "count"),
            Column("stages", "count"),
            Column("every layer connected", "yes or no"),
            Column("least", "number", 0),
            Column("mean", "number"),
            Column("most paths", "number", 0),
        ),
        (
            (
                *(one.network.label, one.network.stored_weights, one.stages, one.connected),
                *(one.least_paths, one.mean_paths, one.most_paths),
            )
            for one in order
        ),
        name="paths",
        marked=(place for place, one in enumerate(order) if one.network.label == CLOS),
    )


# Words.


def _summary(
    short: Sequence[Trained], long: Sequence[Trained], zoo: Sequence[Trained], judged: Sequence[Claim]
) -> Iterator[str]:
    for verdict in ("holds", "partly", "does not hold", "not testable here"):
        claims = [claim.claim for claim in judged if claim.verdict == verdict]
        if claims:
            yield f"{verdict[0].upper()}{verdict[1:]}: {'; '.join(claims)}."
    weights = judged[0]
    yield f"Clos against dense after {long[0].epochs} epochs: {weights.measured}."
    for budget in sorted({each.budget for each in short if each.label == CLOS}, reverse=True):
        of = sorted((each for each in short if each.budget == budget), key=lambda each: -each.mean)
        names = [f"{each.label} {with_error(each)}" for each in of[:4]]
        clos = next(each for each in of if each.label == CLOS)
        yield (
            f"Best after {clos.epochs} epochs at {f.count(budget)} weights: {', '.join(names)}; interleaved "
            f"Clos {with_error(clos)}, place {1 + of.index(clos)} of {len(of)}."
        )
    for budget in sorted({each.budget for each in zoo}, reverse=True):
        of = sorted((each for each in zoo if each.budget == budget), key=lambda each: -each.validation)
        names = [f"{each.label} {f.percent(each.validation, 2)}" for each in of[:4]]
        yield (
            f"Best on held-out images after {of[0].epochs} epochs with shifts at {f.count(budget)} weights: "
            f"{', '.join(names)}."
        )


def _plain(trained: Sequence[Trained], counted: Sequence[Counted], judged: Sequence[Claim]) -> dict[str, Any]:
    return {
        "study": NAME,
        "networks": [each.plain() for each in trained],
        "paths": [
            {
                "family": each.network.label,
                "stored_weights": each.network.stored_weights,
                "stages": each.stages,
                "connected": each.connected,
                "least_paths": each.least_paths,
                "mean_paths": each.mean_paths,
                "most_paths": each.most_paths,
            }
            for each in counted
        ],
        "claims": [vars(claim) for claim in judged],
    }
