"""The README stays true: its examples run, its commands exist, its table of networks is the zoo's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import archsim
from archsim.technology.quantity import title_of
from reports.cli import main
from reports.documentation.readme import TABLES, rebuilt
from reports.site.worked import PAGES as WORKED
from tests.benchmarks.record import exponents

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PAGES = "\n".join([README, *(page.read_text(encoding="utf-8") for page in sorted(ROOT.glob("docs/*.md")))])


def block(language: str, text: str = README) -> str:
    """The first code block in a language."""
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


EXAMPLES = [
    pytest.param(text, id=f"{page.name} {number}")
    for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))
    if page.name not in WORKED
    for number, text in enumerate(re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_python_example_runs(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "import torch" in example:
        pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(example, "example", "exec"), names)
    cost = names["cost"]
    assert isinstance(cost, archsim.Result)
    assert cost.cycles > 0


def test_the_design_file_is_one(tmp_path: Path) -> None:
    path = tmp_path / "design.yaml"
    path.write_text(block("yaml"), encoding="utf-8")
    assert archsim.DesignPoint.from_file(path).simulate("analytic").resources


def test_every_command_is_there() -> None:
    named = set(re.findall(r"^    archsim ([a-z]+)", PAGES, re.MULTILINE))
    assert named == set(main.commands)


def test_two_commands_come_first() -> None:
    commands = re.findall(r"^    (.*?)\s+#", README, re.MULTILINE)
    assert commands[:2] == ["make demo", "make test"]


@pytest.mark.parametrize(
    "name",
    [
        "networks",
        "baselines",
        "errors",
        "numbers",
        "memories",
        "cells",
        "placing",
        "placing errors",
        "routing",
        "net law",
        "engines",
        "gathers",
        "zeros",
        "performance",
    ],
)
def test_the_tables_are_what_the_packages_say(name: str) -> None:
    assert f"<!-- {name} -->" in PAGES
    made = rebuilt(PAGES, dict.fromkeys(TABLES, lambda: "") | {name: TABLES[name]})
    block = re.compile(rf"<!-- {name} -->\n(.*?)\n<!-- end of {name} -->", re.DOTALL)
    assert block.findall(PAGES) == block.findall(made)


def test_every_table_stands_in_a_page_and_none_is_empty() -> None:
    standing = re.findall(r"<!-- end of (.*?) -->", PAGES)
    assert set(standing) == set(TABLES)
    emptied = rebuilt(PAGES, dict.fromkeys(TABLES, lambda: ""))
    for name in TABLES:
        assert f"<!-- {name} -->\n\n<!-- end of {name} -->" in emptied
        assert not re.search(rf"<!-- {name} -->\s*<!-- end of {name} -->", PAGES)


def test_the_exponents_of_the_benchmarks_are_those_of_powers() -> None:
    sizes = (10, 20, 50, 100)
    figures = [
        {"group": "grows", "cells": cells, "minimum_s": 3.0 * cells**1.5, "wire_m": cells**0.5}
        for cells in sizes
    ]
    few = [{**figure, "group": "few"} for figure in figures[1:]]
    other = {"group": "other", "minimum_s": 1.0}
    made = exponents([*figures, *few, other])
    assert made == {
        "grows": {
            "least_cells": 10,
            "most_cells": 100,
            "minimum_s": pytest.approx(1.5),
            "wire_m": pytest.approx(0.5),
        }
    }


def test_every_file_that_the_documents_name_is_there() -> None:
    named = re.findall(r"`((?:workloads|rtl|archsim|reports|tests|examples)/[\w/.-]+)`", PAGES + CONTRIBUTING)
    assert len(named) > 10
    assert [path for path in set(named) if not (ROOT / path).exists()] == []


def test_every_link_between_documents_leads_somewhere() -> None:
    pages = [page for room in (".", "docs", "examples", "workloads") for page in (ROOT / room).glob("*.md")]
    pages += (ROOT / "workloads").glob("*/*.md")
    lost = [
        (page.name, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert len(pages) > 7
    assert lost == []


def test_every_data_file_says_what_it_holds() -> None:
    data = ROOT / "archsim" / "technology" / "data"
    assert all(title_of(path.name) for path in data.glob("*.yaml"))
