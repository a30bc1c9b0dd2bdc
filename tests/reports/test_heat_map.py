"""A heat map is read without colours: its numbers, where the sign turns, and what does not count."""

from __future__ import annotations

import re

import pytest

from reports.pictures.charts import PALE
from reports.pictures.heat_map import LESS, MORE, Legend, Panel, Square, colour, heat_maps, shortened

LEGEND = Legend("PEs", ["1", "2"], "bits", ["4", "8"], "less", "more", "not told", "extrapolated")


def drawn(*squares: Square) -> str:
    """A map of two rows and two columns."""
    return heat_maps("test", [Panel("energy", [squares[:2], squares[2:]])], LEGEND, across=1)


def words(svg: str) -> list[str]:
    """What is written, each text as its comment says it."""
    return re.findall(r"<!-- (.*?) -->", svg)


def test_every_cell_says_its_number() -> None:
    told = words(drawn(Square(0.85), Square(1.384, marked=True), Square(12.34), Square(None, counts=False)))
    assert {"0.85", "1.38*", "12.3", "–"} <= set(told)
    assert {"PEs", "bits", "energy", "not told", "* extrapolated"} <= set(told)


@pytest.mark.parametrize(("ratio", "text"), [(0.005, "0.01"), (9.996, "10.0"), (99.96, "100"), (1.0, "1.00")])
def test_a_number_has_four_characters_at_most(ratio: float, text: str) -> None:
    assert shortened(ratio) == text


def lines(svg: str) -> int:
    """The thick lines of a map."""
    return len(re.findall(r"stroke-width: 2\.6", svg))


def test_a_line_stands_where_the_sign_turns_and_nowhere_else() -> None:
    assert lines(drawn(Square(0.9), Square(0.8), Square(0.7), Square(0.99))) == 0
    assert lines(drawn(Square(0.9), Square(1.1), Square(0.7), Square(1.2))) == 2
    assert lines(drawn(Square(0.9), Square(1.1, counts=False), Square(0.7), Square(0.6))) == 0


def test_a_colour_is_the_darker_the_farther_a_ratio_is_from_one() -> None:
    light = [sum(int(colour(Square(ratio))[at : at + 2], 16) for at in (1, 3, 5)) for ratio in (1, 1.5, 3)]
    assert light == sorted(light, reverse=True)
    assert colour(Square(8.0)) == colour(Square(4.0)) == MORE
    assert colour(Square(0.1)) == LESS
    assert colour(Square(0.1, counts=False)) == PALE
