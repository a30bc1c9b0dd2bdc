"""Lengths of nets: trees against what is known of them, and what of them a wire is long."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from archsim.layout import Placement
from archsim.layout.placer.placement import half_perimeters
from archsim.layout.wires import half_perimeter_um, tree_um, trees, wire_length_m
from archsim.technology.quantity import load_quantities

places = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12, unique=True)


def tree_of(pins: list[tuple[int, int]]) -> float:
    return float(trees(np.array([0, len(pins)]), np.array(pins, float), np.ones(1, bool))[0])


@given(places)
def test_a_tree_is_no_shorter_than_its_box_and_no_longer_than_wires_from_pin_to_pin(
    pins: list[tuple[int, int]],
) -> None:
    at = np.array(pins, float)
    box = float(half_perimeters(np.array([0, len(at)]), at)[0])
    spanning = float(minimum_spanning_tree(cdist(at, at, "cityblock")).sum())
    assert box <= tree_of(pins) + 1e-9
    assert tree_of(pins) <= spanning + 1e-9
    if len(pins) <= 3:
        assert tree_of(pins) == pytest.approx(box)


@pytest.mark.parametrize(
    ("pins", "length"),
    [
        ([(0, 0), (10, 0), (5, 5), (5, -5)], 20),  # A cross: its four arms meet in the middle.
        ([(0, 0), (10, 0), (0, 1), (10, 1)], 12),
        ([(0, 0), (4, 0), (0, 4), (4, 4)], 12),  # Of a square the tree has three sides.
        ([(3, 3)], 0),
    ],
)
def test_trees_that_are_known(pins: list[tuple[int, int]], length: float) -> None:
    assert tree_of(pins) == pytest.approx(length)


def test_a_pin_that_is_there_twice_costs_nothing() -> None:
    assert tree_of([(0, 0), (0, 0), (5, 2), (5, 2)]) == pytest.approx(7)


def test_nets_of_an_engine_are_a_tenth_longer_than_their_boxes(placed: Placement) -> None:
    """Katana's routes of like netlists were 1.10 to 1.13 times the half perimeters of their nets."""
    boxes, lengths = half_perimeter_um(placed), wire_length_m(placed)
    factor = float(load_quantities("layout.yaml")["routed_over_tree"])
    assert lengths == pytest.approx(1e-6 * factor * tree_um(placed))
    assert (tree_um(placed) >= boxes - 1e-6).all()
    assert 1.04 < lengths.sum() / (1e-6 * boxes.sum()) < 1.15
    assert not lengths[placed.problem.is_clock].any()
    pins = np.diff(placed.problem.net_start)
    assert not lengths[pins < 2].any()
