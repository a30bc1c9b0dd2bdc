"""Every fitted figure carries the error of its fit, in proportion to its share; measured ones carry none."""

from __future__ import annotations

import math

import pytest

import archsim as a
from archsim.costs.estimate import logic_fit

pytestmark = pytest.mark.slow

LOGIC = {"pe", "address", "route", "controller", "sequencer", "top"}


@pytest.mark.parametrize("kind", ["csc", "pruned"])
def test_the_error_of_energy_is_that_of_the_logic_times_its_share(kind: str) -> None:
    design = a.DesignPoint(
        network=f"lenet-300-100-{kind}", engine={"kind": kind, "pes": 16}, technology="cmos65"
    )
    result = design.simulate("analytic")
    logic = math.fsum(
        term.value for term in result.terms("energy_j") if term.component in LOGIC and term.what != "leakage"
    )
    stated = logic_fit("cmos65").constants["held_out_mean/energy_j"]
    assert result.expected_error["energy_j"] == pytest.approx(stated * logic / result.cost("energy_j"))
    assert result.expected_error["energy_j"] < stated
    area = math.fsum(term.value for term in result.terms("area_mm2") if term.component in LOGIC)
    assert result.area_mm2 is not None
    assert result.expected_error["area_mm2"] == pytest.approx(
        logic_fit("cmos65").constants["held_out_mean/area_mm2"] * area / result.area_mm2
    )


def test_a_netlist_carries_no_error_of_a_fit() -> None:
    design = a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=2), technology="cmos65")
    assert design.simulate("gate").expected_error == {}


def test_power_on_an_fpga_carries_the_error_of_its_coefficients_at_every_fidelity() -> None:
    design = a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=2), technology="artix7")
    for fidelity in ("analytic", "gate"):
        result = design.simulate(fidelity)
        off = result.expected_error["dynamic_power_w"]
        assert off == float(a.Artix7().dynamic_power_error) - 1
        share = result.cost("dynamic_power_w") / result.cost("power_w")
        assert result.expected_error["power_w"] == pytest.approx(off * share)
