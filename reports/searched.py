"""How a search ended: its front as a table of what differs, in sentences, and as plain values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.costs.metrics import METRICS, metric_of
from archsim.explore.cluster import cores
from archsim.explore.store import this_version
from reports.explored import shown_cell, shown_seconds

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

    from archsim.explore.search import Search

FORMAT_VERSION = 1


def search_values(found: Search, spec: str) -> dict[str, Any]:
    """A search as plain values: what was searched for and how, and the front with all that is known of it;
    what a row lacks is null."""
    return {
        "format": "archsim search",
        "format_version": FORMAT_VERSION,
        "archsim_version": this_version(),
        "spec": spec,
        "objectives": {one.name: one.direction for one in found.goals.objectives},
        "constraints": [condition.text for condition in found.goals.constraints],
        "fidelity": found.space.fidelity,
        "then": found.then,
        "trials": found.trials,
        "seed": found.seed,
        "points": found.points,
        "exhaustive": found.exhaustive,
        "costed": len(found.rows),
        "refused": found.refused,
        "missing_constraints": found.missing_constraints,
        "passed_over": found.passed_over,
        "lost": len(found.lost),
        "seconds_for_all": found.seconds_for_all,
        "front": json.loads(found.front.to_json(orient="records", double_precision=15)),
    }


def search_shown(found: Search, spec: str, out: Path) -> RenderableType:
    """The front as a table, and sentences below it."""
    from rich.console import Group
    from rich.text import Text

    sentences = Text("\n".join(_sentences(found, spec, out)))
    return Group(_front_table(found), Text(), sentences) if found.best else sentences


def _front_table(found: Search) -> RenderableType:
    """What tells the points of the front apart, their objectives and what the constraints ask of them."""
    from reports.tables import Column, Table

    frame, then = found.front, found.then
    objectives = [objective.name for objective in found.goals.objectives]
    asked = {name for condition in found.goals.constraints for name in condition.names()}
    figures = [*objectives, *(name for name in METRICS if name in asked - {*objectives} and name in frame)]
    deeper = [name for name in frame if then and str(name).endswith(f"_at_{then}")]
    same = _same_deeper(found)
    known = {*METRICS, *figures, *deeper, "key", "fidelity", "exact", "warnings", "error"} - {"clock_hz"}
    fields = [name for name in frame if name not in known and _differs(frame, name)]
    shown = [*fields, *figures, *(name for name in deeper if name not in same and frame[name].notna().any())]
    rows = [[_cell(found, str(name), row[name]) for name in shown] for row in frame.to_dict("records")]
    return Table("", [Column(str(name)) for name in shown], rows, words=len(fields))


def _same_deeper(found: Search) -> list[str]:
    """The columns of a deeper fidelity in which every point has the figure that it had before."""
    frame, end = found.front, f"_at_{found.then}"
    pairs = [(str(name), str(name).removesuffix(end)) for name in frame if str(name).endswith(end)]
    return [deeper for deeper, name in pairs if name in frame and frame[deeper].equals(frame[name])]


def _differs(frame: pd.DataFrame, name: Any) -> bool:
    """Whether a field tells points apart; where there is one point alone, it is told whole."""
    return len(frame) == 1 or frame[name].map(repr).nunique() > 1


def _cell(found: Search, name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown_cell(name.removesuffix(f"_at_{found.then}"), value)


def _sentences(found: Search, spec: str, out: Path) -> Iterator[str]:
    goals, costed = found.goals, len(found.rows)
    wanted = " and ".join(
        f"{'more' if one.direction == 'max' else 'less'} {metric_of(one.name).brief}"
        for one in goals.objectives
    )
    where = f", where {' and '.join(condition.text for condition in goals.constraints)}" * bool(
        goals.constraints
    )
    points = "too many to count" if found.points is None else f"{found.points:,}"
    front = f"front of {wanted}{where}: {len(found.best):,} of {costed:,} points"
    yield f"{front} costed at fidelity {found.space.fidelity}"
    if found.exhaustive:
        yield f"the space has {points} points, no more than {found.trials:,} trials: all were costed"
    else:
        ended = "" if costed == found.trials or found.lost else ", then nothing new was proposed"
        many = f"{costed:,} trials" if costed == found.trials else f"{costed:,} of {found.trials:,} trials"
        yield f"{many}{ended}, seed {found.seed}; the space has {points} points"
    missed = f"{found.missing_constraints:,} miss a constraint, {found.refused:,} were refused"
    passed = f"; {found.passed_over:,} proposals did not meet the conditions of the space"
    yield f"{missed}{passed * bool(found.passed_over)}"
    if found.then:
        held = int(found.front[f"holds_at_{found.then}"].sum())
        same = [name.removesuffix(f"_at_{found.then}") for name in _same_deeper(found)]
        told = f", with the same {' and '.join(same)}" if same else ""
        yield f"costed at {found.then} once more, {held:,} of {len(found.best):,} are still on it{told}"
    if found.better_enumerated and found.seconds_for_all is not None:
        seconds = shown_seconds(found.seconds_for_all)
        yield (
            f"enumeration is better here: all {points} points take about {seconds} on {cores()} cores, "
            f"and leave nothing to chance: archsim sweep {spec} --out {out}"
        )
    yield f"every point is kept in {out}: archsim results {out}, archsim report {out} --out page"
