"""An engine mapped to 7-series primitives: resources by component, and the longest path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from archsim.netlist import FpgaSynthesis, YosysError, synthesise_fpga, yosys
from archsim.netlist.fpga import _component, _latest, _with_net_stages
from archsim.netlist.yosys import run_yosys_anew
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
    assert "RAMB18E1" in mapped.critical_path[1]
    assert mapped.critical_path[-1].startswith("engine_0.pe_")


def test_the_longest_path_is_its_cells_and_a_net_before_each_that_routing_leads_to(
    mapped: FpgaSynthesis,
) -> None:
    assert mapped.net_delay_s is not None
    assert mapped.logic_delay_s is not None
    assert mapped.critical_path_s is not None
    assert mapped.net_delay_s == pytest.approx(Artix7().net_delay_s(mapped.resources), abs=1e-12)
    stages = [stage.rpartition(": ") for stage in mapped.critical_path]
    at_ns = [float(time.removesuffix(" ns")) for _, _, time in stages]
    nets = [
        after - before
        for (place, _, _), before, after in zip(stages[1:], at_ns, at_ns[1:], strict=False)
        if place.startswith("net to")
    ]
    assert len(nets) >= 2
    assert nets == pytest.approx([1e9 * mapped.net_delay_s] * len(nets))
    assert at_ns == sorted(at_ns)
    assert mapped.critical_path_s == pytest.approx(1e-9 * at_ns[-1])
    assert mapped.routing_share == pytest.approx(1e-9 * sum(nets) / mapped.critical_path_s)
    in_cells_s = mapped.critical_path_s - 1e-9 * sum(nets)
    assert in_cells_s < mapped.logic_delay_s + 1e-15 < mapped.critical_path_s


class _Routed(Artix7):
    """A device each net of which takes `net_s`, whatever the design."""

    net_s: float

    def net_delay_s(self, resources: FpgaResources) -> float:
        return self.net_s


def test_another_law_of_nets_times_anew_and_maps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = engine(1)
    first = synthesise_fpga(text, "archsim_engine")
    scripts = []

    def recorded(script: str, files: Mapping[str, str], outputs: Sequence[str]) -> dict[str, str]:
        scripts.append(script)
        return run_yosys_anew(script, files, outputs)

    monkeypatch.setattr(yosys, "run_yosys_anew", recorded)
    paths = [synthesise_fpga(text, "archsim_engine", _Routed(net_s=net_s)) for net_s in (0.0, 2e-9)]
    assert not any("synth_xilinx" in script for script in scripts)
    assert paths[0].critical_path_s == first.logic_delay_s == paths[1].logic_delay_s
    slow_s, usual_s, quick_s = (made.critical_path_s or 0.0 for made in (paths[1], first, paths[0]))
    assert slow_s > usual_s > quick_s > 0


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
    assert _latest("7. Executing STA pass (static timing analysis).\n") == (0.0, [])


def test_the_path_of_a_timing_report_is_read_from_its_start() -> None:
    report = """Latest arrival time in 'top' is 3920:
    3920 $flatten\\pe_0.$mul (DSP48E1.B)
           \\pe_0.activation [2]
    2954 memory_0.mem.0.0 (RAMB18E1.CLKBWRCLK->DOPBDOP)
       0   \\clk (<primary input>)

Arrival histogram:
"""
    delay_s, stages = _latest(report)
    assert delay_s == pytest.approx(3.92e-9)
    assert tuple(_with_net_stages(stages, 500, {("DSP48E1", "B")})) == (
        "clk (<primary input>): 0.000 ns",
        "memory_0.mem.0.0 (RAMB18E1.CLKBWRCLK->DOPBDOP): 2.954 ns",
        "net to pe_0.$mul (DSP48E1.B): 3.454 ns",
        "pe_0.$mul (DSP48E1.B): 3.920 ns",
    )
