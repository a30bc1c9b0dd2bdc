"""A picture of a run, as SVG: how busy, stalled or waiting each unit is over its cycles, stage by stage."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from archsim import Utilisation
from archsim.trace.states import Kind
from archsim.trace.utilisation import ALL_PES, Share
from reports.pictures.charts import INK, style, svg
from workloads.files import write_text

LOOKS: dict[Kind, tuple[str, str]] = {
    "busy": ("#33658a", ""),
    "stalled": ("#d1495b", "//////"),
    "waiting": ("#dfe3e7", ""),
}
"""Colour and hatch of each kind, which differ in grey too."""

PARTS = 120
"""Parts of a run that are drawn, each some pixels wide."""

MOST_PES = 32
"""PEs that are drawn one by one; of more, their mean alone."""

_NARROWEST = 0.2
"""The share of the width from which on it is said how busy PEs are in a stage; others have their number."""

_PATH = re.compile(r' d="[^"]+"')
_LONG = re.compile(r"(\d\.\d{2})\d+")
"""Digits of paths that nobody sees, of which half of the file would be."""


def save_picture(shown: Utilisation, path: Path) -> None:
    """Draws a run into a file, with a description for those who cannot see it. Raises OutputError where it
    cannot be written."""
    drawn = _PATH.sub(lambda path: _LONG.sub(r"\1", path[0]), svg(_figure(shown)))
    about = f"<title>{escape(_title(shown))}</title><desc>{escape(described(shown))}</desc>"
    root, rest = drawn.split(">", 1)
    write_text(path, f'<?xml version="1.0" encoding="utf-8"?>\n{root} role="img">{about}{rest}')


def described(shown: Utilisation) -> str:
    """The picture in words: how the PEs spend the run, and each of its stages."""
    pes = shown[ALL_PES.name]
    first, last = shown.edges[0], shown.edges[-1]
    whole = f"In cycles {first:,} to {last:,} the PEs are {_spent(pes, shown, first, last)}"
    stages = [
        f"{shown.stage_name} {number} (cycles {start:,} to {end:,}): {_spent(pes, shown, start, end)}"
        for number, start, end in shown.stages
    ]
    return f"{whole}. {'. '.join(stages)}."


def _title(shown: Utilisation) -> str:
    return f"{shown.label}: what each unit does over a run (fidelity {shown.fidelity})"


def _spent(share: Share, shown: Utilisation, first: int, last: int) -> str:
    return ", ".join(f"{_mean(share, kind, shown, first, last):.0%} {kind}" for kind in LOOKS)


def _mean(share: Share, kind: Kind, shown: Utilisation, first: int, last: int) -> float:
    """The share of a kind between two cycles, of the parts that lie there."""
    edges = np.clip(shown.edges, first, last)
    return float(np.average(share.of(kind), weights=np.diff(edges)))


def _figure(shown: Utilisation) -> Figure:
    pes = sum(share.unit.group == "PEs" for share in shown.shares) - 1
    drawn = [
        share
        for share in shown.shares
        if share.unit == ALL_PES or share.unit.group != "PEs" or pes <= MOST_PES
    ]
    heights = [2.2 if share.unit == ALL_PES else 1.0 for share in drawn]
    with style(shown.label):
        figure = Figure(figsize=(9.2, 1.3 + 0.19 * sum(heights)), layout="constrained")
        rows = figure.subplots(len(drawn), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for axes, share in zip(rows, drawn, strict=True):
            _strip(axes, share, shown)
        _stages(rows[0], shown)
        rows[-1].spines["bottom"].set_visible(True)
        rows[-1].tick_params(axis="x", length=3, labelbottom=True)
        rows[-1].set_xlabel(f"cycle from start (one is {1e9 / shown.clock_hz:.4g} ns); dashed: done")
        figure.suptitle(_title(shown), x=0.01, ha="left", fontsize=10, fontweight="bold")
        handles = [
            Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=f"{kind}, share of cycles")
            for kind, (colour, hatch) in LOOKS.items()
        ]
        figure.legend(handles=handles, loc="outside lower left", ncols=len(handles), fontsize=8.5)
        return figure


def _strip(axes: Axes, share: Share, shown: Utilisation) -> None:
    """One unit: what is busy at the bottom, and on it what is stalled and what waits."""
    below = np.zeros(len(shown.edges) - 1)
    for kind, (colour, hatch) in LOOKS.items():
        above = below + share.of(kind)
        if (above == below).all():
            continue
        axes.stairs(
            above, shown.edges, baseline=below, fill=True, color=colour, hatch=hatch, ec="white", lw=0
        )
        below = above
    axes.set_xlim(shown.edges[0], shown.edges[-1])
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.tick_params(axis="x", length=0, labelbottom=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_ylabel(share.unit.name, rotation=0, ha="right", va="center", fontsize=8)
    for _, start, _ in shown.stages:
        axes.axvline(start, color=INK, linewidth=0.6)
    if shown.edges[0] < shown.done < shown.edges[-1]:
        axes.axvline(shown.done, color=INK, linewidth=0.8, linestyle="--")


def _stages(axes: Axes, shown: Utilisation) -> None:
    """Names the stages above, with the share in which the PEs are busy there."""
    first, last, pes = shown.edges[0], shown.edges[-1], shown[ALL_PES.name]
    for number, start, end in shown.stages:
        left, right = max(start, first), min(end, last)
        wide, busy = (right - left) / (last - first), _mean(pes, "busy", shown, left, right)
        named = f" {shown.stage_name} {number}: PEs busy {busy:.0%}" if wide >= _NARROWEST else f" {number}"
        if wide >= _NARROWEST / 10:
            axes.text(left, 1.25, named, fontsize=8, va="bottom")
