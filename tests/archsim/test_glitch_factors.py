"""Glitches are charged by kind of component: by operand bits in a PE, by kind of engine elsewhere."""

from __future__ import annotations

import math

import pytest

import archsim as a
from archsim.costs.glitch_factors import OTHER, glitch_key, glitch_share
from archsim.technology import Cmos65

GLITCHES = Cmos65().glitches


def test_a_wider_multiplier_glitches_more() -> None:
    narrow, wide = (a.Csc(pes=2, weight_bits=bits, activation_bits=bits) for bits in (4, 8))
    shares = [
        glitch_share(GLITCHES, "pe", _design("csc-x40", engine).mapping.sizes)[0] for engine in (narrow, wide)
    ]
    assert shares[1] == pytest.approx(2 * shares[0])


def test_a_crossbar_glitches_more_than_a_rotator() -> None:
    banked = _design("pruned-x40", a.Pruned(pes=2, gather="banked")).mapping.sizes
    csc = _design("csc-x40", a.Csc(pes=2)).mapping.sizes
    assert glitch_share(GLITCHES, "route", banked)[0] > 2 * glitch_share(GLITCHES, "route", csc)[0]


def test_a_component_that_nobody_measured_takes_the_mean_of_all() -> None:
    sizes = _design("csc-x40", a.Csc(pes=2)).mapping.sizes
    assert glitch_key("fifo", sizes) not in GLITCHES
    assert glitch_share(GLITCHES, "fifo", sizes) == (float(GLITCHES[OTHER]), GLITCHES[OTHER])


def test_glitches_are_a_share_of_what_the_gates_switch() -> None:
    result = _design("csc-x40", a.Csc(pes=4)).simulate("gate")
    sizes = _design("csc-x40", a.Csc(pes=4)).mapping.sizes
    terms = {(term.component, term.what): term.value for term in result.terms("energy_j")}
    for component in ("pe", "route", "address"):
        share, _ = glitch_share(GLITCHES, component, sizes)
        assert math.isclose(terms[component, "glitches"], share * terms[component, "gates"])


def _design(network: str, engine: a.Engine) -> a.DesignPoint:
    return a.DesignPoint(network=f"lenet-300-100-{network}", engine=engine, technology="cmos65")
