"""The exported folder: what it holds in which technology, and that the tools that read it understand it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from archsim import DesignPoint, Refusal
from archsim.netlist import synthesise_asic
from archsim.technology import Cmos65
from archsim.technology.quantity import read_text
from reports.export import Exported, export, exporters
from reports.export.librelane import own_files
from reports.export.registry import ExportError
from reports.export.vivado import SCRIPT
from rtl import to_verilog
from tests.archsim.netlist.sta import worst_slack_ns
from tests.reports.stand_ins import write_design
from workloads.strict_yaml import read_yaml

pytestmark = pytest.mark.slow

ALWAYS = {
    *("archsim_engine.v", "testbench.v", "archsim_axi.v", "testbench_axi.v", "archsim_engine.core"),
    *(
        "network.hex",
        "inputs.hex",
        "scores.hex",
        "score_counts.hex",
        "cycles.hex",
        "vectors.hex",
        "outputs.hex",
    ),
    *("design.yaml", "README.md"),
}
OF_TECHNOLOGY = {
    "cmos65": {"archsim_engine.sdc", "archsim_axi.sdc", "librelane.yaml"},
    "artix7": {"archsim_engine.xdc", "archsim_axi.xdc", "vivado.tcl", "xsim_activity.tcl"},
    "ecp5": set[str](),
}
VARIABLES = {
    "meta": dict,
    "DESIGN_NAME": str,
    "VERILOG_FILES": list,
    "CLOCK_PORT": str,
    "CLOCK_PERIOD": float,
    "IO_DELAY_CONSTRAINT": int,
    "PDK": str,
    "LIB": dict,
    "CELL_LEFS": list,
    "EXTRA_LIBS": list,
}
"""Variables of LibreLane's Classic flow as its documentation lists them, with what each takes."""


def exported(folder: Path, **changes: Any) -> Path:
    """The folder of a small design point."""
    export(DesignPoint.from_file(write_design(folder, **changes)), folder / "out")
    return folder / "out"


def ports_of(text: str, module: str) -> dict[str, str]:
    """The ports of a module by name, each with its direction."""
    header = re.search(rf"^module {module} \((.*?)\n\);", text, re.MULTILINE | re.DOTALL)
    assert header is not None
    declared = re.findall(r"^\s*(input|output)\b(?: reg)?(?: \[.*?\])? (\w+)", header[1], re.MULTILINE)
    return {name: direction for direction, name in declared}


def run_tcl(script: str, folder: Path) -> str:
    """What a script prints in a plain Tcl shell."""
    (folder / "asked.tcl").write_text(script)
    done = subprocess.run(["tclsh", "asked.tcl"], cwd=folder, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


needs_tcl = pytest.mark.skipif(shutil.which("tclsh") is None, reason="Tcl is not installed (Debian: tcl)")


@pytest.mark.parametrize("technology", OF_TECHNOLOGY)
def test_the_technology_says_which_files_there_are(technology: str, tmp_path: Path) -> None:
    out = exported(tmp_path, technology=technology)
    files = {path.name for path in out.iterdir() if path.is_file() and not path.name.startswith(".")}
    assert files - {"network.npz"} == ALWAYS | OF_TECHNOLOGY[technology]
    readme = (out / "README.md").read_text()
    assert all(f"| `{name}` |" in readme for name in files - {"README.md", "network.npz"})


def test_the_register_map_in_the_readme_is_that_of_the_verilog(tmp_path: Path) -> None:
    out = exported(tmp_path)
    verilog, readme = (out / "archsim_axi.v").read_text(), (out / "README.md").read_text()
    words = {
        name: int(word) for name, word in re.findall(r"localparam \[\d+:0\] (\w+) = \d+'d(\d+);", verilog)
    }
    rows = re.findall(r"^\| 0x(\w+) \| `(\w+)` \|", readme, re.MULTILINE)
    assert words
    assert {name: int(address, 16) // 4 for address, name in rows} == words


@needs_tcl
@pytest.mark.parametrize("top", ["archsim_engine", "archsim_axi"])
@pytest.mark.parametrize("technology", ["cmos65", "artix7"])
def test_constraints_name_every_input_and_the_clock(technology: str, top: str, tmp_path: Path) -> None:
    out = exported(tmp_path, technology=technology, clock_hz=80e6)
    (file,) = out.glob(f"{top}.[sx]dc")
    seen = run_tcl(
        "proc get_ports names {return $names}\nproc get_clocks name {return $name}\n"
        "proc all_outputs {} {return outputs}\n"
        + "".join(
            f"proc {command} args {{puts [list {command} {{*}}$args]}}\n"
            for command in ("create_clock", "set_input_delay", "set_output_delay")
        )
        + file.read_text(),
        tmp_path,
    ).splitlines()
    clock = "clk" if top == "archsim_engine" else "aclk"
    ports = ports_of((out / f"{top}.v").read_text(), top)
    assert seen[0] == f"create_clock -name {clock} -period 12.500 {clock}"
    given = re.fullmatch(rf"set_input_delay -clock {clock} 0 {{(.*)}}", seen[1])
    assert given is not None
    assert {name.removesuffix("[*]") for name in given[1].split()} == {
        name for name in ports if ports[name] == "input"
    } - {clock}
    assert seen[2:] == [f"set_output_delay -clock {clock} 0 outputs"]


@pytest.mark.skipif(shutil.which("sta") is None, reason="OpenSTA is not installed (Debian: opensta)")
def test_opensta_reads_the_constraints_and_finds_our_critical_path(tmp_path: Path) -> None:
    design = DesignPoint.from_file(write_design(tmp_path, clock_hz=50e6))
    export(design, tmp_path / "out")
    technology, verilog = Cmos65(), to_verilog(design.mapping.hardware)
    made = synthesise_asic(verilog.text, verilog.top, technology)
    slack_ns = worst_slack_ns(
        made.flat(),
        library=technology.library,
        wiring=technology.wiring,
        memory=lambda memory: technology.memory(words=memory.words, word_bits=memory.word_bits),
        constraints=(tmp_path / "out" / "archsim_engine.sdc").read_text(),
        folder=tmp_path,
    )
    assert 20 - slack_ns == pytest.approx(made.critical_path_s * 1e9, rel=0.005)


COMMANDS = (
    *("read_verilog", "read_xdc", "synth_design", "opt_design", "place_design", "phys_opt_design"),
    *("route_design", "read_saif", "report_utilization", "report_timing_summary", "report_power"),
    *("write_checkpoint", "set_property"),
)
"""Those of Vivado that the script may use."""


def vivado_asks(out: Path, *arguments: str, saif: bool = False) -> list[list[str]]:
    """What the script asks of Vivado, a command a line, its arguments as words."""
    if saif:
        (out / "activity.saif").touch()
    stubs = "proc get_ports name {return port_$name}\n" + "".join(
        f"proc {name} args {{puts [join [list {name} {{*}}$args] |]}}\n" for name in COMMANDS
    )
    told = f"set argv {{{' '.join(arguments)}}}\nset argc {len(arguments)}\n"
    said = run_tcl(f"{stubs}{told}source {{{out / SCRIPT}}}\n", out)
    return [line.split("|") for line in said.splitlines()]


@needs_tcl
def test_vivado_builds_it_and_reports_what_archsim_reads(tmp_path: Path) -> None:
    out = exported(tmp_path, technology={"kind": "artix7", "device": "XC7A35T"})
    asked = vivado_asks(out)
    used = [words[0] for words in asked]
    assert [used.index(name) for name in ("read_verilog", "read_xdc", "synth_design")] == [0, 2, 3]
    assert used.index("route_design") < used.index("report_power")
    files = [words[-1] for words in asked if words[0].startswith("read_")]
    assert files
    assert all(Path(file).is_file() for file in files)
    assert asked[3] == [
        *("synth_design", "-top", "archsim_engine", "-part", "xc7a35tcpg236-1", "-mode", "out_of_context")
    ]
    assert ["set_property", "HD.CLK_SRC", "BUFGCTRL_X0Y16", "port_clk"] in asked
    (power,) = (words[-1] for words in asked if words[0] == "report_power")
    place = re.search(r"power_report: (\S+)}", (out / "README.md").read_text())
    assert place is not None
    assert Path(power) == out / place[1]
    assert Path(power).parent.is_dir()


@needs_tcl
def test_vivado_takes_another_top_and_part_and_the_activity_of_the_engine(tmp_path: Path) -> None:
    out = exported(tmp_path, technology="artix7")
    asked = vivado_asks(out, "archsim_axi", "xc7a200tsbg484-2", saif=True)
    assert ["synth_design", "-top", "archsim_axi", "-part", "xc7a200tsbg484-2"] in [
        words[:5] for words in asked
    ]
    assert [str(out / "archsim_axi.xdc")] == [words[-1] for words in asked if words[0] == "read_xdc"]
    assert "read_saif" not in [words[0] for words in asked]
    assert asked[4][-1] == "port_aclk"
    alone = vivado_asks(out, saif=True)
    assert ["read_saif", "-strip_path", "testbench/engine", str(out / "activity.saif")] in alone


@needs_tcl
def test_the_script_refuses_what_it_cannot_build(tmp_path: Path) -> None:
    out = exported(tmp_path, technology="artix7")
    (tmp_path / "asked.tcl").write_text(f"set argv pe\nset argc 1\nsource {{{out / SCRIPT}}}\n")
    done = subprocess.run(["tclsh", tmp_path / "asked.tcl"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert done.stderr.startswith("TOP is pe, allowed are archsim_engine and archsim_axi\n")


def test_the_report_of_another_family_is_not_promised(tmp_path: Path) -> None:
    readme = exported(tmp_path, technology={"kind": "artix7", "device": "XC7Z020"}) / "README.md"
    assert "power_report:" not in readme.read_text()
    assert "xc7z020clg400-1" in readme.read_text()


def core_of(out: Path) -> dict[str, Any]:
    head, _, core = (out / "archsim_engine.core").read_text().partition("\n")
    assert head == "CAPI=2:"
    read: dict[str, Any] = yaml.safe_load(core)
    return read


@pytest.mark.parametrize("technology", ["cmos65", "artix7"])
def test_the_core_file_names_files_that_are_there(technology: str, tmp_path: Path) -> None:
    out = exported(tmp_path, technology=technology)
    core = core_of(out)
    for fileset in core["filesets"].values():
        for file in fileset["files"]:
            assert (out / (file if isinstance(file, str) else next(iter(file)))).is_file()
    for target in core["targets"].values():
        assert set(target["filesets"]) <= set(core["filesets"])
    assert ("synth" in core["targets"]) == (technology == "artix7")


@pytest.mark.skipif(
    shutil.which("iverilog") is None or shutil.which("verilator") is None,
    reason="Icarus Verilog or Verilator is not installed",
)
@pytest.mark.parametrize("target", ["lint", "sim", "sim_axi"])
def test_fusesoc_runs_the_simulations(target: str, tmp_path: Path) -> None:
    pytest.importorskip("fusesoc", reason="FuseSoC is not installed (the extra test)")
    out = exported(tmp_path)
    fusesoc = [sys.executable, "-m", "fusesoc.main", "--cores-root", "."]
    command = [*fusesoc, "run", f"--target={target}", core_of(out)["name"]]
    done = subprocess.run(command, cwd=out, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert ("PASS" in done.stdout + done.stderr) == target.startswith("sim")


def test_librelane_is_given_variables_that_it_knows(tmp_path: Path) -> None:
    (tmp_path / "own.lib").write_text(read_text("cmos65.lib"))
    for technology in ("cmos65", {"kind": "asic", "liberty": "own.lib", "node_nm": 65}):
        out = exported(tmp_path, technology=technology)
        config = read_yaml(out / "librelane.yaml", "configuration")
        for name, value in config.items():
            assert isinstance(value, VARIABLES[name]), name
        files = [*config["VERILOG_FILES"], *config.get("LIB", {}).get("*", [])]
        assert all((out / file.removeprefix("dir::")).is_file() for file in files)
        assert ("PDK" in config) != ("LIB" in config)
        shutil.rmtree(out)


def test_librelane_is_given_the_users_files() -> None:
    memories = {"files": ["memories-1.lib.gz", "memories-2.csv"], "read_when": "CE"}
    given = {"liberty": ["liberty-1.lib", "liberty-2.lib"], "lef": "lef.lef", "memories": memories}
    assert own_files(given) == {
        "LIB": {"*": ["dir::liberty-1.lib", "dir::liberty-2.lib"]},
        "CELL_LEFS": ["dir::lef.lef"],
        "EXTRA_LIBS": ["dir::memories-1.lib.gz"],
    }
    assert own_files({"liberty": "liberty.lib", "memories": "memories.csv"}) == {
        "LIB": {"*": ["dir::liberty.lib"]}
    }


def test_the_readme_lists_the_memories_to_replace(tmp_path: Path) -> None:
    out = exported(tmp_path)
    readme, design = (out / "README.md").read_text(), DesignPoint.from_file(out / "design.yaml")
    for shape in design.mapping.sizes.memory_shapes:
        assert (
            f"| `{shape.role}_memory` | 1rw | {shape.number} | {shape.words} | {shape.word_bits} |" in readme
        )


def test_the_fastest_clock_is_that_of_the_fit_and_refused_where_there_is_none(tmp_path: Path) -> None:
    out = exported(tmp_path, technology="cmos65", clock_hz="fastest")
    design = DesignPoint.from_file(out / "design.yaml")
    period = re.search(r"-period (\S+)", (out / "archsim_engine.sdc").read_text())
    assert period is not None
    assert float(period[1]) == pytest.approx(1e9 / design.simulate("analytic").clock_hz, abs=6e-4)
    shutil.rmtree(out)
    skipping = {"kind": "dense", "pes": 2, "zero_window": 2}
    with pytest.raises(Refusal, match=r"clock_hz is 'fastest', allowed are"):
        exported(tmp_path, network="lenet-300-100-dense", engine=skipping, clock_hz="fastest")
    assert not out.exists()


def test_two_exporters_may_not_write_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exporters.find()
    monkeypatch.setitem(exporters._members, "late", lambda subject: Exported({"archsim_axi.v": "// mine"}))
    with pytest.raises(ExportError, match=r"file of an exporter is 'archsim_axi\.v', allowed are"):
        exported(tmp_path)
