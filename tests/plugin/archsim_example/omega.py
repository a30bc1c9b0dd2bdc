"""Omega layers: butterflies with a perfect shuffle before every stage (Lawrie, 1975)."""

from __future__ import annotations

from workloads import BlockStage, Stage, TopologyError
from workloads.families import families


def _weights(n_in: int, n_out: int) -> int:
    return n_in * 2 * (n_in.bit_length() - 1)


@families.register("omega", weights=_weights, examples=[(8, 8, {}), (16, 16, {})])
def omega(n_in: int, n_out: int) -> tuple[Stage, ...]:
    """log2(n) stages of 2 x 2 blocks, each of which reads places half a layer apart; n is a power of two."""
    if n_in != n_out or n_in < 2 or n_in & (n_in - 1):
        raise TopologyError.of("omega.n_in", n_in, "powers of two from 2 on, with as many outputs")
    return (BlockStage(n_in // 2, 2, 2),) * (n_in.bit_length() - 1)
