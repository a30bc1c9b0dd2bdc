"""Which baseline is the strongest, and what drives a ratio."""

from __future__ import annotations

import pytest

from reports.side_by_side import SideBySide, grouped
from tests.reports.stand_ins import point, result

CANDIDATES = ("pruned replicated", "pruned banked")


def sides(technology: str, **times: float) -> SideBySide:
    names = ("csc", *CANDIDATES)
    return SideBySide(
        technology,
        {name: result(point(technology, name), times=times.get(name.split()[-1])) for name in names},
        "csc",
        CANDIDATES,
    )


@pytest.mark.parametrize("technology", ["cmos65", "artix7"])
def test_the_baseline_is_the_pruned_design_with_the_least_energy_and_size(technology: str) -> None:
    assert sides(technology, replicated=1.5, banked=2.0).baseline == "pruned replicated"
    assert sides(technology, replicated=3.0, banked=2.0).baseline == "pruned banked"


def test_a_ratio_is_to_the_reference() -> None:
    side = sides("cmos65", replicated=4.0, banked=2.0)
    assert side.ratio("area_mm2", "pruned banked") == pytest.approx(2.0)
    assert side.ratio("lut", "pruned banked") is None


def test_the_size_on_an_fpga_is_the_geometric_mean_of_what_both_use() -> None:
    assert sides("artix7", banked=8.0).size_ratio("pruned banked") == pytest.approx(8 ** (1 / 3))


def test_differences_by_component_sum_to_the_difference() -> None:
    side = sides("cmos65", banked=2.0)
    more = dict(side.differences("energy_j", "pruned banked"))
    total = side.results["pruned banked"].cost("energy_j") - side.results["csc"].cost("energy_j")
    assert sum(more.values()) == pytest.approx(total)
    assert more["index memory"] == pytest.approx(2e-9)


def test_the_cells_around_a_memory_count_with_it_and_strangers_as_other() -> None:
    groups = grouped([("weight memory", 1.0), ("weight_memory", 2.0), ("router9", 4.0)])
    assert groups == {"weight memory": 3.0, "other": 4.0}


def test_the_memories_of_activations_count_together_and_requantisers_with_the_pes() -> None:
    parts = [("activation_0 memory", 1.0), ("activation_1_memory", 2.0), ("input memory", 4.0)]
    groups = grouped([*parts, ("requantiser", 8.0), ("pe", 16.0)])
    assert groups == {"PEs": 24.0, "activation memory": 7.0}
