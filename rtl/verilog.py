"""Writes a described engine as hierarchical Verilog: one module for each kind of component.

Equal components become instances of one module, so a reader sees one PE and a synthesiser maps one PE. Nets
that nothing needs, the probes among them, are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyrtl

from rtl.parts.components import PROBE, TOP, Component, StructuredBlock
from rtl.parts.skeleton import Hardware

TOP_MODULE = "archsim_engine"


@dataclass(frozen=True)
class VerilogDesign:
    """The text, the name of the top module, and for each module the instances made of it.

    `wires` tells which described wire a name of the text stands for: inputs by their own, then registers,
    then the rest, as instance and local name joined by a dot.
    """

    text: str
    top: str
    instances: dict[str, tuple[str, ...]]
    wires: dict[str, str]


def to_verilog(hardware: Hardware) -> VerilogDesign:
    """Exports `hardware`. Ports are those of the description, with `clk` and a synchronous `reset`."""
    return write_verilog(hardware.block)


def write_verilog(block: StructuredBlock) -> VerilogDesign:
    """Exports any block described by components; its inputs and outputs are the ports of the top module."""
    return _Writer(block).write()


def live_parts(block: StructuredBlock) -> dict[Component, Part]:
    """The components of a block as they are exported, without nets that nothing needs."""
    return _Writer(block).parts


@dataclass
class Part:
    """One component: its live nets in the order of making, the wires that enter and leave it."""

    component: Component
    nets: list[Any] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)


class _Writer:
    def __init__(self, block: StructuredBlock) -> None:
        self.block = block
        self.driver = {net.dests[0].name: net for net in block.owner if net.op != "@"}
        self.writes: dict[int, list[Any]] = {}
        for net in block.owner:
            if net.op == "@":
                self.writes.setdefault(net.op_param[0], []).append(net)
        self.outputs = sorted(
            (w for w in block.wirevector_subset(pyrtl.Output) if block.owner[self.driver[w.name]] != PROBE),
            key=lambda w: str(w.name),
        )
        self.live = self._live_nets()
        self.parts = self._split()
        self.enable_of = self._enable_muxes()
        self.absorbed = {mux.dests[0].name for mux in self.enable_of.values()}

    # What is needed.

    def arguments(self, net: Any) -> tuple[Any, ...]:
        """What a net reads; a signed product reads its factors and not their sign extensions."""
        if net.dests and net.dests[0].name in self.block.signed_products:
            return self.block.signed_products[net.dests[0].name]
        return tuple(net.args)

    def _live_nets(self) -> set[int]:
        """The nets from which an output can be reached, by identity."""
        live: set[int] = set()
        pending = [*self.outputs, *self.block.open_ports.values()]
        while pending:
            net = self.driver.get(pending.pop().name)
            if net is None or id(net) in live:
                continue
            live.add(id(net))
            pending += self.arguments(net)
            if net.op == "m":
                for write in self.writes.get(net.op_param[0], []):
                    if id(write) not in live:
                        live.add(id(write))
                        pending += write.args
        return live

    def _split(self) -> dict[Component, Part]:
        parts: dict[Component, Part] = {}
        owner_of: dict[str, Component] = {}
        for net, owner in self.block.owner.items():
            if id(net) in self.live:
                parts.setdefault(owner, Part(owner)).nets.append(net)
                for dest in net.dests:
                    owner_of[dest.name] = owner
        for name, wire in self.block.open_ports.items():
            parts[owner_of[name]].outputs[name] = wire
        for part in parts.values():
            for net in part.nets:
                for wire in self.arguments(net):
                    if isinstance(wire, pyrtl.Const):
                        continue
                    source = owner_of.get(wire.name)
                    if source != part.component:
                        part.inputs[wire.name] = wire
                        if source is not None:
                            parts[source].outputs[wire.name] = wire
                for dest in net.dests:
                    if isinstance(dest, pyrtl.Output):
                        part.outputs[dest.name] = dest
        return parts

    def _enable_muxes(self) -> dict[str, Any]:
        """For each register that holds unless enabled, the multiplexer in front of it, where nothing else
        reads that and it lies in the same component."""
        readers = Counter(
            w.name for part in self.parts.values() for net in part.nets for w in self.arguments(net)
        )
        muxes = {}
        for part in self.parts.values():
            for net in part.nets:
                mux = self.driver.get(net.args[0].name) if net.op == "r" else None
                if (
                    mux is not None
                    and mux.op == "x"
                    and mux.args[1].name == net.dests[0].name
                    and readers[mux.dests[0].name] == 1
                    and self.block.owner[mux] == part.component
                ):
                    muxes[net.dests[0].name] = mux
        return muxes

    # Text.

    def write(self) -> VerilogDesign:
        modules: dict[str, str] = {}
        instances: dict[str, list[str]] = {}
        names: dict[str, str] = {}
        calls: list[str] = []
        locals_of = {part.component: _local_names(part) for part in self.parts.values()}
        outside = self._outside_names(locals_of)
        for part in self.parts.values():
            if part.component == TOP:
                continue
            local = locals_of[part.component]
            body = _module_body(self, part, local)
            kind = part.component.kind
            key = f"{kind}\n{body}"
            if key not in modules:
                same_kind = sum(name == kind or name.startswith(f"{kind}_v") for name in names.values())
                names[key] = kind if not same_kind else f"{kind}_v{same_kind}"
                modules[key] = f"module {names[key]} {body}\nendmodule\n"
                instances[names[key]] = []
            instances[names[key]].append(part.component.instance)
            calls.append(_instance(part, names[key], local, outside))
        text = "\n".join([*modules.values(), self._top(calls, outside)])
        made = {name: tuple(instances_of) for name, instances_of in instances.items()}
        return VerilogDesign(text, TOP_MODULE, made, self._names_of_wires(locals_of))

    def _names_of_wires(self, locals_of: dict[Component, dict[str, str]]) -> dict[str, str]:
        """What each name of the text stands for; a register is found under two names."""
        inputs = {w.name: w.name for w in self.block.wirevector_subset(pyrtl.Input)}
        registers: dict[str, str] = {}
        others: dict[str, str] = {}
        for part in self.parts.values():
            for net in (net for net in part.nets if net.op != "@"):
                wire = net.dests[0].name
                name = f"{part.component.instance}.{locals_of[part.component][wire]}"
                if net.op == "r":
                    registers |= {name: wire, f"{name}_q": wire}
                elif wire not in self.absorbed:
                    others[name] = wire
        return {**inputs, **registers, **others}

    def _outside_names(self, locals_of: dict[Component, dict[str, str]]) -> dict[str, str]:
        """The names of wires in the top module: the instance and the name inside it. PyRTL's own names of
        unnamed wires count on from one description to the next, so the text must not depend on them."""
        names = {
            w.name: w.name for kind in (pyrtl.Input, pyrtl.Output) for w in self.block.wirevector_subset(kind)
        }
        for part in self.parts.values():
            made = part.outputs if part.component != TOP else {n.dests[0].name: None for n in part.nets}
            for name in made:
                names.setdefault(name, f"{part.component.instance}_{locals_of[part.component][name]}")
        return names

    def _top(self, calls: Iterable[str], outside: dict[str, str]) -> str:
        inputs = sorted(self.block.wirevector_subset(pyrtl.Input), key=lambda w: str(w.name))
        ports = ["input clk", "input reset"]
        ports += [f"input {_range(w)}{w.name}" for w in inputs]
        ports += [f"output {_range(w)}{w.name}" for w in self.outputs]
        top = self.parts.get(TOP, Part(TOP))
        inner = [wire for part in self.parts.values() for wire in part.outputs.values() if part is not top]
        inner += [net.dests[0] for net in top.nets]
        lines = [f"  wire {_range(w)}{outside[w.name]};" for w in inner if not isinstance(w, pyrtl.Output)]
        lines += [
            f"  assign {outside[net.dests[0].name]} = {_expression(self, net, outside)};" for net in top.nets
        ]
        header = f"module {TOP_MODULE} (\n  " + ",\n  ".join(ports) + "\n);"
        return "\n".join([header, *lines, *calls, "endmodule", ""])


def _instance(part: Part, module: str, local: dict[str, str], outside: dict[str, str]) -> str:
    pins = [".clk(clk)"] + [".reset(reset)"] * _has_reset(part)
    pins += [f".{local[name]}({outside[name]})" for name in [*part.inputs, *part.outputs]]
    return f"  {module} {part.component.instance} (\n    " + ",\n    ".join(pins) + "\n  );"


def _module_body(writer: _Writer, part: Part, local: dict[str, str]) -> str:
    """Ports, declarations, assignments and registers of a component, with local names only, so that equal
    components give equal text."""
    ports = ["input clk"] + ["input reset"] * _has_reset(part)
    ports += [f"input {_range(w)}{local[n]}" for n, w in part.inputs.items()]
    ports += [f"output {_range(w)}{local[n]}" for n, w in part.outputs.items()]
    declared, logic, clocked = [], [], []
    for net in part.nets:
        if net.op == "@":
            address, data, enable = (_operand(w, local) for w in net.args)
            clocked.append(f"    if ({enable}) mem[{address}] <= {data};")
            continue
        dest = net.dests[0]
        name = local[dest.name]
        if net.op == "r":
            declared.append(f"  reg {_range(dest)}{name}_q;")
            declared += [f"  wire {_range(dest)}{name};"] * (dest.name not in part.outputs)
            logic.append(f"  assign {name} = {name}_q;")
            clocked.append(_register(dest, name, net.args[0], writer.enable_of.get(dest.name), local))
            continue
        if dest.name in writer.absorbed:
            continue
        if net.op == "m":
            memory = net.op_param[1]
            declared += _memory(memory.bitwidth, writer.block.memory_depth[memory.id])
        if dest.name not in part.outputs:
            declared.append(f"  wire {_range(dest)}{name};")
        logic.append(f"  assign {name} = {_expression(writer, net, local)};")
    always = ["  always @(posedge clk) begin", *clocked, "  end"] if clocked else []
    return "(\n  " + ",\n  ".join(ports) + "\n);\n" + "\n".join([*declared, *logic, *always])


def _memory(bits: int, words: int) -> list[str]:
    """A memory, and in a simulation something in every word, as after power-up: from unknown values a zero
    weight times an activation that nobody wrote would come out unknown."""
    pattern = sum(1 << bit for bit in range(0, bits, 2))
    return [
        f"  reg [{bits - 1}:0] mem [0:{words - 1}];",
        "`ifndef SYNTHESIS",
        "  integer word;",
        f"  initial for (word = 0; word < {words}; word = word + 1) mem[word] = {bits}'h{pattern:x};",
        "`endif",
    ]


def _register(dest: Any, name: str, following: Any, mux: Any | None, local: dict[str, str]) -> str:
    """The clocked statement of one register; `mux` is the multiplexer that holds it, if one does."""
    if mux is None:
        update = f"{name}_q <= {_operand(following, local)};"
    else:
        enable, _, value = (_operand(wire, local) for wire in mux.args)
        update = f"if ({enable}) {name}_q <= {value};"
    if dest.reset_value is None:
        return f"    {update}"
    return f"    if (reset) {name}_q <= {len(dest)}'d{dest.reset_value}; else {update}"


FORMS = {
    "x": "{0} ? {2} : {1}",
    "m": "mem[{0}]",
    "w": "{0}",
    "~": "~{0}",
    "n": "~({0} & {1})",
    "=": "{0} == {1}",
}
"""The text of a net by its operation; of any other it is the operation between its operands."""


def _expression(writer: _Writer, net: Any, local: dict[str, str]) -> str:
    """The right-hand side of a combinational net. Results of + and - are one bit wider than their operands,
    which Verilog arranges by the width of the left-hand side."""
    args = [_operand(wire, local) for wire in writer.arguments(net)]
    if net.dests[0].name in writer.block.signed_products:
        return " * ".join(f"$signed({arg})" for arg in args)
    if net.op == "s":
        return _selection(net.args[0], net.op_param, local)
    if net.op == "c":
        return "{" + ", ".join(args) + "}"
    return FORMS.get(net.op, f"{{0}} {net.op} {{1}}").format(*args)


def _selection(wire: Any, bits: tuple[int, ...], local: dict[str, str]) -> str:
    """Some bits of a wire, lowest first in `bits`."""
    if isinstance(wire, pyrtl.Const):
        value = sum((wire.val >> bit & 1) << place for place, bit in enumerate(bits))
        return f"{len(bits)}'d{value}"
    name = local[wire.name]
    if len(wire) == 1:
        return name if len(bits) == 1 else "{" + ", ".join([name] * len(bits)) + "}"
    if bits == tuple(range(bits[0], bits[0] + len(bits))):
        return f"{name}[{bits[-1]}:{bits[0]}]" if len(bits) > 1 else f"{name}[{bits[0]}]"
    if len(set(bits)) == 1:
        return f"{{{len(bits)}{{{name}[{bits[0]}]}}}}"
    return "{" + ", ".join(f"{name}[{bit}]" for bit in reversed(bits)) + "}"


def _operand(wire: Any, local: dict[str, str]) -> str:
    return f"{len(wire)}'d{wire.val}" if isinstance(wire, pyrtl.Const) else local[wire.name]


def _range(wire: Any) -> str:
    return f"[{len(wire) - 1}:0] " if len(wire) > 1 else ""


def _has_reset(part: Part) -> bool:
    return any(net.op == "r" and net.dests[0].reset_value is not None for net in part.nets)


def _local_names(part: Part) -> dict[str, str]:
    """Names inside the module, free of instance numbers: own registers keep theirs, what enters is called
    after the kind of component that made it, the rest is numbered."""
    names: dict[str, str] = {}
    used: dict[str, int] = {"clk": 1, "reset": 1, "mem": 1, "word": 1}

    def take(wanted: str) -> str:
        count = used.get(wanted, 0)
        used[wanted] = count + 1
        return wanted if count == 0 else take(f"{wanted}_{count}")

    for name in part.inputs:
        owner, _, plain = name.rpartition("__")
        kind = owner.rstrip("0123456789").rstrip("_")
        stem = plain.rstrip("0123456789").rstrip("_") if kind else name
        names[name] = take("in" if name.startswith("tmp") else f"{kind}_{stem}" if kind else stem)
    for net in part.nets:
        for dest in net.dests:
            own = dest.name.rpartition("__")[2] if "__" in dest.name else ""
            is_output = isinstance(dest, pyrtl.Output)
            names[dest.name] = take(own or (dest.name if is_output else "n"))
    return names
