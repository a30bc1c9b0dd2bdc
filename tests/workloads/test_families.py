"""What the families build, beyond what every family must keep to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from workloads import CscStage, PrunedStage, Topology, TopologyError, build_layer
from workloads.families import families, fit_budget
from workloads.families.csc import stages_to_connect
from workloads.families.expander import second_singular_value
from workloads.stages import KroneckerStage


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


@given(st.integers(2, 5), st.integers(2, 3), st.integers(0, 20), st.integers(0, 20))
def test_a_butterfly_of_any_radix_and_size_has_one_path(
    radix: int, depth: int, more_in: int, more_out: int
) -> None:
    places = radix**depth
    topology = layer_topology("butterfly", places + more_in, places + more_out, radix=radix, places=places)
    assert len(topology.stages) == depth
    assert (topology.paths(0) == 1).all()
    between = (depth - 2) * places
    assert topology.stored_weights == radix * (2 * places + more_in + more_out + between)


@given(st.integers(1, 5), st.integers(2, 40), st.integers(2, 40))
def test_a_benes_layer_has_a_path_through_every_crossbar_of_its_middle(
    bits: int, n_in: int, n_out: int
) -> None:
    places = 2 ** min(bits, min(n_in, n_out).bit_length() - 1)
    topology = layer_topology("benes", n_in, n_out, places=places)
    assert (topology.paths(0) == places // 2).all()


@given(st.integers(2, 5), st.integers(8, 30), st.integers(8, 30), st.integers(0, 9))
def test_parallel_butterflies_add_paths_and_weights_and_nothing_else(
    copies: int, n_in: int, n_out: int, seed: int
) -> None:
    one = layer_topology("butterfly", n_in, n_out)
    several = layer_topology("parallel-butterfly", n_in, n_out, copies=copies, seed=seed)
    assert several.stored_weights == copies * one.stored_weights
    assert len(several.stages) == len(one.stages)
    assert (several.paths(0) == copies).all()


@pytest.mark.parametrize("n", [16, 64])
def test_hypercubes_and_tori_are_connected_after_their_diameter_and_not_before(n: int) -> None:
    for name in ("hypercube", "torus"):
        depth = len(build_layer(name, n, n))
        assert layer_topology(name, n, n).is_fully_connected()
        assert not layer_topology(name, n, n, depth=depth - 1).is_fully_connected()


@given(st.lists(st.integers(2, 5), min_size=1, max_size=3), st.integers(1, 3))
def test_a_radix_layer_of_one_system_has_as_many_paths_as_it_is_wide(radices: list[int], width: int) -> None:
    places = int(np.prod(radices))
    topology = layer_topology("radix", places, places, radices=radices, width=width)
    assert (topology.paths(0) == width ** (len(radices) - 1)).all()


def test_a_square_monarch_matrix_has_two_n_root_n_weights() -> None:
    topology = layer_topology("monarch", 256, 256, ingress=16, egress=16)
    assert topology.stored_weights == 2 * 256 * 16
    assert (topology.paths(0) == 1).all()


def test_a_clos_layer_of_five_stages_multiplies_the_paths_of_its_networks() -> None:
    topology = layer_topology("clos", 64, 48, ingress=16, middle=3, egress=12, stages=5, inner=5)
    assert (topology.paths(0) == 15).all()
    assert topology.stored_weights == 3 * (64 + 5 * (16 + 4 * 3 + 12) + 48)


def test_the_middle_of_four_clos_stages_multiplies_paths() -> None:
    topology = layer_topology("clos", 64, 48, ingress=8, middle=3, egress=6, stages=4, second=5)
    assert (topology.paths(0) == 15).all()
    assert topology.stored_weights == 3 * 64 + 3 * 5 * (8 + 6) + 5 * 48


@pytest.mark.parametrize("fan_in", [3, 4, 8])
def test_an_expander_stage_mixes_faster_than_a_cyclic_one(fan_in: int) -> None:
    (random,) = build_layer("expander", 128, 128, fan_in=fan_in, depth=1)
    (cyclic,) = build_layer("csc", 128, 128, fan_in=fan_in, depth=1)
    bound = 1.05 * 2 * math.sqrt(fan_in - 1)
    assert second_singular_value(random) <= bound < second_singular_value(cyclic)


@given(st.integers(1, 30), st.integers(1, 30), st.data())
def test_random_regular_layers_use_every_input_evenly(n_in: int, n_out: int, data: st.DataObject) -> None:
    fan_in = data.draw(st.integers(1, n_in))
    (stage,) = build_layer("random-regular", n_in, n_out, fan_in=fan_in, seed=data.draw(st.integers(0, 9)))
    used = stage.adjacency().toarray()
    assert (used.sum(axis=1) == fan_in).all()
    assert np.ptp(used.sum(axis=0)) <= 1


@pytest.mark.parametrize("name", ["random-regular", "dey", "expander", "parallel-butterfly"])
def test_a_seed_decides_what_is_random(name: str) -> None:
    parameters = {"copies": 2} if name == "parallel-butterfly" else {"fan_in": 4}
    one, same, other = (build_layer(name, 24, 24, **parameters, seed=seed) for seed in (1, 1, 2))
    assert one == same != other


def test_a_layer_is_kept_by_formula_where_the_sizes_allow() -> None:
    assert all(isinstance(stage, KroneckerStage) for stage in build_layer("butterfly", 64, 64))
    first, last = build_layer("butterfly", 10, 18, radix=3, places=9)
    assert isinstance(first, PrunedStage)
    assert last == KroneckerStage(1, 6, 3, 3)
    assert build_layer("radix", 6, 10, radices=[2, 3])[1] == CscStage(6, 10, 3, 2)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: build_layer("moebius", 4, 4), f"family is 'moebius', allowed are {', '.join(families)}"),
        (
            lambda: build_layer("csc", 4, 4, fan_in=2, width=3),
            "parameter of the csc family is 'width', allowed are fan_in, depth",
        ),
        (
            lambda: build_layer("csc", 4, 4),
            "parameter 'fan_in' of the csc family is missing, it must be given: a layer of 12 inputs and 9",
        ),
        (
            lambda: build_layer("csc", 4, 4, fan_in=1),
            "fan_in of a csc layer is 1, allowed are values of at least 2",
        ),
        (lambda: build_layer("csc", 0, 4, fan_in=2), "n_in of a csc layer is 0"),
        (
            lambda: build_layer("clos", 10, 6, ingress=3, middle=1, egress=2),
            "ingress of a clos layer is 3, allowed are divisors of n_in, which is 10",
        ),
        (
            lambda: build_layer("clos", 9, 7, ingress=3, middle=1, egress=2),
            "egress of a clos layer is 2, allowed are divisors of n_out, which is 7",
        ),
        (lambda: build_layer("pruned", 3, 2, mask=np.ones((3, 2))), "shape (3, 2), allowed is (2, 3)"),
        (
            lambda: build_layer("clos", 12, 9, ingress=4, middle=2, egress=3, stages=6),
            "stages of a clos layer is 6, allowed are 3 to 5",
        ),
        (
            lambda: build_layer("clos", 12, 9, ingress=4, middle=2, egress=3, second=2),
            "second of a clos layer is 2, allowed are none with 3 stages",
        ),
        (
            lambda: build_layer("clos", 12, 9, ingress=4, middle=2, egress=3, inner=2),
            "inner of a clos layer is 2, allowed are none with 3 stages",
        ),
        (
            lambda: build_layer("butterfly", 12, 9, radix=10),
            "radix of a butterfly layer is 10, allowed are 2 to 9, the smaller side of the layer",
        ),
        (
            lambda: build_layer("benes", 12, 9, places=6),
            "places of a benes layer is 6, allowed is a power of 2",
        ),
        (
            lambda: build_layer("benes", 12, 9, places=16),
            "places of a benes layer is 16, allowed are 1 to 9, the smaller side of the layer",
        ),
        (
            lambda: build_layer("parallel-butterfly", 5, 3, copies=2, radix=3),
            "copies of a parallel-butterfly layer is 2, allowed is 1 where a single stage of radix 3",
        ),
        (
            lambda: build_layer("hypercube", 12, 9, depth=1),
            "stages of a hypercube layer are 1 on 8 places, allowed are 2 or more",
        ),
        (
            lambda: build_layer("torus", 12, 9, places=10),
            "places of a torus layer is 10, allowed are 1 to 9, the smaller side of the layer",
        ),
        (
            lambda: build_layer("radix", 12, 12, radices=[[2, 3], [5]]),
            "radices of a radix layer have the products 6, 5, allowed are equal ones, and the last a divisor",
        ),
        (lambda: build_layer("radix", 12, 12, radices="ab"), "allowed is a list of integers of at least 2"),
        (
            lambda: build_layer("radix", 12, 12, radices=[[2], 3]),
            "radices of a radix layer is [2], allowed are integers of at least 2",
        ),
        (lambda: build_layer("radix", 12, 12, radices=[13]), "places of a radix layer is 13"),
        (
            lambda: build_layer("monarch", 12, 9, ingress=5, egress=3),
            "ingress of a monarch layer is 5, allowed are divisors of n_in, which is 12",
        ),
        (
            lambda: build_layer("kronecker", 12, 9, factors=[[4, 3, 3, 1], [1, 3, 4, 2]]),
            "factors of a kronecker layer read 8 places in stage 1, allowed are 12",
        ),
        (
            lambda: build_layer("kronecker", 12, 8, factors=[[4, 3, 3, 1]]),
            "factors of a kronecker layer end at 12 places, allowed is n_out, 8",
        ),
        (lambda: build_layer("kronecker", 12, 8, factors=[4]), "allowed are a list of four integers"),
        (
            lambda: build_layer("block-diagonal", 12, 9, blocks=10),
            "blocks of a block-diagonal layer is 10, allowed are 1 to 9, the smaller side of the layer",
        ),
        (
            lambda: build_layer("random-regular", 12, 9, fan_in=10, depth=2),
            "fan_in of a random-regular layer is 10, allowed are 1 to 9, the fewest inputs of a stage",
        ),
        (
            lambda: build_layer("expander", 12, 9, fan_in=2),
            "fan_in of an expander layer is 2, allowed are 3 to 9, the smaller side of the layer",
        ),
        (
            lambda: build_layer("dey", 12, 9, fan_in=3, memories=5),
            "memories of a dey layer is 5, allowed are divisors of n_in, which is 12",
        ),
        (
            lambda: build_layer("dey", 12, 9, fan_in=13),
            "fan_in of a dey layer is 13, allowed are 1 to 12, the inputs of the layer",
        ),
        (
            lambda: fit_budget("pruned", 12, 9, 30),
            "family of a budget is 'pruned', allowed is one with a grid",
        ),
        (
            lambda: fit_budget("butterfly", 3, 2, 5),
            "sizes of a butterfly layer are 3 and 2, allowed are those",
        ),
        (lambda: fit_budget("dense", 3, 2, 0), "weights of a dense layer is 0"),
        (
            lambda: families.register("empty", weights=lambda: 0, examples=[])(lambda n_in, n_out: ()),
            "examples of the empty family is empty, allowed is at least one",
        ),
    ],
)
def test_a_family_refuses_a_value_by_name(build: Any, message: str) -> None:
    with pytest.raises(TopologyError) as caught:
        build()
    assert message in str(caught.value)
