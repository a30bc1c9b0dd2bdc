"""What trainings one sample at a time, and what is counted of an engine that trains, say on the claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archsim import DesignPoint
from reports.studies.closnets_fpl2018.accuracy import (
    Trainings,
    described,
    ways,
    widths_chart,
)
from reports.studies.closnets_fpl2018.built import DEFAULT_BITS, Part, built
from reports.studies.closnets_fpl2018.costs import StepCost, points
from reports.studies.closnets_fpl2018.equal_accuracy import SAMPLES, equal_accuracy, rows_of as equal_rows
from reports.studies.closnets_fpl2018.hardware import topology_of
from reports.studies.closnets_fpl2018.sized import Sized, best, cells, fabric
from reports.studies.closnets_fpl2018.walks import IN_ORDER, JUNCTIONS, PIPELINED, late, late_rows
from reports.studies.topologies.compared import with_error
from reports.studies.topologies.on_chip_courses import Look
from reports.studies.topologies.on_chip_runs import (
    BATCH,
    DENSE,
    ENTROPY,
    EPOCHS,
    FLOAT,
    MARGIN,
    SHORT,
    SPARSE,
    OnChip,
)
from reports.write_up.claims import SeedRule, by_hand, judge_cases
from reports.write_up.study_page import Findings
from workloads.strict_yaml import dump_yaml

NEAREST, STOCHASTIC = "nearest", "stochastic"


def findings(
    runs: Sequence[OnChip],
    costs: Sequence[StepCost],
    content: Mapping[str, Any],
    sized: Sequence[Sized] = (),
    looks: Sequence[Look] = (),
) -> Findings:
    """What the page reads, of trainings, and of what steps cost at the gates and over PEs, and of looks at
    trainings on their way. `content` is the study's data file."""
    trainings = Trainings.among(runs)
    learnt, engines = _learnt(trainings, content), built(costs, content)
    verdicts = {claim: judge_cases(cases) for claim, cases in {**learnt.cases, **engines.cases}.items()}
    targets = content["rule"]["targets"]
    equal = equal_accuracy(looks, engines.figures["costs"], targets)
    figures = {"equal": equal, "verdicts": verdicts | by_hand(content), "best": best(sized)}
    return Findings(
        figures={**learnt.figures, **engines.figures, **figures},
        filters={"with_error": with_error},
        rows={
            **learnt.rows,
            **engines.rows,
            "equal": list(equal_rows(equal, targets)),
            "cells": list(cells(sized)),
            "fabric": list(fabric(sized)),
        },
        charts={"closnets-fpl2018-widths": widths_chart(trainings, EPOCHS)},
        designs={_file(label, point): dump_yaml(point.model_dump()) for label, point in points(DEFAULT_BITS)},
        plain={
            "trainings": [vars(run) for run in runs],
            "sized": [vars(one) for one in sized],
            "looks": [vars(one) for one in looks],
            **engines.plain,
        },
    )


def _file(label: str, point: DesignPoint) -> str:
    """The name of the file of a design point."""
    if point.training is None:
        return f"{label}-inference.yaml"
    return f"{label}-training{'-pipelined' * (point.training.overlap == PIPELINED)}.yaml"


def _learnt(trainings: Trainings, content: Mapping[str, Any]) -> Part:
    """What trainings say."""
    rule = content["rule"]
    allowed, small = (rule[name] / 100 for name in ("allowed_loss_points", "partly_loss_points"))
    networks = {network.rpartition("-")[2]: _network(trainings, network, allowed) for network in SPARSE}
    factor = content["claims"]["weights"]["factor"]
    weights = _weights(trainings, SeedRule(rule["significant"]), small, factor)
    return Part(
        figures={
            "trainings": trainings,
            "networks": networks,
            "epochs": EPOCHS,
            "short": SHORT,
            "bits": DEFAULT_BITS,
            "batch": BATCH,
            "weights": weights,
            "stale": late(trainings, JUNCTIONS),
            "late": late(trainings, PIPELINED),
            "samples": SAMPLES,
            "deviation": trainings.sound.deviation,
        },
        rows={
            "ways": list(_ways(trainings)),
            "rates": list(_rates(trainings)),
            "stale": list(late_rows(trainings)),
            "short": list(_short(trainings)),
        },
        cases={
            "on_chip": [
                level - one["chosen"].mean <= allowed for one in networks.values() for level in one["levels"]
            ],
            "weights": weights["cases"],
        },
        plain={},
    )


def _network(trainings: Trainings, network: str, allowed: float) -> dict[str, Any]:
    """What a network comes to: in floating point by either loss, in batches, at the chosen width, and at
    which widths it is within what is allowed of floating point one sample at a time."""
    same = {"network": network, "epochs": EPOCHS, "overlap": IN_ORDER}
    margin, entropy = (
        trainings.best(rounding=FLOAT, loss=loss, batch=1, **same) for loss in (MARGIN, ENTROPY)
    )
    batched = trainings.best(rounding=FLOAT, batch=BATCH, **same)
    chosen = trainings.best(weight_bits=DEFAULT_BITS, rounding=NEAREST, **same)
    reference = max(margin, entropy, key=lambda one: one.mean)
    tried = sorted({one.way.weight_bits for one in trainings.of(rounding=NEAREST, **same)})
    widths = {bits: trainings.best(weight_bits=bits, rounding=NEAREST, **same) for bits in tried}
    within = [bits for bits, one in widths.items() if reference.mean - one.mean <= allowed]
    return {
        "margin": margin,
        "entropy": entropy,
        "batched": batched,
        "reference": reference,
        "chosen": chosen,
        "levels": (reference.mean, batched.mean),
        "widths": widths,
        "within": within,
        "stochastic": {
            one.way.weight_bits: (one, widths[one.way.weight_bits])
            for one in trainings.of(rounding=STOCHASTIC, **same)
        },
    }


def _ways(trainings: Trainings) -> Iterator[tuple[Any, ...]]:
    """A line a network and way, at the best rate."""
    for network in SPARSE + DENSE:
        references = trainings.of(
            network=network, rounding=FLOAT, loss=MARGIN, batch=1, epochs=EPOCHS, overlap=IN_ORDER
        )
        for words, one in ways(trainings, network, EPOCHS):
            others = [each for each in references if each.way != one.way]
            best = max(others, key=lambda each: each.mean, default=None)
            difference = trainings.loss(one, best) if best else None
            worst = max(run.weights_cut for run in one.runs) if one.way.weight_bits else None
            yield one.way.label, words, one.rate, one.shown, difference, worst


def _rates(trainings: Trainings) -> Iterator[tuple[Any, ...]]:
    """A line a network and width, a column a rate."""
    same = {"epochs": EPOCHS, "overlap": IN_ORDER, "batch": 1}
    chosen = [one for one in trainings.of(**same) if one.way.network in SPARSE]
    shifts = sorted({one.rate_shift for one in chosen})
    for network in SPARSE:
        every = {one.way for one in chosen if one.way.network == network}
        for way in sorted(every, key=lambda way: (way.rounding, way.loss, way.weight_bits)):
            at = {one.rate_shift: one for one in trainings.of(**vars(way))}
            yield way.label, described(way), *(at[shift].shown if shift in at else None for shift in shifts)


def _short(trainings: Trainings) -> Iterator[tuple[Any, ...]]:
    """Trainings of a few epochs: what a dense network comes to on chip, beside sparse ones."""
    for network in SPARSE + DENSE:
        for one in trainings.of(network=network, epochs=SHORT, overlap=IN_ORDER):
            weights = topology_of(one.way.label).stored_weights
            yield one.way.label, weights, described(one.way), one.rate, one.shown, len(one.runs)


def _weights(trainings: Trainings, rule: SeedRule, small: float, factor: float) -> dict[str, Any]:
    """Clos and dense trained alike, on chip for a few epochs, and in batches for longer, where a network that
    learns fast has no lead. The claim holds where Clos, of the claimed factor, loses nothing in either,
    partly where it does in one of them, or loses little in both."""
    ways = {
        "chip": {"weight_bits": DEFAULT_BITS, "rounding": NEAREST, "epochs": SHORT},
        "batched": {"rounding": FLOAT, "batch": BATCH, "epochs": EPOCHS},
    }
    pairs = {
        name: (trainings.best(network=SPARSE[0], **way), trainings.best(network=DENSE[0], **way))
        for name, way in ways.items()
    }
    compression = topology_of("dense").stored_weights / topology_of("clos").stored_weights
    lost = [dense.mean - clos.mean for clos, dense in pairs.values()]
    cases = [
        clos.mean >= dense.mean or not trainings.sound.differ(clos, dense, rule)
        for clos, dense in pairs.values()
    ]
    return {
        "dense": pairs["chip"][1],
        "compression": compression,
        "difference": trainings.loss(*pairs["chip"]).text,
        "batched": trainings.loss(*pairs["batched"]).text,
        "cases": [compression >= factor and case for case in (*cases, max(lost) <= small)],
    }
