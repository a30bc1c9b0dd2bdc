"""How many entries of a random matrix a cascade can meet, estimated by colouring the edges of its graph.

The heuristic of Isakov and Kinsy, "NeuroFabric" (arXiv 2002.08339). Entry (y, x) of the product of a cascade
is a sum over the paths from input x to output y; to ask a value of it is a constraint. Drawing a path from x
to y solves that constraint, once. A path can be drawn only if at least one of its edges is uncoloured, and
drawing colours them all; the edges are the stored weights, while the identity edges of a skipped stage carry
no weight and are never coloured. And the intersection of any two drawn paths must be connected.

That last rule is checked in this form: where two paths share a place u and a later place v, they run from u
to v over the same edges. (If they did not, they would part and meet again, so that their intersection would
have two parts; if they always do, the places they share follow one another. A weight and an identity edge
between the same places are different edges.)  So for every pair (u, v) of places on drawn paths one table
holds the edge by which to leave u for v, and a path is extended to a place v only if the table agrees, or is
silent, for every place u that it came through.

Solving as many constraints as possible is NP-hard. This is an estimate from below: pairs are taken in a
random order, each draws the path with the fewest uncoloured edges of those that a bounded random search
meets, and the best of several restarts counts; swaps then take a few pairs out of it and draw again from
another one.

What bounds it from above is simple. Each drawn path colours an edge that no path before it had, so the paths,
as vectors over the edges, are independent; and each carries as much into a place between the stages as out of
it. Without skips no drawing therefore solves more than the weights minus the places between the stages,
`most_constraints`. Cascades nearly always have as many degrees of freedom; a drawing shows where they lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workloads.stages import Stage, whole_number
from workloads.topology.paths import reachable
from workloads.topology.topology import Topology

STEPS_A_STAGE = 24
"""Steps that the search for one path may take for every stage, and paths that it compares."""
COMPARED = 6
IDENTITY = -1

Edge = tuple[int, int]
"""The place that an edge leads to and the number of its weight, `IDENTITY` for an identity edge."""


@dataclass(frozen=True)
class ConstraintScore:
    """Constraints solved, of how many, with how many weights."""

    solved: int
    constraints: int
    parameters: int

    @property
    def efficiency(self) -> float:
        """Constraints solved for each weight, at most 1."""
        return self.solved / self.parameters


def constraint_score(
    stages: Sequence[Stage],
    skips: Sequence[bool] = (),
    *,
    seed: int = 0,
    restarts: int = 4,
    swaps: int = 0,
) -> ConstraintScore:
    """The best score of `restarts` greedy drawings, whose random orders `seed` decides, after `swaps`.

    `skips` has one flag a stage, or is empty. Restarts take the pairs by turns input by input, output by
    output, and in no order. Where stages are skipped, every second restart goes through the pairs in rounds,
    first for paths with one uncoloured edge only, then two, and so on: skips offer many of the first kind,
    which are the ones that waste nothing. A swap draws again what the best drawing solved, but for a few
    pairs, after one that it did not; it is kept if it solves as much. Time grows with n_in * n_out and the
    square of the depth, for each restart and swap.
    """
    whole_number("a constraint score", "restarts", restarts)
    whole_number("a constraint score", "swaps", swaps, least=0)
    flags = Topology((tuple(stages),), tuple(skips)).skipped
    graph = _Graph(stages, flags)
    every = range(1, graph.depth + 1)
    best: list[tuple[int, int]] = []
    for restart in range(restarts):
        random = np.random.default_rng((seed, restart))
        rounds: Sequence[int] = every if any(flags) and restart % 2 == 1 else (graph.depth,)
        solved = _Drawing(graph, random).draw(_pairs(graph, restart, random), rounds)
        best = max(best, solved, key=len)
    bound = most_constraints(stages, flags)
    random = np.random.default_rng((seed, restarts))
    joined = _pairs(graph, 0, random)
    for _ in range(swaps):
        if len(best) == min(bound, len(joined)):
            break
        solved = _Drawing(graph, random).draw(_swapped(best, joined, random), (graph.depth,))
        best = max(solved, best, key=len)
    return ConstraintScore(len(best), stages[0].n_in * stages[-1].n_out, graph.weights)


def most_constraints(stages: Sequence[Stage], skips: Sequence[bool] = ()) -> int:
    """What no drawing exceeds: the weights on paths minus the places between stages that lie on them, or the
    pairs that are joined if those are fewer.

    With a skip anywhere, whose identity edges carry no weight, it is the weights on paths or the joined
    pairs. `skips` has one flag a stage, or is empty.
    """
    flags = Topology((tuple(stages),), tuple(skips)).skipped
    levels = range(len(stages) + 1)
    whole = reachable(stages, flags)
    reached = [np.ones(stages[0].n_in, dtype=bool)]
    onwards = [np.ones(stages[-1].n_out, dtype=bool)]
    for level in levels[1:]:
        reached.append(_some_way(stages[level - 1], flags[level - 1], reached[-1]))
        place = len(stages) - level
        onwards.append(_some_way(stages[place], flags[place], onwards[-1], back=True))
    on_path = [there & back for there, back in zip(reached, reversed(onwards), strict=True)]
    weights = sum(
        int(
            np.count_nonzero(
                on_path[level][stage.columns()]
                & on_path[level + 1][np.repeat(np.arange(stage.n_out), stage.row_lengths())]
            )
        )
        for level, stage in enumerate(stages)
    )
    inner = 0 if any(flags) else sum(int(places.sum()) for places in on_path[1:-1])
    return min(weights - inner, int(whole.sum()))


def _some_way(
    stage: Stage, skip: bool, places: NDArray[np.bool_], *, back: bool = False
) -> NDArray[np.bool_]:
    """The places that an edge joins to some of those given, from its inputs to its outputs or back."""
    matrix = stage.adjacency().astype(np.int64)
    ways = np.asarray((matrix.T if back else matrix) @ places.astype(np.int64)).ravel()
    joined: NDArray[np.bool_] = ways > 0
    return joined | places if skip else joined


def _swapped(
    solved: Sequence[tuple[int, int]], joined: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.int64]:
    """All joined pairs in another order: one that was not solved, then those that were but for a few, then
    the others."""
    known = set(solved)
    others = [pair for pair in map(tuple, joined.tolist()) if pair not in known]
    random.shuffle(others)
    out = set(random.choice(len(solved), size=min(len(solved), int(random.integers(1, 4))), replace=False))
    kept = [pair for place, pair in enumerate(solved) if place not in out]
    dropped = [pair for place, pair in enumerate(solved) if place in out]
    return np.array(others[:1] + kept + others[1:] + dropped, dtype=np.int64)


class _Graph:
    """The edges that leave every place of every column, and the outputs that each place can reach."""

    def __init__(self, stages: Sequence[Stage], skips: Sequence[bool]) -> None:
        self.depth = len(stages)
        self.weights = sum(stage.stored_weights for stage in stages)
        self.leaving: list[list[list[Edge]]] = []
        first = 0
        for stage, skip in zip(stages, skips, strict=True):
            leaving: list[list[Edge]] = [[] for _ in range(stage.n_in)]
            rows = np.repeat(np.arange(stage.n_out), stage.row_lengths())
            for number, (row, column) in enumerate(zip(rows, stage.columns(), strict=True), start=first):
                leaving[column].append((int(row), number))
            for place in range(stage.n_in if skip else 0):
                leaving[place].append((place, IDENTITY))
            self.leaving.append(leaving)
            first += stage.stored_weights
        self.joined = reachable(stages, skips)
        onwards = [
            self.joined,
            *(reachable(stages[level:], skips[level:]) for level in range(1, len(stages))),
            np.eye(stages[-1].n_out, dtype=bool),
        ]
        # For every column and output, a byte for each place: whether a path leads from there.
        self.reaches = [[row.tobytes() for row in each] for each in onwards]


def _pairs(graph: _Graph, restart: int, random: np.random.Generator) -> NDArray[np.int64]:
    """All connected pairs (input, output) in an order that `restart` and `random` decide."""
    n_out, n_in = graph.joined.shape
    inputs, outputs = random.permutation(n_in), random.permutation(n_out)
    kind = restart % 3
    if kind == 1:
        pairs = np.stack(np.meshgrid(inputs, outputs, indexing="xy"), axis=-1).reshape(-1, 2)
    else:
        pairs = np.stack(np.meshgrid(inputs, outputs, indexing="ij"), axis=-1).reshape(-1, 2)
    if kind == 2:
        pairs = random.permutation(pairs)
    joined: NDArray[np.int64] = pairs[graph.joined[pairs[:, 1], pairs[:, 0]]]
    return joined


class _Drawing:
    """The coloured edges of one greedy drawing, and how drawn paths run between the places they share."""

    def __init__(self, graph: _Graph, random: np.random.Generator) -> None:
        self.graph, self.random = graph, random
        self.uncoloured = [True] * graph.weights
        self.left = graph.weights
        self.ways: dict[tuple[int, int, int, int], Edge] = {}

    def draw(self, pairs: NDArray[np.int64], rounds: Iterable[int]) -> list[tuple[int, int]]:
        """Draw a path for every pair that still admits one; the pairs that did, in turn.

        In round `most` only paths of at most so many uncoloured edges are drawn.
        """
        waiting: list[tuple[int, int]] = [(source, target) for source, target in pairs.tolist()]
        solved = []
        for most in rounds:
            unsolved = []
            for source, target in waiting:
                path = self._search(source, target, most) if self.left else None
                if path is None:
                    unsolved.append((source, target))
                else:
                    self._colour(source, path)
                    solved.append((source, target))
            waiting = unsolved
        return solved

    def _search(self, source: int, target: int, most: int) -> list[Edge] | None:
        """The edges of a path that may be drawn, with the fewest uncoloured ones of those met and at most
        `most`, or None."""
        depth = self.graph.depth
        best: list[Edge] | None = None
        fewest, met, steps = most + 1, 0, STEPS_A_STAGE * depth
        places, fresh = [source], [0]
        path: list[Edge] = []
        waiting = [self._choices(0, source, target)]
        while waiting and steps and met < COMPARED and fewest > 1:
            if not waiting[-1]:
                waiting.pop()
                places.pop()
                fresh.pop()
                if path:
                    path.pop()
                continue
            steps -= 1
            edge = waiting[-1].pop()
            level, place = len(path) + 1, edge[0]
            new = fresh[-1] + (edge[1] != IDENTITY and self.uncoloured[edge[1]])
            if new >= fewest or not self._agrees(places, [*path, edge], level, place):
                continue
            if level == depth:
                met += new > 0
                if new:
                    best, fewest = [*path, edge], new
                continue
            places.append(place)
            path.append(edge)
            fresh.append(new)
            waiting.append(self._choices(level, place, target))
        return best

    def _choices(self, level: int, place: int, target: int) -> list[Edge]:
        """The edges by which a place can be left for an output, in random order."""
        onwards = self.graph.reaches[level + 1][target]
        edges = [edge for edge in self.graph.leaving[level][place] if onwards[edge[0]]]
        return [edges[number] for number in self.random.permutation(len(edges))] if edges[1:] else edges

    def _agrees(self, places: list[int], path: list[Edge], level: int, place: int) -> bool:
        """Whether drawn paths run from every place of a path to this one as the path does, or not at all."""
        ways = self.ways
        return all(
            ways.get((before, passed, level, place), edge) == edge
            for before, (passed, edge) in enumerate(zip(places, path, strict=True))
        )

    def _colour(self, source: int, path: list[Edge]) -> None:
        places = [source, *(place for place, _ in path)]
        for _, number in path:
            if number != IDENTITY and self.uncoloured[number]:
                self.uncoloured[number] = False
                self.left -= 1
        for level in range(1, len(places)):
            for before in range(level):
                self.ways[before, places[before], level, places[level]] = path[before]
