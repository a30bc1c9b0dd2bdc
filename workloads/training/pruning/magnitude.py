"""Gradual magnitude pruning: the smallest weights go, a few more at every event.

M. Zhu and S. Gupta, "To prune, or not to prune", ICLR workshops 2018, arXiv 1710.01878. Between events the
network trains as the sparse network it has become: its stages are `PrunedStage`s, and no mask is kept over a
dense matrix.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workloads.training.models.model import Model
from workloads.training.pruning.budget import BudgetedPruning
from workloads.training.pruning.gradual import GradualPruning
from workloads.training.pruning.registry import MAGNITUDE, methods


@methods.register(MAGNITUDE)
class MagnitudePruning(BudgetedPruning, GradualPruning):
    """The smallest magnitudes of the network go, wherever they are, or those of each layer with a budget for
    each."""

    method: str = MAGNITUDE
    example: ClassVar[dict[str, Any]] = {"stored_weights": 100}

    def kept(self, model: Model, left: float) -> list[NDArray[np.int64]]:
        return self.largest(model, lambda target, full: round(target + left * (full - target)))
