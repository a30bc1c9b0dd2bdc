"""Other ways to few weights: what each trains for, what it stores, and which indices go with it."""

from __future__ import annotations

import pytest

from reports.studies.topologies.baselines import BASELINES, Indices, baseline_table
from reports.studies.topologies.plan import plan
from reports.studies.topologies.runs import Trained, networks
from tests.reports.stand_in_experiments import runs


def group() -> list[Trained]:
    return networks(runs(), BASELINES)


@pytest.mark.parametrize(
    ("label", "budget", "indices"),
    [
        ("magnitude", 21_040, Indices(21_040, 10)),
        ("rewinding", 6_600, Indices(6_600, 10)),
        ("rigl", 6_600, Indices(6_600, 10)),
        ("2:4", 133_100, Indices(133_100, 2)),
        ("blocks of 2 × 4", 21_040, Indices(2_630, 8)),
        ("low-rank", 6_600, Indices(0, 0)),
        ("clos", 21_040, Indices(0, 0)),
        ("dense", 266_200, Indices(0, 0)),
    ],
)
def test_an_index_stands_for_a_weight_a_block_or_nothing(label: str, budget: int, indices: Indices) -> None:
    (network,) = (one for one in group() if (one.label, one.budget) == (label, budget))
    assert Indices.of(network) == indices


def test_all_are_trained_alike_and_rewinding_says_for_how_long() -> None:
    planned = [each for each in plan() if each.group == BASELINES]
    alike = [
        each.recipe.replace(name="x", layers=[{"family": "dense", "outputs": 10}], pruning=None).replace(
            rate={"peak": 1.0}, input_digits=()
        )
        for each in planned
    ]
    assert all(recipe == alike[0] for recipe in alike)
    assert {each.recipe.rate.peak for each in planned} <= {0.003, 0.01}
    assert {each.recipe.total_epochs for each in planned if each.label == "rewinding"} == {96}
    assert {each.recipe.total_epochs for each in planned if each.label != "rewinding"} == {20}


def test_the_table_has_the_budgets_in_turn_and_the_best_of_each_first() -> None:
    table, several = baseline_table(group()), group()
    assert len(table.rows) == len(several) == 19
    means = {(one.label, one.budget): one.mean for one in several}
    shown = [(row[0], int(row[1].replace(",", ""))) for row in table.rows]
    assert [budget for _, budget in shown] == sorted((budget for _, budget in shown), reverse=True)
    for budget in (21_040, 6_600):
        of_budget = [means[each] for each in shown if each[1] == budget]
        assert of_budget == sorted(of_budget, reverse=True)
