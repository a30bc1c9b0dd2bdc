"""Results from wherever they are kept: stores of sweeps, files of results, designs that are still to be
costed. All become points of one kind, for pages and comparisons."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.costs.metrics import METRICS
from archsim.costs.plain import FORMAT, FORMAT_VERSION
from archsim.design import DesignPoint
from archsim.engine.training.options import OF_ENGINE
from archsim.explore.conditions import Condition
from archsim.explore.point import Point
from archsim.explore.spec import flat, nested, with_defaults
from archsim.explore.store import FILE, Row, Store
from workloads.files import reason_of
from workloads.refusal import Refusal
from workloads.strict_yaml import read_yaml

if TYPE_CHECKING:
    from archsim.costs.result import Result

MOST_BYTES = 256 * 2**20
"""Of a file of results."""

COMPARISON = "archsim comparison"


class ResultsError(Refusal):
    """What was named holds no results, or none that can be read."""


def gather(
    sources: Sequence[str | Path],
    fidelity: str = "cycle",
    *,
    where: Sequence[str] = (),
    marked: Sequence[str | Path] = (),
) -> list[Point]:
    """The points of all sources in their order: folders of sweeps, JSON files of `simulate` and `compare`,
    and design files, which are costed at `fidelity`. A point that comes twice comes once. Of points
    those count of which all conditions `where` hold, as in `results`; `marked` ones, of which see
    `marked_points`, are there all the same, and come first.

    Raises ResultsError for a source that is none of these, is cut short, or holds no point that counts;
    DesignError for a design; ConditionError for a condition.
    """
    if isinstance(sources, str | Path) or not sources:
        raise ResultsError.of("results", sources, "a list of folders and files")
    points = _asked([point for source in map(Path, sources) for point in _points(source, fidelity)], where)
    names = {name for point in points for name in point.fields}
    points = [*(_as_others(point, names) for point in marked_points(marked, fidelity)), *points]
    known: dict[str, Point] = {}
    for point in points:
        known.setdefault(json.dumps([point.fields, point.fidelity, point.version, point.figures]), point)
    if not known:
        allowed = f"ones that hold at least one point{', of which all conditions hold' * bool(where)}"
        raise ResultsError.of("results", ", ".join(map(str, sources)), allowed)
    return list(_named(known.values()))


def marked_points(sources: Iterable[str | Path], fidelity: str) -> Iterator[Point]:
    """Points that stand out under a name: a design file and one of results under that of the file, all design
    files of a folder, and a file of designs by name, as examples/papers.yaml. Raises as `gather` does."""
    for source in map(Path, sources):
        if source.suffix in (".yaml", ".yml") and _holds_designs(source):
            designs = read_yaml(source, "file of designs", error=ResultsError)
            for name, values in designs.items():
                result = DesignPoint.beside(source.parent, values).simulate(fidelity)
                yield replace(point_of(result.to_dict(), str(source)), mark=str(name))
        elif source.is_dir() and not (source / FILE).is_file():
            yield from marked_points(sorted(source.glob("*.yaml")), fidelity)
        else:
            yield from (replace(point, mark=source.stem) for point in _points(source, fidelity))


def _holds_designs(path: Path) -> bool:
    """Whether a YAML file holds designs by name, and is none itself."""
    values = read_yaml(path, "file of designs", error=ResultsError)
    if not isinstance(values, Mapping) or "network" in values:
        return False
    return bool(values) and all(isinstance(design, Mapping) for design in values.values())


def _as_others(point: Point, names: Collection[str]) -> Point:
    """A marked point with the fields that others have: of these none says what was left as it is."""
    told = {
        name: value
        for name, value in point.fields.items()
        if name in names or name in _FIRST or name.partition(".")[0] in ("technology", "training")
    }
    return replace(point, fields=told) if names else point


def _asked(points: list[Point], where: Sequence[str]) -> list[Point]:
    """The points of which all conditions hold."""
    conditions = list(map(Condition, where))
    if not conditions:
        return points
    asked = [with_defaults(nested(p.fields)) | {**p.fields, **p.figures, "error": p.error} for p in points]
    known = frozenset[str]().union(*asked)
    for condition in conditions:
        condition.check_names(known)
    held = [all(one.holds(fields) for one in conditions) for fields in asked]
    return [point for point, holds in zip(points, held, strict=True) if holds]


def points_of(results: Sequence[Result], sources: Sequence[str]) -> list[Point]:
    """The points of results, of the sources that each came from."""
    return list(_named(point_of(r.to_dict(), source) for r, source in zip(results, sources, strict=True)))


def _points(source: Path, fidelity: str) -> Iterator[Point]:
    if source.is_dir():
        if not (source / FILE).is_file():
            raise ResultsError.of(
                "results", str(source), f"folders with {FILE}, as `archsim sweep` makes them"
            )
        yield from sorted(
            (_of_row(row, source) for row in Store(source, read=True).rows(every_version=True)), key=_order
        )
    elif source.suffix == ".json":
        yield from (point_of(values, str(source)) for values in _results_in(source))
    elif source.suffix in (".yaml", ".yml"):
        yield point_of(DesignPoint.from_file(source).simulate(fidelity).to_dict(), str(source))
    else:
        raise ResultsError.of("results", str(source), "folders of sweeps, .json of results, .yaml of designs")


def _of_row(row: Row, source: Path) -> Point:
    noted = dict(row.figures or {})
    # The clock is a field of a point; that of the fastest one is the one that it came to.
    ran = {"clock_hz": noted.pop("clock_hz")} if "clock_hz" in noted else {}
    figures = _numbers(noted)
    return Point(
        "",
        str(source),
        flat(_told_apart({**row.point, **ran})),
        row.fidelity,
        figures,
        row.version,
        error=row.error,
        breakdown=row.breakdown,
        warnings=tuple(map(str, noted.get("warnings", ()))),
    )


def _order(point: Point) -> list[Any]:
    """The order of fields, in which neighbours are alike."""
    return [
        (name, not isinstance(value, int | float), value if isinstance(value, int | float) else str(value))
        for name, value in sorted(point.fields.items())
    ]


def _told_apart(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values of a design with kinds always in their own field, however they were written."""
    return {
        name: {"kind": value} if name in ("engine", "technology") and isinstance(value, str) else value
        for name, value in values.items()
    }


def _results_in(path: Path) -> Iterator[Mapping[str, Any]]:
    """The results that a JSON file holds. Raises ResultsError."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ResultsError.of(f"size of {path}", path.stat().st_size, f"up to {MOST_BYTES:,} bytes")
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultsError.of("results", str(path), f"files that can be read ({reason_of(error)})") from None
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"results file {path} is no whole JSON ({error}), allowed is one") from None
    form = told.get("format") if isinstance(told, dict) else None
    if form not in (FORMAT, COMPARISON):
        raise ResultsError.of(f"format of {path}", form, f"{FORMAT}, or {COMPARISON}")
    if told.get("format_version") != FORMAT_VERSION:
        raise ResultsError.of(f"format_version of {path}", told.get("format_version"), str(FORMAT_VERSION))
    yield from told.get("designs", ()) if form == COMPARISON else (told,)


def point_of(values: Mapping[str, Any], source: str) -> Point:
    """The point of a result as plain values. Raises ResultsError for values that lack a part."""
    try:
        return Point(
            "",
            source,
            flat(_counting(values["design"])),
            values["fidelity"],
            figures_of(values),
            values["archsim_version"],
            values=values,
            warnings=tuple(values["warnings"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"result in {source} lacks {error}, allowed are whole ones") from None


def _counting(design: Mapping[str, Any]) -> Mapping[str, Any]:
    """A design with what counts of an engine that trains."""
    if design.get("training") is None:
        return design
    return {**design, "engine": {name: design["engine"][name] for name in OF_ENGINE}}


def figures_of(values: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a result as plain values by the names of metrics, as `metrics.figures` has them."""
    taken = {**values, **(values.get("resources") or {})}
    stored = values["stored_bits"]
    taken |= {"weight_bits": stored["weight"], "index_bits": stored["index"], "stored_bits": stored["total"]}
    taken["traffic_bits"] = sum(t["bits_read"] + t["bits_written"] for t in values["traffic"].values())
    if taken.get("dynamic_power_w") is not None:
        taken["dynamic_energy_j"] = taken["dynamic_power_w"] * taken["interval_s"]
    if None not in (taken.get("bram36"), taken.get("bram18")):
        taken["bram_tiles"] = taken["bram36"] + taken["bram18"] / 2
    return _numbers(
        {name: taken[name] for name in (*METRICS, *(values.get("resources") or {})) if name in taken}
    )


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


_FIRST = ("network", "engine.kind", "engine.pes", "technology.kind")


def _named(points: Iterable[Point]) -> Iterator[Point]:
    """Points with names in a few words, and a number before them."""
    for number, point in enumerate(points, start=1):
        network, kind, pes, technology = (point.fields.get(name) for name in _FIRST)
        size = "" if pes is None else f" {pes} PEs,"
        mark, task = f"{point.mark}: " if point.mark else "", "training of " * point.trains
        yield replace(point, name=f"{number}: {mark}{task}{network} on {kind},{size} {technology}")
