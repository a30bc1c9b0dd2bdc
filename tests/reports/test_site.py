"""The documentation as a site: it builds without a warning, every link and anchor leads somewhere, nothing is
fetched, every page is in the navigation, every public name in the API once."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

import archsim as a
from archsim.costs.metrics import METRICS
from archsim.technology.quantity import all_quantities
from reports.diagram.pages import FOLDER, drawings, shown_engines
from reports.site.api import api_pages, names_by_subject
from reports.site.build import SiteError, build
from reports.site.links import for_the_site, page_of
from reports.site.notebooks import cells, rendered
from reports.site.pages import DOCS, navigation, sections
from reports.site.worked import PAGES, Answer, WorkedError, worked

if TYPE_CHECKING:
    from playwright.sync_api import Request

pytest.importorskip("sphinx")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")

ROOT = Path(__file__).parents[2]
FETCHED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "use": "href"}

LEAVES = {"tutorial.md": "page/index.html", "exports.md": "board/vivado.tcl"}
"""What each worked page leaves behind."""


class Parsed(HTMLParser):
    """The links, anchors and fetched resources of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.fetched: list[str] = []
        self.unnamed: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in FETCHED and (fetched := given.get(FETCHED[tag])):
            self.fetched.append(fetched)
        if tag == "img" and "alt" not in given:
            self.unnamed.append(given.get("src", ""))
        if tag == "svg" and given.get("class") == "diagram" and "aria-labelledby" not in given:
            self.unnamed.append("a diagram")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "docs"
    build(folder)
    return folder


@pytest.fixture(scope="module")
def parsed(site: Path) -> dict[Path, Parsed]:
    return {path: Parsed(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


@pytest.mark.long
def test_a_process_builds_the_site_twice(site: Path, tmp_path: Path) -> None:
    build(tmp_path / "again")
    written = {path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*.html")}
    assert written == {path.relative_to(site) for path in site.rglob("*.html")}


@pytest.mark.slow
def test_every_link_and_anchor_of_the_site_leads_somewhere(parsed: dict[Path, Parsed]) -> None:
    lost = []
    for path, page in parsed.items():
        for link in page.links:
            target, _, anchor = link.partition("#")
            if "://" in link or link.startswith("mailto:"):
                continue
            there = (path.parent / unquote(target)).resolve() if target else path
            if not there.exists() or (anchor and there in parsed and anchor not in parsed[there].anchors):
                lost.append((path.name, link))
    assert len(parsed) > 30
    assert lost == []


@pytest.mark.slow
def test_nothing_is_fetched_and_every_picture_has_words(site: Path, parsed: dict[Path, Parsed]) -> None:
    resources = {source for page in parsed.values() for source in page.fetched}
    assert len(resources) > 5
    assert [source for source in resources if "//" in source] == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"@import[^;]*|url\(\s*[\"']?(?:https?:)?//[^)]*", styles) == []
    assert [(path.name, named) for path, page in parsed.items() for named in page.unnamed] == []


@pytest.mark.slow
def test_diagrams_stand_in_the_page_and_files_as_they_are(site: Path) -> None:
    engines = (site / "engines.html").read_text(encoding="utf-8")
    assert engines.count('<svg xmlns="http://www.w3.org/2000/svg"') >= len(shown_engines())
    extending = (site / "extending.html").read_text(encoding="utf-8")
    assert "CountdownSizes" in extending
    assert "archsim.engines" in extending
    notebook = (site / "notebooks" / "compare_engines.html").read_text(encoding="utf-8")
    assert "energy an inference" in notebook


def lost(request: Request) -> list[str]:
    """What the page asked for and did not get.

    The browser asks for the icon of a page after it is loaded, and gives that request up where the page is
    left before; an icon that is not there fails in another way.
    """
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.url}: {request.failure}"]


@pytest.mark.slow
def test_the_site_works_from_disk_in_a_browser_without_network(site: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = next((path for path in map(Path, ("/usr/bin/chromium",)) if path.exists()), None)
    if chromium is None:
        pytest.skip("chromium is not installed")
    complaints: list[str] = []
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        for width, scheme in ((1280, "light"), (390, "dark")):
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
            )
            page = context.new_page()
            page.on("requestfailed", lambda request: complaints.extend(lost(request)))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            for name in ("index", "tutorial", "engines", "api/engines", "notebooks/compare_engines"):
                page.goto((site / f"{name}.html").as_uri())
                assert page.evaluate("document.documentElement.scrollWidth") <= width, name
                ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
                dark = max(map(int, re.findall(r"\d+", ground)[:3])) < 90
                assert dark == (scheme == "dark"), ground
            page.goto((site / "search.html").as_uri() + "?q=operand_isolation")
            page.wait_for_selector("ul.search li a", timeout=20_000)
            assert page.locator("ul.search li a").count() > 1
            context.close()
        browser.close()
    assert complaints == []


@pytest.mark.parametrize("link", ["lost.md#here", "#lost", "files/lost.md"])
def test_a_link_that_leads_nowhere_ends_the_build(
    link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.site.build.site_pages", lambda: {"index.md": f"# It\n\n[x]({link})\n"})
    monkeypatch.setattr("reports.site.build.DOCS", tmp_path / "nothing")
    with pytest.raises(SiteError, match="lost"):
        build(tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_every_page_is_in_the_navigation_once_and_new_ones_come_under_more() -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    order = navigation({**kept, "search.md": "# New\n"}, {"api/index.md": "# The API\n"})
    listed = Counter(page for pages in order.values() for page in pages.values())
    assert set(kept) - {"index.md"} <= set(listed)
    assert max(listed.values()) == 1
    assert "search.md" in {**order.get("More", {}), **sections(kept["index.md"]).get("Use", {})}.values()
    assert order["API"] == {"The API": "api/index.md"}


def test_every_public_name_is_in_the_api_once() -> None:
    listed = Counter(name for names in names_by_subject().values() for name in names)
    assert set(listed) == set(a.__all__)
    assert max(listed.values()) == 1
    api = "\n".join(api_pages().values())
    assert Counter(re.findall(r"^## (.+)$", api, re.MULTILINE)) == listed
    for name in a.__all__:
        if isinstance(made := getattr(a, name), type) and made.__doc__:
            assert made.__doc__.split("\n")[0].split("`")[0] in api, name


@pytest.mark.parametrize(
    ("link", "becomes"),
    [
        ("[the house](../CONTRIBUTING.md#the-house)", "[the house](contributing.md#the-house)"),
        ("See [a file](../examples/sweep.yaml)", "See [a file](files/examples/sweep.yaml.md)"),
        ("[next](sweeps.md#the-file)", "[next](sweeps.md#the-file)"),
        ("[out](https://example.org/x)", "[out](https://example.org/x)"),
        ("[data](network.schema.json)", "[data](network.schema.json)"),
        ("`[code](../x.md)`\n```\n[kept](../CONTRIBUTING.md)\n```", None),
    ],
)
def test_links_lead_to_where_things_are_in_the_site(link: str, becomes: str | None) -> None:
    shown = for_the_site(link, "docs/page.md", "page.md")
    assert shown == becomes if becomes else "[kept](../CONTRIBUTING.md)" in shown


def test_a_link_to_a_file_that_is_a_paragraph_shows_the_file() -> None:
    shown = for_the_site("[omega](../tests/plugin/archsim_example/omega.py)", "docs/page.md", "page.md")
    assert (ROOT / "tests/plugin/archsim_example/omega.py").read_text(encoding="utf-8").strip() in shown
    assert page_of("docs/diagrams/csc.svg") is None


def test_every_figure_of_a_result_is_explained_with_its_unit() -> None:
    page = (DOCS / "results.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]+) \|", page, re.MULTILINE)
    units = {name: unit for names, unit in rows for name in re.findall(r"`(\w+)`", names)}
    assert set(METRICS) <= set(units)
    for name, metric in METRICS.items():
        suffix = {"_j": "J", "_s": "s", "_w": "W", "_mm2": "mm²", "_bits": "bit"}
        expected = next((unit for end, unit in suffix.items() if name.endswith(end)), None)
        if name == "inferences_per_s":
            expected = "1/s"
        assert expected is None or units[name] == expected, name
        assert metric.relative == (units[name] == "ratio alone"), name


def test_every_kind_of_block_is_explained() -> None:
    page = (DOCS / "engines.md").read_text(encoding="utf-8")
    table = page.partition("<!-- engines -->")[0]
    for shown in shown_engines():
        for block in shown.diagram.blocks:
            assert re.search(rf"^\| [^|]*\b{block.name}\b", table, re.MULTILINE), block.name


def test_the_drawings_are_those_of_the_hardware() -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / FOLDER).glob("*.svg")}
    assert kept == drawings()


def test_a_notebook_shows_what_its_cells_end_with(tmp_path: Path) -> None:
    text = '# %% [markdown]\n# # Title\n# Words.\n\n# %%\nprint("said")\nnumber = 6\n\n# %%\nnumber * 7\n'
    assert [is_text for _, is_text in cells(text)] == [True, False, False]
    path = ROOT / "examples" / "look_at_topologies.py"
    assert rendered(path).startswith("# Topologies")
    monkey = tmp_path / "own.py"
    monkey.write_text(text, encoding="utf-8")
    shown = rendered(monkey)
    assert shown.startswith("# Title\nWords.")
    assert "said" in shown
    assert "<pre>42</pre>" in shown


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_a_worked_page_answers_what_it_says(name: str, tmp_path: Path) -> None:
    answers = list(worked((DOCS / name).read_text(encoding="utf-8"), tmp_path))
    assert len(answers) > 2
    for answer in answers:
        assert answer.stands == answer.abridged, answer.block
    assert (tmp_path / LEAVES[name]).exists()


def test_an_answer_is_shortened_as_the_one_in_the_page() -> None:
    assert Answer("it", "a\n…\nz\n", "1\n2\n3\n4\n").abridged == "1\n…\n4\n"
    assert Answer("it", "a\n…\n", "1\n2\n3\n").abridged == "1\n…\n"
    assert Answer("it", "a\n", "1\n2\n").abridged == "1\n2\n"


def test_a_command_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkedError, match=r"archsim simulate nothing\.yaml ends with 2"):
        list(worked("```sh\narchsim simulate nothing.yaml\n```\n```text\n```\n", tmp_path))


def test_every_assumed_number_is_named_in_the_documentation() -> None:
    page = (DOCS / "numbers.md").read_text(encoding="utf-8")
    assumed = [name for name, quantity in all_quantities().items() if quantity.kind == "assumed"]
    files = {name.partition(":")[0] for name in assumed}
    assert files
    assert all(f"`{file}`" in page for file in files)
