"""Blocks share an index, groups need few bits of one, and the hardware stays exact."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

import archsim as a
from archsim.engine.engine import EngineError
from archsim.engine.gather.encoding import IndexEncoding
from archsim.engine.mapping import MappingError
from archsim.engine.pruned import PrunedMapping
from archsim.runs_on import stages_found
from archsim.verification import verify
from rtl import SizeError, to_verilog
from rtl.engines.pruned import PrunedSizes
from workloads import IntegerNetwork, PrunedStage, Topology, random_integer_network

pytestmark = pytest.mark.slow


def blocks(random: np.random.Generator, rows: int, columns: int, height: int, width: int) -> NDArray[Any]:
    """A mask of so many rows and columns of blocks, each full or empty."""
    return np.kron(random.random((rows, columns)) < 0.4, np.ones((height, width)))


def network(*masks: NDArray[Any], bias_share: float = 0.0) -> IntegerNetwork:
    topology = Topology(tuple((PrunedStage.from_mask(mask > 0),) for mask in masks))
    return random_integer_network(topology, weight_bits=8, activation_bits=8, bias_share=bias_share, seed=0)


def n_of_m(random: np.random.Generator, rows: int, columns: int, kept: int, group: int) -> NDArray[Any]:
    """A mask that keeps so many of each group in each row, all of a shorter last group that has no more."""
    order = random.random((rows, -(-columns // group), group))
    order.reshape(rows, -1)[:, columns:] = 1
    rank = order.argsort(axis=2).argsort(axis=2).reshape(rows, -1)[:, :columns]
    return (rank < kept) * 1.0


@st.composite
def block_networks(draw: st.DrawFn) -> IntegerNetwork:
    """Two layers of blocks, whose widths are powers of two and whose heights are not always whole, some of
    their rows empty, some with biases, some with weights of a block that are not kept."""
    random = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    widths = [1 << draw(st.integers(0, 3)) for _ in range(2)]
    heights = [draw(st.integers(1, 4)) for _ in range(2)]
    between = widths[1] * draw(st.integers(1, 3)) * draw(st.integers(1, 2))
    first = blocks(random, -(-between // heights[0]), draw(st.integers(1, 4)), heights[0], widths[0])
    second = blocks(random, draw(st.integers(1, 4)), between // widths[1], heights[1], widths[1])
    last = draw(st.integers(1, len(second)))
    holes = 1.0 - draw(st.sampled_from((0.0, 0.0, 0.03)))
    masks = [mask * (random.random(mask.shape) < holes) for mask in (first[:between], second[:last])]
    return network(*masks, bias_share=draw(st.sampled_from((0.0, 0.5, 1.0))))


@st.composite
def grouped_networks(draw: st.DrawFn) -> IntegerNetwork:
    """Two layers that keep N of M inputs, of any widths, the second layer perhaps another N; some with
    biases, some that keep fewer here and there."""
    random = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    group = 1 << draw(st.integers(1, 3))
    widths = [draw(st.integers(1, 19)) for _ in range(3)]
    missing = draw(st.sampled_from((0.0, 0.0, 0.2)))
    masks = []
    for columns, rows in itertools.pairwise(widths):
        mask = n_of_m(random, rows, columns, draw(st.integers(1, group)), group)
        masks.append(mask * (random.random(mask.shape) >= missing))
    return network(*masks, bias_share=draw(st.sampled_from((0.0, 0.5, 1.0))))


ENGINES = st.fixed_dictionaries(
    {
        "pes": st.sampled_from((1, 2, 4, 8)),
        "gather": st.sampled_from(("replicated", "banked")),
        "requantiser": st.sampled_from(("auto", "each")),
    }
)
FABRICS = st.sampled_from(("asic", "fpga"))


def verified(net: IntegerNetwork, index: Any, engine: dict[str, Any], fabric: str) -> PrunedMapping:
    """The network on an engine, on which every fidelity agrees."""
    mapping = a.Pruned(index=index, **engine).map(net, fabric)
    checked = verify(mapping, inputs=2)
    assert checked.agrees, [str(difference) for difference in checked.differences]
    assert isinstance(mapping, PrunedMapping)
    return mapping


@settings(max_examples=40)
@given(block_networks(), ENGINES, FABRICS)
def test_every_fidelity_agrees_on_blocks(net: IntegerNetwork, engine: dict[str, Any], fabric: str) -> None:
    try:
        mapping = verified(net, "blocks", engine, fabric)
    except MappingError as error:
        refusal = str(error)
    else:
        assert mapping.encoding.run * mapping.encoding.lockstep > 1
        assert engine["pes"] % mapping.encoding.lockstep == 0
        return
    assert "rows or columns that may share" in refusal


@settings(max_examples=40)
@given(grouped_networks(), ENGINES, FABRICS)
def test_every_fidelity_agrees_on_groups(net: IntegerNetwork, engine: dict[str, Any], fabric: str) -> None:
    mapping = verified(net, "grouped", engine, fabric)
    group = mapping.encoding.group
    assert group == 1 << mapping.encoding.bits
    for stage, integer in zip(mapping.stages, net.stages, strict=True):
        assert stage.groups == -(-integer.stage.n_in // group)
        lengths = np.concatenate(stage.row_lengths)
        assert (lengths == lengths[0]).all()


def test_a_full_block_has_one_index() -> None:
    random = np.random.default_rng(0)
    mask = np.zeros((32, 32))
    for row, column in enumerate(random.permutation(8)):
        mask[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 1
    shared = a.Pruned(pes=4).map(network(mask))
    alone = a.Pruned(pes=4, index="absolute").map(network(mask))
    assert isinstance(shared, PrunedMapping)
    assert shared.encoding == IndexEncoding(bits=3, relative=False, run=4, lockstep=4)
    assert str(shared.encoding) == "addresses of 3 bits, one for 4 x 4 weights"
    assert (shared.stored_bits.index, alone.stored_bits.index) == (8 * (3 + 1), 128 * (5 + 1))
    assert shared.stored_bits.weight == alone.stored_bits.weight == 128 * 8
    counted, uncounted = shared.count(), alone.count()
    assert (counted.macs, counted.padding) == (uncounted.macs, uncounted.padding) == (128, 0)
    assert counted.traffic["index"].words_read < uncounted.traffic["index"].words_read
    # PEs in lockstep read one memory of activations, and each word of it once.
    assert (counted.traffic["input"].words_read, uncounted.traffic["input"].words_read) == (32, 128)
    shapes = {shape.role: shape.number for shape in shared.sizes.memory_shapes}
    assert shapes == {"weight": 4, "input": 1, "descriptor": 1, "index": 1}


def test_blocks_of_a_row_meet_neighbours_whatever_layer_made_them() -> None:
    random = np.random.default_rng(1)
    net = network(blocks(random, 8, 4, 4, 8), blocks(random, 4, 4, 4, 8))
    for gather in ("replicated", "banked"):
        mapping = a.Pruned(pes=8, gather=gather).map(net)
        assert isinstance(mapping, PrunedMapping)
        # Rows of blocks that are empty are an index of padding, so a run of 8, which would fit, takes more.
        assert (mapping.encoding.lockstep, mapping.encoding.run) == (4, 2)
        assert verify(mapping, inputs=2).agrees


def test_a_group_says_only_which_of_its_inputs_are_kept() -> None:
    random = np.random.default_rng(0)
    net = network(n_of_m(random, 12, 18, 2, 4), n_of_m(random, 5, 12, 2, 4))
    mapping = a.Pruned(pes=4).map(net)
    assert isinstance(mapping, PrunedMapping)
    assert mapping.encoding == IndexEncoding(bits=2, relative=False, group=4)
    assert str(mapping.encoding) == "places of 2 bits in groups of 4"
    # The last of 5 groups of 18 inputs is short, and may have as many weights as any other.
    entries = 12 * 5 * 2 + 5 * 3 * 2
    assert mapping.stored_bits.index == 2 * entries
    assert mapping.count().macs + mapping.count().padding == entries
    relative = a.Pruned(pes=4, index="relative").map(net)
    assert mapping.stored_bits.index < relative.stored_bits.index


def test_layers_may_keep_different_numbers_of_a_group() -> None:
    random = np.random.default_rng(0)
    net = network(n_of_m(random, 8, 16, 1, 4), np.ones((3, 8)))
    mapping = verified(net, "grouped", {"pes": 2}, "asic")
    assert [stage.kept_of_group for stage in mapping.stages] == [1, 4]
    assert mapping.count().padding == 0


def test_an_unstructured_pattern_is_neither_in_groups_nor_in_blocks() -> None:
    random = np.random.default_rng(0)
    net = network(random.random((24, 64)) < 0.2, random.random((8, 24)) < 0.2)
    mapping = a.Pruned(pes=4).map(net)
    assert isinstance(mapping, PrunedMapping)
    assert (mapping.encoding.group, mapping.encoding.run, mapping.encoding.lockstep) == (1, 1, 1)


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(EngineError, match="index is grouped with 3 PEs, allowed with"):
        a.Pruned(pes=3, index="grouped")
    with pytest.raises(MappingError, match="index is 'blocks', allowed are those of networks with rows or"):
        a.Pruned(pes=3, index="blocks").map(network(np.eye(8)))


@pytest.mark.parametrize(
    ("mask", "pes", "shape"),
    [
        (np.ones((4, 8)), 4, (4, 8)),
        (np.ones((3, 12)), 2, (1, 4)),
        (np.ones((3, 8)), 3, (1, 1)),
        (np.ones((2, 7)), 4, (2, 1)),
        (np.kron(np.eye(4), np.ones((2, 2))), 4, (2, 2)),
        (np.kron(np.eye(3), np.ones((2, 2))), 6, (2, 1)),
        (np.roll(np.kron(np.eye(4), np.ones((1, 4))), 1, axis=1), 4, (1, 1)),
        (np.roll(np.kron(np.eye(4), np.ones((1, 4))), 2, axis=1), 4, (1, 2)),
    ],
)
def test_a_block_begins_at_multiples_of_its_sides(
    mask: NDArray[Any], pes: int, shape: tuple[int, int]
) -> None:
    mapping = a.Pruned(pes=pes).map(network(mask))
    assert isinstance(mapping, PrunedMapping)
    assert (mapping.encoding.lockstep, mapping.encoding.run) == shape


def test_an_empty_row_costs_the_weights_of_an_index() -> None:
    mask = np.zeros((4, 8))
    mask[1, 4:] = 1
    mapping = a.Pruned(pes=2).map(network(mask))
    assert isinstance(mapping, PrunedMapping)
    padding = mapping.count().padding
    assert padding == 3 * mapping.encoding.run
    assert verify(mapping).agrees


@pytest.mark.parametrize(("kept", "group", "bits"), [(1, 2, 1), (2, 4, 2), (1, 4, 2)])
def test_a_semi_structured_mask_of_pytorch_is_recognised_and_priced_as_such(
    kept: int, group: int, bits: int, tmp_path: Path
) -> None:
    torch, prune = pytest.importorskip("torch"), pytest.importorskip("torch.nn.utils.prune")
    random, widths = np.random.default_rng(0), (18, 16, 5)
    module = torch.nn.Sequential(torch.nn.Linear(18, 16), torch.nn.ReLU(), torch.nn.Linear(16, 5))
    for layer, (columns, rows) in zip((module[0], module[2]), itertools.pairwise(widths), strict=True):
        mask = n_of_m(random, rows, columns, kept, group)
        prune.custom_from_mask(layer, "weight", torch.from_numpy(mask))
    inputs = random.normal(size=(40, 18)).astype(np.float32)
    imported = a.import_network(module, inputs=inputs)
    found = stages_found(imported)
    assert [stage.kind for stage in found] == [f"pruned, {kept}:{group}"] * 2
    imported.save(tmp_path / "net.npz")
    design = a.DesignPoint(network=tmp_path / "net.npz", engine=a.Pruned(pes=4), technology="cmos65")
    assert verify(design, inputs=2).agrees
    result = design.simulate("analytic")
    assert result.stored_bits.encoding == f"places of {bits} bit{'s' * (bits > 1)} in groups of {group}"
    entries = result.stored_bits.weight // 8
    assert result.stored_bits.index == bits * entries
    # The last group of 18 inputs is short, and a bias has an index too.
    biases = design.mapping.count().biases
    assert entries == 16 * kept * -(-18 // group) + 5 * kept * (16 // group) + biases
    by_hand = design.replace(engine=a.Pruned(pes=4, index="absolute")).simulate("analytic")
    assert by_hand.stored_bits.index > result.stored_bits.index
    assert imported.topology.stored_weights <= entries


def test_without_runs_the_hardware_is_as_it_was() -> None:
    sizes = a.Pruned(pes=4).map(a.quantise(a.networks["lenet-300-100-pruned-x40"], 8, 8)).sizes
    assert isinstance(sizes, PrunedSizes)
    assert sizes.run == 1
    text = to_verilog(a.Pruned(pes=2).map(network(np.eye(4))).hardware).text
    assert "ends_run" not in text
    assert "slot" not in text
    assert "ends_run" in to_verilog(a.Pruned(pes=2).map(network(np.ones((4, 4)))).hardware).text


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"run": 3}, "run is 3, allowed are powers of two"),
        ({"run": 0}, "run is 0, allowed are powers of two"),
        ({"run": 2, "relative": True}, "run is 2, allowed is 1 where indices are distances"),
        ({"lockstep": 3}, "lockstep is 3, allowed are divisors of 2 PEs"),
        ({"group": 4, "run": 2}, "group is 4, allowed is 1 where indices are distances or of runs"),
        ({"group": 8}, "group is 8, allowed are 1 and 4"),
        ({"group": 4, "kept_of_group": 5}, "kept_of_group is 5, allowed are 1 to 4"),
    ],
)
def test_sizes_refuse_other_indices(changed: dict[str, Any], message: str) -> None:
    from dataclasses import replace

    sizes = a.Pruned(pes=2, index="absolute").map(network(np.eye(4))).sizes
    with pytest.raises(SizeError, match=message):
        replace(sizes, **changed)
