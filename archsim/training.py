"""Training a recipe on the engine of a design point: the recipe as that engine runs it, and its time.

Widths are those of the recipe. Energy and area of an engine that trains are not known yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from archsim.clock import FASTEST
from archsim.design import DesignError, DesignPoint
from archsim.engine.mapping import MappingError
from archsim.engine.training import TrainingMapping
from rtl.engines.training.sizes import TrainingSizes
from workloads import Recipe, RecipeError


@dataclass(frozen=True)
class TrainedOn:
    """A recipe on the engine of a design point, of these sizes, at a clock."""

    recipe: Recipe
    sizes: TrainingSizes
    clock_hz: float

    def time_s(self, samples: int) -> float:
        """Seconds that so many steps take, one a sample; inputs and labels are loaded apart."""
        return samples * self.sizes.cycles / self.clock_hz


def trained_on(recipe: Recipe, design: DesignPoint) -> TrainedOn:
    """The recipe with the PEs of the engine. Raises RecipeError for one that is not `on_chip`, DesignError
    for another engine than `clos` or the fastest clock, MappingError for stages that it does not train."""
    if recipe.on_chip is None:
        field = f"on_chip of {recipe.name}"
        raise RecipeError(f"{field} is missing, allowed is a section of a recipe for an engine that trains")
    if design.engine.kind != "clos":
        raise DesignError.of("engine.kind", design.engine.kind, "clos, of those the one that trains")
    if design.clock_hz == FASTEST:
        allowed = "hertz, because the critical path of an engine that trains is unknown"
        raise DesignError.of("clock_hz", FASTEST, allowed)
    changed = recipe.replace(on_chip={**recipe.on_chip.model_dump(), "pes": design.engine.pes})
    assert changed.on_chip, "as it was"
    mapping = TrainingMapping(changed.topology(), changed.on_chip, (1,) * design.engine.pes)
    try:
        return TrainedOn(changed, mapping.sizes, float(design.clock_hz))
    except MappingError as refused:
        raise MappingError(f"{recipe.name}: {refused}") from refused
