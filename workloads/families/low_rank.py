"""Low-rank layers: two dense stages with few places between them.

The classical factorisation, for networks for example Denil et al., "Predicting Parameters in Deep Learning"
(arXiv 1306.0543). A layer of rank k stores k * (n_in + n_out) weights; k paths lead from any input to any
output.
"""

from __future__ import annotations

from workloads.families.registry import families
from workloads.stages import DenseStage, Stage, whole_number


@families.register(
    "low-rank",
    grid=lambda n_in, n_out: [{"rank": rank} for rank in range(1, min(n_in, n_out) + 1)],
    examples=[(12, 9, {"rank": 3}), (9, 4, {"rank": 2})],
)
def low_rank(n_in: int, n_out: int, *, rank: int) -> tuple[Stage, ...]:
    """A dense stage to `rank` places and one from there."""
    rank = whole_number("a low-rank layer", "rank", rank)
    return (DenseStage(n_in, rank), DenseStage(rank, n_out))
