"""Speed, measured and not asserted: `make bench` prints it. Ratios come from the figures of one run."""

from __future__ import annotations

import itertools

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import archsim as a

ENGINES: list[tuple[str, a.Engine]] = [
    ("lenet-300-100-csc", a.Csc(pes=16)),
    ("lenet-300-100-clos", a.Clos(pes=16)),
    ("lenet-300-100-pruned", a.Pruned(pes=16)),
    ("lenet-300-100-pruned", a.Pruned(pes=16, gather="banked")),
    ("lenet-300-100-dense", a.Dense(pes=16)),
]
NAMES = [f"{engine.kind}-{getattr(engine, 'gather', 'lockstep')}" for _, engine in ENGINES]


@pytest.mark.benchmark(group="SimPy: one LeNet-300-100 inference on 16 PEs")
@pytest.mark.parametrize(("network", "engine"), ENGINES, ids=NAMES)
def test_event_simulation(benchmark: BenchmarkFixture, network: str, engine: a.Engine) -> None:
    mapping = a.DesignPoint(network=network, engine=engine, technology="cmos65").mapping
    counts = benchmark(mapping.simulate)
    assert counts == mapping.count()


@pytest.mark.benchmark(group="analytic: one design point, costs included, hardware of a size not seen before")
@pytest.mark.parametrize("technology", ["cmos65", "artix7"])
def test_new_design_points(benchmark: BenchmarkFixture, technology: str) -> None:
    options = {"kind": technology} | ({"device": "XC7A200T"} if technology == "artix7" else {})
    base = a.DesignPoint(network="lenet-300-100-csc", engine=a.Csc(), technology=options)
    base.simulate("analytic")
    fresh = itertools.cycle(itertools.product((8, 16, 24, 32, 48, 64, 96, 128), range(1, 129)))

    def cost_a_new_point() -> float:
        fetch_bits, pes = next(fresh)
        point = base.replace(engine=a.Csc(pes=pes, fetch_bits=fetch_bits))
        return point.simulate("analytic").cost("energy_j")

    energy_j: float = benchmark.pedantic(cost_a_new_point, rounds=500, warmup_rounds=20)  # type: ignore[no-untyped-call]
    assert energy_j > 0


@pytest.mark.benchmark(group="analytic: one sweep of 500 design points that name their technology")
def test_a_sweep_that_names_its_technology(benchmark: BenchmarkFixture) -> None:
    sizes = list(itertools.product((8, 16, 32, 64, 128), range(1, 101)))
    given = {"network": "lenet-300-100-csc", "technology": "cmos65"}
    a.DesignPoint(**given, engine=a.Csc()).simulate("analytic")

    def sweep() -> int:
        engines = (a.Csc(pes=pes, fetch_bits=fetch_bits) for fetch_bits, pes in sizes)
        return sum(a.DesignPoint(**given, engine=each).simulate("analytic").cycles for each in engines)

    cycles: int = benchmark.pedantic(sweep, rounds=1)  # type: ignore[no-untyped-call]
    assert cycles > 0


@pytest.mark.benchmark(group="analytic: one design point, costs included, mapping known")
@pytest.mark.parametrize(("network", "engine"), ENGINES, ids=NAMES)
def test_known_design_points(benchmark: BenchmarkFixture, network: str, engine: a.Engine) -> None:
    design = a.DesignPoint(network=network, engine=engine, technology="cmos65")
    design.simulate("analytic")
    assert benchmark(lambda: design.simulate("analytic").cost("energy_j")) > 0
