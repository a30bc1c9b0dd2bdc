"""An independent timing analyser finds the critical path that ours finds, on the same netlist and library.

Wires are the same in both: a wire load of our capacitance for each sink. Where ours assumes a tree of buffers
behind a net of many sinks, the netlist that OpenSTA reads has it. Memories are macros of our access time,
drive and setup in both. With the project's own library, whose delays follow the load alone, the two differ by
less than 0.01 %, and behind such a tree by 0.3 %: ours has leaves of the mean load, OpenSTA's hold cells of
several drives as they come. With a library of full tables, where OpenSTA takes slews along the path, they
differ by 4 % on a PE.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archsim.engine import Clos, Csc, Dense, Engine, Pruned
from archsim.netlist import AsicSynthesis, synthesise_asic
from archsim.netlist.netlist import Memory
from archsim.technology import Asic, Cmos65, MemoryMacro, StandardCells
from archsim.technology.liberty.text import liberty_text
from rtl import to_verilog
from tests.archsim.netlist.sample import pe_module
from tests.archsim.netlist.sta import critical_path_s
from workloads import load_network, quantise

pytestmark = pytest.mark.slow

TECHNOLOGY = Cmos65()
AGREEMENT = 0.001
AGREEMENT_BEHIND_TREES = 0.005
AGREEMENT_WITH_SLEWS = 0.05
OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
needs_opensta = pytest.mark.skipif(
    shutil.which("sta") is None, reason="OpenSTA is not installed (Debian: opensta)"
)

ENGINES: list[tuple[str, Engine]] = [
    ("lenet-300-100-dense", Dense(pes=2)),
    ("lenet-300-100-csc-x40", Csc(pes=4)),
    ("lenet-300-100-clos-x40", Clos(pes=4)),
    ("lenet-300-100-pruned-x40", Pruned(pes=2)),
    ("lenet-300-100-pruned-x40", Pruned(pes=4, gather="banked")),
]


def opensta_s(made: AsicSynthesis, technology: StandardCells, folder: Path, text: str = "") -> float:
    """The critical path that OpenSTA finds, in seconds, from the library or its own `text`: ours, for Yosys,
    has no checks of setup."""

    def macro(memory: Memory) -> MemoryMacro:
        return technology.memory(words=memory.words, word_bits=memory.word_bits)

    return critical_path_s(
        made.flat(),
        library=replace(technology.library, text=text) if text else technology.library,
        wiring=technology.wiring,
        memory=macro,
        clock="clk",
        folder=folder,
    )


@needs_opensta
def test_a_pe_is_as_slow_for_opensta_as_for_us(tmp_path: Path) -> None:
    made = synthesise_asic(pe_module(), "pe", TECHNOLOGY)
    assert made.critical_path_s == pytest.approx(opensta_s(made, TECHNOLOGY, tmp_path), rel=AGREEMENT)


@needs_opensta
@pytest.mark.parametrize(("network", "engine"), ENGINES, ids=lambda each: getattr(each, "kind", ""))
def test_a_whole_engine_is_as_slow_for_opensta_as_for_us(
    network: str, engine: Engine, tmp_path: Path
) -> None:
    design = to_verilog(engine.map(quantise(load_network(network), 8, 8)).hardware)
    made = synthesise_asic(design.text, design.top, TECHNOLOGY)
    theirs_s = opensta_s(made, TECHNOLOGY, tmp_path)
    assert made.critical_path_s == pytest.approx(theirs_s, rel=AGREEMENT_BEHIND_TREES)


@needs_opensta
@pytest.mark.skipif(not OSU018.is_file(), reason="osu018 is not installed (Debian: qflow-tech-osu018)")
def test_a_pe_of_a_library_with_full_tables_is_nearly_as_slow_for_opensta(tmp_path: Path) -> None:
    technology: Any = Asic(liberty=str(OSU018), node_nm=180)
    made = synthesise_asic(pe_module(), "pe", technology)
    assert made.critical_path_s == pytest.approx(
        opensta_s(made, technology, tmp_path, liberty_text(OSU018)), rel=AGREEMENT_WITH_SLEWS
    )
