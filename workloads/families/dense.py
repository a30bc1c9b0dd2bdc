"""A dense layer: one stage, every weight stored."""

from __future__ import annotations

from workloads.families.registry import families
from workloads.stages import DenseStage, Stage


@families.register("dense", grid=lambda n_in, n_out: [{}], examples=[(12, 9, {}), (9, 4, {})])
def dense(n_in: int, n_out: int) -> tuple[Stage, ...]:
    """n_in * n_out weights in one stage."""
    return (DenseStage(n_in, n_out),)
