"""What a sweep says before, while and after it runs, and how its rows are shown."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tqdm import tqdm

from archsim.costs.metrics import METRICS
from archsim.costs.plain import heading
from archsim.costs.result import OF_THE_CLOCK
from archsim.explore.frames import whole_numbers
from archsim.explore.pareto import ObjectiveError
from archsim.explore.query import told
from archsim.explore.store import this_version
from archsim.explore.sweep.cluster import cores
from reports.formatting import BEYOND, BEYOND_MEANS, metric as shown_metric, plural, scaled, shown
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
    again = f" ({looked.points:,} are written, some more than once)"
    again *= looked.counted and looked.points > looked.kept
    lines = [f"{kept} point{'s' * (looked.kept != 1)}{again}"]
    if space.where:
        lines = [f"{plural(looked.points, 'point')}; conditions hold of {kept}"]
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
    points = plural(len(frame), "point")
    return f"{points} in {out}, of which {failed:,} failed; `archsim results {out}` shows them"


def sweep_values(frame: pd.DataFrame) -> dict[str, Any]:
    """The rows of a frame as plain values, with what made them; what a row lacks is null."""
    whole = whole_numbers(frame).to_dict("records")
    rows = [{name: plain_value(value) for name, value in row.items()} for row in whole]
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
        return str(whole_numbers(frame).to_csv(index=False)).encode()
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


def results_table(rows: pd.DataFrame, columns: Sequence[str] = ()) -> RenderableType:
    """The first rows as a table: fields and a few figures, or the columns that were asked for; fields that
    nobody asked for and that are the same in all rows stand in a sentence before it. Figures of a clock that
    the critical path does not allow are marked."""
    from rich.console import Group

    from reports.tables import Column, Table

    if rows.empty:
        return "no points"
    everything = list(map(str, told(rows)))
    known = [*METRICS, "key", "exact", "warnings", "error"]
    known += ["fidelity"] * (rows.get("fidelity", rows["error"]).nunique() < 2)
    fields = [name for name in columns or everything if name not in known or name == "clock_hz"]
    # By how they are written: a refused point may hold a list, which has no hash.
    alike = [] if columns or len(rows) < 2 else [n for n in fields if rows[n].map(repr).nunique() == 1]
    fields = [name for name in fields if name not in alike]
    first = [name for name in FIRST_FIGURES if name in everything]
    error = ["error"] if rows["error"].notna().any() else []
    names = list(columns) or [*fields, *first, *error]
    cells = [shown_row(row, names) for row in rows.head(FEW_ROWS).to_dict("records")]
    said = [f"{name} {shown_cell(name, rows[name].iloc[0])}" for name in alike if rows[name].notna().any()]
    parts: list[RenderableType] = [f"The same in all: {', '.join(said)}."] if said else []
    parts.append(Table("", [Column(name) for name in names], cells, words=len(fields)))
    if any(cell.endswith(BEYOND) for row in cells for cell in row):
        parts.append(BEYOND_MEANS)
    if len(rows) > FEW_ROWS:
        parts.append(f"and {len(rows) - FEW_ROWS:,} more; --csv prints all")
    return Group(*parts)


def shown_row(row: Mapping[Any, Any], names: Iterable[str], at: str = "") -> list[str]:
    """A row's fields and figures for people; of a figure at a deeper fidelity the name ends with `at`."""
    return [
        shown_cell(name.removesuffix(at), row[name]) + _beyond(row, name, at if name.endswith(at) else "")
        for name in names
    ]


def _beyond(row: Mapping[Any, Any], name: str, at: str) -> str:
    """The mark of a figure of a clock that the critical path does not allow, as far as that is known."""
    clock_hz, path_s = (
        row.get(f"{known}{at}", row.get(known)) or 0.0 for known in ("clock_hz", "critical_path_s")
    )
    is_marked = name.removesuffix(at) in OF_THE_CLOCK and row[name] is not None and row[name] == row[name]
    return BEYOND * bool(is_marked and clock_hz * path_s > 1)


def shown_cell(name: str, value: Any) -> str:
    """The value of a field or a figure for people; a dash for none."""
    if value is None or value != value:
        return "—"
    if isinstance(value, bool):
        return shown(value, "yes or no")
    if name == "clock_hz":
        return value if isinstance(value, str) else scaled(value, "Hz")
    if name in METRICS:
        return shown_metric(name, value)
    return f"{value:g}" if isinstance(value, float) else str(value)
