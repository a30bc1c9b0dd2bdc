"""A recipe: everything that decides how a network comes out of training, as a YAML file or a `Recipe`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from inspect import isabstract
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, get_args

from pydantic import BaseModel, ValidationError, field_validator, model_validator

from workloads.data.registry import datasets, is_there
from workloads.families import build_layer
from workloads.refusal import Refusal, nearest
from workloads.stages import Stage
from workloads.strict_yaml import read_yaml
from workloads.topology.topology import ORDERS, Topology, neighbours, skips_of, tile_by_tile
from workloads.training.models.convolution import Convolution
from workloads.training.pruning.registry import MAGNITUDE, methods
from workloads.training.pruning.schedule import Schedule
from workloads.training.schema import (
    LayerRecipe,
    PruningRecipe,
    RecipeError,
    RecipeFields,
    TileOrder,
)
from workloads.training.sizes import check_growth

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

RECIPES = Path(__file__).parents[1] / "recipes"
FILES = ("data", "input_order")
"""The fields that may name a file."""
MOST_SHOWN = 60
"""Characters of a value that a refusal shows."""


class Recipe(RecipeFields):
    """How to train one network. The same recipe on the same machine gives the same network."""

    @field_validator("pruning", mode="before")
    @classmethod
    def _pruning_is_of_its_method(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        return methods.named(values.get("method", MAGNITUDE)).model_validate(values)

    @model_validator(mode="after")
    def _topology_exists(self) -> Self:
        topology = self.topology()
        self.recurrent_cascades()
        if self.pruning:
            self._check_pruning(self.pruning, topology)
        if self.growth:
            check_growth(self.growth, self.layers, topology, self.epochs)
            if self.growth.until is not None and not self.hold_out:
                allowed = "none without hold_out images to judge by"
                raise RecipeError.of("growth.until", self.growth.until, allowed)
        return self

    def _check_pruning(self, pruning: PruningRecipe, topology: Topology) -> None:
        if any(layer.family != "dense" for layer in self.layers):
            families = [layer.family for layer in self.layers]
            raise RecipeError.of("layers", families, "dense ones alone in a network that is pruned")
        pruning.check([(stage.n_in, stage.n_out) for stage in topology.stages], self.epochs)

    def topology(self) -> Topology:
        """The fully connected layers: of a network that is pruned, the dense ones; of one that grows, the
        final ones."""
        return _chain(self._features(), self.layers, self.input_digits, self.input_order)

    def _features(self) -> int:
        """What the fully connected layers read."""
        if self.recurrence:
            return self.recurrence.hidden.outputs
        return self.geometry()[-1].n_out if self.convolutions else self.inputs

    @property
    def dense_weights(self) -> int:
        """Number of weights if every cascade were one dense matrix."""
        return sum(each.dense_weights for each in self._cascades())

    @property
    def stored_weights(self) -> int:
        """Number of weights that are trained, before any pruning."""
        return sum(each.stored_weights for each in self._cascades())

    @property
    def total_epochs(self) -> int:
        """How often every image is seen: more than `epochs` where pruning trains several times."""
        schedule = self.pruning.schedule if self.pruning else Schedule
        return schedule(self.epochs, batches=1).steps

    def _cascades(self) -> tuple[Topology, ...]:
        """Those of the convolutions or the recurrence, and of the fully connected layers."""
        convolutions = (each.mixing for each in self.geometry())
        return (*convolutions, *(self.recurrent_cascades() or ()), self.topology())

    def geometry(self) -> tuple[Convolution, ...]:
        """The convolutions, for square images of one channel."""
        side, channels = math.isqrt(self.inputs), 1
        if self.convolutions and side * side != self.inputs:
            raise RecipeError.of("inputs", self.inputs, "square numbers for a cnn")
        found: list[Convolution] = []
        for each in self.convolutions:
            mixing = _chain(each.kernel**2 * channels, (each,))
            found.append(Convolution(mixing, side=side, kernel=each.kernel, stride=each.stride))
            side, channels = found[-1].side_out, each.outputs
        return tuple(found)

    def recurrent_cascades(self) -> tuple[Topology, Topology] | None:
        """The input and the hidden matrix of a recurrent layer, as a layer each."""
        if self.recurrence is None:
            return None
        steps, first, hidden = self.recurrence.steps, self.recurrence.input, self.recurrence.hidden
        if self.inputs % steps or first.outputs != hidden.outputs:
            raise RecipeError(
                f"recurrence is of {steps} steps, {first.outputs} input and {hidden.outputs} hidden outputs, "
                f"allowed are steps that divide inputs, {self.inputs}, and equal outputs"
            )
        return _chain(self.inputs // steps, (first,)), _chain(hidden.outputs, (hidden,))

    def __repr__(self) -> str:
        families = ", ".join(dict.fromkeys(layer.family for layer in self.layers))
        return (
            f"<Recipe {self.name[:60]}: {self.model} of {families[:60]}; {self.epochs} epochs of {self.data}>"
        )

    __str__ = __repr__

    def replace(self, **changes: Any) -> Recipe:
        """This recipe with other values for some fields, checked again."""
        return parse_recipe(self.model_dump() | changes)


def _chain(
    n_in: int,
    layers: Sequence[LayerRecipe],
    input_digits: tuple[int, ...] = (),
    input_order: Sequence[int] | str | TileOrder = (),
) -> Topology:
    built: list[tuple[Stage, ...]] = []
    for layer in layers:
        built.append(build_layer(layer.family, n_in, layer.outputs, **layer.parameters))
        n_in = layer.outputs
    skips, order = skips_of(built, [layer.skips for layer in layers]), _places(built[0][0], input_order)
    return Topology(tuple(built), skips, input_digits, order)


def _places(first: Stage, order: Sequence[int] | str | TileOrder) -> tuple[int, ...]:
    """The order as numbers of inputs, where it follows from the first stage."""
    if isinstance(order, TileOrder):
        return neighbours(first, tile_by_tile(first.n_in, *order.tile))
    return ORDERS[order](first) if isinstance(order, str) else tuple(order)


def parse_recipe(values: Any) -> Recipe:
    """The recipe with these values; a `RecipeError` names the first field that is wrong."""
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise _refusal(error.errors()[0]) from error
    except (MemoryError, OverflowError) as error:
        raise RecipeError("recipe is of more stages than memory holds, allowed are fewer") from error


def _refusal(error: ErrorDetails) -> Refusal:
    """What Pydantic found first, in the words of all refusals."""
    path = ("recipe", *(str(part) for part in error["loc"]))
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, RecipeError):
        inside = path[:-1] if str(cause).startswith(f"{path[-1]} ") else path
        return RecipeError(".".join((*inside, str(cause))))
    if isinstance(cause, Refusal):
        return RecipeError(str(cause))
    field = ".".join(path)
    given = repr(error["input"])
    shown = given if len(given) <= MOST_SHOWN else f"{given[: MOST_SHOWN - 3]}..."
    section, around = _fields(error["loc"]), _fields(error["loc"][:-1])
    words = {
        "missing": f"missing, allowed is a {f'mapping of {section}' if section else 'value'}",
        "extra_forbidden": f"{shown}, allowed is no such field{around and f', but {around}'}",
        "model_type": f"{shown}, allowed is a mapping{section and f' of {section}'}",
        "tuple_type": f"{shown}, allowed is a list",
        "too_short": f"{shown}, allowed is a list of {error.get('ctx', {}).get('min_length')} or more",
    }
    allowed = error["msg"].removeprefix("Input should be ").lower()
    return RecipeError(f"{field} is {words.get(error['type'], f'{shown}, allowed is {allowed}')}")


def _fields(place: Sequence[str | int]) -> str:
    """The fields of the section of a recipe at this place; none where there is no section, or one of many."""
    section: type[BaseModel] = Recipe
    for name in (part for part in place if isinstance(part, str)):
        held = section.model_fields.get(name)
        found = _models(held.annotation) if held else []
        if len(found) != 1 or isabstract(found[0]):
            return ""
        section = found[0]
    return ", ".join(section.model_fields)


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The sections that a field may hold, one or a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inside in get_args(annotation) for model in _models(inside)]


def recipe_names() -> tuple[str, ...]:
    """The recipes that come with the package, by name: those of the zoo, and the examples."""
    return tuple(sorted(_recipe_files()))


def _recipe_files() -> dict[str, Path]:
    return {path.stem: path for path in RECIPES.rglob("*.yaml")}


def load_recipe(name_or_path: str | Path) -> Recipe:
    """A recipe of the package by name, or any recipe by the path of its YAML file."""
    if not isinstance(name_or_path, str | Path):
        raise RecipeError.of("recipe", name_or_path, "names and paths of files")
    path = _recipe_files().get(str(name_or_path), Path(name_or_path))
    if not path.is_file():
        allowed = nearest(str(name_or_path), recipe_names(), "archsim train --help")
        raise RecipeError.of("recipe", str(name_or_path), f"{allowed}, or the path of a file")
    values = read_yaml(path, "recipe", error=RecipeError)
    if not isinstance(values, dict):
        held = "is empty" if values is None else f"holds {type(values).__name__}"
        raise RecipeError(f"recipe {path} {held}, allowed is a mapping in YAML")
    return parse_recipe(_beside(path.parent, values))


def _beside(folder: Path, values: dict[str, Any]) -> dict[str, Any]:
    """A recipe whose files are named by where they are: beside it, where they are there."""
    named = {name: values[name] for name in FILES if isinstance(values.get(name), str)}
    there = {name: folder / path for name, path in named.items() if is_there(folder / path)}
    return values | {
        name: str(path.absolute()) for name, path in there.items() if named[name] not in (*datasets, *ORDERS)
    }
