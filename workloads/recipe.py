"""A recipe: everything that decides how a network comes out of training, as a YAML file or a `Recipe`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from workloads.families import build_layer
from workloads.topology import Topology

RECIPES = Path(__file__).parent / "recipes"


class RecipeError(ValueError):
    """A recipe is missing, is not YAML, or holds a value that is not allowed."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LayerRecipe(BaseModel):
    """A layer: its family, its outputs, and whatever parameters the family takes."""

    model_config = ConfigDict(extra="allow", frozen=True)
    family: str
    outputs: int = Field(ge=1)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the family."""
        return dict(self.model_extra or {})


class OptimiserRecipe(_Strict):
    """How weights move: by Adam, or by stochastic gradient descent, which alone takes a `momentum`."""

    kind: Literal["adam", "sgd"] = "adam"
    momentum: float | None = Field(default=None, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _momentum_belongs_to_sgd(self) -> Self:
        if (self.momentum is None) == (self.kind == "sgd"):
            raise ValueError("momentum must be given for sgd, and for sgd only")
        return self


class RateRecipe(_Strict):
    """The learning rate: its peak, and its course over the steps of training."""

    peak: float = Field(gt=0)
    course: Literal["one-cycle", "cosine", "constant"] = "one-cycle"


class PruningRecipe(_Strict):
    """Magnitude pruning of every layer, in `events` steps between the shares `begin` and `end` of training.

    Either `stored_weights`, a budget for the whole network (the smallest magnitudes go, wherever they are),
    or `layer_weights`, a budget a layer.
    """

    stored_weights: int | None = Field(default=None, ge=1)
    layer_weights: tuple[int, ...] | None = None
    begin: float = Field(default=0.2, ge=0, le=1)
    end: float = Field(default=0.6, ge=0, le=1)
    events: int = Field(default=10, ge=1)

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if (self.stored_weights is None) == (self.layer_weights is None):
            raise ValueError("exactly one of stored_weights and layer_weights must be given")
        if self.begin > self.end:
            raise ValueError("begin must not be above end")
        return self


class Recipe(_Strict):
    """How to train one network.  The same recipe on the same machine gives the same network.

    `shift_pixels` moves every training image by up to so many pixels at random, each time it is seen.
    `hold_out` is the number of training images, the last ones, kept for validation.
    """

    name: str = Field(min_length=1)
    data: Literal["mnist"] = "mnist"
    seed: int = Field(default=0, ge=0)
    inputs: int = Field(ge=1)
    layers: tuple[LayerRecipe, ...] = Field(min_length=1)
    epochs: int = Field(ge=1)
    batch: int = Field(default=128, ge=1)
    optimiser: OptimiserRecipe = OptimiserRecipe()
    rate: RateRecipe
    pruning: PruningRecipe | None = None
    shift_pixels: int = Field(default=0, ge=0)
    hold_out: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _topology_exists(self) -> Self:
        topology = self.topology()
        if self.pruning is None:
            return self
        if any(layer.family != "dense" for layer in self.layers):
            raise ValueError("family must be dense in every layer of a network that is pruned")
        dense = [stage.stored_weights for stage in topology.stages]
        budgets, budget = self.pruning.layer_weights, self.pruning.stored_weights
        if budget is not None and budget > sum(dense):
            raise ValueError(
                f"stored_weights of pruning must be at most {sum(dense)}, those of the dense network"
            )
        if budgets is not None and (
            len(budgets) != len(dense)
            or any(not 1 <= kept <= full for kept, full in zip(budgets, dense, strict=True))
        ):
            raise ValueError(f"layer_weights of pruning must have an entry a layer, of 1 to {dense} each")
        return self

    def topology(self) -> Topology:
        """The topology that training starts from; for a pruned network, the dense one."""
        layers, n_in = [], self.inputs
        for layer in self.layers:
            layers.append(build_layer(layer.family, n_in, layer.outputs, **layer.parameters))
            n_in = layer.outputs
        return Topology(tuple(layers))

    def replace(self, **changes: Any) -> Recipe:
        """This recipe with other values for some fields, checked again."""
        return parse_recipe(self.model_dump() | changes)


def parse_recipe(values: Any) -> Recipe:
    """The recipe with these values; a `RecipeError` names the first field that is wrong."""
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "recipe"
        reason = first["msg"].removeprefix("Value error, ").rstrip(".")
        given = repr(first["input"])
        shown = given if len(given) <= 60 else f"{given[:57]}..."
        raise RecipeError(f"{field} of a recipe is {shown}; {reason[0].lower()}{reason[1:]}.") from error


def recipe_names() -> tuple[str, ...]:
    """The recipes of the zoo, by name."""
    return tuple(sorted(path.stem for path in RECIPES.glob("*.yaml")))


def load_recipe(name_or_path: str | Path) -> Recipe:
    """A recipe of the zoo by name, or any recipe by the path of its YAML file."""
    path = RECIPES / f"{name_or_path}.yaml" if name_or_path in recipe_names() else Path(name_or_path)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(
            f"{name_or_path} is neither the path of a recipe nor the name of one; "
            f"the names are {', '.join(recipe_names())}."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not YAML; a recipe must be a YAML mapping.") from error
    return parse_recipe(values)
