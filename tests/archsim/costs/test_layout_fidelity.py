"""Fidelity `layout` of standard cells: counts as they are, the core's whole area, each net's own wire."""

from __future__ import annotations

import pytest

from archsim.calibration.plan import draw_small
from archsim.costs.fidelity.gate import map_to_gates
from archsim.costs.fidelity.layout import CLOCK_TREE, REPEATERS, cell_layout_of, place_and_route
from archsim.costs.fidelity.placing import PLACING
from archsim.technology import Cmos65

pytestmark = pytest.mark.slow

TECHNOLOGY = Cmos65()
SMALL = {each.map().sizes.label: each for each in draw_small(4, 5, pes=2)}


@pytest.mark.parametrize("label", ["csc", "pruned banked"])
def test_the_parts_make_up_the_core_and_switch_more_or_less(label: str) -> None:
    mapping = SMALL[label].map()
    layout, gate = place_and_route(mapping, TECHNOLOGY), map_to_gates(mapping, TECHNOLOGY)
    made = cell_layout_of(mapping, TECHNOLOGY)
    parts = {part.component: part for part in layout.parts}
    assert {part.component for part in gate.parts} == parts.keys() - {CLOCK_TREE, PLACING, REPEATERS}
    area_mm2 = sum(part.area_mm2 for part in layout.parts) + made.memories_mm2(TECHNOLOGY)
    assert area_mm2 == pytest.approx(made.core_mm2)
    assert parts[PLACING].area_mm2 > 0
    for part in gate.parts:
        placed = parts[part.component]
        assert placed.instances == part.instances
        assert placed.area_mm2 >= 0.99 * part.area_mm2
        assert (placed.gate_switching_j > 0) == (part.gate_switching_j > 0)
    assert layout.critical_path_s == made.timing.critical_path_s
    assert layout.critical_path == made.timing.path
