"""Behind AXI every engine gives the scores of the integer network, however long both ends make it wait."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from archsim.calibration.plan import draw_small
from archsim.engine import Clos, Csc, Dense, Engine, Pruned, engines
from archsim.engine.hardware_run import run_rtl
from archsim.engine.mapping import Mapping
from archsim.engine.stimulus import sample_inputs
from archsim.engine.streams import streams_of
from rtl import to_verilog
from rtl.axi import AxiWrapper, InputWrite, Streams, make_axi_bench, make_axi_wrapper
from tests.archsim.test_places import convolved
from tests.rtl.test_verilog import needs_icarus
from tests.strategies import cases, parallel_network, stencil_network
from workloads import Topology, build_layer, load_network, quantise, random_integer_network

needs_verilator = pytest.mark.skipif(
    shutil.which("verilator") is None, reason="Verilator is not installed (Debian: verilator)"
)
SMALL = {drawn.map().sizes.label: drawn for drawn in draw_small(5, 4, pes=3)}
SMALL["eie"] = replace(SMALL["pruned banked"], engine=engines["eie"](pes=3))


def wrapped(mapping: Mapping) -> AxiWrapper:
    return make_axi_wrapper(mapping.hardware, to_verilog(mapping.hardware), streams_of(mapping))


def in_icarus(
    mapping: Mapping, folder: Path, *, inputs: int = 3, wrong: int = 0, broken: tuple[str, str] = ("", "")
) -> str:
    """What the test bench of the wrapper prints. It may be told that the first score is by so much another,
    and the wrapper may be `broken`: one text in the place of another."""
    x = sample_inputs(mapping.network, inputs)
    runs, _ = run_rtl(mapping, x)
    outputs = mapping.network.run(x)
    outputs[0, 0] += wrong
    wrapper = wrapped(mapping)
    bench = make_axi_bench(
        wrapper,
        mapping.hardware,
        mapping.images,
        x.T.tolist(),
        [mapping.load(one) for one in x.T],
        outputs.T.tolist(),
        [run.cycles for run in runs],
    )
    (folder / "archsim_engine.v").write_text(to_verilog(mapping.hardware).text)
    assert broken[0] in wrapper.verilog
    (folder / "archsim_axi.v").write_text(wrapper.verilog.replace(*broken) if broken[0] else wrapper.verilog)
    (folder / "testbench_axi.v").write_text(bench.verilog)
    for name, text in bench.files.items():
        (folder / name).write_text(text)
    sources = ["testbench_axi.v", "archsim_axi.v", "archsim_engine.v"]
    command = ["iverilog", "-g2005-sv", "-Wall", "-Wno-timescale", "-o", "run", *sources]
    built = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    assert not built.stderr, built.stderr
    done = subprocess.run(["vvp", "run"], cwd=folder, check=True, capture_output=True, text=True, timeout=300)
    return done.stdout


def buffered(engine: Engine, *, buffer: bool) -> Engine:
    return (
        engine
        if "input_buffer" in type(engine).unused
        else engine.model_copy(update={"input_buffer": buffer})
    )


@needs_icarus
@pytest.mark.slow
@pytest.mark.parametrize("buffer", [False, True], ids=["loaded-between", "loaded-meanwhile"])
@pytest.mark.parametrize("kind", SMALL)
def test_an_engine_of_each_kind_gives_its_scores_behind_axi(kind: str, buffer: bool, tmp_path: Path) -> None:
    small = SMALL[kind]
    mapping = replace(small, engine=buffered(small.engine, buffer=buffer)).map()
    assert "PASS: 7 inferences" in (said := in_icarus(mapping, tmp_path)), said


@needs_icarus
@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(engines))
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_random_engines_give_their_scores_behind_axi(kind: str, data: st.DataObject, tmp_path: Path) -> None:
    case = data.draw(cases(kind, most_pes=6, biases=True))
    said = in_icarus(case.engine.map(case.network), tmp_path)
    assert "PASS: 7 inferences" in said, said


@needs_icarus
def test_an_input_that_lies_in_several_places_is_one_beat(tmp_path: Path) -> None:
    for mapping in (
        Csc(pes=3).map(stencil_network()),
        Clos(pes=4, input_buffer=True).map(parallel_network()),
    ):
        streams = streams_of(mapping)
        assert len(streams.writes) > streams.inputs == mapping.network.n_in
        assert "PASS: 7 inferences" in (said := in_icarus(mapping, tmp_path)), said


@needs_icarus
@pytest.mark.slow
@pytest.mark.parametrize("engine", [Csc(pes=4), Pruned(pes=3, gather="scheduled")], ids=["csc", "scheduled"])
def test_maps_come_in_and_go_out_in_the_order_of_the_network(engine: Engine, tmp_path: Path) -> None:
    said = in_icarus(convolved(engine, fabric="fpga"), tmp_path, inputs=2)
    assert "PASS: 6 inferences" in said, said


@needs_icarus
def test_the_bench_fails_when_a_score_is_wrong(tmp_path: Path) -> None:
    said = in_icarus(narrow(1), tmp_path, wrong=1)
    assert "score: got" in said
    assert "FAIL" in said


@needs_icarus
@pytest.mark.parametrize(
    "broken",
    [
        pytest.param((" & ~draining & ~commit", " & ~commit"), id="it starts while scores wait"),
        pytest.param(("~vector_ready & ~start &", "~vector_ready &"), id="a beat enters as it starts"),
        pytest.param(("~start & ~commit &", "~start &"), id="a word and a beat at once"),
        pytest.param(("& (~m_axis_tvalid | m_axis_tready)", ""), id="a score is not held"),
        pytest.param(("if (~address_held) ", ""), id="an address is not held"),
        pytest.param(("(rewinds & last_place & s_axis_tlast)", "rewinds"), id="TLAST is not looked at"),
        pytest.param(("& ~(loads & running)", ""), id="a load into a run"),
    ],
)
def test_the_bench_finds_what_breaks_a_handshake(broken: tuple[str, str], tmp_path: Path) -> None:
    said = in_icarus(narrow(2), tmp_path, broken=broken)
    assert "FAIL" in said
    assert "PASS" not in said


@needs_icarus
@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "engine"),
    [
        ("lenet-300-100-csc", Csc(pes=16, input_buffer=True)),
        ("lenet-300-100-pruned-x40", Pruned(pes=12, gather="scheduled", input_buffer=True)),
    ],
    ids=["csc", "pruned"],
)
def test_digits_are_classified_behind_axi(network: str, engine: Engine, tmp_path: Path) -> None:
    mapping = engine.map(quantise(load_network(network), 8, 8))
    assert "PASS: 7 inferences" in (said := in_icarus(mapping, tmp_path)), said


def narrow(pes: int, bits: int = 8) -> Mapping:
    """A dense engine for five inputs and three scores."""
    layers = (build_layer("dense", 5, 4), build_layer("dense", 4, 3))
    return Dense(pes=pes, activation_bits=bits).map(
        random_integer_network(Topology(layers), activation_bits=bits)
    )


@needs_verilator
@pytest.mark.parametrize(
    "mapping",
    [
        pytest.param(narrow(1), id="one PE"),
        pytest.param(narrow(8, 5), id="more PEs than scores"),
        pytest.param(Csc(pes=3).map(stencil_network()), id="inputs by table"),
        pytest.param(Clos(pes=4).map(parallel_network()), id="scores by table"),
        pytest.param(convolved(Csc(pes=4)), id="maps"),
    ],
)
def test_the_wrapper_is_free_of_lint(mapping: Mapping, tmp_path: Path) -> None:
    (tmp_path / "archsim_engine.v").write_text(to_verilog(mapping.hardware).text)
    (tmp_path / "archsim_axi.v").write_text(wrapped(mapping).verilog)
    (tmp_path / "engine.vlt").write_text('`verilator_config\nlint_off -file "archsim_engine.v"\n')
    sources = ["engine.vlt", "archsim_axi.v", "archsim_engine.v"]
    command = ["verilator", "--lint-only", "-Wall", "--top-module", "archsim_axi", *sources]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_counts_needs_no_table() -> None:
    plain = streams_of(narrow(2))
    assert plain.counted_units
    assert plain.counted_lanes == 2
    assert "case (input_at)" not in wrapped(narrow(2)).verilog
    assert streams_of(Csc(pes=3).map(stencil_network())).counted_units is None
    dealt = (InputWrite(0, 0, 0), InputWrite(1, 1, 0), InputWrite(2, 0, 1))
    assert Streams(dealt, ((0, 0),)).counted_units == 2
    assert Streams(dealt[::-1], ((0, 0),)).counted_units is None
    assert Streams((InputWrite(None, 0, 0), *dealt), ((0, 0),)).takes == (False, True, True, True)


def test_every_write_of_an_input_is_that_of_the_load_port() -> None:
    for mapping in (
        Csc(pes=3).map(stencil_network()),
        Clos(pes=4).map(parallel_network()),
        convolved(Csc(pes=4)),
    ):
        mask = (1 << mapping.network.activation_bits) - 1
        x = sample_inputs(mapping.network, 1)[:, 0]
        written = {(write.unit, write.address): write.data for write in mapping.load(x)}
        made = streams_of(mapping).writes
        assert len(made) == len(written)
        for write in made:
            expected = 0 if write.beat is None else int(x[write.beat]) & mask
            assert written[write.unit, write.address] == expected


def test_no_two_fields_share_a_bit_and_no_two_registers_an_address() -> None:
    wrapper = wrapped(narrow(2))
    addresses = [register.address for register in wrapper.registers]
    assert addresses == list(range(0, 4 * len(addresses), 4))
    for register in wrapper.registers:
        bits = [bit for field in register.fields for bit in range(field.low, field.low + field.bits)]
        assert len(bits) == len(set(bits)) <= 32
        assert f"{register.name} = " in wrapper.verilog


def test_the_design_word_tells_engines_apart() -> None:
    words = {re.search(r"DESIGN: s_axi_rdata <= (\S+);", wrapped(narrow(pes)).verilog)[1] for pes in (1, 2)}  # type: ignore[index]
    assert len(words) == 2
    assert np.all([word.startswith("32'h") for word in words])
