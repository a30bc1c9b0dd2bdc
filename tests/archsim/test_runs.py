"""Weights that come in runs, as full blocks do, share an index, and the hardware stays exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

import archsim as a
from archsim.engine.gather.encoding import IndexEncoding
from archsim.engine.pruned import PrunedMapping, longest_run
from archsim.verification import verify
from rtl import SizeError, to_verilog
from rtl.engines.pruned import PrunedSizes
from workloads import IntegerNetwork, PrunedStage, Topology, random_integer_network


def blocks(random: np.random.Generator, rows: int, columns: int, height: int, width: int) -> NDArray[Any]:
    """A mask of so many rows and columns of blocks, each full or empty."""
    return np.kron(random.random((rows, columns)) < 0.4, np.ones((height, width)))


def network(*masks: NDArray[Any], bias_share: float = 0.0) -> IntegerNetwork:
    topology = Topology(tuple((PrunedStage.from_mask(mask > 0),) for mask in masks))
    return random_integer_network(topology, weight_bits=8, activation_bits=8, bias_share=bias_share, seed=0)


@st.composite
def block_networks(draw: st.DrawFn) -> IntegerNetwork:
    """Two layers of blocks whose widths are powers of two, some of their rows empty, some with biases."""
    random = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    widths = [1 << draw(st.integers(1, 3)) for _ in range(2)]
    between = widths[1] * draw(st.integers(1, 3))
    first = blocks(random, between, draw(st.integers(1, 4)), 1, widths[0])
    second = blocks(random, draw(st.integers(1, 9)), between // widths[1], 1, widths[1])
    return network(first, second, bias_share=draw(st.sampled_from((0.0, 0.5, 1.0))))


@settings(max_examples=20)
@given(
    block_networks(),
    st.sampled_from((1, 2, 4, 8)),
    st.sampled_from(("replicated", "banked")),
    st.sampled_from(("asic", "fpga")),
)
def test_every_fidelity_agrees_on_runs(net: IntegerNetwork, pes: int, gather: Any, fabric: str) -> None:
    engine = a.Pruned(pes=pes, gather=gather)
    assert verify(engine.map(net, fabric), inputs=2).agrees


def test_a_full_block_has_an_index_for_each_of_its_rows() -> None:
    random = np.random.default_rng(0)
    mask = np.zeros((32, 32))
    for row, column in enumerate(random.permutation(8)):
        mask[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 1
    shared = a.Pruned(pes=4).map(network(mask))
    alone = a.Pruned(pes=4, index="absolute").map(network(mask))
    assert isinstance(shared, PrunedMapping)
    assert shared.encoding == IndexEncoding(bits=3, relative=False, run=4)
    assert (shared.stored_bits.index, alone.stored_bits.index) == (32 * (3 + 1), 128 * (5 + 1))
    assert shared.stored_bits.weight == alone.stored_bits.weight == 128 * 8
    counted, uncounted = shared.count(), alone.count()
    assert (counted.macs, counted.padding) == (uncounted.macs, uncounted.padding) == (128, 0)
    assert counted.traffic["index"].words_read < uncounted.traffic["index"].words_read


def test_inputs_of_a_run_are_neighbours_whatever_layer_made_them() -> None:
    random = np.random.default_rng(1)
    net = network(blocks(random, 8, 4, 4, 8), blocks(random, 4, 4, 4, 8))
    for gather in ("replicated", "banked"):
        mapping = a.Pruned(pes=8, gather=gather).map(net)
        assert isinstance(mapping, PrunedMapping)
        # A row that is empty is a run of padding, so a run of 8, which would fit, takes more.
        assert mapping.encoding.run == 4
        assert verify(mapping, inputs=2).agrees


@pytest.mark.parametrize(
    ("mask", "pes", "run"),
    [
        (np.ones((3, 8)), 4, 8),
        (np.ones((3, 12)), 4, 4),
        (np.ones((3, 8)), 3, 1),
        (np.ones((3, 7)), 4, 1),
        (np.roll(np.kron(np.eye(4), np.ones((1, 4))), 1, axis=1), 4, 1),
        (np.roll(np.kron(np.eye(4), np.ones((1, 4))), 2, axis=1), 4, 2),
    ],
)
def test_runs_begin_at_multiples_of_their_length(mask: NDArray[Any], pes: int, run: int) -> None:
    assert longest_run(network(mask), pes) == run


def test_an_empty_row_costs_the_weights_of_an_index() -> None:
    mask = np.zeros((4, 8))
    mask[1, 4:] = 1
    mapping = a.Pruned(pes=2).map(network(mask))
    assert isinstance(mapping, PrunedMapping)
    padding = mapping.count().padding
    assert padding == 3 * mapping.encoding.run
    assert verify(mapping).agrees


def test_without_runs_the_hardware_is_as_it_was() -> None:
    sizes = a.Pruned(pes=4).map(a.quantise(a.networks["lenet-300-100-pruned-x40"], 8, 8)).sizes
    assert isinstance(sizes, PrunedSizes)
    assert sizes.run == 1
    text = to_verilog(a.Pruned(pes=2).map(network(np.eye(4))).hardware).text
    assert "ends_run" not in text
    assert "ends_run" in to_verilog(a.Pruned(pes=2).map(network(np.ones((4, 4)))).hardware).text


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"run": 3}, "run is 3, allowed are powers of two"),
        ({"run": 0}, "run is 0, allowed are powers of two"),
        ({"run": 2, "relative": True}, "run is 2, allowed is 1 where indices are distances"),
    ],
)
def test_sizes_refuse_other_runs(changed: dict[str, Any], message: str) -> None:
    from dataclasses import replace

    sizes = a.Pruned(pes=2, index="absolute").map(network(np.eye(4))).sizes
    with pytest.raises(SizeError, match=message):
        replace(sizes, **changed)
