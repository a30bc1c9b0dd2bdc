"""One layer of a family, looked at: its figures, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.text import Text

from reports import formatting as f
from reports.tables import Table
from workloads import Stage, Topology, TopologyError, build_layer
from workloads.families import families, layer_weights
from workloads.measures.constraints import ConstraintScore, constraint_score
from workloads.measures.degrees_of_freedom import degrees_of_freedom
from workloads.refusal import Refusal
from workloads.strict_yaml import parse_yaml
from workloads.topology.paths import PathStatistics, is_fully_connected, path_statistics
from workloads.topology.topology import skips_of

MOST_WEIGHTS = 20_000_000
MOST_FOR_PATHS = 2_000_000_000
MOST_FOR_SCORE = 400_000
MOST_FOR_RANK = 3_000
"""Above these sizes a figure takes long, and is left out with a note: weights times inputs for path counts,
pairs times stages squared for the heuristic, weights for the rank. The first refuses a layer altogether."""


@dataclass(frozen=True)
class Spread:
    """Least, mean and most of something."""

    least: int
    mean: float
    most: int


@dataclass(frozen=True)
class StageView:
    """One stage of a layer."""

    kind: str
    n_in: int
    n_out: int
    weights: int
    fan_in: Spread
    fan_out: Spread
    skipped: bool


@dataclass(frozen=True)
class LayerView:
    """The figures of a layer; `None` for one that was left out, for the reason that `notes` gives."""

    family: str
    parameters: Mapping[str, Any]
    stages: tuple[StageView, ...]
    weights: int
    compression: float
    fully_connected: bool
    paths: PathStatistics | None
    score: ConstraintScore | None
    degrees_of_freedom: int | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = asdict(self)
        values["parameters"] = {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in self.parameters.items()
        }
        values["depth"] = len(self.stages)
        if self.score is not None:
            values["score"]["efficiency"] = self.score.efficiency
        return values


def parse_settings(settings: Iterable[str]) -> dict[str, Any]:
    """Parameters from NAME=VALUE; a value is a YAML number or list, or the name of a .npy file with an array.

    Raises `TopologyError` for anything else.
    """
    parameters: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise TopologyError(f"set is {setting!r}, allowed is NAME=VALUE")
        if name in parameters:
            raise TopologyError(f"set names {name!r} twice, allowed is each parameter once")
        parameters[name] = _array(name, Path(value)) if value.endswith(".npy") else _value(name, value)
    return parameters


def _value(name: str, text: str) -> Any:
    try:
        return parse_yaml(text, name)
    except Refusal:
        raise TopologyError(f"value of {name} is {text!r}, allowed are a number or a list") from None


def _array(name: str, path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise TopologyError(f"value of {name} is {path}, allowed is a NumPy array that can be read") from None
    return array


def build(family: str, n_in: int, n_out: int, parameters: Mapping[str, Any], *, skips: bool) -> Topology:
    """The layer as a topology, with every square stage skipped if `skips`; a `TopologyError` if too large."""
    families.named(family).check_parameters(dict(parameters))
    weights = layer_weights(family, n_in, n_out, **parameters)
    if weights > MOST_WEIGHTS:
        raise TopologyError(
            f"stored weights of this {family} layer are {weights:,}, allowed are at most {MOST_WEIGHTS:,} "
            "to be looked at"
        )
    layers = (build_layer(family, n_in, n_out, **parameters),)
    return Topology(layers, skips_of(layers, [skips]))


def look_at(family: str, parameters: Mapping[str, Any], topology: Topology) -> LayerView:
    """All figures of a topology of one layer."""
    stages, skips, weights = topology.stages, topology.skipped, topology.stored_weights
    pairs = topology.n_in * topology.n_out
    notes: list[str] = []

    def small_enough(what: str, size: int, most: int, of: str) -> bool:
        if size > most:
            notes.append(f"{what} left out: {of} are {size:,}, and above {most:,} this takes long.")
        return size <= most

    walks = small_enough("Path counts", topology.n_in * weights, MOST_FOR_PATHS, "inputs times weights")
    scored = small_enough(
        "Heuristic score", pairs * len(stages) ** 2, MOST_FOR_SCORE, "pairs times stages squared"
    )
    ranked = small_enough("Degrees of freedom", weights, MOST_FOR_RANK, "stored weights")
    return LayerView(
        family=family,
        parameters=parameters,
        stages=tuple(_stage(stage, skip) for stage, skip in zip(stages, skips, strict=True)),
        weights=weights,
        compression=topology.compression,
        fully_connected=is_fully_connected(stages, skips),
        paths=path_statistics(stages, skips) if walks else None,
        score=constraint_score(stages, skips) if scored else None,
        degrees_of_freedom=degrees_of_freedom(stages, skips) if ranked else None,
        notes=tuple(notes),
    )


def _stage(stage: Stage, skipped: bool) -> StageView:
    return StageView(
        stage.kind,
        stage.n_in,
        stage.n_out,
        stage.stored_weights,
        _spread(stage.row_lengths()),
        _spread(np.bincount(stage.columns(), minlength=stage.n_in)),
        skipped,
    )


def _spread(counts: NDArray[Any]) -> Spread:
    return Spread(int(counts.min()), float(counts.mean()), int(counts.max()))


def layer_tables(view: LayerView) -> RenderableType:
    """The figures of a layer for the terminal."""
    first, last = view.stages[0], view.stages[-1]
    stages = (
        (
            *(f"{number}{' + identity' * stage.skipped}", stage.kind, stage.n_in, stage.n_out, stage.weights),
            *(_range(stage.fan_in), _range(stage.fan_out)),
        )
        for number, stage in enumerate(view.stages)
    )
    words = {"stage": "", "kind": ""}
    counts = dict.fromkeys(("inputs", "outputs", "weights"), "count")
    return Group(
        Table(f"{view.family}, {first.n_in:,} to {last.n_out:,}", ("figure", "value"), _figures(view)),
        Text(),
        Table("Stages", words | counts | {"fan-in": "", "fan-out": ""}, stages, words=2),
        *(Text(note, style="dim") for note in view.notes),
    )


def _figures(view: LayerView) -> Sequence[tuple[str, str]]:
    figures = [
        *((name, _shown(value)) for name, value in view.parameters.items()),
        ("stored weights", f.count(view.weights)),
        ("compression", f.ratio(view.compression)),
        ("depth", f.count(len(view.stages))),
        ("fully connected", "yes" if view.fully_connected else "no"),
    ]
    if view.paths is not None:
        counts = (view.paths.least, view.paths.mean, view.paths.most)
        figures.append(("paths of a pair: least, mean, most", ", ".join(f"{each:,.4g}" for each in counts)))
    if view.score is not None:
        figures += [
            ("constraints solved (heuristic)", f"{view.score.solved:,} of {view.score.constraints:,}"),
            ("parameter efficiency (heuristic)", f.percent(view.score.efficiency)),
        ]
    if view.degrees_of_freedom is not None:
        share = f.percent(view.degrees_of_freedom / view.weights) if view.weights else f.percent(None)
        figures.append(("degrees of freedom", f"{view.degrees_of_freedom:,}, {share} of the weights"))
    return figures


def _shown(value: Any) -> str:
    return f"array {value.shape}" if isinstance(value, np.ndarray) else str(value)


def _range(spread: Spread) -> str:
    if spread.least == spread.most:
        return f.count(spread.least)
    return f"{spread.least:,} to {spread.most:,}, mean {f.significant(spread.mean)}"
