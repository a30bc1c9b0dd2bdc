"""The claims of NeuroFabric beside what was measured. Every verdict is computed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from reports import formatting as f
from reports.claims import Claim, Verdict, judge_cases
from reports.studies.neurofabric_2020.findings import (
    CLOS_BEST,
    STARTS_SHOWN,
    Findings,
    Pair,
    spread,
)
from reports.studies.topologies.accuracy import difference, with_error
from reports.studies.topologies.plan import WITH_SKIPS
from reports.studies.topologies.ranking import Ranking
from reports.studies.topologies.runs import seed_deviation

PLACE = "64 × 64, MNIST of 8 × 8 pixels"
LESS_BY = 0.02
"""A parameter efficiency is lower, or higher, where it is so by more than this."""


def judge(found: Findings, rule: Mapping[str, Any]) -> Iterator[Claim]:
    """Every claim of the paper."""
    yield _initialisation(found)
    yield _look_alikes(found)
    yield _heuristic(found, rule)
    yield _depth(found)
    yield _skips(found, rule)
    yield _butterflies(found)
    yield _clos(found, rule)
    yield _fourth_stage(found)
    yield _other_layers(found, rule)


def _initialisation(found: Findings) -> Claim:
    depths = found.depths()
    deepest = depths[-1]
    sparse = [found.trains("sparse-glorot", depth) for depth in depths]
    lost = [depth for depth in depths if not found.trains("glorot", depth)]
    gains = {init: found.at_depth(init, deepest)[0].signal for init in ("glorot", "sparse-glorot")}
    return Claim(
        claim="ordinary Glorot makes deep sparse cascades vanish, sparse Glorot trains any depth",
        topic="initialisation",
        where=f"linear cascades, 1 to {deepest} stages",
        baseline="a single stage",
        measured="; ".join(
            f"{deepest} stages: {f.percent(found.accuracy(init, deepest))} with {STARTS_SHOWN[init]}"
            for init in ("sparse-glorot", "glorot")
        ),
        verdict=judge_cases([all(sparse), not found.trains("glorot", deepest)]),
        other=(
            "a signal's energy after all stages, at the start: "
            + ", ".join(f"{_power(gain)} with {STARTS_SHOWN[init]}" for init, gain in gains.items())
        ),
        why=f"Glorot does not train {spread([str(depth) for depth in lost])} stages"
        if lost
        else "both train",
    )


def _power(value: float) -> str:
    return f"{value:.2f}" if 0.01 <= value < 100 else f"10^{math.log10(value):.0f}".replace("-", "−")


def _look_alikes(found: Findings) -> Claim:
    sets = found.look_alikes()
    return Claim(
        claim="topologies that look alike differ in the accuracy that they reach",
        topic="look-alikes",
        where=PLACE,
        baseline="equal weights, stages and fan-in",
        measured="; ".join(
            f"{best.label} over {worst.label} {difference(best, worst, found.deviation)}"
            for best, worst in sets
        ),
        verdict=judge_cases([found.differs(best, worst) for best, worst in sets]),
        other="the best and the worst of each set",
        why="a case for every set that looks alike; it holds where its best and worst differ by the rule",
    )


def _heuristic(found: Findings, rule: Mapping[str, Any]) -> Claim:
    ranked = {
        name: found.ranked(measure)
        for name, measure in (("constraints", "efficiency"), ("degrees of freedom", "free_share"))
    }
    mine = ranked["constraints"]
    return Claim(
        claim="constraints solved by a colouring rate a topology without data",
        topic="heuristic",
        where=PLACE,
        baseline="accuracy, Spearman",
        measured=_correlation(mine),
        verdict=_ranks(mine, rule),
        other=(
            f"fully connected layers only: {_correlation(found.ranked('efficiency', connected=True))}; "
            f"degrees of freedom: {_correlation(ranked['degrees of freedom'])}, fully connected only: "
            f"{_correlation(found.ranked('free_share', connected=True))}"
        ),
        why=(
            f"{mine.topologies} layers at two budgets, ranked inside each; 95 % interval over layers and "
            "seeds"
            if mine
            else "every layer has the same efficiency"
        ),
    )


def _other_layers(found: Findings, rule: Mapping[str, Any]) -> Claim:
    pairs = found.other_layers()
    allowed = rule["serves_within_points"] / 100
    return Claim(
        claim="the same cascades serve convolutional and recurrent layers",
        topic="other layers",
        where="MNIST",
        baseline="dense layers",
        measured="; ".join(
            f"{label} {difference(cascades, dense, seed_deviation((cascades, dense)))} at "
            f"{cascades.compression:.1f}×"
            for label, cascades, dense in pairs
        ),
        verdict=judge_cases([dense.mean - cascades.mean <= allowed for _, cascades, dense in pairs]),
        other="; ".join(f"{dense.label} {with_error(dense)}" for _, _, dense in pairs),
        why=f"it holds where a cascade loses at most {f.percent(allowed, 0)} against dense layers",
    )


def _ranks(ranking: Ranking | None, rule: Mapping[str, Any]) -> Verdict:
    if ranking is None:
        return "not testable here"
    if ranking.correlation >= rule["ranks_from"]:
        return "holds"
    return "partly" if ranking.correlation >= rule["ranks_partly_from"] else "does not hold"


def _correlation(ranking: Ranking | None) -> str:
    if ranking is None:
        return "no order"
    return f"{ranking.correlation:+.2f} ({ranking.low:+.2f} to {ranking.high:+.2f})".replace("-", "−")


def _depth(found: Findings) -> Claim:
    pairs = found.deeper()
    return Claim(
        claim="deep cascades waste edges",
        topic="depth",
        where=PLACE,
        baseline="shallow cascades of equal weights",
        measured=f"constraints for each weight: {'; '.join(_efficiencies(pair) for pair in pairs)}",
        verdict=judge_cases([pair.raised < -LESS_BY for pair in pairs]),
        other="accuracy: "
        + "; ".join(difference(pair.changed, pair.base, found.deviation) for pair in pairs),
        why=f"a case for every series: efficiency falls by more than {LESS_BY:g} from shallowest to deepest",
    )


def _efficiencies(pair: Pair) -> str:
    return (
        f"{pair.base.label} {pair.base_measures.efficiency:.2f} → {pair.changed.label} "
        f"{pair.changed_measures.efficiency:.2f}"
    )


def _skips(found: Findings, rule: Mapping[str, Any]) -> Claim:
    pairs = [pair for pair in found.skips() if pair.base_measures.efficiency < rule["ideal_efficiency"]]
    return Claim(
        claim="identity skip connections raise parameter efficiency",
        topic="skips",
        where=PLACE,
        baseline="the same layer without skips",
        measured="; ".join(
            f"{pair.base.label} {pair.base_measures.efficiency:.2f} → {pair.changed_measures.efficiency:.2f}"
            for pair in pairs
        ),
        verdict=judge_cases([pair.raised > LESS_BY for pair in pairs]),
        other="accuracy: "
        + "; ".join(
            f"{pair.base.label} {difference(pair.changed, pair.base, found.deviation)}"
            for pair in found.skips()
        ),
        why=(
            f"a case for every layer of square stages below {rule['ideal_efficiency']:g} without skips: "
            f"efficiency rises by more than {LESS_BY:g}"
        ),
    )


def _butterflies(found: Findings) -> Claim:
    pairs = found.butterflies()
    deep = pairs[1:]
    return Claim(
        claim="butterflies underperform at depth, because open paths run out",
        topic="butterflies",
        where=PLACE,
        baseline="random cascades of equal depth and weights",
        measured="; ".join(
            f"{pair.base_measures.stages} stages, {pair.changed.label}: "
            f"{difference(pair.changed, pair.base, found.deviation)}"
            for pair in pairs
        ),
        verdict=judge_cases([pair.gain < 0 and found.differs(pair.changed, pair.base) for pair in deep]),
        other="constraints for each weight: "
        + "; ".join(
            f"{pair.changed_measures.efficiency:.2f} against {pair.base_measures.efficiency:.2f}"
            for pair in pairs
        ),
        why="a case for each of the two deeper ones: worse by the rule",
    )


def _clos(found: Findings, rule: Mapping[str, Any]) -> Claim:
    pair = next(each for each in found.skips() if each.base.label == CLOS_BEST)
    skipped = pair.changed_measures
    return Claim(
        claim="Clos with skips reaches ideal parameter efficiency with high path diversity",
        topic="clos with skips",
        where=PLACE,
        baseline=f"{CLOS_BEST}, no skips: {pair.base_measures.efficiency:.2f}",
        measured=f"{skipped.efficiency:.2f}, paths {skipped.least_paths} to {skipped.most_paths}",
        verdict=judge_cases([skipped.efficiency >= rule["ideal_efficiency"], skipped.least_paths > 1]),
        other=f"accuracy{WITH_SKIPS}: {difference(pair.changed, pair.base, found.deviation)}",
        why=f"ideal is an efficiency of {rule['ideal_efficiency']:g} or more; the estimate is from below",
    )


def _fourth_stage(found: Findings) -> Claim:
    pairs = found.fourth_stage()
    return Claim(
        claim="a fourth Clos stage brings nothing",
        topic="fourth stage",
        where=PLACE,
        baseline="three stages of equal weights",
        measured="; ".join(
            f"{difference(pair.changed, pair.base, found.deviation)} at "
            f"{f.count(pair.changed_measures.weights)} weights"
            for pair in pairs
        ),
        verdict=judge_cases([pair.gain <= 0 or not found.differs(pair.changed, pair.base) for pair in pairs]),
        other="constraints for each weight: " + "; ".join(_efficiencies(pair) for pair in pairs),
        why="a case for each budget: four stages are not better by the rule",
    )
