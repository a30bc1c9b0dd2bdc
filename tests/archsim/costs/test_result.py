"""Costs follow from counts: sums are exact, terms carry their source, conservation holds."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import archsim as a
from archsim.comparison import not_in_ratio, what_differs
from archsim.costs.fidelity import estimate
from tests.reports.stand_ins import write_design

POINTS = [
    ("lenet-300-100-csc", a.Csc(pes=16)),
    ("lenet-300-100-clos", a.Clos(pes=8)),
    ("lenet-300-100-pruned", a.Pruned(pes=16)),
    ("lenet-300-100-pruned-x40", a.Pruned(pes=4, gather="banked")),
    ("lenet-300-100-dense", a.Dense(pes=64)),
]
REQUIRED = {
    "fidelity",
    "exact",
    "cycles",
    "latency_s",
    "inferences_per_s",
    "energy_j",
    "power_w",
    "leakage_w",
    "critical_path_s",
    "macs",
    "stored_weights",
    "stored_bits",
    "traffic",
    "accuracy",
    "design",
}


@pytest.mark.parametrize("technology", ["cmos65", "artix7"])
@pytest.mark.parametrize(("network", "engine"), POINTS)
def test_explained_terms_sum_to_the_metric(network: str, engine: a.Engine, technology: str) -> None:
    result = a.DesignPoint(network=network, engine=engine, technology=technology).simulate("analytic")
    metrics = ["energy_j", "power_w", "leakage_w", *(["area_mm2"] if result.is_asic else [])]
    for metric in metrics:
        explained = result.explain(metric)
        assert math.fsum(explained.contribution) == getattr(result, metric)
        assert set(explained.kind) <= {"measured", "published", "fitted", "assumed"}
        assert (explained.source.str.len() > 0).all()
        assert math.fsum(result.by_component(metric).values()) == pytest.approx(
            getattr(result, metric), rel=1e-12
        )


@pytest.mark.parametrize(("network", "engine"), POINTS)
def test_a_result_is_plain_json(network: str, engine: a.Engine) -> None:
    result = a.DesignPoint(network=network, engine=engine, technology="cmos65").simulate("cycle")
    told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert set(told) >= REQUIRED | {"area_mm2"}
    assert told["power_w"] * told["interval_s"] == pytest.approx(told["energy_j"])
    assert told["stored_bits"]["weight"] >= told["stored_weights"] * 8
    assert (told["stored_bits"]["index"] > 0) == (engine.kind == "pruned")
    assert 0.97 < told["accuracy"] < 1
    assert len(result.to_frame()) == 1


def test_fidelities_share_their_counts() -> None:
    design = a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=8), technology="artix7")
    analytic, cycle, rtl = (design.simulate(level) for level in ("analytic", "cycle", "rtl"))
    assert analytic.counts == cycle.counts == rtl.counts
    assert analytic.energy_j == cycle.energy_j == rtl.energy_j
    assert set(analytic.resources or {}) == {"lut", "ff", "dsp", "bram18", "bram36"}


def test_a_metric_that_a_technology_lacks_is_refused() -> None:
    design = a.DesignPoint(network="lenet-300-100-csc", engine=a.Csc(), technology="artix7")
    with pytest.raises(a.MetricError, match="metric is 'area_mm2', allowed are energy_j, power_w, leakage_w"):
        design.simulate("analytic").explain("area_mm2")


def test_a_comparison_gives_ratios_to_the_first() -> None:
    csc = a.DesignPoint(network="lenet-300-100-csc", engine=a.Csc(), technology="cmos65")
    pruned = csc.replace(network="lenet-300-100-pruned", engine=a.Pruned())
    frame = a.compare([csc, pruned], "analytic")
    assert frame.energy_j_ratio[0] == 1
    assert frame.energy_j_ratio[1] == frame.energy_j[1] / frame.energy_j[0]
    assert (frame["engine.gather"].isna()[0], frame["engine.gather"][1]) == (True, "replicated")
    assert list(frame.clock_met) == [True, True]
    with pytest.raises(a.DesignError, match="designs is empty, allowed is a list of at least one"):
        a.compare([])


def test_designs_of_two_fabrics_are_compared_in_what_both_have() -> None:
    csc = a.DesignPoint(network="lenet-300-100-csc", engine=a.Csc(), technology="cmos65")
    fpga = csc.replace(technology="artix7", clock_hz=50e6)
    frame = a.compare([csc, fpga], "analytic")
    assert frame.energy_j_ratio[1] == frame.energy_j[1] / frame.energy_j[0]
    assert frame.area_mm2_ratio.isna()[1]
    assert frame.lut.isna()[0]
    results = [csc.simulate("analytic"), fpga.simulate("analytic")]
    assert not_in_ratio(results) == {"area_mm2": [1], **{name: [0] for name in results[1].resources or ()}}
    assert what_differs(results)["technology.kind"] == ["cmos65", "artix7"]
    assert "network" not in what_differs(results)


def test_a_clock_that_is_too_fast_marks_what_follows_from_it() -> None:
    design = a.DesignPoint(network="lenet-300-100-csc", engine=a.Csc(), technology="cmos65", clock_hz=5e9)
    fast, slow = design.simulate("analytic"), design.replace(clock_hz=1e8).simulate("analytic")
    assert (fast.clock_met, slow.clock_met) == (False, True)
    assert "latency_s" in fast.beyond_critical_path
    assert "area_mm2" not in fast.beyond_critical_path
    assert slow.beyond_critical_path == ()
    told = fast.to_dict()
    assert list(told)[:7] == [
        *(
            "format",
            "format_version",
            "archsim_version",
            "commit",
            "clock_met",
            "beyond_critical_path",
            "warnings",
        )
    ]
    assert told["warnings"][0].startswith("clock_hz is 5e+09, the estimated critical path of")
    for metric in fast.beyond_critical_path:
        assert getattr(fast, metric) != getattr(slow, metric)


@pytest.mark.parametrize(("technology", "sizes"), [("cmos65", {"area_mm2"}), ("artix7", {"resources"})])
def test_plain_values_tell_all_that_the_tables_do(technology: str, sizes: set[str]) -> None:
    network = "lenet-300-100-pruned-x40"
    engine = a.Pruned(gather="banked")
    result = a.DesignPoint(network=network, engine=engine, technology=technology).simulate("cycle")
    told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert set(told["components"]) >= {"energy_j"} | sizes
    assert math.fsum(told["components"]["energy_j"].values()) == pytest.approx(told["energy_j"])
    assert sum(stage["stall_cycles"] for stage in told["stages"]) == told["stall_cycles"] > 0
    assert sum(stage["macs"] for stage in told["stages"]) >= told["macs"]


@pytest.mark.parametrize("fidelity", ["analytic", "cycle", "rtl", "gate"])
@pytest.mark.parametrize("metric", ["latency_s", "critical_path_s"])
@pytest.mark.parametrize("technology", ["cmos65", "artix7"])
def test_what_takes_time_is_explained(fidelity: str, metric: str, technology: str) -> None:
    design = a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=2), technology=technology)
    result = design.simulate(fidelity)
    explained = result.explain(metric)
    assert math.fsum(explained.contribution) == pytest.approx(getattr(result, metric))
    assert (explained.contribution >= 0).all()
    assert (explained.source.str.len() > 0).all()
    if metric == "latency_s" and fidelity != "rtl":
        assert {"loading", "stage 0", "stage 1"} <= set(explained.component)
    if metric == "critical_path_s":
        assert (len(explained) > 1) == (fidelity == "gate")


def test_a_clock_beyond_the_critical_path_is_a_warning() -> None:
    design = a.DesignPoint(
        network="lenet-300-100-csc-x40", engine=a.Csc(pes=2), clock_hz=1e9, technology="cmos65"
    )
    result = design.simulate("gate")
    assert result.critical_path_s is not None
    assert result.critical_path_s > 1e-9
    assert result.warnings[0].startswith("clock_hz is 1e+09, the estimated critical path of")


@pytest.mark.parametrize("technology", ["cmos65", "artix7"])
@pytest.mark.parametrize("fidelity", ["analytic", pytest.param("gate", marks=pytest.mark.slow)])
def test_a_result_at_another_clock_is_that_of_the_design_at_that_clock(
    tmp_path: Path, technology: str, fidelity: str
) -> None:
    design = a.DesignPoint.from_file(write_design(tmp_path, technology=technology))
    first = design.simulate(fidelity)
    for clock_hz in (2e6, 2e9):
        moved, anew = first.at_clock(clock_hz), design.replace(clock_hz=clock_hz).simulate(fidelity)
        assert moved.cost("energy_j") == pytest.approx(anew.cost("energy_j"))
        assert moved.cost("power_w") == pytest.approx(anew.cost("power_w"))
        assert moved.cost("latency_s") == anew.latency_s
        assert moved.warnings == anew.warnings
        assert moved.design == anew.design
        assert set(moved.fit_error) == set(anew.fit_error)
        for metric, error in anew.fit_error.items():
            assert moved.fit_error[metric].worst == pytest.approx(error.worst)


@pytest.mark.parametrize(("technology", "sizes"), [("cmos65", {"area_mm2"}), ("artix7", {"lut", "bram36"})])
@pytest.mark.parametrize("fidelity", ["analytic", "cycle", "rtl"])
def test_an_engine_that_nobody_calibrated_has_counts_and_says_why_it_has_no_costs(
    fidelity: str, technology: str, sizes: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    point = a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=2), technology=technology)
    priced = point.simulate(fidelity)
    monkeypatch.setattr(estimate, "_covers", lambda fit, sizes: False)
    result = point.simulate(fidelity)
    assert result.counts == priced.counts
    assert result.traffic == priced.traffic
    costs = {"energy_j", "power_w", "dynamic_power_w", "leakage_w", "critical_path_s"}
    assert set(result.missing) >= costs | sizes
    assert {getattr(result, metric) for metric in costs} == {None}
    assert (result.is_asic, result.area_mm2) == (priced.is_asic, None)
    assert result.missing["energy_j"] == (
        "engine is csc, whose logic nobody calibrated, allowed is fidelity gate"
    )
    told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert told.keys() - {"missing"} == priced.to_dict().keys()
    assert told["energy_j"] is None
    with pytest.raises(a.MetricError, match=r"which is missing \(engine is csc, whose logic nobody"):
        result.explain("energy_j")
    assert len(result.to_frame()) == 1


def test_a_result_is_one_line() -> None:
    point = a.DesignPoint(network="lenet-300-100-csc", engine=a.Csc(pes=16), technology="cmos65")
    assert repr(point.simulate("analytic")) == (
        "<Result of lenet-300-100-csc on csc, cmos65, analytic: 1882 cycles>"
    )
