"""Banks that are read by a schedule: no two rows of a bank in a cycle, nearly no cycle lost, every fidelity
exact."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import archsim as a
from archsim.engine.gather.schedule import ScheduledStage, schedule_stage
from archsim.engine.gather.scheduled import ScheduledMapping
from archsim.engine.mapping import MappingError
from archsim.engine.sweep.mapping import SweptMapping
from archsim.verification import verify
from rtl import SizeError
from tests.strategies import cases
from workloads import (
    IntegerModel,
    IntegerNetwork,
    IntegerPart,
    Places,
    PrunedStage,
    Topology,
    load_network,
    quantise,
    random_integer_network,
)
from workloads.refusal import Defect

pytestmark = pytest.mark.slow

CYCLES_AND_READS = {
    "lenet-300-100-pruned": {4: (5_312, 15_842), 8: (2_693, 13_162), 16: (1_368, 10_340), 32: (729, 7_907)},
    "lenet-300-100-pruned-x40": {4: (1_722, 5_190), 8: (887, 4_686), 16: (461, 4_048), 32: (267, 3_447)},
}


def scheduled(network: IntegerNetwork, **engine: object) -> ScheduledMapping:
    mapping = a.Pruned.model_validate({"gather": "scheduled", **engine}).map(network)
    assert isinstance(mapping, ScheduledMapping)
    return mapping


def network(*widths: int, share: float = 0.2, seed: int = 0, bias_share: float = 0.0) -> IntegerNetwork:
    random = np.random.default_rng(seed)
    layers = tuple(
        (PrunedStage.from_mask(random.random((m, n)) < share),) for n, m in itertools.pairwise(widths)
    )
    return random_integer_network(Topology(layers), bias_share=bias_share, seed=seed)


@settings(max_examples=12)
@given(data=st.data())
def test_all_fidelities_agree_on_a_schedule(data: st.DataObject) -> None:
    case = data.draw(cases("pruned", biases=True))
    engine = case.engine.model_copy(update={"gather": "scheduled", "index": "auto", "requantiser": "auto"})
    fabric = data.draw(st.sampled_from(("asic", "fpga")))
    verification = verify(engine.map(case.network, fabric), inputs=2, seed=data.draw(st.integers(0, 99)))
    assert verification.agrees, [str(difference) for difference in verification.differences]


@settings(max_examples=60)
@given(data=st.data())
def test_a_schedule_takes_every_weight_once_and_no_bank_has_two_rows_in_a_cycle(data: st.DataObject) -> None:
    case = data.draw(cases("pruned", most_pes=40, biases=True))
    pes = case.engine.pes
    for integer, stage in zip(case.network.stages, scheduled(case.network, pes=pes).stages, strict=True):
        taken = stage.banks >= 0
        assert np.count_nonzero(taken) == integer.weights.size
        assert sorted(stage.weights[taken]) == sorted(integer.weights.ravel())
        for step in range(stage.steps):
            rows = {(stage.banks[p, step], stage.rows[p, step]) for p in np.flatnonzero(taken[:, step])}
            assert len({bank for bank, _ in rows}) == len(rows)
        assert np.count_nonzero(stage.ends) == stage.outputs
        assert sorted(stage.positions) == list(range(stage.outputs))
        assert not (stage.bias & taken).any()


@pytest.mark.parametrize("name", CYCLES_AND_READS)
def test_the_networks_of_the_zoo_lose_nearly_no_cycle(name: str) -> None:
    integer = quantise(load_network(name), 8, 8)
    for pes, expected in CYCLES_AND_READS[name].items():
        mapping = scheduled(integer, pes=pes)
        counts = mapping.count()
        reads = sum(counts.traffic[role].words_read for role in ("input", "activation_0", "activation_1"))
        assert (counts.cycles, reads) == expected
        least = sum(stage.least_steps[0] for stage in mapping.stages)
        # A fiftieth, or two cycles a stage where stages are as short as 50 cycles.
        lost = sum(stage.steps for stage in mapping.stages) - least
        assert lost <= max(0.02 * least, 2 * len(mapping.stages))
        for gather in ("banked", "replicated"):
            other = a.Pruned.model_validate({"gather": gather, "pes": pes}).map(integer)
            assert counts.cycles < other.count().cycles


def test_one_read_serves_all_that_want_the_word() -> None:
    (stage,) = scheduled(network(8, 16, share=1.0), pes=4).stages
    assert stage.stored == 8 * 16
    assert stage.reads == 8 * 4
    assert stage.steps == 8 * 4


def test_rows_are_dealt_so_that_the_next_stage_reads_banks_evenly() -> None:
    integer = network(60, 64, 40, share=0.3, seed=3)
    first, second = scheduled(integer, pes=8).stages
    reads = np.bincount(second.banks[second.banks >= 0], minlength=8)
    assert np.ptp(reads) <= 2
    assert np.ptp((first.banks >= 0).sum(axis=1)) <= 2


def test_a_schedule_is_the_same_each_time() -> None:
    integer = network(50, 40, seed=5).stages[0]
    nothing, at = np.zeros((40, 0), dtype=np.int64), np.arange(50)
    one, other = (schedule_stage(integer, nothing, at, np.zeros(40, dtype=np.int64), 8) for _ in range(2))
    assert np.array_equal(one.banks, other.banks)
    assert np.array_equal(one.rows, other.rows)


def test_a_pe_that_waits_multiplies_a_word_that_was_read() -> None:
    nothing = scheduled(network(9, 6, share=0.0), pes=2)
    (stage,) = nothing.stages
    assert (stage.stored, stage.reads, stage.steps) == (0, 1, 3)
    assert verify(nothing).agrees


def test_events_refuse_a_schedule_with_two_rows_of_a_bank() -> None:
    mapping = scheduled(network(24, 12, share=0.6), pes=4)
    (stage,) = mapping.stages
    pe, step = (int(at[0]) for at in np.nonzero(stage.banks >= 0))
    other = (pe + 1) % 4
    banks, rows = stage.banks.copy(), stage.rows.copy()
    banks[other, step], rows[other, step] = banks[pe, step], rows[pe, step] + 1
    wrong = replace(mapping, stages=(replace(stage, banks=banks, rows=rows),))
    assert isinstance(wrong.stages[0], ScheduledStage)
    with pytest.raises(Defect, match="two PEs want different rows of a bank"):
        wrong.simulate()


def test_a_word_of_indices_is_as_wide_as_its_entries() -> None:
    sizes = scheduled(network(64, 32), pes=8, fetch_bits=64).sizes
    assert (sizes.index_bits, sizes.address.bank_bits) == (4 + 3, 3)
    (index,) = (shape for shape in sizes.memory_shapes if shape.role == "index")
    assert index.word_bits == 64 // 8 * 8 == 64
    (index,) = (
        shape
        for shape in scheduled(network(64, 32), pes=8, fetch_bits=60).sizes.memory_shapes
        if shape.role == "index"
    )
    assert index.word_bits == 56


def test_a_fetch_must_bring_an_index() -> None:
    with pytest.raises(MappingError, match=r"fetch_bits is 8, allowed are at least 11 for this network"):
        scheduled(network(784, 30), pes=16, fetch_bits=8)


@settings(max_examples=10)
@given(data=st.data())
def test_arbiters_behind_a_register_agree_too_and_take_a_cycle_more_a_stage(data: st.DataObject) -> None:
    case = data.draw(cases("pruned", biases=True))
    banked = {"gather": "banked", "index": "absolute", "requantiser": "auto", "route_register": False}
    plain = case.engine.model_copy(update=banked)
    cut = plain.model_copy(update={"route_register": True})
    assert verify(cut.map(case.network), inputs=2).agrees
    if plain.pes == 1:
        stages = len(case.network.stages)
        assert cut.map(case.network).count().cycles == plain.map(case.network).count().cycles + stages


def test_cascades_that_share_hardware_have_indices_of_equal_width() -> None:
    parts = [
        IntegerPart(Places(2, 3, 3, kernel=(2, 2)), network(8, 8, 8, share=1.0)),
        IntegerPart(Places(8, 2, 2, kernel=(1, 2)), network(16, 4, 4, share=1.0)),
    ]
    for pes in (1, 3):
        mapping = a.Pruned(pes=pes, gather="scheduled").map(IntegerModel("placed", tuple(parts)))
        assert isinstance(mapping, SweptMapping)
        widths = {shape.word_bits for shape in mapping.sizes.memory_shapes if shape.role == "index"}
        assert {
            shape.word_bits
            for cascade in mapping.cascades
            for shape in cascade.sizes.memory_shapes
            if shape.role == "index"
        } == widths
        assert verify(mapping).agrees


def test_sizes_of_a_schedule_have_banks_and_addresses() -> None:
    sizes = scheduled(network(16, 8), pes=2).sizes
    for changed in ({"replicated": True}, {"relative": True}, {"run": 2}):
        with pytest.raises(SizeError, match="scheduled is true, allowed with copies, distances and runs is"):
            replace(sizes, **changed)
    with pytest.raises(SizeError, match="route_register is true, allowed without arbiters of banks is false"):
        replace(sizes, route_register=True)
