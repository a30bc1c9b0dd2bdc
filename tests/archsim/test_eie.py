"""The engine that skips zeros: what depends on the inputs, between which bounds, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import archsim as a
from archsim.costs.fidelity.estimate import EstimateError, estimate_logic
from archsim.engine.counts import Counts
from archsim.engine.eie import EieMapping
from archsim.engine.engine import EngineError
from archsim.engine.hardware_run import count_rtl
from archsim.engine.stimulus import sample_inputs
from archsim.technology import technology
from tests.strategies import cases
from workloads import (
    PrunedStage,
    Topology,
    load_network,
    quantise,
    random_integer_network,
    share_weights,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mapping() -> EieMapping:
    made = a.engines["eie"](pes=16).map(quantise(load_network("lenet-300-100-pruned-x40"), 8, 8))
    assert isinstance(made, EieMapping)
    return made


def test_inputs_of_zero_take_the_least_and_inputs_without_any_take_more(mapping: EieMapping) -> None:
    inputs = mapping.network.n_in
    none, all_ = (mapping.count_of(np.full((inputs, 1), value)) for value in (0, 1))
    assert none.least is not None
    assert none.most is not None
    assert none.least.cycles == none.cycles
    assert none.products == 0
    assert none.cycles < all_.cycles <= none.most.cycles
    assert none.most.macs == mapping.network.stored_weights


def test_the_mean_interval_is_never_longer_than_the_mean_latency(mapping: EieMapping) -> None:
    zeros = mapping.count_of(np.zeros((mapping.network.n_in, 1), dtype=np.int64))
    for extra in range(2):
        run = replace(zeros, cycles=40 + extra, load_cycles=7, interval_cycles=47 + extra)
        longer = replace(run, cycles=run.cycles + 1, interval_cycles=run.interval_cycles + 1)
        mean = Counts.mean([run, longer], least=run, most=longer)
        assert mean.interval_cycles == mean.cycles + mean.load_cycles


@settings(max_examples=40)
@given(data=st.data())
def test_one_more_activation_never_takes_less(data: st.DataObject) -> None:
    case = data.draw(cases("eie", biases=True))
    mapping = case.engine.map(case.network)
    assert isinstance(mapping, EieMapping)
    widths = [stage.stage.n_in for stage in case.network.stages]
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    few = [random.integers(0, 2, width) for width in widths]
    more = [np.maximum(signal, random.integers(0, 2, len(signal))) for signal in few]
    less, greater = mapping.run_on(few), mapping.run_on(more)
    assert less.cycles <= greater.cycles
    assert less.products <= greater.products


def test_a_deeper_queue_takes_no_more_cycles(mapping: EieMapping) -> None:
    x = mapping.network.samples.inputs[:, :1] if mapping.network.samples else None
    assert x is not None
    cycles = [
        a.engines["eie"](pes=16, queue_depth=depth).map(mapping.network).count_of(x).cycles
        for depth in (1, 2, 4, 8, 16)
    ]
    assert cycles == sorted(cycles, reverse=True)
    assert cycles[0] > cycles[-1]


def test_a_result_tells_its_bounds_and_its_inputs() -> None:
    point = a.DesignPoint(
        network="lenet-300-100-pruned-x40", engine={"kind": "eie", "pes": 8}, technology="cmos65"
    )
    mean, first = point.simulate("analytic"), point.simulate("cycle")
    assert not mean.exact
    assert not first.exact
    low, high = first.counts.bounds["cycles"]
    assert low < first.cycles < high
    assert mean.stimulus is not None
    assert mean.stimulus.startswith("2 of")
    assert first.stimulus is not None
    assert first.stimulus.startswith("2 of")
    assert first.stimulus.endswith("; cycles and traffic are of the first")
    assert first.energy_j is not None
    gate = point.simulate("gate")
    assert gate.energy_j is not None
    assert first.energy_j == pytest.approx(gate.energy_j, rel=0.1)


def test_a_codebook_has_counts_and_says_why_it_has_no_costs() -> None:
    shared = share_weights(load_network("lenet-300-100-pruned-x40"), 4)
    mapping = a.engines["eie"](codebook_bits=4).map(quantise(shared, 8, 8))
    with pytest.raises(EstimateError, match="engine is eie codebook, whose logic nobody calibrated"):
        estimate_logic(mapping, technology("cmos65"))


def test_cycle_and_rtl_run_the_same_input_of_a_network_without_samples() -> None:
    integer = random_integer_network(Topology(((PrunedStage.from_mask(np.eye(30, 40, dtype=bool)),),)))
    mapping = a.engines["eie"](pes=4).map(integer)
    assert mapping.simulate() == count_rtl(mapping, sample_inputs(integer, 1))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"queue_depth": 0}, "queue_depth is 0, allowed are 1 to 256"),
        ({"zeros_bits": 9}, "zeros_bits is 9, allowed are 1 to 8 or 'auto'"),
        ({"zero_gating": True}, "zero_gating is True, allowed on eie are auto and False"),
        (
            {"requantiser": "shared"},
            "requantiser is shared, allowed with banks that each write are auto and each",
        ),
    ],
)
def test_what_means_nothing_is_refused(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(EngineError) as refused:
        a.engines["eie"](**options)
    assert str(refused.value) == sentence


def test_a_fetch_brings_a_weight_and_the_rows_before_it() -> None:
    with pytest.raises(EngineError, match=r"fetch_bits is 8, allowed are at least 9, a weight and the rows"):
        a.engines["eie"](fetch_bits=8)
