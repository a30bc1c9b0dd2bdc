"""What placing is expected to make of mapped and of fitted logic: part by part, and never twice."""

from __future__ import annotations

import pytest

from archsim.calibration.plan import draw_small
from archsim.costs.fidelity.estimate import estimate_logic
from archsim.costs.fidelity.fidelities import level
from archsim.costs.fidelity.gate import map_to_gates
from archsim.costs.fidelity.placing import PLACING, placing_law
from archsim.costs.logic import Logic
from archsim.costs.memories import memories
from archsim.design import DesignPoint
from archsim.engine.mapping import Mapping
from archsim.technology import Artix7, Cmos, Cmos65
from archsim.technology.asic.standard_cells import StandardCells
from archsim.technology.technology import Technology

CMOS65 = Cmos65()
SMALL = {each.map().sizes.label: each for each in draw_small(4, 5, pes=2)}


def expected(mapping: Mapping, technology: Technology) -> tuple[Logic, Logic]:
    """Fitted logic without placing, and with what placing is expected to do."""
    return estimate_logic(mapping, technology), level("analytic").logic(mapping, technology)


@pytest.mark.parametrize("technology", [CMOS65, Cmos(node_nm=28)], ids=["cmos65", "28 nm"])
@pytest.mark.parametrize("label", sorted(SMALL))
def test_every_part_is_multiplied_by_its_figure(label: str, technology: StandardCells) -> None:
    mapping = SMALL[label].map()
    bare, placed = expected(mapping, technology)
    law, cells_mm2 = placing_law(), sum(part.area_mm2 for part in bare.parts)
    gates = 1e6 * cells_mm2 / technology.library.gate_equivalent_um2
    area, switching, clock, path = (
        law.ratio(figure, label, gates) for figure in ("area", "switching", "clock", "path")
    )
    *parts, free = placed.parts
    assert [part.component for part in parts] == [part.component for part in bare.parts]
    for before, after in zip(bare.parts, parts, strict=True):
        assert after.area_mm2 == before.area_mm2
        assert after.leakage_w == before.leakage_w
        assert after.clock_energy_j == pytest.approx(clock * before.clock_energy_j)
        for metric in ("gate_switching_j", "glitch_switching_j", "register_switching_j"):
            assert getattr(after, metric) == pytest.approx(switching * getattr(before, metric))
    macros_mm2 = sum(s.number * cost.area_mm2 for s, cost in memories(mapping.sizes, technology))
    assert free.component == PLACING
    assert free.area_mm2 + cells_mm2 + macros_mm2 == pytest.approx(area * (cells_mm2 + macros_mm2))
    assert bare.critical_path_s is not None
    assert placed.critical_path_s == pytest.approx(path * bare.critical_path_s)


def test_a_size_in_gates_is_the_same_at_every_node() -> None:
    mapping = SMALL["csc"].map()
    ratios = []
    for technology in (CMOS65, Cmos(node_nm=28)):
        bare, placed = expected(mapping, technology)
        assert bare.critical_path_s
        assert placed.critical_path_s
        ratios.append(placed.critical_path_s / bare.critical_path_s)
    assert ratios[0] == pytest.approx(ratios[1])


def law_ratio(logic: Logic, figure: str) -> float:
    """By what the law multiplies a figure of a csc engine."""
    gates = 1e6 * sum(part.area_mm2 for part in logic.parts) / CMOS65.library.gate_equivalent_um2
    return placing_law().ratio(figure, "csc", gates)


def test_an_fpga_has_no_part_for_it() -> None:
    bare, placed = expected(SMALL["csc"].map("fpga"), Artix7())
    assert bare == placed


def test_errors_are_of_the_fit_and_of_placing_together() -> None:
    design = DesignPoint(
        network="lenet-300-100-csc-x40", engine={"kind": "csc", "pes": 4}, technology="cmos65"
    )
    fitted, placing = estimate_logic(design.mapping, CMOS65).fit_error, placing_law().errors
    told = design.simulate("analytic").fit_error
    assert told["critical_path_s"].mean == pytest.approx(
        (fitted["critical_path_s"][0] ** 2 + placing["critical_path_s"][0] ** 2) ** 0.5
    )
    assert told["critical_path_s"].worst == fitted["critical_path_s"][1] + placing["critical_path_s"][1]
    assert placing["area_mm2"][0] < told["area_mm2"].mean < placing["area_mm2"][0] + fitted["area_mm2"][0]
    assert 0 < told["energy_j"].mean < told["dynamic_power_w"].mean + 1e-12


@pytest.mark.slow
def test_a_mapped_netlist_has_the_error_of_placing_alone() -> None:
    design = DesignPoint(
        network="lenet-300-100-csc-x40", engine={"kind": "csc", "pes": 1}, technology="cmos65"
    )
    gate, placed = design.simulate("gate"), design.simulate("layout")
    for metric in ("area_mm2", "critical_path_s"):
        error = gate.fit_error[metric]
        assert (error.mean, error.worst) == placing_law().errors[metric]
        off = abs(getattr(gate, metric) / getattr(placed, metric) - 1)
        assert off <= error.worst
    assert not placed.fit_error
    assert not placed.placing_error
    bare = map_to_gates(design.mapping, CMOS65)
    ratio = law_ratio(bare, "path")
    assert bare.critical_path_s
    assert gate.critical_path_s
    assert gate.critical_path_s == pytest.approx(ratio * bare.critical_path_s)
    assert [stage.rpartition(": ")[0] for stage in gate.critical_path] == [
        stage.rpartition(": ")[0] for stage in bare.critical_path
    ]
    last_ns = float(gate.critical_path[-1].split()[-2])
    assert last_ns == pytest.approx(1e9 * gate.critical_path_s, abs=2e-3)
