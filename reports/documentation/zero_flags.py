"""What it takes to look ahead in the activations of strided blocks: a bit each that says whether it is zero.

The words of the steps that follow lie at a stride, in any bank, so that they cannot be read together. Their
bits can, if they are kept in registers: each step that is looked at has an address and chooses as many bits
as there are lanes.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyrtl

from archsim import DesignPoint
from archsim.engine import Clos
from archsim.engine.clos import ClosMapping
from reports.tables import Table
from rtl.parts.components import StructuredBlock, bits_for, component, delayed, fit
from rtl.verilog import VerilogDesign, write_verilog

WINDOW = 4
NETWORKS = tuple(
    f"lenet-300-100-{family}{end}" for family in ("clos", "deformable-butterfly") for end in ("", "-x40")
)


@dataclass(frozen=True)
class FlagCost:
    """What flags and the look at them take, mapped to the 65 nm cells."""

    area_mm2: float
    critical_path_s: float


def flag_table() -> str:
    """The flags of the inputs alone, beside the engine that they would serve, in Markdown."""
    rows = []
    for name in NETWORKS:
        design = DesignPoint(network=name, engine=Clos(), technology="cmos65")
        mapping = design.mapping
        assert isinstance(mapping, ClosMapping)
        sizes, engine_mm2 = mapping.sizes, design.simulate("analytic").cost("area_mm2")
        flags = sizes.input_rows * sizes.banks
        made = flag_cost(flags, banks=sizes.banks, lanes=sizes.lanes)
        shares = (made.area_mm2, made.area_mm2 / engine_mm2)
        rows.append((name.removeprefix("lenet-300-100-"), flags, sizes.lanes, *shares, made.critical_path_s))
    columns = {"network": "", "flags": "count", "words of a step": "count", "area": "mm2"}
    columns |= {"of the engine": "share 1", "critical path": "s"}
    return Table("", columns, rows).markdown().replace("\N{NARROW NO-BREAK SPACE}", " ")


def flag_cost(activations: int, *, banks: int, lanes: int, window: int = WINDOW) -> FlagCost:
    """Flags of so many activations, `banks` of them written together, and the look at the next `window` steps
    of `lanes` words each, by Yosys: about half a minute, unless it is remembered."""
    from archsim.netlist import synthesise_asic

    design = _described(activations, banks, lanes, window)
    made = synthesise_asic(design.text, design.top)
    area_mm2 = sum(part.area_um2 * part.instances for part in made.components.values()) / 1e6
    return FlagCost(area_mm2, made.critical_path_s)


def _described(activations: int, banks: int, lanes: int, window: int) -> VerilogDesign:
    block = StructuredBlock()
    pyrtl.set_working_block(block)
    bits, rows = bits_for(activations), -(-activations // banks)
    now, stride = pyrtl.Input(bits, "now"), pyrtl.Input(bits, "stride")
    read, written = pyrtl.Input(lanes, "read"), pyrtl.Input(banks, "written")
    nonzero, row = pyrtl.Input(banks, "nonzero"), pyrtl.Input(bits_for(rows), "row")
    with component("flags"):
        flags = pyrtl.concat_list(
            [
                delayed(nonzero[bank], f"flag_{at}_{bank}", enable=written[bank] & (row == at))
                for at in range(rows)
                for bank in range(banks)
            ]
        )
        address, step = delayed(now, "address"), delayed(stride, "step")
        wanted, needed = delayed(read, "wanted"), []
        for _ in range(window):
            address = fit(address + step, bits)
            needed.append(pyrtl.or_all_bits(pyrtl.shift_right_logical(flags, address)[:lanes] & wanted))
        first = pyrtl.concat_list(needed)
        chosen = pyrtl.Output(window, "chosen")
        chosen <<= delayed(first & fit(~first + 1, window), "first")
    return write_verilog(block)
