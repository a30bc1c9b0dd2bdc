"""The notebooks of `examples` as pages: they are run, and what a cell ends with is shown below it.

They are kept in the percent format: cells of Python between lines `# %%`, cells of text after
`# %% [markdown]`.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from reports.site.links import ROOT

_CELL = re.compile(r"^# %%( \[markdown\])?[^\n]*\n", re.MULTILINE)


def notebooks() -> dict[str, str]:
    """The page of each notebook in Markdown, by its place in the site."""
    made = {}
    for path in sorted((ROOT / "examples").glob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        said = f"This page is [{place}](../files/{place}.md), run when the site was built."
        made[f"notebooks/{path.stem}.md"] = f"{rendered(path)}\n{said}\n"
    return made


def cells(text: str) -> Iterator[tuple[str, bool]]:
    """The cells of a notebook, each with whether it is text."""
    parts = _CELL.split(text)
    for kind, content in zip(parts[1::2], parts[2::2], strict=True):
        if content.strip():
            yield content.strip("\n"), bool(kind)


def rendered(path: Path) -> str:
    """A notebook as Markdown, with its outputs."""
    names: dict[str, Any] = {"__name__": "notebook"}
    shown = []
    for content, is_text in cells(path.read_text(encoding="utf-8")):
        if is_text:
            shown.append(re.sub(r"^# ?", "", content, flags=re.MULTILINE))
            continue
        printed, value = run(content, names)
        shown.append(f"```python\n{content}\n```")
        if printed:
            shown.append(f"```text\n{printed.rstrip()}\n```")
        if value is not None:
            shown.append(displayed(value))
    return "\n\n".join(shown) + "\n"


def run(code: str, names: dict[str, Any]) -> tuple[str, Any]:
    """What a cell prints, and the value of the expression that it ends with."""
    parsed = ast.parse(code)
    last = parsed.body[-1] if parsed.body else None
    ends_with = ast.Expression(last.value) if isinstance(last, ast.Expr) else None
    if ends_with:
        parsed.body.pop()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(parsed, "notebook", "exec"), names)
        value = eval(compile(ends_with, "notebook", "eval"), names) if ends_with else None
    return printed.getvalue(), value


def displayed(value: Any) -> str:
    """A value as a notebook shows it: its own HTML, or its text."""
    own = getattr(value, "_repr_html_", None)
    if own is None:
        return f'<div class="output"><pre>{escape(repr(value))}</pre></div>'
    with pd.option_context("display.float_format", "{:.5g}".format):
        html = re.sub(r"<style.*?</style>", "", own(), flags=re.DOTALL)
    lines = (line.strip() for line in html.splitlines())
    return f'<div class="output">{"".join(lines)}</div>'
