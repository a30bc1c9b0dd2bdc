"""What every page must be: whole, by itself, and with no cell left open."""

from __future__ import annotations

from html.parser import HTMLParser

from reports.page import render
from reports.write_up.report import Report


class _Page(HTMLParser):
    """Counts elements, what would be loaded from elsewhere, and cells without text."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, int] = {}
        self.loaded: list[str] = []
        self.open_cells = 0
        self._cell: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1
        address = dict(attrs).get("href") or ""
        if tag in ("script", "link", "img", "iframe") or address.startswith(("http", "//")):
            self.loaded.append(address or tag)
        if tag == "td":
            self._cell = ""

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self.open_cells += not (self._cell or "").strip()
            self._cell = None


def check_page(report: Report) -> str:
    """Renders the page, checks that it stands by itself and that no cell is empty, and returns its text."""
    text = render(report)
    page = _Page()
    page.feed(text)
    assert page.loaded == []
    assert page.open_cells == 0
    assert page.seen["svg"] if any(section.charts for section in report.sections) else "svg" not in page.seen
    shown = sum(len(section.tables) for section in report.sections)
    assert page.seen["table"] == shown + 2 * bool(report.claims) + 1
    for table in (table for section in report.sections for table in section.tables):
        for row in (*table.rows, *table.values):
            assert len(row) == len(table.columns), table.name
    for each in report.assumptions:
        assert each.source, each.name
    return text
