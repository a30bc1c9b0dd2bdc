"""Clash-free pre-defined sparsity: random connections that z memories can read without a conflict.

After Dey, Huang, Beerel and Chugg, "Pre-Defined Sparse Neural Networks with Hardware Acceleration" (arXiv
1812.01164). Input i stands in memory i mod z at address floor(i / z). A cycle reads one word of every
memory: in cycle t of a sweep, memory q reads address (a_q + t) mod n_in / z, so that a sweep of n_in / z
cycles reads every input once. The start addresses a_q are drawn anew for every sweep. The connections are
the words in the order in which they are read; output j takes the next F of them. Where an output spans two
sweeps, the new a_q are drawn among those that give it no input twice. One stage, F n_out weights. The paper
has F n_out a multiple of n_in; here the last sweep may end early, so fan-outs differ by at most one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workloads.families.random_regular import every_fan_in, generator
from workloads.families.rectangular import dividing, from_columns
from workloads.families.registry import families
from workloads.stages import Stage, whole_number

OWNER = "a dey layer"


def _memories(n_in: int, fan_in: int, memories: int | None) -> int:
    """z, checked; by default the largest divisor of n_in that is at most its root."""
    whole_number(OWNER, "fan_in", fan_in, 1, n_in, "the inputs of the layer")
    if memories is None:
        return max(z for z in range(1, n_in + 1) if z * z <= n_in and n_in % z == 0)
    return dividing(OWNER, "memories", memories, "n_in", n_in)


def dey_weights(n_in: int, n_out: int, *, fan_in: int, memories: int | None = None, seed: int = 0) -> int:
    """F n_out."""
    _memories(n_in, fan_in, memories)
    return fan_in * n_out


def _next_sweep(
    memories: int, addresses: int, taken: NDArray[np.int64], missing: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """The inputs of a sweep in the order in which they are read, none of the first `missing` in `taken`."""
    starts = np.empty(memories, dtype=np.int64)
    for memory in range(memories):
        held = taken[taken % memories == memory] // memories
        cycles = len(range(memory, missing, memories))
        times = np.arange(addresses)[:, None] + np.arange(cycles)
        free = ~np.isin(times % addresses, held).any(axis=1)
        starts[memory] = random.choice(np.flatnonzero(free))
    read = (starts + np.arange(addresses)[:, None]) % addresses
    return (read * memories + np.arange(memories)).ravel()


@families.register(
    "dey",
    weights=dey_weights,
    grid=every_fan_in,
    examples=[
        (12, 9, {"fan_in": 4, "memories": 4}),
        (9, 4, {"fan_in": 5, "seed": 3}),
        (12, 7, {"fan_in": 5, "memories": 6}),
        (8, 16, {"fan_in": 8}),
    ],
)
def dey(
    n_in: int, n_out: int, *, fan_in: int, memories: int | None = None, seed: int = 0
) -> tuple[Stage, ...]:
    """One stage of `fan_in`, read from `memories` memories in an order drawn by `seed`."""
    z, random = _memories(n_in, fan_in, memories), generator(OWNER, seed)
    read = np.empty(0, dtype=np.int64)
    while read.size < fan_in * n_out:
        spanning = read.size % fan_in
        missing = fan_in - spanning if spanning else 0
        taken = read[read.size - spanning :]
        read = np.concatenate([read, _next_sweep(z, n_in // z, taken, missing, random)])
    return (from_columns(n_in, read[: fan_in * n_out].reshape(n_out, fan_in)),)
