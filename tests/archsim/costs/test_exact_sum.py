"""Sums of arrays are those of `math.fsum`, place by place, to the last bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from archsim.costs.exact_sum import total

NUMBERS = st.floats(-1e200, 1e200, allow_nan=False)
LIKE_ENERGIES = st.floats(1e-18, 1e-6)


@pytest.mark.parametrize("numbers", [NUMBERS, LIKE_ENERGIES], ids=["any", "like energies"])
@given(data=st.data())
def test_every_place_is_what_fsum_gives(numbers: st.SearchStrategy[float], data: st.DataObject) -> None:
    table = data.draw(arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=numbers))
    floats = data.draw(st.lists(numbers, max_size=5))
    expected = [math.fsum([*floats, *column]) for column in table.T]
    assert total([*floats, *table]).tolist() == expected


@pytest.mark.parametrize("tie", [[1.0, 2.0**-53], [1.0, 3 * 2.0**-53], [1.0, -(2.0**-54)]])
@pytest.mark.parametrize("beside", [0.0, 2.0**-120, -(2.0**-120), 1e-300, -1e-300])
def test_what_lies_between_two_floats_is_rounded_as_fsum_rounds_it(tie: list[float], beside: float) -> None:
    addends = [*tie, beside]
    assert total([np.array([value]) for value in addends]).tolist() == [math.fsum(addends)]


@pytest.mark.parametrize("addends", [[5e-324, 5e-324], [1e308, 7e307], [0.0, -0.0], [math.inf, 1.0]])
def test_at_the_ends_of_the_range(addends: list[float]) -> None:
    assert total([np.array([value]) for value in addends]).tolist() == [math.fsum(addends)]


def test_floats_alone_give_a_float() -> None:
    assert total([0.1] * 10) == 1.0
    assert total([]) == 0.0
