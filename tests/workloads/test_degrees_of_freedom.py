"""Degrees of freedom of cascades: known ranks, and the Jacobian in floating point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from tests.workloads.strategies import stages
from workloads import CscStage, DenseStage, Stage, TopologyError, build_layer
from workloads.families import Example, families
from workloads.measures.degrees_of_freedom import PRIME, degrees_of_freedom, rank_modulo

pytestmark = pytest.mark.slow

CASES = [
    pytest.param(name, example, id=f"{name}-{number}")
    for name, registered in families.items()
    for number, example in enumerate(registered.examples)
]


def float_rank(built: Sequence[Stage], skips: Sequence[bool], seed: int) -> int:
    """The rank of the whole Jacobian in float64, by singular values; every entry written out.

    With weights of size 1 a tolerance of 1e-9 of the largest value stands far from both sides.
    """
    random = np.random.default_rng(seed)
    matrices = [stage.csr(random.normal(size=stage.weight_shape)).toarray() for stage in built]
    matrices = [each + (np.eye(len(each)) if skip else 0) for each, skip in zip(matrices, skips, strict=True)]
    columns: list[NDArray[np.float64]] = []
    for number, stage in enumerate(built):
        before: NDArray[np.float64] = np.eye(built[0].n_in)
        for each in matrices[:number]:
            before = each @ before
        after: NDArray[np.float64] = np.eye(stage.n_out)
        for each in matrices[number + 1 :]:
            after = each @ after
        rows = np.repeat(np.arange(stage.n_out), stage.row_lengths())
        columns += [
            np.outer(after[:, j], before[i]).ravel() for j, i in zip(rows, stage.columns(), strict=True)
        ]
    values = np.linalg.svd(np.array(columns), compute_uv=False) if columns else np.zeros(1)
    return int((values > 1e-9 * max(values.max(), 1e-300)).sum())


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6))
def test_two_dense_stages_have_the_dimension_of_matrices_of_their_rank(
    n_in: int, mid: int, n_out: int
) -> None:
    """r (a + b - r): the r^2 changes of basis between the stages change nothing."""
    r = min(mid, n_in, n_out)
    assert degrees_of_freedom([DenseStage(n_in, mid), DenseStage(mid, n_out)]) == r * (n_in + n_out - r)


@pytest.mark.parametrize("bits", [2, 3, 4, 5])
def test_a_butterfly_loses_one_weight_to_the_scale_of_every_place_between_stages(bits: int) -> None:
    n = 2**bits
    assert degrees_of_freedom(build_layer("butterfly", n, n)) == 2 * n * bits - n * (bits - 1)


@pytest.mark.parametrize("name", ["dense", "pruned", "dey", "block-diagonal"])
def test_a_single_stage_is_as_free_as_it_has_weights(name: str) -> None:
    example = families[name].examples[0]
    (stage,) = build_layer(name, example.n_in, example.n_out, **example.parameters)
    assert degrees_of_freedom([stage]) == stage.stored_weights


@pytest.mark.parametrize("skipped", [False, True])
@pytest.mark.parametrize(("name", "example"), CASES)
def test_the_rank_modulo_a_prime_is_that_in_floating_point(
    name: str, example: Example, skipped: bool
) -> None:
    built = build_layer(name, example.n_in, example.n_out, **example.parameters)
    skips = [skipped and stage.n_in == stage.n_out for stage in built]
    assert degrees_of_freedom(built, skips) == float_rank(built, skips, seed=1)


@st.composite
def cascades(draw: st.DrawFn) -> tuple[list[Stage], list[bool]]:
    built: list[Stage] = []
    for _ in range(draw(st.integers(1, 4))):
        built.append(draw(stages(built[-1].n_out if built else None)))
    return built, [stage.n_in == stage.n_out and draw(st.booleans()) for stage in built]


@given(cascades(), st.integers(0, 99))
def test_no_cascade_is_freer_than_its_weights_or_its_entries(
    cascade: tuple[list[Stage], list[bool]], seed: int
) -> None:
    built, skips = cascade
    freedom = degrees_of_freedom(built, skips, seed=seed)
    weights = sum(stage.stored_weights for stage in built)
    assert 0 <= freedom <= min(weights, built[0].n_in * built[-1].n_out)
    assert freedom == degrees_of_freedom(built, skips, seed=seed + 1)


@given(st.integers(1, 9), st.data())
def test_scales_between_stages_are_no_freedom(places: int, data: st.DataObject) -> None:
    """A place with an input edge and an output edge may be scaled, and the product stays the same."""
    first = data.draw(stages(places))
    second = data.draw(stages(first.n_out))
    used = (first.row_lengths() > 0) & np.isin(np.arange(second.n_in), second.columns())
    freedom = degrees_of_freedom([first, second])
    assert freedom <= first.stored_weights + second.stored_weights - int(used.sum())


@pytest.mark.parametrize("rank", [0, 1, 7, 300, 400])
def test_a_rank_modulo_the_prime_is_exact_over_several_panels(rank: int) -> None:
    random = np.random.default_rng(rank)
    left = random.integers(0, 1000, (500, rank))
    right = random.integers(0, 1000, (rank, 400))
    assert rank_modulo(left @ right) == rank
    assert rank_modulo((left @ right) % PRIME) == rank


def test_a_prime_multiple_is_zero() -> None:
    assert rank_modulo(np.array([[PRIME, 0], [0, 1]])) == 1


def test_a_rank_refuses_a_value_by_name() -> None:
    with pytest.raises(
        TopologyError, match="stored_weights of a rank is 8192, allowed are values of at most 6000"
    ):
        degrees_of_freedom([CscStage(512, 512, 16, 1)])
    with pytest.raises(TopologyError, match="skips has 2 entries, allowed are 1, one a stage"):
        degrees_of_freedom([DenseStage(1, 1)], [True, False])
