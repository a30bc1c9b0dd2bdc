"""Speed of many analytic points at once, in processor time of one core: `make bench` prints it.

What 20,000 points a second hold for are grids of which many points differ in nothing but their clocks; where
every point is another engine, mapping it takes all the time. Both are here, each beside points one by one,
and between the two the points of `examples/engines.yaml`, of which several share a layout.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import archsim as a
from archsim.costs.at_clocks import AT_ONCE, AtClocks, figures_at
from archsim.costs.metrics import told
from archsim.explore.spec import flat

TECHNOLOGIES: tuple[Any, ...] = ("cmos65", "artix7", "ecp5", {"kind": "cmos", "node_nm": 28})
NETWORKS = {"csc": "lenet-300-100-csc", "clos": "lenet-300-100-clos", "pruned": "lenet-300-100-pruned"}
EXAMPLE = Path(__file__).parents[2] / "examples" / "engines.yaml"
GROUP = "analytic: {}"
timed = {"timer": time.process_time, "disable_gc": False}


def grid(*, clocks: int, pes: range) -> list[dict[str, Any]]:
    """Three networks on their engines x PEs x four technologies x clocks."""
    return [
        {"network": network, "engine": {"kind": kind, "pes": number}, "technology": technology}
        | {"clock_hz": float(clock_hz)}
        for kind, network in NETWORKS.items()
        for number, technology in itertools.product(pes, TECHNOLOGIES)
        for clock_hz in np.geomspace(20e6, 500e6, clocks)
    ]


def one_by_one(points: list[dict[str, Any]]) -> int:
    return len([told(a.DesignPoint(**point).simulate("analytic")) for point in points])


def at_once(points: list[dict[str, Any]]) -> int:
    return len(a.analytic(points))


def fresh(**sizes: Any) -> Iterator[list[dict[str, Any]]]:
    """Grids of PEs that no mapping was made of before."""
    for first in itertools.count(2, 2):
        yield grid(pes=range(first, first + 2), **sizes)


def rate(benchmark: BenchmarkFixture, points: int) -> None:
    """Says points a second beside the seconds."""
    assert benchmark.stats is not None
    benchmark.extra_info["points_per_s"] = points / benchmark.stats.stats.min
    print(f"\n{benchmark.name}: {benchmark.extra_info['points_per_s']:,.0f} points a second")


@pytest.mark.benchmark(group=GROUP.format("hardware that is known, one by one"), **timed)
def test_known_hardware_one_by_one(benchmark: BenchmarkFixture) -> None:
    points = grid(clocks=2, pes=range(4, 20, 4))
    benchmark.pedantic(one_by_one, args=(points,), rounds=3, warmup_rounds=1)  # type: ignore[no-untyped-call]
    rate(benchmark, len(points))


@pytest.mark.benchmark(group=GROUP.format("hardware that is known, 48 of it x 250 clocks, at once"), **timed)
@pytest.mark.parametrize("form", ["mappings", "frame"])
def test_known_hardware_at_once(benchmark: BenchmarkFixture, form: str) -> None:
    points: Any = grid(clocks=250, pes=range(4, 20, 4))
    given = pd.DataFrame([flat(point) for point in points]) if form == "frame" else points
    benchmark.pedantic(at_once, args=(given,), rounds=5, warmup_rounds=1)  # type: ignore[no-untyped-call]
    rate(benchmark, len(points))


@pytest.mark.benchmark(group=GROUP.format("24 hardwares not seen before"), **timed)
@pytest.mark.parametrize(
    ("work", "clocks"),
    [(one_by_one, 1), (at_once, 1), (at_once, 1000)],
    ids=["one by one", "at once, a clock each", "at once, 1,000 clocks each"],
)
def test_new_hardware(
    benchmark: BenchmarkFixture, work: Callable[[list[dict[str, Any]]], int], clocks: int
) -> None:
    grids = fresh(clocks=clocks)
    work(grid(clocks=1, pes=range(1, 2)))
    done: int = benchmark.pedantic(  # type: ignore[no-untyped-call]
        work, setup=lambda: ((next(grids),), {}), rounds=5
    )
    rate(benchmark, done)


@pytest.mark.benchmark(group=GROUP.format("the points of examples/engines.yaml with 16 PEs"), **timed)
def test_the_large_example(benchmark: BenchmarkFixture) -> None:
    space = a.Space.from_file(EXAMPLE)
    points = [point for point in space.points() if point["engine"]["pes"] == 16]
    at_once(points[:1])  # reads the data files, once for all sweeps
    benchmark.pedantic(at_once, args=(points[1:],), rounds=1)  # type: ignore[no-untyped-call]
    rate(benchmark, len(points) - 1)


@pytest.mark.benchmark(group=GROUP.format("counts x unit costs of 1,000,000 clocks"), **timed)
@pytest.mark.parametrize("technology", TECHNOLOGIES[:2])
def test_bare_arithmetic(benchmark: BenchmarkFixture, technology: str) -> None:
    point = {"network": NETWORKS["csc"], "engine": {"kind": "csc"}, "technology": technology}
    result = a.DesignPoint(**point).analytic()
    clocks_hz = np.linspace(1e6, 1e9, 1_000_000)

    def costs() -> float:
        parts = [clocks_hz[first : first + AT_ONCE] for first in range(0, len(clocks_hz), AT_ONCE)]
        return float(max(figures_at(AtClocks(result, part))["power_w"].max() for part in parts))

    assert benchmark.pedantic(costs, rounds=3) > 0  # type: ignore[no-untyped-call]
    rate(benchmark, len(clocks_hz))
