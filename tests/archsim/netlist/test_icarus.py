"""Toggles of a mapped netlist, without delays and with them, as Icarus Verilog counts them."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from archsim.calibration.plan import draw_small
from archsim.engine.mapping import Mapping
from archsim.netlist import EventSimulation, Netlist, ToggleCounter, delays_of, synthesise_asic
from archsim.netlist.clocks import gated_clocks
from archsim.technology import Cmos65
from rtl import to_verilog
from tests.archsim.netlist.icarus import NAME, recorded_run, simulated_activity

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed"),
]

TECHNOLOGY = Cmos65()
SMALL = {each.engine.kind + str(getattr(each.engine, "gather", "")): each for each in draw_small(4, 5, pes=2)}


def mapped(kind: str) -> tuple[Mapping, Netlist, ToggleCounter]:
    """A small engine, its netlist, and what counts the toggles of that."""
    mapping = SMALL[kind].map()
    design = to_verilog(mapping.hardware)
    netlist = replace(synthesise_asic(design.text, design.top, TECHNOLOGY).flat(), name=NAME)
    return mapping, netlist, ToggleCounter(netlist, TECHNOLOGY.library, design.wires)


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_icarus_counts_the_same_toggles_on_every_net(kind: str) -> None:
    mapping, netlist, counter = mapped(kind)
    ours = counter.count(recorded_run(counter, mapping).recorded)
    theirs = simulated_activity(netlist, mapping, TECHNOLOGY)
    clock = netlist.named["clk"]
    assert ours.cycles == theirs.cycles
    assert theirs.toggles[clock].tolist() == [2 * ours.cycles]
    assert differing(netlist, ours.toggles, theirs.toggles) == []
    assert ours.toggles.sum() > 1000


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_icarus_counts_the_same_glitches_on_every_net(kind: str) -> None:
    """With delays so fine and so odd that no pulse is as long as the delay of a gate, where simulators may
    differ in which of two things at one instant comes first."""
    mapping, netlist, counter = mapped(kind)
    simulation = EventSimulation(counter, delays_of(netlist, TECHNOLOGY))
    network = simulation.network
    # Inputs come with the clock edge in both, so that they stay as they are.
    odd = np.random.default_rng(1).integers(0, 64, len(network.delays)) * (network.delays > 0)
    odd = 64 * network.delays + odd
    simulation.network = replace(network, delays=odd.astype(np.int32))
    ours = simulation.count(recorded_run(counter, mapping).recorded).activity
    theirs = simulated_activity(netlist, mapping, TECHNOLOGY, delays=simulation.network)
    assert ours.cycles == theirs.cycles
    assert differing(netlist, ours.toggles, theirs.toggles) == []


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_ties_hardly_matter(kind: str) -> None:
    """Icarus takes what happens at one instant one after the other, the event simulation all at once: up to 5
    in 10,000 transitions, most of them where both outputs of an adder cell move."""
    mapping, netlist, counter = mapped(kind)
    simulation = EventSimulation(counter, delays_of(netlist, TECHNOLOGY))
    recorded = recorded_run(counter, mapping).recorded
    ours = simulation.count(recorded).activity.toggles
    theirs = simulated_activity(netlist, mapping, TECHNOLOGY, delays=simulation.network).toggles
    nets = differing(netlist, ours, theirs)
    assert np.abs(ours - theirs)[nets].sum() < 1e-3 * ours.sum()
    assert ours.sum() > 1.2 * counter.count(recorded).toggles.sum()


def differing(netlist: Netlist, ours: np.ndarray, theirs: np.ndarray) -> list[int]:
    """The nets with other toggles, but for the clock and, where they are counted without delays only, for
    what comes out of clock gates."""
    clock = netlist.named["clk"]
    pulses = gated_clocks(netlist, TECHNOLOGY.library) & (ours == 0)
    return [int(net) for net in np.flatnonzero((ours != theirs) & ~pulses) if net not in clock]
