"""Sparse decomposition: how near a cascade of stages comes to a given matrix, with no data involved.

The task of Isakov and Kinsy, "NeuroFabric" (arXiv 2002.08339): minimise ||W_o - prod W_i|| over the stored
weights of a cascade, for a random dense W_o. The loss is L2, the square of the Frobenius norm, or L1, the
sum of magnitudes; with L1 some entries of W_o are met exactly, and their number says how many constraints
the weights can meet. A stage with an identity skip multiplies by W_i + I.

Both losses are minimised by L-BFGS in double precision from a random start, with the kernels of training
applied to the identity matrix. L1 has no gradient where an entry is met, so |d| is replaced by
sqrt(d^2 + width^2) and the width shrinks in steps from the spread of W_o to a millionth of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from workloads.refusal import Refusal
from workloads.stages import Stage, whole_number
from workloads.topology.topology import Topology
from workloads.training.models.cascade import Cascade
from workloads.training.models.model import initial_arrays

Loss = Literal["l1", "l2"]
LOSSES: tuple[Loss, ...] = get_args(Loss)

MET_WITHIN = 1e-3
"""An entry of W_o is met where the product is this near, as a share of the root mean square of W_o."""
WIDTHS = tuple(float(width) for width in np.logspace(0, -6, 13))
"""The shares of the root mean square of W_o by which L1 is rounded off, one after the other."""
MEMORY, LEAST_CHANGE = 20, 1e-12
"""Gradients that L-BFGS remembers, and the relative change of the loss at which it stops."""

Matrix = NDArray[np.float64]


class DecompositionError(Refusal):
    """A decomposition was asked for with a value that is not allowed."""


@dataclass(frozen=True, eq=False)
class Decomposition:
    """What came out: the weights of every stage, their product, and how far it is from the target.

    `relative_error` is the Frobenius norm of the difference divided by that of the target, `absolute_error`
    the mean magnitude of the difference divided by that of the target, `met` how many entries are within
    MET_WITHIN of the target's root mean square.
    """

    weights: tuple[Matrix, ...]
    product: Matrix
    relative_error: float
    absolute_error: float
    met: int

    def __repr__(self) -> str:
        n_out, n_in = self.product.shape
        error = f"{self.relative_error:.3g}"
        return f"<Decomposition of {n_in} to {n_out}: {self.stored_weights:,} weights, error {error}>"

    @property
    def stored_weights(self) -> int:
        """Number of weights that were free."""
        return sum(weights.size for weights in self.weights)

    @property
    def parameter_efficiency(self) -> float:
        """Entries met divided by stored weights."""
        return self.met / self.stored_weights


def random_target(n_out: int, n_in: int, seed: int) -> Matrix:
    """A dense matrix of independent normal entries of variance 1 / n_in, which keeps the norm of a signal."""
    random = np.random.default_rng([seed, n_out, n_in])
    return random.normal(0.0, n_in**-0.5, size=(n_out, n_in))


def decompose(
    stages: Sequence[Stage],
    target: NDArray[Any],
    *,
    loss: Loss = "l2",
    skips: Sequence[bool] = (),
    seed: int = 0,
    iterations: int = 3000,
) -> Decomposition:
    """Weights of the cascade whose product is near `target` (n_out, n_in); the same call gives the same ones.

    `skips` is that of a `Topology`: a flag a stage, or nothing for none. `iterations` is the most steps of
    L-BFGS, which stops sooner where the loss no longer falls. The start is that of `initial_arrays`.
    """
    product = _Product(stages, skips)
    target = _checked_target(product, target)
    if loss not in LOSSES:
        raise DecompositionError.of("loss of a decomposition", loss, LOSSES)
    iterations = whole_number("a decomposition", "iterations", iterations)
    vector = product.start(np.random.default_rng(seed))
    spread = float(np.sqrt(np.mean(target**2)))
    if loss == "l2":
        vector = _minimise(product, target / spread, spread, None, vector, iterations)
    else:
        for width in WIDTHS:
            vector = _minimise(product, target / spread, spread, width, vector, -(-iterations // len(WIDTHS)))
    weights = product.split(vector)
    reached = product.forward(weights)[-1]
    difference = np.abs(reached - target)
    return Decomposition(
        weights=tuple(weights),
        product=reached,
        relative_error=float(np.linalg.norm(difference) / np.linalg.norm(target)),
        absolute_error=float(difference.mean() / np.abs(target).mean()),
        met=int((difference < MET_WITHIN * spread).sum()),
    )


class _Product:
    """The product of a cascade and its gradient, as functions of one vector of all the weights."""

    def __init__(self, stages: Sequence[Stage], skips: Sequence[bool]) -> None:
        self.topology = Topology((tuple(stages),), tuple(skips))
        self.stages, self.skips = self.topology.stages, self.topology.skipped
        for number, stage in enumerate(self.stages):
            if not stage.stored_weights:
                field = f"stored_weights of stage {number} of a decomposition"
                raise DecompositionError.of(field, 0, "values of at least 1")
        self.cascade = Cascade(self.stages, self.skips)
        self.identity = np.eye(self.stages[0].n_in)
        self.ends = list(itertools.accumulate(stage.stored_weights for stage in self.stages))[:-1]

    @property
    def shape(self) -> tuple[int, int]:
        return (self.stages[-1].n_out, self.stages[0].n_in)

    def start(self, random: np.random.Generator) -> Matrix:
        return np.concatenate([array.ravel() for array in initial_arrays(self.topology, random, np.float64)])

    def split(self, vector: Matrix) -> list[Matrix]:
        parts = np.split(vector, self.ends)
        return [part.reshape(stage.weight_shape) for part, stage in zip(parts, self.stages, strict=True)]

    def forward(self, weights: Sequence[Matrix]) -> list[Matrix]:
        """The identity, then the product of the first stages: one, two, and so on to all of them."""
        return [self.identity, *self.cascade.forward(weights, self.identity)]

    def gradient(self, weights: Sequence[Matrix], products: Sequence[Matrix], slope: Matrix) -> Matrix:
        """The gradient with respect to all weights, from that with respect to the product."""
        gradients = self.cascade.weight_gradients(weights, products[:-1], slope)
        return np.concatenate([gradient.ravel() for gradient in gradients])


def _checked_target(product: _Product, target: NDArray[Any]) -> Matrix:
    checked = np.asarray(target, dtype=np.float64)
    if checked.shape != product.shape:
        raise DecompositionError.of("shape of target", checked.shape, f"{product.shape}, as the cascade is")
    if not np.isfinite(checked).all() or not checked.any():
        raise DecompositionError(
            "target of a decomposition is zero everywhere or not finite, allowed is finite and not all zero"
        )
    return checked


def _minimise(
    product: _Product, target: Matrix, spread: float, width: float | None, start: Matrix, iterations: int
) -> Matrix:
    """The weights after L-BFGS on the mean loss of an entry, `target` being in units of its `spread`."""

    def loss_and_gradient(vector: Matrix) -> tuple[float, Matrix]:
        weights = product.split(vector)
        products = product.forward(weights)
        difference = products[-1] / spread - target
        if width is None:
            size, slope = difference**2, 2 * difference
        else:
            size = np.sqrt(difference**2 + width**2)
            slope = difference / size
        return float(size.mean()), product.gradient(weights, products, slope / (spread * target.size))

    # A step that is too long on a deep cascade overflows; the search then takes a shorter one.
    with np.errstate(over="ignore", invalid="ignore"):
        least = scipy.optimize.minimize(
            loss_and_gradient,
            start,
            jac=True,
            method="L-BFGS-B",
            options={
                "maxiter": iterations,
                "maxfun": 2 * iterations,
                "maxcor": MEMORY,
                "ftol": LEAST_CHANGE,
                "gtol": 0.0,
            },
        )
    return np.asarray(least.x)
