"""What the commands print."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from archsim.costs.fidelity.estimate import logic_fit
from archsim.costs.fidelity.placing import placing_law
from reports.cli import FIDELITIES as command_line_fidelities, main
from reports.formatting import scaled
from tests.reports.commands import archsim
from tests.reports.stand_ins import write_design

pytestmark = pytest.mark.slow

KINDS = {"measured", "published", "fitted", "assumed"}


def test_help_loads_no_simulator() -> None:
    code = (
        "import sys; from reports.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print('LOADED', *{'numpy', 'pandas', 'pydantic', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_simulate_prints_exactly_the_result_as_json(tmp_path: Path) -> None:
    from archsim import DesignPoint

    design = write_design(tmp_path)
    done = archsim("simulate", design, "--fidelity", "analytic", "--json")
    assert done.exit_code == 0, done.stderr
    expected = DesignPoint.from_file(design).simulate("analytic").to_dict()
    assert json.loads(done.stdout) == json.loads(json.dumps(expected))


def test_simulate_shows_figures_with_scaled_units_and_warnings(tmp_path: Path) -> None:
    done = archsim("simulate", write_design(tmp_path), "--fidelity", "analytic")
    assert done.exit_code == 0, done.stderr
    assert "cycles" in done.stdout
    assert "mm²" in done.stdout
    assert "Warning: accuracy is unknown" in done.stdout


def test_every_command_says_what_ran(tmp_path: Path) -> None:
    np.save(tmp_path / "inputs.npy", np.eye(3, 12))
    ran, told = "3 of 3 samples of inputs.npy", ("--fidelity", "analytic")
    design = write_design(tmp_path, inputs="inputs.npy")
    for command in (["simulate", design, *told], ["explain", design, "energy_j", *told]):
        assert f"Inputs: {ran}" in archsim(*command).stdout
        assert json.loads(archsim(*command, "--json").stdout)["stimulus"] == ran
    assert ran in " ".join(archsim("compare", design, design, *told).stdout.split())
    assert ran in " ".join(archsim("verify", design, "--inputs", 3).stdout.split())
    assert f"Inputs: {ran}" in archsim("netlist", design).stdout
    assert archsim("export", design, "--out", tmp_path / "out", "--inputs", 3).exit_code == 0
    assert ran in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_random_inputs_are_a_warning(tmp_path: Path) -> None:
    shown = " ".join(archsim("simulate", write_design(tmp_path), "--fidelity", "analytic").stdout.split())
    assert "Inputs: 2 vectors of random integers, uniform over -128 to 127, seed 0" in shown
    assert "Warning: the network carries no samples" in shown


def test_compare_gives_ratios_to_the_first(tmp_path: Path) -> None:
    slow = write_design(tmp_path, "slow.yaml", engine={"kind": "csc", "pes": 1})
    done = archsim("compare", write_design(tmp_path), slow, "--fidelity", "analytic", "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    cycles = [each["cycles"] for each in told["designs"]]
    assert told["ratios"]["cycles"] == [1.0, cycles[1] / cycles[0]]
    ends = told["ratio_intervals"]["energy_j"]
    assert ends[0] is None
    assert ends[1][0] < told["ratios"]["energy_j"][1] < ends[1][1]
    assert told["ratios"]["equal_throughput_power"] == told["ratios"]["energy_j"]
    assert "power_w" not in told["ratios"]
    shown = archsim("compare", slow, slow, "--fidelity", "analytic").stdout
    assert "Ratios to A" in shown
    assert "power at equal throughput" in shown


def test_an_fpga_is_compared_with_an_asic_in_what_both_have(tmp_path: Path) -> None:
    fpga = write_design(tmp_path, "fpga.yaml", technology="artix7", clock_hz=50e6)
    both = (write_design(tmp_path), fpga, "--fidelity", "analytic")
    done = archsim("compare", *both)
    assert done.exit_code == 0, done.stderr
    shown = " ".join(done.stdout.split())
    assert "Not compared: area, of which B has none." in shown
    assert "Not compared: LUT, FF, DSP, BRAM18, BRAM36, of which A has none." in shown
    assert "static power of the whole device" in shown
    told = json.loads(archsim("compare", *both, "--json").stdout)
    assert told["not_in_ratio"]["area_mm2"] == [1]
    assert told["notes"]
    assert told["ratios"]["energy_j"][1] > 1


def test_designs_are_told_apart_by_what_differs_and_by_that_only(tmp_path: Path) -> None:
    fast = write_design(tmp_path, "fast.yaml", clock_hz=2e6)
    narrow = write_design(tmp_path, "narrow.yaml", engine={"kind": "csc", "pes": 2, "weight_bits": 4})
    first = write_design(tmp_path)
    told = json.loads(archsim("compare", first, fast, narrow, "--fidelity", "analytic", "--json").stdout)
    assert set(told["differs"]) == {"clock_hz", "engine.weight_bits"}
    shown = archsim("compare", first, fast, narrow, "--fidelity", "analytic").stdout
    legend = shown[shown.index("Designs") : shown.index("Figures")].split("\n")
    assert legend[1].split() == ["weight_bits", "clock"]
    assert "The designs do not differ in anything" in archsim("compare", first, first).stdout


def test_the_fastest_clock_of_a_compared_design_is_in_hertz(tmp_path: Path) -> None:
    fastest = write_design(tmp_path, "fastest.yaml", clock_hz="fastest")
    both = (fastest, write_design(tmp_path), "--fidelity", "analytic")
    told = json.loads(archsim("compare", *both, "--json").stdout)
    clocks = told["differs"]["clock_hz"]
    assert clocks == [each["clock_hz"] for each in told["designs"]]
    assert scaled(clocks[0], "Hz") in archsim("compare", *both).stdout


def test_a_refusal_that_asks_ends_with_its_question(tmp_path: Path) -> None:
    assert archsim("simulate", write_design(tmp_path, clock_hz=100)).stderr.endswith("which is 100e6?\n")


def test_training_beside_inference_is_told_apart(tmp_path: Path) -> None:
    step = write_design(tmp_path, "step.yaml", engine={"kind": "csc", "pes": 2}, training={})
    narrow = write_design(tmp_path, "narrow.yaml", engine={"kind": "csc", "pes": 2, "weight_bits": 4})
    both = (narrow, step, "--fidelity", "analytic")
    told = json.loads(archsim("compare", *both, "--json").stdout)
    assert told["differs"]["engine.weight_bits"] == [4, None]
    assert told["differs"]["training.weight_bits"] == [None, 12]
    shown = " ".join(archsim("compare", *both).stdout.split())
    assert "engine.weight_bits 4 — " in shown
    assert "training.weight_bits — 12 " in shown
    assert "energy an inference or a step 1.00×" in shown
    assert "Across tasks: figures of a design that trains are of a step" in shown
    of_steps = " ".join(archsim("compare", step, step, "--fidelity", "analytic").stdout.split())
    assert "energy a step 1.00× 1.00×" in of_steps
    assert "Across tasks" not in of_steps


def test_a_clock_that_is_too_fast_is_said_in_the_first_line(tmp_path: Path) -> None:
    fast, slow = write_design(tmp_path, "fast.yaml", clock_hz=9e9), write_design(tmp_path)
    shown = archsim("simulate", fast, "--fidelity", "analytic").stdout
    assert shown.startswith("Warning: clock_hz is 9e+09, the estimated critical path")
    assert shown.count("Warning: clock_hz") == 1
    (latency,) = (line for line in shown.splitlines() if line.startswith(" latency"))
    assert latency.rstrip().endswith("!")
    assert archsim("explain", fast, "energy_j", "--fidelity", "analytic").stdout.startswith("Warning: clock")
    compared = archsim("compare", slow, fast, "--fidelity", "analytic").stdout
    assert compared.startswith("Warning (B): clock_hz")
    rows = [line for line in compared.splitlines() if line.startswith(" latency")]
    assert [line.count("!") for line in rows] == [1, 1]
    assert "!" not in archsim("simulate", slow, "--fidelity", "analytic").stdout


def test_stalls_are_shown(tmp_path: Path) -> None:
    banked = {"kind": "pruned", "gather": "banked"}
    design = write_design(tmp_path, network="lenet-300-100-pruned-x40", engine=banked)
    told = json.loads(archsim("simulate", design, "--json").stdout)
    assert told["stall_cycles"] > 0
    shown = archsim("simulate", design).stdout
    assert "Stages" in shown
    assert f"{told['stall_cycles']:,} cycles of PEs are lost to conflicts" in shown
    skipping = {"kind": "dense", "zero_window": 4}
    design = write_design(tmp_path, network="lenet-300-100-dense", engine=skipping)
    assert "cycles are lost to windows of zeros (stalls)" in archsim("simulate", design).stdout


def test_verify_finds_all_fidelities_equal(tmp_path: Path) -> None:
    done = archsim("verify", write_design(tmp_path), "--inputs", 2)
    assert done.exit_code == 0, done.stderr
    assert "All fidelities agree on 2 inputs" in done.stdout


def test_verify_ends_with_one_and_a_difference_where_they_disagree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archsim.verification import Difference, Verification

    differing = Verification(1, "one input", {}, (Difference("cycles", {"analytic": 10, "rtl": 11}),))
    module = import_module("archsim.verification")
    monkeypatch.setattr(module, "verify", lambda mapping, inputs: differing)
    done = archsim("verify", write_design(tmp_path))
    assert done.exit_code == 1
    assert "cycles: analytic says 10, rtl says 11" in done.stdout


def test_explain_shows_terms_that_sum_to_the_metric(tmp_path: Path) -> None:
    design = write_design(tmp_path)
    explained = json.loads(archsim("explain", design, "energy_j", "--fidelity", "analytic", "--json").stdout)
    simulated = json.loads(archsim("simulate", design, "--fidelity", "analytic", "--json").stdout)
    terms = [term for part in explained["components"] for term in part["terms"]]
    assert math.fsum(term["contribution"] for term in terms) == simulated["energy_j"] == explained["total"]
    assert all(term["source"] and term["kind"] in KINDS for term in terms)
    for part in explained["components"]:
        own = math.fsum(term["contribution"] for term in part["terms"])
        assert own == pytest.approx(part["contribution"], rel=1e-15)
    shown = archsim("explain", design, "energy_j", "--fidelity", "analytic").stdout
    assert "unit cost" in shown
    assert "fits, mean and worst: " in shown
    assert "truth, as far as compared: " in shown


def test_explain_counts_what_an_fpga_has(tmp_path: Path) -> None:
    design = write_design(tmp_path, technology="artix7")
    explained = json.loads(archsim("explain", design, "lut", "--fidelity", "analytic", "--json").stdout)
    simulated = json.loads(archsim("simulate", design, "--fidelity", "analytic", "--json").stdout)
    assert explained["total"] == simulated["resources"]["lut"]
    done = archsim("explain", design, "area_mm2", "--fidelity", "analytic")
    assert done.exit_code == 2
    assert "allowed are energy_j, power_w, leakage_w, lut, ff, dsp" in done.stderr


def test_simulate_shows_in_two_lines_what_is_known_of_the_error(tmp_path: Path) -> None:
    design = write_design(tmp_path)
    told = json.loads(archsim("simulate", design, "--fidelity", "analytic", "--json").stdout)
    fitted = {"energy_j", "power_w", "area_mm2", "critical_path_s"}
    assert set(told["fit_error"]) >= fitted
    assert all(0 < error["mean"] < error["worst"] for error in told["fit_error"].values())
    path, parts = "critical_path_s", (logic_fit("cmos65").errors, placing_law().errors)
    assert told["fit_error"][path]["worst"] == pytest.approx(sum(errors[path][1] for errors in parts))
    placing = told["placing_error"]
    assert all(placing[name]["mean"] <= told["fit_error"][name]["mean"] for name in placing)
    assert set(told["technology_error"]) >= fitted
    assert all(0 < ends["low"] <= 1 <= ends["high"] for ends in told["technology_error"].values())
    shown = archsim("simulate", design, "--fidelity", "analytic").stdout
    assert "fits, mean and worst" in shown
    assert "truth, as far as compared" in shown
    assert "±" not in shown
    mapped = json.loads(archsim("simulate", design, "--fidelity", "gate", "--json").stdout)
    assert mapped["fit_error"] == mapped["placing_error"]
    assert mapped["technology_error"].keys() == told["technology_error"].keys()


def test_netlist_shows_components_memories_and_the_longest_path(tmp_path: Path) -> None:
    design = write_design(tmp_path)
    told = json.loads(archsim("netlist", design, "--json").stdout)
    parts = {each["component"]: each for each in told["components"]}
    assert parts["pe"]["cells"] > parts["pe"]["flops"] > 0
    assert 0 < parts["pe"]["activity"] < 1
    assert {each["role"] for each in told["memories"]} >= {"weight", "input", "activation_0"}
    assert told["critical_path"][-1].startswith("setup of")
    assert "Longest path" in archsim("netlist", design).stdout
    mapped = json.loads(archsim("simulate", design, "--fidelity", "gate", "--json").stdout)
    logic = math.fsum(each["area_mm2"] for each in told["components"])
    memories = math.fsum(each["area_mm2"] * each["number"] for each in told["memories"])
    placing = mapped["components"]["area_mm2"]["placing"]
    assert mapped["area_mm2"] - placing == pytest.approx(logic + memories)


def test_networks_lists_the_zoo() -> None:
    told = json.loads(archsim("networks", "--json").stdout)
    assert all(each["compression"] >= 1 for each in told["networks"])
    assert told["format"] == "archsim networks"
    assert "compression" in archsim("networks").stdout


def test_validate_shows_the_error_of_the_fit() -> None:
    shown = CliRunner().invoke(main, ["validate", "--json"])
    assert shown.exit_code == 0
    table = json.loads(shown.stdout)["technologies"]
    fits = {"cmos65", "artix7"}
    trained = ("engines that train", "engines that train overlapped samples")
    assert set(table) == fits | {f"{name}, {title}" for name in fits for title in trained}
    area = next(error for error in table["cmos65"] if error["metric"] == "area_mm2")
    assert 0 < area["mean"] < area["worst"] < 0.08


def test_calibrate_refuses_what_nobody_planned(tmp_path: Path) -> None:
    refused = CliRunner().invoke(main, ["calibrate", "tsmc7", "--out", str(tmp_path)])
    assert refused.exit_code == 2
    assert "technology is 'tsmc7', allowed are cmos65, artix7" in refused.stderr


def test_the_fidelities_of_the_command_line_are_those_there_are() -> None:
    from archsim import FIDELITIES

    assert tuple(FIDELITIES) == command_line_fidelities
