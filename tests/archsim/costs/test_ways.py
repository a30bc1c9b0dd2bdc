"""The ways that may be the longest: told apart in netlists, fitted one by one, memories at their ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from archsim.calibration.delay_fit import Told, fit_delays
from archsim.calibration.measurement import Measurement, read_measured
from archsim.calibration.paths import way_of
from archsim.costs.fidelity.estimate import logic_fit
from archsim.netlist.path_ends import LongestPath, component_of, is_part, place_of
from archsim.technology import Cmos65
from rtl.engines.pruned import PrunedSizes
from rtl.parts.paths import ways


def test_the_longest_way_of_a_netlist_of_cells_is_its_critical_path() -> None:
    for label, measured in read_measured("cmos65").items():
        for each in measured:
            assert max(each.delays.values()) == each.logic.critical_path_s, (label, each.name)


@pytest.mark.parametrize("technology", ["cmos65", "artix7"])
def test_every_measured_way_is_one_that_the_hardware_has(technology: str) -> None:
    for measured in read_measured(technology).values():
        for each in measured:
            assert each.delays
            assert each.delays.keys() <= {way.family for way in ways(each.sizes)}, each.name


def _one(*, shared: bool, product_register: bool = False, engine: str = "pruned") -> Measurement:
    return next(
        each
        for each in read_measured("cmos65")["train"]
        if each.sizes.engine == engine
        and each.sizes.shared_requantiser == shared
        and each.sizes.product_register == product_register
    )


PATHS = {
    "multiply_add": ("pe.activation", ("pe",), "pe.n_45/total"),
    "requantiser": ("controller.held_shift", ("pe",), "pe.result/scores"),
    "weight": ("weight_memory.mem", ("pe",), "pe.weight"),
    "operand": ("activation_0_memory.mem", ("route", "pe"), "pe.activation"),
}


@pytest.mark.parametrize("family", PATHS)
def test_a_path_of_a_pe_is_told_by_its_ends(family: str) -> None:
    sizes = _one(shared=False).sizes
    start, through, end = PATHS[family]
    assert way_of(sizes, LongestPath(start, through, end, 1e-9)) == family


def test_a_path_through_a_shared_requantiser_is_told_by_the_memory_that_it_ends_in() -> None:
    sizes = _one(shared=True, engine="dense").sizes
    path = LongestPath("controller.chunk", ("route", "requantiser"), "activation_1_memory.data", 1e-9)
    assert way_of(sizes, path) == "shared_requantiser.activation_1"


def test_a_path_of_control_is_told_by_engine_start_and_end() -> None:
    sizes = _one(shared=False).sizes
    label = sizes.label.replace(" ", ".")
    for start, end, way in (
        ("index_memory.mem", "activation_0_memory.address", "index.activations"),
        ("index_memory.mem", "address.sub_word", "index.flops"),
        ("route.full", "weight_memory.enable", "control.fetches"),
        ("controller.state", "pe.enable", "control.flops"),
    ):
        assert way_of(sizes, LongestPath(start, ("address",), end, 1e-9)) == f"{label}.{way}"


def test_places_are_read_from_the_names_of_nets_and_instances() -> None:
    for name in ("pe_3.total[4]", "pe_3_total[4]", "pe_12.total"):
        assert place_of(name) == "pe.total"
    assert place_of("controller_chunk[0]") == "controller.chunk"
    assert place_of("activation_0_memory_3.mem") == "activation_0_memory.mem"
    assert component_of("activation_0_memory_3.mem") == "activation_0_memory"
    assert is_part("pe.n_4/result", ("result",))
    assert is_part("pe.sum_1", ("sum",))
    assert not is_part("pe.total", ("result", "scores"))


def test_the_bank_at_a_distance_waits_for_a_carry_but_not_the_lowest_bit_of_the_sum() -> None:
    near = next(
        each.sizes
        for each in read_measured("artix7")["train"]
        if isinstance(each.sizes, PrunedSizes) and each.sizes.relative and each.sizes.banks == 4
    )
    assert near.control_path["carried_bank"]
    told_apart_by_one_bit = replace(near, pes=2, banks=2)
    assert not told_apart_by_one_bit.control_path["carried_bank"]
    assert not replace(near, relative=False).control_path["carried_bank"]
    assert not replace(near, replicated=True).control_path["carried_bank"]


def _told(levels: float, delay_s: float, *, exact: bool = True) -> Told:
    return Told({"one": 1.0, "levels": levels, "nothing": 0.0}, delay_s, delay_s, exact)


def test_a_way_that_was_seen_often_is_met_exactly_where_it_can_be() -> None:
    costs = fit_delays([_told(levels, 1e-9 + 2e-10 * levels) for levels in range(8)])
    assert costs == pytest.approx({"one": 1e-9, "levels": 2e-10}, rel=1e-4)


def test_a_longest_path_bounds_the_ways_that_it_does_not_take() -> None:
    seen = [_told(levels, 1e-9 + 2e-10 * levels) for levels in range(8)]
    shorter = fit_delays([*seen, *[_told(20, 3e-9, exact=False)] * 8])
    assert shorter["one"] + 20 * shorter["levels"] < 4.5e-9
    assert fit_delays([*seen, _told(20, 6e-9, exact=False)]) == fit_delays(seen)
    assert fit_delays([_told(3, 1e-9, exact=False)]) == {"one": 0.0}


def test_what_few_netlists_happen_to_differ_in_is_not_charged_for() -> None:
    random = np.random.default_rng(3)
    few = [
        Told({"one": 1.0, **{f"random_{n}": random.random() for n in range(6)}}, delay_s, delay_s, True)
        for delay_s in (1.00e-9, 1.01e-9, 0.99e-9, 1.00e-9, 1.01e-9, 0.99e-9)
    ]
    costs = fit_delays(few)
    assert costs["one"] == pytest.approx(1e-9, rel=0.1)
    assert sum(costs.values()) - costs["one"] < 0.1e-9


def test_a_way_out_of_a_memory_takes_its_access_time_and_into_one_its_setup() -> None:
    cmos65 = Cmos65()
    sizes: Any = _one(shared=False).sizes
    deeper = replace(sizes, index_words=8 * sizes.index_words)
    way = next(way for way in ways(sizes) if way.kin.endswith(".index") and way.writes)

    def delay_s(of: Any, cells: float = 1.0) -> float:
        found = logic_fit("cmos65").delay_s(way, of, cmos65, cells)
        assert found is not None
        return found

    small, large = (
        cmos65.memory(words=each.index_words, word_bits=each.fetch_bits) for each in (sizes, deeper)
    )
    longer_s = delay_s(deeper) - delay_s(sizes)
    assert longer_s == pytest.approx(large.access_time_s - small.access_time_s)
    assert longer_s > 0
    rest_s = delay_s(sizes) - small.access_time_s
    assert delay_s(sizes, 2.0) == pytest.approx(small.access_time_s + 2 * rest_s)
