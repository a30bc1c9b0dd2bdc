"""Networks that grow: what a search bottom up is held against, and what densifying and calcifying save."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reports.studies.topologies.growing import DIRECT, FILE, SEARCH, content, growing, rung_weights
from reports.studies.topologies.growing_view import (
    ALL_RUNGS,
    GRID,
    Target,
    grown,
    grown_table,
    judged,
    search_table,
    targets,
    work_of,
)
from reports.studies.topologies.runs import Planned, Run, shipped_runs
from reports.studies.topologies.trainings import Outcome, recipe_values, train_cell
from tests.daily import todays
from workloads.training.growth import sizes_of

LEVELS = (0.93, 0.95, 0.962, 0.968, 0.974, 0.9765, 0.979, 0.983)
"""What the rungs reach when they are trained from the start."""
Level = Callable[[str, int], float]


def runs(gains: dict[str, float] | None = None) -> list[Run]:
    """A run of every network and seed; networks of some labels are better than the rungs from the start."""
    found = []
    for planned in growing():
        weights, level = _outcome(planned, gains or {})
        for seed in planned.seeds:
            settings = recipe_values(planned.recipe.replace(seed=seed))
            settings.pop("seed")
            outcome = Outcome(weights, 266_200, level, level - 0.001, 1.0)
            identity = planned.group, planned.label, planned.budget, planned.images
            found.append(Run(*identity, seed, settings, outcome))
    return found


def _outcome(planned: Planned, gains: dict[str, float]) -> tuple[int, float]:
    weights, growth = rung_weights(), planned.recipe.growth
    if planned.group != content()["ladder"]["group"]:
        return planned.budget, 0.98
    if growth is None:
        return planned.budget, LEVELS[weights.index(planned.budget)] + gains.get(planned.label, 0.0)
    reached = [level + gains.get(SEARCH, 0.0) for level in LEVELS]
    enough = (rung for rung, level in enumerate(reached) if growth.until and level >= growth.until)
    rung = next(enough, len(weights) - 1)
    return weights[rung], reached[rung]


def found(gains: dict[str, float] | None = None) -> list[Target]:
    return targets(runs(gains), 1)


def test_rungs_of_the_search_are_those_of_the_grid() -> None:
    for planned in growing():
        if planned.label.startswith(SEARCH):
            assert [size.stored_weights for size in sizes_of(planned.recipe)] == rung_weights()
    assert [each.budget for each in growing() if each.label == DIRECT] == rung_weights()
    assert rung_weights() == sorted(set(rung_weights()))


def test_a_search_takes_the_first_rung_that_reaches_the_target() -> None:
    first, *_, last = found()
    ways = {name: (way.rung, way.epochs, way.weights(way.rung)) for name, way in first.ways.items()}
    assert ways == {
        SEARCH: (3, 20, 7_400),
        GRID: (3, 20, 7_400),
        ALL_RUNGS: (3, 40, 7_400),
    }
    assert (last.ways[GRID].rung, last.ways[GRID].epochs) == (7, 40)


def test_a_target_that_is_missed_counts_as_all_epochs_and_no_weights() -> None:
    *_, last = found({DIRECT: -0.01})
    missed = last.ways[GRID]
    assert (missed.rung, missed.epochs, missed.weights(missed.rung)) == (8, 40, None)
    assert (missed.reached, missed.accuracy) == (0, None)
    assert last.ways[SEARCH].reached == 5


def test_bottom_up_holds_where_it_is_smaller_and_faster_at_every_target() -> None:
    assert judged(found({SEARCH: 0.01})) == "held"
    assert judged(found()) == "partly"
    assert judged(found({SEARCH: -0.004})) == "partly"
    assert judged(found({SEARCH: -0.03})) == "failed"


def test_every_seed_counts_by_its_own() -> None:
    worse = runs()
    for place, one in enumerate(worse):
        if one.label == DIRECT and one.seed <= 2:
            outcome = Outcome(one.budget, 266_200, 0.5, 0.5, 1.0)
            worse[place] = Run(one.group, one.label, one.budget, one.images, one.seed, one.settings, outcome)
    grid = targets(worse, 1)[0].ways[GRID]
    assert [one.rung for one in grid.seeds] == [8, 8, 3, 3, 3]
    assert (grid.rung, grid.reached) == (3, 3)
    assert len(search_table(found()).cells) == 9


def test_work_is_a_share_of_that_of_the_final_size() -> None:
    of = {each.label: work_of(each.recipe) for each in growing()}
    sizes = [8_800, 15_200, 21_000, 26_800]
    direct, densified = of["csc, direct"], of["csc, densified"]
    assert (direct.products, direct.updates, direct.frozen) == (1, 1, 0)
    assert densified.products == densified.updates == pytest.approx(sum(sizes) / 4 / sizes[-1])
    calcified = of["csc, densified, calcified"]
    assert calcified.products == densified.products
    assert calcified.updates == pytest.approx(0.25)
    assert calcified.frozen == pytest.approx(sizes[-2] / sizes[-1])
    assert calcified.updates < of["csc, densified, calcified late"].updates < densified.updates
    assert densified.updates < of["csc, densified, early"].updates < 1


def test_ways_stand_beside_the_direct_one_of_their_family() -> None:
    rows = grown(runs())
    assert [one.network.label.split(",")[0] for one in rows] == ["csc"] * 5 + ["clos"] * 5
    assert all(one.direct.label == f"{one.network.label.split(',')[0]}, {DIRECT}" for one in rows)
    assert sorted(grown_table(rows).marked) == [0, 5]


def test_the_shipped_runs_are_those_of_the_plan() -> None:
    planned = {(each.label, each.budget, cell.key) for each in growing() for cell in each.cells()}
    assert {(run.label, run.budget, run.cell.key) for run in shipped_runs(FILE)} == planned


@pytest.mark.slow
def test_todays_rows_come_out_again(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archsim.store.cache_folder", lambda: tmp_path_factory.mktemp("empty"))
    lowest = f"{SEARCH} to {content()['ladder']['targets'][0] * 100:.1f} %"
    for run in todays([run for run in shipped_runs(FILE) if run.label in (DIRECT, lowest)], 1, FILE):
        again = train_cell(run.cell)
        assert again.stored_weights == run.outcome.stored_weights
        assert again.test_accuracy == pytest.approx(run.outcome.test_accuracy, abs=0.005)
