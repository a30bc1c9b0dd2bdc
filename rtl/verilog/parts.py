"""What of a described block is needed, component by component, and who reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyrtl

from rtl.parts.components import PROBE, Component, StructuredBlock
from rtl.verilog.simplify import Number, simplified


@dataclass
class Part:
    """One component: its live nets in the order of making, the wires that enter and leave it."""

    component: Component
    nets: list[Any] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def resets(self) -> bool:
        """Whether a register of it is cleared by the reset port."""
        return any(net.op == "r" and net.dests[0].reset_value is not None for net in self.nets)

    @property
    def clocked(self) -> bool:
        """Whether it has registers or memories."""
        return any(net.op in "r@" for net in self.nets)


def live_parts(block: StructuredBlock) -> dict[Component, Part]:
    """The components of a block as they are exported, without nets that nothing needs."""
    return Parts(block).of


class Parts:
    """The parts `of` a block by component, what drives and what reads each wire, by name."""

    def __init__(self, block: StructuredBlock) -> None:
        self.block = block
        self._nets = simplified(block)
        self.driver = {net.dests[0].name: net for net, _ in self._nets if net.op != "@"}
        self._owner = {id(net): owner for net, owner in self._nets}
        self._writes: dict[int, list[Any]] = {}
        for net, _ in self._nets:
            if net.op == "@":
                self._writes.setdefault(net.op_param[0], []).append(net)
        self.outputs = sorted(
            (w for w in block.wirevector_subset(pyrtl.Output) if self.owner(self.driver[w.name]) != PROBE),
            key=lambda w: str(w.name),
        )
        self.of = self._split(self._live_nets())
        self.readers: dict[str, list[Any]] = {}
        for part in self.of.values():
            for net in part.nets:
                for wire in net.args:
                    self.readers.setdefault(wire.name, []).append(net)

    def owner(self, net: Any) -> Component:
        """The component of a net."""
        return self._owner[id(net)]

    def _live_nets(self) -> set[int]:
        """The nets from which an output can be reached, by identity."""
        live: set[int] = set()
        pending = [*self.outputs, *self.block.open_ports.values()]
        while pending:
            net = self.driver.get(pending.pop().name)
            if net is None or id(net) in live:
                continue
            live.add(id(net))
            pending += net.args
            if net.op == "m":
                for write in self._writes.get(net.op_param[0], []):
                    if id(write) not in live:
                        live.add(id(write))
                        pending += write.args
        return live

    def _split(self, live: set[int]) -> dict[Component, Part]:
        parts: dict[Component, Part] = {}
        owner_of: dict[str, Component] = {}
        for net, owner in self._nets:
            if id(net) in live:
                parts.setdefault(owner, Part(owner)).nets.append(net)
                for dest in net.dests:
                    owner_of[dest.name] = owner
        for name, wire in self.block.open_ports.items():
            parts[owner_of[name]].outputs[name] = wire
        for part in parts.values():
            for net in part.nets:
                for wire in net.args:
                    if isinstance(wire, Number):
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

    @cached_property
    def enable_of(self) -> dict[str, Any]:
        """For each register that holds unless enabled, the multiplexer in front of it, where nothing else
        reads that and it lies in the same component."""
        muxes = {}
        for part in self.of.values():
            for net in part.nets:
                mux = self.driver.get(net.args[0].name) if net.op == "r" else None
                if (
                    mux is not None
                    and mux.op == "x"
                    and mux.args[1].name == net.dests[0].name
                    and len(self.readers[mux.dests[0].name]) == 1
                    and self.owner(mux) == part.component
                ):
                    muxes[net.dests[0].name] = mux
        return muxes
