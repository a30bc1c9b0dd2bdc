"""A table is written once, and shown on a terminal, in a README and in a file of plain values."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, strategies as st
from rich.console import Console

from reports.tables import Cell, Column, Table

THIN = "\N{NARROW NO-BREAK SPACE}"
TABLE = Table(
    "Costs",
    ("design", Column("energy", "J"), Column("weights", "stored"), Column("loss", "share", 1)),
    [("csc", 6.78e-8, 16000, 0.0123), ("dense", None, 0, Cell(0.5, "half"))],
    name="costs",
)


def test_a_cell_is_shown_in_the_unit_of_its_column() -> None:
    assert TABLE.rows[0] == ("csc", f"67.8{THIN}nJ", f"2.00{THIN}kB", f"1.2{THIN}%")
    assert TABLE.rows[1] == ("dense", "—", f"0{THIN}B", "half")


def test_a_file_holds_plain_values_under_headings_with_their_unit() -> None:
    assert TABLE.csv().splitlines() == [
        "design,energy [J],weights [bit],loss [share]",
        "csc,6.78e-08,16000,0.0123",
        "dense,,0,0.5",
    ]


def test_a_readme_sets_numbers_to_the_right() -> None:
    assert TABLE.markdown().splitlines()[:2] == [
        "| design | energy | weights | loss |",
        "|---|---:|---:|---:|",
    ]


def test_a_row_has_a_cell_for_each_column_and_a_unit_is_known() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Table("", ("a", "b"), [("only one",)]).rows  # noqa: B018
    with pytest.raises(KeyError, match="furlong"):
        Table("", (Column("way", "furlong"),), [(1.0,)]).rows  # noqa: B018


@given(width=st.integers(40, 200), words=st.text("ab ", max_size=120))
def test_a_table_is_never_wider_than_the_terminal(width: int, words: str) -> None:
    table = Table("Long words", ("what", "why", Column("energy", "J")), [("x" * 30, words, 1e-9)], words=2)
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table)
    shown = console.export_text()
    assert max(map(len, shown.splitlines())) <= width
    assert f"1.00{THIN}nJ" in shown


@given(width=st.integers(40, 90), columns=st.integers(1, 12))
def test_no_number_is_broken_however_many_columns_there_are(width: int, columns: int) -> None:
    heads = {"what": "", **{f"design {place}": "count" for place in range(columns)}}
    row = [10**place + 12_345_678 for place in range(columns)]
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(Table("Many", heads, [("a long name of a figure", *row)]))
    shown = console.export_text()
    assert max(map(len, shown.splitlines())) <= width
    for number in row:
        assert f"{number:,}" in shown.split()


def test_a_column_is_stated_by_its_unit_with_the_places_behind_it() -> None:
    table = Table("", {"layer": "", "kept": "count", "share": "share 1"}, [("ip1", 1234, 0.125)])
    assert table.rows == (("ip1", "1,234", f"12.5{THIN}%"),)
    assert table.columns[2] == Column("share", "share", 1)


def test_names_of_fields_are_broken_behind_dots_and_low_lines_only() -> None:
    heads = ("engine.weight_bits", "training.overlap", "technology", "worst of 0.5 V")
    table = Table("", heads, [("4", "none", "cmos65", "1")], words=4)
    console = Console(width=44, record=True, file=io.StringIO())
    console.print(table)
    *broken, _ = [line.split() for line in console.export_text().splitlines()]
    parts = {part for line in broken for part in line}
    assert parts == {
        "engine.",
        "weight_",
        "bits",
        "training.",
        "overlap",
        "technology",
        "worst",
        "of",
        "0.5",
        "V",
    }
