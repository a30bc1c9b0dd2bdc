"""How stages lie on an engine that trains: as strided blocks, or around rings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archsim.engine.mapping import MappingError
from rtl.engines.training.stages import PAIR, RingStage, StridedStage, TrainedStage
from workloads import CscStage, DenseStage, Stage, Topology
from workloads.training.onchip.trainer import relus
from workloads.training.schema import OnChipRecipe


def trained_stages(
    topology: Topology, arithmetic: OnChipRecipe, kinds: tuple[str, ...]
) -> tuple[TrainedStage, ...]:
    """The stages of a topology on an engine that trains stages of these kinds: all as rings where CSC stages
    are among them, otherwise all as blocks. Raises MappingError for stages of other kinds, and for dense ones
    as rings with stochastic rounding: random words are drawn in the order of places, which is not that of
    the taps of a ring."""
    rotates = CscStage.kind in kinds
    made: list[TrainedStage] = []
    for number, (stage, relu) in enumerate(zip(topology.stages, relus(topology), strict=True)):
        if stage.kind not in kinds:
            allowed = f"{' and '.join(kinds)} stages on an engine that trains"
            raise MappingError.of(f"stage {number}", stage.kind, allowed)
        if rotates and isinstance(stage, DenseStage) and arithmetic.rounding == "stochastic":
            allowed = f"nearest, or a csc layer of fan_in {stage.n_in} in place of the dense stage {number}"
            raise MappingError.of("rounding", arithmetic.rounding, allowed)
        made.append(_trained(stage, relu, rotates, arithmetic.overlap == "pipelined"))
    return tuple(made)


def _trained(stage: Stage, relu: bool, rotates: bool, overlapped: bool) -> TrainedStage:
    """A dense stage is a ring of stride 1, or one block."""
    widths, taps = (stage.n_in, stage.n_out), stage.weight_shape[-1]
    if rotates:
        return RingStage(*widths, taps, relu, stage.stride if isinstance(stage, CscStage) else 1)
    return StridedStage(*widths, taps, relu, overlapped)


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
