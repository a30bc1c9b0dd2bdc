"""The fitted logic of engines that train: what a step costs, and of which components it is made."""

from __future__ import annotations

from typing import Any

import pytest

import archsim as a
from archsim.calibration.measurement import MEASURED, figure
from archsim.calibration.training import drawn, read_training
from archsim.costs.fidelity.gate import map_to_gates
from archsim.costs.fidelity.structure import structures

TECHNOLOGIES = {"cmos65": a.Cmos65, "artix7": a.Artix7}
DESIGN: dict[str, Any] = {
    "network": "lenet-300-100-clos-x40",
    "engine": {"kind": "clos", "pes": 2},
    "technology": "cmos65",
    "training": {},
}


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
