"""Trained networks as data: they come back from their file, and what is shipped is what the plan asks for."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from reports.studies.topologies import runs as training_runs
from reports.studies.topologies.cascade_runs import CascadeRun, shipped_cascades
from reports.studies.topologies.compared import error_of_difference, seed_deviation
from reports.studies.topologies.files import write_records
from reports.studies.topologies.plan import (
    BOTTOM_UP,
    CONTIGUOUS,
    DENSE,
    FIRST_LAYER,
    LENET,
    NEAR,
    PRUNED,
    plan,
)
from reports.studies.topologies.runs import (
    FILE,
    Run,
    Trained,
    networks,
    shipped_runs,
    write_runs,
)
from reports.studies.topologies.trainings import Outcome
from tests.reports.stand_in_experiments import runs


def trained(*accuracies: float | None) -> Trained:
    made = [
        Run("group", "label", 10, "mnist", seed, {"epochs": 1}, Outcome(10, 100, None, accuracy, 1.0))
        for seed, accuracy in enumerate(accuracies)
    ]
    return Trained("group", "label", 10, tuple(made))


def test_a_mean_has_the_standard_error_of_its_seeds() -> None:
    network = trained(0.90, 0.92, 0.94)
    assert network.mean == pytest.approx(0.92)
    assert network.standard_error == pytest.approx(0.02 / math.sqrt(3))
    assert network.compression == 10


def test_a_training_that_left_the_finite_numbers_counts_as_chance() -> None:
    assert trained(0.9, None).accuracies == (0.9, 0.1)


def test_the_deviation_is_pooled_over_networks() -> None:
    deviation = seed_deviation([trained(0.90, 0.92), trained(0.80, 0.80), trained(0.5)])
    assert deviation == pytest.approx(math.sqrt(0.0002 / 2))
    error = error_of_difference(trained(0.9, 0.9), trained(0.8, 0.8), deviation)
    assert error == pytest.approx(deviation)


def test_runs_come_back_from_their_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [*runs()[:4], dataclasses.replace(runs()[4], outcome=Outcome(10, 100, None, None, 2.0))]
    (tmp_path / "data").mkdir()
    write_runs(made, tmp_path / "data" / FILE)
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    assert shipped_runs() == made
    assert [each.cell.key for each in shipped_runs()] == [each.cell.key for each in made]


def test_a_family_of_the_plan_is_there_at_three_budgets_or_misses_them() -> None:
    from workloads.families import families

    planned = [each for each in plan() if each.group == LENET]
    trained_families = {each.label for each in planned} - {BOTTOM_UP, CONTIGUOUS}
    assert len(trained_families) == 18
    assert trained_families <= set(families)
    for each in planned:
        if each.label != PRUNED:
            stored = each.recipe.topology().stored_weights
            assert abs(stored / each.budget - 1) <= NEAR, each.label
    counts = [sum(each.label == label for each in planned) for label in trained_families - {DENSE}]
    assert sum(count >= 3 for count in counts) >= 13


@pytest.mark.parametrize("name", ["butterfly", "monarch", "low-rank", "torus", "dey"])
def test_sizes_of_the_plan_are_those_of_the_rule_that_it_tells(name: str) -> None:
    from workloads.families import fit_budget

    for each in plan():
        if (each.group, each.label) == (LENET, name):
            rest = each.budget - 1000
            first, second, _ = each.recipe.layers
            assert first.parameters == fit_budget(name, 784, 300, round(rest * FIRST_LAYER))
            assert second.parameters == fit_budget(name, 300, 100, round(rest * (1 - FIRST_LAYER)))


def test_what_is_shipped_is_what_the_plan_asks_for() -> None:
    planned = plan()
    wanted = {(each.group, each.label, each.budget, cell.key) for each in planned for cell in each.cells()}
    found = {(each.group, each.label, each.budget, each.cell.key) for each in shipped_runs()}
    assert found == wanted


def test_every_network_has_three_seeds_at_least() -> None:
    found = shipped_runs()
    for group in {each.group for each in found}:
        assert all(len({one.seed for one in each.runs}) >= 3 for each in networks(found, group))


def test_runs_and_cascades_are_written_as_they_were_read(tmp_path: Path) -> None:
    data = Path(training_runs.__file__).parent / "data"
    write_records(tmp_path / "linear_cascades.csv", CascadeRun, shipped_cascades())
    write_runs(shipped_runs(), tmp_path / FILE)
    for path in tmp_path.iterdir():
        assert path.read_text() == (data / path.name).read_text(), path.name
