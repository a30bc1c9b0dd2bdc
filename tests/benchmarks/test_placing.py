"""How placing grows with the netlist, in processor time of one core: `make bench` prints it, with the
exponents that `record` fits.

CSC engines without their memories, so that nothing but cells grows. The time is that of the placer alone;
the wire is that of all data nets, as priced.
"""

from __future__ import annotations

import time
from functools import partial

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from archsim.layout import place, wire_length_m
from archsim.technology import Cmos65
from tests.archsim.layout.problems import problem
from tests.layout_check.netlists import engine

PES = (1, 2, 4, 8)


@pytest.mark.benchmark(group="layout: placing a CSC engine without memories", timer=time.process_time)
@pytest.mark.parametrize("pes", PES, ids=["1 PE", *(f"{pes} PEs" for pes in PES[1:])])
def test_placing(benchmark: BenchmarkFixture, pes: int) -> None:
    subject = engine(pes, Cmos65())
    place(problem(cells=20, ports=4, nets=30))  # compiles what is compiled, untimed
    placed = benchmark.pedantic(partial(place, subject.problem), rounds=1)  # type: ignore[no-untyped-call]
    benchmark.extra_info["cells"] = subject.problem.cells
    benchmark.extra_info["wire_m"] = float(wire_length_m(placed).sum())
    assert benchmark.extra_info["wire_m"] > 0
