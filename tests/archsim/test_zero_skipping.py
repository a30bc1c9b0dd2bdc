"""Activations that are zero are skipped: what follows the inputs, between which bounds, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

import archsim as a
from archsim.engine.dense import SkippingMapping
from archsim.engine.engine import EngineError
from archsim.engine.hardware_run import run_rtl
from archsim.engine.mapping import MappingError
from archsim.engine.stimulus import sample_inputs
from archsim.explore.search.settings import best, choices
from tests.archsim.test_places import convolved
from tests.strategies import cases
from workloads import Topology, build_layer, load_network, quantise, random_integer_network

DENSE = "lenet-300-100-dense"


def mapped(zero_window: int, *, pes: int = 16) -> SkippingMapping:
    made = a.Dense(pes=pes, zero_window=zero_window).map(quantise(load_network(DENSE), 8, 8))
    assert isinstance(made, SkippingMapping)
    return made


def first_digit(mapping: SkippingMapping) -> NDArray[np.int64]:
    assert mapping.network.samples is not None
    digit: NDArray[np.int64] = mapping.network.samples.inputs[:, :1]
    return digit


def test_zeros_are_skipped_between_bounds_that_hold_for_all_inputs() -> None:
    mapping = mapped(8)
    counts = mapping.count_of(first_digit(mapping))
    assert not counts.exact
    assert counts.least is not None
    assert counts.most is not None
    assert counts.least.cycles < counts.cycles < counts.most.cycles / 2
    assert counts.most.macs == mapping.network.stored_weights
    assert counts.traffic["weight"].words_read < 0.8 * counts.most.traffic["weight"].words_read


def test_inputs_without_a_zero_take_what_they_take_where_nothing_is_skipped() -> None:
    most, all_ = mapped(8).counts.most, a.Dense(pes=16).map(quantise(load_network(DENSE), 8, 8)).count()
    assert most is not None
    assert most.macs == all_.macs
    assert most.traffic["weight"] == all_.traffic["weight"]
    # The way to the first product is longer, and results are written by more banks.
    assert abs(most.cycles - all_.cycles) < 10 * len(all_.stages)


def test_a_wider_window_takes_no_more_cycles() -> None:
    mappings = [mapped(window) for window in (2, 4, 8, 16)]
    cycles = [mapping.count_of(first_digit(mapping)).cycles for mapping in mappings]
    assert cycles == sorted(cycles, reverse=True)
    assert cycles[0] > cycles[-1]


def test_rows_of_zeros_are_the_stalls() -> None:
    mapping = mapped(4)
    counts = mapping.simulate(first_digit(mapping))
    assert counts.stalls == sum(stage.stall_cycles for stage in counts.stages) > 0
    assert counts.most is not None
    assert counts.most.stalls == 0


@settings(max_examples=40)
@given(data=st.data())
def test_one_more_activation_never_takes_less(data: st.DataObject) -> None:
    case = data.draw(cases("dense", biases=True))
    mapping = case.engine.map(random_integer_network(Topology(((case.network.stages[0].stage,),))))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    few = random.integers(0, 2, (mapping.network.n_in, 1))
    more = np.maximum(few, random.integers(0, 2, few.shape))
    less, greater = mapping.count_of(few), mapping.count_of(more)
    assert less.cycles <= greater.cycles
    assert less.products <= greater.products
    assert less.traffic["weight"].words_read <= greater.traffic["weight"].words_read


@pytest.mark.parametrize("bias_share", [0.0, 1.0])
def test_sums_of_nothing_are_their_biases(bias_share: float) -> None:
    layers = build_layer("dense", 20, 14), build_layer("dense", 14, 6)
    network = random_integer_network(Topology(layers), bias_share=bias_share)
    mapping = a.Dense(pes=4, zero_window=4).map(network)
    # The sums of the inference before must be gone.
    inputs = np.hstack([sample_inputs(network, 1), np.zeros((20, 1), dtype=np.int64)])
    runs, outputs = run_rtl(mapping, inputs)
    assert np.array_equal(outputs, network.run(inputs))
    assert runs[1].cycles == mapping.count_of(inputs[:, 1:]).cycles


def test_a_result_tells_its_bounds_and_that_nobody_calibrated_it() -> None:
    point = a.DesignPoint(network=DENSE, engine=a.Dense(zero_window=8), technology="cmos65")
    mean, first = point.simulate("analytic"), point.simulate("cycle")
    assert not mean.exact
    assert not first.exact
    low, high = first.counts.bounds["cycles"]
    assert low < first.cycles < high
    assert mean.stimulus is not None
    assert mean.stimulus.startswith("2 of")
    assert first.missing["energy_j"] == (
        "engine is dense skipping, whose logic nobody calibrated, allowed is fidelity gate"
    )


def test_a_search_leaves_out_what_nobody_calibrated() -> None:
    point = a.DesignPoint(network=DENSE, engine=a.Dense(), technology="cmos65")
    assert choices(point.engine)["zero_window"] == (1, 2, 4, 8, 16, 32, 64)
    chosen = best(point, {"zero_window": (1, 4)}).design.engine
    assert isinstance(chosen, a.Dense)
    assert chosen.zero_window == 1


def test_a_window_is_a_divisor_of_the_pes() -> None:
    with pytest.raises(EngineError) as refused:
        a.Dense(pes=16, zero_window=3)
    assert str(refused.value) == "zero_window is 3, allowed are divisors of pes (16)"


@pytest.mark.parametrize("kind", ["csc", "clos", "pruned", "eie"])
def test_an_engine_that_skips_no_zeros_has_no_window(kind: str) -> None:
    with pytest.raises(EngineError, match=r"zero_window is not a field, allowed are kind, pes"):
        a.engines[kind](zero_window=4)


def test_places_are_not_skipped_over() -> None:
    with pytest.raises(MappingError) as refused:
        convolved(a.Dense(pes=4, zero_window=2))
    assert str(refused.value) == ("zero_window is 2, allowed are 1 for a network of places or steps")
