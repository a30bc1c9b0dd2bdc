"""The fitted logic of engines that train: coefficients follow from the stored table, errors are as stated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import archsim as a
from archsim.calibration.calibrate import write_coefficients
from archsim.calibration.measurement import MEASURED, figure
from archsim.calibration.training import SUFFIX, drawn, held_out_training, read_training
from archsim.costs.fidelity.estimate import logic_fit
from archsim.costs.fidelity.gate import map_to_gates
from archsim.costs.fidelity.structure import structures
from archsim.technology.quantity import read_text

TECHNOLOGIES = {"cmos65": a.Cmos65, "artix7": a.Artix7}
DESIGN: dict[str, Any] = {
    "network": "lenet-300-100-clos-x40",
    "engine": {"kind": "clos", "pes": 2},
    "technology": "cmos65",
    "training": {},
}


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_the_coefficients_follow_from_the_stored_measurements(technology: str, tmp_path: Path) -> None:
    chosen, name = TECHNOLOGIES[technology](), f"{technology}{SUFFIX}"
    write_coefficients(chosen, read_training(chosen), tmp_path, name)
    again = (tmp_path / f"logic_fit_{name}.yaml").read_text(encoding="utf-8")
    repeated, shipped = (
        yaml.safe_load(text)["quantities"] for text in (again, read_text(f"logic_fit_{name}.yaml"))
    )
    assert repeated.keys() == shipped.keys()
    for quantity, entry in shipped.items():
        assert repeated[quantity]["value"] == pytest.approx(entry["value"], rel=1e-3, abs=2e-4), quantity


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_the_stated_errors_are_those_of_the_stored_measurements(technology: str) -> None:
    stated = logic_fit(f"{technology}{SUFFIX}").constants
    for error in held_out_training(TECHNOLOGIES[technology]()):
        assert error.mean == pytest.approx(stated[f"held_out_mean/{error.metric}"], abs=2e-4)
        assert error.worst == pytest.approx(stated[f"held_out_worst/{error.metric}"], abs=2e-4)


def test_no_netlist_is_both_fitted_and_held_out() -> None:
    train, held_out = (
        {each.map().sizes for each in drawn("cmos65", label)} for label in ("train", "held_out")
    )
    assert not train & held_out
    assert {sizes.rotates for sizes in train} == {True, False}


@pytest.mark.slow
def test_a_stored_netlist_is_mapped_anew() -> None:
    """The smallest of those that were held out."""
    technology = a.Artix7()
    pairs = zip(drawn("artix7", "held_out"), read_training(technology)["held_out"], strict=True)
    configuration, stored = min(pairs, key=lambda pair: pair[1].sizes.pes * pair[1].sizes.stages)
    found = map_to_gates(configuration.map("fpga"), technology)
    mapped, kept = (
        {(part.component, name): figure(part, name) for part in logic.parts for name in MEASURED["fpga"]}
        for logic in (found, stored.logic)
    )
    assert mapped == kept


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_a_step_costs_at_every_fidelity_and_says_how_far_off_that_is(technology: str) -> None:
    result = a.DesignPoint(**DESIGN | {"technology": technology}).simulate("analytic")
    assert result.cost("energy_j") > 0
    assert result.fit_error["critical_path_s"].worst > 0
    assert {"pe", "update", "tree"} <= set(result.by_component("energy_j"))


def test_an_engine_is_described_by_the_components_that_it_has() -> None:
    for network, engine in (("clos-x40", "clos"), ("csc-x40", "csc"), ("dense", "dense")):
        changed = {"network": f"lenet-300-100-{network}", "engine": {"kind": engine, "pes": 4}}
        mapping = a.DesignPoint(**DESIGN | changed).mapping
        described = {part.component for part in structures(mapping.sizes)}
        built = {owner.kind for owner in mapping.hardware.block.owner.values()}
        memories = {f"{shape.role}_memory" for shape in mapping.sizes.memory_shapes}
        assert described == built - memories - {"probe"}
