"""Which kernel a stage multiplies by while it is trained."""

from __future__ import annotations

import functools

import numpy as np

from workloads.kernels.blocks import BlocksKernel
from workloads.kernels.cyclic import CyclicKernel, RingKernel
from workloads.kernels.gather import GatherKernel
from workloads.kernels.kernel import DenseKernel, Kernel
from workloads.stages import BlockStage, CscStage, DenseStage, KroneckerStage, Stage

WORTH_RINGS = 8
"""Taps from which neighbours on a ring are better computed together."""


@functools.singledispatch
def kernel_of(stage: Stage) -> Kernel:
    """The products of a stage. One of a kind that has no kernel of its own goes through its connections."""
    ends = np.concatenate(([0], np.cumsum(stage.row_lengths())))
    return GatherKernel(stage.n_in, stage.n_out, ends, stage.columns(), weight_shape=stage.weight_shape)


@kernel_of.register
def _(stage: DenseStage) -> Kernel:
    return DenseKernel()


@kernel_of.register
def _(stage: CscStage) -> Kernel:
    if stage.taps >= WORTH_RINGS and stage.n_in == stage.n_out:
        return RingKernel(stage.n_in, stage.taps, stage.stride)
    return CyclicKernel(stage.n_in, stage.n_out, stage.taps, stage.stride)


@kernel_of.register
def _(stage: BlockStage) -> Kernel:
    return BlocksKernel((1, stage.blocks), stage.block_in, stage.block_out, outputs_interleaved=False)


@kernel_of.register
def _(stage: KroneckerStage) -> Kernel:
    return BlocksKernel((stage.left, stage.right), stage.inputs, stage.outputs, outputs_interleaved=True)
