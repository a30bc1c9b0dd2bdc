"""A pruned layer: one stage with the connections that a mask keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.families.registry import families
from workloads.stages import PrunedStage, Stage, TopologyError


@families.register(
    "pruned",
    examples=[
        (12, 9, {"mask": np.arange(108).reshape(9, 12) * 7 % 5 < 2}),
        (9, 4, {"mask": np.arange(36).reshape(4, 9) * 5 % 7 < 4}),
    ],
)
def pruned(n_in: int, n_out: int, *, mask: NDArray[Any]) -> tuple[Stage, ...]:
    """The places where `mask`, shape (n_out, n_in), is true.

    Which these are is decided while a network trains (magnitude pruning), so there is no grid for a budget.
    """
    if np.shape(mask) != (n_out, n_in):
        raise TopologyError(f"mask of a pruned layer has shape {np.shape(mask)}, allowed is {(n_out, n_in)}")
    return (PrunedStage.from_mask(np.asarray(mask)),)
