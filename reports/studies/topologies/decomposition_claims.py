"""What the paper of NeuroFabric claims of decompositions, and the verdict on each by measured rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from reports.claims import Claim, Verdict, standard_error
from reports.studies.topologies.decomposition_runs import Figures
from reports.studies.topologies.ranking import Observation, RankingError, rank_by

# Below so many topologies, a rank correlation is not judged.
LEAST_JUDGED = 8
RULE = (
    "Skips raise efficiency where, of the cascades that gain freedom by them, some meet more entries by over "
    "two standard errors and none fewer; in part where some do and some do not. A correlation over at least "
    f"{LEAST_JUDGED} topologies holds where its 95 % interval lies on the claimed side of zero, and in part "
    "where only its middle does."
)


def claims_of(rows: Sequence[Figures]) -> tuple[Claim, ...]:
    """The claims that these rows can say something about."""
    found = (_skips_claim(rows), _depth_claim(rows), *_measure_claims(rows))
    return tuple(claim for claim in found if claim)


def _skips_claim(rows: Sequence[Figures]) -> Claim | None:
    plain = {(row.family, row.size, str(row.parameters)): row for row in rows if not row.skipped and row.met}
    pairs = [
        (plain[key], row)
        for row in rows
        if row.skipped and row.met and (key := (row.family, row.size, str(row.parameters))) in plain
    ]
    if not pairs:
        return None
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
    decided: Verdict = "holds" if rises and not falls else "partly" if rises else "does not hold"
    return Claim(
        claim="Identity skip connections raise parameter efficiency",
        topic="skips",
        where="entries met with the L1 loss",
        baseline="the same cascade without skips",
        measured=f"more in {rises}, fewer in {falls} of {len(freer)} cascades that gain freedom",
        verdict=decided if freer else "not testable here",
        other=f"a skip adds no freedom to {len(pairs) - len(freer)} of {len(pairs)}",
        why="a skip changes nothing where a stage stores its diagonal",
    )


def _depth_claim(rows: Sequence[Figures]) -> Claim | None:
    return _correlation_claim(
        [(row, -row.depth) for row in rows if row.met and not row.skipped],
        lambda row: tuple(met / row.stored_weights for met in row.met),
        claim="Deep cascades waste edges",
        where="entries met for each weight, with the L1 loss, without skips",
        baseline="cascades of fewer stages at the same budget",
        what="number of stages, negated, and efficiency",
        why="a cascade of stages can scale each place between two of them for nothing",
    )


def _measure_claims(rows: Sequence[Figures]) -> Iterable[Claim | None]:
    measures: dict[str, Callable[[Figures], int | None]] = {
        "The constraint-counting heuristic": lambda row: row.constraints,
        "The rank of the Jacobian": lambda row: row.freedom,
    }
    for name, measure in measures.items():
        chosen = [(row, value) for row in rows if any(row.met) and (value := measure(row)) is not None]
        if chosen:
            ratios = [value / float(np.mean(row.met)) for row, value in chosen]
            yield _correlation_claim(
                chosen,
                lambda row: tuple(float(met) for met in row.met),
                claim=f"{name} says how many entries a topology can meet",
                where="entries met with the L1 loss",
                baseline="all topologies of the same size and budget",
                what="measure and entries met",
                why=f"measure over entries met: {min(ratios):.2f} to {max(ratios):.2f}",
            )


def _correlation_claim(
    measured: Sequence[tuple[Figures, float]],
    outcome: Callable[[Figures], tuple[float, ...]],
    *,
    claim: str,
    where: str,
    baseline: str,
    what: str,
    why: str,
) -> Claim | None:
    """A claim that a measure ranks topologies of one size and budget, or none where too few were run."""
    observations = [
        Observation(row.family, value, outcome(row), f"{row.size}/{row.compression:g}")
        for row, value in measured
    ]
    try:
        found = rank_by(observations)
    except RankingError:
        return None
    judged: Verdict = "holds" if found.low > 0 else "partly" if found.correlation > 0 else "does not hold"
    return Claim(
        claim=claim,
        topic="correlation",
        where=where,
        baseline=baseline,
        measured=f"Spearman {found.correlation:.2f}, 95 % from {found.low:.2f} to {found.high:.2f}",
        verdict=judged if found.topologies >= LEAST_JUDGED else "not testable here",
        other=f"{what}, over {found.topologies} topologies",
        why=why,
    )
