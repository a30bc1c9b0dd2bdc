"""What is counted of engines that train, and what their steps cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.studies.closnets_fpl2018.costs import StepCost
from reports.studies.closnets_fpl2018.equal_accuracy import SAMPLES
from reports.studies.closnets_fpl2018.fixed_mask import fixed_masks, rows_of as mask_rows
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
from reports.studies.closnets_fpl2018.walks import IN_ORDER, walk_rows, walks
from reports.studies.dey_reconfig2018.measure import as_cascades, junctions
from reports.studies.topologies.on_chip_runs import EPOCHS
from reports.write_up.claims import published

DEFAULT_BITS = 12
OTHERS_PES = (4, 16, 64)


@dataclass(frozen=True)
class Part:
    """What a part of the page reads: figures, rows of tables, cases of claims, and plain values."""

    figures: Mapping[str, Any]
    rows: Mapping[str, Sequence[Sequence[Any]]]
    cases: Mapping[str, Sequence[bool]]
    plain: Mapping[str, Any]


def built(costs: Sequence[StepCost], content: Mapping[str, Any]) -> Part:
    """What is counted of engines that train, and what their steps cost."""
    counted = [products(label) for label in ("clos", "csc", "pruned", "dense")]
    stored, others, masks = list(storage(DEFAULT_BITS)), _others(), fixed_masks(DEFAULT_BITS)
    taken = {label: steps(topology_of(label), ENGINES[label][0], label, DEFAULT_BITS) for label in TRAINED}
    priced = {(one.network, one.trains): one for one in costs if one.overlap == IN_ORDER}
    walked = list(walks(costs, DEFAULT_BITS))
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
            "masks": masks,
            "levels": (SHOWN_PES - 1).bit_length(),
            "costs": priced,
            "streamed": _streamed(dense, dram_j),
            "walks": {(one["network"], one["overlap"]): one for one in walked},
        },
        rows={
            "products": [_products(one, counted[-1]) for one in counted],
            "storage": list(_storage(stored)),
            "steps": list(_steps(taken)),
            "others": list(_others_rows(others)),
            "masks": list(mask_rows(masks)),
            "walks": list(walk_rows(walked)),
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
            "masks": [vars(one) for one in masks],
            "walks": walked,
        },
    )


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
        yield f"here, {one.network} of the same fan-in and fan-out", one.pes, one.cycles, one.overlapped
