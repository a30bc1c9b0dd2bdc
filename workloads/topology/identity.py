"""Identity skips as weights: y = W x + x is (W + I) x, so hardware needs nothing for them that it has not.

A stage that reads itself, as dense, CSC and square Kronecker stages do, and hypercubes and tori, takes the
identity into the weights that it has, of its own kind and at no cost. Any other one becomes a pruned stage,
of one more weight in each row that did not read its own place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.stages import PrunedStage, Stage


def with_identity(stage: Stage, weights: NDArray[Any], one: float = 1) -> tuple[Stage, NDArray[Any]]:
    """A square stage and its weights, shape `weight_shape`, with `one` added on its diagonal."""
    rows, columns = np.repeat(np.arange(stage.n_out), stage.row_lengths()), stage.columns()
    own = rows == columns
    if own.sum() == stage.n_out:
        return stage, weights + np.where(own, weights.dtype.type(one), 0).reshape(weights.shape)
    places = np.arange(stage.n_out)
    row = np.concatenate([rows, places])
    column = np.concatenate([columns, places])
    value = np.concatenate([weights.ravel(), np.full(stage.n_out, one, dtype=weights.dtype)])
    keys, place = np.unique(row * stage.n_in + column, return_inverse=True)
    joined = np.zeros(len(keys), dtype=weights.dtype)
    np.add.at(joined, place, value)
    row, column = np.divmod(keys, stage.n_in)
    ends = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=stage.n_out))])
    return PrunedStage(stage.n_in, stage.n_out, ends, column), joined
