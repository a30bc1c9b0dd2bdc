"""What is known of an error comes in two lines: the fits against gates and placed cores, the technology
against real ones."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

import archsim as a
from archsim.costs.errors import by_part, part_ends
from archsim.costs.fidelity.estimate import logic_fit
from archsim.costs.fidelity.placing import placing_law
from archsim.costs.ratio_error import ratio_interval, ratio_intervals
from archsim.technology.evidence import EXACT

LOGIC = {"pe", "requantiser", "address", "route", "controller", "sequencer", "top"}
PRICED = ("energy_j", "equal_throughput_power", "area_mm2")


def point(kind: str = "csc", technology: Any = "cmos65", pes: int = 16, **engine: Any) -> a.DesignPoint:
    network = f"lenet-300-100-{kind}-x40"
    return a.DesignPoint(network=network, engine={"kind": kind, "pes": pes, **engine}, technology=technology)


@pytest.mark.parametrize("kind", ["csc", "pruned"])
def test_the_error_of_the_fit_is_that_of_the_logic_times_its_share(kind: str) -> None:
    result = point(kind).simulate("analytic")
    logic = math.fsum(
        term.value for term in result.terms("energy_j") if term.component in LOGIC and term.what != "leakage"
    )
    stated = logic_fit("cmos65").constants
    share = logic / result.cost("energy_j")
    for end, of_placing in zip(("mean", "worst"), placing_law().errors["energy_j"], strict=True):
        both = share * stated[f"held_out_{end}/energy_j"], share * of_placing
        shared = math.hypot(*both) if end == "mean" else math.fsum(both)
        assert getattr(result.fit_error["energy_j"], end) == pytest.approx(shared)
        assert getattr(result.placing_error["energy_j"], end) == pytest.approx(share * of_placing)
    area = math.fsum(term.value for term in result.terms("area_mm2") if term.component in LOGIC)
    assert result.fit_error["area_mm2"].mean == pytest.approx(
        math.hypot(
            stated["held_out_mean/area_mm2"] * area / result.cost("area_mm2"),
            placing_law().errors["area_mm2"][0],
        )
    )


def test_counts_carry_no_error_of_either_kind() -> None:
    result = point().simulate("analytic")
    assert {"cycles", "latency_s", "stored_weights"}.isdisjoint({*result.fit_error, *result.technology_error})


@pytest.mark.slow
def test_a_netlist_carries_no_error_of_a_fit_and_the_same_technology() -> None:
    mapped, fitted = point(pes=2).simulate("gate"), point(pes=2).simulate("analytic")
    assert mapped.fit_error == mapped.placing_error
    assert mapped.technology_error.keys() == fitted.technology_error.keys()


def test_the_error_of_the_technology_moves_every_part_by_its_share() -> None:
    result = point().simulate("analytic")
    brackets, parts = a.Cmos65().brackets.of("energy_j"), by_part(result.bill, "energy_j")
    terms = [term for part in parts.values() for term in part]
    assert math.fsum(term.value for term in terms) == pytest.approx(result.cost("energy_j"))
    assert set(parts) == {*brackets, "leakage", "memory leakage"}
    high = math.fsum(
        term.value * brackets.get(part, EXACT).high * (term.bracket or EXACT).high
        for part, own in parts.items()
        for term in own
    )
    assert result.technology_error["energy_j"].high == pytest.approx(high / result.cost("energy_j"))
    assert result.technology_error["leakage_w"].high == 1, "nobody compared the leakage of the 65 nm cells"


def test_scaling_adds_its_own_error_and_more_the_farther_it_goes() -> None:
    def spread(node_nm: int, metric: str) -> float:
        ends = point(technology={"kind": "cmos", "node_nm": node_nm}).simulate("analytic").technology_error
        return ends[metric].high / ends[metric].low

    for metric in ("energy_j", "area_mm2", "critical_path_s"):
        spreads = [spread(node_nm, metric) for node_nm in (65, 45, 20, 7)]
        assert spreads == sorted(spreads)
        assert spreads[0] < spreads[1]
    assert spread(7, "energy_j") > 10, "nobody knows a figure at 7 nm to some percent"
    native = point(technology={"kind": "cmos", "node_nm": 65}).simulate("analytic").technology_error
    assert native == point().simulate("analytic").technology_error


@pytest.mark.slow
def test_power_on_an_fpga_carries_the_error_of_its_coefficients_at_every_fidelity() -> None:
    design = point(technology="artix7", pes=2)
    for fidelity in ("analytic", "gate"):
        result = design.simulate(fidelity)
        off = float(a.Artix7().dynamic_power_error)
        assert result.technology_error["dynamic_power_w"].ends == pytest.approx((1 / off, off))
        share = result.cost("dynamic_power_w") / result.cost("power_w")
        assert result.technology_error["power_w"].high - 1 == pytest.approx((off - 1) * share)


def test_luts_that_were_fitted_hand_their_error_on_to_the_energy_that_they_take() -> None:
    result = point(technology="artix7", pes=2).simulate("analytic")
    energy, lut = (result.fit_error[name].mean for name in ("energy_j", "lut"))
    assert 0 < energy < result.fit_error["dynamic_power_w"].mean < lut


def test_a_design_beside_itself_is_moved_by_the_fits_only() -> None:
    result = point().simulate("analytic")
    for metric in PRICED:
        low, high = ratio_interval(result, result, metric) or (0.0, 0.0)
        priced = "energy_j" if "power" in metric else metric
        off = math.sqrt(2) * (result.fit_error[priced].worst - result.placing_error[priced].worst)
        assert (low, high) == pytest.approx((1 - off, 1 + off))


def test_what_is_expected_of_placing_moves_the_ratio_of_two_engines_and_not_of_one() -> None:
    first = point().simulate("analytic")
    for other, moves in ((point(), 0.0), (point("pruned", gather="banked"), 1.0)):
        result = other.simulate("analytic")
        low, high = ratio_interval(first, result, "critical_path_s") or (0.0, 0.0)
        of_fits, of_placing = logic_fit("cmos65").errors, placing_law().errors
        off = math.hypot(
            *[of_fits["critical_path_s"][1]] * 2, *[moves * of_placing["critical_path_s"][0]] * 2
        )
        ratio = (result.critical_path_s or 0.0) / (first.critical_path_s or 1.0)
        assert high == pytest.approx(ratio * (1 + off))
        assert low == pytest.approx(ratio * (1 - off))


@pytest.mark.parametrize("technology", ["cmos65", "artix7", {"kind": "cmos", "node_nm": 7}])
@pytest.mark.parametrize("gather", ["replicated", "banked"])
def test_what_two_designs_share_cancels_in_their_ratio(technology: Any, gather: str) -> None:
    first = point("csc", technology).simulate("analytic")
    other = point("pruned", technology, gather=gather).simulate("analytic")
    low, high = ratio_interval(first, other, "energy_j") or (0.0, 0.0)
    ratio = other.cost("energy_j") / first.cost("energy_j")
    assert low < ratio < high
    ends = [result.technology_error["energy_j"] for result in (first, other)]
    assert low / ratio > ends[1].low / ends[0].high
    assert high / ratio < ends[1].high / ends[0].low


def test_the_ends_of_a_ratio_are_the_ratio_with_a_part_at_its_end() -> None:
    first, other = point("csc").simulate("analytic"), point("pruned").simulate("analytic")
    brackets = a.Cmos65().brackets.parts["energy_j"]
    sides = [part_ends(by_part(result.bill, "energy_j"), brackets) for result in (other, first)]
    corners = []
    for places in itertools.product((0, 1), repeat=len(sides[0])):
        at = dict(zip(sides[0], places, strict=True))
        above, below = (math.fsum(side[part].ends[at[part]] for part in side) for side in sides)
        corners.append(above / below)
    off = math.hypot(
        *(r.fit_error["energy_j"].worst - r.placing_error["energy_j"].worst for r in (first, other)),
        *(r.placing_error["energy_j"].mean for r in (first, other)),
    )
    told = ratio_interval(first, other, "energy_j")
    assert told == pytest.approx((min(corners) * (1 - off), max(corners) * (1 + off)))


def test_designs_of_two_technologies_share_nothing() -> None:
    first, other = (
        point().simulate("analytic"),
        point(technology={"kind": "cmos", "node_nm": 45}).simulate("analytic"),
    )
    low, high = ratio_interval(first, other, "energy_j") or (0.0, 0.0)
    ends = [result.technology_error["energy_j"] for result in (first, other)]
    assert high / low >= ends[0].high / ends[0].low * ends[1].high / ends[1].low


def test_power_is_compared_at_equal_throughput_and_never_as_it_is() -> None:
    designs = [point("csc"), point("pruned", gather="banked")]
    results = [design.simulate("analytic") for design in designs]
    frame = a.compare(designs, "analytic")
    assert results[0].cycles != results[1].cycles
    assert list(frame["equal_throughput_power_ratio"]) == pytest.approx(list(frame["energy_j_ratio"]))
    assert {"power_w_ratio", "dynamic_power_w_ratio"}.isdisjoint(frame.columns)
    assert {"equal_throughput_power", "equal_throughput_dynamic_power"}.isdisjoint(frame.columns)
    ends = ratio_intervals(results)["equal_throughput_power"][1]
    told = frame.loc[1, ["equal_throughput_power_ratio_low", "equal_throughput_power_ratio_high"]]
    assert tuple(told) == ends
    assert "cycles_ratio_low" not in frame.columns
