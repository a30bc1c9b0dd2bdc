"""The products of stages in PyTorch, batched: no stage is ever a masked dense matrix.

`product(stage)` gives a function of weights, of the stage's `weight_shape`, and of inputs (n_in, batch) that
returns outputs (n_out, batch). Activations lie feature by feature, as in the numpy core, so that blocks are
views and what a tap reads is contiguous. What a pattern of connections needs besides is a tensor of indices,
which lies where the weights lie.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workloads.stages import BlockStage, CscStage, DenseStage, KroneckerStage, Stage


class Product(nn.Module):
    """The product of one stage; weights are given with the inputs."""

    def forward(self, weights: Tensor, x: Tensor) -> Tensor:
        """Outputs (n_out, batch) of inputs x (n_in, batch)."""
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
        return weights @ x


@product.register
def _dense(stage: DenseStage) -> Product:
    return _Dense()


class _Blocks(Product):
    """Small dense blocks that read interleaved inputs: one batched product."""

    def __init__(self, stage: BlockStage) -> None:
        super().__init__()
        self.inputs = (stage.block_in, stage.blocks)

    def forward(self, weights: Tensor, x: Tensor) -> Tensor:
        blocks = x.unflatten(0, self.inputs).transpose(0, 1)
        return torch.bmm(weights, blocks).flatten(0, 1)


@product.register
def _blocks(stage: BlockStage) -> Product:
    return _Blocks(stage)


class _Kronecker(Product):
    """Dense blocks set apart: one batched product."""

    def __init__(self, stage: KroneckerStage) -> None:
        super().__init__()
        self.inputs = (stage.left, stage.inputs, stage.right)

    def forward(self, weights: Tensor, x: Tensor) -> Tensor:
        blocks = x.unflatten(0, self.inputs).transpose(1, 2)
        return torch.matmul(weights.transpose(1, 2), blocks).transpose(1, 2).flatten(0, 2)


@product.register
def _kronecker(stage: KroneckerStage) -> Product:
    return _Kronecker(stage)


class _Cyclic(Product):
    """Rows that read the ring from one place further on each: tap by tap, a shifted view of the inputs."""

    def __init__(self, stage: CscStage) -> None:
        super().__init__()
        self.n_out, self.starts = stage.n_out, [k * stage.stride % stage.n_in for k in range(stage.taps)]
        self.turns = -(-stage.n_out // stage.n_in) + 1

    def forward(self, weights: Tensor, x: Tensor) -> Tensor:
        y: Tensor = _Taps.apply(weights, x.repeat(self.turns, 1), self.starts)
        return y


@product.register
def _cyclic(stage: CscStage) -> Product:
    return _Cyclic(stage)


class _OfTaps(torch.autograd.Function):
    """A product of two tensors along taps; the gradients of each such product are such products again."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        one, other, ctx.starts, *_ = inputs
        ctx.save_for_backward(one, other)


class _Taps(_OfTaps):
    """y[j] = sum over k of weights[j, k] * x[starts[k] + j]. PyTorch's own gradient of a view would be as
    large as what it is a view of, for each tap."""

    @staticmethod
    def forward(weights: Tensor, x: Tensor, starts: list[int]) -> Tensor:
        y = x.new_zeros((len(weights), x.shape[1]))
        for tap, start in enumerate(starts):
            y.addcmul_(weights[:, tap, None], x[start : start + len(weights)])
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        weights, x = ctx.saved_tensors
        of_weights, of_x, _ = ctx.needs_input_grad
        return (
            _Dots.apply(x, dy, ctx.starts) if of_weights else None,
            _Spread.apply(weights, dy, ctx.starts, len(x)) if of_x else None,
            None,
        )


class _Spread(_OfTaps):
    """x[starts[k] + j] += weights[j, k] * y[j], of `places` rows x: what taps of y lead back to."""

    @staticmethod
    def forward(weights: Tensor, y: Tensor, starts: list[int], places: int) -> Tensor:
        x = y.new_zeros((places, y.shape[1]))
        for tap, start in enumerate(starts):
            x[start : start + len(weights)].addcmul_(weights[:, tap, None], y)
        return x

    @staticmethod
    def backward(ctx: Any, dx: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        weights, y = ctx.saved_tensors
        of_weights, of_y, *_ = ctx.needs_input_grad
        return (
            _Dots.apply(dx, y, ctx.starts) if of_weights else None,
            _Taps.apply(weights, dx, ctx.starts) if of_y else None,
            None,
            None,
        )


class _Dots(_OfTaps):
    """weights[j, k] = x[starts[k] + j] times y[j], added over the batch."""

    @staticmethod
    def forward(x: Tensor, y: Tensor, starts: list[int]) -> Tensor:
        return torch.stack([torch.linalg.vecdot(x[start : start + len(y)], y) for start in starts], 1)

    @staticmethod
    def backward(ctx: Any, dweights: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, y = ctx.saved_tensors
        of_x, of_y, _ = ctx.needs_input_grad
        return (
            _Spread.apply(dweights, y, ctx.starts, len(x)) if of_x else None,
            _Taps.apply(dweights, x, ctx.starts) if of_y else None,
            None,
        )


class _Gathered(Product):
    """A pattern of connections; its indices follow from the stage and are kept in no state."""

    columns: Tensor

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        for name, indices in self._indices().items():
            self.register_buffer(name, torch.from_numpy(indices), persistent=False)

    def _indices(self) -> dict[str, NDArray[np.int64]]:
        """By the name of its buffer each array of indices."""
        return {"columns": self.stage.columns().copy()}

    def _apply(self, fn: Any, recurse: bool = True) -> Self:
        """Indices are found anew where they are moved to: `to_empty` leaves none that mean anything."""
        super()._apply(fn, recurse)
        for name, indices in self._indices().items():
            buffer = getattr(self, name)
            if not buffer.is_meta:
                buffer.copy_(torch.from_numpy(indices))
        return self


class _EqualRows(_Gathered):
    """As many inputs for each output: gathered, then one batched product."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.outputs = (stage.n_out, stage.stored_weights // stage.n_out)

    def forward(self, weights: Tensor, x: Tensor) -> Tensor:
        read = x.index_select(0, self.columns).unflatten(0, self.outputs)
        return torch.bmm(weights.reshape(self.outputs).unsqueeze(1), read).squeeze(1)


class _AnyRows(_Gathered):
    """Some inputs for each output, maybe none: products are added where their outputs are."""

    rows: Tensor

    def _indices(self) -> dict[str, NDArray[np.int64]]:
        rows = np.repeat(np.arange(self.stage.n_out), self.stage.row_lengths())
        return {**super()._indices(), "rows": rows}

    def forward(self, weights: Tensor, x: Tensor) -> Tensor:
        products = x.index_select(0, self.columns) * weights[:, None]
        return products.new_zeros((self.stage.n_out, x.shape[1])).index_add(0, self.rows, products)
