"""Block sparsity: small blocks of the matrix go as a whole, those with the least weights first.

S. Narang, E. Undersander and G. Diamos, "Block-sparse recurrent neural networks", arXiv 1711.02782, 2017, who
prune blocks a few more at a time too, by their largest weight; the norm is that of H. Mao et al., "Exploring
the granularity of sparsity in convolutional neural networks", CVPR workshops 2017, as a root mean square,
so that a block that the edge cuts is judged like a whole one.

To the hardware this is a pruned network like any other. Where rows and columns are powers of two, the
`pruned` engine finds the blocks by itself and stores one index for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from workloads.stages import Stage
from workloads.training.models.model import Model
from workloads.training.pruning.budget import BudgetedPruning, dense_sizes
from workloads.training.pruning.gradual import GradualPruning
from workloads.training.pruning.registry import methods
from workloads.training.pruning.schedule import row_numbers
from workloads.training.schema import RecipeError, Shape, Whole


@methods.register("blocks")
class BlockPruning(BudgetedPruning, GradualPruning):
    """Blocks of `rows` outputs by `columns` inputs, which begin at multiples of these; those at the edges of
    a matrix may be smaller. As many are kept as the budget holds whole."""

    rows: Whole = Field(ge=1)
    columns: Whole = Field(ge=1)
    example: ClassVar[dict[str, Any]] = {"stored_weights": 100, "rows": 2, "columns": 2}

    def check(self, shapes: Sequence[Shape], epochs: int) -> None:
        super().check(shapes, epochs)
        least = {"rows": min(n_out for _, n_out in shapes), "columns": min(n_in for n_in, _ in shapes)}
        for name, most in least.items():
            if getattr(self, name) > most:
                allowed = f"1 to {most}, those of the smallest layer"
                raise RecipeError.of(f"pruning.{name}", getattr(self, name), allowed)
        block = self.rows * self.columns
        for name, budgets in (
            ("stored_weights", [self.stored_weights]),
            ("layer_weights", self.layer_weights or []),
        ):
            if any(budget is not None and budget < block for budget in budgets):
                allowed = f"at least {block}, the weights of a block"
                raise RecipeError.of(f"pruning.{name}", getattr(self, name), allowed)

    def blocks_of(self, stage: Stage) -> NDArray[np.int64]:
        """The number of the block that each stored weight lies in, row by row."""
        wide = -(-stage.n_in // self.columns)
        return row_numbers(stage) // self.rows * wide + stage.columns() // self.columns

    def kept(self, model: Model, left: float) -> list[NDArray[np.int64]]:
        scores, sizes, members = [], [], []
        for stage, weights in zip(model.topology.stages, model.of_stages, strict=True):
            _, inside, size = np.unique(self.blocks_of(stage), return_inverse=True, return_counts=True)
            squares = np.bincount(inside, weights=weights.ravel().astype(np.float64) ** 2)
            scores.append(np.sqrt(squares / size))
            sizes.append(size)
            members.append(inside)
        chosen = self.best(
            scores,
            sizes,
            dense_sizes(model),
            lambda target, full: round(target + left * (full - target)),
        )
        return [
            np.flatnonzero(np.isin(inside, blocks)) for inside, blocks in zip(members, chosen, strict=True)
        ]
