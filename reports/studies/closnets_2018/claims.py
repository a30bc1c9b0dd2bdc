"""The claims of ClosNets beside what was measured. Every verdict is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports import formatting as f
from reports.claims import Claim, SeedRule, Verdict, judge_cases
from reports.studies.closnets_2018.topologies import Counted
from reports.studies.topologies.accuracy import difference, with_error
from reports.studies.topologies.plan import BOTTOM_UP, CONTIGUOUS, DENSE, PRUNED
from reports.studies.topologies.runs import Trained, error_of_difference, seed_deviation

CLOS = "clos"
CLOS_FORMS = (CLOS, CONTIGUOUS)
NOT_A_PRIORI = (DENSE, PRUNED, BOTTOM_UP)
"""What is not chosen before training, or is trained in another way."""
ABOUT_HALF = 0.45
"""Networks meet a compression only nearly."""


@dataclass(frozen=True)
class LossRule:
    """No loss, a small one, or more."""

    seeds: SeedRule
    small: float

    def is_none(self, loss: float, error: float) -> bool:
        return loss <= 0 or not self.seeds.differs(loss, error)

    def __str__(self) -> str:
        return (
            f"{self.seeds}; there is no loss where the mean is not below that of the dense network by this "
            f"rule, and a claim of none holds partly where the loss is at most "
            f"{f.percent(self.small)} or where there is none at half of the claimed factor"
        )


def judge(
    long: Sequence[Trained],
    short: Sequence[Trained],
    zoo: Sequence[Trained],
    counted: Sequence[Counted],
    indices: tuple[int, int],
    claims: Mapping[str, Any],
    rule: LossRule,
) -> Iterator[Claim]:
    """Every claim of the paper."""
    yield _weights(long, short, claims, rule)
    clos = [each for each in counted if each.network.label == CLOS]
    yield _connectivity(clos, counted)
    yield _diversity(clos, counted)
    yield _shallow(clos, counted)
    yield Claim(
        claim="the indices of the connections are not stored",
        topic="indices",
        where="hardware, 12.7×",
        baseline="pruned banked",
        measured=f.stored(indices[0]),
        verdict="holds" if indices[0] == 0 else "does not hold",
        other=f"pruned: {f.stored(indices[1])}",
        why="addresses of a Clos stage are counters, one of them transposed",
    )
    yield _best(short, zoo, rule.seeds)
    yield Claim(
        claim="training in on-chip memory without batching is faster and takes less energy",
        topic="training on chip",
        where="hardware",
        baseline="dense",
        measured="—",
        verdict="not testable here",
        other="the speed of training in software is what make bench measures",
        why="the hardware described here runs trained networks and does not train them",
    )


def _weights(
    long: Sequence[Trained], short: Sequence[Trained], claims: Mapping[str, Any], rule: LossRule
) -> Claim:
    factor = claims["weights"]["factor"]
    dense, deviation = _dense(long), seed_deviation(long)
    clos = sorted((each for each in long if each.label == CLOS), key=lambda each: each.compression)
    none = [
        each.compression
        for each in clos
        if rule.is_none(dense.mean - each.mean, error_of_difference(dense, each, deviation))
    ]
    at = min(clos, key=lambda each: abs(each.compression - factor))
    loss = dense.mean - at.mean
    verdict: Verdict = "does not hold"
    if at.compression in none:
        verdict = "holds"
    elif loss <= rule.small or any(compression >= ABOUT_HALF * factor for compression in none):
        verdict = "partly"
    reach = f"no loss up to {max(none):.1f}×" if none else "a loss at every compression tried"
    quick = _dense(short), min(_of(short, CLOS), key=lambda each: abs(each.compression - factor))
    return Claim(
        claim=f"up to {factor}× fewer weights without loss of accuracy",
        topic="weights",
        where="LeNet-300-100, MNIST",
        baseline=f"dense, {with_error(dense)}",
        measured="; ".join(
            f"{difference(each, dense, deviation)} at {each.compression:.1f}×" for each in clos
        ),
        verdict=verdict,
        other=(
            f"after {quick[0].epochs} epochs: {difference(quick[1], quick[0], seed_deviation(short))} at "
            f"{quick[1].compression:.1f}×"
        ),
        why=f"{dense.epochs} epochs with random shifts, as the networks of the zoo; {reach}",
    )


def _connectivity(clos: Sequence[Counted], counted: Sequence[Counted]) -> Claim:
    partial = sorted({each.network.label for each in counted if not each.connected})
    return Claim(
        claim="every output of a layer depends on all its inputs",
        topic="connectivity",
        where="LeNet-300-100",
        baseline="the other families",
        measured=f"{sum(each.connected for each in clos)} of {len(clos)} networks, in every layer",
        verdict=judge_cases([each.connected for each in clos]),
        other=f"not at every budget: {', '.join(partial)}",
        why="one path through each middle block joins any input to any output",
    )


def _diversity(clos: Sequence[Counted], counted: Sequence[Counted]) -> Claim:
    fewest = [each.least_paths for each in clos]
    single = sorted({each.network.label for each in counted if each.most_paths <= 1})
    return Claim(
        claim="many paths lead from any input to any output",
        topic="path diversity",
        where="LeNet-300-100, first layer",
        baseline="a single path",
        measured="; ".join(
            f"{each.least_paths:g} at {each.network.compression:.1f}×"
            for each in sorted(clos, key=lambda one: one.network.compression)
        ),
        verdict=judge_cases([least > 1 for least in fewest]),
        other=f"one path at most, at some budget: {', '.join(single)}" if single else "none has only one",
        why="paths are as many as middle blocks, so they become fewer with the weights",
    )


def _shallow(clos: Sequence[Counted], counted: Sequence[Counted]) -> Claim:
    most = max(each.stages for each in clos)
    deepest = max(counted, key=lambda each: each.stages)
    deeper = {each.network.label for each in counted if each.stages > most}
    return Claim(
        claim="a few stages whatever the size of the layer",
        topic="depth",
        where="LeNet-300-100, first layer",
        baseline="the other families",
        measured=f"{most} stages",
        verdict="holds" if deeper and most <= 3 else "does not hold",
        other=f"deepest: {deepest.network.label}, {deepest.stages} stages",
        why=f"deeper at some budget: {', '.join(sorted(deeper))}" if deeper else "no family is deeper",
    )


def _best(short: Sequence[Trained], zoo: Sequence[Trained], rule: SeedRule) -> Claim:
    standings = [
        standing
        for trained in (short, zoo)
        for standing in (_standing(trained, budget, rule) for budget in _budgets(trained))
    ]
    better = {label for standing in standings for label in standing.ahead}
    after = [f"after {trained[0].epochs} epochs" for trained in (short, zoo)]
    counts = len(_budgets(short)), len(_budgets(zoo))
    texts = [standing.text for standing in standings]
    return Claim(
        claim="of several topologies, Clos reaches the best accuracy",
        topic="accuracy among families",
        where="LeNet-300-100, MNIST",
        baseline="every family chosen before training",
        measured=f"{after[0]}: {'; '.join(texts[: counts[0]])}; {after[1]}: {'; '.join(texts[counts[0] :])}",
        verdict=judge_cases([not standing.ahead for standing in standings]),
        other=f"better by the rule: {', '.join(sorted(better))}" if better else "no family is better",
        why=(
            "the better of the two orders of inputs stands for Clos; it holds at a budget where no family is "
            "better by the rule"
        ),
    )


@dataclass(frozen=True)
class _Standing:
    """Where Clos stands at a budget, and which families are ahead of it by the rule."""

    text: str
    ahead: tuple[str, ...]


def _budgets(trained: Sequence[Trained]) -> list[int]:
    return sorted({each.budget for each in trained if each.label in CLOS_FORMS}, reverse=True)


def _standing(trained: Sequence[Trained], budget: int, rule: SeedRule) -> _Standing:
    deviation = seed_deviation(trained)
    of = [each for each in trained if each.budget == budget]
    clos = max((each for each in of if each.label in CLOS_FORMS), key=lambda each: each.mean)
    rivals = [each for each in of if each.label not in (*CLOS_FORMS, *NOT_A_PRIORI)]
    ahead = [
        each.label
        for each in rivals
        if each.mean > clos.mean
        and rule.differs(each.mean - clos.mean, error_of_difference(each, clos, deviation))
    ]
    rank = 1 + sum(each.mean > clos.mean for each in rivals)
    form = " contiguous" if clos.label == CONTIGUOUS else ""
    return _Standing(
        f"place {rank} of {len(rivals) + 1} at {clos.compression:.1f}×, {with_error(clos)}{form}",
        tuple(ahead),
    )


def _dense(networks: Sequence[Trained]) -> Trained:
    return next(each for each in networks if each.label == DENSE)


def _of(networks: Sequence[Trained], label: str) -> list[Trained]:
    return sorted((each for each in networks if each.label == label), key=lambda each: each.compression)
