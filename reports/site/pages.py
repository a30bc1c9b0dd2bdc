"""All pages of the site as text, by their place in it, and the order in which they come.

`docs/index.md` says which pages there are and in which order: a heading is a section, a link in a list a page
of it. A page of `docs` that it does not name comes under *More*; the notebooks and the API come last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from reports.site.api import api_pages
from reports.site.links import (
    FROM_ELSEWHERE,
    ROOT,
    SHOWN,
    for_the_site,
    page_of,
    place_of,
    shown_file,
    targets,
    title_of,
)
from reports.site.notebooks import notebooks

DOCS = ROOT / "docs"
INDEX = "index.md"
_ENTRY = re.compile(r"^- \[([^\]]+)\]\(([^)#\s]+)\)", re.MULTILINE)


def site_pages() -> dict[str, str]:
    """The text of every page."""
    kept = {path.name: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
    kept |= {
        page: (ROOT / place).read_text(encoding="utf-8")
        for place, page in FROM_ELSEWHERE.items()
        if page != INDEX
    }
    made = {**notebooks(), **api_pages()}
    order = navigation(kept, made)
    shown = {page: for_the_site(text, place_of(page), page) for page, text in kept.items()}
    shown[INDEX] += "".join(map(_toctree, order, order.values()))
    return {**shown, **made, **shown_files(kept)}


def sections(index: str) -> dict[str, dict[str, str]]:
    """The sections of the index, each with the titles of its pages and the pages."""
    parts = re.split(r"^## (.+)$", index, flags=re.MULTILINE)
    return {
        heading: {title: page for title, link in _ENTRY.findall(text) if (page := _page(link)) is not None}
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def _page(link: str) -> str | None:
    """The page of the site that the index links to."""
    return page_of(link.removeprefix("../") if link.startswith("../") else f"docs/{link}")


def navigation(kept: Mapping[str, str], made: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Every page but the first once, by its title, in sections."""
    order = sections(kept[INDEX])
    named = {INDEX, *(page for listed in order.values() for page in listed.values())}
    more = {title_of(text): page for page, text in kept.items() if page not in named}
    if more:
        order["More"] = more
    for heading, folder in (("Notebooks", "notebooks/"), ("API", "api/")):
        order[heading] = {title_of(text): page for page, text in made.items() if page.startswith(folder)}
    return order


def _toctree(heading: str, listed: Mapping[str, str]) -> str:
    entries = "\n".join(f"{title} <{page.removesuffix('.md')}>" for title, page in listed.items())
    return f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n{entries}\n```\n"


def shown_files(kept: Mapping[str, str]) -> dict[str, str]:
    """The pages of all files of the repository that some page links to, those of folders among them, and of
    the notebooks."""
    wanted = [target for page, text in kept.items() for target in targets(text, place_of(page))]
    wanted += [path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").glob("*.py")]
    return {str(page_of(place)): shown_file(place) for place in sorted(_with_folders(wanted))}


def _with_folders(places: Iterable[str]) -> Iterator[str]:
    """Those of the places that are shown as they are, each once, with the files of folders."""
    done: set[str] = set()
    for place in places:
        inside = (f"{place}/{path.name}" for path in (ROOT / place).glob("*") if path.is_file())
        for wanted in (place, *inside):
            page = page_of(wanted)
            if wanted not in done and page and page.startswith(SHOWN) and (ROOT / wanted).exists():
                done.add(wanted)
                yield wanted
