"""What an engine that trains is charged for: terms that add up, counts that say what they count."""

from __future__ import annotations

import math

import pytest

import archsim as a

METRICS = ("energy_j", "power_w", "leakage_w", "latency_s")
OVERLAPS = ("none", "pipelined")


def step(engine: a.Engine, technology: str, overlap: str, fidelity: str = "analytic") -> a.Result:
    return a.DesignPoint(
        network=f"lenet-300-100-{engine.kind}-x40",
        engine=engine,
        technology=technology,
        clock_hz=5e7,
        training={"overlap": overlap},
    ).simulate(fidelity)


@pytest.mark.parametrize("technology", ["cmos65", "artix7"])
@pytest.mark.parametrize("engine", [a.Clos(pes=16), a.Csc(pes=16)], ids=lambda engine: engine.kind)
def test_terms_of_a_step_add_up_exactly(engine: a.Engine, technology: str) -> None:
    result = step(engine, technology, "none")
    for metric in (*METRICS, *(("area_mm2",) if result.is_asic else ("lut", "ff", "dsp"))):
        explained = result.explain(metric)
        total = (result.resources or {}).get(metric) or result.cost(metric)
        assert math.fsum(explained.contribution) == pytest.approx(total, rel=1e-15), metric
        assert math.fsum(result.by_component(metric).values()) == pytest.approx(total, rel=1e-14), metric
    assert result.power_w == pytest.approx(result.energy_j / result.interval_s, rel=1e-15)  # type: ignore[operator]


@pytest.mark.parametrize("overlap", OVERLAPS)
@pytest.mark.parametrize("engine", [a.Clos(pes=16), a.Csc(pes=16)], ids=lambda engine: engine.kind)
def test_a_pe_that_trains_works_in_no_more_cycles_than_there_are(engine: a.Engine, overlap: str) -> None:
    """It makes two or three products in some of them."""
    counts = [step(engine, "artix7", overlap, fidelity).counts for fidelity in ("analytic", "cycle")]
    assert len({(one.products, one.pe_cycles) for one in counts}) == 1
    weights = step(engine, "artix7", "none").stored_weights
    walks = {"none": 2, "pipelined": 1}[overlap]
    assert counts[0].pe_cycles == walks * weights
    assert counts[0].pe_cycles / engine.pes <= counts[0].cycles < counts[0].products


def test_the_fabric_of_pes_is_charged_for_the_cycles_in_which_they_work() -> None:
    result = step(a.Clos(pes=16), "artix7", "none")
    terms = {term.what: term for term in result.terms("energy_j") if term.component == "pe"}
    taken = result.bill.resources["pe"]
    dsp, clocks = terms["DSP48E1"], terms["flip-flop clocks"]
    assert (dsp.count, dsp.counted) == (taken["dsp"] * 2 * result.stored_weights / 16, "DSP active cycles")
    assert (clocks.count, clocks.counted) == (taken["ff"] * result.interval_cycles, "FF cycles")


@pytest.mark.parametrize("pes", [4, 7])
def test_what_switches_in_pes_is_told_for_a_product(pes: int) -> None:
    engine = a.Csc(pes=pes)
    point = a.DesignPoint(network="lenet-300-100-csc-x40", engine=engine, technology="cmos65")
    result = point.simulate("analytic")
    gates = next(term for term in result.terms("energy_j") if (term.component, term.what) == ("pe", "gates"))
    assert (gates.count, gates.counted) == (result.counts.products, "products")
    assert gates.unit == "J/product"
    # An 8-bit multiply-add in 65 nm: tenths of a picojoule to a few.
    assert 1e-13 < gates.unit_cost < 5e-12


def test_latency_tells_the_ways_of_a_stage_apart() -> None:
    result = step(a.Clos(pes=16), "cmos65", "none", "cycle")
    terms = [term for term in result.terms("latency_s") if term.component == "stage 0"]
    assert {term.what for term in terms} == {"forward", "backward"}
    assert sum(term.count for term in result.terms("latency_s")) == result.cycles + result.load_cycles
