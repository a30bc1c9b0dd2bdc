"""Which networks are trained that grow, and which beside them: `growing.yaml`, read."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reports.studies.topologies.runs import Planned
from workloads import parse_recipe
from workloads.strict_yaml import parse_yaml

PLAN = Path(__file__).with_suffix(".yaml")
FILE = "growing_runs.csv"
SEARCH, DIRECT = "bottom up", "direct"
"""Labels of the ladder: what grows, and what is of a rung from the start."""


@functools.cache
def content() -> Mapping[str, Any]:
    """The file as plain values."""
    values: Mapping[str, Any] = parse_yaml(PLAN.read_text(encoding="utf-8"), PLAN.name)
    return values


@functools.cache
def growing() -> tuple[Planned, ...]:
    """Every network of the file."""
    return (*_searches(), *_rungs(), *_ways())


def _searches() -> Iterator[Planned]:
    """Bottom up to each target."""
    ladder = content()["ladder"]
    epochs, rungs = ladder["epochs"], ladder["rungs"]
    steps = [rung | {"epochs": epochs} for rung in rungs[:-1]]
    for target in ladder["targets"]:
        yield _of_ladder(
            f"{SEARCH} to {target * 100:.1f} %",
            rungs[-1],
            epochs=epochs * len(rungs),
            growth={"steps": steps, "until": target, "search": True},
        )


def _rungs() -> Iterator[Planned]:
    """Each rung from the start."""
    ladder = content()["ladder"]
    for rung in ladder["rungs"]:
        yield _of_ladder(DIRECT, rung, epochs=ladder["epochs"])


def rung_weights() -> list[int]:
    """The weights of each rung, the fewest first."""
    rungs = content()["ladder"]["rungs"]
    return [_of_ladder(DIRECT, rung, epochs=1).recipe.stored_weights for rung in rungs]


def _of_ladder(label: str, rung: Mapping[str, Any], **changes: Any) -> Planned:
    ladder = content()["ladder"]
    *grown, last = ladder["outputs"]
    layers = [
        {"family": "csc", "outputs": outputs, "fan_in": fan_in, "depth": depth}
        for outputs, fan_in, depth in zip(grown, rung["fan_in"], rung["depth"], strict=True)
    ]
    layers.append({"family": "dense", "outputs": last})
    return _planned(ladder, label, {"layers": layers, **changes})


def _ways() -> Iterator[Planned]:
    """Each family each way."""
    ways = content()["ways"]
    for family, network in ways["families"].items():
        layers = network["layers"]
        for way in ways["ways"]:
            growth = {name: value for name, value in way.items() if name == "calcify"}
            if "epochs" in way:
                pairs = zip(network["steps"], way["epochs"], strict=True)
                growth["steps"] = [step | {"epochs": epochs} for step, epochs in pairs]
            settings = {"layers": layers, "growth": growth or None}
            yield _planned(ways, f"{family}, {way['label']}", settings)


def _planned(part: Mapping[str, Any], label: str, settings: Mapping[str, Any]) -> Planned:
    """The budget is the final size."""
    seeds = tuple(part["seeds"])
    recipe = parse_recipe({**part["recipe"], **settings, "name": label, "seed": seeds[0]})
    return Planned(part["group"], label, recipe.stored_weights, recipe, part["images"], seeds)
