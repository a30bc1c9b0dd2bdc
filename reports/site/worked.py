"""Pages that are worked through: their commands and Python run in order in one folder, and what follows a
block as text is what it answers.

A block of YAML whose first line is a comment with a name is a file. In an answer a line `…` stands for all
that is left out: as many lines as stand before it are the first, as many as stand after it the last.
"""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workloads.files import write_text
from workloads.refusal import Defect

_BLOCK = re.compile(r"^```(yaml|sh|python|text)\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)
LEFT_OUT = "…"


class WorkedError(Defect):
    """A command of a page that ends with another status than 0."""


@dataclass(frozen=True)
class Answer:
    """What a block of a page answers: as it stands in the page, and as it is."""

    block: str
    stands: str
    whole: str

    @property
    def abridged(self) -> str:
        """The answer, shortened as the one in the page is."""
        lines, shown = self.whole.splitlines(), self.stands.splitlines()
        if LEFT_OUT not in shown:
            return self.whole
        first, last = shown.index(LEFT_OUT), len(shown) - shown.index(LEFT_OUT) - 1
        return "".join(f"{line}\n" for line in [*lines[:first], LEFT_OUT, *lines[len(lines) - last :]])


def worked(page: str, folder: Path) -> Iterator[Answer]:
    """Works through a page in a folder. Raises WorkedError for a command that fails, and whatever a block of
    Python raises."""
    names: dict[str, Any] = {}
    block, printed = "", ""
    with contextlib.chdir(folder):
        for language, content in _BLOCK.findall(page):
            if language == "text":
                yield Answer(block, content, printed)
            elif language == "yaml":
                write_text(Path(content.partition("\n")[0].removeprefix("# ")), content)
            else:
                block, printed = content, _said(language, content, names)


def _said(language: str, content: str, names: dict[str, Any]) -> str:
    """What a block prints, without what stands at the ends of lines."""
    from reports.site.notebooks import run

    printed = run(content, names)[0] if language == "python" else "".join(map(_command, content.splitlines()))
    return "".join(f"{line.rstrip()}\n" for line in printed.splitlines())


def _command(line: str) -> str:
    """What a command prints on its standard output."""
    from click.testing import CliRunner

    from reports.cli import main

    done = CliRunner().invoke(main, shlex.split(line)[1:])
    if done.exit_code:
        raise WorkedError(f"{line} ends with {done.exit_code}: {done.output}")
    return done.stdout


def refreshed(page: str, folder: Path) -> str:
    """The page with every answer as it is."""
    answers = iter(list(worked(page, folder)))

    def answered(found: re.Match[str]) -> str:
        return f"```text\n{next(answers).abridged}```\n" if found[1] == "text" else found[0]

    return _BLOCK.sub(answered, page)


PAGES = ("tutorial.md", "exports.md")
"""The pages of `docs` that are worked through."""
