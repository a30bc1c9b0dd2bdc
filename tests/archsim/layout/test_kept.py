"""Placements are kept by content: the second time nothing is placed, and a broken entry costs a run only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archsim.layout import placed
from archsim.layout.placer import kept, placer
from tests.archsim.layout.problems import problem
from workloads.data.cache import CACHE_VARIABLE


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one where something is really placed; the cache is empty."""
    told: list[int] = []
    place = placer.place

    def counted(*arguments: object, **more: object) -> object:
        told.append(1)
        return place(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(kept, "place", counted)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    return told


def test_a_problem_is_placed_once(runs: list[int]) -> None:
    given = problem(cells=30, blocks=2, ports=4, nets=40)
    one, other = placed(given), placed(replace(given))
    assert len(runs) == 1
    assert (one.pin_um == other.pin_um).all()
    assert one.core == other.core


@pytest.mark.parametrize("changed", [{"utilisation": 0.5}, {"halo_um": 1.0}, {"cell_sites": np.full(30, 2)}])
def test_another_problem_is_placed_anew(changed: dict[str, object], runs: list[int]) -> None:
    given = problem(cells=30, blocks=1, ports=4, nets=40)
    placed(given)
    placed(replace(given, **changed))  # type: ignore[arg-type]
    placed(given, seed=2)
    assert len(runs) == 3


def test_a_net_that_was_looked_at_makes_no_other_problem(runs: list[int]) -> None:
    given = problem(cells=10, nets=10)
    before = given.digest
    assert given.pin_net is not None
    assert given.digest == before


@pytest.mark.parametrize("broken", ["", "{", '{"sha256": "0", "value": {}}'])
def test_a_broken_entry_costs_a_run_only(broken: str, runs: list[int], tmp_path: Path) -> None:
    given = problem(cells=30, ports=4, nets=40)
    first = placed(given)
    (entry,) = tmp_path.rglob("*.json")
    entry.write_text(broken)
    again = placed(given)
    assert len(runs) == 2
    assert (first.pin_um == again.pin_um).all()
