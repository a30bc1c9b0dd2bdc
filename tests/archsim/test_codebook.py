"""Weights as numbers in a codebook: exact in every fidelity, smaller, and refused where they are too many."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import archsim as a
from archsim.engine.eie import Eie, EieMapping
from archsim.engine.engine import EngineError
from archsim.engine.hardware_run import run_rtl
from archsim.engine.mapping import MappingError
from archsim.engine.stimulus import sample_inputs
from archsim.trace.runs import timeline
from archsim.verification import verify
from rtl import SizeError, to_verilog
from tests.archsim.trace.test_signals import intervals
from tests.rtl.test_verilog import icarus, needs_icarus
from tests.strategies import cases
from workloads import IntegerNetwork, load_network, quantise, random_integer_network, share_weights

pytestmark = pytest.mark.slow

ZOO = "lenet-300-100-pruned-x40"


def few_weights(network: IntegerNetwork, number: int, seed: int) -> IntegerNetwork:
    """The network with at most so many different weights in each stage, one of them zero."""
    random, top = np.random.default_rng(seed), 1 << network.weight_bits - 1
    stages = []
    for stage in network.stages:
        chosen = np.append(random.integers(-top, top, number - 1), 0)
        stages.append(replace(stage, weights=random.choice(chosen, stage.weights.shape)))
    return replace(network, stages=tuple(stages))


@st.composite
def mappings(draw: st.DrawFn, most_pes: int = 12) -> EieMapping:
    """A random network of few weights, with and without biases, on an engine with a codebook that just holds
    them."""
    case = draw(cases("eie", most_pes, biases=True))
    bits = draw(st.integers(2, 4))
    # A bias of more bits than a code is many entries.
    weight_bits, activation_bits = draw(st.integers(bits + 1, bits + 4)), draw(st.integers(5, 8))
    widths: dict[str, Any] = {"weight_bits": weight_bits, "activation_bits": activation_bits}
    options = case.engine.model_dump() | widths | {"codebook_bits": bits, "fetch_bits": 40}
    topology = a.Topology(tuple((stage.stage,) for stage in case.network.stages))
    biases = draw(st.sampled_from((0.0, 0.5, 1.0)))
    network = random_integer_network(topology, **widths, bias_share=biases, seed=draw(st.integers(0, 99)))
    network = few_weights(network, 1 << bits, draw(st.integers(0, 99)))
    mapping = Eie.model_validate(options).map(network, draw(st.sampled_from(("asic", "fpga"))))
    assert isinstance(mapping, EieMapping)
    return mapping


@settings(max_examples=8)
@given(mapping=mappings(most_pes=6), seed=st.integers(0, 99))
def test_all_fidelities_agree_with_a_codebook(mapping: EieMapping, seed: int) -> None:
    verification = verify(mapping, inputs=2, seed=seed)
    assert verification.agrees, [str(difference) for difference in verification.differences]


@settings(max_examples=60)
@given(mapping=mappings(most_pes=40))
def test_every_entry_but_those_of_biases_is_looked_up(mapping: EieMapping) -> None:
    most = mapping.count().most
    assert most is not None
    biased = sum(stage.counts[:, : stage.bias_columns].sum() for stage in mapping.stages)
    assert most.traffic["codebook"].words_read == most.products - biased
    for pe in range(mapping.engine.pes):
        for stage in mapping.stages:
            codes, biases = stage.codes(pe), int(stage.counts[pe, : stage.bias_columns].sum())
            assert np.array_equal(stage.values[codes[biases:]], stage.weights[pe][biases:])


@settings(max_examples=6)
@given(mapping=mappings(most_pes=6))
def test_hardware_with_a_codebook_does_the_same_in_every_cycle(mapping: EieMapping) -> None:
    assert intervals(timeline(mapping)) == intervals(timeline(mapping, "rtl"))


@pytest.fixture(scope="module")
def shared() -> IntegerNetwork:
    return quantise(share_weights(load_network(ZOO), 4), 8, 8)


def test_a_codebook_makes_entries_smaller_and_takes_at_most_a_cycle_a_stage_more(
    shared: IntegerNetwork,
) -> None:
    with_it, without = (Eie(pes=16, zeros_bits=4, codebook_bits=bits).map(shared) for bits in (4, 0))
    entries = without.stored_bits.weight // 8
    assert with_it.stored_bits.weight == entries * 4 + 16 * 3 * 16 * 8
    # A PE that waits for its queue while the codebook is read loses nothing by it.
    longer, cycles = with_it.count().cycles, without.count().cycles
    assert cycles < longer <= cycles + len(shared.stages)
    assert with_it.count().products == without.count().products
    assert "codebook" not in without.count().traffic


def test_only_an_engine_with_a_codebook_has_one(shared: IntegerNetwork) -> None:
    def verilog(bits: int) -> str:
        return to_verilog(Eie(pes=2, codebook_bits=bits).map(shared).hardware).text

    assert "module codebook_memory" in verilog(4)
    assert "module codebook_memory" not in verilog(0)


@needs_icarus
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(mapping=mappings(most_pes=5))
def test_exported_engines_with_a_codebook_agree_in_icarus(mapping: EieMapping, tmp_path: Path) -> None:
    inputs = sample_inputs(mapping.network, 2)
    runs, _ = run_rtl(mapping, inputs)
    said = icarus(tmp_path, mapping, [mapping.load(x) for x in inputs.T], runs)
    assert "PASS: 2 inputs" in said, said


@needs_icarus
def test_a_shared_network_classifies_a_digit_in_icarus(shared: IntegerNetwork, tmp_path: Path) -> None:
    mapping = Eie(pes=8, codebook_bits=4).map(shared)
    inputs = sample_inputs(shared, 1)
    runs, outputs = run_rtl(mapping, inputs)
    assert np.array_equal(outputs, shared.run(inputs))
    assert "PASS: 1 inputs" in icarus(tmp_path, mapping, [mapping.load(inputs[:, 0])], runs)


@pytest.mark.long
def test_the_codebooks_are_memories_that_a_result_prices(tmp_path: Path) -> None:
    share_weights(load_network(ZOO), 4).save(tmp_path / "shared.npz")
    engine, network = Eie(pes=8, codebook_bits=4), str(tmp_path / "shared.npz")
    design = a.DesignPoint(network=network, engine=engine, technology="cmos65")
    result = design.simulate("gate")
    for metric in ("area_mm2", "energy_j"):
        assert result.by_component(metric)["codebook memory"] > 0
    assert result.counts == design.simulate("cycle").counts


def test_a_network_of_too_many_weights_is_refused(shared: IntegerNetwork) -> None:
    plain = quantise(load_network(ZOO), 8, 8)
    with pytest.raises(MappingError) as refused:
        Eie(pes=16, codebook_bits=4).map(plain)
    assert str(refused.value).startswith("codebook_bits is 4, allowed is 0: the network's stage 0 has ")
    with pytest.raises(MappingError, match="codebook_bits is 3, allowed are 0 and 4 or more: the network's"):
        Eie(pes=16, codebook_bits=3).map(shared)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"codebook_bits": 8}, "codebook_bits is 8, allowed are 0 and 2 to 7, fewer than weight_bits"),
        ({"codebook_bits": 1}, "codebook_bits is 1, allowed are 0 and 2 to 7, fewer than weight_bits"),
        ({"codebook_bits": 2, "weight_bits": 2}, "codebook_bits is 2, allowed is 0"),
        ({"codebook_bits": 9}, "codebook_bits is 9, allowed are 0 to 8"),
        ({"queue_depth": 257}, "queue_depth is 257, allowed are 1 to 256"),
    ],
)
def test_a_codebook_that_is_none_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EngineError) as refused:
        Eie(**options)
    assert str(refused.value) == sentence


def test_hardware_refuses_a_codebook_as_wide_as_its_weights(shared: IntegerNetwork) -> None:
    sizes = Eie(pes=2, codebook_bits=4).map(shared).sizes
    with pytest.raises(SizeError, match=r"codebook_bits is 8, allowed are 0 \(no codebook\) to 7"):
        replace(sizes, codebook_bits=8)  # type: ignore[call-arg]
