"""A dense layer: one stage, every weight stored."""

from __future__ import annotations

from workloads.families.registry import family
from workloads.stages import DenseStage, Stage


@family("dense")
def dense(n_in: int, n_out: int) -> tuple[Stage, ...]:
    """n_in * n_out weights in one stage."""
    return (DenseStage(n_in, n_out),)
