"""A core file for FuseSoC (CAPI2): lint and simulation with open tools, synthesis with Vivado."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from archsim.technology import Artix7
from reports.export.axi import BENCH, WRAPPER
from reports.export.registry import Exported, exporters
from reports.export.subject import Subject
from reports.export.text import filled
from workloads.strict_yaml import dump_yaml

VENDOR, LIBRARY = "archsim", "engines"
VERILOG = "verilogSource-2005"


@exporters.register("fusesoc")
def fusesoc(subject: Subject) -> Exported:
    """The core: `lint`, `sim` of the engine and `sim_axi` of the wrapper, if there is one, in two simulators,
    and for a device of Vivado `synth`."""
    top = subject.verilog.top
    name, file = f"{VENDOR}:{LIBRARY}:{top}:{version('archsim')}", f"{top}.core"
    targets = [target for target in _targets(subject) if target != "default"]
    return Exported(
        files={file: f"CAPI=2:\n{dump_yaml({'name': name, **_core(subject)})}"},
        about={file: "core file of FuseSoC, with the targets that are shown below"},
        readme=filled("fusesoc.md.j2", core=name, targets=targets),
    )


def _core(subject: Subject) -> dict[str, Any]:
    top = subject.verilog.top
    constraints = {}
    if isinstance(subject.design.technology, Artix7):
        constraints = {"vivado": {"files": [f"{subject.tops[-1].name}.xdc"], "file_type": "xdc"}}
    wrapped = {"bench_axi": _bench(BENCH, subject.axi_bench.files)} if subject.behind_axi else {}
    return {
        "description": f"{subject.design.network} on the {subject.design.engine.kind} engine",
        "filesets": {
            "rtl": {"files": [f"{top}.v", *[WRAPPER] * subject.behind_axi], "file_type": VERILOG},
            "bench": _bench("testbench.v", subject.bench.files),
            **wrapped,
            **constraints,
        },
        "targets": _targets(subject),
    }


def _bench(verilog: str, files: dict[str, str]) -> dict[str, Any]:
    """A test bench, and what it reads where it is run."""
    copied: list[Any] = [{name: {"file_type": "user", "copyto": name}} for name in sorted(files)]
    return {"files": [{verilog: {"file_type": VERILOG}}, *copied]}


def _targets(subject: Subject) -> dict[str, Any]:
    technology, outermost = subject.design.technology, subject.tops[-1].name
    wrapper = {"filesets": ["rtl"], "toplevel": outermost}
    synthesis = {}
    if isinstance(technology, Artix7):
        synthesis["synth"] = {
            "filesets": ["rtl", "vivado"],
            "toplevel": outermost,
            "flow": "vivado",
            "flow_options": {"part": technology.vivado_part, "pnr": "none"},
        }
    return {
        "default": wrapper,
        "lint": {**wrapper, "flow": "lint", "flow_options": {"tool": "verilator", **_WARNS}},
        **{
            f"sim{ending}{simulator}": {
                "filesets": ["rtl", f"bench{ending}"],
                "toplevel": f"testbench{ending}",
                "flow": "sim",
                "flow_options": options,
            }
            for simulator, options in _SIMULATORS.items()
            for ending in ("", *["_axi"] * subject.behind_axi)
        },
        **synthesis,
    }


_WARNS = {"verilator_options": ["-Wno-fatal"]}
_SIMULATORS: dict[str, dict[str, Any]] = {
    "": {"tool": "icarus", "iverilog_options": ["-g2005-sv"]},
    "_verilator": {"tool": "verilator", "mode": "binary", "verilator_options": ["--timing", "-Wno-fatal"]},
}
"""What runs the test benches, by the endings of their targets."""
