"""Static timing against paths added up by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from archsim.netlist.netlist import Memory, MemoryPort, Netlist, Port
from archsim.netlist.path_ends import longest_paths
from archsim.netlist.timing import analyse, net_loads
from archsim.technology.asic.generic_cells import cmos65_library, cmos65_wiring

pytestmark = pytest.mark.slow

LIBRARY, WIRING = cmos65_library(), cmos65_wiring()
WIRE_F = WIRING.capacitance_f_per_sink
Gate = tuple[str, dict[str, int]]


@dataclass(frozen=True)
class Macro:
    access_time_s: float = 1e-9
    setup_s: float = 0.1e-9


def design(
    gates: list[Gate], inputs: dict[str, int], outputs: dict[str, int], memories: tuple[Memory, ...] = ()
) -> Netlist:
    types = sorted({kind for kind, _ in gates})
    pins = sorted({pin for _, connected in gates for pin in connected})
    rows = [
        (place, pins.index(pin), net)
        for place, (_, connected) in enumerate(gates)
        for pin, net in connected.items()
    ]
    table = np.array(rows, np.int64).reshape(-1, 3)
    ports = {name: Port("input", np.array([net])) for name, net in inputs.items()}
    ports |= {name: Port("output", np.array([net])) for name, net in outputs.items()}
    return Netlist(
        name="design",
        nets=100,
        cell_names=tuple(f"cell_{place}" for place in range(len(gates))),
        type_names=tuple(types),
        cell_type=np.array([types.index(kind) for kind, _ in gates], np.int64),
        pin_names=tuple(pins),
        pin_cell=table[:, 0],
        pin_name=table[:, 1],
        pin_net=table[:, 2],
        ports=ports,
        memories=memories,
    )


def no_memory(memory: Memory) -> Macro:
    raise AssertionError(memory)


def delay(kind: str, load_f: float) -> float:
    arc = LIBRARY.cells[kind].arcs[0]
    return arc.intrinsic_s + arc.slope_s_per_f * load_f


def pin(kind: str, name: str = "A") -> float:
    return LIBRARY.cells[kind].input_capacitance_f[name]


def test_a_chain_of_three_gates_between_two_flops_is_the_sum_of_its_delays() -> None:
    chain = design(
        [
            ("DFF_X1", {"CK": 2, "D": 3, "Q": 10}),
            ("INV_X1", {"A": 10, "Y": 11}),
            ("NAND2_X1", {"A": 11, "B": 3, "Y": 12}),
            ("XOR2_X1", {"A": 12, "B": 11, "Y": 13}),
            ("DFF_X1", {"CK": 2, "D": 13, "Q": 14}),
        ],
        {"clk": 2, "d": 3},
        {"q": 14},
    )
    by_hand = (
        delay("DFF_X1", pin("INV_X1") + WIRE_F)
        + delay("INV_X1", pin("NAND2_X1") + pin("XOR2_X1") + 2 * WIRE_F)
        + delay("NAND2_X1", pin("XOR2_X1") + WIRE_F)
        + delay("XOR2_X1", pin("DFF_X1", "D") + WIRE_F)
        + LIBRARY.cells["DFF_X1"].setup_s
    )
    timing = analyse(chain, library=LIBRARY, wiring=WIRING, memory=no_memory)
    assert timing.critical_path_s == pytest.approx(by_hand, rel=1e-12)
    assert [stage.split()[0] for stage in timing.path] == ["flop", "INV_X1", "NAND2_X1", "XOR2_X1", "setup"]


def test_a_path_begins_with_the_access_of_a_memory_and_ends_at_its_address() -> None:
    memory = Memory(
        name="weights",
        words=4,
        word_bits=1,
        clock=2,
        reads=(MemoryPort(np.array([1]), np.array([11, 3]), np.array([10])),),
        writes=(MemoryPort(np.array([0]), np.array([3, 3]), np.array([3])),),
    )
    looped = design([("INV_X1", {"A": 10, "Y": 11})], {"clk": 2, "d": 3}, {}, (memory,))
    drive = LIBRARY.buffer.arcs[0].slope_s_per_f
    by_hand = (
        Macro().access_time_s
        + drive * (pin("INV_X1") + WIRE_F)
        + delay("INV_X1", WIRING.memory_pin_capacitance_f + WIRE_F)
        + Macro().setup_s
    )
    timing = analyse(looped, library=LIBRARY, wiring=WIRING, memory=lambda each: Macro())
    assert timing.critical_path_s == pytest.approx(by_hand, rel=1e-12)
    assert timing.path[0].startswith("memory weights")
    assert timing.path[-1].startswith("setup of memory weights")


def test_each_kind_of_end_has_its_longest_path_and_the_longest_of_these_is_the_critical_one() -> None:
    two_ends = replace(
        design(
            [
                ("DFF_X1", {"CK": 2, "D": 3, "Q": 10}),
                ("INV_X1", {"A": 10, "Y": 11}),
                ("DFF_X1", {"CK": 2, "D": 11, "Q": 14}),
                ("INV_X1", {"A": 11, "Y": 12}),
                ("DFF_X1", {"CK": 2, "D": 12, "Q": 15}),
                ("INV_X1", {"A": 12, "Y": 13}),
                ("DFF_X1", {"CK": 2, "D": 13, "Q": 16}),
            ],
            {"clk": 2, "d": 3},
            {},
        ),
        cell_names=("pe_0.a", "pe_0.b", "pe_1.c", "route.d", "pe_2.e", "route.f", "route.g"),
        named={"pe_1.total": np.array([14]), "pe_2.total": np.array([15]), "route_row[0]": np.array([16])},
    )
    times: Any = {"library": LIBRARY, "wiring": WIRING, "memory": no_memory}
    found = {path.end: path for path in longest_paths(two_ends, **times)}
    assert {end: path.through for end, path in found.items() if end != "pe."} == {
        "pe.total": ("pe", "route"),
        "route.row": ("pe", "route"),
    }
    assert found["route.row"].delay_s == analyse(two_ends, **times).critical_path_s
    assert found["pe.total"].delay_s < found["route.row"].delay_s


def test_a_net_with_many_sinks_gets_a_tree_of_buffers() -> None:
    sinks = 40
    fan = design(
        [("INV_X1", {"A": 3, "Y": 10}), *(("INV_X1", {"A": 10, "Y": 20 + k}) for k in range(sinks))],
        {"d": 3},
        {"q": 20},
    )
    most = WIRING.max_fanout
    root_load = -(-sinks // most) * (pin("BUF_X1") + WIRE_F)
    leaf_load = most * (pin("INV_X1") + WIRE_F)
    by_hand = delay("INV_X1", root_load) + delay("BUF_X1", leaf_load) + delay("INV_X1", WIRE_F)
    assert analyse(fan, library=LIBRARY, wiring=WIRING, memory=no_memory).critical_path_s == pytest.approx(
        by_hand
    )
    bare = replace(WIRING, max_fanout=1000)
    unbuffered = delay("INV_X1", sinks * (pin("INV_X1") + WIRE_F)) + delay("INV_X1", WIRE_F)
    assert analyse(fan, library=LIBRARY, wiring=bare, memory=no_memory).critical_path_s == pytest.approx(
        unbuffered
    )


def test_a_loop_of_gates_is_refused_by_the_name_of_a_cell() -> None:
    loop = design([("INV_X1", {"A": 10, "Y": 11}), ("INV_X1", {"A": 11, "Y": 10})], {}, {"q": 10})
    with pytest.raises(ValueError, match=r"loop of gates at cell_[01], allowed are loops through a register"):
        analyse(loop, library=LIBRARY, wiring=WIRING, memory=no_memory)


def test_a_cell_that_the_library_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="cell type is 'SKY130', allowed are cells of cmos65"):
        net_loads(design([("SKY130", {"A": 3, "Y": 4})], {"d": 3}, {"q": 4}), LIBRARY, WIRING)


def test_a_hundred_thousand_cells_take_less_than_ten_seconds_and_constants_start_no_path() -> None:
    count, width = 100_000, 1000
    nets = np.arange(count) + 2000
    pins = np.stack([np.arange(count), np.zeros(count, np.int64), np.maximum(nets - width, 1000)], axis=1)
    pins[:width, 2] = 1
    outs = np.stack([np.arange(count), np.ones(count, np.int64), nets], axis=1)
    table = np.concatenate([pins, outs])
    chains = Netlist(
        name="chains",
        nets=count + 2000,
        cell_names=tuple(map(str, range(count))),
        type_names=("INV_X1",),
        cell_type=np.zeros(count, np.int64),
        pin_names=("A", "Y"),
        pin_cell=table[:, 0],
        pin_name=table[:, 1],
        pin_net=table[:, 2],
        ports={"d": Port("input", nets[width - 1 : width]), "q": Port("output", nets[-1:])},
        memories=(),
    )
    timing = analyse(chains, library=LIBRARY, wiring=WIRING, memory=no_memory)
    stages = count // width - 1
    by_hand = (stages - 1) * delay("INV_X1", pin("INV_X1") + WIRE_F) + delay("INV_X1", WIRE_F)
    assert timing.critical_path_s == pytest.approx(by_hand, rel=1e-9)
