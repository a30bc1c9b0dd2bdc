"""A search finds the front of a sweep at a share of its points, is the same each time and whoever stops it,
and says in a sentence what cannot be searched."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import archsim as a
from archsim.explore.search import search as searches
from archsim.explore.search.goals import Goals
from archsim.explore.search.sampling import Sampler
from archsim.explore.store import Row
from archsim.explore.sweep.work import Task
from tests.reports.stand_ins import small_network

AXES: dict[str, Any] = {
    "engine.pes": [1, 2, 3, 4, 6, 999],
    "engine.weight_bits": {"from": 4, "to": 8},
    "engine.fetch_bits": [16, 32, 64],
    "clock_hz": [1e7, 1e8, 2e9],
}
TWO = ("energy_j", "area_mm2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    small_network("csc").save(folder / "small.npz")
    return folder


@pytest.fixture
def space(folder: Path) -> a.Space:
    base = {"network": "small.npz", "engine": {"kind": "csc"}, "technology": "cmos65"}
    return a.Space.of(base=base, axes=AXES, folder=folder)


def with_axes(space: a.Space, **axes: Any) -> a.Space:
    named = {name.replace("__", "."): values for name, values in axes.items()}
    return a.Space.of(base=space.base, axes=named, folder=space.folder)


def keys(found: a.Search) -> list[str]:
    return [row.key for row in found.rows]


def stand_in(task: Task, fidelity: str) -> Row:
    """A row without hardware: what is smaller takes longer, and 999 PEs are refused."""
    engine, clock_hz = task.point["engine"], task.point.get("clock_hz", 1e8)
    pes, bits, fetch = (engine.get(name, 8) for name in ("pes", "weight_bits", "fetch_bits"))
    if pes == 999:
        return Row(task.key, task.point, fidelity, error="pes is 999, allowed are 1 to 256")
    figures = {
        "energy_j": 1e-9 * (bits * (1 + fetch / 64) + 40 / pes + 1e8 / clock_hz),
        "critical_path_s": 1e-9 * (3 + bits / 8),
        "clock_hz": clock_hz,
    }
    if task.point["technology"] == "cmos65":
        figures["area_mm2"] = 0.01 * pes * bits + 0.1 / fetch
    return Row(task.key, task.point, fidelity, figures)


class Costing:
    """Stands in for what costs points: counts them, and is interrupted after so many or loses one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, until: int = 10**9, loses: int = 0) -> None:
        self.until, self.loses = until, loses
        self.costed: list[str] = []
        monkeypatch.setattr(searches, "lasting_executor", lambda *_: nullcontext(self.executor))
        monkeypatch.setattr(searches, "executor_of", lambda *_: self.executor)

    def executor(self, todo: Iterable[Task], fidelity: str, folder: Path) -> Iterator[list[Row]]:
        rows: list[Row] = []
        for task in todo:
            if len(self.costed) == self.until:
                yield rows
                raise KeyboardInterrupt
            self.costed.append(task.key)
            row = stand_in(task, fidelity)
            lost = len(self.costed) == self.loses
            rows.append(replace(row, figures=None, error="full", lost=True) if lost else row)
        yield rows


@pytest.fixture
def costing(monkeypatch: pytest.MonkeyPatch) -> Costing:
    return Costing(monkeypatch)


def test_a_space_of_no_more_points_than_trials_is_costed_whole(
    space: a.Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)  # nobody has to propose anything
    small = with_axes(space, engine__pes=[1, 2, 4, 999], engine__fetch_bits=[16, 64], clock_hz=[1e7, 1e8])
    found = a.search(small, tmp_path / "search", objectives=TWO, trials=16, then="cycle")
    swept = a.sweep(small, tmp_path / "sweep", workers=0)
    assert found.exhaustive
    assert not found.better_enumerated
    assert found.refused == swept.frame["error"].notna().sum() == 4
    assert found.front["energy_j_at_cycle"].equals(found.front["energy_j"])
    assert found.front[[*TWO]].equals(swept.pareto(*TWO)[[*TWO]])


def test_a_search_costs_as_many_different_points_as_trials_and_keeps_them(
    space: a.Space, tmp_path: Path, costing: Costing
) -> None:
    found = a.search(space, tmp_path, objectives=TWO, trials=70)
    assert not found.exhaustive
    assert found.points == len(space) == 270
    assert len({*keys(found)}) == len(found.rows) == 70
    assert a.Store(tmp_path).keys() == {*keys(found)}
    assert found.front[[*TWO]].equals(a.pareto(found.frame, *TWO)[[*TWO]])


def test_a_refused_point_is_a_row_with_its_error_and_never_on_the_front(
    space: a.Space, tmp_path: Path, costing: Costing
) -> None:
    found = a.search(space, tmp_path, objectives=TWO, trials=70)
    refused = found.frame[found.frame["error"].notna()]
    assert len(refused) == found.refused > 0
    assert (refused["engine.pes"] == 999).all()
    assert not (found.front["engine.pes"] == 999).any()


def test_a_search_is_the_same_each_time_and_another_with_another_seed(
    space: a.Space, tmp_path: Path, costing: Costing
) -> None:
    first = a.search(space, tmp_path / "1", objectives=TWO, trials=60, seed=1)
    again = a.search(space, tmp_path / "2", objectives=TWO, trials=60, seed=1)
    other = a.search(space, tmp_path / "3", objectives=TWO, trials=60, seed=2)
    assert keys(first) == keys(again) != keys(other)


def test_more_trials_go_on_from_where_fewer_ended(
    space: a.Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costing = Costing(monkeypatch)
    fewer = a.search(space, tmp_path, objectives=TWO, trials=37)
    more = a.search(space, tmp_path, objectives=TWO, trials=80)
    assert keys(more)[:37] == keys(fewer)
    assert len(costing.costed) == len({*costing.costed}) == 80


@pytest.mark.parametrize("until", [1, 30, 75])
def test_a_search_that_was_stopped_goes_on_and_ends_as_one_that_was_not(
    until: int, space: a.Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, costing: Costing
) -> None:
    goals: dict[str, Any] = {"objectives": TWO, "constraints": ["clock_hz >= 1e8"], "trials": 80}
    whole = a.search(space, tmp_path / "whole", **goals)
    stopped = Costing(monkeypatch, until=until)
    with pytest.raises(KeyboardInterrupt):
        a.search(space, tmp_path / "stopped", **goals)
    monkeypatch.undo()
    going_on = Costing(monkeypatch)
    found = a.search(space, tmp_path / "stopped", **goals)
    assert keys(found) == keys(whole)
    assert found.judged == whole.judged
    assert [*stopped.costed, *going_on.costed] == keys(whole)


def test_what_could_not_be_finished_here_ends_a_search_and_is_tried_again(
    space: a.Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, costing: Costing
) -> None:
    whole = a.search(space, tmp_path / "whole", objectives=TWO, trials=80)
    Costing(monkeypatch, loses=20)
    found = a.search(space, tmp_path / "lost", objectives=TWO, trials=80)
    assert [row.error for row in found.lost] == ["full"]
    assert len(found.rows) < 80
    Costing(monkeypatch)
    again = a.search(space, tmp_path / "lost", objectives=TWO, trials=80)
    assert not again.lost
    assert keys(again) == keys(whole)


@pytest.mark.slow
def test_workers_find_what_one_process_finds(space: a.Space, tmp_path: Path) -> None:
    here = a.search(space, tmp_path / "here", objectives=TWO, trials=70, then="cycle")
    there = a.search(space, tmp_path / "there", objectives=TWO, trials=70, then="cycle", workers=2)
    assert keys(there) == keys(here)
    assert there.front.equals(here.front)


def test_what_a_space_does_not_have_is_passed_over_and_never_costed(
    space: a.Space, tmp_path: Path, costing: Costing
) -> None:
    narrow = a.Space.of(base=space.base, axes=AXES, where=["pes <= 4"], folder=space.folder)
    found = a.search(narrow, tmp_path, objectives=TWO, trials=60)
    assert found.passed_over > 0
    assert found.points == 180
    assert found.frame["engine.pes"].max() == 4


def test_a_constraint_is_met_by_all_of_the_front_and_by_more_of_a_search_that_is_told_of_it(
    space: a.Space, tmp_path: Path, costing: Costing
) -> None:
    told = a.search(
        space, tmp_path / "1", objectives=TWO, constraints=["clock_hz * critical_path_s <= 1"], trials=100
    )
    untold = a.search(space, tmp_path / "2", objectives=TWO, trials=100)
    fast = [frame["clock_hz"] * frame["critical_path_s"] <= 1 for frame in (told.frame, untold.frame)]
    assert (told.front["clock_hz"] * told.front["critical_path_s"] <= 1).all()
    assert told.missing_constraints == 100 - told.refused - fast[0].sum() > 0
    assert fast[0].sum() > fast[1].sum()


def test_optuna_is_told_of_what_misses_a_constraint_and_of_what_was_refused(space: a.Space) -> None:
    sampler = Sampler(space, goals := Goals.of(space, TWO, ["energy_j < 2"]), 0)
    told = [{"energy_j": energy_j, "area_mm2": 1.0} for energy_j in (1.0, 4.0, 2.5)]
    rows = [Row("key", space.point(0), "analytic", figures) for figures in told]
    rows.append(Row("key", space.point(0), "analytic", error="no"))
    for proposal, row in zip(sampler.generation(), rows, strict=False):
        sampler.tell(proposal, goals.judged(row))
    missed = [sum(trial.constraints.values()) for trial in sampler.study.trials[:4]]
    assert missed == pytest.approx([0, 0.5, 0.2, 2])
    assert [trial.number for trial in sampler.study.best_trials] == [0]


def test_a_space_of_few_points_is_better_enumerated(space: a.Space, tmp_path: Path, costing: Costing) -> None:
    assert a.search(space, tmp_path / "1", objectives=TWO, trials=100).better_enumerated
    thousand = {"from": 1, "to": 1000}
    large = with_axes(space, clock_hz=thousand, engine__pes=thousand)
    found = a.search(large, tmp_path / "2", objectives=TWO, trials=5)
    assert found.points is None
    assert not found.better_enumerated


def test_a_deeper_fidelity_stands_beside_the_first(space: a.Space, tmp_path: Path, costing: Costing) -> None:
    found = a.search(space, tmp_path, objectives=TWO, trials=60, then="cycle")
    assert {row.fidelity for row in found.deeper.values()} == {"cycle"}
    assert found.front["energy_j_at_cycle"].equals(found.front["energy_j"])
    assert found.front["holds_at_cycle"].all()
    assert len(a.results(tmp_path, where="fidelity == cycle")) == len(found.front)
    # A point of the front that comes out worse than another is on it no more; nor is one that is refused.
    _, second, *others = found.best
    worse = replace(found.deeper[second.key], figures=dict.fromkeys(TWO, 1.0))
    refused = replace(found.deeper[others[0].key], figures=None, error="no")
    changed = replace(found, deeper={**found.deeper, second.key: worse, others[0].key: refused})
    assert changed.front["holds_at_cycle"].tolist() == [True, False, False] + [True] * (len(others) - 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"objectives": ["beauty"]}, r"objective is 'beauty', allowed are .*energy_j"),
        ({"objectives": ["equal_throughput_power"]}, "objective is 'equal_throughput_power', allowed"),
        ({"objectives": ["energy_j:max"]}, "allowed are energy_j:min: less of it is better"),
        ({"objectives": ["accuracy:best"]}, "allowed are accuracy:max: more of it is better"),
        ({"objectives": ["energy_j", "energy_j:min"]}, "allowed are energy_j once"),
        ({"objectives": []}, r"objectives is \[\], allowed are names of figures"),
        ({"objectives": "energy_j"}, "objectives is 'energy_j', allowed are a list"),
        ({"constraints": ["beauty > 1"]}, "beauty is not"),
        ({"constraints": ["energy_j <"]}, "condition is 'energy_j <', allowed"),
        ({"trials": 0}, "trials is 0, allowed are 1 to"),
        ({"trials": 1.5}, "trials is 1.5, allowed"),
        ({"seed": -1, "trials": 10}, "seed is -1, allowed are 0 to"),
        ({"then": "analytic"}, "then is 'analytic', allowed are cycle, rtl, gate, layout"),
        ({"then": "spice"}, "fidelity is 'spice', allowed"),
        ({"fidelity": "layout", "then": "layout"}, "nothing is deeper than layout"),
        ({"workers": 2, "scheduler": "tcp://127.0.0.1:9"}, "none beside a scheduler"),
    ],
)
def test_what_cannot_be_searched_is_said_before_anything_is_costed(
    given: dict[str, Any], said: str, space: a.Space, tmp_path: Path
) -> None:
    with pytest.raises(a.Refusal, match=said) as caught:
        a.search(space, tmp_path / "out", **{"objectives": TWO} | given)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists() or len(a.Store(tmp_path / "out")) == 0


def test_a_figure_of_one_technology_alone_is_no_objective_of_two(
    space: a.Space, tmp_path: Path, costing: Costing
) -> None:
    both = with_axes(space, engine__pes=[2, 4], technology=["cmos65", "artix7"])
    with pytest.raises(a.Refusal, match=r"objective is 'area_mm2', .* on artix7 has none of it") as caught:
        a.search(both, tmp_path, objectives=TWO)
    assert len(a.Store(tmp_path)) == 4
    assert "'area_mm2 > 0'" in str(caught.value)
    found = a.search(both, tmp_path, objectives=TWO, constraints=["area_mm2 > 0"])
    assert set(found.front["technology"]) == {"cmos65"}
    assert found.missing_constraints == 2


def test_where_no_point_is_feasible_the_nearest_is_told(
    space: a.Space, tmp_path: Path, costing: Costing
) -> None:
    with pytest.raises(a.Refusal, match=r"none of which meets all .* 'area_mm2 < 1e-06' by \d+\.\d%"):
        a.search(space, tmp_path / "1", objectives=TWO, constraints=["area_mm2 < 1e-06"], trials=60)
    assert len(a.Store(tmp_path / "1")) == 60
    with pytest.raises(a.Refusal, match=r"none of which is free of errors, .* pes is 999"):
        a.search(with_axes(space, engine__pes=[999]), tmp_path / "2", objectives=TWO)


def test_without_optuna_a_sentence_says_what_to_install(
    space: a.Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(a.Refusal, match=r"optuna is missing, allowed are .* pip install 'archsim\[search\]'"):
        a.search(space, tmp_path, objectives=TWO, trials=10)
