"""The site of all studies, made of stand-ins: an index whose links lead somewhere, and a study that fails
costs only its own page."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from playwright.sync_api import Browser

from reports.cli import main
from reports.published.index import counts
from reports.published.site import Entry
from reports.studies import registry
from reports.studies.registry import Study, lasts, quickest_first, studies
from reports.write_up.claims import Claim
from reports.write_up.record import Record, read
from reports.write_up.report import Chart, Report, Section
from reports.write_up.verdicts import Verdict, in_words
from tests.reports.browser import HEIGHT, browser, looks, opened
from workloads.refusal import Refusal

pytestmark = pytest.mark.slow

__all__ = ["browser"]

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 9" width="660pt" height="300pt"></svg>'
HELD, PARTLY, FAILED, NOT_TESTABLE = Verdict


def claim(topic: str, verdict: Verdict) -> Claim:
    return Claim(
        *(f"it has little {topic}, as <b>all</b> | do", topic, "one chip", "a big one", f"3 of {topic}"),
        *(verdict, "—", "so it is", "about 2×", "3×"),
    )


def report(name: str, *verdicts: Verdict) -> Report:
    claims = tuple(claim(f"topic {number}", verdict) for number, verdict in enumerate(verdicts))
    return Report(
        name=name,
        title=f"The paper of {name}",
        question="Is it so?",
        finding="3× in place of 2×.",
        setup="One chip.",
        citation="A. Author, 2020",
        summary=("In words.",),
        sections=(Section("Costs", charts=(Chart(SVG, "What it costs."),)),),
        claims=claims,
        rule="Rule: so.",
        limits=(),
        assumptions=(),
        designs={},
        command=f"archsim reproduce {name}",
        figures={"study": name},
    )


class Stood:
    """Studies that stand in for the real ones; each counts how often it ran, and may be told to raise."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.raises: dict[str, BaseException] = {}
        self.while_it_runs: Callable[[], None] = lambda: None

    def study(self, name: str, *verdicts: Verdict) -> Study:
        def reproduce() -> Report:
            self.ran.append(name)
            self.while_it_runs()
            if error := self.raises.get(name):
                raise error
            return report(name, *verdicts)

        return reproduce


@pytest.fixture
def stood(monkeypatch: pytest.MonkeyPatch) -> Stood:
    one = Stood()
    studies.find()
    members = {
        "slow-2019": lasts(cached_s=40, from_nothing_s=240)(one.study("slow-2019", HELD, PARTLY, FAILED)),
        "quick-2020": lasts(cached_s=1, from_nothing_s=2)(one.study("quick-2020", HELD, NOT_TESTABLE)),
        "unknown-2021": one.study("unknown-2021"),
    }
    monkeypatch.setattr(studies, "_members", members)
    monkeypatch.setattr(registry, "source_of", lambda name: "this source")
    return one


def all_of_them(out: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["reproduce", "all", "--out", str(out), *options])


def index(out: Path) -> dict[str, Any]:
    values = json.loads((out / "claims.json").read_text(encoding="utf-8"))
    assert (values["format"], values["format_version"]) == ("archsim claims", 1)
    return dict(values)


def states(out: Path) -> dict[str, str]:
    return {one["study"]: one["state"] for one in index(out)["studies"]}


def test_the_quickest_study_comes_first(stood: Stood) -> None:
    assert quickest_first() == ["quick-2020", "slow-2019", "unknown-2021"]


def test_every_real_study_says_how_long_it_takes() -> None:
    told = CliRunner().invoke(main, ["reproduce", "--help"]).output
    for name in studies:
        assert registry.duration_of(name) is not None, name
        # A line may end within a name.
        assert f"{name} (about " in " ".join(re.sub(r"-\n\s*", "-", told).split()), name


def test_every_claim_leads_to_its_place_on_its_page(stood: Stood, tmp_path: Path) -> None:
    done = all_of_them(tmp_path / "site")
    assert done.exit_code == 0, done.output
    assert stood.ran == quickest_first()
    assert "2 of 3: about 40 s, 4 minutes from nothing" in done.stderr
    claims = index(tmp_path / "site")["claims"]
    assert len(claims) == 5
    for one in claims:
        path, _, anchor = one["page"].partition("#")
        assert f'<tr id="{anchor}">' in (tmp_path / "site" / path).read_text(encoding="utf-8")
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'href="([^"#]+)', page)
    assert links
    assert all((tmp_path / "site" / link).is_file() for link in links)
    study = (tmp_path / "site" / "slow-2019" / "index.html").read_text(encoding="utf-8")
    assert 'href="../index.html"' in study


def test_the_index_counts_and_holds_every_claim_in_each_form(stood: Stood, tmp_path: Path) -> None:
    done = all_of_them(tmp_path, "--json")
    values = index(tmp_path)
    assert json.loads(done.stdout) == values
    assert values["counts"] == {"held": 2, "partly": 1, "failed": 1, "not testable": 1}
    said = "Of 5 claims of 2 papers 2 held, 1 held partly, 1 failed and 1 is not testable."
    page, text = ((tmp_path / name).read_text(encoding="utf-8") for name in ("index.html", "index.md"))
    assert said in page
    assert said in text
    rows = list(csv.DictReader((tmp_path / "claims.csv").read_text(encoding="utf-8").splitlines()))
    shown = ("study", "verdict", "claim", "published", "ours", "page")
    assert [[row[name] for name in shown] for row in rows] == [
        [one[name] for name in shown] for one in values["claims"]
    ]
    lines = [line for line in text.splitlines() if "#claim-" in line]
    assert len(lines) == len(rows)
    assert {line.replace(r"\|", "").count("|") for line in lines} == {7}
    assert "<b>all</b>" not in page


@pytest.mark.parametrize(
    ("error", "said"),
    [(Refusal("clock is 0, allowed are more"), "clock is 0"), (KeyError("lost"), "a defect of archsim")],
)
def test_a_study_that_fails_costs_only_its_own_page(
    stood: Stood, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path / "cache"))
    stood.raises["slow-2019"] = error
    done = all_of_them(tmp_path / "site")
    assert done.exit_code == 1
    assert "archsim: no page of slow-2019; the same command tries again.\n" in done.stderr
    assert states(tmp_path / "site") == {"quick-2020": "made", "slow-2019": "failed", "unknown-2021": "made"}
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "1 of 3 studies has no page" in page
    assert said in page
    assert not (tmp_path / "site" / "slow-2019").exists()
    stood.raises.clear()
    stood.ran.clear()
    again = all_of_them(tmp_path / "site")
    assert again.exit_code == 0
    assert stood.ran == ["slow-2019"]
    assert len(index(tmp_path / "site")["claims"]) == 5


def test_an_interrupted_run_leaves_an_index_and_goes_on(stood: Stood, tmp_path: Path) -> None:
    stood.raises["slow-2019"] = KeyboardInterrupt()
    done = all_of_them(tmp_path)
    assert done.exit_code == 130
    assert f"interrupted; the same command goes on from the pages in {tmp_path}" in done.stderr
    expected = {"quick-2020": "made", "slow-2019": "interrupted", "unknown-2021": "not made yet"}
    assert states(tmp_path) == expected
    assert "interrupted" in (tmp_path / "index.md").read_text(encoding="utf-8")
    stood.raises.clear()
    assert all_of_them(tmp_path).exit_code == 0
    assert stood.ran == ["quick-2020", "slow-2019", "slow-2019", "unknown-2021"]


def test_a_run_that_is_killed_leaves_an_index_that_says_what_is_missing(stood: Stood, tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []
    stood.while_it_runs = lambda: seen.append(states(tmp_path))
    all_of_them(tmp_path)
    assert [list(state.values()).count("not made yet") for state in seen] == [3, 2, 1]


def test_a_page_of_another_version_is_made_anew(
    stood: Stood, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_of_them(tmp_path)
    assert all_of_them(tmp_path).exit_code == 0
    assert len(stood.ran) == 3
    monkeypatch.setattr(registry, "source_of", lambda name: "another source")
    all_of_them(tmp_path)
    assert len(stood.ran) == 6


def test_a_page_made_alone_is_kept_and_one_of_other_trainings_is_not(stood: Stood, tmp_path: Path) -> None:
    registry.reproduce("quick-2020", tmp_path)
    record = read(tmp_path / "quick-2020")
    assert record is not None
    assert record.source == "this source"
    assert record.claims == report("quick-2020", HELD, NOT_TESTABLE).claims
    all_of_them(tmp_path)
    assert stood.ran.count("quick-2020") == 1


@pytest.mark.parametrize("text", ["", "[]", '{"format": "archsim study claims", "format_version": 99}'])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "claims.json").write_text(text, encoding="utf-8")
    assert read(tmp_path) is None


def test_what_all_cannot_do_is_refused_and_a_page_of_others_stays(stood: Stood, tmp_path: Path) -> None:
    refused = all_of_them(tmp_path, "--rerun")
    assert refused.exit_code == 2
    assert "study to rerun is 'all', allowed are" in refused.stderr
    (tmp_path / "index.html").write_text("mine", encoding="utf-8")
    refused = all_of_them(tmp_path)
    assert refused.exit_code == 2
    assert "index.html is of something else" in refused.stderr
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "mine"
    assert stood.ran == []


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ((), "No claims"),
        ((NOT_TESTABLE,), "The one claim is not testable"),
        ((HELD, HELD), "Both claims held"),
        ((FAILED,) * 3, "All 3 claims failed"),
        ((FAILED, HELD, HELD), "Of 3 claims 2 held and 1 failed"),
        ((NOT_TESTABLE, NOT_TESTABLE, PARTLY), "Of 3 claims 1 held partly and 2 are not testable"),
    ],
)
def test_verdicts_are_counted_in_words(verdicts: tuple[Verdict, ...], said: str) -> None:
    assert in_words(verdicts) == said


def test_a_study_without_claims_is_no_paper() -> None:
    records = [
        Record.of_report(report(name, *verdicts), source="", seconds=1.0)
        for name, verdicts in (("one", (HELD,)), ("none", ()))
    ]
    entries = [Entry(one.study, record=one) for one in records]
    assert counts(entries) == "The one claim of 1 paper held."


@pytest.fixture
def site(stood: Stood, tmp_path: Path) -> Path:
    assert all_of_them(tmp_path / "site").exit_code == 0
    return tmp_path / "site"


def test_the_index_looks_well_at_any_width_in_any_theme(browser: Browser, site: Path) -> None:
    page, heard = opened(browser, site / "index.html")
    for _ in looks(page):
        assert page.locator("figure").bounding_box()["y"] < HEIGHT / 2  # type: ignore[index]
    assert heard == []


def test_the_index_shows_the_claims_of_a_verdict_and_of_a_paper(browser: Browser, site: Path) -> None:
    page, heard = opened(browser, site / "index.html")
    rows = page.locator("#all tbody tr")
    assert rows.count() == 5
    page.select_option("#verdict", "held")
    assert rows.filter(visible=True).count() == 2
    assert page.inner_text("#shown") == "2 of 5 claims"
    page.select_option("#study", "slow-2019")
    assert rows.filter(visible=True).count() == 1
    forwarded, also = opened(browser, site / "index.html", place=page.url.partition("index.html")[2])
    assert forwarded.inner_text("#shown") == "1 of 5 claims"
    forwarded.locator("#all tbody tr").filter(visible=True).locator("a").first.click()
    assert forwarded.locator("tr:target").inner_text().startswith("it has little topic 0")
    forwarded.click("nav >> text=All published comparisons")
    assert forwarded.title() == "Published claims, and what came of them here"
    assert heard == also == []
