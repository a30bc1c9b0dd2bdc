"""The text of one module: ports, declarations, assignments and registers, with local names only, so that
equal components give equal text."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from rtl.verilog.expressions import Expressions, without_parentheses
from rtl.verilog.parts import Part, Parts


class Module:
    """One part as a module. `wires` tells which described wire each name stands for, registers first."""

    def __init__(self, parts: Parts, part: Part, local: dict[str, str]) -> None:
        self._parts, self._part, self._local = parts, part, local
        self._written = Expressions(parts, part, local)

    @cached_property
    def text(self) -> str:
        """What follows the name of the module."""
        part, local, block = self._part, self._local, self._parts.block
        held = {net.dests[0].name for net in part.nets if net.op == "r"}
        ports = ["input clk"] * part.clocked + ["input reset"] * part.resets
        ports += [f"input {width(w)}{local[n]}" for n, w in part.inputs.items()]
        ports += [
            f"output {'reg ' if n in held else ''}{width(w)}{local[n]}" for n, w in part.outputs.items()
        ]
        registers = [net.dests[0] for net in part.nets if net.op == "r"]
        declared = [f"  reg {width(w)}{local[w.name]};" for w in registers if w.name not in part.outputs]
        for net in part.nets:
            if net.op == "m":
                array = net.op_param[1]
                two_ports = array.id in block.two_ports
                declared += _memory(array.bitwidth, block.memory_depth[array.id], two_ports)
        logic = assignments(part, self._written)
        clocked = [self._clocked(net) for net in part.nets if net.op in "r@"]
        always = ["  always @(posedge clk) begin", *clocked, "  end"] if clocked else []
        return "(\n  " + ",\n  ".join(ports) + "\n);\n" + "\n".join([*declared, *logic, *always])

    @property
    def wires(self) -> dict[str, str]:
        registers, others = {}, {}
        for net in (net for net in self._part.nets if net.op != "@"):
            dest = net.dests[0]
            if net.op == "r":
                registers[self._local[dest.name]] = dest.name
            elif self._written.is_wire(net):
                others[self._written.name(dest)] = dest.name
        return registers | others

    def _clocked(self, net: Any) -> str:
        """The clocked statement of a register, or of what is written to a memory."""
        written = self._written
        if net.op == "@":
            address, data, enable = (without_parentheses(written.operand(wire)) for wire in net.args)
            return f"    if ({enable}) mem[{address}] <= {data};"
        dest = net.dests[0]
        name, mux = self._local[dest.name], self._parts.enable_of.get(dest.name)
        if mux is None:
            update = f"{name} <= {without_parentheses(written.operand(net.args[0]))};"
        else:
            enable, _, value = (without_parentheses(written.operand(wire)) for wire in mux.args)
            update = f"if ({enable}) {name} <= {value};"
        if dest.reset_value is None:
            return f"    {update}"
        return f"    if (reset) {name} <= {len(dest)}'d{dest.reset_value}; else {update}"


def assignments(part: Part, written: Expressions) -> list[str]:
    """The wires of a part that are no registers, each declared and assigned before it is read; outputs are
    declared as ports."""
    makes = {net.dests[0].name: net for net in part.nets if net.op not in "r@" and written.is_wire(net)}
    done: set[str] = set()
    lines: list[str] = []

    def add(net: Any) -> None:
        dest = net.dests[0]
        done.add(dest.name)
        for read in written.read_by(net):
            if read in makes and read not in done:
                add(makes[read])
        right = written.right_side(net)
        begins = "assign " if dest.name in part.outputs else f"wire {_range(written.bits(dest))}"
        lines.append(f"  {begins}{written.name(dest)} = {right};")

    for name, net in makes.items():
        if name not in done:
            add(net)
    return lines


def width(wire: Any) -> str:
    """The range of a wire, nothing for a single bit."""
    return _range(len(wire))


def _range(bits: int) -> str:
    return f"[{bits - 1}:0] " if bits > 1 else ""


def _memory(bits: int, words: int, two_ports: bool) -> list[str]:
    """A memory, marked where it is read and written in one cycle. In a simulation something is in every word,
    as after power-up: from unknown values a zero weight times an activation that nobody wrote would come out
    unknown."""
    pattern = sum(1 << bit for bit in range(0, bits, 2))
    return [
        *["  (* two_ports = 1 *)"] * two_ports,
        f"  reg [{bits - 1}:0] mem [0:{words - 1}];",
        "`ifndef SYNTHESIS",
        "  integer word;",
        f"  initial for (word = 0; word < {words}; word = word + 1) mem[word] = {bits}'h{pattern:x};",
        "`endif",
    ]
