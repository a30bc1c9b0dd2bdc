"""The front: what no other point is better than."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

import archsim as a
from archsim.explore.pareto import undominated

costs_of = hnp.arrays(
    np.float64, st.tuples(st.integers(0, 30), st.integers(1, 3)), elements=st.integers(0, 5).map(float)
)


@given(costs=costs_of)
def test_the_front_is_what_nothing_dominates(costs: np.ndarray) -> None:
    stays = undominated(costs)
    for place, one in enumerate(costs):
        better = ((costs <= one).all(axis=1) & (costs < one).any(axis=1)).any()
        assert stays[place] == (not better)


def test_more_accuracy_is_better() -> None:
    frame = pd.DataFrame({"energy_j": [1.0, 2.0, 3.0, None], "accuracy": [0.9, 0.95, 0.94, 0.99]})
    assert list(a.pareto(frame, "energy_j", "accuracy")["energy_j"]) == [1.0, 2.0]


@pytest.mark.parametrize("name", ["elegance", "network"])
def test_an_objective_that_no_result_has_is_refused(name: str) -> None:
    frame = pd.DataFrame({"energy_j": [1.0], "network": ["n"]})
    with pytest.raises(a.Refusal, match=r"objective is .* allowed are energy_j"):
        a.pareto(frame, name)
