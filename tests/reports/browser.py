"""Pages in a real browser, without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
WIDTHS = (1280, 390)
HEIGHT = 900
SLOWEST_MS = 180_000
"""What a browser may take for a page where others keep the machine busy."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM)
        yield launched
        launched.close()


def opened(browser: Browser, path: Path, *, place: str = "") -> tuple[Page, list[str]]:
    """The page at a place, and what its console and its network said meanwhile."""
    page = browser.new_page(viewport={"width": WIDTHS[0], "height": HEIGHT}, color_scheme="light")
    page.set_default_timeout(SLOWEST_MS)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith("file:") else heard.append(asked.url))
    page.goto(path.as_uri() + place)
    return page, heard


def looks(page: Page) -> Iterator[int]:
    """The page at each width in each theme: nothing is wider than the screen, the theme is the asked one, and
    every figure has words. The width is given back, to look further."""
    figures = page.locator("figure").count()
    assert page.locator('figure [role="img"][aria-label]:not([aria-label=""])').count() == figures
    schemes: tuple[Any, ...] = ("dark", "light")
    for width in WIDTHS[::-1]:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            red, green, blue = page.evaluate(
                "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
            )
            assert (red + green + blue > 600) == (scheme == "light")
            yield width
