"""Frames of design points as a notebook shows them: units in the heads, no numbers of rows, pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.plotting import PlotAccessor

from archsim.costs.metrics import METRICS, metric_of
from archsim.costs.shown import html_table, number, unit_of
from archsim.explore.pareto import ObjectiveError, pareto

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 40
"""That a notebook shows of a frame; who wants more asks for columns, or for a part of the rows."""

HIDDEN = ("key", "exact", "warnings", "version")
"""Columns that tell a reader nothing beside all others."""

HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8a8a")
"""The colours of Okabe and Ito, the yellow darker, so that it is seen on white."""

MARKERS = "osD^vP*X"
_FRONT = "#1d2933"
_ENDS = ("_ratio_low", "_ratio_high")
_NAMES = ("engine.kind", "engine.gather", "engine.pes", "engine", "pes", "technology.kind")
"""The columns that a point is named after, where there is none of names."""


class Frame(pd.DataFrame):
    """A frame of design points, a row each; all that a frame of pandas is, and `plot.front`, `plot.bars`."""

    @property
    def _constructor(self) -> Callable[..., Frame]:
        return Frame

    @property
    def plot(self) -> Plots:
        return Plots(self)

    def _repr_html_(self) -> str:
        """The rows as a table, figures with one unit a column, named in its head. A column that is empty, or
        tells a reader nothing, is left out."""
        # A frame that was turned has numbers for names.
        columns = [name for name in self.columns if name not in HIDDEN and self[name].notna().any()]
        shown = self.head(MOST_ROWS)
        cells = [_cells(str(name), shown[name]) for name in columns]
        more = f" (the first {MOST_ROWS} here)" if len(self) > MOST_ROWS else ""
        rows = zip(*(texts for _, texts in cells), strict=True)
        return html_table(f"{len(self):,} design points{more}", [head for head, _ in cells], rows)


class Plots(PlotAccessor):
    """What pandas plots of a frame, and what is asked of design points."""

    def __init__(self, frame: pd.DataFrame) -> None:
        super().__init__(frame)
        self.frame = frame

    def front(self, across: str = "energy_j", up: str = "area_mm2", *, by: str | None = None) -> Axes:
        """Points by two figures, a colour for each value of the column `by`, which is the engine unless told
        otherwise, and a line through those that no other is better than in both. Raises ObjectiveError for a
        figure that no point has."""
        frame = self.frame
        best, axes = pareto(frame, across, up), _axes()
        scales = {name: unit_of(name, frame[name].dropna()) for name in (across, up)}
        column = by or next((name for name in ("engine.kind", "engine") if name in frame), None)
        if by is not None and by not in frame:
            raise ObjectiveError.of("by", by, frame.columns)
        kinds: list[Any] = [None] if column is None else sorted(frame[column].dropna().unique(), key=str)
        for place, kind in enumerate(kinds):
            some = frame if kind is None else frame[frame[column] == kind]
            axes.plot(
                *(some[name] * scales[name][1] for name in (across, up)),
                MARKERS[place % len(MARKERS)],
                color=HUES[place % len(HUES)],
                label=None if kind is None else str(kind),
                alpha=0.8,
            )
        axes.plot(*(best[name] * scales[name][1] for name in (across, up)), color=_FRONT, label="front")
        for name, set_label, set_scale in (
            (across, axes.set_xlabel, axes.set_xscale),
            (up, axes.set_ylabel, axes.set_yscale),
        ):
            set_label(_head(metric_of(name).label, scales[name][0]))
            values = frame[name].dropna()
            set_scale("log" if values.min() > 0 and values.max() > 20 * values.min() else "linear")
        axes.legend(frameon=False, loc="best")
        return axes

    def bars(self, metric: str = "energy_j") -> Axes:
        """A figure, a bar a point in the order of the rows; of a ratio with the ends between which it lies,
        where the frame has them. Raises ObjectiveError for a column that is none of numbers."""
        frame = self.frame
        if metric not in frame or frame[metric].dtype.kind not in "fiu":
            numbers = [name for name in map(str, frame) if frame[name].dtype.kind in "fiu"]
            raise ObjectiveError.of("metric", metric, numbers)
        ratio, axes = metric.endswith("_ratio"), _axes()
        unit, by = ("", 1.0) if ratio else unit_of(metric, frame[metric].dropna())
        values = frame[metric].astype(float) * by
        ends = [f"{metric.removesuffix('_ratio')}{end}" for end in _ENDS]
        known = ratio and all(end in frame for end in ends)
        errors = [abs(values - frame[end].fillna(values)).fillna(0.0) for end in ends] if known else None
        places = range(len(frame))
        axes.barh(places, values, xerr=errors, color=HUES[0], ecolor=_FRONT, capsize=3)
        axes.set_yticks(places, names_of(frame))
        axes.invert_yaxis()
        label = metric_of(metric.removesuffix("_ratio")).label
        axes.set_xlabel(f"{label}, as a multiple of the first" if ratio else _head(label, unit))
        return axes


def whole_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with counts and fields that are whole as whole numbers, for files: where a row lacks one,
    pandas has floats of them all."""
    made: dict[str, pd.Series] = {}
    for name in map(str, frame):
        column = frame[name]
        counted = name in METRICS and METRICS[name].unit in ("count", "stored")
        if column.dtype.kind == "f" and (counted or "." in name):
            there = column.dropna()
            if len(there) < len(column) and (there % 1 == 0).all():
                whole = [int(value) if value == value else None for value in column]
                made[name] = pd.Series(whole, index=column.index, dtype=object)
    return frame.assign(**made)


def names_of(frame: pd.DataFrame) -> list[str]:
    """A name for each row, of what tells rows apart."""
    if "point" in frame:
        return [str(name) for name in frame["point"]]
    telling = [name for name in _NAMES if name in frame and frame[name].nunique(dropna=False) > 1]
    telling = telling or [name for name in _NAMES if name in frame]
    rows = frame[telling].to_dict("records")
    return [", ".join(_word(value) for value in row.values() if not _blank(value)) for row in rows]


def _axes() -> Axes:
    """Axes of a figure of their own, as a notebook shows it."""
    from matplotlib import pyplot

    _, axes = pyplot.subplots(figsize=(6.4, 4.0), layout="constrained")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(color="#e6e9ec", linewidth=0.7)
    axes.set_axisbelow(True)
    return axes


def _cells(name: str, column: pd.Series) -> tuple[str, Sequence[str]]:
    """The head of a column and the texts of its cells."""
    values = column.tolist()
    figure = name in METRICS or name == "clock_hz"
    if not figure:
        return name, [_word(value) for value in values]
    unit, by = unit_of(name, [value for value in values if not _blank(value)])
    texts = ["—" if _blank(value) else number(value * by if unit else value) for value in values]
    return _head("clock" if name == "clock_hz" else metric_of(name).brief, unit), texts


def _head(label: str, unit: str) -> str:
    return f"{label}, {unit}" if unit else label


def _word(value: Any) -> str:
    if _blank(value):
        return "—"
    return number(value) if isinstance(value, float) else str(value)


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
