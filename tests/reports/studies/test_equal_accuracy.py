"""Which networks are set beside each other as equally accurate, and which pairs a standard error turns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.studies.csc_dac2019.equal_accuracy import STANDARD_ERROR, near_ties, pairs
from tests.reports.stand_ins import results

pytestmark = pytest.mark.slow


def test_each_network_meets_what_takes_least_of_the_other_side_and_is_as_accurate() -> None:
    found = {at: one for at, one in results().items() if at.technology == "cmos65"}
    accuracy = {
        "csc": 0.9845,
        "clos": 0.9868,
        "deformable-butterfly": 0.9892,
        "pruned": 0.9890,
        "dense": 0.9897,
        "csc-x40": 0.9790,
        "clos-x40": 0.9796,
        "deformable-butterfly-x40": 0.9842,
        "pruned-x40": 0.9815,
    }
    told = pairs({at: replace(one, accuracy=accuracy[at.short]) for at, one in found.items()}, "cmos65")
    least: dict[str, float] = {}
    for at, one in found.items():
        taken = (one.energy_j or 0.0) * (one.area_mm2 or 0.0)
        least[at.short] = min(taken, least.get(at.short, taken))
    indexed = {name for name in accuracy if name.startswith("pruned")}
    assert {pair.given.removeprefix("lenet-300-100-") for pair in told} >= indexed
    for pair in told:
        given, other = (name.removeprefix("lenet-300-100-") for name in (pair.given, pair.other))
        good = [
            name
            for name in accuracy
            if (name in indexed) != (given in indexed) and accuracy[name] >= accuracy[given]
        ]
        assert other == min(good, key=least.__getitem__)
        without, with_index = pair.accuracies
        assert (without >= with_index) == pair.indexed_given
        assert pair.side.baseline.endswith("banked"), "the stronger of the two"


def test_a_pair_that_a_standard_error_turns_is_told_apart() -> None:
    found = {at: one for at, one in results().items() if at.technology == "cmos65"}
    indexed = {at.network for at in found if at.short.startswith("pruned")}

    def others(of_pruned: float, by_network: float) -> list[tuple[str, str]]:
        """Whom near ties set beside whom, if all with an index are so accurate, and all others so."""
        share = {True: of_pruned, False: by_network}
        now = {at: replace(one, accuracy=share[at.network in indexed]) for at, one in found.items()}
        assert all(near.accuracies[0] < near.accuracies[1] for near in near_ties(now, "cmos65"))
        return [(near.given, near.other) for near in near_ties(now, "cmos65")]

    assert not others(0.98, 0.98), "who is as accurate is set beside already"
    assert not others(0.98, 0.98 - 1.5 * STANDARD_ERROR), "too far apart"
    near = others(0.98, 0.98 - 0.5 * STANDARD_ERROR)
    assert {given for given, _ in near} == indexed
    assert len({other for _, other in near}) == 1, "the one that takes least"


def test_a_network_whose_accuracy_nobody_meets_is_in_no_pair() -> None:
    told = pairs(results(), "artix7")
    assert not any("dense" in pair.unindexed for pair in told)
