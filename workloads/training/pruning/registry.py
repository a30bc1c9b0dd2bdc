"""The methods of pruning that are known, by name."""

from __future__ import annotations

from workloads.register import Register
from workloads.training.schema import PruningRecipe, RecipeError

MAGNITUDE = "magnitude"
"""The method of a recipe that names none."""

methods: Register[type[PruningRecipe]] = Register(
    "method", "workloads.training.pruning", group="archsim.pruning", error=RecipeError
)
"""Every method there is: a file of this folder, or a module that an installed package announces."""
