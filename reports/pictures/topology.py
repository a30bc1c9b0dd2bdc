"""A picture of the wiring of a layer, as SVG or PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reports.pictures.charts import CLAIM, INK
from workloads import Topology, TopologyError
from workloads.files import check_file, write_file

MOST_LINES = 5_000
"""Edges that an SVG holds as lines; more are drawn as an image inside it."""
SUFFIXES = (".svg", ".png")


def check_picture(path: Path) -> None:
    """A `TopologyError` or an `OutputError` where a picture could not be written."""
    if path.suffix not in SUFFIXES:
        raise TopologyError(f"plot is {path}, allowed is a file that ends in {' or '.join(SUFFIXES)}")
    check_file(path)


def save_picture(topology: Topology, title: str, path: Path) -> None:
    """Draw the wiring of a layer: places from left to right, and the paths of one pair of them standing out.

    The pair is the first input and the last output. A dotted line is an identity connection.
    """
    settings: Any = {"svg.hashsalt": title, "font.family": "DejaVu Sans", "font.size": 9, "text.color": INK}
    with rc_context(settings):
        picture = io.BytesIO()
        date: dict[str, Any] = {"Date": None} if path.suffix == ".svg" else {}
        _wiring(topology, title).savefig(
            picture, format=path.suffix[1:], dpi=200, metadata=date, facecolor="white"
        )
    write_file(path, lambda file: file.write(picture.getvalue()))


def _wiring(topology: Topology, title: str) -> Figure:
    stages, skips = topology.stages, topology.skipped
    columns = [_heights(stages[0].n_in), *(_heights(stage.n_out) for stage in stages)]
    height = float(np.clip(0.16 * max(len(column) for column in columns), 2.5, 8))
    figure = Figure(figsize=(max(6.5, 1.2 + 1.9 * len(stages)), height + 0.6), layout="constrained")
    axes = figure.subplots()
    forwards, backwards = _on_a_path(topology)
    many = topology.stored_weights > MOST_LINES
    pale = float(np.clip(600 / max(topology.stored_weights, 1), 0.05, 0.5))
    for number, (stage, skip) in enumerate(zip(stages, skips, strict=True)):
        rows = np.repeat(np.arange(stage.n_out), stage.row_lengths())
        sources, outputs = stage.columns(), rows
        chosen = forwards[number][sources] & backwards[number + 1][outputs]
        for group, colour, width, alpha in ((~chosen, INK, 0.5, pale), (chosen, CLAIM, 1.1, 0.9)):
            ends = _lines(number, columns, sources[group], outputs[group])
            axes.add_collection(
                LineCollection(list(ends), colors=colour, linewidths=width, alpha=alpha, rasterized=many)
            )
        if skip:
            places = np.arange(stage.n_in)
            ends = _lines(number, columns, places, places)
            axes.add_collection(
                LineCollection(list(ends), colors=INK, linewidths=0.5, linestyles=":", alpha=0.7)
            )
    for number, heights in enumerate(columns):
        size = float(np.clip(600 / len(heights), 0.3, 14))
        axes.scatter(np.full(len(heights), number), heights, s=size, color=INK, zorder=3, rasterized=many)
        axes.annotate(f"{len(heights):,}", (number, 1.03), ha="center", va="bottom", annotation_clip=False)
    axes.set_xlim(-0.15, len(stages) + 0.15)
    axes.set_ylim(-0.03, 1.1)
    axes.set_axis_off()
    axes.set_title(title, loc="left", fontsize=9, fontweight="bold")
    return figure


def _heights(places: int) -> NDArray[np.float64]:
    """Where the places of a column stand, the first on top."""
    return 1 - (np.arange(places) + 0.5) / places


def _lines(
    number: int, columns: Sequence[NDArray[np.float64]], sources: NDArray[Any], outputs: NDArray[Any]
) -> NDArray[np.float64]:
    """The ends of lines between two columns, shape (lines, 2, 2)."""
    left = np.stack([np.full(sources.size, float(number)), columns[number][sources]], axis=1)
    right = np.stack([np.full(outputs.size, number + 1.0), columns[number + 1][outputs]], axis=1)
    return np.stack([left, right], axis=1)


def _on_a_path(topology: Topology) -> tuple[list[NDArray[np.bool_]], list[NDArray[np.bool_]]]:
    """For every column, which places the first input reaches, and which reach the last output."""
    steps = list(zip(topology.stages, topology.skipped, strict=True))
    forwards = [np.arange(topology.n_in) == 0]
    for stage, skip in steps:
        reached = stage.adjacency() @ forwards[-1].astype(np.int64) > 0
        forwards.append(reached | forwards[-1] if skip else reached)
    backwards = [np.arange(topology.n_out) == topology.n_out - 1]
    for stage, skip in reversed(steps):
        reaching = stage.adjacency().T @ backwards[-1].astype(np.int64) > 0
        backwards.append(reaching | backwards[-1] if skip else reaching)
    return forwards, backwards[::-1]
