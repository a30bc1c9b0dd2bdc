"""No number without its unit, its source and how it came about."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from archsim.technology.asic.generic_cells import LIBRARY_FILE
from archsim.technology.quantity import (
    KINDS,
    TEXT,
    ProvenanceError,
    Quantity,
    all_quantities,
    load_table,
    quantity,
    read_table,
)

COMPLETE = {"value": 1.2, "unit": "V", "source": "a data sheet", "kind": "published"}


COSTS = resources.files("archsim.technology") / "data"
STUDIES = Path(str(resources.files("reports.studies")))
TRAINED = STUDIES / "topologies" / "data"


def numbers(content: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The places of all numbers in what a YAML file holds."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from numbers(value, (*path, str(key)))
    elif isinstance(content, list):
        for value in content:
            yield from numbers(value, path)
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield path


def test_every_number_of_every_data_file_has_a_unit_a_kind_and_a_source() -> None:
    found = all_quantities()
    assert len(found) > 5000
    for each in found.values():
        assert each.unit
        assert each.source
        assert each.kind in KINDS


def test_no_file_of_costs_holds_a_number_that_the_walk_over_the_quantities_misses() -> None:
    found = all_quantities()
    known = Counter(name.split(":")[0] for name in found)
    for file in COSTS.iterdir():
        if file.name.endswith(".yaml"):
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
            assert {"quantities", "table"} & content.keys(), file.name
            places = list(numbers(content))
            for place in places:
                assert (place[0], place[2:]) in {
                    ("quantities", ("value",)),
                    ("quantities", ("error_factor",)),
                }, f"{file.name}: a number at {place}"
            assert known[file.name] == sum(place[-1] == "value" for place in places), file.name
        elif file.name.endswith(".csv"):
            rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
            units = load_table(file.name).columns
            assert set(units) == set(rows[0]), file.name
            filled = sum(row[column] != "" for row in rows for column, unit in units.items() if unit != TEXT)
            assert known[file.name] == filled > 0, file.name
        else:
            # The library is made from the tables byte by byte, which test_cells holds it to.
            assert file.name == LIBRARY_FILE


def test_a_column_of_text_is_not_a_column_of_numbers_in_hiding() -> None:
    for file in COSTS.iterdir():
        if file.name.endswith(".csv"):
            table = load_table(file.name)
            for column in (name for name, unit in table.columns.items() if unit == TEXT):
                filled = [row[column] for row in table.rows if row[column]]
                assert not filled or not all(_is_number(text) for text in filled), f"{file.name}: {column}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_every_description_of_a_table_has_its_table() -> None:
    files = {file.name for file in COSTS.iterdir()}
    for file in COSTS.iterdir():
        if file.name.endswith(".yaml"):
            table = yaml.safe_load(file.read_text(encoding="utf-8")).get("table")
            assert table is None or table in files, file.name


def test_published_figures_are_kept_apart_from_costs_and_name_the_publication() -> None:
    tables: set[str] = set()
    described = [*STUDIES.glob("*/published.yaml"), *TRAINED.glob("*.yaml")]
    assert len(described) > len(list(TRAINED.glob("*.yaml")))
    for file in described:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        if "files" in content:
            assert content["kind"] == "measured here"
            assert content["command"].strip()
            tables |= content["files"].keys()
        else:
            assert content["citation"].strip()
            assert content["exactness"].strip()
    assert {file.name for file in TRAINED.iterdir()} == {
        file.name for file in TRAINED.glob("*.yaml")
    } | tables


@pytest.mark.parametrize("missing", ["value", "unit", "source", "kind"])
def test_a_number_that_lacks_one_of_the_four_is_refused_by_that_name(missing: str) -> None:
    entry = {key: value for key, value in COMPLETE.items() if key != missing}
    with pytest.raises(ProvenanceError, match=rf"supply: {missing} is missing"):
        quantity("supply", entry)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": "fast"}, "value is 'fast', allowed is a number"),
        ({"value": True}, "value is True, allowed is a number"),
        ({"value": float("nan")}, "value is nan, allowed is a finite number"),
        ({"unit": " "}, "unit is ' ', allowed is a text"),
        ({"source": None}, "source is None, allowed is a text"),
        ({"kind": "guessed"}, "kind is 'guessed', allowed are measured, published, fitted, assumed"),
        ({"error_factor": 0.5}, "error_factor is 0.5, allowed is a ratio of 1 or more"),
        ({"colour": "red"}, "field 'colour' is unknown"),
    ],
)
def test_a_wrong_entry_is_refused_in_one_sentence(change: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ProvenanceError, match=message):
        quantity("supply", {**COMPLETE, **change})


def test_a_complete_entry_becomes_a_frozen_quantity() -> None:
    each = quantity("supply", COMPLETE)
    assert each == Quantity(name="supply", value=1.2, unit="V", kind="published", source="a data sheet")
    assert float(each) == 1.2
    with pytest.raises(AttributeError):
        each.value = 2.0  # type: ignore[misc]


def test_a_table_column_without_a_unit_is_refused(tmp_path: Path) -> None:
    files = {
        "t.csv": "node_nm,speed\n65,3\n",
        "t.yaml": "{table: t.csv, kind: published, source: somewhere, columns: {node_nm: nm}}",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ProvenanceError, match="column 'speed' has unit None"):
        read_table("t.csv", tmp_path)


def test_a_table_without_a_source_is_refused(tmp_path: Path) -> None:
    files = {"t.csv": "node_nm\n65\n", "t.yaml": "{table: t.csv, kind: published, columns: {node_nm: nm}}"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ProvenanceError, match="source is missing"):
        read_table("t.csv", tmp_path)
