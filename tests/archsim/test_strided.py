"""Strided blocks: every family of them runs without an index, and reads no more than its blocks ask for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from archsim.engine import Clos
from archsim.engine.clos import ClosMapping
from archsim.engine.mapping import MappingError
from archsim.engine.strided.pieces import orders, pieces_of, rows_of, taps_of
from archsim.engine.strided.plan import StridedPlan
from archsim.verification import verify
from workloads import (
    BlockStage,
    DenseStage,
    KroneckerStage,
    PrunedStage,
    Stage,
    Topology,
    build_layer,
    fit_budget,
    load_network,
    quantise,
    random_integer_network,
)
from workloads.families import families

pytestmark = pytest.mark.slow

STRIDED = (
    *("clos", "deformable-butterfly", "monarch", "kronecker", "block-diagonal", "butterfly", "benes"),
    "parallel-butterfly",
)
ZOO = ("clos", "clos-x40", "deformable-butterfly", "deformable-butterfly-x40")
EXAMPLES = [(name, ex.n_in, ex.n_out, ex.parameters) for name in STRIDED for ex in families[name].examples]


def mapped(*stages: Stage, pes: int = 16) -> ClosMapping:
    mapping = Clos(pes=pes).map(random_integer_network(Topology((stages,))))
    assert isinstance(mapping, ClosMapping)
    return mapping


@pytest.mark.parametrize("pes", [1, 3, 16])
@pytest.mark.parametrize(("family", "n_in", "n_out", "parameters"), EXAMPLES)
def test_every_strided_family_runs_without_an_index(
    family: str, n_in: int, n_out: int, parameters: dict[str, object], pes: int
) -> None:
    mapping = mapped(*build_layer(family, n_in, n_out, **parameters), pes=pes)
    assert mapping.stored_bits.index == 0
    verification = verify(mapping, inputs=2)
    assert verification.agrees, [str(difference) for difference in verification.differences]


@pytest.mark.parametrize("name", ZOO)
def test_shipped_networks_read_one_word_a_block_and_tap(name: str) -> None:
    mapping = Clos(pes=16).map(quantise(load_network(f"lenet-300-100-{name}"), 8, 8))
    words = 0
    for integer in mapping.network.stages:
        stage, taps = integer.stage, int(integer.stage.row_lengths()[0])
        block_out = stage.block_out if isinstance(stage, BlockStage) else stage.n_out
        for first in range(0, stage.n_out, 16):
            last = min(first + 16, stage.n_out) - 1
            words += taps * (last // block_out - first // block_out + 1)
    traffic = mapping.count().traffic
    read = sum(traffic[role].words_read for role in ("input", "activation_0", "activation_1"))
    assert read == words
    assert mapping.sizes.descriptor_format.words == 2


@pytest.mark.parametrize(
    ("family", "compression", "most_words", "most_cycles"),
    [
        ("kronecker", 12.7, 0.2, 1.35),
        ("butterfly", 12.7, 0.35, 1.4),
        ("butterfly", 40, 0.4, 1.6),
        ("benes", 12.7, 0.6, 1.3),
        ("block-diagonal", 12.7, 0.12, 1.5),
    ],
)
def test_networks_of_real_size_read_little_and_leave_few_pes_idle(
    family: str, compression: float, most_words: float, most_cycles: float
) -> None:
    sides = [784, 300, 100]
    layers = [
        build_layer(family, a, b, **fit_budget(family, a, b, round(a * b / compression)))
        for a, b in itertools.pairwise(sides)
    ]
    network = random_integer_network(Topology((*layers, (DenseStage(100, 10),))))
    counts = Clos(pes=16).map(network).count()
    read = sum(traffic.words_read for role, traffic in counts.traffic.items() if role[:3] in ("inp", "act"))
    assert counts.macs == network.stored_weights
    assert read <= most_words * counts.macs
    assert counts.cycles <= most_cycles * counts.macs / 16


@settings(max_examples=25)
@given(
    n_in=st.integers(4, 40),
    n_out=st.integers(4, 40),
    radix=st.integers(2, 3),
    copies=st.integers(1, 4),
    pes=st.integers(1, 12),
    seed=st.integers(0, 99),
)
def test_parallel_butterflies_read_copies_of_the_inputs(
    n_in: int, n_out: int, radix: int, copies: int, pes: int, seed: int
) -> None:
    assume(min(n_in, n_out) >= radix**2)
    layer = build_layer("parallel-butterfly", n_in, n_out, radix=radix, copies=copies, seed=seed)
    mapping = mapped(*layer, DenseStage(n_out, 3), pes=pes)
    # Orders that agree on which inputs lie together need no copy of their own.
    assert mapping.input_words in range(n_in, copies * n_in + 1, n_in)
    assert mapping.stored_bits.index == 0
    assert mapping.count() == mapping.simulate()
    verification = verify(mapping, inputs=1)
    assert verification.agrees, [str(difference) for difference in verification.differences]


def test_a_parallel_butterfly_takes_the_cycles_of_its_weights_and_loads_its_inputs_again() -> None:
    layer = build_layer("parallel-butterfly", 784, 300, copies=3, radix=4, places=256)
    counts = mapped(*layer).count()
    assert counts.load_cycles == 3 * 784
    assert counts.cycles < 1.05 * counts.macs / 16
    assert counts.interval_cycles > counts.cycles
    with pytest.raises(MappingError, match="stage 1 of the network is a pruned stage that nested counters"):
        mapped(DenseStage(5, 64), *build_layer("parallel-butterfly", 64, 32, copies=3))


def test_no_two_words_of_a_step_are_in_one_bank() -> None:
    stages = build_layer("benes", 48, 40, places=32)
    mapping = mapped(*stages, pes=12)
    for plan in mapping.plans:
        assert isinstance(plan, StridedPlan)
        for group in range(plan.groups):
            for addresses in plan.addresses[group][plan.busy[group]].T:
                words = np.unique(addresses)
                assert len(np.unique(words % mapping.banks)) == len(words)
                assert words.max() - words.min() < mapping.order.lanes


def test_a_pe_without_an_output_listens_to_no_lane_beyond_the_last() -> None:
    """Blocks of a pruned stage may be short anywhere: the first PEs then need few lanes, the rest none."""
    ends = np.cumsum([0, 4, 4, 3, 4, 3])
    stage = PrunedStage(18, 5, ends, np.arange(18))
    mapping = mapped(stage, pes=5)
    assert max(max(pattern) for pattern in mapping.patterns) < mapping.lanes
    assert verify(mapping, inputs=2).agrees


@given(left=st.integers(1, 5), outputs=st.integers(1, 5), inputs=st.integers(1, 5), right=st.integers(1, 5))
def test_a_kronecker_product_is_one_piece_in_its_own_order(
    left: int, outputs: int, inputs: int, right: int
) -> None:
    stage = KroneckerStage(left, outputs, inputs, right)
    rows = rows_of(stage, None)
    found = rows_of(stage, np.arange(stage.n_in))
    assert np.array_equal(rows.first, found.first)
    for order in orders(rows):
        pieces = pieces_of(rows, order, 9)
        assert pieces is not None
        assert len(pieces) == 1
        assert pieces[0].count == stage.n_out


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 9), st.integers(-30, 30), st.integers(0, 5))
def test_two_counters_make_the_distances_that_they_are_found_in(
    tiles: int, inner: int, stride: int, tile: int, cut: int
) -> None:
    offsets = (np.arange(tiles)[:, None] * tile + np.arange(inner) * stride).ravel()
    offsets = offsets[: max(1, len(offsets) - cut)]
    taps = taps_of(offsets)
    if taps is not None:
        assert np.array_equal(taps.offsets, offsets)
    if tile not in (0, stride * inner) and inner > 1:
        assert taps is not None


def test_what_counters_do_not_find_is_refused_in_a_sentence() -> None:
    random = np.random.default_rng(0)
    with pytest.raises(MappingError, match="stage 1 of the network is a pruned stage that nested counters"):
        mapped(DenseStage(5, 40), PrunedStage.from_mask(random.random((90, 40)) < 0.3))
    with pytest.raises(MappingError, match="inputs of output 2 of stage 0 is 0, allowed are 1 or more"):
        mapped(PrunedStage.from_mask(np.array([[1, 0], [0, 1], [0, 0]])))
