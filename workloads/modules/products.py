"""The products of stages in PyTorch, batched: no stage is ever a masked dense matrix.

`product(stage)` gives a function of weights, of the stage's `weight_shape`, and of inputs (..., n_in) that
returns outputs (..., n_out). What a pattern of connections needs besides is a tensor of indices, which lies
where the weights lie.
"""

from __future__ import annotations

from functools import singledispatch

import torch
from torch import Tensor, nn
from torch.nn import functional

from workloads.stages import BlockStage, DenseStage, KroneckerStage, Stage


class Product(nn.Module):
    """The product of one stage; weights are given with the inputs."""

    def forward(self, weights: Tensor, x: Tensor) -> Tensor:
        """Outputs (..., n_out) of inputs x (..., n_in)."""
        raise NotImplementedError


@singledispatch
def product(stage: Stage) -> Product:
    """The product of a stage: of any pattern, by gathering what each weight multiplies."""
    lengths = stage.row_lengths()
    if (lengths == lengths[0]).all():
        return _EqualRows(stage)
    return _AnyRows(stage)


class _Dense(Product):
    def forward(self, weights: Tensor, x: Tensor) -> Tensor:
        return functional.linear(x, weights)


@product.register
def _dense(stage: DenseStage) -> Product:
    return _Dense()


class _Blocks(Product):
    """Small dense blocks that read interleaved inputs: one batched product."""

    def __init__(self, stage: BlockStage) -> None:
        super().__init__()
        self.inputs = (stage.block_in, stage.blocks)

    def forward(self, weights: Tensor, x: Tensor) -> Tensor:
        blocks = x.unflatten(-1, self.inputs)
        return torch.einsum("...kb,bok->...bo", blocks, weights).flatten(-2)


@product.register
def _blocks(stage: BlockStage) -> Product:
    return _Blocks(stage)


class _Kronecker(Product):
    """Dense blocks set apart: one batched product."""

    def __init__(self, stage: KroneckerStage) -> None:
        super().__init__()
        self.inputs = (stage.left, stage.inputs, stage.right)

    def forward(self, weights: Tensor, x: Tensor) -> Tensor:
        blocks = x.unflatten(-1, self.inputs)
        return torch.einsum("...lir,lori->...lor", blocks, weights).flatten(-3)


@product.register
def _kronecker(stage: KroneckerStage) -> Product:
    return _Kronecker(stage)


class _Gathered(Product):
    """A pattern of connections; `columns` follow from the stage and are kept in no state."""

    columns: Tensor

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.register_buffer("columns", torch.from_numpy(stage.columns().copy()), persistent=False)


class _EqualRows(_Gathered):
    """As many inputs for each output: gathered, multiplied and summed."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.outputs = (stage.n_out, stage.stored_weights // stage.n_out)

    def forward(self, weights: Tensor, x: Tensor) -> Tensor:
        read = x.index_select(-1, self.columns).unflatten(-1, self.outputs)
        return (read * weights.view(self.outputs)).sum(-1)


class _AnyRows(_Gathered):
    """Some inputs for each output, maybe none: products are added where their outputs are."""

    rows: Tensor

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.n_out = stage.n_out
        lengths = torch.from_numpy(stage.row_lengths().copy())
        rows = torch.repeat_interleave(torch.arange(stage.n_out), lengths)
        self.register_buffer("rows", rows, persistent=False)

    def forward(self, weights: Tensor, x: Tensor) -> Tensor:
        products = x.index_select(-1, self.columns) * weights
        y = products.new_zeros((*x.shape[:-1], self.n_out))
        return y.index_add(-1, self.rows, products)
