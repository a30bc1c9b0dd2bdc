"""What trainings one sample at a time, and what is counted of an engine that trains, say on the claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.studies.closnets_fpl2018.accuracy import (
    AtRate,
    Trainings,
    described,
    ways,
    widths_chart,
)
from reports.studies.closnets_fpl2018.costs import StepCost, points
from reports.studies.closnets_fpl2018.hardware import (
    BITS,
    ENGINES,
    SHOWN_PES,
    TRAINED,
    Products,
    Step,
    Storage,
    products,
    queued_bits,
    steps,
    storage,
    topology_of,
)
from reports.studies.closnets_fpl2018.sized import Sized, best, cells, fabric
from reports.studies.dey_reconfig2018.measure import as_cascades, junctions
from reports.studies.topologies.compared import with_error
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
from reports.write_up.claims import SeedRule, by_hand, judge_cases, published
from reports.write_up.study_page import Findings
from workloads.strict_yaml import dump_yaml

DEFAULT_BITS = 12
SAMPLES = 60_000
"""Those of an epoch of MNIST."""
IN_ORDER, OVERLAPPED = "none", "pipelined"
OTHERS_PES = (4, 16, 64)
NEAREST, STOCHASTIC = "nearest", "stochastic"


@dataclass(frozen=True)
class Part:
    """What a part of the page reads: figures, rows of tables, cases of claims, and plain values."""

    figures: Mapping[str, Any]
    rows: Mapping[str, Sequence[Sequence[Any]]]
    cases: Mapping[str, Sequence[bool]]
    plain: Mapping[str, Any]


def findings(
    runs: Sequence[OnChip],
    costs: Sequence[StepCost],
    content: Mapping[str, Any],
    sized: Sequence[Sized] = (),
) -> Findings:
    """What the page reads, of trainings, and of what steps cost at the gates and over PEs. `content` is the
    study's data file."""
    trainings = Trainings.among(runs)
    learnt, built = _learnt(trainings, content), _built(costs, content)
    verdicts = {claim: judge_cases(cases) for claim, cases in {**learnt.cases, **built.cases}.items()}
    figures = {"verdicts": verdicts | by_hand(content), "best": best(sized)}
    return Findings(
        figures={**learnt.figures, **built.figures, **figures},
        filters={"with_error": with_error},
        rows={**learnt.rows, **built.rows, "cells": list(cells(sized)), "fabric": list(fabric(sized))},
        charts={"closnets-fpl2018-widths": widths_chart(trainings, EPOCHS)},
        designs={
            f"{label}-{'training' if point.training else 'inference'}.yaml": dump_yaml(point.model_dump())
            for label, point in points(DEFAULT_BITS)
        },
        plain={
            "trainings": [vars(run) for run in runs],
            "sized": [vars(one) for one in sized],
            **built.plain,
        },
    )


def _learnt(trainings: Trainings, content: Mapping[str, Any]) -> Part:
    """What trainings say."""
    rule, stale = content["rule"], list(_stale(trainings))
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
            "stale": stale,
            "samples": SAMPLES,
            "deviation": trainings.sound.deviation,
        },
        rows={
            "ways": list(_ways(trainings)),
            "rates": list(_rates(trainings)),
            "stale": list(_stale_rows(trainings, stale)),
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


def _built(costs: Sequence[StepCost], content: Mapping[str, Any]) -> Part:
    """What is counted of engines that train, and what their steps cost."""
    counted = [products(label) for label in ("clos", "csc", "pruned", "dense")]
    stored, others = list(storage(DEFAULT_BITS)), _others()
    taken = {label: steps(topology_of(label), ENGINES[label][0], label, DEFAULT_BITS) for label in TRAINED}
    priced = {(one.network, one.trains): one for one in costs}
    clos, dense = priced["clos", True], priced["dense", True]
    dram_j = content["assumptions"]["dram_j_per_bit"]["value"]
    return Part(
        figures={
            "products": {one.network: one for one in counted},
            "storage": {(one.network, one.trains): one for one in stored},
            "steps": {label: {one.pes: one for one in several} for label, several in taken.items()},
            "shown_pes": SHOWN_PES,
            "queued": {label: queued_bits(topology_of(label), BITS) for label in TRAINED},
            "others": others,
            "costs": priced,
            "streamed": _streamed(dense, dram_j),
        },
        rows={
            "products": [_products(one, counted[-1]) for one in counted],
            "storage": list(_storage(stored)),
            "steps": list(_steps(taken)),
            "others": list(_others_rows(others)),
            "pruning": list(_pruning(counted)),
            "costs": list(_costs(priced)),
            "wholes": list(_wholes(priced, dram_j)),
        },
        cases={
            "indices": [one.indices == 0 for one in stored if one.trains],
            "computation": [one.total < counted[-1].total for one in counted[:-1]],
            "cheaper": [clos.time_s < dense.time_s, clos.energy_j < dense.energy_j],
        },
        plain={
            "storage": [vars(one) | {"total": one.total} for one in stored],
            "products": [vars(one) for one in counted],
            "steps": [vars(one) for several in taken.values() for one in several],
            "costs": [vars(one) for one in costs],
        },
    )


# Accuracy.


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


def _stale(trainings: Trainings) -> Iterator[tuple[AtRate, AtRate]]:
    """Overlapped trainings, each beside the same one in order."""
    for one in trainings.of(overlap=OVERLAPPED):
        for plain in trainings.of(**vars(one.way) | {"overlap": IN_ORDER}):
            if plain.rate_shift == one.rate_shift:
                yield one, plain


def _stale_rows(trainings: Trainings, stale: Sequence[tuple[AtRate, AtRate]]) -> Iterator[tuple[Any, ...]]:
    for one, plain in sorted(stale, key=lambda pair: (pair[0].way.network, pair[0].rate_shift)):
        yield one.way.label, one.rate, plain.shown, one.shown, trainings.loss(one, plain)


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


# Hardware.


def _products(one: Products, dense: Products) -> tuple[Any, ...]:
    return (
        one.network,
        one.forward,
        one.backward,
        one.update,
        one.total,
        dense.total / one.total,
    )


def _pruning(counted: Sequence[Products]) -> Iterator[tuple[Any, ...]]:
    """Products of a whole training of as many epochs each, in epochs of the dense network."""
    total = {one.network: one.total for one in counted}
    most = {one.network: one.forward for one in counted}
    for words, way, parts in (
        ("clos, from scratch", "clos", ("clos",)),
        ("dense", "dense", ("dense",)),
        ("dense, pruned, trained again", "dense", ("dense", "pruned")),
    ):
        taken = sum(total[part] for part in parts)
        yield words, most[way], taken / total["dense"], taken / total["clos"]


def _storage(stored: Sequence[Storage]) -> Iterator[tuple[Any, ...]]:
    alone = {one.network: one for one in stored if not one.trains}
    for one in stored:
        task = "training" if one.trains else "inference"
        parts = (one.weights, one.indices, one.signals, one.errors, one.settings, one.total)
        yield (
            one.network,
            task,
            one.weight_bits,
            *parts,
            one.total / alone[one.network].total if one.trains else None,
        )


def _steps(taken: Mapping[str, Sequence[Step]]) -> Iterator[tuple[Any, ...]]:
    for clos, csc, dense in zip(*(taken[label] for label in ("clos", "csc", "dense")), strict=True):
        yield (
            clos.pes,
            clos.forward,
            clos.backward,
            clos.cycles,
            csc.cycles,
            dense.cycles,
            dense.cycles / clos.cycles,
            clos.busy,
            csc.busy,
            dense.busy,
        )


def _costs(priced: Mapping[tuple[str, bool], StepCost]) -> Iterator[tuple[Any, ...]]:
    for (network, trains), one in priced.items():
        yield (
            network,
            "training" if trains else "inference",
            one.stored_weights,
            one.time_s,
            one.energy_j,
            one.area_mm2,
            one.memory_j / one.energy_j,
            one.update_j / one.energy_j,
            one.energy_j / priced[network, False].energy_j if trains else None,
        )


def _streamed(dense: StepCost, dram_j: float) -> float:
    """Joules that a step takes where the weights come from DRAM: read forward, read again backward, and
    written; the weight memory of the chip is left out."""
    chip_j = dense.energy_j - dense.memory_j - dense.writes_j
    return chip_j + 3 * dense.stored_weights * DEFAULT_BITS * dram_j


def _wholes(priced: Mapping[tuple[str, bool], StepCost], dram_j: float) -> Iterator[tuple[Any, ...]]:
    """A whole training of so many epochs in each part. What trains a fixed mask is not built here: it takes
    at least what as many weights of Clos take, which have no index."""
    clos, small, csc, dense = (priced[name, True] for name in ("clos", "clos-x40", "csc", "dense"))
    for words, energy_j, time_s in (
        ("clos, from scratch", clos.energy_j, clos.time_s),
        ("clos-x40, from scratch", small.energy_j, small.time_s),
        ("csc, from scratch", csc.energy_j, csc.time_s),
        ("dense", dense.energy_j, dense.time_s),
        ("dense, weights in DRAM", _streamed(dense, dram_j), None),
        (
            "dense, pruned, trained again: at least",
            dense.energy_j + clos.energy_j,
            dense.time_s + clos.time_s,
        ),
    ):
        steps = SAMPLES * EPOCHS
        yield words, energy_j, energy_j * steps, time_s and time_s * steps, energy_j / clos.energy_j


def _others() -> dict[str, Any]:
    """The network of an FPGA that trains edge by edge, and steps of it on the engine here."""
    given = published("reports.studies.dey_reconfig2018")
    their = junctions(given)
    clocks = given["figures"]["clocks without pipeline"]["published"]
    return {
        "multipliers": sum(junction.z for junction in their),
        "clocks": max(clocks.values()),
        "weights": sum(junction.edges for junction in their),
        "steps": [
            step
            for engine, topology in as_cascades(their)
            for step in steps(
                topology, engine, engine.kind_name(), given["parameters"]["word_bits"], OTHERS_PES
            )
        ],
    }


def _others_rows(others: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    yield "edge-parallel, all passes overlapped", None, others["clocks"], others["clocks"]
    for one in others["steps"]:
        yield f"here, {one.network} of the same fan-in and fan-out", one.pes, one.cycles, one.backward
