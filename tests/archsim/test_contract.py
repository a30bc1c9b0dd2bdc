"""The contract of the project: on random cases, cycles, traffic and outputs agree exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archsim.engine import engines
from archsim.engine.stimulus import sample_inputs
from archsim.verification import verify
from tests.strategies import cases
from workloads import IntegerNetwork, IntegerStage
from workloads.stages import PrunedStage


def _agree(kind: str, data: st.DataObject) -> None:
    case = data.draw(cases(kind, biases=True))
    fabric = data.draw(st.sampled_from(("asic", "fpga")))
    verification = verify(case.engine.map(case.network, fabric), inputs=2, seed=data.draw(st.integers(0, 99)))
    assert verification.agrees, [str(difference) for difference in verification.differences]


@pytest.mark.parametrize("kind", sorted(engines))
@settings(max_examples=6)
@given(data=st.data())
def test_closed_form_event_simulation_and_hardware_agree(kind: str, data: st.DataObject) -> None:
    _agree(kind, data)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(engines))
@settings(max_examples=25)
@given(data=st.data())
def test_closed_form_event_simulation_and_hardware_agree_in_many_cases(
    kind: str, data: st.DataObject
) -> None:
    _agree(kind, data)


@pytest.mark.parametrize("gather", ["replicated", "banked", "scheduled"])
@pytest.mark.parametrize("pes", [2, 4])
def test_rows_of_a_bias_alone_are_scaled_by_the_descriptor_of_their_stage(pes: int, gather: str) -> None:
    """The last of them waits behind a result, in which time the next descriptor comes."""
    bare, eye = (PrunedStage.from_mask(mask) for mask in (np.zeros((15, 1), bool), np.eye(15, dtype=bool)))
    random = np.random.default_rng(0)
    network = IntegerNetwork(
        name="biases alone",
        stages=(
            IntegerStage(bare, np.zeros(0, np.int64), 0, True, random.integers(-2, 2, 15), bias_shift=1),
            IntegerStage(eye, np.ones(15, np.int64), 0, False),
        ),
        weight_bits=2,
        activation_bits=3,
        input_fraction_bits=2,
    )
    engine = engines["pruned"].model_validate(
        {"pes": pes, "weight_bits": 2, "activation_bits": 3, "fetch_bits": 10, "gather": gather}
    )
    verification = verify(engine.map(network), inputs=1)
    assert verification.agrees, [str(difference) for difference in verification.differences]


@pytest.mark.parametrize("kind", sorted(engines))
@settings(max_examples=150)
@given(data=st.data())
def test_closed_form_equals_event_simulation(kind: str, data: st.DataObject) -> None:
    case = data.draw(cases(kind, most_pes=40, biases=True))
    mapping = case.engine.map(case.network)
    x = sample_inputs(case.network, 1, seed=data.draw(st.integers(0, 99)))
    counts = mapping.count_of(x)
    assert counts == mapping.simulate(x)
    if not counts.exact:
        assert counts.least is not None
        assert counts.most is not None
        for bound, sign in ((counts.least, 1), (counts.most, -1)):
            assert sign * bound.cycles <= sign * counts.cycles
            assert sign * bound.interval_cycles <= sign * counts.interval_cycles
            assert sign * bound.products <= sign * counts.products


@pytest.mark.parametrize("kind", sorted(engines))
@settings(max_examples=60)
@given(data=st.data())
def test_counts_are_conserved(kind: str, data: st.DataObject) -> None:
    case = data.draw(cases(kind, most_pes=40, biases=True))
    mapping = case.engine.map(case.network)
    counts, stages = mapping.count(), case.network.stages
    # Where zeros are skipped, all weights are multiplied when no activation is one.
    counts = counts if counts.most is None else counts.most
    assert counts.macs == case.network.stored_weights
    assert mapping.stored_bits.weight >= case.network.stored_weights * case.network.weight_bits
    fetched = counts.traffic["weight"].words_read * mapping.sizes.weights_per_fetch
    assert fetched >= counts.products
    produced = sum(stage.stage.n_out for stage in stages[:-1])
    kept = sum(counts.traffic[role].words_written for role in counts.traffic if role.startswith("activation"))
    assert kept >= produced
    assert counts.cycles * case.engine.pes >= counts.products
    assert [stage.end_cycle for stage in counts.stages[:-1]] == [
        stage.start_cycle for stage in counts.stages[1:]
    ]
