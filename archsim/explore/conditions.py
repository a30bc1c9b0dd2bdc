"""Conditions on design points, as text: `engine.pes <= 64 if technology == artix7`.

Names are fields of a point with dots (`engine.pes`), or their last part where only one field ends in it
(`pes`); a field with a `kind` stands for its kind. A word that names no field is a text, so that `artix7`
needs no quotes; `true` and `false` are what YAML means by them. `A if B` holds where B does not. Nothing else
of Python is understood, and nothing is run.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from workloads.refusal import Refusal

_COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, several: value in several,
    ast.NotIn: lambda value, several: value not in several,
}
_CALCULATED: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
TRUTHS = {"true": True, "false": False}
_LEAST = 1e-9
"""What a comparison is missed by that is missed by nothing, as 4 < 4."""

MOST_CHARACTERS = 1000
"""Of a condition: a longer one is no condition that somebody reads."""


class ConditionError(Refusal):
    """A text is no condition, or says something of a point that cannot be said of it."""


@dataclass(frozen=True)
class Condition:
    """A condition, which holds of a point or does not. Raises ConditionError for a text that is none."""

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tree", self._parsed())

    def _parsed(self) -> ast.expr:
        if not isinstance(self.text, str) or len(self.text) > MOST_CHARACTERS:
            raise self._refusal(f"texts of up to {MOST_CHARACTERS} characters")
        for text in (self.text, f"{self.text} else True"):
            try:
                tree = ast.parse(text.strip(), mode="eval").body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
            self._check(tree)
            return tree
        raise self._refusal("comparisons of fields, joined by and, or, not and if")

    def _refusal(self, allowed: str) -> ConditionError:
        return ConditionError.of("condition", self.text, allowed)

    def _check(self, node: ast.AST) -> None:
        known = (
            *(ast.Compare, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.IfExp),
            *(ast.BinOp, ast.Name, ast.Attribute, ast.Constant, ast.List, ast.Tuple, ast.Load),
            *_COMPARED,
            *_CALCULATED,
        )
        for part in ast.walk(node):
            plain = not isinstance(part, ast.Constant) or isinstance(part.value, str | int | float | None)
            if not isinstance(part, known) or not plain:
                raise self._refusal("comparisons of fields, joined by and, or, not and if")

    def names(self) -> frozenset[str]:
        """Every name in it, whether it is of a field or a text."""
        tree: ast.expr = self.__dict__["_tree"]
        inner = {id(part.value) for part in ast.walk(tree) if isinstance(part, ast.Attribute)}
        named = (part for part in ast.walk(tree) if isinstance(part, ast.Name | ast.Attribute))
        return frozenset(_dotted(part) for part in named if id(part) not in inner)

    def check_names(self, known: Collection[str]) -> None:
        """Raises ConditionError where a comparison asks for none of the fields that there are: a word that
        names no field is a text, and a text is never less than 64."""
        tree: ast.expr = self.__dict__["_tree"]
        for part in ast.walk(tree):
            if isinstance(part, ast.Compare):
                inside = [node for node in ast.walk(part) if isinstance(node, ast.Name | ast.Attribute)]
                if not any(_names_field(known, _dotted(node)) for node in inside):
                    words = " and ".join(dict.fromkeys(_dotted(node) for node in inside)) or "no field"
                    ends = sorted({name.removeprefix("engine.") for name in known})
                    raise self._refusal(f"comparisons of fields, which {words} is not: {', '.join(ends)}")

    def holds(self, fields: Mapping[str, Any]) -> bool:
        """Whether it holds of a point with these fields, by their names with dots."""
        tree: ast.expr = self.__dict__["_tree"]
        try:
            return bool(self._value(tree, fields))
        except (TypeError, ZeroDivisionError) as cause:
            raise self._refusal(f"comparisons of what can be compared ({cause})") from None

    def violation(self, fields: Mapping[str, Any]) -> float:
        """How far a point with these fields is from meeting it: 0 where it holds, else more, and 1 at most.

        A comparison of numbers is missed by their difference as a share of the larger; all else is met or
        missed whole. Parts joined by `and` count by their mean, those joined by `or` by the least.
        """
        if self.holds(fields):
            return 0.0
        tree: ast.expr = self.__dict__["_tree"]
        return min(max(self._distance(tree, fields, True), _LEAST), 1.0)

    def _distance(self, node: ast.expr, fields: Mapping[str, Any], wanted: bool) -> float:
        """How far a part is from being true, or untrue, as is wanted."""
        match node:
            case ast.BoolOp():
                parts = [self._distance(part, fields, wanted) for part in node.values]
                together = isinstance(node.op, ast.And) is wanted
                return sum(parts) / len(parts) if together else min(parts)
            case ast.UnaryOp(op=ast.Not()):
                return self._distance(node.operand, fields, not wanted)
            case ast.IfExp():
                chosen = node.body if self._value(node.test, fields) else node.orelse
                return self._distance(chosen, fields, wanted)
        try:
            if bool(self._value(node, fields)) is wanted:
                return 0.0
            match node:
                case ast.Compare(comparators=[right]) if not isinstance(node.ops[0], ast.Eq | ast.NotEq):
                    return _apart(self._value(node.left, fields), self._value(right, fields))
        except (TypeError, ZeroDivisionError):  # of a part that nobody had to ask
            pass
        return 1.0

    def _value(self, node: ast.expr, fields: Mapping[str, Any]) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.Name() | ast.Attribute():
                return field_of(fields, _dotted(node))
            case ast.List() | ast.Tuple():
                return [self._value(part, fields) for part in node.elts]
            case ast.BoolOp(op=ast.And()):
                return all(self._value(part, fields) for part in node.values)
            case ast.BoolOp():
                return any(self._value(part, fields) for part in node.values)
            case ast.UnaryOp(op=ast.Not()):
                return not self._value(node.operand, fields)
            case ast.UnaryOp():
                value = self._value(node.operand, fields)
                return None if value is None else -value
            case ast.IfExp():
                chosen = node.body if self._value(node.test, fields) else node.orelse
                return self._value(chosen, fields)
            case ast.BinOp():
                first, second = self._value(node.left, fields), self._value(node.right, fields)
                return None if None in (first, second) else _CALCULATED[type(node.op)](first, second)
            case ast.Compare():
                values = [self._value(part, fields) for part in (node.left, *node.comparators)]
                pairs = zip(node.ops, values, values[1:], strict=False)
                return all(_compared(_COMPARED[type(op)], first, second) for op, first, second in pairs)
        raise self._refusal("comparisons of fields, joined by and, or, not and if")


def _compared(compare: Callable[[Any, Any], bool], first: Any, second: Any) -> bool:
    """A field that a point does not have is less, equal and more than nothing."""
    if first is None or second is None:
        return compare in (operator.eq, operator.ne) and compare(first, second)
    return compare(first, second)


def _apart(first: Any, second: Any) -> float:
    """The difference of two numbers as a share of the larger; 1 for what is no number."""
    if not all(isinstance(value, int | float) for value in (first, second)):
        return 1.0
    largest = max(abs(first), abs(second))
    return abs(first - second) / largest if largest else 0.0


def _dotted(node: ast.expr) -> str:
    return f"{_dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ast.unparse(node)


def _names_field(known: Collection[str], name: str) -> bool:
    """Whether a name is that of a field, or the end of one."""
    return name in known or f"{name}.kind" in known or any(field.endswith(f".{name}") for field in known)


def field_of(fields: Mapping[str, Any], name: str) -> Any:
    """The value of a field by its name or the end of it; the name itself where it names none. Raises
    ConditionError where several fields end in it."""
    if name in fields:
        return fields[name]
    if f"{name}.kind" in fields:
        return fields[f"{name}.kind"]
    ends = sorted(field for field in fields if field.endswith(f".{name}"))
    if len(ends) > 1:
        raise ConditionError.of("field", name, [f"one of {' and '.join(ends)}"])
    if ends:
        return fields[ends[0]]
    return None if "." in name else TRUTHS.get(name, name)
