"""A pruned layer: one stage with the connections that a mask keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.families.registry import family
from workloads.stages import PrunedStage, Stage, TopologyError


@family("pruned")
def pruned(n_in: int, n_out: int, *, mask: NDArray[Any]) -> tuple[Stage, ...]:
    """The places where `mask`, shape (n_out, n_in), is true."""
    mask = np.asarray(mask)
    if mask.shape != (n_out, n_in):
        raise TopologyError(f"mask of a pruned layer has shape {mask.shape}; it must be {(n_out, n_in)}.")
    return (PrunedStage.from_mask(mask),)
