"""What a reviewer would ask for beside topologies chosen before training: other ways to few weights, trained
alike at equal budgets, and the indices that an engine must store for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from reports.studies.topologies.compared import with_error
from reports.studies.topologies.runs import Trained
from reports.tables import Cell, Column, Table
from workloads.training.pruning.blocks import BlockPruning
from workloads.training.pruning.n_m import NMPruning

BASELINES = "LeNet-300-100, baselines"
"""The group of the plan."""


@dataclass(frozen=True)
class Indices:
    """How many indices an engine made for the pattern stores, and how many bits one has at most."""

    count: int
    bits: int

    @classmethod
    def of(cls, network: Trained) -> Indices:
        """One a weight, or one a block; of N:M the place in a group of M, else an address of the first
        layer's inputs, of which there are most. A network that was not pruned has none."""
        recipe = network.runs[0].cell.recipe
        pruning, weights, places = recipe.pruning, network.stored_weights, recipe.inputs
        if pruning is None:
            return cls(0, 0)
        if isinstance(pruning, NMPruning):
            places = pruning.m
        elif isinstance(pruning, BlockPruning):
            places = math.ceil(places / pruning.columns)
            weights = math.ceil(weights / (pruning.rows * pruning.columns))
        return cls(weights, (places - 1).bit_length())


def baseline_table(networks: Sequence[Trained]) -> Table:
    """A line a network, by falling budget and accuracy."""
    shown = sorted(networks, key=lambda one: (-one.budget, -one.mean))
    columns: dict[Column, Callable[[Trained], Any]] = {
        Column("network"): lambda one: one.label,
        Column("stored weights", "count"): lambda one: one.stored_weights,
        Column("epochs", "count"): lambda one: one.runs[0].cell.recipe.total_epochs,
        Column("accuracy, mean ± standard error", "share"): lambda one: Cell(
            f"{one.mean} ± {one.standard_error}", with_error(one)
        ),
        Column("indices", "count"): lambda one: Indices.of(one).count,
        Column("bits of one", "count"): lambda one: Indices.of(one).bits or None,
    }
    return Table("", columns, ((value(one) for value in columns.values()) for one in shown))
