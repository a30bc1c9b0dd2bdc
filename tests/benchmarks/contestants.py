"""What is timed for one step of training: the same layer, weights, inputs and update, by several means.

A step goes forward, backward to the inputs and to the weights, and updates by Adam, on a batch of float32.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.workloads.reference_kernel import ReferenceKernel
from workloads import BlockStage, CscStage, Stage
from workloads.kernels.kernel import Kernel
from workloads.kernels.stages import kernel_of
from workloads.training.models.cascade import Cascade
from workloads.training.optimisers import Adam

try:
    import torch as torch
except ModuleNotFoundError:
    torch = None

Array = NDArray[np.float32]
RATE = 1e-3


@dataclass(frozen=True)
class Layer:
    """A layer with its first weights, its inputs x and the gradient dy of its outputs, (features, batch)."""

    stages: tuple[Stage, ...]
    weights: tuple[Array, ...]
    x: Array
    dy: Array

    @property
    def stored(self) -> int:
        return sum(array.size for array in self.weights)


@dataclass(frozen=True)
class Contestant:
    """`step` makes one step and returns y and dx, (features, batch), as they were before the update."""

    name: str
    step: Callable[[], tuple[Any, Any]]


def archsim(layer: Layer) -> Contestant:
    """The kernels and the optimiser that training uses."""
    return Contestant("archsim", _cascade_step(layer, [kernel_of(stage) for stage in layer.stages]))


def reference(layer: Layer) -> Contestant:
    """The plain kernels in NumPy and SciPy, with the optimiser that training uses."""
    kernels = [
        ReferenceKernel(
            stage.n_in,
            stage.n_out,
            np.concatenate(([0], np.cumsum(stage.row_lengths()))),
            stage.columns(),
            weight_shape=stage.weight_shape,
        )
        for stage in layer.stages
    ]
    return Contestant("NumPy and SciPy", _cascade_step(layer, kernels))


def _cascade_step(layer: Layer, kernels: Sequence[Kernel]) -> Callable[[], tuple[Array, Array]]:
    cascade = Cascade(layer.stages, (False,) * len(layer.stages))
    cascade.kernels = list(kernels)
    weights = [array.copy() for array in layer.weights]
    adam = Adam(weights, weight_decay=0.0)

    def step() -> tuple[Array, Array]:
        signals = [layer.x, *cascade.forward(weights, layer.x)]
        gradients, dx = cascade.backward(weights, signals[:-1], layer.dy)
        adam.step(weights, gradients, RATE)
        return signals[-1], dx

    return step


def torch_dense(layer: Layer) -> Contestant:
    """`torch.nn.functional.linear` with its own gradients; activations are (batch, features)."""
    x = torch.tensor(layer.x.T.copy(), requires_grad=True)
    dy = torch.tensor(layer.dy.T.copy())
    weights = torch.nn.Parameter(torch.tensor(layer.weights[0]))
    adam = _torch_adam([weights])

    def step() -> tuple[Any, Any]:
        adam.zero_grad()
        x.grad = None
        y = torch.nn.functional.linear(x, weights)
        y.backward(dy)
        adam.step()
        return y.detach().numpy().T, x.grad.numpy().T

    return Contestant("PyTorch, dense", step)


def torch_blocks(layer: Layer) -> Contestant:
    """A Clos layer as three batched products with PyTorch's own gradients, in the layout of ours: activations
    that lie batch-first take it longer."""
    x = torch.tensor(layer.x, requires_grad=True)
    dy = torch.tensor(layer.dy)
    weights = [torch.nn.Parameter(torch.tensor(array)) for array in layer.weights]
    adam = _torch_adam(weights)
    batch = layer.x.shape[1]

    def step() -> tuple[Any, Any]:
        adam.zero_grad()
        x.grad = None
        y = x
        for stage, array in zip(layer.stages, weights, strict=True):
            assert isinstance(stage, BlockStage)
            blocks = y.view(stage.block_in, stage.blocks, batch).transpose(0, 1)
            y = torch.bmm(array, blocks).view(stage.n_out, batch)
        y.backward(dy)
        adam.step()
        return y.detach().numpy(), x.grad.numpy()

    return Contestant("PyTorch, bmm", step)


def torch_module(layer: Layer) -> Contestant:
    """The products of `archsim.torch`, with PyTorch's own gradients."""
    from workloads.modules.products import product

    x, dy = torch.tensor(layer.x, requires_grad=True), torch.tensor(layer.dy)
    weights = [torch.nn.Parameter(torch.tensor(array)) for array in layer.weights]
    products = [product(stage) for stage in layer.stages]
    adam = _torch_adam(weights)

    def step() -> tuple[Any, Any]:
        adam.zero_grad()
        x.grad = None
        y = x
        for multiply, array in zip(products, weights, strict=True):
            y = multiply(array, y)
        y.backward(dy)
        adam.step()
        return y.detach().numpy(), x.grad.numpy()

    return Contestant("archsim.torch", step)


def torch_rows(layer: Layer) -> Contestant:
    """A CSC layer in compressed sparse rows. PyTorch's own gradient of the weights forms the dense matrix,
    and takes a hundred times as long; here it is its sampled product, which computes the stored part alone.
    The transposed matrix of backward has its pattern made in advance."""
    stages = [_TorchRows(stage, array) for stage, array in zip(layer.stages, layer.weights, strict=True)]
    adam = _torch_adam([stage.weights for stage in stages])
    x, first_dy = torch.tensor(layer.x), torch.tensor(layer.dy)

    def step() -> tuple[Any, Any]:
        signals = [x]
        for stage in stages:
            signals.append(stage.forward(signals[-1]))
        dy = first_dy
        for stage, seen in zip(reversed(stages), reversed(signals[:-1]), strict=True):
            dy = stage.backward(seen, dy)
        adam.step()
        return signals[-1].numpy(), dy.numpy()

    return Contestant("PyTorch, CSR", step)


class _TorchRows:
    """One stage; its weights are sorted by input within a row, as MKL wants them."""

    def __init__(self, stage: Stage, weights: Array) -> None:
        assert isinstance(stage, CscStage)
        unsorted = stage.columns().reshape(weights.shape)
        inward = np.argsort(unsorted, axis=1)
        columns = np.take_along_axis(unsorted, inward, axis=1).ravel()
        rows = np.repeat(np.arange(stage.n_out), stage.taps)
        back = np.argsort(columns, kind="stable")
        self.shape = (stage.n_out, stage.n_in)
        self.weights = torch.nn.Parameter(
            torch.tensor(np.take_along_axis(weights, inward, axis=1).ravel()), requires_grad=False
        )
        self.ends, self.columns = torch.arange(stage.n_out + 1) * stage.taps, torch.tensor(columns)
        self.input_ends = torch.tensor(
            np.concatenate(([0], np.cumsum(np.bincount(columns, minlength=stage.n_in))))
        )
        self.rows, self.back = torch.tensor(rows[back]), torch.tensor(back)
        self.nothing = self._matrix(torch.zeros_like(self.weights))

    def _matrix(self, values: Any) -> Any:
        return torch.sparse_csr_tensor(
            self.ends, self.columns, values, size=self.shape, check_invariants=False
        )

    def forward(self, x: Any) -> Any:
        return self._matrix(self.weights) @ x

    def backward(self, x: Any, dy: Any) -> Any:
        """dx; the gradient of the weights is left where the optimiser looks for it."""
        self.weights.grad = torch.sparse.sampled_addmm(self.nothing, dy, x.t(), beta=0.0).values()
        transposed = torch.sparse_csr_tensor(
            self.input_ends, self.rows, self.weights[self.back], size=self.shape[::-1], check_invariants=False
        )
        return transposed @ dy


def _torch_adam(weights: list[Any]) -> Any:
    return torch.optim.Adam(weights, lr=RATE, fused=True)


def prepare_torch(threads: int) -> bool:
    """Whether PyTorch is there; it is given so many threads."""
    if torch is None:
        return False
    warnings.filterwarnings("ignore", message=".*[Ss]parse CSR.*")
    torch.set_num_threads(threads)
    return True
