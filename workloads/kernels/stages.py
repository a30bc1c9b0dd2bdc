"""Which kernel a stage multiplies by while it is trained."""

from __future__ import annotations

import functools

import numpy as np

from workloads.kernels.blocks import block_kernel, kronecker_kernel
from workloads.kernels.cyclic import cyclic_kernel
from workloads.kernels.gather import GatherKernel
from workloads.kernels.kernel import DenseKernel, Kernel
from workloads.topology.stages import BlockStage, CscStage, DenseStage, KroneckerStage, Stage


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
    return cyclic_kernel(stage.n_in, stage.n_out, stage.taps, stage.stride)


@kernel_of.register
def _(stage: BlockStage) -> Kernel:
    return block_kernel(stage.blocks, stage.block_in, stage.block_out)


@kernel_of.register
def _(stage: KroneckerStage) -> Kernel:
    return kronecker_kernel(stage.left, stage.outputs, stage.inputs, stage.right)
