"""How the weights of dense layers become few while they are trained: a file a method.

A method is a class of `PruningRecipe`, whose fields are those of the section `pruning` of a recipe, and a
`Schedule`, which changes the connections of a run at its steps. One that prunes a few more at every event
derives from `GradualPruning`, one that keeps a number of weights from `BudgetedPruning`.
"""

from __future__ import annotations

from workloads.training.pruning.budget import BudgetedPruning
from workloads.training.pruning.gradual import GradualPruning
from workloads.training.pruning.registry import methods
from workloads.training.pruning.schedule import Schedule, keep, rewire

__all__ = ["BudgetedPruning", "GradualPruning", "Schedule", "keep", "methods", "rewire"]
