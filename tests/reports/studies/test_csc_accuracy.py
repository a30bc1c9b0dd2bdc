"""The accuracy side of the CSC paper, from networks that nobody had to train."""

from __future__ import annotations

import pytest

from reports.studies import csc_dac2019
from reports.studies.csc_dac2019.measure import findings
from reports.studies.topologies.plan import ALEXNET, BOTTOM_UP, TO_THE_END, budget_of, plan
from reports.studies.topologies.runs import Planned, shipped_runs
from reports.write_up.claims import published
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from tests.reports.stand_in_experiments import Gain, runs
from tests.reports.stand_ins import designs, results, searched

CONTENT = published(csc_dac2019.__name__)
SMALLEST = min(each.budget for each in plan() if each.group == ALEXNET)


def report(gain: Gain) -> Report:
    found = findings(results(), designs(), searched(), CONTENT, runs(gain))
    return write_up(csc_dac2019.__name__, found, CONTENT)


def verdict(gain: Gain) -> str:
    (claim,) = (each for each in report(gain).claims if each.where.startswith("MNIST, float"))
    return claim.verdict


@pytest.mark.slow
def test_the_whole_range_must_lie_within_the_claimed_loss() -> None:
    def one_too_low(planned: Planned) -> float:
        return -0.03 if planned.label == "csc" and planned.budget == budget_of(46) else 0.0

    assert verdict(lambda planned: 0.0) == "held"
    assert verdict(one_too_low) == "partly"
    assert verdict(lambda planned: -0.03 if planned.label == "csc" else 0.0) == "failed"


def test_bottom_up_is_told_beside_direct_training() -> None:
    def better(planned: Planned) -> float:
        return 0.01 if planned.label == BOTTOM_UP else 0.0

    told = {section.heading: section for section in report(better).sections}
    words = told["Accuracy against compression"].paragraphs[1]
    assert "+1.0" in words or "+0.9" in words


@pytest.mark.parametrize("group", [TO_THE_END, ALEXNET])
def test_the_shipped_networks_span_the_claimed_range(group: str) -> None:
    csc = [each for each in shipped_runs() if (each.group, each.label) == (group, "csc")]
    reached = [each.outcome.dense_weights / each.outcome.stored_weights for each in csc]
    low, high = CONTENT["networks"]["compression"]
    assert min(reached) < 1.01 * low
    assert max(reached) > 0.99 * high


def test_networks_with_the_shape_of_alexnet_hold_their_weights_in_fully_connected_layers() -> None:
    planned = [each.recipe for each in plan() if each.group == ALEXNET]
    (dense,) = (each for each in planned if {layer.family for layer in each.layers} == {"dense"})
    assert dense.topology().dense_weights > 0.95 * dense.dense_weights
    for recipe in planned:
        assert recipe.convolutions == dense.convolutions, "dense in all"
        assert recipe.topology().is_fully_connected()


@pytest.mark.slow
def test_the_shape_of_alexnet_has_a_verdict_and_a_table_of_its_own() -> None:
    def one_too_low(planned: Planned) -> float:
        return -0.03 if (planned.group, planned.budget) == (ALEXNET, SMALLEST) else 0.0

    told = report(one_too_low)
    (shaped,) = (each for each in told.claims if each.where.startswith("Fashion-MNIST"))
    assert shaped.verdict == "partly"
    assert verdict(one_too_low) == "held", "that of LeNet-300-100 is of its own networks"
    (section,) = (each for each in told.sections if each.heading.startswith("A network with AlexNet's shape"))
    (table,) = section.tables
    assert [row[0] for row in table.rows] == ["dense", "csc", "csc", "csc"]
