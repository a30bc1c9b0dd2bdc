"""How stages lie on an engine that trains: as strided blocks, or around rings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archsim.engine.mapping import MappingError
from rtl.engines.training.sizes import PAIR, RingStage, StridedStage, TrainedStage
from workloads import BlockStage, CscStage, DenseStage, Stage, Topology
from workloads.training.onchip.trainer import relus
from workloads.training.schema import OnChipRecipe


def trained_stages(topology: Topology, arithmetic: OnChipRecipe) -> tuple[TrainedStage, ...]:
    """The stages of a topology: beside CSC stages all are rings, otherwise all are blocks. Raises
    MappingError for those that are neither, and for dense stages beside CSC stages with stochastic rounding:
    random words are drawn in the order of places, which is not that of the taps of a ring."""
    rotates = any(isinstance(stage, CscStage) for stage in topology.stages)
    made: list[TrainedStage] = []
    for number, (stage, relu) in enumerate(zip(topology.stages, relus(topology), strict=True)):
        widths = stage.n_in, stage.n_out
        if rotates and isinstance(stage, CscStage):
            made.append(RingStage(*widths, stage.taps, relu, stage.stride))
        elif isinstance(stage, BlockStage) and not rotates:
            made.append(StridedStage(*widths, stage.block_in, relu))
        elif not isinstance(stage, DenseStage):
            allowed = "block and dense stages, or csc and dense ones, on an engine that trains"
            raise MappingError.of(f"stage {number}", stage.kind, allowed)
        elif not rotates:
            made.append(StridedStage(*widths, stage.n_in, relu))
        elif arithmetic.rounding == "stochastic":
            allowed = f"nearest, or a csc layer of fan_in {stage.n_in} in place of the dense stage {number}"
            raise MappingError.of("rounding", arithmetic.rounding, allowed)
        else:
            made.append(RingStage(*widths, stage.n_in, relu, 1))
    return tuple(made)


def places(
    stage: Stage, trained: TrainedStage, base: int, pes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The PE and the address of the weights of every row, (n_out, taps) each, in the order of a stage's
    weights; those of the stage begin at `base`."""
    output, tap = np.arange(trained.outputs)[:, None], np.arange(trained.taps)
    span, of_span = np.divmod(output, trained.span)
    group, pe = np.divmod(of_span, pes)
    group += span * -(-trained.span // pes)
    if isinstance(trained, RingStage) and isinstance(stage, DenseStage):
        # A row of a dense stage begins at the place of its output.
        tap = (tap - output) % trained.taps
    return pe + 0 * tap, base + group * trained.words * PAIR + tap
