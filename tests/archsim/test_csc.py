"""The CSC engine reads along the stride: fewer words from fewer banks, whatever widths and strides are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import archsim as a
from archsim.engine.csc import Csc
from archsim.engine.lockstep.rows import in_a_line, in_columns
from archsim.engine.mapping import MappingError
from archsim.verification import verify
from rtl import to_verilog
from tests.strategies import engines_of_kind
from workloads import CscStage, DenseStage, Stage, Topology, load_network, quantise, random_integer_network

CYCLES_AND_READS = {"lenet-300-100-csc": (1_882, 5_112), "lenet-300-100-csc-x40": (942, 2_690)}
"""Of the default engine of 16 PEs, which has four banks."""


def stages(widths: list[int], data: st.DataObject) -> tuple[Stage, ...]:
    """Stages of any stride and fan-in between vectors of these widths; some of one width, as in a layer."""
    made: list[Stage] = []
    for n_in, n_out in itertools.pairwise(widths):
        if data.draw(st.integers(0, 4)) == 0:
            made.append(DenseStage(n_in, n_out))
        else:
            stride = data.draw(st.integers(1, n_in + 2))
            made.append(CscStage(n_in, n_out, data.draw(st.integers(1, 9)), stride))
    return tuple(made)


@pytest.mark.slow
@settings(max_examples=60)
@given(data=st.data())
def test_any_ring_agrees_with_the_hardware(data: st.DataObject) -> None:
    width = st.integers(1, 50)
    square = [data.draw(width)] * data.draw(st.integers(1, 3))
    topology = Topology((stages([data.draw(width), *square, data.draw(width)], data),))
    engine = data.draw(engines_of_kind("csc"))
    network = random_integer_network(
        topology,
        weight_bits=engine.weight_bits,
        activation_bits=engine.activation_bits,
        seed=1,
        bias_share=0.5,
    )
    verification = verify(engine.map(network), inputs=1, seed=2)
    assert verification.agrees, [str(difference) for difference in verification.differences]


@pytest.mark.parametrize(("name", "expected"), CYCLES_AND_READS.items())
def test_reading_along_the_stride_reads_a_quarter_of_the_words(name: str, expected: tuple[int, int]) -> None:
    network = quantise(load_network(name), 8, 8)
    counts = Csc(pes=16).map(network).count()
    reads = sum(counts.traffic[role].words_read for role in ("input", "activation_0", "activation_1"))
    assert (counts.cycles, reads) == expected
    rotated = Csc(pes=16, reads="rotated").map(network).count()
    sparse = sum(stage.stage.stored_weights for stage in network.stages if isinstance(stage.stage, CscStage))
    rotated_reads = sum(
        rotated.traffic[role].words_read for role in ("input", "activation_0", "activation_1")
    )
    # The rotated form reads a word for every weight, and each word of the dense layer once.
    assert rotated_reads == sparse + network.stages[-1].stage.n_in


def test_rows_a_stride_apart_deal_out_every_output_once() -> None:
    for outputs, stride, pes, banks in ((300, 26, 16, 4), (100, 16, 16, 8), (25, 7, 12, 3), (17, 16, 8, 2)):
        for dealing in (in_columns(outputs, stride, pes, banks), in_a_line(outputs, pes, banks)):
            dealt = dealing.outputs[dealing.outputs >= 0]
            assert sorted(dealt.tolist()) == list(range(outputs))
        rows = in_columns(outputs, stride, pes, banks).outputs.reshape(-1, pes // banks, banks)
        below, above = rows[:, 1:], rows[:, :-1]
        both = (below >= 0) & (above >= 0)
        assert np.all((below - above)[both] == stride)


@pytest.mark.parametrize("banks", [3, 5, 32])
def test_banks_divide_the_pes(banks: int) -> None:
    with pytest.raises(ValueError, match=rf"banks is {banks}, allowed are divisors of pes \(16\)"):
        Csc(pes=16, banks=banks)


def test_a_requantiser_is_shared_by_the_rows() -> None:
    network = quantise(load_network("lenet-300-100-csc-x40"), 8, 8)
    assert Csc(pes=16, banks=4, requantiser="shared").map(network).sizes.shared_requantiser
    with pytest.raises(MappingError, match="requantiser is shared, allowed is each"):
        Csc(pes=16, banks=16, requantiser="shared").map(network)


def test_equal_pes_share_a_module_though_one_passes_nothing_on() -> None:
    design = a.DesignPoint(network="lenet-300-100-csc-x40", engine=Csc(pes=8, banks=2), technology="cmos65")
    assert len(to_verilog(design.mapping.hardware).instances["pe"]) == 8
