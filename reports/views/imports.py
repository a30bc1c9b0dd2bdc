"""What an import found, layer by layer: for the terminal, and as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from archsim.runs_on import StageFound, engines_of_trained, stages_found
from reports import formatting as f
from reports.tables import Table
from workloads.importers.assemble import LOSSES

if TYPE_CHECKING:
    from workloads import PlacedNetwork, TrainedNetwork

PLACES = "places"
COLUMNS = {
    "layer": "",
    "what it is": "",
    PLACES: "count",
    "inputs": "count",
    "outputs": "count",
    "weights": "count",
    "density": "share 1",
    "runs on": "",
}
PLACES_AT = list(COLUMNS).index(PLACES)
"""A column that is left out where no layer has more than one place."""
FORMS = {"float": "in floats", "int16": "with 16 bits", "int8": "with 8 bits", "int4": "with 4 bits"}
"""Accuracies that are shown, and in what words."""
NO_ENGINE = "no engine runs the whole network"


def import_values(network: TrainedNetwork | PlacedNetwork) -> dict[str, Any]:
    """What was found, as plain values in SI units."""
    samples = network.samples
    return {
        "name": network.name,
        "stages": [stage.to_dict() for stage in stages_found(network)],
        "stored_weights": network.stored_weights,
        "stored_biases": network.stored_biases,
        "compression": network.compression,
        "engines": list(engines_of_trained(network)),
        "input_range": list(network.input_range),
        "samples": len(samples.values) if samples else 0,
        "accuracy": dict(network.accuracy),
        "remarks": list(network.remarks),
    }


def import_tables(network: TrainedNetwork | PlacedNetwork) -> Group:
    """The stages as a table, and below it what holds for the network and what has to be said of it."""
    stages = stages_found(network)
    columns, rows = dict(COLUMNS), list(map(_row, stages))
    if not any(stage.swept for stage in stages):
        del columns[PLACES]
        rows = [(*row[:PLACES_AT], *row[PLACES_AT + 1 :]) for row in rows]
    table = Table(network.name, columns, rows, words=2)
    engines = engines_of_trained(network)
    low, high = network.input_range
    kept = len(network.samples.values) if network.samples else "no"
    lines = [
        f"{network.stored_weights:,} stored weights and {network.stored_biases:,} biases, compression "
        f"{f.ratio(network.compression)}",
        f"runs on {', '.join(engines)}" if engines else NO_ENGINE,
        f"inputs from {low:g} to {high:g}, {kept} samples",
    ]
    lines += _accuracy(network, stages)
    parts: list[RenderableType] = [table, *map(Text, lines)]
    return Group(*parts, *(Text(f"Note: {remark}") for remark in network.remarks))


def _accuracy(network: TrainedNetwork | PlacedNetwork, stages: Sequence[StageFound]) -> Iterator[str]:
    """How accurate the network is, in floats and as integers, and which layer loses most by being these."""
    known = [(words, network.accuracy[form]) for form, words in FORMS.items() if form in network.accuracy]
    if known:
        yield f"accuracy {', '.join(f'{f.percent(share, 2)} {words}' for words, share in known)}"
    losses = network.recipe.get(LOSSES)
    if not isinstance(losses, list) or len(losses) != stages[-1].layer:
        return
    if all(isinstance(loss, float) for loss in losses) and max(losses) > 0:
        worst = losses.index(max(losses))
        name = [_name(stage) for stage in stages if stage.layer == worst + 1][-1]
        yield f"layer {name} alone loses most by being 8-bit integers, {f.points(-losses[worst])}"


def _name(stage: StageFound) -> str:
    return stage.name or str(stage.layer)


def _row(stage: StageFound) -> tuple[Any, ...]:
    zeros = f", {stage.zeros:,} zeros" if stage.zeros else ""
    engines = ", ".join(stage.engines) or "none"
    kind = f"{stage.swept}, {stage.kind}" if stage.swept else stage.kind
    sizes = (stage.places, stage.n_in, stage.n_out, stage.weights, stage.density)
    return (_name(stage), f"{kind}{zeros}", *sizes, engines)
