"""The accuracy side of the CSC paper: accuracy against compression over seeds, and bottom-up training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.claims import Claim, judge_losses
from reports.report import Section
from reports.studies.topologies.accuracy import accuracy_chart, accuracy_table, difference, with_error
from reports.studies.topologies.plan import BOTTOM_UP, DENSE, LENET, PRUNED
from reports.studies.topologies.runs import Run, Trained, networks, seed_deviation, trained_how

CSC = "csc"


def accuracy_section(runs: Sequence[Run]) -> Section:
    """Accuracy over compression for CSC, pruned and Clos, and CSC trained bottom up."""
    trained = networks(runs, LENET)
    dense = _dense(trained)
    shown = [each for each in trained if each.label in (CSC, PRUNED, "clos", BOTTOM_UP)]
    order = sorted(shown, key=lambda each: (-each.budget, -each.mean))
    return Section(
        "Accuracy against compression",
        paragraphs=(trained_how(trained), _bottom_up_words(trained)),
        tables=(
            accuracy_table(
                "accuracy",
                f"LeNet-300-100 after {dense.epochs} epochs; dense: {with_error(dense)}",
                order,
                marked=(CSC,),
            ),
        ),
        charts=(
            accuracy_chart(
                "csc-accuracy",
                [each for each in shown if each.label != BOTTOM_UP],
                "Accuracy over stored weights, with standard errors over seeds, from 10× to 46× compression.",
                levels={
                    f"dense, {with_error(dense)}": dense.mean,
                    "two points below": dense.mean - 0.02,
                },
            ),
        ),
    )


def accuracy_claim(runs: Sequence[Run], claims: Mapping[str, Any]) -> Claim:
    """The claimed range of compression and loss, beside the losses of networks trained with several seeds."""
    trained = networks(runs, LENET)
    dense, deviation = _dense(trained), seed_deviation(trained)
    csc = sorted((each for each in trained if each.label == CSC), key=lambda each: each.compression)
    pruned = sorted((each for each in trained if each.label == PRUNED), key=lambda each: each.compression)
    low, high = claims["networks"]["compression"]
    allowed = claims["networks"]["accuracy_loss_points"]

    def losses(side: Sequence[Trained]) -> str:
        return ", ".join(f"{difference(each, dense, deviation)} at {each.compression:.1f}×" for each in side)

    return Claim(
        claim=f"accuracy: compression of {low}× to {high}× costs at most {allowed} %",
        topic="accuracy",
        where=f"MNIST, float, {dense.epochs} epochs, {len(dense.runs)} seeds",
        baseline=f"the dense network, {with_error(dense)}",
        measured=losses(csc),
        verdict=judge_losses([dense.mean - each.mean for each in csc], allowed / 100),
        other=f"pruned: {losses(pruned)}",
        why="every network is trained alike and briefly; AlexNet is not run here",
    )


def _bottom_up_words(trained: Sequence[Trained]) -> str:
    deviation = seed_deviation(trained)
    direct = {each.budget: each for each in trained if each.label == CSC}
    texts = [
        f"{difference(each, direct[each.budget], deviation)} at {each.compression:.1f}×"
        for each in trained
        if each.label == BOTTOM_UP
    ]
    return (
        "Trained bottom up, the fan-in of the support layers is raised at the end of each of the first two "
        "epochs. Against training the final size from the start, for the same number of epochs, that is "
        f"{' and '.join(texts)}; a training of more epochs leaves more of them to the final size."
    )


def _dense(trained: Sequence[Trained]) -> Trained:
    return next(each for each in trained if each.label == DENSE)
