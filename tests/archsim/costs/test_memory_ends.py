"""The ends of a figure are the sums of the ends of its terms, and each memory has ends of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

import archsim as a
from archsim.calibration.plan import trained_configurations
from archsim.costs.errors import by_part, technology_errors
from archsim.costs.logic import Logic, LogicPart
from archsim.costs.memories import memories
from archsim.costs.pricing import Bill, Term, price
from archsim.costs.ratio_error import ratio_interval
from archsim.engine.mapping import Mapping as EngineMapping
from archsim.netlist.asic import synthesise_asic
from archsim.netlist.netlist import Memory
from archsim.netlist.timing import analyse
from archsim.technology import MemoryMacro, Technology, technology
from archsim.technology.evidence import EXACT, UNKNOWN, Bracket, Brackets
from rtl import to_verilog
from tests.examples import DESIGNS

NODES_NM = (65, 45, 20)
PRICED = ("energy_j", "leakage_w", "area_mm2")
COMPUTING = ("gates", "registers", "glitches")


@cache
def csc() -> EngineMapping:
    return a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=4), technology="cmos65").mapping


def bill_of(mapping: EngineMapping, of: Technology, *parts: LogicPart) -> Bill:
    """What the memories of an engine cost, beside logic that is made up."""
    return price(mapping.count(), mapping.sizes, Logic(parts, None, "assumed", "made up"), of, 1e8)


def some_logic(size: float) -> LogicPart:
    return LogicPart(
        "pe",
        4,
        area_mm2=0.01 * size,
        gate_switching_j=4e-12 * size,
        register_switching_j=1e-12 * size,
        clock_energy_j=2e-12 * size,
        leakage_w=1e-8 * size,
    )


@cache
def result() -> a.Result:
    return a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=2), technology="cmos65").simulate(
        "gate"
    )


def with_bill(bill: Bill) -> a.Result:
    return replace(result(), bill=bill)


def terms(bill: Bill, metric: str) -> tuple[Term, ...]:
    return {"energy_j": bill.energy, "leakage_w": bill.leakage, "area_mm2": bill.area}[metric]


def each_term(bill: Bill, changed: Callable[[Term], list[Term]]) -> Bill:
    """A bill with each of its terms changed, or left out."""
    energy, area, leakage = (
        tuple(made for term in own for made in changed(term))
        for own in (bill.energy, bill.area, bill.leakage)
    )
    return Bill(energy, area, leakage)


def test_every_memory_of_every_shipped_design_has_a_bracket_or_is_flops() -> None:
    designs: list[tuple[EngineMapping, Technology]]
    designs = [(each.map(), a.Cmos65()) for each in trained_configurations()]
    shipped = [a.DesignPoint.from_file(path) for path in DESIGNS]
    designs += [(each.mapping, each.technology) for each in shipped if each.technology.fabric == "asic"]
    kinds = set()
    for mapping, chosen in designs:
        of_flops = set()
        for shape, cost in memories(mapping.sizes, chosen):
            kinds.add(cost.built_as)
            if cost.built_as == "flops":
                assert cost.bracket is None
                of_flops.add(f"{shape.role} memory")
                continue
            assert cost.bracket.read_energy_j.high > 1.5
            assert cost.bracket.write_energy_j.high > 1.5
            assert cost.bracket.area_mm2.high > 1.5
            assert cost.bracket.leakage_w.low < 0.5
        for metric in PRICED:
            own = terms(bill_of(mapping, chosen), metric)
            assert all((term.bracket is None) == (term.component in of_flops) for term in own)
    assert kinds == {"macro", "flops"}


@pytest.mark.parametrize("node_nm", NODES_NM)
@pytest.mark.parametrize("metric", PRICED)
def test_the_ends_of_a_figure_are_the_sums_of_those_of_its_terms(metric: str, node_nm: int) -> None:
    chosen = technology("cmos", node_nm=node_nm)
    bill = bill_of(csc(), chosen, some_logic(3.0))
    moved = chosen.brackets.of(metric)

    def ends_of(term: Term) -> list[float]:
        memory = term.bracket is not None
        if metric == "leakage_w" or term.what == "leakage":
            part = "memory leakage" if memory else "leakage"
        elif memory:
            part = "memory"
        else:
            part = "compute" if metric == "energy_j" and term.what in COMPUTING else "logic"
        both = moved.get(part, EXACT), term.bracket or EXACT
        return [term.value * math.prod(each.ends[place] for each in both) for place in (0, 1)]

    summed = [math.fsum(values) for values in zip(*map(ends_of, terms(bill, metric)), strict=True)]
    total = math.fsum(term.value for term in terms(bill, metric))
    told = technology_errors(bill, None, chosen.brackets, ())[metric]
    assert told.ends == pytest.approx([end / total for end in summed])
    assert told.low < told.high


@pytest.mark.parametrize("metric", PRICED)
def test_a_design_that_is_all_memory_lies_within_the_ends_of_its_memories(metric: str) -> None:
    bill = bill_of(csc(), a.Cmos65(), some_logic(1e-9))
    told = technology_errors(bill, None, a.Cmos65().brackets, ())[metric]
    known = [term.bracket for term in terms(bill, metric) if term.bracket is not None]
    assert min(each.low for each in known) <= told.low * 1.000001
    assert told.high <= max(each.high for each in known) * 1.000001
    assert max(told.high, 1 / told.low) > 1.4, "it is as unsure as they are"
    larger = technology_errors(bill_of(csc(), a.Cmos65(), some_logic(100.0)), None, a.Cmos65().brackets, ())[
        metric
    ]
    assert larger.high < told.high or metric == "leakage_w"
    assert larger.low > told.low or metric != "leakage_w"


def test_flops_move_with_the_cells_that_they_are_built_of() -> None:
    engine, chosen = a.Pruned(pes=2, gather="replicated"), a.Cmos65()
    mapping = a.DesignPoint(network="lenet-300-100-pruned-x40", engine=engine, technology=chosen).mapping
    bill = bill_of(mapping, chosen)
    flops = {term.component for term in bill.area if term.what == "flops"}
    assert flops
    own = each_term(bill, lambda term: [term] * (term.component in flops))
    assert set(by_part(own, "energy_j")) == {"logic", "leakage"}
    told = technology_errors(own, None, chosen.brackets, ())
    assert told["area_mm2"].ends == pytest.approx(chosen.brackets.of("area_mm2")["logic"].ends)
    assert "leakage_w" not in told, "nobody compared the leakage of cells"


@pytest.mark.parametrize("metric", PRICED)
def test_a_ratio_of_two_designs_alike_is_one_to_one(metric: str) -> None:
    assert ratio_interval(result(), result(), metric) == (1.0, 1.0)


@pytest.mark.parametrize("metric", PRICED)
def test_a_memory_that_two_designs_share_moves_both_alike(metric: str) -> None:
    """Twice as many of the same memories, all at their low ends or all at their high ones, are twice as
    many."""
    bill = bill_of(csc(), a.Cmos65())
    twice = each_term(bill, lambda term: [replace(term, count=2 * term.count)])
    assert ratio_interval(with_bill(bill), with_bill(twice), metric) == pytest.approx((2.0, 2.0))


def test_the_ends_of_a_ratio_are_those_of_all_memories_at_one_end() -> None:
    small, large = (
        Bill(area=(Term("weight memory", "macro", 1, "memories", area, "mm2", "assumed", "made up", ends),))
        for area, ends in ((1.0, Bracket(1.0, 3.0)), (4.0, Bracket(0.5, 2.0)))
    )
    assert ratio_interval(with_bill(small), with_bill(large), "area_mm2") == pytest.approx((2.0, 8.0 / 3.0))


@pytest.mark.parametrize(
    ("network", "engine"),
    [
        ("lenet-300-100-csc-x40", a.Csc(pes=2)),
        ("lenet-300-100-pruned-x40", a.Pruned(pes=2, gather="replicated")),
    ],
)
def test_a_path_timed_with_slow_memories_lies_within_its_ends(network: str, engine: a.Engine) -> None:
    chosen = a.Cmos65()
    point = a.DesignPoint(network=network, engine=engine, technology=chosen)
    design = to_verilog(point.mapping.hardware)
    flat = synthesise_asic(design.text, design.top, chosen).flat()

    def slow(memory: Memory) -> MemoryMacro:
        macro = chosen.memory(words=memory.words, word_bits=memory.word_bits)
        factor = macro.bracket.access_time_s.high if macro.bracket else 1.0
        return replace(macro, access_time_s=macro.access_time_s * factor)

    priced = point.simulate("gate")
    slowed_s = analyse(flat, library=chosen.library, wiring=chosen.wiring, memory=slow).critical_path_s
    high = priced.technology_error["critical_path_s"].high
    assert 1 <= slowed_s / priced.cost("critical_path_s") <= high < 1.5


def test_the_ends_of_a_path_are_those_of_logic_and_of_the_memory_that_may_be_the_slowest() -> None:
    logic = Brackets(parts={"critical_path_s": {"logic": Bracket(0.5, 1.2)}})
    access = [
        Term("index memory", "macro", 1, "path", 2e-9, "s", "assumed", "made up", Bracket(1.0, 1.5)),
        Term("weight memory", "macro", 1, "path", 1e-9, "s", "assumed", "made up", Bracket(0.2, 2.0)),
        Term("descriptor memory", "flops", 1, "path", 9e-9, "s", "assumed", "made up"),
    ]
    told = technology_errors(Bill(access=tuple(access)), 4e-9, logic, ())["critical_path_s"]
    assert told.ends == pytest.approx((0.5 - 0.3 / 4, 1.2 + 0.8 / 4))
    assert technology_errors(Bill(access=tuple(access)), None, logic, ()) == {}
    assert technology_errors(Bill(access=(access[2],)), 4e-9, UNKNOWN, ()) == {}


def test_block_rams_remain_a_part_of_their_own() -> None:
    chosen = a.Artix7()
    mapping = a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=4), technology=chosen).mapping
    bill = bill_of(mapping, chosen)
    assert set(by_part(bill, "dynamic_power_w")) == {"memory"}
    off = float(chosen.dynamic_power_error)
    told = technology_errors(bill, None, chosen.brackets, ())["dynamic_power_w"]
    assert told.ends == pytest.approx((1 / off, off))
