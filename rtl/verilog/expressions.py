"""Right-hand sides: what has no name of its own and one reader is written where it is read.

Verilog extends operands to the width of what an expression is assigned to before it works on them, so that
what is written in place of a wire must have its width there too. Operands of logic, of comparisons and of
multiplexers are as wide as each other; parts of concatenations, indices and selections have their own width;
operands of sums and products are extended, and stay wires unless they are selections or concatenations.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from rtl.verilog.keywords import KEYWORDS
from rtl.verilog.parts import Part, Parts
from rtl.verilog.simplify import SIGNED, Number

RESERVED = ("clk", "reset", "mem", "word", *KEYWORDS)
"""Names that mean something in every module."""

LONGEST = 60
"""The most characters of what is written in place of a wire."""

LOGIC = "&|^"
SUMS = "+-"
OWN_WIDTH = "sc"
"""Operations whose result is as wide wherever it is written: selections and concatenations."""

WITHIN = "&|^n~=<>xcsw"
"""Operations that are written in place of their wire."""

FORMS = {
    "x": "{0} ? {2} : {1}",
    "m": "mem[{0}]",
    "n": "~({0} & {1})",
    "=": "{0} == {1}",
}
"""The text of a net by its operation; of any other it is the operation between its operands."""

CALLED = {
    "+": "sum",
    "-": "difference",
    "*": "product",
    "x": "choice",
    "=": "equal",
    "<": "less",
    ">": "more",
    "&": "all",
    "|": "any",
    "^": "differs",
    "~": "opposite",
    "n": "not_all",
    "s": "bits",
    "c": "joined",
    "m": "read",
    "w": "copy",
}
"""What a wire without a name is called after, by the operation that makes it."""


_UNARY = re.compile(r"~?(\w+(\[[0-9:]+\])?|\d+'d\d+|\{.*\})")
"""What needs no parentheses: a name, some bits of it, a number or a concatenation, or the opposite of it."""


class Expressions:
    """The expressions of one part. `local` are the names of its ports, registers and named wires; wires
    without a name are added when they are first written, and are to be declared where they are `made`."""

    def __init__(self, parts: Parts, part: Part, local: Mapping[str, str]) -> None:
        self._parts, self._part = parts, part
        self._local, self._used = dict(local), dict.fromkeys((*local.values(), *RESERVED), 1)
        self._kept = frozenset(local)
        self._texts: dict[str, str] = {}
        self.absorbed = {mux.dests[0].name for mux in parts.enable_of.values()}

    def name(self, wire: Any) -> str:
        """The name of a wire within the part, made up after what it is where it has none."""
        if wire.name not in self._local:
            net = self._parts.driver[wire.name]
            self._local[wire.name] = self._take(CALLED[net.op])
        return self._local[wire.name]

    def _take(self, wanted: str) -> str:
        count = self._used.get(wanted, 0)
        self._used[wanted] = count + 1
        return wanted if not count else self._take(f"{wanted}_{count}")

    def is_wire(self, net: Any) -> bool:
        """Whether what a net makes is a wire of its own, and not written where it is read."""
        dest = net.dests[0]
        return dest.name not in self.absorbed and not self._is_cut(net) and self._in_place(dest) is None

    def bits(self, wire: Any) -> int:
        """The bits of a wire that are worth keeping: of a sum without a name not an unread carry."""
        net = self._parts.driver.get(wire.name)
        if net is None or net.op not in SUMS or wire.name in self._kept:
            return len(wire)
        readers = self._parts.readers[wire.name]
        if any(reader.op != "s" for reader in readers):
            return len(wire)
        highest: int = max(max(reader.op_param) for reader in readers)
        return max(len(wire) - 1, 1 + highest)

    def read_by(self, net: Any) -> list[str]:
        """The wires, by PyRTL's names, that stand in the expression of a net."""
        read: list[str] = []
        pending = list(net.args)
        while pending:
            wire = pending.pop()
            made = self._parts.driver.get(wire.name)
            if made is None or wire.name in self._kept or made.op in "r@" or self.is_wire(made):
                read.append(wire.name)
            else:
                pending += made.args
        return read

    def right_side(self, net: Any) -> str:
        """The right-hand side of a combinational net. Results of + and - are one bit wider than their
        operands, which Verilog arranges by the width of the left-hand side; so it cuts them too."""
        wires = net.args
        if net.op == "*" and net.op_param == SIGNED:
            return " * ".join(f"$signed({self.name(wire)})" for wire in wires)
        if net.op == "s":
            summed = self._cut_sum(net)
            return self.right_side(summed) if summed is not None else self._selection(net)
        if net.op == "c":
            return _concatenation([without_parentheses(self.operand(wire)) for wire in wires])
        if net.op in LOGIC and (leaves := self._reduced(net)) is not None:
            return f"{net.op}{leaves}"
        if net.op == "w":
            return without_parentheses(self.operand(wires[0]))
        if net.op == "=" and isinstance(wires[1], Number) and len(wires[0]) == 1:
            return without_parentheses(self.operand(wires[0])) if wires[1].val else self._not(wires[0])
        if net.op == "~":
            return self._not(wires[0])
        operand = self._extended if net.op in SUMS or net.op == "*" else self.operand
        args = [operand(wire) for wire in wires]
        if net.op in LOGIC:
            args = [self._joined(wire, arg, net.op) for wire, arg in zip(wires, args, strict=True)]
        return FORMS.get(net.op, f"{{0}} {net.op} {{1}}").format(*args)

    def operand(self, wire: Any) -> str:
        """A wire where it is read: a number, a name, or what it is, in parentheses."""
        if isinstance(wire, Number):
            return wire.name
        text = self._in_place(wire)
        return self.name(wire) if text is None else text

    def _not(self, wire: Any) -> str:
        """The opposite of a wire; of two that are equal that they differ."""
        text, made = self.operand(wire), self._parts.driver.get(wire.name)
        if made is not None and made.op == "=" and text.startswith("(") and text.count(" == ") == 1:
            return without_parentheses(text).replace(" == ", " != ")
        if text.startswith("~") and _UNARY.fullmatch(text):
            return text[1:]
        return f"~{text}"

    def _extended(self, wire: Any) -> str:
        """An operand of a sum or product, which is extended."""
        made = self._parts.driver.get(wire.name)
        in_place = isinstance(wire, Number) or (made is not None and made.op in OWN_WIDTH)
        return self.operand(wire) if in_place else self.name(wire)

    def _joined(self, wire: Any, text: str, op: str) -> str:
        """An operand of logic without its parentheses where the same operation stands inside."""
        inner = self._parts.driver.get(wire.name)
        same = inner is not None and inner.op == op and text.startswith("(") and self._reduced(inner) is None
        return without_parentheses(text) if same else text

    def _in_place(self, wire: Any) -> str | None:
        """What is written in place of a wire; `None` where it stays a wire."""
        if wire.name not in self._texts:
            self._texts[wire.name] = self._found_in_place(wire) or ""
        return self._texts[wire.name] or None

    def _found_in_place(self, wire: Any) -> str | None:
        net = self._parts.driver.get(wire.name)
        if net is None or not self._may_move(net, wire):
            return None
        text = self.right_side(net)
        atomic = net.op == "c" or _UNARY.fullmatch(text) is not None
        text = text if atomic else f"({text})"
        return text if len(text) <= LONGEST else None

    def _may_move(self, net: Any, wire: Any) -> bool:
        """Whether what a net makes may be written where it is read."""
        if self._is_kept(wire) or net.op not in WITHIN or self._parts.owner(net) != self._part.component:
            return False
        readers = self._parts.readers[wire.name]
        if any(self._parts.owner(reader) != self._part.component for reader in readers):
            return False
        if self._signed(readers) or any(reader.op == "s" for reader in readers):
            return False
        summed = self._cut_sum(net) if net.op == "s" else None
        if net.op == "s" and summed is None:
            return True
        if len(readers) > 1 or (summed is not None and len(wire) == len(summed.dests[0])):
            return False
        return net.op == "c" or readers[0].op not in (*SUMS, "*")

    def _is_kept(self, wire: Any) -> bool:
        """Whether a wire has a name that is to be seen."""
        return wire.name in self._kept

    def _signed(self, readers: list[Any]) -> bool:
        return any(reader.op == "*" and reader.op_param == SIGNED for reader in readers)

    def _is_cut(self, net: Any) -> bool:
        """Whether a sum is written where its lowest bits are taken."""
        readers = self._parts.readers.get(net.dests[0].name, [])
        return (
            net.op in SUMS and len(readers) == 1 and readers[0].op == "s" and self._cut_sum(readers[0]) is net
        )

    def _cut_sum(self, net: Any) -> Any | None:
        """The sum of which a selection takes the lowest bits, where nothing else reads it."""
        source = net.args[0]
        made = self._parts.driver.get(source.name)
        lowest = net.op_param == tuple(range(len(net.op_param)))
        if made is None or made.op not in SUMS or not lowest or len(self._parts.readers[source.name]) > 1:
            return None
        if self._is_kept(source) or self._parts.owner(made) != self._part.component:
            return None
        # Where it would be cut to less than its operands, these would be too.
        return made if len(net.op_param) >= len(source) - 1 else None

    def _reduced(self, net: Any) -> str | None:
        """The wire of which an operation takes all bits, or some beside each other, one by one."""
        bits: list[tuple[str, int]] = []
        pending = [net]
        while pending:
            inner = pending.pop()
            for wire in inner.args:
                made = self._parts.driver.get(wire.name)
                if made is None or self._is_kept(wire):
                    return None
                if made.op == net.op and self._may_move(made, wire):
                    pending.append(made)
                elif made.op == "s" and len(made.op_param) == 1 and not isinstance(made.args[0], Number):
                    bits.append((made.args[0].name, made.op_param[0]))
                else:
                    return None
        (source, *others), places = {name for name, _ in bits}, sorted(place for _, place in bits)
        if others or places != list(range(places[0], places[0] + len(places))):
            return None
        wire = self._parts.block.wirevector_by_name[source]
        name = self.name(wire)
        return name if len(places) == len(wire) else f"{name}[{places[-1]}:{places[0]}]"

    def _selection(self, net: Any) -> str:
        """Some bits of a wire, lowest first in `op_param`."""
        wire, bits = net.args[0], net.op_param
        name = self.name(wire)
        if self.bits(wire) == 1:
            return name if len(bits) == 1 else f"{{{len(bits)}{{{name}}}}}"
        if bits == tuple(range(bits[0], bits[0] + len(bits))):
            if len(bits) == self.bits(wire):
                return name
            return f"{name}[{bits[-1]}:{bits[0]}]" if len(bits) > 1 else f"{name}[{bits[0]}]"
        if len(set(bits)) == 1:
            return f"{{{len(bits)}{{{name}[{bits[0]}]}}}}"
        return _concatenation([f"{name}[{bit}]" for bit in reversed(bits)])


def _concatenation(parts: Iterable[str]) -> str:
    """Parts beside each other, those that are repeated said once."""
    runs = [(text, len(list(alike))) for text, alike in itertools.groupby(parts)]
    texts = [text if count == 1 else f"{{{count}{{{text}}}}}" for text, count in runs]
    return texts[0] if len(runs) == 1 and runs[0][1] > 1 else "{" + ", ".join(texts) + "}"


def without_parentheses(text: str) -> str:
    """The text without parentheses around all of it."""
    if not text.startswith("("):
        return text
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[1:-1] if place == len(text) - 1 else text
    return text
