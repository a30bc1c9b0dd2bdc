"""Predictions beside published figures: what a row may say, and what must be said of it."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from reports.write_up.claims import MatchRule
from reports.write_up.predictions import (
    EXPLAINED_FROM,
    KINDS,
    Kind,
    Prediction,
    claim,
    compared,
    farthest,
    prediction_table,
    signed_percent,
    tally,
)

RULE = MatchRule(holds_within=0.15, partly_within=0.5)


def row(
    predicted: float, published: float = 100.0, *, kind: Kind = "predicted", why: str = "because"
) -> Prediction:
    return Prediction(
        place="here",
        figure="power",
        predicted=predicted,
        published=published,
        unit="W",
        exactness="exact",
        kind=kind,
        why=why,
    )


@given(predicted=st.floats(0, 1e6), published=st.floats(1e-3, 1e6))
def test_a_row_that_differs_much_must_say_why(predicted: float, published: float) -> None:
    if abs(predicted / published - 1) >= EXPLAINED_FROM:
        with pytest.raises(ValueError, match="why of here power is empty"):
            row(predicted, published, why="")
    else:
        assert not row(predicted, published, why="").needs_words


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"unit": "furlong"}, "unit of here power is 'furlong', allowed are"),
        ({"kind": "guessed"}, "kind of here power is 'guessed', allowed are predicted"),
        ({"predicted": float("nan")}, "predicted of here power is nan, allowed is a finite number"),
        ({"published": 0.0}, "published of here power is 0.0, allowed is a finite number above 0"),
    ],
)
def test_what_cannot_be_compared_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Prediction(**{**vars(row(1.0)), **values})


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.1234, "+12.3 %"), (-0.04, "−4.0 %"), (0.0, "0 %"), (0.0001, "0 %"), (2.5, "+250.0 %")],
)
def test_a_difference_shows_its_sign(share: float, shown: str) -> None:
    assert signed_percent(share).replace("\N{NARROW NO-BREAK SPACE}", " ") == shown


def test_figures_stand_beside_what_is_published_of_their_place() -> None:
    stated = {
        "power": {"unit": "W", "exactness": "exact", "published": {"here": 1.0, "there": 2.0}},
        "words": {"unit": "count", "exactness": "derived", "kind": "fitted", "published": {"there": 8}},
    }
    rows = compared([("here", {"power": 3.0, "words": 7}), ("there", {"words": 8})], stated)
    assert [(row.name, row.predicted, row.published) for row in rows] == [
        ("here, power", 3.0, 1.0),
        ("there, words", 8, 8),
    ]
    assert [(row.unit, row.exactness, row.kind) for row in rows] == [
        ("W", "exact", "predicted"),
        ("count", "derived", "fitted"),
    ]
    with pytest.raises(KeyError, match="area"):
        compared([("here", {"area": 1.0})], stated)


@pytest.mark.parametrize(
    ("predicted", "verdict"),
    [(100, "held"), (114, "held"), (86, "held"), (116, "partly"), (60, "partly"), (151, "failed")],
)
def test_a_claim_is_judged_by_the_stated_rule(predicted: float, verdict: str) -> None:
    assert claim(row(predicted), text="power", where="here", rule=RULE, other="").verdict == verdict


def test_only_predicted_rows_count_as_evidence() -> None:
    rows = [
        row(100),
        row(130),
        row(900, kind="fitted"),
        row(900, kind="partly fitted"),
        row(100, kind="arithmetic"),
    ]
    told = tally(rows)
    assert told.startswith("1 of 2 predicted figures")
    assert "1 partly fitted, 1 fitted, 1 arithmetic" in told
    assert farthest(rows) is rows[1]


def test_the_farthest_row_is_the_one_with_the_largest_factor() -> None:
    rows = [row(290), row(20)]
    assert farthest(rows) is rows[1]


def test_a_table_shows_kind_exactness_and_every_reason_once() -> None:
    table = prediction_table("name", "title", "place", [row(100, why=""), row(130), row(50)])
    assert table.marked == {1, 2}
    assert [line[2:4] for line in table.rows] == [("predicted", "exact")] * 3
    assert table.note.count("because") == 1
    assert "+30.0" in table.note
    assert "−50.0" in table.note
    assert table.values[1][-1] == pytest.approx(0.3)


def test_kinds_are_those_that_are_announced() -> None:
    assert KINDS == ("predicted", "partly fitted", "fitted", "arithmetic")
