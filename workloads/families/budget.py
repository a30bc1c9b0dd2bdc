"""Which parameters of a family store about so many weights."""

from __future__ import annotations

from typing import Any

from workloads.families.registry import families
from workloads.stages import TopologyError, whole_number

NEAR = 0.02
"""Counts that differ from a budget by less than this share of it are as good as equal."""


def fit_budget(family: str, n_in: int, n_out: int, weights: int) -> dict[str, Any]:
    """Parameters for `build_layer` whose count of weights fits the budget `weights`.

    The grid of the family is searched. Of the parameters whose count lies within 2 % of the budget the first
    of the grid is taken, because a grid begins with what the family prefers (full connectivity, balanced
    blocks); where none does, those whose count is nearest. Raises `TopologyError` where the family has no
    grid, or none for these sizes.
    """
    chosen, budget = families.named(family), whole_number(f"a {family} layer", "weights", weights)
    if chosen.grid is None:
        raise TopologyError(f"family of a budget is {family!r}, allowed is one with a grid of parameters")
    best: dict[str, Any] | None = None
    least = float("inf")
    for parameters in chosen.grid(n_in, n_out):
        distance = abs(chosen.weights(n_in, n_out, **parameters) - budget)
        if distance <= NEAR * budget:
            return parameters
        if distance < least:
            best, least = parameters, distance
    if best is None:
        raise TopologyError(
            f"sizes of a {family} layer are {n_in} and {n_out}, allowed are those of a layer that the "
            "grid of the family can build"
        )
    return best
