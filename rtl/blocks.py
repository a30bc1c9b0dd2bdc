"""The blocks of a described engine and what runs between them, as a block diagram shows them.

All of it is read off the description: a block is a kind of component with all its instances, a link the wires
that one kind drives and another reads. Nets outside of any component only join others, and are looked
through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyrtl

from rtl.parts.components import PROBE, TOP, Component
from rtl.parts.skeleton import Hardware
from rtl.verilog import Part, live_parts

INPUTS, OUTPUTS = "inputs", "outputs"
"""The pins of the engine, as ends of links."""

MEMORY = "_memory"
"""How the kind of a component ends that is a memory and nothing else."""


@dataclass(frozen=True)
class Block:
    """A kind of component: how many of it there are, the bits of register in one of them, and of a memory the
    words and bits of one. `register_bits` are those of the largest where they differ."""

    kind: str
    instances: int
    register_bits: int
    words: int = 0
    word_bits: int = 0

    @property
    def name(self) -> str:
        return self.kind.replace("_", " ")

    @property
    def is_memory(self) -> bool:
        return self.words > 0


@dataclass(frozen=True)
class Link:
    """What leads from one block, or from the pins, to another: so many wires of so many bits together, and
    the names of those that have one, without the number of an instance."""

    source: str
    target: str
    wires: int
    bits: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class BlockDiagram:
    """All blocks of an engine, in the order in which they are described, all links, and the names of the
    pins."""

    blocks: tuple[Block, ...]
    links: tuple[Link, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def block_diagram(hardware: Hardware) -> BlockDiagram:
    """The blocks and links of `hardware`, probes and nets that nothing needs left out."""
    parts = {
        component: part
        for component, part in live_parts(hardware.block).items()
        if component not in (TOP, PROBE)
    }
    kinds: dict[str, list[Part]] = {}
    for component, part in parts.items():
        kinds.setdefault(component.kind, []).append(part)
    shapes = {f"{memory.role}{MEMORY}": (memory.words, memory.word_bits) for memory in hardware.memories}
    blocks = tuple(
        Block(kind, len(alike), max(map(_register_bits, alike)), *shapes.get(kind, ()))
        for kind, alike in kinds.items()
    )
    block = hardware.block
    probes = {wire.name for wire in hardware.probes.values()}
    outputs = [wire for wire in block.wirevector_subset(pyrtl.Output) if wire.name not in probes]
    return BlockDiagram(
        blocks,
        _links(hardware, parts, outputs),
        tuple(sorted(wire.name for wire in block.wirevector_subset(pyrtl.Input))),
        tuple(sorted(wire.name for wire in outputs)),
    )


def _register_bits(part: Part) -> int:
    return sum(len(net.dests[0]) for net in part.nets if net.op == "r")


def _links(hardware: Hardware, parts: dict[Component, Part], outputs: Iterable[Any]) -> tuple[Link, ...]:
    """The wires between blocks, each counted once for each kind that reads it."""
    block = hardware.block
    driver = {net.dests[0].name: net for net in block.owner if net.op != "@"}
    wires: dict[tuple[str, str], dict[str, int]] = {}

    def note(read: Iterable[Any], target: str) -> None:
        for wire in read:
            for kind, origin in _origins(wire, driver, block.owner):
                if kind != target:
                    wires.setdefault((kind, target), {})[origin.name] = len(origin)

    for component, part in parts.items():
        note(part.inputs.values(), component.kind)
    note(outputs, OUTPUTS)
    return tuple(
        Link(source, target, len(bits), sum(bits.values()), tuple(sorted(set(_names(bits)))))
        for (source, target), bits in sorted(wires.items())
    )


def _origins(wire: Any, driver: dict[str, Any], owner: dict[Any, Component]) -> list[tuple[str, Any]]:
    """Which kinds of component drive a wire, or the pins, looked for through nets that belong to none; each
    with the wire that leaves it."""
    origins: dict[str, tuple[str, Any]] = {}
    pending, seen = [wire], set()
    while pending:
        read = pending.pop()
        if isinstance(read, pyrtl.Const) or read.name in seen:
            continue
        seen.add(read.name)
        net = driver.get(read.name)
        if net is None:
            origins[read.name] = INPUTS, read
        elif owner[net] == TOP and net.op != "r":
            pending += net.args
        else:
            origins[read.name] = owner[net].kind, read
    return list(origins.values())


def _names(wires: Iterable[str]) -> Iterable[str]:
    """Names of wires without those of the instances and without numbers; PyRTL's own ones are left out."""
    for name in wires:
        plain = re.sub(r"(_\d+)+$", "", name.rpartition("__")[2])
        if not re.fullmatch(r"(tmp|const)\w*", plain):
            yield plain
