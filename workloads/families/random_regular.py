"""Random regular layers: every output reads so many inputs, drawn at random but used evenly.

A random biregular graph by the pairing model (Bollobas, European Journal of Combinatorics 1, 1980): the
sockets of the outputs are dealt to a shuffled deck in which every input occurs equally often, or once more,
and an input that meets an output twice is exchanged with one drawn at random. Fan-outs differ by at most
one. A layer of depth D runs from n_in over min(n_in, n_out) places to n_out, and stores
F ((D - 1) min(n_in, n_out) + n_out) weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.families.rectangular import from_columns
from workloads.families.registry import families
from workloads.stages import Stage, whole_number

OWNER = "a random-regular layer"
EXCHANGES = 1000
"""Exchanges tried for one repeated input before the deck is shuffled anew."""


def generator(owner: str, seed: int) -> np.random.Generator:
    """The random numbers of a seed, or a `TopologyError` if that is no integer of at least 0."""
    return np.random.default_rng(whole_number(owner, "seed", seed, 0))


def regular_columns(n_in: int, n_out: int, fan_in: int, random: np.random.Generator) -> NDArray[np.int64]:
    """The inputs of every output, shape (n_out, fan_in), distinct in a row; fan-outs differ by at most 1."""
    if 2 * fan_in > n_in and fan_in != 1:
        unread = np.ones((n_out, n_in), dtype=bool)
        if fan_in < n_in:
            rows = np.arange(n_out)[:, None]
            unread[rows, regular_columns(n_in, n_out, n_in - fan_in, random)] = False
        return np.nonzero(unread)[1].reshape(n_out, fan_in)
    while True:
        times, more = divmod(n_out * fan_in, n_in)
        deck = np.concatenate([np.tile(np.arange(n_in), times), random.permutation(n_in)[:more]])
        dealt = random.permutation(deck).reshape(n_out, fan_in)
        if _without_repeats(dealt, random):
            return dealt


def _without_repeats(dealt: NDArray[np.int64], random: np.random.Generator) -> bool:
    """Exchange repeated inputs in place until no row has one; False if one finds no partner."""
    n_out, fan_in = dealt.shape
    for row in range(n_out):
        seen: set[int] = set()
        for place in range(fan_in):
            tried = 0
            while dealt[row, place] in seen:
                other, there = int(random.integers(n_out)), int(random.integers(fan_in))
                ours, theirs = dealt[row, place], dealt[other, there]
                tried += 1
                if tried > EXCHANGES:
                    return False
                if other != row and theirs not in dealt[row] and ours not in dealt[other]:
                    dealt[row, place], dealt[other, there] = theirs, ours
            seen.add(int(dealt[row, place]))
    return True


def _sizes(n_in: int, n_out: int, fan_in: int, depth: int) -> list[int]:
    """Places before, between and after the stages."""
    side = min(n_in, n_out)
    sizes = [n_in, *[side] * (whole_number(OWNER, "depth", depth) - 1), n_out]
    whole_number(OWNER, "fan_in", fan_in, 1, min(sizes[:-1]), "the fewest inputs of a stage")
    return sizes


def regular_weights(n_in: int, n_out: int, *, fan_in: int, depth: int = 1, seed: int = 0) -> int:
    """F ((D - 1) min(n_in, n_out) + n_out)."""
    return fan_in * sum(_sizes(n_in, n_out, fan_in, depth)[1:])


def every_fan_in(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """One stage of every fan-in."""
    yield from ({"fan_in": fan_in} for fan_in in range(1, n_in + 1))


@families.register(
    "random-regular",
    weights=regular_weights,
    grid=every_fan_in,
    examples=[
        (12, 9, {"fan_in": 5}),
        (9, 4, {"fan_in": 8, "seed": 3}),
        (9, 9, {"fan_in": 3, "depth": 3}),
        (7, 11, {"fan_in": 2, "depth": 2, "seed": 1}),
        (6, 5, {"fan_in": 6}),
    ],
)
def random_regular(n_in: int, n_out: int, *, fan_in: int, depth: int = 1, seed: int = 0) -> tuple[Stage, ...]:
    """`depth` stages of `fan_in`, drawn by `seed`."""
    sizes, random = _sizes(n_in, n_out, fan_in, depth), generator(OWNER, seed)
    return tuple(from_columns(a, regular_columns(a, b, fan_in, random)) for a, b in pairwise(sizes))
