"""A process of the user's own: its Liberty file prices the logic, CACTI scaled to its node the memories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import archsim as a
from archsim.costs.fidelity.components import total
from archsim.netlist import synthesise_asic
from archsim.technology import Asic, Cmos, Cmos65, technology
from archsim.technology.asic import cmos
from archsim.technology.evidence import EVIDENCE_TABLE
from archsim.technology.quantity import load_table
from tests.archsim.netlist.sample import pe_module
from tests.archsim.technology.small_library import clock_gate, flop, gate, library

pytestmark = pytest.mark.slow

OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
needs_osu018 = pytest.mark.skipif(
    not OSU018.is_file(), reason="the osu018 library is not installed (Debian: qflow-tech-osu018)"
)


def written(folder: Path, text: str) -> str:
    path = folder / "own.lib"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture
def own_65(tmp_path: Path) -> Asic:
    """The project's own library, as if it were a user's."""
    return Asic(liberty=written(tmp_path, Cmos65().library.text), node_nm=65)


def test_the_project_s_own_library_given_as_a_file_costs_what_the_65_nm_process_costs(own_65: Any) -> None:
    ours: Any = Cmos65()
    assert own_65.library.cells == ours.library.cells
    assert own_65.supply_v == 1.2
    assert vars(own_65.wiring) == pytest.approx(vars(ours.wiring))
    assert own_65.memory(words=1024, word_bits=64) == ours.memory(words=1024, word_bits=64)
    before, after = (synthesise_asic(pe_module(), "pe", each) for each in (ours, own_65))
    assert after.critical_path_s == pytest.approx(before.critical_path_s)
    assert total(after.components.values(), "toggle_energy_j") == pytest.approx(
        total(before.components.values(), "toggle_energy_j")
    )


def test_nobody_fitted_its_logic(own_65: Asic) -> None:
    assert own_65.fit_scaling is None


def test_wires_follow_the_gate_pitch_of_the_library_unless_they_are_given(tmp_path: Path) -> None:
    path = written(tmp_path, library())
    ours, by_rule = Cmos65(), Asic(liberty=path, node_nm=65)
    pitch = (3 / 1.44) ** 0.5
    assert by_rule.wiring.capacitance_f_per_sink == pytest.approx(ours.wiring.capacitance_f_per_sink * pitch)
    assert by_rule.wiring.clock_network_factor == ours.wiring.clock_network_factor
    given = Asic(liberty=path, node_nm=65, wire_capacitance_f_per_sink=2e-15)
    assert given.wiring.capacitance_f_per_sink == 2e-15
    names = {each.name.rpartition(":")[2]: each for each in given.provenance()}
    assert names["wire_capacitance_f_per_sink"].source == "given in the design point"
    assert "wire_length_um_per_sink" not in names
    assert "wire_length_um_per_sink" in {each.name.rpartition(":")[2] for each in by_rule.provenance()}


def test_memories_follow_the_node_and_the_supply_of_the_library(tmp_path: Path) -> None:
    text = Cmos65().library.text
    plain, low = (
        Asic(liberty=written(folder, text.replace("nom_voltage : 1.2", f"nom_voltage : {volt}")), node_nm=130)
        for folder, volt in ((tmp_path, 1.2), (_sub(tmp_path), 0.9))
    )
    before, after = (each.memory(words=2048, word_bits=32) for each in (plain, low))
    assert after.read_energy_j == pytest.approx(before.read_energy_j * (0.9 / 1.2) ** 2)
    assert after.leakage_w == pytest.approx(before.leakage_w * 0.9 / 1.2)
    assert after.access_time_s == before.access_time_s
    scaled = Cmos(node_nm=130).memory(words=2048, word_bits=32)
    assert before.area_mm2 == pytest.approx(scaled.area_mm2)
    assert before.read_energy_j == pytest.approx(scaled.read_energy_j)
    assert before.kind == "assumed"


def _sub(folder: Path) -> Path:
    inside = folder / "low"
    inside.mkdir()
    return inside


@pytest.mark.parametrize(
    "changes",
    [
        {"FF": flop("FF", output="QN", function="IQN")},
        {"FFE": flop("FFE", data="DE", next_state="(D&E)|(IQ&!E)"), "AN2": gate("AN2", "AB", "A&B")},
        {"MUX": gate("MUX", "ABS", "(A&!S)|(B&S)"), "XO2": gate("XO2", "AB", "A^B")},
    ],
    ids=["flops show only the inverse", "flops with enable", "multiplexers"],
)
def test_libraries_of_few_and_odd_cells_are_mapped_and_timed(changes: dict[str, str], tmp_path: Path) -> None:
    technology: Any = Asic(liberty=written(tmp_path, library(**changes)), node_nm=90)
    mapped = synthesise_asic(pe_module(), "pe", technology)
    assert total(mapped.components.values(), "flops") == 40
    assert total(mapped.components.values(), "area_um2") > 40 * 12
    assert mapped.critical_path_s > 0
    assert total(mapped.components.values(), "clock_energy_j") > 0


def test_a_library_without_a_clock_gate_says_that_no_clock_is_gated(tmp_path: Path) -> None:
    bare, other = Asic(liberty=written(tmp_path, library()), node_nm=65), _sub(tmp_path)
    assert bare.clock_gates is None
    said, of_errors, of_placing = bare.warnings
    assert of_errors.startswith("technology_error is not known of library foundry: nobody held")
    assert said.startswith("clock_gating is auto, and library foundry has no clock gate")
    assert not said.endswith(".")
    assert Asic(liberty=bare.liberty, node_nm=65, clock_gating="none").warnings == (of_errors, of_placing)
    assert Cmos65().warnings == ()
    gated = Asic(liberty=written(other, library(CG=clock_gate("CG"))), node_nm=65)
    assert gated.clock_gates is not None
    assert gated.clock_gates.cell.name == "CG"
    assert gated.warnings == (of_errors, of_placing)
    assert of_placing.startswith("below fidelity layout placing is expected")


def test_the_clocks_of_a_users_library_are_gated_with_its_own_gate(tmp_path: Path) -> None:
    technology: Any = Asic(
        liberty=written(tmp_path, library(CG=clock_gate("CG", area=6))), node_nm=90, cell_type="lstp"
    )
    pe = synthesise_asic(pe_module(), "pe", technology).components["pe"]
    assert pe.flops == 40
    assert pe.cells["CG"] == 1
    bare = synthesise_asic(pe_module(), "pe", Asic(**technology.options(), clock_gating="none"))
    assert "CG" not in bare.components["pe"].cells


def test_a_design_point_names_it_in_a_file_and_gets_it_back(tmp_path: Path) -> None:
    path = written(tmp_path, Cmos65().library.text)
    (tmp_path / "design.yaml").write_text(
        "network: lenet-300-100-csc-x40\nengine: {kind: csc, pes: 2}\n"
        f"technology: {{kind: asic, liberty: {path}, node_nm: 65, cell_type: lop}}\n"
    )
    design = a.DesignPoint.from_file(tmp_path / "design.yaml")
    assert design.technology.options() == {"liberty": path, "node_nm": 65, "cell_type": "lop"}
    assert a.DesignPoint(**design.model_dump()) == design


def test_missing_power_that_counts_as_none_is_among_the_assumptions(tmp_path: Path) -> None:
    text = library(ND2=gate("ND2", "AB", "(A B)'", power=""))
    path = written(tmp_path, text)
    with pytest.raises(
        ValueError, match=r"own.lib': library foundry: it has no gate .*missing_power: zero would"
    ):
        Asic(liberty=path, node_nm=65)
    accepted = Asic(liberty=path, node_nm=65, missing_power="zero")
    (said,) = [each for each in accepted.provenance() if each.name == "asic:missing_power_as_zero"]
    assert (said.value, said.unit, said.kind) == (1, "cells", "assumed")
    assert accepted.options()["missing_power"] == "zero"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"liberty": "nowhere.lib"}, "liberty is 'nowhere.lib', allowed is the path of a Liberty file"),
        ({"liberty": None}, "liberty is None, allowed is the path"),
        (
            {"node_nm": None},
            "node_nm is None, allowed are whole numbers from 7 to 180, or memories that state",
        ),
        ({"node_nm": 5}, "node_nm is 5, allowed are 7 to 180"),
        ({"node_nm": 28.0}, "node_nm is 28.0, allowed are whole numbers from 7 to 180"),
        ({"cell_type": "fast"}, "cell_type is 'fast', allowed are 'lstp', 'lop' or 'hp'"),
        ({"clock_gating": "yes"}, "clock_gating is 'yes', allowed are 'auto' or 'none'"),
        ({"clock_gating": None}, "clock_gating is None, allowed are 'auto' or 'none'"),
        ({"missing_power": "none"}, "missing_power is 'none', allowed are 'refuse' or 'zero'"),
        ({"wire_capacitance_f_per_sink": -1e-15}, "wire_capacitance_f_per_sink is -1e-15, allowed are 0 to"),
        ({"wire_capacitance_f_per_sink": 1.0}, "wire_capacitance_f_per_sink is 1.0, allowed are 0 to"),
        ({"wire_capacitance_f_per_um": 0.0}, "wire_capacitance_f_per_um is 0.0, allowed are more than 0 to"),
        ({"wire_capacitance_f_per_sink": "big"}, "wire_capacitance_f_per_sink is 'big', allowed are"),
    ],
)
def test_a_wrong_option_is_refused_by_name(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    good: dict[str, Any] = {"liberty": written(tmp_path, library()), "node_nm": 65}
    with pytest.raises(ValueError, match=message):
        technology("asic", **good | options)


def test_a_file_that_is_no_library_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"liberty is '.*own.lib': Liberty text, line 2: a quote is never closed"
    ):
        Asic(liberty=written(tmp_path, 'library (a) {\n x : "1;\n}'), node_nm=65)


@needs_osu018
def test_the_open_180_nm_library_prices_an_engine_at_the_gates() -> None:
    def logic_mm2(of: Any) -> float:
        return float(sum(v for part, v in of.by_component("area_mm2").items() if "memory" not in part))

    point = a.DesignPoint(
        network="lenet-300-100-csc-x40",
        engine=a.Csc(pes=2),
        technology={"kind": "asic", "liberty": str(OSU018), "node_nm": 180},
    )
    result = point.simulate("gate")
    ours = point.replace(technology="cmos65").simulate("gate")
    assert any("osu018_stdcells has no clock gate" in warning for warning in result.warnings)
    assert not any("clock gate" in warning for warning in ours.warnings)
    assert result.counts == ours.counts
    # Gate equivalents travel between libraries: 24 square micron a NAND2 against 1.44, to within a fifth.
    assert logic_mm2(result) / logic_mm2(ours) == pytest.approx(24 / 1.44, rel=0.2)
    assert ours.critical_path_s is not None
    assert 1.5 < result.cost("critical_path_s") / ours.critical_path_s < 5
    assert result.cost("energy_j") > 5 * ours.cost("energy_j")


@needs_osu018
def test_the_open_180_nm_library_leaves_out_four_cells_and_has_no_flop_with_enable() -> None:
    found = Asic(liberty=str(OSU018), node_nm=180)
    assert found.library.left_out == {
        "DFFNEGX1": "works at the falling edge",
        "LATCH": "states no area",
        "TBUFX1": "is a tri-state",
        "TBUFX2": "is a tri-state",
    }
    assert found.supply_v == 1.8
    assert found.memory(words=2, word_bits=8).built_as == "macro"


@needs_osu018
def test_a_pe_scaled_to_180_nm_misses_the_open_library_by_what_is_stated() -> None:
    real: Any = Asic(liberty=str(OSU018), node_nm=180, clock_gating="none")
    scaled: Any = Cmos(node_nm=180, clock_gating="none")
    measured, modelled = (synthesise_asic(pe_module(), "pe", each) for each in (real, scaled))
    assert modelled.critical_path_s / measured.critical_path_s == pytest.approx(2.7, rel=0.05)
    ratios = {"area_um2": 0.83, "toggle_energy_j": 0.51, "clock_energy_j": 0.34, "leakage_w": 35}
    for figure, stated in ratios.items():
        assert total(modelled.components.values(), figure) / total(
            measured.components.values(), figure
        ) == pytest.approx(stated, rel=0.05)
    for stated in (2.7, *ratios.values()):
        assert f"{stated:g}" in str(cmos.__doc__)
    compared = [row["real_over_model"] for row in load_table(EVIDENCE_TABLE).rows if row["part"] == "scaling"]
    stated_here = (1 / 2.7, *(1 / ratio for ratio in ratios.values()))
    assert sorted(compared) == pytest.approx(sorted(stated_here), rel=0.01)
