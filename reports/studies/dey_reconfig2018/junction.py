"""A junction that works edge by edge, z edges a clock: its pattern of connections, and its clocks one by one.

The left activations lie in z memories of one read port, left neuron i in memory i mod z. A clock reads z
weights and the z activations they multiply; a pattern is *clash-free* where these lie in z different
memories, so that each is read just once. The model below is a pipeline with memories that serve one read a
clock. It knows no formula for the number of clocks, and it computes the sums.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal

Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Junction:
    """Two layers and the connections between them: each left neuron has `fan_out`, `z` are worked off a
    clock. Raises a refusal where the sizes do not divide."""

    n_left: int
    n_right: int
    fan_out: int
    z: int

    def __post_init__(self) -> None:
        for name, value, divisor in (
            ("n_left * fan_out", self.edges, "n_right"),
            ("n_left", self.n_left, "z"),
            ("n_left * fan_out", self.edges, "z"),
        ):
            if value % getattr(self, divisor):
                raise Refusal(
                    f"{name} is {value}, allowed are multiples of {divisor}, {getattr(self, divisor)}"
                )
        if max(self.z, self.fan_in) % min(self.z, self.fan_in):
            raise Refusal(f"z is {self.z}, allowed are multiples and divisors of the fan-in, {self.fan_in}")

    @property
    def edges(self) -> int:
        return self.n_left * self.fan_out

    @property
    def fan_in(self) -> int:
        return self.edges // self.n_right

    @property
    def depth(self) -> int:
        """Words in each memory of left activations."""
        return self.n_left // self.z

    @property
    def steps(self) -> int:
        """Groups of z edges."""
        return self.edges // self.z


def clash_free_pattern(junction: Junction, seed: int) -> Integers:
    """The left neuron of every edge, shape (steps, z), edges in the order of their right neurons.

    In every sweep over the left layer each memory is read once at each of its words, from a start address of
    its own on; the lanes that the memories feed change from sweep to sweep. After the interleavers of Dey,
    Beerel and Chugg, arXiv 1711.06935.
    """
    random = np.random.default_rng(seed)
    steps = []
    for _ in range(junction.fan_out):
        start = random.integers(junction.depth, size=junction.z)
        memory_of_lane = random.permutation(junction.z)
        steps += [
            ((start + clock) % junction.depth * junction.z + np.arange(junction.z))[memory_of_lane]
            for clock in range(junction.depth)
        ]
    return np.array(steps, dtype=np.int64)


def random_pattern(junction: Junction, seed: int) -> Integers:
    """A pattern of the same fan-in and fan-out that was drawn without a thought of the memories."""
    edges = np.repeat(np.arange(junction.n_left, dtype=np.int64), junction.fan_out)
    return np.random.default_rng(seed).permutation(edges).reshape(junction.steps, junction.z)


def reads_of_busiest_memory(junction: Junction, lefts: Integers) -> int:
    """How often the busiest memory is read for these left neurons. Lanes that want the same word share a
    read."""
    wanted = np.unique(lefts)
    return int(np.bincount(wanted % junction.z).max())


def is_clash_free(junction: Junction, pattern: Integers) -> bool:
    """Whether every step reads each of the z memories exactly once."""
    memories = np.sort(pattern % junction.z, axis=1)
    return bool((memories == np.arange(junction.z)).all())


def degrees_hold(junction: Junction, pattern: Integers) -> bool:
    """Whether each left neuron has `fan_out` edges, each right one `fan_in`, and no two of them are
    equal."""
    rights = np.arange(junction.edges) // junction.fan_in
    pairs = pattern.ravel() * junction.n_right + rights
    lefts = np.bincount(pattern.ravel(), minlength=junction.n_left)
    return bool((lefts == junction.fan_out).all()) and len(np.unique(pairs)) == junction.edges


@dataclass(frozen=True, eq=False)
class JunctionRun:
    """The clocks from the first read to the last write, the sums of the right neurons, and what was used."""

    clocks: int
    sums: Integers
    products_a_clock: int
    weights_read: int
    waits: int
    """Clocks in which a memory served a second read of one step."""


def run_junction(
    junction: Junction, pattern: Integers, weights: Integers, left: Integers, stages: Sequence[str]
) -> JunctionRun:
    """Runs one input through a junction, clock by clock.

    `weights` (steps, z) and `left` (n_left,) are integers; `stages` names what is done to a step, a
    clock each, from the read on to the write.
    """
    pipeline: deque[tuple[int, Integers] | None] = deque([None] * (len(stages) - 1))
    partial = np.zeros(junction.n_right, dtype=np.int64)
    written = np.zeros(junction.n_right, dtype=bool)
    edges_done = np.zeros(junction.n_right, dtype=np.int64)
    step = clocks = waits = most_products = weights_read = reads_left = 0
    while not written.all():
        clocks += 1
        arriving = pipeline.pop()
        if arriving is not None:
            number, products = arriving
            rights = (number * junction.z + np.arange(junction.z)) // junction.fan_in
            np.add.at(partial, rights, products)
            np.add.at(edges_done, rights, 1)
            written |= edges_done == junction.fan_in
        issued = None
        if step < junction.steps:
            reads_left = reads_left or reads_of_busiest_memory(junction, pattern[step])
            reads_left -= 1
            waits += reads_left > 0
            if not reads_left:
                issued = step, weights[step] * left[pattern[step]]
                most_products = max(most_products, len(weights[step]))
                weights_read += len(weights[step])
                step += 1
        pipeline.appendleft(issued)
    return JunctionRun(clocks, partial, most_products, weights_read, waits)
