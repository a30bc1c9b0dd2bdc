"""No number without its unit, its source and how it came about."""

from collections.abc import Mapping
from typing import Any

import pytest

from archsim.technology import quantity as quantities
from archsim.technology.quantity import KINDS, ProvenanceError, Quantity, all_quantities, load_table, quantity

COMPLETE = {"value": 1.2, "unit": "V", "source": "a data sheet", "kind": "published"}


def test_every_number_of_every_data_file_has_a_unit_a_kind_and_a_source() -> None:
    found = all_quantities()
    assert len(found) > 5000
    assert {name.split(":")[0] for name in found} >= {
        "cmos65.yaml",
        "artix7.yaml",
        "sram_cacti7.csv",
        "cells_open_libraries.csv",
        "scaling_stillmaker2017.csv",
        "artix7_devices.csv",
        "artix7_primitives.csv",
    }
    for each in found.values():
        assert each.unit
        assert each.source
        assert each.kind in KINDS


@pytest.mark.parametrize("missing", ["value", "unit", "source", "kind"])
def test_a_number_that_lacks_one_of_the_four_is_refused_by_that_name(missing: str) -> None:
    entry = {key: value for key, value in COMPLETE.items() if key != missing}
    with pytest.raises(ProvenanceError, match=rf"supply: {missing} is missing"):
        quantity("supply", entry)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": "fast"}, "value is 'fast'; allowed is a number"),
        ({"value": True}, "value is True; allowed is a number"),
        ({"value": float("nan")}, "value is nan; allowed is a finite number"),
        ({"unit": " "}, "unit is ' '; allowed is a text"),
        ({"source": None}, "source is None; allowed is a text"),
        ({"kind": "guessed"}, "kind is 'guessed'; allowed are measured, published, fitted, assumed"),
        ({"error_factor": 0.5}, "error_factor is 0.5; allowed is a ratio of 1 or more"),
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


def test_a_table_column_without_a_unit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "t.csv": "node_nm,speed\n65,3\n",
        "t.yaml": "{table: t.csv, kind: published, source: somewhere, columns: {node_nm: nm}}",
    }
    monkeypatch.setattr(quantities, "read_text", files.__getitem__)
    with pytest.raises(ProvenanceError, match="column 'speed' has unit None"):
        load_table.__wrapped__("t.csv")


def test_a_table_without_a_source_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"t.csv": "node_nm\n65\n", "t.yaml": "{table: t.csv, kind: published, columns: {node_nm: nm}}"}
    monkeypatch.setattr(quantities, "read_text", files.__getitem__)
    with pytest.raises(ProvenanceError, match="source is missing"):
        load_table.__wrapped__("t.csv")
