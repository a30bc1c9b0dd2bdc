"""What an engine would need that trains a pruned network whose mask stays: counted on the mask itself, since
none is built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim import Clos, DesignPoint
from archsim.engine.gather.conflicts import banked_run
from archsim.engine.mapping import Mapping
from reports.studies.closnets_fpl2018.hardware import NETWORK, SHOWN_PES, topology_of, trained
from workloads import PrunedStage, Topology

LABEL = "pruned"


@dataclass(frozen=True)
class FixedMask:
    """A pass backward with its update over the weights of a pruned network, in the order of the pass forward
    unless it goes by columns: cycles in which entries are issued, at least; the indices that it reads; bits
    for sums of errors; conflicts, as cycles in which a PE waits for a bank, or entries whose word another PE
    reads too, so that both add to one sum; and cycles and adders that bring partial sums together."""

    way: str
    cycles: int
    index_bits: int
    sum_bits: int
    waits: int = 0
    shared: int = 0
    reducing: int = 0
    adders: int = 0


def fixed_masks(weight_bits: int) -> list[FixedMask]:
    """Each way to bring signals to PEs, and the walk by columns."""
    topology, pes = topology_of(LABEL), SHOWN_PES
    inner = sum(stage.n_in for stage in topology.stages[1:])
    width = next(
        shape.word_bits
        for shape in trained(topology_of("clos"), Clos, pes, weight_bits).memory_shapes
        if shape.role == "sum_0"
    )
    sums = inner * width
    replicated, banked, scheduled = (_mapping(gather) for gather in ("replicated", "banked", "scheduled"))
    bank_bits, pipeline = banked.sizes.address.bank_bits, banked.sizes.pipeline
    walked = [
        banked_run(stage.banks(bank_bits), pipeline.write, banked.sizes.accepts) for stage in banked.stages
    ]
    fullest = [int(max(stage.entries)) for stage in replicated.stages]
    columns = [_by_columns(stage, pes) for stage in _inner(topology)]
    second = sum(stage.stored_weights * _bits(stage.n_out) for stage in _inner(topology))
    return [
        FixedMask(
            "replicated, sums in every PE",
            cycles=sum(fullest) + inner,
            index_bits=_indices(replicated),
            sum_bits=sums * pes,
            reducing=inner,
            adders=pes - 1,
        ),
        FixedMask(
            "banked, arbiters",
            cycles=sum(run.cycles for run in walked),
            index_bits=_indices(banked),
            sum_bits=sums,
            waits=sum(run.stalls for run in walked),
        ),
        FixedMask(
            "scheduled as it is",
            cycles=sum(stage.steps for stage in scheduled.stages),
            index_bits=_indices(scheduled),
            sum_bits=sums,
            shared=sum(_shared(stage.banks) for stage in scheduled.stages),
            adders=pes * (pes - 1),
        ),
        FixedMask(
            "scheduled, each PE for itself",
            cycles=sum(max(stage.least_steps) for stage in scheduled.stages),
            index_bits=_indices(scheduled),
            sum_bits=sums,
        ),
        FixedMask(
            "errors by columns, a second index",
            cycles=sum(fullest) + sum(run.cycles for run in columns),
            index_bits=_indices(replicated) + second,
            sum_bits=0,
            waits=sum(run.stalls for run in columns),
        ),
    ]


def rows_of(masks: list[FixedMask]) -> Iterator[tuple[Any, ...]]:
    """A line a way."""
    for one in masks:
        numbers = (one.cycles, one.waits, one.shared, one.reducing, one.adders)
        yield one.way, *numbers, one.index_bits, one.sum_bits


def _mapping(gather: str) -> Any:
    engine = {"kind": "pruned", "pes": SHOWN_PES, "gather": gather}
    return DesignPoint(network=NETWORK.format(LABEL), engine=engine, technology="cmos65").mapping


def _indices(mapping: Mapping) -> int:
    shapes = mapping.sizes.memory_shapes
    return sum(shape.number * shape.words * shape.word_bits for shape in shapes if shape.role == "index")


def _inner(topology: Topology) -> Iterator[PrunedStage]:
    """Stages whose inputs have errors that somebody asks for."""
    for stage in topology.stages[1:]:
        assert isinstance(stage, PrunedStage), "of a pruned network"
        yield stage


def _shared(banks: NDArray[np.int64]) -> int:
    """Entries (pes, steps) whose bank, and so whose word, another PE reads in the same step."""
    ordered = np.sort(banks, axis=0)
    return int(np.count_nonzero((ordered[1:] == ordered[:-1]) & (ordered[1:] >= 0)))


def _by_columns(stage: PrunedStage, pes: int) -> Any:
    """PEs that have an input each, and ask for the weights of its column where those lie: in the memory of
    the PE that has their row."""
    rows = np.repeat(np.arange(stage.n_out), stage.row_lengths())
    order = np.lexsort((rows, stage.columns()))
    rows, owner = rows[order], stage.columns()[order] % pes
    return banked_run([rows[owner == pe] % pes for pe in range(pes)], 0)


def _bits(numbers: int) -> int:
    return max(1, (numbers - 1).bit_length())
