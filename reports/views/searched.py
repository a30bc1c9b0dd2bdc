"""How a search ended: its front as a table of what differs, in sentences, and as plain values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.costs.metrics import METRICS, metric_of
from archsim.explore.store import this_version
from archsim.explore.sweep.cluster import cores
from reports.views.explored import shown_row, shown_seconds

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

    from archsim.explore.search.search import Search

FORMAT_VERSION = 1


def search_values(search: Search, spec: str) -> dict[str, Any]:
    """A search as plain values: what was searched for and how, and the front with all that is known of it;
    what a row lacks is null."""
    return {
        "format": "archsim search",
        "format_version": FORMAT_VERSION,
        "archsim_version": this_version(),
        "spec": spec,
        "objectives": {one.name: one.direction for one in search.goals.objectives},
        "constraints": [condition.text for condition in search.goals.constraints],
        "fidelity": search.space.fidelity,
        "then": search.then,
        "trials": search.trials,
        "seed": search.seed,
        "points": search.points,
        "exhaustive": search.exhaustive,
        "costed": len(search.rows),
        "refused": search.refused,
        "missing_constraints": search.missing_constraints,
        "passed_over": search.passed_over,
        "lost": len(search.lost),
        "seconds_for_all": search.seconds_for_all,
        "front": json.loads(search.front.to_json(orient="records", double_precision=15)),
    }


def search_shown(search: Search, spec: str, out: Path) -> RenderableType:
    """The front as a table, and sentences below it."""
    from rich.console import Group
    from rich.text import Text

    sentences = Text("\n".join(_sentences(search, spec, out)))
    return Group(_front_table(search), Text(), sentences) if search.best else sentences


def _front_table(search: Search) -> RenderableType:
    """What tells the points of the front apart, their objectives and what the constraints ask of them."""
    from reports.tables import Column, Table

    frame, then = search.front, search.then
    objectives = [objective.name for objective in search.goals.objectives]
    asked = {name for condition in search.goals.constraints for name in condition.names()}
    figures = [*objectives, *(name for name in METRICS if name in asked - {*objectives} and name in frame)]
    deeper = [name for name in frame if then and str(name).endswith(f"_at_{then}")]
    same = _same_deeper(search)
    known = {*METRICS, *figures, *deeper, "key", "fidelity", "exact", "warnings", "error"} - {"clock_hz"}
    fields = [name for name in frame if name not in known and _differs(frame, name)]
    shown = [*fields, *figures, *(name for name in deeper if name not in same and frame[name].notna().any())]
    rows = [shown_row(row, list(map(str, shown)), f"_at_{then}") for row in frame.to_dict("records")]
    return Table("", [Column(str(name)) for name in shown], rows, words=len(fields))


def _same_deeper(search: Search) -> list[str]:
    """The columns of a deeper fidelity in which every point has the figure that it had before."""
    frame, end = search.front, f"_at_{search.then}"
    pairs = [(str(name), str(name).removesuffix(end)) for name in frame if str(name).endswith(end)]
    return [deeper for deeper, name in pairs if name in frame and frame[deeper].equals(frame[name])]


def _differs(frame: pd.DataFrame, name: Any) -> bool:
    """Whether a field tells points apart; where there is one point alone, it is told whole."""
    return len(frame) == 1 or frame[name].map(repr).nunique() > 1


def _sentences(search: Search, spec: str, out: Path) -> Iterator[str]:
    goals, costed = search.goals, len(search.rows)
    wanted = " and ".join(
        f"{'more' if one.direction == 'max' else 'less'} {metric_of(one.name).brief}"
        for one in goals.objectives
    )
    where = f", where {' and '.join(condition.text for condition in goals.constraints)}" * bool(
        goals.constraints
    )
    points = "too many to count" if search.points is None else f"{search.points:,}"
    front = f"front of {wanted}{where}: {len(search.best):,} of {costed:,} points"
    yield f"{front} costed at fidelity {search.space.fidelity}"
    if search.exhaustive:
        yield f"the space has {points} points, no more than {search.trials:,} trials: all were costed"
    else:
        ended = "" if costed == search.trials or search.lost else ", then nothing new was proposed"
        many = f"{costed:,} trials" if costed == search.trials else f"{costed:,} of {search.trials:,} trials"
        yield f"{many}{ended}, seed {search.seed}; the space has {points} points"
    missed = f"{search.missing_constraints:,} miss a constraint, {search.refused:,} were refused"
    passed = f"; {search.passed_over:,} proposals did not meet the conditions of the space"
    yield f"{missed}{passed * bool(search.passed_over)}"
    if search.then:
        held = int(search.front[f"holds_at_{search.then}"].sum())
        same = [name.removesuffix(f"_at_{search.then}") for name in _same_deeper(search)]
        told = f", with the same {' and '.join(same)}" if same else ""
        yield f"costed at {search.then} once more, {held:,} of {len(search.best):,} are still on it{told}"
    if search.better_enumerated and search.seconds_for_all is not None:
        seconds = shown_seconds(search.seconds_for_all)
        yield (
            f"enumeration is better here: all {points} points take about {seconds} on {cores()} cores, "
            f"and leave nothing to chance: archsim sweep {spec} --out {out}"
        )
    yield f"every point is kept in {out}: archsim results {out}, archsim report {out} --out page"
