"""Forward and back in one walk, beside one after the other: cycles, memory, costs and accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from reports.studies.closnets_fpl2018.accuracy import AtRate, Trainings, described
from reports.studies.closnets_fpl2018.costs import OVERLAPPED, StepCost
from reports.studies.closnets_fpl2018.hardware import (
    ENGINES,
    SHOWN_PES,
    Storage,
    stored,
    topology_of,
    trained,
)
from rtl.engines.training.sizes import Overlap

IN_ORDER, PIPELINED, JUNCTIONS = "none", "pipelined", "junctions"
BOTH: tuple[Overlap, ...] = get_args(Overlap)
"""What an engine can do."""
WORDS: Mapping[str, str] = {
    IN_ORDER: "one after the other",
    PIPELINED: "in one walk",
    JUNCTIONS: "errors rest at every stage",
}
"""Which steps overlap, in words."""


def late(trainings: Trainings, overlap: str) -> list[tuple[AtRate, AtRate]]:
    """Trainings that overlap so, each beside the same one in order."""
    return [
        (one, plain)
        for one in trainings.of(overlap=overlap)
        for plain in trainings.of(**vars(one.way) | {"overlap": IN_ORDER})
        if plain.rate_shift == one.rate_shift
    ]


def late_rows(trainings: Trainings) -> Iterator[tuple[Any, ...]]:
    """A line each of them."""
    pairs = [pair for overlap in (JUNCTIONS, PIPELINED) for pair in late(trainings, overlap)]
    for one, plain in sorted(pairs, key=lambda pair: (pair[0].way.network, pair[0].way.weight_bits)):
        words = (one.way.label, described(one.way), WORDS[one.way.overlap], one.rate)
        yield *words, plain.shown, one.shown, trainings.loss(one, plain)


def walks(costs: Sequence[StepCost], weight_bits: int) -> Iterator[dict[str, Any]]:
    """Steps in order and overlapped: cycles without those of loading, the memories, and what a step costs at
    the gates, where that was measured."""
    priced = {(one.network, one.overlap): one for one in costs if one.trains}
    for label in OVERLAPPED:
        for overlap in BOTH:
            sizes = trained(topology_of(label), ENGINES[label][0], SHOWN_PES, weight_bits, overlap)
            memory: Storage = stored(label, sizes, weight_bits, trains=True)
            cost = priced.get((label, overlap))
            yield {
                "network": label,
                "overlap": overlap,
                "cycles": sizes.cycles,
                "signals": memory.signals,
                "memory": memory.total,
                "time_s": cost and cost.time_s,
                "energy_j": cost and cost.energy_j,
                "memory_j": cost and cost.memory_j,
                "area_mm2": cost and cost.area_mm2,
            }


def walk_rows(found: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """A line a step."""
    for one in found:
        yield one["network"], WORDS[one["overlap"]], *list(one.values())[2:]
