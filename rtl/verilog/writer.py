"""Writes a described engine as hierarchical Verilog: one module for each kind of component.

Equal components become instances of one module, so a reader sees one PE and a synthesiser maps one PE. Nets
that nothing needs, the probes among them, are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import pyrtl

from rtl.parts.components import TOP, Component, StructuredBlock, described
from rtl.parts.sizes import Sizes
from rtl.parts.skeleton import Hardware
from rtl.verilog.expressions import CALLED, RESERVED, Expressions
from rtl.verilog.modules import Module, assignments, width
from rtl.verilog.parts import Part, Parts

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
    return write_verilog(hardware.block, about=_about(hardware.sizes))


def write_verilog(block: StructuredBlock, *, about: Sequence[str] = ()) -> VerilogDesign:
    """Exports any block described by components; its inputs and outputs are the ports of the top module.
    `about` are lines of comment at the head."""
    return _Writer(block, about).write()


def _about(sizes: Sizes) -> list[str]:
    """What the hardware is sized for, field by field."""
    values = {field.name: getattr(sizes, field.name) for field in fields(sizes)}
    shown = {name: int(value) if isinstance(value, bool) else value for name, value in values.items()}
    return [
        f"The {sizes.label} engine of archsim, for",
        *(f"  {name} = {value}" for name, value in shown.items() if isinstance(value, int)),
    ]


class _Writer:
    def __init__(self, block: StructuredBlock, about: Sequence[str]) -> None:
        self.block, self.about = block, about
        self.parts = Parts(block)
        self.locals_of = _local_names(self.parts)

    def write(self) -> VerilogDesign:
        modules: dict[str, str] = {}
        instances: dict[str, list[str]] = {}
        names: dict[str, str] = {}
        calls: list[str] = []
        wires: dict[str, str] = {}
        outside = self._outside_names()
        for part in self.parts.of.values():
            if part.component == TOP:
                continue
            local = self.locals_of[part.component]
            module = Module(self.parts, part, local)
            kind = part.component.kind
            key = f"{kind}\n{module.text}"
            if key not in modules:
                same_kind = sum(name == kind or name.startswith(f"{kind}_v") for name in names.values())
                names[key] = kind if not same_kind else f"{kind}_v{same_kind}"
                modules[key] = f"{_comment(kind)}module {names[key]} {module.text}\nendmodule\n"
                instances[names[key]] = []
            instances[names[key]].append(part.component.instance)
            calls.append(_instance(part, names[key], local, outside))
            wires |= {f"{part.component.instance}.{name}": wire for name, wire in module.wires.items()}
        inputs = {w.name: w.name for w in self.block.wirevector_subset(pyrtl.Input)}
        text = "\n".join([*_heading(self.about), *modules.values(), self._top(calls, outside)])
        made = {name: tuple(instances_of) for name, instances_of in instances.items()}
        return VerilogDesign(text, TOP_MODULE, made, {**inputs, **wires})

    def _outside_names(self) -> dict[str, str]:
        """The names of wires in the top module: the instance and the name inside it. PyRTL's own names of
        unnamed wires count on from one description to the next, so the text must not depend on them."""
        names = {
            w.name: w.name for kind in (pyrtl.Input, pyrtl.Output) for w in self.block.wirevector_subset(kind)
        }
        for part in self.parts.of.values():
            local = self.locals_of[part.component]
            for name in part.outputs:
                names.setdefault(name, f"{part.component.instance}_{local[name]}")
        return names

    def _top(self, calls: Iterable[str], outside: dict[str, str]) -> str:
        inputs = sorted(self.block.wirevector_subset(pyrtl.Input), key=lambda w: str(w.name))
        ports = ["input clk", "input reset"]
        ports += [f"input {width(w)}{w.name}" for w in inputs]
        ports += [f"output {width(w)}{w.name}" for w in self.parts.outputs]
        top = self.parts.of.get(TOP, Part(TOP))
        inner = [wire for part in self.parts.of.values() for wire in part.outputs.values()]
        written = Expressions(self.parts, top, outside)
        joined = assignments(top, written)
        lines = [f"  wire {width(w)}{outside[w.name]};" for w in inner if not isinstance(w, pyrtl.Output)]
        header = f"{_comment(TOP.kind)}module {TOP_MODULE} (\n  " + ",\n  ".join(ports) + "\n);"
        return "\n".join([header, *lines, *joined, *calls, "endmodule", ""])


LINTING = """\
// All modules are in this file. Words of memories and of the load port go to modules that read some bits.
/* verilator lint_off DECLFILENAME */
/* verilator lint_off UNUSEDSIGNAL */"""


def _heading(about: Sequence[str]) -> list[str]:
    return [*(f"// {line}" for line in about), LINTING, ""]


def _comment(kind: str) -> str:
    said = described(kind)
    return f"// {said}\n" if said else ""


def _instance(part: Part, module: str, local: dict[str, str], outside: dict[str, str]) -> str:
    pins = [".clk(clk)"] * part.clocked + [".reset(reset)"] * part.resets
    pins += [f".{local[name]}({outside[name]})" for name in [*part.inputs, *part.outputs]]
    return f"  {module} {part.component.instance} (\n    " + ",\n    ".join(pins) + "\n  );"


def _local_names(parts: Parts) -> dict[Component, dict[str, str]]:
    """Names inside each module, free of instance numbers: what is named keeps its name, what leaves without
    one is called after what makes it, and what enters after the kind of component that made it."""
    made: dict[Component, dict[str, str]] = {}
    taken: dict[Component, dict[str, int]] = {}

    def take(component: Component, wanted: str) -> str:
        used = taken.setdefault(component, dict.fromkeys(RESERVED, 1))
        count = used.get(wanted, 0)
        used[wanted] = count + 1
        return wanted if count == 0 else take(component, f"{wanted}_{count}")

    source: dict[str, Component] = {}
    for part in parts.of.values():
        names = made.setdefault(part.component, {})
        for net in part.nets:
            for dest in net.dests:
                own = dest.name.rpartition("__")[2] if "__" in dest.name else ""
                own = own or (dest.name if isinstance(dest, pyrtl.Output) else "")
                if own or dest.name in part.outputs:
                    names[dest.name] = take(part.component, own or CALLED[net.op])
                    source[dest.name] = part.component
    for part in parts.of.values():
        entering = {}
        for name in part.inputs:
            origin = source.get(name)
            stem = name if origin is None else f"{origin.kind}_{_stem(made[origin][name])}"
            entering[name] = take(part.component, stem)
        made[part.component] = entering | made[part.component]
    return made


def _stem(name: str) -> str:
    return name.rstrip("0123456789").rstrip("_") or name
