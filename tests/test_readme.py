"""The README stays true: its examples run, its commands exist, its table of networks is the zoo's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import archsim
from reports.command_line import main
from workloads import load_network, zoo_names

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The first code block in a language."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_python_example_runs() -> None:
    names: dict[str, object] = {}
    exec(compile(block("python"), "README.md", "exec"), names)
    cost = names["cost"]
    assert isinstance(cost, archsim.Result)
    assert cost.cycles > 0


def test_the_design_file_is_one(tmp_path: Path) -> None:
    path = tmp_path / "design.yaml"
    path.write_text(block("yaml"), encoding="utf-8")
    assert archsim.DesignPoint.from_file(path).simulate("analytic").resources


def test_every_command_is_there() -> None:
    named = set(re.findall(r"^    archsim ([a-z]+)", README, re.MULTILINE))
    assert named == set(main.commands)


def test_two_commands_come_first() -> None:
    commands = re.findall(r"^    (.*?)\s+#", README, re.MULTILINE)
    assert commands[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("name", zoo_names())
def test_the_table_of_networks_is_that_of_the_zoo(name: str) -> None:
    network = load_network(name)
    row = (
        f"| {name} | {network.stored_weights:,} | {network.compression:.2f}× "
        f"| {network.accuracy['float']:.2%} | {network.accuracy['int8']:.2%} |"
    )
    assert row.replace("%", " %") in README
