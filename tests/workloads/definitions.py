"""What each family is by definition, with dense matrices and loops and none of the package's own code.

A definition is given the matrices of a cascade, 1 where a weight is stored, and asserts that they are right.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.int64]
Definition = Callable[..., None]


def ones(rows: int, columns: int) -> Matrix:
    return np.ones((rows, columns), dtype=np.int64)


def matrix(n_out: int, n_in: int, joined: Callable[[int, int], bool]) -> Matrix:
    """1 where output j and input i are `joined(j, i)`."""
    return np.array([[joined(j, i) for i in range(n_in)] for j in range(n_out)], dtype=np.int64)


def wrapped(core: Sequence[Matrix], n_in: int, n_out: int, width: int = 1) -> list[Matrix]:
    """Input i enters at place i mod m, output j leaves at place j mod m."""
    m = core[0].shape[0]
    sizes = [n_in, *[width * m] * (len(core) - 1), n_out]
    return [
        square[np.ix_(np.arange(b) % m, np.arange(a) % m)]
        for square, (a, b) in zip(core, itertools.pairwise(sizes), strict=True)
    ]


def equal(found: Sequence[Matrix], expected: Sequence[Matrix]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def room(base: int, side: int) -> int:
    """The largest power of `base` that is at most `side`."""
    power = base
    while power * base <= side:
        power *= base
    return power


def product(matrices: Sequence[Matrix]) -> Matrix:
    total = np.eye(matrices[0].shape[1], dtype=np.int64)
    for each in matrices:
        total = each @ total
    return total


def dense(found: list[Matrix], n_in: int, n_out: int) -> None:
    equal(found, [ones(n_out, n_in)])


def low_rank(found: list[Matrix], n_in: int, n_out: int, rank: int) -> None:
    equal(found, [ones(rank, n_in), ones(n_out, rank)])


def pruned(found: list[Matrix], n_in: int, n_out: int, mask: Any) -> None:
    equal(found, [np.asarray(mask).astype(np.int64)])


def block_diagonal(found: list[Matrix], n_in: int, n_out: int, blocks: int) -> None:
    equal(found, [matrix(n_out, n_in, lambda j, i: j * blocks // n_out == i * blocks // n_in)])


def csc(found: list[Matrix], n_in: int, n_out: int, fan_in: int, depth: int | None = None) -> None:
    def stage(ring: int, outputs: int, taps: int, stride: int) -> Matrix:
        return matrix(outputs, ring, lambda j, i: i in {(j + k * stride) % ring for k in range(taps)})

    if fan_in >= n_in:
        equal(found, [ones(n_out, n_in)])
        return
    ring = min(n_in, n_out)
    count = depth or next(k for k in itertools.count(1) if fan_in**k >= ring)
    fold = [stage(n_in, n_out, math.ceil(n_in / n_out), n_out)] if n_in > n_out else []
    sizes = [ring] * (count - 1) + [n_out]
    equal(found, fold + [stage(ring, size, fan_in, fan_in**level) for level, size in enumerate(sizes)])


def clos(
    found: list[Matrix],
    n_in: int,
    n_out: int,
    ingress: int,
    middle: int,
    egress: int,
    stages: int = 3,
    second: int | None = None,
    inner: int | None = None,
) -> None:
    """A block is complete; wire (b, c) joins output c of block b to input b of block c of the next column."""
    assert len(found) == stages
    first, *between, last = found
    np.testing.assert_array_equal(
        first, matrix(ingress * middle, n_in, lambda j, i: j // middle == i % ingress)
    )
    sources = (second or middle) if stages == 4 else middle
    np.testing.assert_array_equal(
        last, matrix(n_out, sources * egress, lambda j, i: j // (n_out // egress) == i % egress)
    )
    if stages == 4:
        equal(
            between,
            [
                matrix(middle * sources, ingress * middle, lambda j, i: j // sources == i % middle),
                matrix(sources * egress, middle * sources, lambda j, i: j // egress == i % sources),
            ],
        )
        return
    # Middle network c leads its wires to its own outputs, and five stages have several paths through it.
    paths = product(between)
    own = matrix(middle * egress, ingress * middle, lambda j, i: j // egress == i % middle)
    np.testing.assert_array_equal(paths > 0, own > 0)
    through = np.unique(paths[own > 0])
    assert through.size == 1
    if stages == 5:
        assert inner is None or through[0] == inner
        for each in between:
            rows = {tuple(row) for row in each.tolist()}
            assert (np.array(sorted(rows)).sum(axis=0) == 1).all(), "blocks are complete and apart"
        assert len({tuple(row) for row in between[1].tolist()}) == middle * through[0]


def butterfly_core(radix: int, depth: int) -> list[Matrix]:
    """Stage l joins the places that differ in digit l at most."""

    def joined(level: int, p: int, q: int) -> bool:
        digits = [(p // radix**k % radix, q // radix**k % radix) for k in range(depth) if k != level]
        return all(one == other for one, other in digits)

    places = radix**depth
    return [matrix(places, places, lambda q, p, level=level: joined(level, p, q)) for level in range(depth)]  # type: ignore[misc]


def butterfly(found: list[Matrix], n_in: int, n_out: int, radix: int = 2, places: int | None = None) -> None:
    m = places or room(radix, min(n_in, n_out))
    equal(found, wrapped(butterfly_core(radix, round(math.log(m, radix))), n_in, n_out))


def parallel_butterfly(
    found: list[Matrix],
    n_in: int,
    n_out: int,
    copies: int,
    radix: int = 2,
    places: int | None = None,
    seed: int = 0,
) -> None:
    m = places or room(radix, min(n_in, n_out))
    core = butterfly_core(radix, round(math.log(m, radix)))
    if copies == 1:
        equal(found, wrapped(core, n_in, n_out))
        return
    first, *inner, last = found
    entry = matrix(m, n_in, lambda j, i: core[0][j, i % m])
    blocks = np.split(first, copies)
    np.testing.assert_array_equal(blocks[0], entry)
    for block in blocks:  # the same columns in another order
        assert sorted(map(tuple, block.T.tolist())) == sorted(map(tuple, entry.T.tolist()))
    assert any((block != entry).any() for block in blocks)
    equal(inner, [np.kron(np.eye(copies, dtype=np.int64), square) for square in core[1:-1]])
    summed = np.hstack([core[-1]] * copies)
    np.testing.assert_array_equal(last, matrix(n_out, copies * m, lambda j, i: summed[j % m, i]))


def benes_core(places: int) -> list[Matrix]:
    """Two networks of half the size side by side, between two columns of crossbars that join them."""
    if places == 2:
        return [ones(2, 2)]
    column = np.kron(ones(2, 2), np.eye(places // 2, dtype=np.int64))
    halves = [np.kron(np.eye(2, dtype=np.int64), inner) for inner in benes_core(places // 2)]
    return [column, *halves, column]


def benes(found: list[Matrix], n_in: int, n_out: int, places: int | None = None) -> None:
    equal(found, wrapped(benes_core(places or room(2, min(n_in, n_out))), n_in, n_out))


def hypercube(
    found: list[Matrix], n_in: int, n_out: int, depth: int | None = None, places: int | None = None
) -> None:
    m = places or room(2, min(n_in, n_out))
    square = matrix(m, m, lambda q, p: (p ^ q).bit_count() <= 1)
    equal(found, wrapped([square] * (depth or m.bit_length() - 1), n_in, n_out))


def torus(
    found: list[Matrix],
    n_in: int,
    n_out: int,
    dimensions: int = 2,
    radius: int = 1,
    depth: int | None = None,
    places: int | None = None,
) -> None:
    most = places or min(n_in, n_out)
    candidates = itertools.product(range(1, most + 1), repeat=dimensions)
    even = [c for c in candidates if math.prod(c) <= most and max(c) - min(c) <= 1]
    sides = max(even, key=lambda c: (math.prod(c), c))
    points = list(itertools.product(*(range(side) for side in sides)))

    def near(q: int, p: int) -> bool:
        gaps = [abs(a - b) for a, b in zip(points[q], points[p], strict=True)]
        steps = [min(gap, side - gap) for gap, side in zip(gaps, sides, strict=True)]
        return sum(step > 0 for step in steps) <= 1 and max(steps) <= radius

    square = matrix(len(points), len(points), near)
    if depth is None:
        depth = next(k for k in itertools.count(1) if (np.linalg.matrix_power(square, k) > 0).all())
    equal(found, wrapped([square] * depth, n_in, n_out))


def radix(found: list[Matrix], n_in: int, n_out: int, radices: Any, width: int = 1) -> None:
    """Sums of powers of the cyclic permutation, Kepner and Robinett's equation for mixed radices."""
    systems = radices if isinstance(radices[0], list) else [radices]
    m = math.prod(systems[0])
    turn = np.roll(np.eye(m, dtype=np.int64), 1, axis=1)
    core = []
    for system in systems:
        stride = 1
        for r in system:
            powers = [np.linalg.matrix_power(turn, k * stride) for k in range(r)]
            core.append(np.sum(powers, axis=0))
            stride *= r
    equal(found, wrapped(core, n_in, n_out, width))


def monarch(found: list[Matrix], n_in: int, n_out: int, ingress: int, egress: int, paths: int = 1) -> None:
    block = paths * egress
    equal(
        found,
        [
            matrix(ingress * block, n_in, lambda j, i: j // block == i % ingress),
            matrix(n_out, ingress * block, lambda j, i: j // (n_out // egress) == i % egress),
        ],
    )
    assert (product(found) == paths).all()


def deformable_butterfly(found: list[Matrix], n_in: int, n_out: int, blocks: Any) -> None:
    """Stage i replaces the first digit that is left of the input by one of the output, at the end."""
    digits, expected = [inputs for inputs, _ in blocks], []
    for inputs, outputs in blocks:
        assert digits[0] == inputs
        rest = math.prod(digits[1:])
        read = np.kron(ones(1, inputs), np.eye(rest, dtype=np.int64))
        expected.append(np.kron(read, ones(outputs, 1)))
        digits = [*digits[1:], outputs]
    equal(found, expected)
    assert (product(found) == 1).all()


def kronecker(found: list[Matrix], n_in: int, n_out: int, factors: Any) -> None:
    equal(
        found,
        [
            np.kron(np.kron(np.eye(a, dtype=np.int64), ones(b, c)), np.eye(d, dtype=np.int64))
            for a, b, c, d in factors
        ],
    )


def _evenly_used(stage: Matrix, fan_in: int) -> None:
    assert (stage.sum(axis=1) == fan_in).all()
    assert np.ptp(stage.sum(axis=0)) <= 1


def random_regular(
    found: list[Matrix], n_in: int, n_out: int, fan_in: int, depth: int = 1, seed: int = 0
) -> None:
    sizes = [n_in, *[min(n_in, n_out)] * (depth - 1), n_out]
    assert [stage.shape[::-1] for stage in found] == list(itertools.pairwise(sizes))
    for stage in found:
        _evenly_used(stage, fan_in)


def expander(
    found: list[Matrix], n_in: int, n_out: int, fan_in: int, depth: int | None = None, seed: int = 0
) -> None:
    m = min(n_in, n_out)
    squares = [stage[:m, :m] for stage in found]
    equal(found, wrapped(squares, n_in, n_out))
    assert len(found) == (depth or next(k for k in itertools.count(1) if fan_in**k >= m) + 1)
    for square in squares:
        _evenly_used(square, fan_in)
        assert (square.sum(axis=0) == fan_in).all()
        assert np.linalg.svd(square, compute_uv=False)[1] <= 1.05 * 2 * math.sqrt(fan_in - 1)


def dey(
    found: list[Matrix], n_in: int, n_out: int, fan_in: int, memories: int | None = None, seed: int = 0
) -> None:
    (stage,) = found
    _evenly_used(stage, fan_in)
    z = memories or max(z for z in range(1, n_in + 1) if n_in % z == 0 and z * z <= n_in)
    addresses = n_in // z
    for place, row in enumerate(stage):
        start = place * fan_in % n_in
        if start + fan_in > n_in:
            continue  # an output that spans two sweeps
        for memory in range(z):
            # Words start to start + fan_in of a sweep: word t reads memory t mod z.
            cycles = [t // z for t in range(start, start + fan_in) if t % z == memory]
            read = {i // z for i in np.flatnonzero(row) if i % z == memory}
            assert any(read == {(a + t) % addresses for t in cycles} for a in range(addresses))
    if n_in % fan_in == 0:
        for sweep in range(0, n_out - n_in // fan_in + 1, n_in // fan_in):
            assert (stage[sweep : sweep + n_in // fan_in].sum(axis=0) == 1).all()


DEFINITIONS: dict[str, Definition] = {
    "benes": benes,
    "block-diagonal": block_diagonal,
    "butterfly": butterfly,
    "clos": clos,
    "csc": csc,
    "deformable-butterfly": deformable_butterfly,
    "dense": dense,
    "dey": dey,
    "expander": expander,
    "hypercube": hypercube,
    "kronecker": kronecker,
    "low-rank": low_rank,
    "monarch": monarch,
    "parallel-butterfly": parallel_butterfly,
    "pruned": pruned,
    "radix": radix,
    "random-regular": random_regular,
    "torus": torus,
}
