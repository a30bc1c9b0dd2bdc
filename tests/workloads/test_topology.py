"""What a topology promises: sizes that chain, skips, path counts and connectivity."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.workloads.strategies import stages
from workloads import DenseStage, PrunedStage, Stage, Topology, TopologyError, build_layer
from workloads.topology.paths import is_fully_connected, path_statistics, reachable
from workloads.topology.topology import skips_of


def test_a_topology_counts_what_it_stores_and_what_it_replaces() -> None:
    topology = Topology(
        (build_layer("clos", 784, 300, ingress=28, middle=10, egress=20), build_layer("dense", 300, 10))
    )
    assert topology.stored_weights == 10 * (784 + 28 * 20 + 300) + 3000
    assert topology.dense_weights == 784 * 300 + 3000
    assert math.isclose(topology.compression, 238200 / 19440)
    assert topology.ends_layer == (False, False, True, True)


@st.composite
def cascades(draw: st.DrawFn) -> tuple[tuple[Stage, ...], tuple[bool, ...]]:
    built: list[Stage] = []
    for _ in range(draw(st.integers(1, 4))):
        built.append(draw(stages(built[-1].n_out if built else None)))
    flags = tuple(stage.n_in == stage.n_out and draw(st.booleans()) for stage in built)
    return tuple(built), flags


@given(cascades())
def test_paths_count_the_identity_edge_of_every_skipped_stage(
    cascade: tuple[tuple[Stage, ...], tuple[bool, ...]],
) -> None:
    built, flags = cascade
    product = np.eye(built[0].n_in, dtype=np.int64)
    for stage, skip in zip(built, flags, strict=True):
        product = stage.adjacency().toarray() @ product + (product if skip else 0)
    topology = Topology((built,), flags)
    np.testing.assert_array_equal(topology.paths(0), product)
    np.testing.assert_array_equal(reachable(built, flags), product > 0)
    assert topology.is_fully_connected() == bool((product > 0).all())
    counted = path_statistics(built, flags)
    assert (counted.least, counted.most) == (product.min(), product.max())
    assert math.isclose(counted.mean, product.mean())


def test_skips_belong_to_the_stages_of_their_layer() -> None:
    square, narrow = DenseStage(3, 3), DenseStage(3, 2)
    topology = Topology(((square, square), (narrow,)), (True, False, False))
    assert topology.skipped_in(0) == (True, False)
    assert topology.skipped_in(1) == (False,)
    np.testing.assert_array_equal(topology.paths(0), np.full((3, 3), 4))
    assert topology.stored_weights == 24


def test_a_topology_without_skips_is_the_same_however_that_is_said() -> None:
    layers = ((DenseStage(3, 3),),)
    assert Topology(layers) == Topology(layers, (False,))
    assert Topology(layers).skipped == (False,)


def test_skips_are_wanted_for_square_stages_only() -> None:
    layers = (build_layer("csc", 9, 4, fan_in=2), build_layer("dense", 4, 4))
    assert skips_of(layers) == (False, True, True, True)
    assert skips_of(layers, [True, False]) == (False, True, True, False)
    assert skips_of(layers, [False, False]) == ()
    assert Topology(layers, skips_of(layers)).skipped == (False, True, True, True)
    with pytest.raises(TopologyError, match="wanted has 1 entries, allowed are 2"):
        skips_of(layers, [True])


def test_more_paths_than_64_bits_can_count_are_refused() -> None:
    deep, deeper = (Topology(((DenseStage(8, 8),) * depth,)) for depth in (20, 21))
    assert (deep.paths(0) == 8**19).all()
    with pytest.raises(TopologyError, match="paths of a cascade of 21 stages are up to"):
        deeper.paths(0)
    assert deeper.is_fully_connected()


def test_an_output_that_reads_nothing_is_not_connected() -> None:
    empty = PrunedStage(2, 3, np.array([0, 1, 1, 2]), np.array([0, 1]))
    assert reachable((empty, DenseStage(3, 1)), (False, False)).all()
    assert not is_fully_connected((DenseStage(2, 2), empty), (False, False))


def test_connectivity_of_a_wide_layer_needs_no_square_array() -> None:
    """16,384 places: a square array takes 268 MB even of single bytes."""
    wide = build_layer("csc", 1 << 14, 1 << 14, fan_in=4)
    tracemalloc.start()
    try:
        assert is_fully_connected(wide, (False,) * len(wide))
        assert not is_fully_connected(wide[:-1], (False,) * (len(wide) - 1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 80e6


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Topology(((DenseStage(2, 3), DenseStage(4, 2)),)), "n_in of stage 1 is 4, allowed is 3"),
        (lambda: Topology(()), "at least one stage a layer"),
        (lambda: Topology(((),)), "at least one stage a layer"),
        (lambda: Topology(((DenseStage(2, 2),),), (True, False)), "skips has 2 entries, allowed are 1"),
        (
            lambda: Topology(((DenseStage(2, 3),),), (True,)),
            "skips of stage 0 is true, with 2 inputs and 3 outputs, allowed is false where the two differ",
        ),
        (
            lambda: Topology(((DenseStage(2, 2),),), (1,)),  # type: ignore[arg-type]
            "skips of stage 0 is 1, allowed is true or false",
        ),
    ],
)
def test_a_topology_refuses_a_value_by_name(build: Any, message: str) -> None:
    with pytest.raises(TopologyError) as caught:
        build()
    assert message in str(caught.value)
