"""Results from wherever they are kept: stores of sweeps, files of results, designs that are still to be
costed. All become points of one kind, for pages and comparisons."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.costs.metrics import METRICS
from archsim.costs.plain import FORMAT, FORMAT_VERSION
from archsim.design import DesignPoint
from archsim.explore.spec import flat
from archsim.explore.store import FILE, Row, Store, this_version
from workloads.files import reason_of
from workloads.refusal import Refusal

if TYPE_CHECKING:
    from archsim.costs.result import Result

RECOSTED = frozenset({"analytic", "cycle"})
"""The fidelities that are quick enough to cost a point once more, for what its row does not hold."""

MOST_BYTES = 256 * 2**20
"""Of a file of results."""

COMPARISON = "archsim comparison"


class ResultsError(Refusal):
    """What was named holds no results, or none that can be read."""


@dataclass(frozen=True)
class Point:
    """One design point and what is known of it.

    `fields` are those of the design by their names with dots, `figures` by the names of metrics in their SI
    units, `values` the whole result as `simulate --json` prints it, where that is known: components, traffic
    and errors. A point that was refused has an `error` in their stead. `source` is the file or folder.
    """

    name: str
    source: str
    fields: Mapping[str, Any]
    fidelity: str
    figures: Mapping[str, float]
    version: str
    values: Mapping[str, Any] | None = None
    error: str | None = None
    row: Row | None = None

    def components(self, metric: str) -> Mapping[str, float]:
        """A metric by component, the largest first; empty where that is not known."""
        parts: Mapping[str, Any] = (self.values or {}).get("components", {})
        if metric in parts:
            return dict(parts[metric])
        taken = {name: counts.get(metric, 0) for name, counts in parts.get("resources", {}).items()}
        return dict(sorted(((n, v) for n, v in taken.items() if v), key=lambda item: -item[1]))

    def traffic(self) -> Mapping[str, int]:
        """Bits through the ports of each memory in one inference; empty where that is not known."""
        told: Mapping[str, Mapping[str, int]] = (self.values or {}).get("traffic", {})
        return {f"{role} memory": words["bits_read"] + words["bits_written"] for role, words in told.items()}

    def whole(self) -> Point:
        """The point with the whole result, costed once more where only its figures were kept.

        A row of another version, of a fidelity that takes long, or that names files which are elsewhere now
        stays as it is.
        """
        row = self.row
        if self.values or self.error or row is None or row.fidelity not in RECOSTED:
            return self
        if row.version != this_version():
            return self
        try:
            result = DesignPoint.beside(Path(), row.point).simulate(row.fidelity)
        except Refusal:
            return self
        return replace(self, values=result.to_dict())


def gather(sources: Sequence[str | Path], fidelity: str = "cycle") -> list[Point]:
    """The points of all sources in their order: folders of sweeps, JSON files of `simulate` and `compare`,
    and design files, which are costed at `fidelity`. A point that comes twice comes once.

    Raises ResultsError for a source that is none of these, or is cut short; DesignError for a design.
    """
    if isinstance(sources, str | Path) or not sources:
        raise ResultsError.of("results", sources, "a list of folders and files")
    points = [point for source in map(Path, sources) for point in _points(source, fidelity)]
    known: dict[str, Point] = {}
    for point in points:
        known.setdefault(json.dumps([point.fields, point.fidelity, point.version, point.figures]), point)
    if not known:
        raise ResultsError.of("results", ", ".join(map(str, sources)), "ones that hold at least one point")
    return list(_named(known.values()))


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
        flat(_told_apart({**row.point, **(ran if "clock_hz" in row.point else {})})),
        row.fidelity,
        figures,
        row.version,
        error=row.error,
        row=row,
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
            flat(values["design"]),
            values["fidelity"],
            figures_of(values),
            values["archsim_version"],
            values=values,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"result in {source} lacks {error}, allowed are whole ones") from None


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


def differing(points: Sequence[Point]) -> tuple[str, ...]:
    """The fields of designs that are not the same in all points, in the order in which they are met."""
    names = dict.fromkeys(name for point in points for name in point.fields)
    return tuple(n for n in names if len({json.dumps(point.fields.get(n)) for point in points}) > 1)


_FIRST = ("network", "engine.kind", "engine.pes", "technology.kind")


def _named(points: Iterable[Point]) -> Iterator[Point]:
    """Points with names in a few words, and a number before them."""
    for number, point in enumerate(points, start=1):
        network, kind, pes, technology = (point.fields.get(name) for name in _FIRST)
        size = "" if pes is None else f" {pes} PEs,"
        yield replace(point, name=f"{number}: {network} on {kind},{size} {technology}")
