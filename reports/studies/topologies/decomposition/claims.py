"""What the paper of NeuroFabric claims of decompositions, judged by measured rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from reports.studies.topologies.decomposition.runs import Figures
from reports.studies.topologies.ranking import Observation, RankingError, rank_by
from reports.write_up.claims import standard_error
from reports.write_up.verdicts import Verdict

LEAST_JUDGED = 8
"""Below so many topologies, a rank correlation is not judged."""


def judged_skips(rows: Sequence[Figures]) -> dict[str, Any]:
    """How many cascades, of those that gain freedom by skips, meet more entries with them, and how many
    fewer; nothing where no cascade was run both ways."""
    plain = {_cascade(row): row for row in rows if not row.skipped and row.met}
    pairs = [
        (plain[_cascade(row)], row) for row in rows if row.skipped and row.met and _cascade(row) in plain
    ]
    if not pairs:
        return {}
    freer = [
        (without, skipped)
        for without, skipped in pairs
        if without.freedom is None or skipped.freedom is None or skipped.freedom > without.freedom
    ]
    rises = falls = 0
    for without, skipped in freer:
        change = np.subtract(skipped.met, without.met)
        surely = abs(change.mean()) > 2 * standard_error(change.tolist()) and abs(change.mean()) >= 1
        rises += bool(surely and change.mean() > 0)
        falls += bool(surely and change.mean() < 0)
    decided = Verdict.HELD if rises and not falls else Verdict.PARTLY if rises else Verdict.FAILED
    verdict = decided if freer else Verdict.NOT_TESTABLE
    return {"rises": rises, "falls": falls, "freer": len(freer), "pairs": len(pairs), "verdict": verdict}


def _cascade(row: Figures) -> tuple[str, int, str]:
    return row.family, row.size, str(row.parameters)


def judged_ranks(rows: Sequence[Figures]) -> dict[str, dict[str, Any]]:
    """How well each measure ranks topologies of one size and budget: `depth`, negated, by entries met for
    each weight, without skips; the others by entries met. One that too few rows have is left out."""
    shallow = [(row, -row.depth) for row in rows if row.met and not row.skipped]
    ranks = {"depth": _ranked(shallow, lambda row: tuple(met / row.stored_weights for met in row.met))}
    for measure in ("constraints", "freedom"):
        values = ((row, getattr(row, measure)) for row in rows if any(row.met))
        measured = [(row, value) for row, value in values if value is not None]
        ratios = [value / float(np.mean(row.met)) for row, value in measured]
        if ranked := _ranked(measured, lambda row: tuple(map(float, row.met))):
            ranks[measure] = ranked | {"least_ratio": min(ratios), "most_ratio": max(ratios)}
    return {measure: ranked for measure, ranked in ranks.items() if ranked}


def _ranked(
    measured: Sequence[tuple[Figures, float]], outcome: Callable[[Figures], tuple[float, ...]]
) -> dict[str, Any]:
    observations = [
        Observation(row.family, value, outcome(row), f"{row.size}/{row.compression:g}")
        for row, value in measured
    ]
    try:
        ranking = rank_by(observations)
    except RankingError:
        return {}
    decided = (
        Verdict.HELD if ranking.low > 0 else Verdict.PARTLY if ranking.correlation > 0 else Verdict.FAILED
    )
    verdict = decided if ranking.topologies >= LEAST_JUDGED else Verdict.NOT_TESTABLE
    return vars(ranking) | {"verdict": verdict}
