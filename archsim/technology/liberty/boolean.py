"""Boolean functions as a Liberty file writes them: evaluated bit by bit, and turned into truth tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from workloads.refusal import Refusal

_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z_0-9\[\]]*|[01()!'&*|+^])")


def truth_table(function: str, inputs: Sequence[str]) -> tuple[bool, ...]:
    """The 2**n values of a Liberty function; bit k of a row number is the value of `inputs[k]`.

    The operators of the Liberty format are known: ! and ' (not), & * and juxtaposition (and), ^
    (exclusive or), | + (or), from the tightest binding to the loosest. Raises a refusal for a text that
    is not a function of the inputs.
    """
    rows = 1 << len(inputs)
    everything = (1 << rows) - 1
    # A function of n inputs is one integer whose bit r is its value in row r.
    columns = {
        name: sum(1 << row for row in range(rows) if row >> place & 1) for place, name in enumerate(inputs)
    }
    result = evaluate(function, columns, everything)
    return tuple(bool(result >> row & 1) for row in range(rows))


def support(function: str, inputs: Sequence[str]) -> list[str]:
    """The inputs on which a function depends."""
    table = truth_table(function, inputs)
    return [
        name
        for place, name in enumerate(inputs)
        if any(table[row] != table[row ^ 1 << place] for row in range(len(table)))
    ]


def plain(function: str, names: Sequence[str]) -> str:
    """A function in brackets throughout, with the operators that every reader binds alike: readers differ in
    whether an exclusive or binds more tightly than an and."""
    return str(evaluate(function, {name: _Text(name) for name in names}, _Text("1")))


class _Text(str):
    """A function as text, which the operators join."""

    __slots__ = ()

    def __and__(self, other: str) -> _Text:
        return _Text(f"({self}&{other})")

    def __or__(self, other: str) -> _Text:
        return _Text(f"({self}|{other})")

    def __xor__(self, other: str) -> _Text:
        if self == "1":
            return _Text("0" if other == "1" else f"(!{other})")
        return _Text(f"({self}^{other})")


def evaluate(function: str, columns: Mapping[str, Any], everything: Any) -> Any:
    """A Liberty function of whole columns of bits: integers, or arrays of them.

    `columns` gives the bits of each input, `everything` is the column of ones. Raises a refusal for a
    text that is not a function of the inputs.
    """
    tokens = list(_tokens(function))
    known = {**columns, "0": everything ^ everything, "1": everything}

    def literal() -> Any:
        token = tokens.pop(0) if tokens else ""
        if token == "!":
            return everything ^ literal()
        if token == "(":
            value = disjunction()
            if not tokens or tokens.pop(0) != ")":
                raise Refusal(f"function is {function!r}, allowed is a text with balanced brackets")
        elif token in known:
            value = known[token]
        else:
            raise Refusal(
                f"function is {function!r}, allowed are {', '.join(columns)} where it has {token!r}"
            )
        while tokens and tokens[0] == "'":
            tokens.pop(0)
            value = everything ^ value
        return value

    def exclusive() -> Any:
        value = literal()
        while tokens and tokens[0] == "^":
            tokens.pop(0)
            value = value ^ literal()
        return value

    def conjunction() -> Any:
        value = exclusive()
        while tokens and tokens[0] not in (")", "|", "+"):
            if tokens[0] in ("&", "*"):
                tokens.pop(0)
            value = value & exclusive()
        return value

    def disjunction() -> Any:
        value = conjunction()
        while tokens and tokens[0] in ("|", "+"):
            tokens.pop(0)
            value = value | conjunction()
        return value

    result = disjunction()
    if tokens:
        raise Refusal(f"function is {function!r}, allowed is one expression, but {tokens[0]!r} is left over")
    return result


@lru_cache(maxsize=4096)
def _tokens(function: str) -> tuple[str, ...]:
    tokens, place = [], 0
    text = function.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Refusal(f"function is {function!r}, allowed are names and ! ' & * | + ^ ( ) 0 1")
        tokens.append(match.group(1))
        place = match.end()
    return tuple(tokens)
