"""One voice: functions and modules that the head holds, names for what lives long, one way to quote code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = [
    path for package in ("workloads", "rtl", "archsim", "reports") for path in (ROOT / package).rglob("*.py")
]
LONGEST_FUNCTION, LONGEST_MODULE = 60, 400
SHORT_LIVED = {"each", "found", "of", "said", "mine"}
"""Names that read well for a few lines and say nothing after that."""
FEW_LINES = 5

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def own(function: Function) -> Iterator[ast.AST]:
    """What a function holds, without what functions inside it hold."""
    waiting: list[ast.AST] = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Function):
            yield node
            waiting += ast.iter_child_nodes(node)


def test_functions_and_modules_are_short() -> None:
    for path in FILES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE, path
        for function in functions(path):
            lines = (function.end_lineno or 0) - function.lineno + 1
            assert lines < LONGEST_FUNCTION, f"{path}: {function.name} has {lines} lines"


def test_what_lives_long_has_a_name() -> None:
    for path in FILES:
        for function in functions(path):
            places: dict[str, list[int]] = {}
            for node in own(function):
                if isinstance(node, ast.Name | ast.arg):
                    name = node.id if isinstance(node, ast.Name) else node.arg
                    places.setdefault(name, []).append(node.lineno)
            for name in SHORT_LIVED & places.keys():
                lived = max(places[name]) - min(places[name])
                assert lived <= FEW_LINES, f"{path}: {name} in {function.name} lives for {lived} lines"


def test_code_is_quoted_one_way() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?<!`)``(?!`)", text), path
        assert not re.search(r"[a-z`]\.  [A-Z]", text), path
