"""Sizes of a network that grows: its final layers with a smaller fan-in, fewer support layers or fewer middle
blocks.

A csc layer keeps the strides of its final size, so that the taps of a smaller support layer are the first
taps of a larger one, and its fold, which reads every input once, is there from the start. Of fewer support
layers, a layer has the last ones; more come in front of them. A clos layer has the first ones of its middle
blocks.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

from workloads.stages import BlockStage, CscStage, Stage
from workloads.topology.topology import Topology, skips_of
from workloads.training.schema import GROWN, GrowthRecipe, GrowthStep, LayerRecipe, RecipeError

Size = Mapping[str, tuple[int, ...]]
"""What `GROWN` names, an entry a layer of the family."""
CLOS_STAGES = 3


def full_size(layers: Sequence[LayerRecipe], final: Topology) -> Size:
    """The size of the final layers."""
    pairs = list(zip(layers, final.layers, strict=True))
    csc = [(layer, stages) for layer, stages in pairs if layer.family == "csc"]
    clos = [layer for layer in layers if layer.family == "clos"]
    return {
        "fan_in": tuple(layer.parameters["fan_in"] for layer, _ in csc),
        "depth": tuple(len(stages) - folds(stages) for _, stages in csc),
        "middle": tuple(layer.parameters["middle"] for layer in clos),
    }


def size_of(step: GrowthStep, full: Size) -> Size:
    """The size of a step: what it does not name is as in the full one."""
    return {name: getattr(step, name) or full[name] for name in GROWN}


def topology_of(layers: Sequence[LayerRecipe], final: Topology, size: Size) -> Topology:
    """The final layers at this size."""
    wanted = {name: iter(values) for name, values in size.items()}
    built = []
    for layer, stages in zip(layers, final.layers, strict=True):
        if layer.family == "csc":
            stages = _smaller_csc(stages, next(wanted["fan_in"]), next(wanted["depth"]))
        elif layer.family == "clos":
            stages = _smaller_clos(stages, next(wanted["middle"]))
        built.append(stages)
    skips = skips_of(built, [layer.skips for layer in layers])
    return dataclasses.replace(final, layers=tuple(built), skips=skips)


def folds(stages: Sequence[Stage]) -> int:
    """The number of folds of a csc layer, none or one."""
    return int(len(stages) > 1 and stages[0].n_in > stages[0].n_out)


def origins(smaller: Topology, larger: Topology) -> list[int | None]:
    """For every stage of the larger size, the number of the one in the smaller that it grew from; none for a
    support layer that is new."""
    sources: list[int | None] = []
    first = 0
    for before, after in zip(smaller.layers, larger.layers, strict=True):
        added = len(after) - len(before)
        place = first + folds(after) * bool(added)
        sources += [*range(first, place), *[None] * added, *range(place, first + len(before))]
        first += len(before)
    return sources


def check_growth(growth: GrowthRecipe, layers: Sequence[LayerRecipe], final: Topology, epochs: int) -> None:
    """Raises RecipeError for sizes that do not rise to those of the layers, or leave these no epochs."""
    full = full_size(layers, final)
    for name, family in GROWN.items():
        given = [values for step in growth.steps if (values := getattr(step, name)) is not None]
        if any(len(values) != len(full[name]) for values in given):
            raise RecipeError.of(
                f"growth.steps.{name}", given, f"{len(full[name])} each, one a {family} layer"
            )
        sizes = [(1,) * len(full[name]), *(size_of(step, full)[name] for step in growth.steps), full[name]]
        if any(
            smaller > larger
            for before, after in itertools.pairwise(sizes)
            for smaller, larger in zip(before, after, strict=True)
        ):
            allowed = f"those that rise from 1 to {[*full[name]]}, the layers'"
            raise RecipeError.of(f"growth.steps.{name}", given, allowed)
    grows_clos = any(step.middle for step in growth.steps)
    for layer, stages in zip(layers, final.layers, strict=True):
        if grows_clos and layer.family == "clos" and len(stages) != CLOS_STAGES:
            raise RecipeError(f"layers.stages is {len(stages)}, allowed is {CLOS_STAGES} where middle grows")
        if grows_clos and layer.family == "clos" and layer.skips:
            raise RecipeError("layers.skips is True, allowed is False for a clos layer where middle grows")
    spent = sum(step.epochs for step in growth.steps)
    if spent >= epochs:
        raise RecipeError.of("growth.steps.epochs", spent, f"sums below {epochs}, all epochs")


def _smaller_csc(stages: Sequence[Stage], fan_in: int, depth: int) -> tuple[Stage, ...]:
    start = folds(stages)
    supports = stages[start:][len(stages) - start - depth :]
    return (*stages[:start], *(_narrowed(stage, fan_in) for stage in supports))


def _narrowed(stage: Stage, fan_in: int) -> Stage:
    assert isinstance(stage, CscStage), "a csc layer is of support layers"
    return dataclasses.replace(stage, fan_in=min(fan_in, stage.taps))


def _smaller_clos(stages: Sequence[Stage], middle: int) -> tuple[Stage, ...]:
    if len(stages) != CLOS_STAGES:
        return tuple(stages)
    first, between, last = stages
    assert isinstance(first, BlockStage), "a clos layer is of blocks"
    assert isinstance(between, BlockStage), "a clos layer is of blocks"
    assert isinstance(last, BlockStage), "a clos layer is of blocks"
    return (
        dataclasses.replace(first, block_out=middle),
        dataclasses.replace(between, blocks=middle),
        dataclasses.replace(last, block_in=middle),
    )
