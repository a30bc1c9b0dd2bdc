"""The constraints that cascades solve: small cases solved by hand, and what holds of all of them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.workloads.strategies import stages
from workloads import DenseStage, PrunedStage, Stage, TopologyError, build_layer
from workloads.measures import constraints
from workloads.measures.constraints import ConstraintScore, constraint_score
from workloads.measures.degrees_of_freedom import degrees_of_freedom


def pattern(*rows: list[int]) -> Stage:
    return PrunedStage.from_mask(np.array(rows))


@given(st.integers(1, 7), st.integers(1, 7))
def test_a_dense_layer_solves_a_constraint_with_each_weight(n_in: int, n_out: int) -> None:
    assert constraint_score([DenseStage(n_in, n_out)]) == ConstraintScore(
        n_in * n_out, n_in * n_out, n_in * n_out
    )


def test_no_entry_of_a_large_dense_layer_is_missed() -> None:
    assert constraint_score([DenseStage(90, 70)], restarts=1).efficiency == 1


def test_a_stage_whose_places_have_one_way_each_is_searched_to_the_end() -> None:
    """A butterfly has one path for a pair, among as many turnings as there are places."""
    layer = build_layer("butterfly", 64, 64, radix=8)
    assert constraint_score(layer, restarts=1).solved == 2 * 64 * 8 - 64


def test_a_diagonal_solves_its_entries_only() -> None:
    score = constraint_score([PrunedStage.from_mask(np.eye(5))])
    assert (score.solved, score.parameters, score.constraints, score.efficiency) == (5, 5, 25, 1)


def test_a_chain_of_two_weights_solves_one_constraint() -> None:
    assert constraint_score([DenseStage(1, 1), DenseStage(1, 1)]).efficiency == 0.5


def test_one_place_between_two_stages_leaves_the_last_entry_without_an_uncoloured_edge() -> None:
    """The first path colours two edges, the next two one each; the fourth finds all four coloured."""
    assert constraint_score([DenseStage(2, 1), DenseStage(1, 2)]) == ConstraintScore(3, 4, 4)


def test_paths_that_part_do_not_meet_again() -> None:
    """Two inputs, one place, two ways, one place, two outputs: a drawn path fixes the way for all others.

    Three of the four entries are solved by one way; the fourth has nothing left to colour there, and the
    other way, all uncoloured, would part from the drawn paths and meet them again.
    """
    diamond = [DenseStage(2, 1), DenseStage(1, 2), DenseStage(2, 1), DenseStage(1, 2)]
    assert constraint_score(diamond, restarts=6) == ConstraintScore(3, 4, 8)


def test_two_inputs_may_take_different_ways_to_different_outputs() -> None:
    """Without a place before the ways part, only the place after them is shared: a connected intersection."""
    funnel = [pattern([1, 0], [0, 1]), DenseStage(2, 1)]
    assert constraint_score(funnel) == ConstraintScore(2, 2, 4)


def test_an_identity_edge_is_a_way_but_no_weight() -> None:
    """Beside a shift of three places: three entries by the weights, and the diagonal by none."""
    shift = pattern([0, 1, 0], [0, 0, 1], [1, 0, 0])
    assert constraint_score([shift], [True]) == ConstraintScore(3, 9, 3)
    # Two shifts: alone each pair of weights makes one entry, with skips each weight makes one of its own.
    assert constraint_score([shift, shift]).solved == 3
    assert constraint_score([shift, shift], [True, True], restarts=60).solved == 6


def test_an_identity_edge_and_a_weight_beside_it_are_different_ways() -> None:
    """A diagonal weight beside the identity: the same places, but two edges between them."""
    one = DenseStage(1, 1)
    assert constraint_score([one, one], [False, True]) == ConstraintScore(1, 1, 2)


def test_skips_let_a_clos_layer_use_more_of_its_weights() -> None:
    layer = build_layer("clos", 16, 16, ingress=4, middle=4, egress=4)
    plain = constraint_score(layer)
    skipped = constraint_score(layer, [stage.n_in == stage.n_out for stage in layer])
    assert plain.efficiency < skipped.efficiency <= 1


@st.composite
def cascades(draw: st.DrawFn) -> tuple[list[Stage], list[bool]]:
    built: list[Stage] = []
    for _ in range(draw(st.integers(1, 4))):
        built.append(draw(stages(built[-1].n_out if built else None)))
    return built, [stage.n_in == stage.n_out and draw(st.booleans()) for stage in built]


@given(cascades(), st.integers(0, 9))
def test_never_more_constraints_are_solved_than_there_are_weights_or_connected_pairs(
    cascade: tuple[list[Stage], list[bool]], seed: int
) -> None:
    built, skips = cascade
    score = constraint_score(built, skips, seed=seed, restarts=2)
    product = np.eye(built[0].n_in, dtype=np.int64)
    for stage, skip in zip(built, skips, strict=True):
        product = stage.adjacency().toarray() @ product + (product if skip else 0)
    assert score.parameters == sum(stage.stored_weights for stage in built)
    assert 0 <= score.solved <= min(score.parameters, int(np.count_nonzero(product)))
    assert score == constraint_score(built, skips, seed=seed, restarts=2)


Path = tuple[int, list[tuple[int, int]]]


def parts_of_intersection(one: Path, other: Path) -> int:
    """Connected components of what two paths share."""
    places = [[source, *(place for place, _ in path)] for source, path in (one, other)]
    shared = [a == b for a, b in zip(*places, strict=True)]
    joined = [
        shared[level] and shared[level + 1] and a == b
        for level, (a, b) in enumerate(zip(one[1], other[1], strict=True))
    ]
    return int(sum(shared) - sum(joined))


@given(cascades(), st.integers(0, 9))
def test_drawn_paths_keep_the_rules(cascade: tuple[list[Stage], list[bool]], seed: int) -> None:
    """Each leads through the cascade, solves an entry of its own, colours an edge, and meets others once."""
    built, skips = cascade
    drawings: list[list[Path]] = []
    draw, colour = constraints._Drawing.draw, constraints._Drawing._colour

    def listed(self: Any, pairs: Any, rounds: Any) -> list[tuple[int, int]]:
        drawings.append([])
        return draw(self, pairs, rounds)

    def noted(self: Any, source: int, path: list[tuple[int, int]]) -> None:
        drawings[-1].append((source, list(path)))
        colour(self, source, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constraints._Drawing, "draw", listed)
        patch.setattr(constraints._Drawing, "_colour", noted)
        score = constraint_score(built, skips, seed=seed, swaps=3)
    assert score.solved == max(len(paths) for paths in drawings)
    firsts = np.cumsum([0, *(stage.stored_weights for stage in built)])
    for paths in drawings:
        coloured: set[int] = set()
        assert len({(source, path[-1][0]) for source, path in paths}) == len(paths)
        for source, path in paths:
            at = source
            for number, (stage, skip, (place, edge)) in enumerate(zip(built, skips, path, strict=True)):
                if edge == constraints.IDENTITY:
                    assert skip
                    assert place == at
                else:
                    weight = edge - int(firsts[number])
                    rows = np.repeat(np.arange(stage.n_out), stage.row_lengths())
                    assert (rows[weight], stage.columns()[weight]) == (place, at)
                at = place
            edges = {edge for _, edge in path} - {constraints.IDENTITY}
            assert edges - coloured
            coloured |= edges
        for one, other in itertools.combinations(paths, 2):
            assert parts_of_intersection(one, other) <= 1


@given(cascades())
def test_more_restarts_never_solve_less(cascade: tuple[list[Stage], list[bool]]) -> None:
    built, skips = cascade
    few, many = (constraint_score(built, skips, restarts=number).solved for number in (1, 4))
    assert few <= many


def optimum(built: Sequence[Stage], skips: Sequence[bool]) -> int:
    """The most constraints that any drawing solves, by branch and bound over the paths of every pair."""
    graph = constraints._Graph(built, skips)
    every: dict[tuple[int, int], list[Path]] = {}
    for source in range(built[0].n_in):
        ways: list[list[tuple[int, int]]] = [[]]
        for leaving in graph.leaving:
            ways = [[*way, edge] for way in ways for edge in leaving[way[-1][0] if way else source]]
        for way in ways:
            every.setdefault((source, way[-1][0]), []).append((source, way))
    pairs = sorted(every, key=lambda pair: len(every[pair]))
    bound, best = constraints.most_constraints(built, skips), 0

    def go(place: int, drawn: list[Path]) -> None:
        nonlocal best
        best = max(best, len(drawn))
        if best == bound or len(drawn) + len(pairs) - place <= best:
            return
        for path in every[pairs[place]]:
            longer = [*drawn, path]
            if all(parts_of_intersection(path, other) <= 1 for other in drawn) and has_order(longer):
                go(place + 1, longer)
        go(place + 1, drawn)

    go(0, [])
    return best


def has_order(paths: Sequence[Path]) -> bool:
    """Whether they can be drawn so that each colours an edge: taken away from the last, each leaves one."""
    left = [{edge for _, edge in path} - {constraints.IDENTITY} for _, path in paths]
    while left:
        times = Counter(edge for edges in left for edge in edges)
        last = next((edges for edges in left if any(times[edge] == 1 for edge in edges)), None)
        if last is None:
            return False
        left.remove(last)
    return True


SMALL: dict[str, Sequence[Stage]] = {
    "low rank": build_layer("low-rank", 4, 4, rank=2),
    "clos": build_layer("clos", 4, 4, ingress=2, middle=2, egress=2),
    "butterfly": build_layer("butterfly", 4, 4),
    "csc": build_layer("csc", 4, 4, fan_in=2),
    "monarch": build_layer("monarch", 4, 4, ingress=2, egress=2),
    "monarch, rectangular": build_layer("monarch", 6, 4, ingress=3, egress=2),
    "csc, rectangular": build_layer("csc", 6, 3, fan_in=2),
    "random": build_layer("random-regular", 4, 4, fan_in=2, depth=3),
}


@pytest.mark.parametrize("name", SMALL)
def test_swaps_reach_the_optimum_of_small_graphs(name: str) -> None:
    stages = SMALL[name]
    most = optimum(stages, [False] * len(stages))
    assert constraint_score(stages, swaps=300).solved == most <= constraints.most_constraints(stages)


@given(cascades(), st.integers(0, 9))
def test_no_drawing_solves_more_than_weights_less_places_in_between(
    cascade: tuple[list[Stage], list[bool]], seed: int
) -> None:
    built, skips = cascade
    score = constraint_score(built, skips, seed=seed, restarts=1, swaps=5)
    assert constraint_score(built, skips, seed=seed, restarts=1).solved <= score.solved
    assert score.solved <= constraints.most_constraints(built, skips)


def test_degrees_of_freedom_of_a_connected_cascade_are_its_weights_less_the_places_in_between() -> None:
    stages = build_layer("clos", 16, 16, ingress=4, middle=4, egress=4)
    assert constraints.most_constraints(stages) == 3 * 64 - 2 * 16 == degrees_of_freedom(stages)


def test_places_and_weights_that_lie_on_no_path_do_not_count() -> None:
    """Of three places in between, one reaches no output and one no input reaches."""
    first, second = pattern([1, 1], [0, 1], [0, 0]), pattern([1, 0, 1])
    assert constraints.most_constraints([first, second]) == 2


def test_a_score_refuses_a_value_by_name() -> None:
    with pytest.raises(TopologyError, match="swaps of a constraint score is -1"):
        constraint_score([DenseStage(1, 1)], swaps=-1)
    with pytest.raises(TopologyError, match="restarts of a constraint score is 0"):
        constraint_score([DenseStage(1, 1)], restarts=0)
    with pytest.raises(TopologyError, match="skips has 2 entries, allowed are 1, one a stage"):
        constraint_score([DenseStage(1, 1)], [True, False])
