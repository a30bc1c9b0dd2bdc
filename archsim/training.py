"""Training a recipe on the engine of a design point: the recipe as that runs it, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archsim.clock import FASTEST
from archsim.costs.result import Result
from archsim.design import DesignError, DesignPoint
from archsim.engine import engines
from archsim.engine.mapping import MappingError
from archsim.engine.training.mapping import TrainingLayout
from archsim.refusals import named_in
from rtl.engines.training.sizes import TrainingSizes
from workloads import Recipe, RecipeError
from workloads.training.onchip.arithmetic import WINDOW
from workloads.training.schema import OnChipArithmetic
from workloads.training.training import samples_of


@dataclass(frozen=True)
class TrainedOn:
    """A recipe on the engine of a design point, of these sizes."""

    recipe: Recipe
    sizes: TrainingSizes
    design: DesignPoint

    @property
    def steps(self) -> int:
        """Steps of the whole training, one a sample, and those in which the last samples of a window go
        back."""
        assert self.recipe.on_chip, "a recipe on chip"
        samples = samples_of(self.recipe)
        emptied = self.recipe.on_chip.in_flight(len(self.sizes.trained)) * -(-samples // WINDOW)
        return (samples + emptied) * self.recipe.epochs

    def step(self, network: Path, fidelity: str = "cycle") -> tuple[Result, Result]:
        """What the first step costs, from random weights, and one from those that were trained, in a file.
        The rates are the first and the last. Raises as `simulate` does."""
        assert self.recipe.on_chip, "a recipe on chip"
        arithmetic = {name: getattr(self.recipe.on_chip, name) for name in OnChipArithmetic.model_fields}
        levels = self.recipe.rate.levels
        ends = (("initial", levels[0]), ("trained", levels[-1]))
        first, last = (
            self.design.replace(
                network=str(network), training={**arithmetic, "weights": weights, "rate": rate}
            ).simulate(fidelity)
            for weights, rate in ends
        )
        return first, last


def trained_on(recipe: Recipe, design: DesignPoint) -> TrainedOn:
    """The recipe with the PEs of the engine. Raises RecipeError for one that is not `on_chip`, DesignError
    for an engine that does not train or the fastest clock, MappingError for stages that it does not train."""
    if recipe.on_chip is None:
        field = f"on_chip of {recipe.name}"
        raise RecipeError(f"{field} is missing, allowed is a section of a recipe for an engine that trains")
    if not design.engine.trains:
        able = sorted(name for name, made in engines.items() if made.trains)
        raise DesignError.of("engine.kind", design.engine.kind, f"{', '.join(able)}, of those that train")
    if design.clock_hz == FASTEST:
        allowed = "hertz, because the same clock is taken before and after the training"
        raise DesignError.of("clock_hz", FASTEST, allowed)
    changed = recipe.replace(on_chip={**recipe.on_chip.model_dump(), "pes": design.engine.pes})
    assert changed.on_chip, "as it was"
    engine, registers = design.engine, (1,) * design.engine.pes
    layout = TrainingLayout(changed.topology(), changed.on_chip, engine.trains, registers)
    try:
        with named_in(
            engine=type(engine).model_fields.keys() - OnChipArithmetic.model_fields.keys(),
            on_chip=OnChipArithmetic.model_fields,
        ):
            return TrainedOn(changed, layout.sizes, design)
    except MappingError as refused:
        raise MappingError(f"{recipe.name}: {refused}") from refused
