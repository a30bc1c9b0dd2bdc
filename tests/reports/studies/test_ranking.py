"""How a measure ranks trained topologies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given, settings, strategies as st

from reports.studies.topologies.ranking import Observation, RankingError, rank_by

pytestmark = pytest.mark.slow


def observed(measures: list[float], accuracies: list[list[float]], group: str = "") -> list[Observation]:
    return [
        Observation(f"{group}{place}", measure, tuple(seeds), group)
        for place, (measure, seeds) in enumerate(zip(measures, accuracies, strict=True))
    ]


def test_a_measure_that_orders_topologies_as_training_does_correlates_fully() -> None:
    seeds = [[level - 0.001, level + 0.001] for level in (0.90, 0.93, 0.95, 0.96, 0.97)]
    rising = rank_by(observed([1, 2, 3, 5, 8], seeds), draws=200)
    assert rising.topologies == 5
    assert rising.correlation == pytest.approx(1)
    assert rising.high == pytest.approx(1)
    assert rising.ceiling == pytest.approx(1)
    falling = rank_by(observed([8, 5, 3, 2, 1], seeds), draws=200)
    assert falling.correlation == pytest.approx(-1)
    assert falling.low == pytest.approx(-1)


def test_four_topologies_by_hand() -> None:
    """Ranks 1 2 3 4 against 2 1 4 3: 1 - 6 * 4 / (4 * 15) = 0.6."""
    found = rank_by(observed([1, 2, 3, 4], [[0.2], [0.1], [0.4], [0.3]]), draws=200)
    assert found.correlation == pytest.approx(0.6)
    assert found.ceiling is None


def test_groups_are_ranked_by_themselves() -> None:
    """A measure that only tells large budgets from small ones correlates across them and not within."""
    small = observed([1, 2, 3, 4], [[0.83], [0.82], [0.81], [0.80]], "small")
    large = observed([11, 12, 13, 14], [[0.93], [0.92], [0.91], [0.90]], "large")
    together = [Observation(o.topology, o.measure, o.accuracies) for o in small + large]
    assert rank_by(together, draws=50).correlation > 0.4
    assert rank_by(small + large, draws=50).correlation == pytest.approx(-1)


def test_the_interval_of_noise_holds_zero_and_shrinks_with_more_topologies() -> None:
    random = np.random.default_rng(3)

    def width(topologies: int) -> float:
        found = rank_by(
            observed(random.normal(size=topologies).tolist(), random.normal(size=(topologies, 3)).tolist()),
            draws=300,
        )
        assert found.low < 0 < found.high
        return found.high - found.low

    assert width(80) < 0.6 * width(8)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """A measure plus as much noise, of normal variables: Pearson 1/sqrt(2), so Spearman is
    6/pi * asin(1/(2 sqrt(2))) = 0.690.  80 trials at 90 %: 72 expected, 2.7 standard deviation."""
    truth, covered = 6 / np.pi * np.arcsin(0.5 / np.sqrt(2)), 0
    random = np.random.default_rng(11)
    for _ in range(80):
        measures = random.normal(size=40)
        accuracies = measures + random.normal(size=40)
        found = rank_by(observed(measures.tolist(), accuracies[:, None].tolist()), confidence=0.9, draws=100)
        covered += found.low <= truth <= found.high
    assert 62 <= covered <= 79


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=12))
def test_the_correlation_is_that_of_scipy_ties_included(pairs: list[tuple[int, int]]) -> None:
    measures, accuracies = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    assume(np.ptp(measures) > 0)
    assume(np.ptp(accuracies) > 0)
    found = rank_by(observed(measures.tolist(), accuracies[:, None].tolist()), draws=20)
    assert found.correlation == pytest.approx(scipy.stats.spearmanr(measures, accuracies).statistic)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(-9, 9), min_size=3, max_size=8, unique=True), st.integers(0, 99))
def test_only_the_order_of_a_measure_counts(measures: list[int], seed: int) -> None:
    accuracies = np.random.default_rng(seed).random((len(measures), 2)).tolist()
    plain = rank_by(observed([float(m) for m in measures], accuracies), draws=20)
    cubed = rank_by(observed([float(m**3) for m in measures], accuracies), draws=20)
    assert plain == cubed
    assert -1 - 1e-12 <= plain.low <= plain.high <= 1 + 1e-12


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"confidence": 1.0}, "confidence of a ranking is 1.0, allowed are values between 0 and 1"),
        ({"draws": 19}, "draws of a ranking is 19, allowed are values of at least 20"),
        ({"observations": []}, "observations of a ranking is empty, allowed is at least one"),
        (
            {"observations": observed([1, 2], [[1], [2]], "a")},
            "group 'a' of a ranking number 2, allowed are",
        ),
        (
            {"observations": observed([5, 5, 5], [[1], [2], [3]])},
            "measures of a ranking are all 5, allowed are at least two",
        ),
        (
            {"observations": observed([1, 2, 3], [[1], [1], [1]])},
            "accuracies of a ranking are all 1, allowed are at least",
        ),
    ],
)
def test_what_cannot_be_ranked_is_refused(change: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"observations": observed([1, 2, 3], [[1], [2], [3]])}
    with pytest.raises(RankingError) as refusal:
        rank_by(**(given | change))
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("measure", "accuracies"), [(float("nan"), (0.5,)), (1.0, ()), (1.0, (float("inf"),))]
)
def test_an_observation_must_be_finite(measure: float, accuracies: tuple[float, ...]) -> None:
    with pytest.raises(RankingError, match="observation of clos has measure"):
        Observation("clos", measure, accuracies)
