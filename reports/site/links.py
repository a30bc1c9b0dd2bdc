"""From places in the repository to pages of the site. Pages of `docs` keep their names; pages from elsewhere
get one, and any other file that a page links to becomes a page that shows it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = "docs/"
SHOWN = "files/"
"""Where the pages of the site lie that show a file or a folder as it is."""

FROM_ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "workloads/zoo/README.md": "zoo.md",
    "workloads/recipes/README.md": "recipes.md",
}
"""Pages that lie elsewhere in the repository, with their place in the site. The README leads here."""

_FENCE = re.compile(r"^(`{3,})[^\n]*\n.*?^\1`*\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?:\[(?P<file>[\w.]+\.md)\]|\])\((?P<link>[^()\s]+)\)")
"""The end of a link; where its text is the name of a page's file, the text too."""

_ALONE = re.compile(r"^\[[^\]]*\]\(([^()\s]+\.(?:py|toml|ya?ml|j2))\)$", re.MULTILINE)
"""A link to a file that is a paragraph by itself: the site shows the file in its place."""

_DRAWING = re.compile(r"^!\[[^\]]*\]\((diagrams/[\w.-]+\.svg)\)$", re.MULTILINE)
"""A block diagram. It stands in the page itself, so as to be dark where that is, and to be found."""

_SWEEP = "```sweep\n"
"""How the tests know a block of YAML that is a sweep."""

LANGUAGES = {
    ".py": "python",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".json": "json",
    ".j2": "jinja",
}


def page_of(place: str) -> str | None:
    """The page of the site that shows a file or folder of the repository; None for what is no page but lies
    in `docs` itself, as pictures do."""
    if place in FROM_ELSEWHERE:
        return FROM_ELSEWHERE[place]
    if place.startswith(DOCS):
        return place.removeprefix(DOCS) if place.endswith(".md") else None
    return f"{SHOWN}{place}.md"


def place_of(page: str) -> str:
    """Where the text of a page of the site lies in the repository."""
    back = {shown: place for place, shown in FROM_ELSEWHERE.items() if shown != "index.md"}
    return back.get(page, DOCS + page)


def prose(text: str) -> Iterator[tuple[str, bool]]:
    """A text in pieces, each with whether it is a block of code."""
    at = 0
    for fence in _FENCE.finditer(text):
        yield text[at : fence.start()], False
        yield fence[0], True
        at = fence.end()
    yield text[at:], False


def targets(text: str, place: str) -> Iterator[str]:
    """The places in the repository that a page, which lies at `place`, links to."""
    for piece, is_code in prose(text):
        if not is_code:
            for found in _LINK.finditer(piece):
                if (target := _target(found["link"], place)) is not None:
                    yield target[0]


def _target(link: str, place: str) -> tuple[str, str] | None:
    """The place in the repository, and the anchor, that a link leads to; None for one that leads out of it,
    or stays on its page."""
    path, hash_, anchor = link.partition("#")
    if "://" in link or link.startswith("mailto:") or not path:
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(place), path)), hash_ + anchor


def for_the_site(text: str, place: str, page: str) -> str:
    """The text of a page, which lies at `place` and becomes `page`, with links that hold in the site, and
    with the files in place of links that are paragraphs by themselves."""

    def linked(found: re.Match[str]) -> str:
        target = _target(found["link"], place)
        if target is None or (shown := page_of(target[0])) is None:
            return found[0]
        text = "]"
        if found["file"]:  # readers of the site do not see the names of files
            text = f"[{title_of((ROOT / target[0]).read_text(encoding='utf-8'))}]"
        return f"{text}({posixpath.relpath(shown, posixpath.dirname(page) or '.')}{target[1]})"

    pieces = []
    for piece, is_code in prose(text):
        if is_code:
            pieces.append(piece.replace(_SWEEP, "```yaml\n", 1))
            continue
        piece = _DRAWING.sub(_drawn, piece)
        parts = _ALONE.split(piece)
        for number, part in enumerate(parts):
            pieces.append(included_file(part, place) if number % 2 else _LINK.sub(linked, part))
    return "".join(pieces)


def title_of(text: str) -> str:
    """The first heading of a page."""
    heading = re.search(r"^# (.+)$", text, re.MULTILINE)
    return re.sub(r"[`*]", "", heading[1]) if heading else ""


def _drawn(found: re.Match[str]) -> str:
    drawing = (ROOT / DOCS / found[1]).read_text(encoding="utf-8")
    return f'<figure class="engine">\n{drawing}</figure>'


def included_file(link: str, place: str) -> str:
    """What a file holds that a page links to, as a block of code under its path."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(place), link))
    return code(ROOT / target)


def code(path: Path) -> str:
    """A file as a block of code under its path."""
    language = LANGUAGES.get(path.suffix, "text")
    text = path.read_text(encoding="utf-8").rstrip("\n")
    return f"`{path.relative_to(ROOT).as_posix()}`\n\n````{language}\n{text}\n````"


def shown_file(place: str) -> str:
    """The page that shows a file of the repository, or lists a folder."""
    path = ROOT / place
    if not path.is_dir():
        return f"---\norphan: true\n---\n\n# {path.name}\n\n{code(path)}\n"
    inside = sorted(entry.name for entry in path.iterdir() if entry.is_file())
    links = "\n".join(f"- [{name}]({path.name}/{name}.md)" for name in inside)
    return f"---\norphan: true\n---\n\n# {place}\n\n{links}\n"
