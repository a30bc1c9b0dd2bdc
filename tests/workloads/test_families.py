"""What the families build, and what a topology promises of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads import FAMILIES, CscStage, DenseStage, Topology, TopologyError, build_layer
from workloads.families.csc import stages_to_connect


def layer_topology(family: str, n_in: int, n_out: int, **parameters: Any) -> Topology:
    return Topology((build_layer(family, n_in, n_out, **parameters),))


@given(st.integers(2, 12), st.integers(1, 6))
def test_the_depth_of_a_csc_layer_is_exact_at_powers_of_the_fan_in(fan_in: int, power: int) -> None:
    assert stages_to_connect(fan_in**power, fan_in) == power
    assert stages_to_connect(fan_in**power + 1, fan_in) == power + 1
    assert stages_to_connect(1, fan_in) == 1


@given(st.integers(1, 40), st.integers(1, 40), st.integers(2, 45))
def test_a_csc_layer_connects_every_input_to_every_output(n_in: int, n_out: int, fan_in: int) -> None:
    topology = layer_topology("csc", n_in, n_out, fan_in=fan_in)
    assert (topology.n_in, topology.n_out) == (n_in, n_out)
    assert topology.is_fully_connected()


@given(st.sampled_from([8, 9, 16, 27, 32, 81]))
def test_a_square_csc_layer_of_a_power_has_exactly_one_path_and_f_n_log_n_weights(n: int) -> None:
    fan_in = 2 if n % 2 == 0 else 3
    topology = layer_topology("csc", n, n, fan_in=fan_in)
    depth = len(topology.stages)
    assert (topology.paths(0) == 1).all()
    assert fan_in**depth == n
    assert topology.stored_weights == depth * fan_in * n


def test_a_narrowing_csc_layer_folds_first() -> None:
    assert build_layer("csc", 784, 300, fan_in=26) == (
        CscStage(784, 300, 3, 300),
        CscStage(300, 300, 26, 1),
        CscStage(300, 300, 26, 26),
    )


def test_a_widening_csc_layer_widens_in_its_last_stage() -> None:
    assert build_layer("csc", 9, 20, fan_in=3) == (CscStage(9, 9, 3, 1), CscStage(9, 20, 3, 3))


def test_a_csc_layer_whose_fan_in_reaches_every_input_is_one_dense_stage() -> None:
    (stage,) = build_layer("csc", 100, 10, fan_in=200)
    assert stage == CscStage(100, 10, 100, 1)
    assert (stage.adjacency().toarray() == 1).all()


def test_a_csc_layer_that_is_too_shallow_is_not_fully_connected() -> None:
    assert not layer_topology("csc", 64, 64, fan_in=4, depth=2).is_fully_connected()
    assert layer_topology("csc", 64, 64, fan_in=4, depth=3).is_fully_connected()


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))
def test_a_clos_layer_has_one_path_through_every_middle_block(
    ingress: int, block_in: int, middle: int, egress: int, block_out: int
) -> None:
    n_in, n_out = ingress * block_in, egress * block_out
    topology = layer_topology("clos", n_in, n_out, ingress=ingress, middle=middle, egress=egress)
    assert (topology.n_in, topology.n_out) == (n_in, n_out)
    assert topology.stored_weights == middle * (n_in + ingress * egress + n_out)
    assert (topology.paths(0) == middle).all()


def test_a_clos_layer_is_the_textbook_network_up_to_a_permutation_of_its_inputs() -> None:
    ingress, middle, egress, n_in, n_out = 3, 4, 2, 6, 10
    first, second, third = build_layer("clos", n_in, n_out, ingress=ingress, middle=middle, egress=egress)
    interleaved = np.arange(n_in).reshape(-1, ingress).T.ravel()
    np.testing.assert_array_equal(
        first.adjacency().toarray()[:, interleaved],
        np.kron(np.eye(ingress), np.ones((middle, n_in // ingress))),
    )
    for stage, sources, blocks in ((second, ingress, middle), (third, middle, egress)):
        wires = [source * blocks + block for block in range(blocks) for source in range(sources)]
        np.testing.assert_array_equal(
            stage.adjacency().toarray()[:, wires],
            np.kron(np.eye(blocks), np.ones((stage.n_out // blocks, sources))),
        )


@pytest.mark.parametrize(
    ("family", "parameters"),
    [
        ("csc", {"fan_in": 3}),
        ("clos", {"ingress": 4, "middle": 2, "egress": 3}),
        ("dense", {}),
        ("pruned", {"mask": np.random.default_rng(0).random((9, 12)) < 0.3}),
    ],
)
def test_the_paths_of_a_layer_are_the_product_of_its_adjacencies(
    family: str, parameters: dict[str, Any]
) -> None:
    topology = layer_topology(family, 12, 9, **parameters)
    product = np.eye(12, dtype=np.int64)
    for stage in topology.stages:
        product = stage.adjacency().toarray() @ product
    np.testing.assert_array_equal(topology.paths(0), product)


def test_every_family_is_registered_under_its_name() -> None:
    assert set(FAMILIES) == {"dense", "csc", "clos", "pruned"}


def test_a_topology_counts_what_it_stores_and_what_it_replaces() -> None:
    topology = Topology(
        (build_layer("clos", 784, 300, ingress=28, middle=10, egress=20), build_layer("dense", 300, 10))
    )
    assert topology.stored_weights == 10 * (784 + 28 * 20 + 300) + 3000
    assert topology.dense_weights == 784 * 300 + 3000
    assert math.isclose(topology.compression, 238200 / 19440)
    assert topology.ends_layer == (False, False, True, True)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: build_layer("butterfly", 4, 4), "must be one of clos, csc, dense, pruned."),
        (
            lambda: build_layer("csc", 4, 4, fan_in=2, width=3),
            "parameter 'width' is not one of the csc family",
        ),
        (lambda: build_layer("csc", 4, 4), "parameter 'fan_in' of the csc family is missing"),
        (lambda: build_layer("csc", 4, 4, fan_in=1), "fan_in of a csc layer is 1; it must be at least 2"),
        (lambda: build_layer("csc", 0, 4, fan_in=2), "n_in of a csc layer is 0"),
        (
            lambda: build_layer("clos", 10, 6, ingress=3, middle=1, egress=2),
            "ingress of a clos layer is 3; it must divide n_in, which is 10.",
        ),
        (
            lambda: build_layer("clos", 9, 7, ingress=3, middle=1, egress=2),
            "egress of a clos layer is 2; it must divide n_out, which is 7.",
        ),
        (lambda: build_layer("pruned", 3, 2, mask=np.ones((3, 2))), "shape (3, 2); it must be (2, 3)."),
        (lambda: Topology(((DenseStage(2, 3), DenseStage(4, 2)),)), "n_in of stage 1 is 4; it must be 3"),
        (lambda: Topology(()), "at least one stage a layer"),
        (lambda: Topology(((),)), "at least one stage a layer"),
    ],
)
def test_a_family_or_topology_refuses_a_value_by_name(build: Any, message: str) -> None:
    with pytest.raises(TopologyError) as caught:
        build()
    assert message in str(caught.value)
