"""What a description says in more words than needed: constants that go on, aliases, bits taken of bits.

Synthesis finds the same; a reader need not. Nothing is moved from one component to another, so that equal
components stay equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyrtl

from rtl.parts.components import Component, StructuredBlock

SIGNED = ("signed",)
"""The parameter of a product whose factors are signed, and not extended."""


@dataclass(frozen=True)
class Number:
    """A constant of so many `bits`."""

    val: int
    bits: int

    @property
    def name(self) -> str:
        return f"{self.bits}'d{self.val}"

    def __len__(self) -> int:
        return self.bits


def simplified(block: StructuredBlock) -> list[tuple[Any, Component]]:
    """The nets of a block with what they read made plain, and the component of each, as they were made."""
    return _Simplifier(block).nets()


class _Simplifier:
    def __init__(self, block: StructuredBlock) -> None:
        self._block = block
        self._driver = {net.dests[0].name: net for net in block.owner if net.op != "@"}
        self._plain: dict[tuple[str, Component], Any] = {}

    def nets(self) -> list[tuple[Any, Component]]:
        return [(self._net(net, owner), owner) for net, owner in self._block.owner.items()]

    def _net(self, net: Any, owner: Component) -> Any:
        """A net that reads what its operands come to; a selection that of which it selects in the end."""
        factors = self._block.signed_products.get(net.dests[0].name) if net.dests else None
        if factors is not None:
            read = tuple(self._read(wire, owner) for wire in factors)
            return net._replace(op="*", op_param=SIGNED, args=read)
        same = self._same(net, owner) if net.dests and net.op != "r" else None
        if same is not None:
            return net._replace(op="w", op_param=None, args=(same,))
        if net.op == "s":
            origins = [self._bit(net.args[0], bit, owner) for bit in net.op_param]
            sources = {wire.name: wire for wire, _ in origins}
            if len(sources) == 1:
                (source,) = sources.values()
                return net._replace(op_param=tuple(bit for _, bit in origins), args=(source,))
        return net._replace(args=tuple(self._read(wire, owner) for wire in net.args))

    def _read(self, wire: Any, reader: Component) -> Any:
        """What a wire comes to, as a component reads it: itself, another, or a number."""
        if isinstance(wire, pyrtl.Const):
            return Number(int(wire.val), len(wire))
        key = wire.name, reader
        if key not in self._plain:
            net = self._driver.get(wire.name)
            inside = net is not None and self._block.owner[net] == reader
            same = self._same(net, reader) if inside and wire.name not in self._block.open_ports else None
            named = "__" in wire.name or isinstance(wire, pyrtl.Output)
            self._plain[key] = wire if same is None or (named and not isinstance(same, Number)) else same
        return self._plain[key]

    def _bit(self, wire: Any, bit: int, reader: Component) -> tuple[Any, int]:
        """Of which wire a bit is one, and which."""
        wire = self._read(wire, reader)
        net = self._driver.get(wire.name)
        if net is None or "__" in wire.name or isinstance(wire, pyrtl.Output):
            return wire, bit
        if self._block.owner[net] != reader or wire.name in self._block.signed_products:
            return wire, bit
        if net.op == "s":
            return self._bit(net.args[0], net.op_param[bit], reader)
        if net.op == "c":
            for part in reversed(net.args):
                if bit < len(part):
                    return self._bit(part, bit, reader)
                bit -= len(part)
        return wire, bit

    def _same(self, net: Any, reader: Component) -> Any | None:
        """What the wire of a net is the same as; `None` where it is like nothing else."""
        bits = len(net.dests[0])
        if net.dests[0].name in self._block.signed_products:
            return None
        if net.op == "s":
            origins = [self._bit(net.args[0], bit, reader) for bit in net.op_param]
            (wire, first), numbers = origins[0], [one for one, _ in origins if isinstance(one, Number)]
            if len(numbers) == bits:
                value = sum((one.val >> bit & 1) << place for place, (one, bit) in enumerate(origins))
                return Number(value, bits)
            whole = all(one.name == wire.name and bit == place for place, (one, bit) in enumerate(origins))
            return wire if whole and len(wire) == bits and first == 0 else None
        if net.op not in _PLAIN:
            return None
        return _PLAIN[net.op]([self._read(wire, reader) for wire in net.args], bits)


def _alias(args: list[Any], bits: int) -> Any:
    return args[0]


def _inverted(args: list[Any], bits: int) -> Any | None:
    (wire,) = args
    return Number(~wire.val & ((1 << bits) - 1), bits) if isinstance(wire, Number) else None


def _both(args: list[Any], bits: int) -> Any | None:
    for one, other in (args, args[::-1]):
        if isinstance(one, Number) and one.val in (0, (1 << bits) - 1):
            return other if one.val else one
    return args[0] if args[0].name == args[1].name else None


def _either(args: list[Any], bits: int) -> Any | None:
    for one, other in (args, args[::-1]):
        if isinstance(one, Number) and one.val in (0, (1 << bits) - 1):
            return one if one.val else other
    return args[0] if args[0].name == args[1].name else None


def _chosen(args: list[Any], bits: int) -> Any | None:
    choice, low, high = args
    if isinstance(choice, Number):
        return high if choice.val else low
    if low.name == high.name:
        return low
    is_choice = bits == 1 and isinstance(low, Number) and isinstance(high, Number) and high.val > low.val
    return choice if is_choice else None


def _compared(args: list[Any], bits: int) -> Any | None:
    one, other = args
    if isinstance(one, Number) and isinstance(other, Number):
        return Number(int(one.val == other.val), 1)
    return None


def _outside(args: list[Any], bits: int, *, most: bool) -> Any | None:
    """Whether something lies beyond all that so many bits can say."""
    value, limit = args
    if isinstance(limit, Number) and limit.val == ((1 << len(value)) - 1 if most else 0):
        return Number(0, 1)
    return None


def _joined(args: list[Any], bits: int) -> Any | None:
    if not all(isinstance(part, Number) for part in args):
        return args[0] if len(args) == 1 else None
    value = 0
    for part in args:
        value = value << len(part) | part.val
    return Number(value, bits)


_PLAIN: Mapping[str, Callable[[list[Any], int], Any | None]] = {
    "w": _alias,
    "~": _inverted,
    "&": _both,
    "|": _either,
    "x": _chosen,
    "=": _compared,
    "<": partial(_outside, most=False),
    ">": partial(_outside, most=True),
    "c": _joined,
}
"""What the result of an operation is the same as, from its operands and its bits."""
