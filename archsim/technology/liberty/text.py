"""The text of a Liberty file as a tree of groups, and back: syntax only, no meaning."""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from workloads.refusal import Refusal
from workloads.text_files import decoded

_GZIP = b"\x1f\x8b"
_TOKEN = re.compile(
    r"\s*(?:(?P<mark>[{}();:,])"
    r'|(?P<word>(?:[^\s{}();:,"\[\\/]+|\[[^\]\s"]*\]|/(?![*/]))+)|(?P<string>"[^"\\]*(?:\\.[^"\\]*)*")'
    r"|(?P<skip>\\[ \t]*\r?\n|/\*.*?\*/|//[^\n]*|\Z))",
    re.DOTALL,
)
_CONTINUED = re.compile(r"\\[ \t]*\r?\n")


class LibertyError(Refusal):
    """A text is not a Liberty library, or lacks something the project needs of one."""


@dataclass(frozen=True)
class Attribute:
    """`name : value;`, or `name (value, value);` where it is `in_brackets`. Values are as written, with their
    quotes."""

    name: str
    values: tuple[str, ...]
    in_brackets: bool = False
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Group:
    """`kind (argument, argument) { statements }`; arguments are as written, with their quotes."""

    kind: str
    arguments: tuple[str, ...] = ()
    statements: tuple[Attribute | Group, ...] = ()
    line: int = field(default=0, compare=False)

    @property
    def name(self) -> str:
        """The first argument without quotes; empty where there is none."""
        return unquoted(self.arguments[0]) if self.arguments else ""

    @cached_property
    def _attributes(self) -> dict[str, list[Attribute]]:
        named: dict[str, list[Attribute]] = {}
        for each in self.statements:
            if isinstance(each, Attribute):
                named.setdefault(each.name, []).append(each)
        return named

    def _attribute(self, name: str) -> Attribute | None:
        """The attribute of a name. One that is given twice, differently, is refused: readers differ in which
        of the two they take."""
        first, *others = self._attributes.get(name, [None])
        for other in others:
            shown, again = (" ".join(map(unquoted, each.values)) for each in (first, other) if each)
            if shown != again:
                raise LibertyError(
                    f"Liberty text, line {other.line if other else 0}: {name} of {self.kind} ({self.name}) "
                    f"is {again!r} after {shown!r}, allowed is one value"
                )
        return first

    def groups(self, *kinds: str) -> Iterator[Group]:
        """The groups inside, of these kinds or, where none is given, of any."""
        return (g for g in self.statements if isinstance(g, Group) and (not kinds or g.kind in kinds))

    def values(self, name: str) -> tuple[str, ...]:
        """The values of an attribute without quotes; empty where it is not there."""
        found = self._attribute(name)
        return tuple(unquoted(value) for value in found.values) if found else ()

    def text(self, name: str, default: str = "") -> str:
        """The value of an attribute as one text."""
        return " ".join(self.values(name)) if name in self._attributes else default

    def number(self, name: str) -> float | None:
        """The value of an attribute as a number, None where it is not there. Raises LibertyError for a text
        that is no number."""
        stated = self._attribute(name)
        if stated is None:
            return None
        try:
            value = float(self.text(name))
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        raise LibertyError(
            f"Liberty text, line {stated.line}: {name} of {self.kind} ({self.name}) is "
            f"{self.text(name)!r}, allowed is a number"
        )


def unquoted(value: str) -> str:
    """A value without its quotes and without line continuations."""
    inside = value[1:-1] if value.startswith('"') else value
    return _CONTINUED.sub(" ", inside)


def liberty_text(path: Path) -> str:
    """The text of a Liberty file, unpacked where it is compressed with gzip, whatever its name.

    Raises LibertyError for a file that cannot be read or unpacked.
    """
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LibertyError(
            f"Liberty file {path} cannot be read ({reason}), allowed is a text, plain or gzip"
        ) from None
    return decoded(content, errors="replace")


def parse_liberty(text: str) -> Group:
    """The library group of a Liberty text.

    Raises LibertyError with the number of the line for a text that is not one library, that includes
    another file, or whose brackets, quotes or comments are not closed.
    """
    return _Parser(text).library()


def write_liberty(group: Group) -> str:
    """A Liberty text that `parse_liberty` reads as the same group."""
    return "\n".join([*_lines(group), ""])


def _lines(group: Group) -> Iterator[str]:
    yield f"{group.kind} ({', '.join(group.arguments)}) {{"
    for inside in group.statements:
        if isinstance(inside, Group):
            yield from ("  " + line for line in _lines(inside))
        elif inside.in_brackets:
            yield f"  {inside.name} ({', '.join(inside.values)});"
        else:
            yield f"  {inside.name} : {' '.join(inside.values)};"
    yield "}"


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


_END = _Token("end", "", 0, 0)


class _Parser:
    """One pass over the tokens of a text; `_token` is the one that comes next."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._counted = (0, 1)
        self._tokens = self._scan()
        self._token = next(self._tokens, _END)

    def library(self) -> Group:
        """The whole text as one library group."""
        found: list[Attribute | Group] = []
        while self._token.kind != "end":
            self._statement(found)
        match [each for each in found if isinstance(each, Group)]:
            case [Group(kind="library") as library]:
                return library
        raise LibertyError(
            "Liberty text holds no complete library group, allowed is one library (name) { ... }"
        )

    def _scan(self) -> Iterator[_Token]:
        place, text, match_at = 0, self._text, _TOKEN.match
        while place < len(text):
            match = match_at(text, place)
            if match is None:
                place += len(text[place:]) - len(text[place:].lstrip())
                problem = {'"': "a quote", "/": "a comment"}.get(text[place])
                complaint = f"{problem} is never closed" if problem else f"{text[place]!r} is out of place"
                raise self._error(place, f"{complaint}, allowed are closed quotes, comments and brackets")
            place, kind = match.end(), match.lastgroup
            if kind is not None and kind != "skip":
                start, end = match.span(kind)
                yield _Token(kind, text[start:end], start, end)

    def _error(self, place: int, sentence: str) -> LibertyError:
        return LibertyError(f"Liberty text, line {self._line(place)}: {sentence}")

    def _line(self, place: int) -> int:
        """The line of a place; places are asked for in rising order, but for errors."""
        before, line = self._counted if self._counted[0] <= place else (0, 1)
        self._counted = (place, line + self._text.count("\n", before, place))
        return self._counted[1]

    def _at(self, marks: str) -> bool:
        """Whether one of these marks comes next."""
        return self._token.kind == "mark" and self._token.text in marks

    def _next(self) -> _Token:
        token, self._token = self._token, next(self._tokens, _END)
        return token

    def _statement(self, found: list[Attribute | Group]) -> None:
        """Read one statement into `found`; groups are read with a stack, so that depth has no limit."""
        stack: list[tuple[str, tuple[str, ...], int, list[Attribute | Group]]] = [("", (), 0, found)]
        while True:
            inside, token = stack[-1][3], self._next()
            if token.kind == "end":
                kind, line = stack[-1][0], stack[-1][2]
                raise LibertyError(
                    f"Liberty text, line {line}: the bracket of {kind} is never closed, so there is no "
                    "complete library group, allowed are balanced brackets"
                )
            if token.text == "}":
                if len(stack) == 1:
                    raise self._error(
                        token.start, "it closes a bracket it never opened, allowed are balanced brackets"
                    )
                kind, arguments, line, statements = stack.pop()
                stack[-1][3].append(Group(kind, arguments, tuple(statements), line))
            elif token.kind in ("word", "string"):
                self._named(token, inside, stack)
            elif token.text not in ";,":
                raise self._error(
                    token.start, f"it has {token.text!r} where an attribute or a group is allowed"
                )
            if len(stack) == 1:
                return

    def _named(
        self,
        token: _Token,
        inside: list[Attribute | Group],
        stack: list[tuple[str, tuple[str, ...], int, list[Attribute | Group]]],
    ) -> None:
        line = self._line(token.start)
        if self._at(":"):
            self._next()
            inside.append(Attribute(token.text, self._value(token), line=line))
        elif self._at("("):
            arguments = self._arguments(token)
            if self._at("{"):
                self._next()
                stack.append((token.text, arguments, line, []))
            elif token.text == "include_file":
                raise self._error(
                    token.start,
                    f"it includes the file {' '.join(arguments)}, allowed is one text that holds everything",
                )
            else:
                inside.append(Attribute(token.text, arguments, in_brackets=True, line=line))
        else:
            raise self._error(token.start, f"it has {token.text!r} where an attribute or a group is allowed")

    def _value(self, name: _Token) -> tuple[str, ...]:
        """The words up to the semicolon, or to the end of the line or the group where there is none."""
        values: list[str] = []
        end = name.end
        while self._token.kind != "end" and not self._at(";{}"):
            gap = _CONTINUED.sub(" ", self._text[end : self._token.start])
            if values and "\n" in gap:
                break
            end = self._token.end
            values.append(self._next().text)
        if not values:
            raise self._error(name.start, f"{name.text} has no value, allowed is one")
        return tuple(values)

    def _arguments(self, name: _Token) -> tuple[str, ...]:
        self._next()
        values: list[str] = []
        while not self._at(")"):
            if self._token.kind == "end" or self._at("{};"):
                raise self._error(
                    name.start, f"the bracket of {name.text} is never closed, allowed are balanced brackets"
                )
            token = self._next()
            if token.text != ",":
                values.append(token.text)
        self._next()
        return tuple(values)
