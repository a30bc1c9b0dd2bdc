"""What a sweep says before, while and after it runs, and how its rows are shown."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tqdm import tqdm

from archsim.costs.metrics import METRICS
from archsim.costs.plain import heading
from archsim.explore.pareto import ObjectiveError
from archsim.explore.store import this_version
from archsim.explore.sweep.cluster import cores
from reports.formatting import metric as shown_metric, scaled
from workloads.refusal import Refusal

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

    from archsim.explore.spec import Space
    from archsim.explore.store import Row
    from archsim.explore.sweep.preview import Preview

FORMS = ("csv", "parquet", "json")
FEW_ROWS = 40
"""Of a table on the terminal: who wants more takes CSV."""

FIRST_FIGURES = ("cycles", "latency_s", "energy_j", "area_mm2", "lut", "accuracy")
"""Figures of the table where no columns are asked for."""


class FormError(Refusal):
    """A form that results are not written in, or not there."""


class Live:
    """A line on stderr with how fast it goes, what is done, failed and left, and the `best` figure so far;
    nothing where that is no terminal. Raises ObjectiveError for a figure that no result has."""

    def __init__(self, best: str = "energy_j") -> None:
        if best not in METRICS:
            raise ObjectiveError.of("best", best, METRICS)
        self.metric = METRICS[best]
        self.best: float | None = None
        self.failed = 0
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.refresh()
            self._bar.close()

    def begin(self, points: int | None, kept: int) -> None:
        """So many points there are, of which so many are kept already. What was counted before is done."""
        if self._bar is not None:
            self._bar.close()
        quiet = not sys.stderr.isatty()
        self._bar = tqdm(total=points, initial=kept, unit=" points", disable=quiet, leave=False)

    def tell(self, rows: Iterable[Row]) -> None:
        """Counts finished rows."""
        told = list(rows)
        self.failed += sum(row.error is not None for row in told)
        for row in told:
            self._compare((row.figures or {}).get(self.metric.name))
        if self._bar is not None:
            self._bar.set_postfix_str(self._told(), refresh=False)
            self._bar.update(len(told))

    def _compare(self, value: float | None) -> None:
        sign = -1 if self.metric.more_is_better else 1
        if value is not None and (self.best is None or sign * value < sign * self.best):
            self.best = value

    def _told(self) -> str:
        best = "" if self.best is None else f", best {self.metric.brief} {shown_metric(*self._best())}"
        return f"{self.failed:,} failed{best}"

    def _best(self) -> tuple[str, float | None]:
        return self.metric.name, self.best


def preview_values(looked: Preview) -> dict[str, Any]:
    """A preview as plain values."""
    return {
        "points": looked.points,
        "kept_by_conditions": looked.kept,
        "kept_is_exact": looked.counted,
        "looked_at": looked.looked_at,
        "refused": looked.refused,
        "seconds_a_point": looked.seconds_a_point,
        "seconds": looked.seconds(cores()),
        "cores": cores(),
    }


def preview_table(space: Space, looked: Preview) -> RenderableType:
    """A preview in sentences."""
    from rich.text import Text

    kept = f"{'' if looked.counted else 'about '}{looked.kept:,}"
    lines = [f"{looked.points:,} points; conditions hold of {kept}"] if space.where else []
    again = looked.counted and looked.points > looked.kept
    lines = lines or [f"{kept} points{f' ({looked.points:,} are written, some more than once)' * again}"]
    invalid = sum(looked.refused.values())
    looked_at = "all" if looked.looked_at == looked.kept else f"a sample of {looked.looked_at:,}"
    lines.append(f"of {looked_at}, {invalid:,} are refused{':' * bool(invalid)}")
    lines += [f"  {many:,} x {reason}" for reason, many in looked.refused.items()]
    seconds = looked.seconds(cores())
    if seconds is not None:
        one = f"{shown_seconds(looked.seconds_a_point or 0)} a point at fidelity {space.fidelity}"
        lines.append(f"about {shown_seconds(seconds)} on {cores()} cores ({one})")
    return Text("\n".join(lines))


def shown_seconds(seconds: float) -> str:
    """A time as people say it."""
    for limit, size, unit in ((1, 1e-3, "ms"), (120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 86400:.3g} days"


def sweep_sentence(frame: pd.DataFrame, out: Path) -> RenderableType:
    """How a sweep ended, in a sentence."""
    failed = int(frame["error"].notna().sum()) if len(frame) else 0
    return f"{len(frame):,} points in {out}, of which {failed:,} failed; `archsim results {out}` shows them"


def sweep_values(frame: pd.DataFrame) -> dict[str, Any]:
    """The rows of a frame as plain values, with what made them; what a row lacks is null."""
    rows = [{name: plain_value(value) for name, value in row.items()} for row in frame.to_dict("records")]
    return {**heading("archsim results"), "version": this_version(), "rows": rows}


def plain_value(value: Any) -> Any:
    """A cell as JSON has it, with all digits: null where there is none."""
    if hasattr(value, "item"):
        value = value.item()
    return None if value is None or value != value else value


def results_content(frame: pd.DataFrame, form: str, *, to_terminal: bool) -> bytes:
    """Rows as the content of a file. Raises FormError for a form that is none, for Parquet on a terminal and
    where nobody can write it."""
    if form == "csv":
        return str(frame.to_csv(index=False)).encode()
    if form == "json":
        return (json.dumps(sweep_values(frame), indent=2, ensure_ascii=False) + "\n").encode()
    if form != "parquet":
        raise FormError.of("form of the file", form, FORMS)
    if to_terminal:
        raise FormError.of("standard output", "a terminal", "pipes and files for Parquet")
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise FormError.of("form", form, "csv and json: pip install 'archsim[parquet]' adds it") from None
    held = io.BytesIO()
    frame.apply(_of_one_kind).to_parquet(held, index=False)
    return held.getvalue()


def _of_one_kind(column: pd.Series) -> pd.Series:
    """A column as Parquet takes it: texts where its values are of several kinds, as `auto` and 4, or whole
    numbers too large for 64 bits."""
    if column.dtype != object:
        return column
    values = column[column.notna()]
    too_large = any(isinstance(value, int) and abs(value) >= 2**63 for value in values)
    if len({type(value) for value in values}) < 2 and not too_large:
        return column
    return column.map(
        lambda value: value if isinstance(value, str) else json.dumps(value), na_action="ignore"
    )


def results_table(frame: pd.DataFrame, *, all_columns: bool) -> RenderableType:
    """The first rows as a table: fields and a few figures, or all columns where they were asked for."""
    from reports.tables import Column, Table

    if frame.empty:
        return "no points"
    known = [*METRICS, "key", "exact", "warnings", "fidelity", "error"]
    everything = list(map(str, frame))
    fields = [name for name in everything if name not in known or name == "clock_hz"]
    first = [name for name in FIRST_FIGURES if name in frame]
    error = ["error"] if "error" in frame and frame["error"].notna().any() else []
    names = everything if all_columns else [*fields, *first, *error]
    rows = [[shown_cell(name, row[name]) for name in names] for _, row in frame.head(FEW_ROWS).iterrows()]
    table = Table("", [Column(name) for name in names], rows, words=len(fields))
    if len(frame) <= FEW_ROWS:
        return table
    from rich.console import Group

    return Group(table, f"and {len(frame) - FEW_ROWS:,} more; --csv prints all")


def shown_cell(name: str, value: Any) -> str:
    """The value of a field or a figure for people; a dash for none."""
    if value is None or value != value:
        return "—"
    if name == "clock_hz":
        return scaled(value, "Hz")
    if name in METRICS:
        return shown_metric(name, value)
    return f"{value:g}" if isinstance(value, float) else str(value)
