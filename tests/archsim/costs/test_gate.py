"""The gate fidelity maps the engine's own Verilog, whatever the synthesiser makes of it at first."""

from __future__ import annotations

import pytest

import archsim as a


@pytest.mark.long
def test_a_module_that_crashes_abc9_is_mapped_without_its_last_optimisation() -> None:
    design = a.DesignPoint(network="lenet-300-100-clos-x40", engine=a.Clos(pes=1), technology="artix7")
    result = design.simulate("gate")
    assert result.resources is not None
    assert result.resources["dsp"] == 1
    assert result.resources["lut"] > 100
    kind, source = result.path_source
    assert kind == "measured"
    assert "timed as if each net took" in source


def test_gate_and_estimate_agree_on_what_does_not_depend_on_logic() -> None:
    design = a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=2), technology="cmos65")
    gate, estimate = design.simulate("gate"), design.simulate("analytic")
    assert gate.counts == estimate.counts
    memories = [part for part in gate.by_component("area_mm2") if part.endswith("memory")]
    assert memories
    for part in memories:
        assert gate.by_component("area_mm2")[part] == estimate.by_component("area_mm2")[part]
