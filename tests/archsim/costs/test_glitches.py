"""Glitches are measured on the design itself at the gates, and a metric of its own below."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import archsim as a
from archsim.costs.fidelity.structure import GLITCHES, Structure, structures
from archsim.costs.operands import workload_of
from archsim.netlist import EventSimulation
from rtl import Sizes
from rtl.engines.gather.sizes import GatherSizes


def design(network: str, engine: a.Engine) -> a.DesignPoint:
    return a.DesignPoint(network=f"lenet-300-100-{network}", engine=engine, technology="cmos65")


@pytest.mark.slow
def test_glitches_at_the_gates_are_those_of_the_design() -> None:
    """The same PE glitches more where its operands keep moving than where most activations are zero."""
    shares = {}
    alike: Any = {"pes": 4, "requantiser": "each", "zero_gating": False}
    engines = {"csc-x40": a.Csc(**alike, reads="rotated"), "pruned-x40": a.Pruned(**alike, gather="banked")}
    for network, engine in engines.items():
        terms = {(t.component, t.what): t for t in design(network, engine).simulate("gate").terms("energy_j")}
        assert terms["pe", "glitches"].kind == "fitted", "what was measured, times what placing makes of it"
        assert "event simulation" in terms["pe", "glitches"].source
        shares[network] = terms["pe", "glitches"].value / terms["pe", "gates"].value
    assert 0.1 < shares["pruned-x40"] < shares["csc-x40"] < 1.3


@pytest.mark.slow
def test_what_was_simulated_once_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    point = design("csc-x40", a.Csc(pes=2))
    first = point.simulate("gate").energy_j
    monkeypatch.delattr(EventSimulation, "count")
    assert point.simulate("gate").energy_j == first


def test_glitches_of_a_product_grow_with_its_rows() -> None:
    charged = []
    for bits in (4, 8):
        mapping = design("csc-x40", a.Csc(pes=2, weight_bits=bits, activation_bits=bits)).mapping
        (pe,) = (part for part in structures(mapping.sizes) if part.component == "pe")
        workload = workload_of(mapping)
        gates, glitches = (pe.amounts(metric, workload) for metric in ("gate_switching_j", GLITCHES))
        charged.append(glitches["cells_product_bits.product.rows"] / gates["cells_product_bits.product"])
    assert charged == pytest.approx([4, 8])


def test_a_crossbar_whose_addresses_are_added_up_is_charged_as_late() -> None:
    mapping = design("pruned", a.Pruned(pes=4, gather="banked")).mapping
    sizes, workload = mapping.sizes, workload_of(mapping)
    assert isinstance(sizes, GatherSizes)
    added, given = (_route(replace(sizes, relative=relative)) for relative in (True, False))
    for metric in ("area_mm2", "gate_switching_j", "register_switching_j"):
        assert added.amounts(metric, workload) == given.amounts(metric, workload)
    charged = added.amounts(GLITCHES, workload)
    late = {name for name in charged if name.startswith("late_")}
    assert any(charged[name] for name in late)
    assert all(given.amounts(GLITCHES, workload)[name] == 0 for name in late)
    assert all(charged[name] == charged[name.removeprefix("late_")] for name in late)


def _route(sizes: Sizes) -> Structure:
    (route,) = (part for part in structures(sizes) if part.component == "route")
    return route
