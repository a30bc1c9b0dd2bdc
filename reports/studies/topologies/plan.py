"""Which networks are trained for the studies of topologies, and how: `plan.yaml`, read."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reports.studies.topologies.runs import Planned
from workloads import parse_recipe
from workloads.strict_yaml import parse_yaml

LENET, LONG = "LeNet-300-100", "LeNet-300-100, long"
TO_THE_END = "LeNet-300-100, csc to the end"
ALEXNET = "AlexNet's shape of cost"
ZOO = "LeNet-300-100, budgets of the zoo"
OTHER_LAYERS = "convolutional and recurrent"
"""The groups: in each, networks differ in their layers alone."""

DENSE, PRUNED = "dense", "pruned"
BOTTOM_UP = "csc, bottom up"
CONTIGUOUS = "clos, contiguous blocks"
"""The Clos layers of `clos` but for the order of their inputs: blocks read neighbours, and are not
interleaved."""
OTHER_MODELS = ("convolutional", "recurrent")
CASCADES = ", cascades"
"""Labels of networks, and what is behind a label."""

DENSE_WEIGHTS = 266_200
FIRST_LAYER = 0.8
"""The first layer's share of what the third, which stays dense, leaves of a budget: about that of the zoo."""
NEAR = 0.15
"""A family is left out at a budget that none of its members comes so near to, as a share."""
PLAN = Path(__file__).with_suffix(".yaml")


def budget_of(compression: int) -> int:
    """Weights of LeNet-300-100 at this compression."""
    return round(DENSE_WEIGHTS / compression)


@functools.cache
def plan() -> tuple[Planned, ...]:
    """Every network that the studies show."""
    return tuple(
        planned
        for group in parse_yaml(PLAN.read_text(encoding="utf-8"), PLAN.name)
        for planned in _networks(group)
    )


def _networks(group: Mapping[str, Any]) -> Iterator[Planned]:
    for network in group["networks"]:
        settings = dict(network)
        seeds = tuple(settings.pop("seeds", group["seeds"]))
        label, weights = settings.pop("label"), settings.pop("weights")
        if "outputs" in group:
            settings["layers"] = _completed(settings.get("layers", []), group["outputs"])
        recipe = parse_recipe({**group["recipe"], **settings, "name": label, "seed": seeds[0]})
        yield Planned(group["name"], label, weights, recipe, group["images"], seeds)


def _completed(layers: list[dict[str, Any]], outputs: list[int]) -> list[dict[str, Any]]:
    """The layers with their outputs; those that are not named are dense."""
    missing = [{"family": DENSE}] * (len(outputs) - len(layers))
    return [{**layer, "outputs": size} for layer, size in zip([*layers, *missing], outputs, strict=True)]
