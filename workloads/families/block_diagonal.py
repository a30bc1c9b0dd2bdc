"""Block diagonal layers: inputs and outputs fall into groups that know nothing of each other.

The grouped connections of Krizhevsky et al. (NIPS 2012) for a fully connected layer. Block b of B has the
inputs i with floor(i B / n_in) = b, and the outputs alike: contiguous groups whose sizes differ by at most
one. B groups store the sum over them of their inputs times their outputs, which is n_in n_out / B where B
divides both. With more than one group the layer is not fully connected.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workloads.families.registry import families
from workloads.stages import KroneckerStage, PrunedStage, Stage, whole_number


def _groups(n_in: int, n_out: int, blocks: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The block of every input and of every output."""
    limit = "the smaller side of the layer"
    blocks = whole_number("a block-diagonal layer", "blocks", blocks, 1, min(n_in, n_out), limit)
    return np.arange(n_in) * blocks // n_in, np.arange(n_out) * blocks // n_out


def block_weights(n_in: int, n_out: int, *, blocks: int) -> int:
    """The sum over the blocks of inputs times outputs."""
    of_input, of_output = _groups(n_in, n_out, blocks)
    return int(np.bincount(of_input) @ np.bincount(of_output))


@families.register(
    "block-diagonal",
    weights=block_weights,
    grid=lambda n_in, n_out: [{"blocks": blocks} for blocks in range(1, min(n_in, n_out) + 1)],
    examples=[(12, 9, {"blocks": 3}), (9, 4, {"blocks": 2}), (7, 5, {"blocks": 5})],
)
def block_diagonal(n_in: int, n_out: int, *, blocks: int) -> tuple[Stage, ...]:
    """One stage of `blocks` dense blocks on the diagonal."""
    of_input, of_output = _groups(n_in, n_out, blocks)
    if n_in % blocks == 0 and n_out % blocks == 0:
        return (KroneckerStage(blocks, n_out // blocks, n_in // blocks, 1),)
    lengths = np.bincount(of_input)[of_output]
    first = np.searchsorted(of_input, of_output)
    columns = np.concatenate([np.arange(a, a + k) for a, k in zip(first, lengths, strict=True)])
    return (PrunedStage(n_in, n_out, np.concatenate(([0], np.cumsum(lengths))), columns),)
