"""The timing models in which a net lies before each pin that general routing leads to."""

from __future__ import annotations

import re

import pytest

from archsim.netlist.net_models import models_with_nets, with_nets
from archsim.technology import Artix7, Ecp5, FpgaResources
from archsim.technology.quantity import load_quantities

MODELS = """module GATE (output O, input A, input B);
  specify
    (A => O) = 100;
    if (!INVERTED) (B[1:0] *> O) = \\B.delay (); // of two
    (posedge C => (Q : D)) = 303;
    $setup(D , posedge C &&& CE, /*-46*/ 7); // not below zero
    $setup(\t CE, negedge C, 109);
  endspecify
endmodule
module CHAIN (output O, input A, input NEXT);
    (A => O) = 5;
    (NEXT => O) = 6;
"""


def test_a_net_lies_before_each_data_pin_and_none_before_clocks_and_dedicated_ones() -> None:
    made = with_nets(MODELS, 40, {"CHAIN": frozenset({"NEXT"}), "GATE": frozenset({"NEXT"})})
    assert made.pins == {("GATE", "A"), ("GATE", "B"), ("GATE", "D"), ("GATE", "CE"), ("CHAIN", "A")}
    changed = {
        old: new for old, new in zip(MODELS.splitlines(), made.text.splitlines(), strict=True) if old != new
    }
    assert [new.replace(" + 40", "") for new in changed.values()] == list(changed)
    assert len(changed) == len(made.pins)
    assert "    (A => O) = 100 + 40;" in changed.values()
    assert "    $setup(D , posedge C &&& CE, /*-46*/ 7 + 40); // not below zero" in changed.values()


def test_a_path_is_stretched_by_the_share_that_nets_have_of_it() -> None:
    small, large = (FpgaResources(lut=luts, bram36=luts // 100, dsp=4) for luts in (1_000, 20_000))
    technology, share = Artix7(), float(load_quantities("artix7_routing.yaml")["share_of_nets_in_path"])
    nets = technology.net_delay_s(large) / technology.net_delay_s(small)
    assert nets > 1.2
    stretched = technology.path_stretch(large) / technology.path_stretch(small)
    assert stretched == pytest.approx(nets**share)
    assert Ecp5().path_stretch(large) == 1


@pytest.mark.parametrize("net_ps", [0, 450])
def test_no_arc_of_the_7_series_is_forgotten(net_ps: int) -> None:
    """Each line with an arc or a setup begins at a clock, at a dedicated pin, or behind a net."""
    made = models_with_nets(Artix7.timing_models, net_ps, Artix7.dedicated)
    module, without = "", set()
    for line in made.text.splitlines():
        module = named[1] if (named := re.match(r"module (\w+)", line)) else module
        arc = re.search(r"(?:\(|\$setup\( *)(\w+)(?:\[\d+\])? *(?:[*=]>|, *(?:pos|neg)edge)", line)
        if arc and not re.search(rf" \+ {net_ps}\)?;", line):
            without.add((module, arc[1]))
    assert without == {(module, pin) for module, pins in Artix7.dedicated.items() for pin in pins}
    assert ("LUT6", "I0") in made.pins
    assert not made.pins & without
