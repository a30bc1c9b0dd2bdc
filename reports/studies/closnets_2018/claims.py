"""The claims of ClosNets beside what was measured. Every verdict is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports import formatting as f
from reports.accuracy import difference, with_error
from reports.claims import Claim, SeedRule, Verdict, judge_cases
from reports.studies.closnets_2018.topologies import Counted
from reports.training_plan import BOTTOM_UP, DENSE, PRUNED
from reports.training_runs import Trained, error_of_difference, seed_deviation

CLOS = "clos"
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
    yield _best(short, rule.seeds)
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


def _best(short: Sequence[Trained], rule: SeedRule) -> Claim:
    deviation = seed_deviation(short)
    cases, texts, better = [], [], set()
    for clos in _of(short, CLOS):
        rivals = [
            each
            for each in short
            if each.budget == clos.budget and each.label != CLOS and each.label not in NOT_A_PRIORI
        ]
        ahead = [
            each
            for each in rivals
            if each.mean > clos.mean
            and rule.differs(each.mean - clos.mean, error_of_difference(each, clos, deviation))
        ]
        rank = 1 + sum(each.mean > clos.mean for each in rivals)
        cases.append(not ahead)
        better |= {each.label for each in ahead}
        texts.append(f"place {rank} of {len(rivals) + 1} at {clos.compression:.1f}×, {with_error(clos)}")
    return Claim(
        claim="of several topologies, Clos reaches the best accuracy",
        topic="accuracy among families",
        where="LeNet-300-100, MNIST",
        baseline="every family chosen before training",
        measured="; ".join(texts),
        verdict=judge_cases(cases),
        other=f"better by the rule: {', '.join(sorted(better))}" if better else "no family is better",
        why="it holds at a budget where no family is better by the rule",
    )


def _dense(networks: Sequence[Trained]) -> Trained:
    return next(each for each in networks if each.label == DENSE)


def _of(networks: Sequence[Trained], label: str) -> list[Trained]:
    return sorted((each for each in networks if each.label == label), key=lambda each: each.compression)
