"""The exported Verilog is one that people can read: ports have names, a module says what it is for, and
Verilator has nothing to say against it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pyrtl
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from archsim.calibration.plan import draw_small
from archsim.engine import Clos, Csc, Dense, Engine, Pruned, engines
from archsim.engine.mapping import Mapping
from rtl import to_verilog
from rtl.parts.components import StructuredBlock, component, delayed
from rtl.verilog.expressions import CALLED
from rtl.verilog.writer import write_verilog
from tests.strategies import cases
from workloads import load_network, quantise

needs_verilator = pytest.mark.skipif(
    shutil.which("verilator") is None, reason="Verilator is not installed (Debian: verilator)"
)
SMALL = {each.map().sizes.label: each for each in draw_small(5, 4, pes=3)}
FULL: list[tuple[str, Engine]] = [
    ("lenet-300-100-dense", Dense(pes=8, zero_window=4)),
    ("lenet-300-100-csc", Csc(pes=8, reads="rotated")),
    ("lenet-300-100-csc-x40", Csc(pes=8, input_buffer=True, zero_gating=True)),
    ("lenet-300-100-clos", Clos(pes=8, requantiser="shared", operand_isolation=True, product_register=True)),
    ("lenet-300-100-pruned-x40", Pruned(pes=8, gather="replicated", requantiser="shared")),
    ("lenet-300-100-pruned-x40", Pruned(pes=8, gather="banked", route_register=True)),
]
_MODULE = re.compile(
    r"^((?://[^\n]*\n)?)module (\w+) \(\n(.*?)\n\);(.*?)^endmodule", re.MULTILINE | re.DOTALL
)
_PORT = re.compile(r"^ +(?:input|output)(?: reg)? (?:\[\d+:0\] )?(\w+),?$", re.MULTILINE)


def mapped(network: str, engine: Engine) -> Mapping:
    return engine.map(quantise(load_network(network), engine.weight_bits, engine.activation_bits))


def lint(text: str, folder: Path) -> str:
    """What Verilator says, with all its warnings on."""
    (folder / "engine.v").write_text(text)
    command = ["verilator", "--lint-only", "-Wall", "--top-module", "archsim_engine", "engine.v"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120).stderr


@pytest.mark.parametrize(("network", "engine"), FULL, ids=lambda value: str(getattr(value, "kind", value)))
def test_what_goes_from_module_to_module_has_a_name(network: str, engine: Engine) -> None:
    modules = _MODULE.findall(to_verilog(mapped(network, engine).hardware).text)
    assert len(modules) > 5
    words = {*CALLED.values()} - {"sum"}  # A PE calls its own result so where another part rounds it.
    unnamed = re.compile(rf"(\w+_)?({'|'.join(sorted(words))})(_\d+)?")
    for comment, name, ports, _ in modules:
        assert comment, f"{name} does not say what it is for"
        bare = [port for port in _PORT.findall(ports) if unnamed.fullmatch(port)]
        assert not bare, f"{name}: {bare}"


@pytest.mark.parametrize("label", sorted(SMALL))
def test_the_head_has_the_sizes_and_no_constant_is_taken_apart(label: str) -> None:
    mapping = SMALL[label].map()
    text = to_verilog(mapping.hardware).text
    assert text.startswith(f"// The {label} engine of archsim, for\n//   pes = {mapping.sizes.pes}\n")
    assert not re.search(r"\d'd\d+\[", text)
    assert not re.search(r"\d'd\d+ \? ", text)


@needs_verilator
@pytest.mark.slow
@pytest.mark.parametrize(("network", "engine"), FULL, ids=lambda value: str(getattr(value, "kind", value)))
def test_verilator_has_nothing_to_say_against_full_engines(
    network: str, engine: Engine, tmp_path: Path
) -> None:
    assert lint(to_verilog(mapped(network, engine).hardware).text, tmp_path) == ""


@needs_verilator
@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(engines))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_verilator_has_nothing_to_say_against_random_ones(
    kind: str, data: st.DataObject, tmp_path: Path
) -> None:
    case = data.draw(cases(kind, most_pes=6, biases=True))
    assert lint(to_verilog(case.engine.map(case.network).hardware).text, tmp_path) == ""


@needs_verilator
def test_a_fault_would_be_said(tmp_path: Path) -> None:
    text = to_verilog(SMALL["csc"].map().hardware).text
    assert "input clk" in text
    assert "WIDTH" in lint(text.replace("output done", "output [1:0] done"), tmp_path)


def test_a_register_that_is_called_like_a_word_of_verilog_has_another_name_there() -> None:
    pyrtl.set_working_block(StructuredBlock())
    with component("controller"):
        wait = delayed(pyrtl.Input(1, "start"), "wait", reset=True)
    done = pyrtl.Output(1, "done")
    done <<= wait
    text = write_verilog(pyrtl.working_block()).text
    assert not re.search(r"\b(reg|wire|output) (reg )?wait\b", text)
    assert "wait_1" in text
