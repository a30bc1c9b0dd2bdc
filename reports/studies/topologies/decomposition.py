"""The page of `archsim decompose`: how near topologies come to random matrices, with how many weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reports import formatting as f
from reports.claims import standard_error
from reports.output import whole_folder
from reports.page import write_page
from reports.report import Assumption, Report, Section
from reports.studies.topologies.decomposition_charts import error_chart, measures_chart
from reports.studies.topologies.decomposition_claims import RULE, claims_of
from reports.studies.topologies.decomposition_runs import Figures, candidates, run
from reports.tables import Cell, Column, Table
from workloads.measures.decomposition import MET_WITHIN, Loss
from workloads.topology.stages import TopologyError

CITATION = (
    "M. Isakov and M. A. Kinsy, NeuroFabric: Identifying Ideal Topologies for Training A Priori Sparse "
    "Networks, arXiv 2002.08339"
)
OPEN = "—"
SKIPS: dict[str, tuple[bool, ...]] = {"off": (False,), "on": (True,), "both": (False, True)}
LOSSES: dict[str, tuple[Loss, ...]] = {"l1": ("l1",), "l2": ("l2",), "both": ("l1", "l2")}


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
    with whole_folder(out / "decomposition") as room:
        rows = tuple(run(chosen, losses=LOSSES[loss], seeds=range(seeds), iterations=iterations))
        report = decomposition_report(
            rows,
            losses=LOSSES[loss],
            iterations=iterations,
            command=" ".join(("archsim decompose", *words)),
        )
        write_page(report, room)
    return report


def decomposition_report(
    rows: Sequence[Figures], *, losses: Sequence[Loss], iterations: int, command: str
) -> Report:
    """The report of what `reports.studies.topologies.decomposition_runs.run` gave."""
    sizes = sorted({row.size for row in rows})
    seeds = max((len(row.met) or len(row.relative_errors) for row in rows), default=0)
    errors = Section(
        "Errors",
        charts=tuple(error_chart(loss, size, rows) for size in sizes for loss in losses),
        tables=tuple(error_table(size, rows) for size in sizes),
    )
    constraints = Section(
        "Entries met",
        charts=(measures_chart(rows),) if any(row.met and row.freedom for row in rows) else (),
        tables=tuple(constraint_table(size, rows) for size in sizes),
    )
    claims = claims_of(rows)
    return Report(
        name="decomposition",
        title="Sparse decomposition of random matrices",
        question="How near can a cascade of sparse stages come to a dense matrix, and at how many weights?",
        setup=(
            f"Square layers of {' and '.join(map(str, sizes))} places; {seeds} random normal matrices each, "
            "each from a start of its own; no data and no activation."
        ),
        citation=CITATION,
        summary=tuple(_summary(rows)),
        sections=(errors, constraints),
        claims=claims,
        rule=RULE,
        limits=(
            "A random matrix has no structure that a trained layer might have; how these errors rank trained "
            "networks is asked by the study neurofabric-2020.",
            "A descent finds a near minimum, not the least: errors are from above, entries met from below.",
            "A skip adds the identity itself, not a scaled one. Where its ones are far from the diagonal of "
            "the matrix, a cascade with skips can come out worse although it has more freedom.",
            "Where the diagonal of a stage is stored, a skip changes nothing of what a stage can be.",
        ),
        assumptions=_assumptions(iterations),
        designs={},
        command=command,
        figures={"rows": [row_values(row) for row in rows], "claims": [vars(each) for each in claims]},
        claim_heads=("claim", "where", "against", "measured", "verdict", "beside it", "why"),
        grounds="Choices that the figures depend on.",
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


def error_table(size: int, rows: Sequence[Figures]) -> Table:
    """Both errors, a line a candidate of this size, by weights and error."""
    return _table(
        f"errors-{size}",
        f"Errors at {size} places: mean over random matrices ± standard error",
        (
            Column("stages", "count"),
            Column("stored weights", "count"),
            Column("L2: relative error", "share"),
            Column("L1: absolute error", "share"),
        ),
        [row for row in rows if row.size == size],
        lambda row: (
            row.depth,
            row.stored_weights,
            _with_error(row.relative_errors, 4),
            _with_error(row.absolute_errors, 4),
        ),
        "L2: Frobenius norm of the difference over that of the matrix. L1: sum of the magnitudes of the "
        "difference over that of the matrix.",
    )


def constraint_table(size: int, rows: Sequence[Figures]) -> Table:
    """Entries met and what two measures expect, a line a candidate of this size, in the same order."""
    return _table(
        f"constraints-{size}",
        f"Entries met at {size} places, of {f.count(size * size)}",
        (
            Column("stored weights", "count"),
            Column("entries met", "count"),
            Column("met a weight", "number", 3),
            Column("heuristic", "count"),
            Column("degrees of freedom", "count"),
        ),
        [row for row in rows if row.size == size],
        lambda row: (
            row.stored_weights,
            _with_error(row.met, 1),
            row.parameter_efficiency,
            row.constraints,
            row.freedom,
        ),
        "Met: with the L1 loss. Heuristic: entries that paths can be drawn for by colouring edges. Degrees "
        "of freedom: the rank of the Jacobian, exact.",
    )


def _table(
    name: str,
    title: str,
    columns: tuple[Column, ...],
    rows: Sequence[Figures],
    cells: Callable[[Figures], tuple[Any, ...]],
    note: str,
) -> Table:
    ordered = sorted(rows, key=lambda row: (row.stored_weights, _error(row)))
    return Table(
        title,
        ("family", "parameters", "skips", *columns),
        (
            (row.family, parameters_text(row.parameters), "yes" if row.skipped else "no", *cells(row))
            for row in ordered
        ),
        name=name,
        words=3,
        note=note,
    )


def parameters_text(parameters: dict[str, Any]) -> str:
    """The parameters of a family in a few words."""
    return ", ".join(f"{name} {_words(value)}" for name, value in parameters.items()) or OPEN


def _words(value: Any) -> str:
    """A number as it is, a list of numbers as a product, a list of those side by side."""
    if not isinstance(value, list | tuple):
        return str(value)
    nested = any(isinstance(each, list | tuple) for each in value)
    return (" " if nested else "×").join(_words(each) for each in value)


def _error(row: Figures) -> float:
    return _mean(row.relative_errors) or _mean(row.absolute_errors) or 0.0


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _with_error(values: Sequence[float], places: int) -> Cell | None:
    if not values:
        return None
    return Cell(_mean(values), f"{np.mean(values):.{places}f} ± {standard_error(values):.{places}f}")


def _summary(rows: Sequence[Figures]) -> Iterable[str]:
    """The topology of the least error at each size and budget, in a sentence."""
    for size, compression in sorted({(row.size, row.compression) for row in rows}):
        budget = size * size / compression
        near = [
            row
            for row in rows
            if (row.size, row.compression) == (size, compression)
            and abs(row.stored_weights / budget - 1) <= 0.1
        ]
        if near:
            best, worst = min(near, key=_error), max(near, key=_error)
            yield (
                f"At {size} places and about {f.count(round(budget))} weights, {_named(best)} comes nearest "
                f"with an error of {_error(best):.3f}, and {_named(worst)} stays farthest with "
                f"{_error(worst):.3f}."
            )
    free = [(row, row.freedom, row.constraints or 0) for row in rows if row.met and row.freedom is not None]
    if free:
        within = sum(max(row.met) <= freedom + _by_chance(row) for row, freedom, _ in free)
        over = sum(constraints > freedom for _, freedom, constraints in free)
        yield (
            f"In {within} of {len(free)} topologies no more entries were met than the degrees of freedom "
            f"allow, chance apart; the heuristic counts more than these in {over}."
        )


def _by_chance(row: Figures) -> float:
    """Entries that lie within MET_WITHIN of a target by chance, with room for three standard deviations: a
    difference as wide as the target itself has a density of 0.4 at zero, on two sides."""
    expected = 0.8 * MET_WITHIN * row.size**2
    return expected + 3 * math.sqrt(expected)


def _named(row: Figures) -> str:
    return f"{row.family} with skips" if row.skipped else row.family


def _assumptions(iterations: int) -> tuple[Assumption, ...]:
    return (
        Assumption(
            "entries of a matrix",
            "independent, normal, variance 1 / size",
            "The paper asks for a random dense matrix; this variance keeps the norm of a signal.",
        ),
        Assumption(
            "an entry is met",
            f"within {MET_WITHIN:g} of the root mean square of the matrix",
            f"Of entries that are not met, about {f.percent(0.8 * MET_WITHIN, 2)} lie there by chance.",
        ),
        Assumption(
            "descent",
            f"L-BFGS, at most {iterations:,} steps",
            "L1 is rounded off by a width that shrinks to a millionth, so that it has a gradient everywhere.",
        ),
        Assumption(
            "start",
            "sparse Glorot, smaller by the root of the number of skips",
            "Without the latter, a deep cascade with skips starts exponentially large.",
        ),
    )
