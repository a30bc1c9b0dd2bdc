"""Mapped netlists as integer arrays: cells, pins and nets, read from Yosys JSON and flattened.

A net is a number; 0 is constant low and 1 constant high (an undefined bit counts as low). The same
arrays serve the area sums, the timing and whatever counts toggles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from workloads.refusal import Refusal

Nets = NDArray[np.int64]
MEMORY_CELL = "$mem_v2"
TWO_PORTS = "two_ports"
"""The attribute of an array of Verilog that is read and written in one cycle."""
CONSTANTS = 2


class NetlistError(Refusal):
    """A netlist holds something the gate level cannot carry."""


@dataclass(frozen=True)
class MemoryPort:
    """A registered read, with one enable, or a clocked write, with one for each data bit; its address and its
    data, least significant bit first."""

    enable: Nets
    address: Nets
    data: Nets

    def renamed(self, nets: Nets) -> MemoryPort:
        """The same port one level up: `nets` maps its net numbers."""
        return MemoryPort(nets[self.enable], nets[self.address], nets[self.data])


@dataclass(frozen=True, kw_only=True)
class Memory:
    """One memory array of `words` x `word_bits` that stays a macro, with its clock net; with two `ports`
    where it is marked as read and written in one cycle."""

    name: str
    words: int
    word_bits: int
    ports: Literal["1rw", "1r1w"] = "1rw"
    clock: int
    reads: tuple[MemoryPort, ...]
    writes: tuple[MemoryPort, ...]

    @property
    def inputs(self) -> Nets:
        """Every input bit but the clock; the enables of a written word are one pin."""
        parts = [part for port in self.reads for part in (port.enable, port.address)]
        parts += [part for port in self.writes for part in (np.unique(port.enable), port.address, port.data)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    @property
    def outputs(self) -> Nets:
        return np.concatenate([port.data for port in self.reads]) if self.reads else np.zeros(0, np.int64)

    def renamed(self, prefix: str, nets: Nets) -> Memory:
        """The same memory one level up: `nets` maps its net numbers."""
        return replace(
            self,
            name=prefix + self.name,
            clock=int(nets[self.clock]),
            reads=tuple(port.renamed(nets) for port in self.reads),
            writes=tuple(port.renamed(nets) for port in self.writes),
        )


@dataclass(frozen=True)
class Instance:
    """A module used inside another one: the net of every bit of every connected port."""

    name: str
    module: str
    connections: Mapping[str, Nets]


@dataclass(frozen=True)
class Port:
    """A port of a module: "input", "output" or "inout", and its nets, least significant bit first."""

    direction: str
    nets: Nets


@dataclass(frozen=True, kw_only=True)
class Netlist:
    """One module, or a flattened design (then `instances` is empty).

    `cell_type` (cells,) indexes `type_names`; `pin_cell`, `pin_name`, `pin_net` (pins,) are parallel
    arrays of which `pin_name` indexes `pin_names`. `named` holds the nets of every name of the source, least
    significant bit first.
    """

    name: str
    nets: int
    cell_names: tuple[str, ...]
    type_names: tuple[str, ...]
    cell_type: Nets
    pin_names: tuple[str, ...]
    pin_cell: Nets
    pin_name: Nets
    pin_net: Nets
    ports: Mapping[str, Port]
    memories: tuple[Memory, ...]
    instances: tuple[Instance, ...] = ()
    named: Mapping[str, Nets] = field(default_factory=dict, repr=False)

    @cached_property
    def net_names(self) -> Mapping[int, str]:
        """A name for each net that has one, the outermost of several."""
        names: dict[int, str] = {}
        for name, nets in self.named.items():
            for place, net in enumerate(nets.tolist()):
                names.setdefault(net, name if len(nets) == 1 else f"{name}[{place}]")
        return names

    @cached_property
    def pin_table(self) -> Nets:
        """The net of each pin, (cells, pin names); -1 where a cell has no such pin."""
        table = np.full((len(self.cell_names), len(self.pin_names)), -1, np.int64)
        table[self.pin_cell, self.pin_name] = self.pin_net
        return table

    def cells_of(self, type_name: str) -> Nets:
        """Indices of the cells of one type."""
        if type_name not in self.type_names:
            return np.zeros(0, np.int64)
        return np.flatnonzero(self.cell_type == self.type_names.index(type_name))

    def pin(self, type_name: str, pin: str) -> Nets:
        """The net at one pin of each cell of a type, in the order of `cells_of`; -1 where it is left open."""
        cells = self.cells_of(type_name)
        if pin not in self.pin_names:
            return np.full(len(cells), -1, np.int64)
        nets: Nets = self.pin_table[cells, self.pin_names.index(pin)]
        return nets

    def count(self) -> dict[str, int]:
        """How many cells there are of each type."""
        numbers = np.bincount(self.cell_type, minlength=len(self.type_names))
        return {name: int(number) for name, number in zip(self.type_names, numbers, strict=True) if number}


def read_netlists(text: str) -> dict[str, Netlist]:
    """The modules of a Yosys JSON file that are not black boxes, by name.

    Raises NetlistError for a memory with an unregistered read or a read clocked apart from its writes.
    """
    modules = json.loads(text)["modules"]
    own = {name for name, module in modules.items() if "blackbox" not in module.get("attributes", {})}
    return {name: _module(name, modules[name], own) for name in modules if name in own}


def _nets(bits: list[int | str]) -> Nets:
    return np.array([(1 if bit == "1" else 0) if isinstance(bit, str) else bit for bit in bits], np.int64)


def _module(name: str, module: Mapping[str, Any], own: set[str]) -> Netlist:
    types: dict[str, int] = {}
    pins: dict[str, int] = {}
    names: list[str] = []
    cell_type: list[int] = []
    rows: list[tuple[int, int, int]] = []
    memories, instances, highest = [], [], CONSTANTS - 1
    for cell_name, cell in module["cells"].items():
        connections = {pin: _nets(bits) for pin, bits in cell["connections"].items()}
        highest = max([highest, *(int(nets.max()) for nets in connections.values() if nets.size)])
        if cell["type"] == MEMORY_CELL:
            memories.append(_memory(cell_name, cell, connections))
        elif cell["type"] in own:
            instances.append(Instance(cell_name, cell["type"], connections))
        else:
            rows += [
                (len(names), pins.setdefault(pin, len(pins)), int(nets[0]))
                for pin, nets in connections.items()
                if nets.size
            ]
            cell_type.append(types.setdefault(cell["type"], len(types)))
            names.append(cell_name)
    ports = {port: Port(each["direction"], _nets(each["bits"])) for port, each in module["ports"].items()}
    named: dict[str, Nets] = {}
    for net_name, net in module["netnames"].items():
        bits = _nets(net["bits"])
        highest = max([highest, *(int(bit) for bit in bits)])
        if not net["hide_name"]:
            named[net_name] = bits
    table = np.array(rows, np.int64).reshape(-1, 3)
    return Netlist(
        name=name,
        nets=highest + 1,
        cell_names=tuple(names),
        type_names=tuple(types),
        cell_type=np.array(cell_type, np.int64),
        pin_names=tuple(pins),
        pin_cell=table[:, 0],
        pin_name=table[:, 1],
        pin_net=table[:, 2],
        ports=ports,
        memories=tuple(memories),
        instances=tuple(instances),
        named=named,
    )


def _memory(name: str, cell: Mapping[str, Any], connections: Mapping[str, Nets]) -> Memory:
    parameters = cell["parameters"]

    def number(parameter: str) -> int:
        return int(parameters[parameter], 2)

    def port(prefix: str, place: int, width: int) -> Nets:
        bits: Nets = connections[prefix][place * width : (place + 1) * width]
        return bits

    width, address_bits = number("WIDTH"), number("ABITS")
    reads, writes = number("RD_PORTS"), number("WR_PORTS")
    name = parameters.get("MEMID", name).removeprefix("\\")
    if number("RD_CLK_ENABLE") & ((1 << reads) - 1) != (1 << reads) - 1:
        raise NetlistError(
            f"memory {name} is read without a register, allowed are reads registered at the data"
        )
    clocks = {int(net) for prefix in ("RD_CLK", "WR_CLK") for net in connections[prefix] if net >= CONSTANTS}
    if len(clocks) > 1:
        raise NetlistError(f"memory {name} has {len(clocks)} clocks, allowed is one")
    return Memory(
        name=name,
        words=number("SIZE"),
        word_bits=width,
        ports="1r1w" if TWO_PORTS in cell.get("attributes", {}) else "1rw",
        clock=clocks.pop() if clocks else 0,
        reads=tuple(
            MemoryPort(port("RD_EN", k, 1), port("RD_ADDR", k, address_bits), port("RD_DATA", k, width))
            for k in range(reads)
        ),
        writes=tuple(
            MemoryPort(port("WR_EN", k, width), port("WR_ADDR", k, address_bits), port("WR_DATA", k, width))
            for k in range(writes)
        ),
    )


def instance_counts(inside: Mapping[str, Mapping[str, int]], top: str) -> dict[str, int]:
    """How many times each module stands in the design, from the top down. `inside` counts what each module
    uses: others, and cells."""
    counts: dict[str, int] = {}

    def visit(module: str, times: int) -> None:
        counts[module] = counts.get(module, 0) + times
        for child, number in inside[module].items():
            if child in inside:
                visit(child, times * number)

    visit(top, 1)
    return counts


def _representatives(joined: list[tuple[int, int]], nets: int) -> Nets:
    """For each net the lowest of all that turn out to be one with it, so that a constant stays a constant."""
    ends = np.array(joined, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(ends.shape[1]), ends), shape=(nets, nets))
    _, group = connected_components(graph, directed=False)
    lowest = np.full(nets, nets)
    np.minimum.at(lowest, group, np.arange(nets))
    representatives: Nets = lowest[group]
    return representatives


def flatten(modules: Mapping[str, Netlist], top: str) -> Netlist:
    """The whole design as one netlist; names are joined with dots, ports of the top stay."""
    types = sorted({name for module in modules.values() for name in module.type_names})
    pins = sorted({name for module in modules.values() for name in module.pin_names})
    joined: list[tuple[int, int]] = []
    names: list[str] = []
    cell_type, pin_cell, pin_name, pin_net = [], [], [], []
    memories: list[Memory] = []
    named: dict[str, Nets] = {}
    total = modules[top].nets
    work: list[tuple[str, str, Nets]] = [(top, "", np.arange(total))]
    while work:
        module_name, prefix, nets = work.pop(0)
        module = modules[module_name]
        type_of = np.array([types.index(name) for name in module.type_names], np.int64)
        pin_of = np.array([pins.index(name) for name in module.pin_names], np.int64)
        pin_cell.append(module.pin_cell + len(names))
        pin_name.append(pin_of[module.pin_name])
        pin_net.append(nets[module.pin_net])
        cell_type.append(type_of[module.cell_type])
        names += [prefix + name for name in module.cell_names]
        memories += [memory.renamed(prefix, nets) for memory in module.memories]
        named |= {prefix + name: nets[inner] for name, inner in module.named.items()}
        for instance in module.instances:
            child = modules[instance.module]
            inner = np.full(child.nets, -1, np.int64)
            inner[:CONSTANTS] = range(CONSTANTS)
            for port, connected in instance.connections.items():
                if not connected.size:  # A port left open.
                    continue
                for own, outer in zip(child.ports[port].nets, nets[connected], strict=True):
                    if inner[own] < 0:
                        inner[own] = outer
                    else:
                        joined.append((int(inner[own]), int(outer)))
            fresh = np.flatnonzero(inner < 0)
            inner[fresh] = total + np.arange(len(fresh))
            total += len(fresh)
            work.append((instance.module, f"{prefix}{instance.name}.", inner))
    same = _representatives(joined, total)
    return Netlist(
        name=top,
        nets=total,
        cell_names=tuple(names),
        type_names=tuple(types),
        cell_type=np.concatenate(cell_type),
        pin_names=tuple(pins),
        pin_cell=np.concatenate(pin_cell),
        pin_name=np.concatenate(pin_name),
        pin_net=same[np.concatenate(pin_net)],
        ports={name: Port(port.direction, same[port.nets]) for name, port in modules[top].ports.items()},
        memories=tuple(memory.renamed("", same) for memory in memories),
        named={name: same[nets] for name, nets in named.items()},
    )
