"""Decompositions over topologies and budgets, and what is remembered of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archsim.store import remembered
from reports.studies.topologies.decomposition import runs
from reports.studies.topologies.decomposition.runs import Candidate, Figures, candidates, run
from workloads import TopologyError
from workloads.measures.decomposition import Loss, decompose

SMALL: dict[str, Any] = {"families": ("dense", "clos", "low-rank")}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path))
    return tmp_path


def figures(chosen: tuple[Candidate, ...], losses: tuple[Loss, ...] = ("l1", "l2")) -> list[Figures]:
    return list(run(chosen, losses=losses, seeds=(0, 1), iterations=130, progress=False))


def test_a_family_takes_part_once_for_the_same_parameters_and_skips_only_where_they_fit() -> None:
    found = candidates((8,), (2, 4), **SMALL)
    kept = [(each.family, each.skipped) for each in found]
    assert kept.count(("dense", False)) == kept.count(("dense", True)) == 1
    assert ("low-rank", True) not in kept
    assert [each.compression for each in found if each.family == "low-rank"] == [2, 4]
    assert all(each.skips == (True,) for each in found if each.family == "dense" and each.skipped)
    without = candidates((8,), (2,), skips=(False,), **SMALL)
    assert not any(each.skipped or each.skips for each in without)


def test_every_family_with_a_grid_takes_part_where_none_is_named() -> None:
    found = {each.family for each in candidates((16,), (2,))}
    assert {"dense", "csc", "clos", "butterfly", "low-rank", "block-diagonal"} <= found
    assert "pruned" not in found


def test_a_dense_layer_meets_every_entry_and_a_sparse_one_no_more_than_its_freedom() -> None:
    by_family = {(each.family, each.skipped): each for each in figures(candidates((8,), (2,), **SMALL))}
    dense = by_family["dense", False]
    assert dense.met == (64, 64)
    assert (dense.freedom, dense.constraints, dense.stored_weights, dense.depth) == (64, 64, 64, 1)
    assert dense.parameter_efficiency == 1
    low = by_family["low-rank", False]
    assert (low.stored_weights, low.freedom) == (32, 2 * (8 + 8 - 2))
    assert all(0 < met <= 28 for met in low.met)
    assert all(0.1 < error < 1 for error in low.relative_errors)


def test_a_loss_that_was_not_asked_for_has_no_figures() -> None:
    (only,) = figures(candidates((8,), (2,), families=("low-rank",)), losses=("l2",))
    assert len(only.relative_errors) == 2
    assert only.absolute_errors == only.met == ()
    assert only.parameter_efficiency is None


def test_the_measures_are_not_taken_where_they_would_take_minutes() -> None:
    (large,) = figures(candidates((65,), (65,), families=("low-rank",)), losses=())
    assert (large.constraints, large.freedom) == (None, None)
    assert large.stored_weights == 130


def test_what_is_done_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is interrupted in its third decomposition does that and those after it when repeated."""
    calls: list[Any] = []

    def interrupted(*arguments: Any, **keywords: Any) -> Any:
        calls.append((keywords["loss"], keywords["seed"]))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return decompose(*arguments, **keywords)

    monkeypatch.setattr(runs, "decompose", interrupted)
    chosen = candidates((8,), (2,), families=("low-rank",))
    with pytest.raises(KeyboardInterrupt):
        figures(chosen)
    (resumed,) = figures(chosen)
    assert calls == [("l1", 0), ("l1", 1), ("l2", 0), ("l2", 0), ("l2", 1)]
    monkeypatch.undo()
    assert len(calls) == 5
    assert resumed.relative_errors[0] != resumed.relative_errors[1]


def test_a_repeated_run_gives_equal_figures_from_the_cache_and_without_it(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen = candidates((8,), (2,), families=("csc",))
    once, again = figures(chosen), figures(chosen)
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path / "other"))
    assert once == again == figures(chosen)


def test_an_entry_that_was_changed_or_cut_is_computed_again(cache: Path) -> None:
    assert remembered("things", {"a": 1}, lambda: [1, 2]) == [1, 2]
    (entry,) = (cache / "things").iterdir()
    assert remembered("things", {"a": 1}, lambda: [9]) == [1, 2]
    assert remembered("things", {"a": 2}, lambda: [9]) == [9]
    for broken in (entry.read_text().replace("[1, 2]", "[1, 3]"), entry.read_text()[:20], "[]"):
        entry.write_text(broken)
        assert remembered("things", {"a": 1}, lambda: [7]) == [7]


def test_a_computation_that_fails_leaves_nothing_behind(cache: Path) -> None:
    with pytest.raises(TypeError):
        remembered("things", {}, lambda: {1, 2})
    assert list((cache / "things").glob("*")) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (((8,), (9.0,)), "compression of a decomposition is 9.0, allowed are 1 to 8, the size"),
        (((8,), (0.5,)), "compression of a decomposition is 0.5, allowed are 1 to 8, the size"),
        (((257,), (2,)), "size of a decomposition is 257, allowed are 1 to 256"),
        (((0,), (2,)), "size of a decomposition is 0, allowed are 1 to 256"),
    ],
)
def test_a_plan_that_is_not_allowed_is_refused(arguments: Any, said: str) -> None:
    with pytest.raises(TopologyError) as refusal:
        candidates(*arguments)
    assert said in str(refusal.value)


def test_a_family_that_is_named_must_exist_and_have_a_grid() -> None:
    with pytest.raises(TopologyError, match="family is 'cloz'"):
        candidates((8,), (2,), families=("cloz",))
    with pytest.raises(TopologyError, match="family of a budget is 'pruned'"):
        candidates((8,), (2,), families=("pruned",))


def test_a_cache_that_cannot_be_written_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path / "file"))
    assert remembered("things", {"a": 1}, lambda: [1, 2]) == [1, 2]
    assert remembered("things", {"a": 1}, lambda: [3]) == [3]
    assert caplog.text.count("nothing is kept in the cache") == 1
