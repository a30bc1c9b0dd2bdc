"""To the hardware what a method of pruning leaves is a pruned network: every engine for any pattern runs it,
and stores shorter indices for groups and fewer for blocks by itself."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import archsim as a
from archsim.engine.pruned import PrunedMapping
from archsim.runs_on import engines_of_trained
from archsim.verification import verify
from tests.workloads.synthetic import patches
from tests.workloads.training.test_pruning import by
from workloads import TrainedNetwork, train
from workloads.training.pruning import methods

pytestmark = pytest.mark.slow

DATA = patches()


@cache
def trained(method: str, **changes: Any) -> TrainedNetwork:
    return train(by(method, **changes), progress=False, data=DATA)


@pytest.mark.parametrize("method", sorted(methods))
@pytest.mark.parametrize(
    "engine",
    [*(a.Pruned(pes=4, gather=gather) for gather in ("replicated", "banked", "scheduled")), a.Eie(pes=4)],
    ids=str,
)
def test_every_engine_for_any_pattern_runs_what_a_method_leaves(method: str, engine: a.Engine) -> None:
    network = trained(method)
    assert set(engines_of_trained(network)) >= {"eie", "pruned"}
    assert verify(engine.map(a.quantise(network, 8, 8)), inputs=2).agrees


def test_an_index_of_groups_is_a_place_in_the_group() -> None:
    mapping = a.Pruned(pes=4, gather="banked").map(a.quantise(trained("n-m", n=2, m=4), 8, 8))
    assert isinstance(mapping, PrunedMapping)
    assert (mapping.encoding.group, mapping.encoding.bits) == (4, 2)


def test_blocks_have_an_index_each() -> None:
    network = trained("blocks", rows=2, columns=4, stored_weights=104)
    mapping = a.Pruned(pes=4, gather="banked", index="blocks").map(a.quantise(network, 8, 8))
    assert isinstance(mapping, PrunedMapping)
    assert (mapping.encoding.lockstep, mapping.encoding.run) == (2, 4)
