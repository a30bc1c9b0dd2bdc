"""An engine mapped to 7-series primitives: resources by component, and path delay without routing."""

from __future__ import annotations

import pytest

from archsim.netlist import FpgaSynthesis, YosysError, synthesise_fpga
from archsim.netlist.fpga import _component, _logic_delay
from archsim.technology import Artix7, FpgaResources
from tests.archsim.netlist.sample import engine, memory_module

pytestmark = pytest.mark.slow

PES = 4
# (words, bits) on both sides of the boundaries between LUT RAM, RAMB18 and RAMB36.
MEMORIES = [(16, 8), (64, 64), (128, 32), (256, 8), (512, 8), (1024, 32), (3000, 12)]


@pytest.fixture(scope="module")
def mapped() -> FpgaSynthesis:
    """The engine, a memory of each size and a shift register side by side: one run of the mapper."""
    ports = ["input clk", "input start", "input [7:0] data", "output [23:0] result", "output e"]
    uses = [
        "archsim_engine engine_0(.clk(clk), .start(start), .load(start), .load_data(data), .result(result));",
        "delayed delayed_0(.clk(clk), .d(start), .q(e));",
    ]
    modules = [
        engine(PES),
        """
module delayed(input clk, input d, output q);
  reg [15:0] line; assign q = line[15];
  always @(posedge clk) line <= {line[14:0], d};
endmodule
""",
    ]
    for words, bits in MEMORIES:
        name, address = f"m_{words}_{bits}", (words - 1).bit_length()
        widths = {"we": 1, "waddr": address, "wdata": bits, "re": 1, "raddr": address}
        ports += [f"input [{width - 1}:0] {port}_{name}" for port, width in widths.items()]
        ports.append(f"output [{bits - 1}:0] q_{name}")
        joined = ", ".join(f".{port}({port}_{name})" for port in (*widths, "q"))
        uses.append(f"{name} i_{name}(.clk(clk), {joined});")
        modules.append(memory_module(name, words, bits))
    return synthesise_fpga("".join([*modules, f"module top({', '.join(ports)});", *uses, "endmodule"]), "top")


def test_a_memory_of_1024_words_of_8_bits_is_one_ramb18_and_nothing_else(mapped: FpgaSynthesis) -> None:
    assert mapped.components["weight_memory"].cells == {"RAMB18E1": 1}
    assert mapped.components["weight_memory"].resources == FpgaResources(bram18=1)


def test_components_times_instances_are_the_resources_of_the_design(mapped: FpgaSynthesis) -> None:
    assert mapped.components["pe"].instances == PES
    assert mapped.components["weight_memory"].instances == PES
    assert mapped.resources["dsp"] == PES
    for name in ("lut", "ff", "dsp", "bram18", "bram36", "carry4", "lut_as_memory"):
        parts = mapped.components.values()
        assert mapped.resources[name] == sum(part.resources[name] * part.instances for part in parts)


def test_a_path_from_a_block_ram_through_the_route_into_a_multiplier(mapped: FpgaSynthesis) -> None:
    assert mapped.logic_delay_s is not None
    assert 3e-9 < mapped.logic_delay_s < 6e-9
    assert mapped.routing_factor == Artix7().routing_factor
    assert mapped.critical_path_s == pytest.approx(mapped.logic_delay_s * mapped.routing_factor)
    assert "RAMB18E1" in mapped.critical_path[1]
    assert mapped.critical_path[-1].startswith("engine_0.pe_")


@pytest.mark.parametrize(("words", "bits"), MEMORIES)
def test_the_memory_rule_of_the_technology_is_what_yosys_builds(
    mapped: FpgaSynthesis, words: int, bits: int
) -> None:
    built, priced = (
        mapped.components[f"m_{words}_{bits}"].resources,
        Artix7().memory(words=words, word_bits=bits),
    )
    assert priced.resources["lut_as_memory"] == built["lut_as_memory"]
    assert (priced.built_as == "bram") == (built["bram36"] + built["bram18"] > 0)
    halves = [2 * each["bram36"] + each["bram18"] for each in (priced.resources, built)]
    assert halves[0] == halves[1]


def test_a_shift_register_counts_as_lut_memory(mapped: FpgaSynthesis) -> None:
    delayed = mapped.components["delayed"].resources
    assert (delayed["lut"], delayed["lut_as_memory"]) == (1, 1)


def test_an_unknown_primitive_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="module m has primitive 'URAM288', allowed are those listed in"):
        _component("m", {"URAM288": 1}, 1, {"m"}, Artix7())


def test_verilog_without_the_top_is_refused() -> None:
    with pytest.raises(YosysError, match=r"Yosys refuses the design: .*engine"):
        synthesise_fpga("module other(input a, output b); assign b = a; endmodule", "engine")


def test_a_timing_report_without_a_path_is_no_delay() -> None:
    assert _logic_delay("7. Executing STA pass (static timing analysis).\n") == (0.0, ())


def test_the_path_of_a_timing_report_is_read_from_its_start() -> None:
    report = """Latest arrival time in 'top' is 3420:
    3420 $flatten\\pe_0.$mul (DSP48E1.B)
           \\pe_0.activation [2]
    2454 memory_0.mem.0.0 (RAMB18E1.CLKBWRCLK->DOPBDOP)
       0   \\clk (<primary input>)

Arrival histogram:
"""
    delay_s, path = _logic_delay(report)
    assert delay_s == pytest.approx(3.42e-9)
    assert path == (
        "clk (<primary input>): 0.000 ns",
        "memory_0.mem.0.0 (RAMB18E1.CLKBWRCLK->DOPBDOP): 2.454 ns",
        "pe_0.$mul (DSP48E1.B): 3.420 ns",
    )
