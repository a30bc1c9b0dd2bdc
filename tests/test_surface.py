"""What a newcomer meets first: mappings that say what there is, short reprs, equal values, help, completion
and the examples."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import archsim as a
from reports.cli import main
from tests.examples import DESIGNS, EXAMPLES

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted(EXAMPLES.glob("*.py"))
SCHEMA = EXAMPLES / "design.schema.json"
LONGEST = 200


def design(**changes: Any) -> a.DesignPoint:
    network = "lenet-300-100-csc-x40"
    return a.DesignPoint(**{"network": network, "engine": a.Csc(), "technology": "cmos65"} | changes)


def public_objects() -> dict[str, object]:
    point = design()
    result = point.simulate("analytic")
    return {
        "engine": point.engine,
        "design": point,
        "result": result,
        "counts": result.counts,
        "bill": result.bill,
        "term": result.terms("energy_j")[0],
        "mapping": point.mapping,
        "pruned mapping": design(network="lenet-300-100-pruned-x40", engine=a.Pruned()).mapping,
        "sizes": point.mapping.sizes,
        "network": point.trained,
        "integer network": point.integer,
        "topology": a.load_network(point.network).topology,
        "stage": a.load_network(point.network).topology.layers[0][0],
        "pruned stage": a.networks["lenet-300-100-pruned-x40"].topology.layers[0][0],
        "recipe": a.load_recipe("lenet-300-100-csc"),
        **{kind: a.technologies[kind]() for kind in a.technologies if kind != "asic"},
        **{name: getattr(a, name) for name in ("engines", "technologies", "families", "networks")},
    }


@pytest.mark.parametrize("name", public_objects())
def test_a_public_object_shows_itself_in_a_line(name: str) -> None:
    shown = repr(public_objects()[name])
    assert len(shown) <= LONGEST, shown
    assert "\n" not in shown
    assert "object at 0x" not in shown


@pytest.mark.parametrize("name", ["engines", "technologies", "families", "networks"])
def test_what_there_is_can_be_listed_and_taken(name: str) -> None:
    there_is = getattr(a, name)
    assert len(there_is) == len(list(there_is)) > 3
    assert all(there_is[member] is not None for member in there_is)
    assert "no such thing" not in there_is


def test_equal_design_points_are_equal_and_can_be_keys() -> None:
    named, made, told = design(), design(technology=a.Cmos65()), design(technology={"kind": "cmos65"})
    assert named == made == told
    assert len({named, made, told, design(engine=a.Csc(pes=8))}) == 2
    assert design(technology="artix7") != named


def test_results_and_networks_show_a_table_in_a_notebook() -> None:
    shown = design().simulate("analytic")._repr_html_()
    assert "energy an inference" in shown
    assert shown.count("<tr>") > 10
    assert "<t" in a.load_network(design().network)._repr_html_()


def test_every_refusal_is_of_one_base() -> None:
    for wrong in ({"engine": {"kind": "csc", "pes": 0}}, {"technology": "cmos66"}, {"network": "nothing"}):
        with pytest.raises(a.Refusal, match="allowed"):
            design(**wrong).simulate("analytic")
    with pytest.raises(a.Refusal, match="allowed are"):
        a.build_layer("csk", 8, 8)


def test_the_shipped_schema_is_what_the_command_prints() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == a.DesignPoint.model_json_schema()


@pytest.mark.parametrize("path", DESIGNS, ids=lambda path: path.stem)
def test_an_example_is_a_design_point_and_meets_the_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# yaml-language-server: $schema={SCHEMA.name}\n")
    jsonschema.validate(yaml.safe_load(text), a.DesignPoint.model_json_schema())
    assert a.DesignPoint.from_file(path).simulate("analytic").energy_j


@pytest.mark.parametrize(
    "changed",
    [
        {"engine": {"kind": "csc", "pes": 1000}},
        {"engine": {"kind": "cs"}},
        {"engine": {"pes": 16}},
        {"technology": "cmos66"},
        {"technology": {"kind": "artix7", "device": "XC7A1T"}},
        {"clock": 1e6},
    ],
)
def test_the_schema_refuses_what_a_design_point_refuses(changed: dict[str, Any]) -> None:
    content = yaml.safe_load((EXAMPLES / "csc-cmos65.yaml").read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content | changed, a.DesignPoint.model_json_schema())
    with pytest.raises(a.Refusal):
        a.DesignPoint(**content | changed)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path) -> None:
    assert "# %% [markdown]" in path.read_text(encoding="utf-8")
    assert runpy.run_path(str(path))


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "archsim", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
    )


def test_alone_it_prints_its_help() -> None:
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: archsim")
    assert all(f"\n  {command} " in done.stdout for command in main.commands)


@pytest.mark.parametrize(
    ("command", "known"),
    [
        ("reproduce", "csc-dac2019"),
        ("train", "lenet-300-100-csc"),
        ("topology", "benes"),
        ("explain", "energy_j"),
        ("calibrate", "cmos65"),
    ],
)
def test_help_lists_what_a_command_takes(command: str, known: str) -> None:
    assert known in run(command, "--help").stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("reproduce csc", "csc-dac2019"),
        ("topology be", "benes"),
        ("train lenet-300-100-d", "lenet-300-100-dense"),
    ],
)
def test_completion_offers_names(typed: str, offered: str) -> None:
    words = f"archsim {typed}"
    told = run(COMP_WORDS=words, COMP_CWORD=str(len(words.split()) - 1), _ARCHSIM_COMPLETE="bash_complete")
    assert f"plain,{offered}" in told.stdout.splitlines()
