"""The page of `archsim decompose`: how near topologies come to random matrices, with how many weights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from reports.output import whole_folder
from reports.page import write_page
from reports.studies.topologies.decomposition.charts import error_chart, measures_chart
from reports.studies.topologies.decomposition.claims import LEAST_JUDGED, judged_ranks, judged_skips
from reports.studies.topologies.decomposition.runs import Figures, candidates, run
from reports.tables import Cell
from reports.write_up.claims import standard_error
from reports.write_up.report import Report
from reports.write_up.study_page import Findings, write_up
from workloads.measures.decomposition import MET_WITHIN, Loss
from workloads.stages import TopologyError

CITATION = (
    "M. Isakov and M. A. Kinsy, NeuroFabric: Identifying Ideal Topologies for Training A Priori Sparse "
    "Networks, arXiv 2002.08339"
)
SKIPS: dict[str, tuple[bool, ...]] = {"off": (False,), "on": (True,), "both": (False, True)}
LOSSES: dict[str, tuple[Loss, ...]] = {"l1": ("l1",), "l2": ("l2",), "both": ("l1", "l2")}
BY_CHANCE = 0.8 * MET_WITHIN
"""The share of entries that lie within MET_WITHIN of a target by chance: a difference as wide as the target
itself has a density of 0.4 at zero, on two sides."""


def decompose_and_write(
    *,
    families: Sequence[str],
    sizes: Sequence[int],
    compressions: Sequence[float],
    skips: str,
    loss: str,
    seeds: int,
    iterations: int,
    out: Path,
) -> Report:
    """Runs the decompositions with a progress bar and writes the page to `out/decomposition`.

    `skips` is a key of SKIPS and `loss` one of LOSSES. Raises TopologyError for a plan that is not
    allowed, and OutputError where the folder cannot be written, before anything is run.
    """
    chosen = candidates(sizes, compressions, families=families, skips=SKIPS[skips])
    if not chosen:
        raise TopologyError("skips of a decomposition is on, allowed is off where no stage is square")
    words = [f"--family {family}" for family in families]
    words += [f"--size {size}" for size in sizes]
    words += [f"--compression {compression:g}" for compression in compressions]
    words += [f"--skips {skips} --loss {loss} --seeds {seeds} --iterations {iterations}"]
    command = " ".join(("archsim decompose", *words))
    with whole_folder(out / "decomposition") as room:
        rows = tuple(run(chosen, losses=LOSSES[loss], seeds=range(seeds), iterations=iterations))
        report = decomposition_report(rows, losses=LOSSES[loss], iterations=iterations, command=command)
        write_page(report, room)
    return report


def decomposition_report(
    rows: Sequence[Figures], *, losses: Sequence[Loss], iterations: int, command: str
) -> Report:
    """The report of what `reports.studies.topologies.decomposition.runs.run` gave."""
    return write_up(
        "reports.studies.topologies.decomposition",
        findings(rows, losses, iterations),
        {"citation": CITATION},
        command=command,
    )


def findings(rows: Sequence[Figures], losses: Sequence[Loss], iterations: int) -> Findings:
    """What the page reads."""
    sizes = sorted({row.size for row in rows})
    ordered = sorted(rows, key=attrgetter("stored_weights", "error"))
    return Findings(
        figures={
            "sizes": sizes,
            "losses": losses,
            "iterations": iterations,
            "seeds": max((len(row.met) or len(row.relative_errors) for row in rows), default=0),
            "nearest": list(_nearest(rows)),
            "free": _free(rows),
            "skips": judged_skips(rows),
            "ranks": judged_ranks(rows),
            "least_judged": LEAST_JUDGED,
            "met_within": MET_WITHIN,
            "by_chance": BY_CHANCE,
        },
        rows={
            f"{name}-{size}": [cells(row) for row in ordered if row.size == size]
            for size in sizes
            for name, cells in (("errors", _errors), ("constraints", _constraints))
        },
        charts={f"{loss}-{size}": error_chart(loss, size, rows) for size in sizes for loss in losses}
        | {"measures": measures_chart(rows)},
        plain={"rows": [row_values(row) for row in rows]},
        assumptions=(),
    )


def row_values(row: Figures) -> dict[str, Any]:
    """A row as plain values."""
    return {
        "family": row.family,
        "parameters": row.parameters,
        "size": row.size,
        "compression_asked": row.compression,
        "skips": row.skipped,
        "stages": row.depth,
        "stored_weights": row.stored_weights,
        "relative_errors": list(row.relative_errors),
        "absolute_errors": list(row.absolute_errors),
        "met": list(row.met),
        "parameter_efficiency": row.parameter_efficiency,
        "constraints_by_heuristic": row.constraints,
        "degrees_of_freedom": row.freedom,
    }


# What sentences read.


def _nearest(rows: Sequence[Figures]) -> Iterator[dict[str, Any]]:
    """The topologies of the least and of the largest error at each size and budget."""
    for size, compression in sorted({(row.size, row.compression) for row in rows}):
        weights = size * size / compression
        near = [
            row
            for row in rows
            if (row.size, row.compression) == (size, compression)
            and abs(row.stored_weights / weights - 1) <= 0.1
        ]
        if near:
            ends = {"best": min(near, key=attrgetter("error")), "worst": max(near, key=attrgetter("error"))}
            yield {"size": size, "weights": round(weights), **ends}


def _free(rows: Sequence[Figures]) -> dict[str, int]:
    """In how many topologies the degrees of freedom allow what was met, and the heuristic counts more."""
    free = [(row, row.freedom, row.constraints or 0) for row in rows if row.met and row.freedom is not None]
    return {
        "topologies": len(free),
        "within": sum(max(row.met) <= freedom + _most_by_chance(row.size) for row, freedom, _ in free),
        "over": sum(constraints > freedom for _, freedom, constraints in free),
    }


def _most_by_chance(size: int) -> float:
    """Entries that are met by chance, with room for three standard deviations."""
    expected = BY_CHANCE * size**2
    return expected + 3 * math.sqrt(expected)


# The tables.


def _errors(row: Figures) -> tuple[Any, ...]:
    errors = (_with_error(values, 4) for values in row.errors.values())
    return (*_labels(row), row.depth, row.stored_weights, *errors)


def _constraints(row: Figures) -> tuple[Any, ...]:
    met = _with_error(row.met, 1), row.parameter_efficiency
    return (*_labels(row), row.stored_weights, *met, row.constraints, row.freedom)


def _labels(row: Figures) -> tuple[str, str, str]:
    return row.family, parameters_text(row.parameters), "yes" if row.skipped else "no"


def parameters_text(parameters: dict[str, Any]) -> str:
    """The parameters of a family in a few words."""
    return ", ".join(f"{name} {_words(value)}" for name, value in parameters.items()) or "—"


def _words(value: Any) -> str:
    """A number as it is, a list of numbers as a product, a list of those side by side."""
    if not isinstance(value, list | tuple):
        return str(value)
    nested = any(isinstance(part, list | tuple) for part in value)
    return (" " if nested else "×").join(map(_words, value))


def _with_error(values: Sequence[float], places: int) -> Cell | None:
    if not values:
        return None
    mean = float(np.mean(values))
    return Cell(mean, f"{mean:.{places}f} ± {standard_error(values):.{places}f}")
