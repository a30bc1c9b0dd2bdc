"""No design on a front is beaten, every other one is, and the chart names those on it."""

from __future__ import annotations

import itertools

from hypothesis import given, strategies as st
from matplotlib.figure import Figure

from reports.pictures.front import Dot, front, front_chart, move_apart

POINT = st.tuples(st.integers(1, 9).map(float), st.integers(1, 9).map(float))


def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """At most as dear, at least as accurate, and not the same."""
    return one[0] <= other[0] and one[1] >= other[1] and one != other


@given(st.lists(POINT, max_size=12))
def test_a_front_is_what_nothing_beats(points: list[tuple[float, float]]) -> None:
    designs = dict(enumerate(points))
    best = front(designs)
    for design, at in designs.items():
        assert (design in best) == (not any(beats(other, at) for other in points))
    ends = [designs[design] for design in best]
    assert ends == sorted(ends), "the cheapest first"
    for cheaper, dearer in itertools.pairwise(ends):
        assert cheaper[1] < dearer[1] or cheaper == dearer, "what is dearer is more accurate"


def test_the_chart_names_the_designs_on_the_front_only() -> None:
    dots = [
        Dot("csc", "cheap", 0.98, {"energy": 1e-9}),
        Dot("clos", "accurate", 0.99, {"energy": 3e-9}),
        Dot("clos", "beaten", 0.97, {"energy": 4e-9}),
    ]
    svg = front_chart("test", {"energy": ("nJ", 1e-9)}, dots)
    assert "<!-- cheap -->" in svg
    assert "<!-- accurate -->" in svg
    assert "<!-- beaten -->" not in svg


def test_names_of_designs_that_lie_close_do_not_cover_each_other() -> None:
    figure = Figure(figsize=(9, 4))
    axes = figure.subplots()
    names = [
        axes.annotate(f"a design, {place}", (1 + place / 1000, 1), (4, -9), textcoords="offset points")
        for place in range(3)
    ]
    axes.set_xlim(0, 4)
    move_apart(figure)
    boxes = [name.get_window_extent() for name in names]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
