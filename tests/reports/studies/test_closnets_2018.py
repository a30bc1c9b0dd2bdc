"""The page of ClosNets, made of networks that nobody had to train."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from archsim.costs.plain import heading
from reports.page import write_page
from reports.studies import closnets_2018, studies
from reports.studies.closnets_2018.measure import findings
from reports.studies.topologies.experiments import Experiments
from reports.studies.topologies.plan import CONTIGUOUS, LENET, LONG, ZOO
from reports.studies.topologies.runs import Planned
from reports.write_up.claims import published
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from tests.reports.pages import check_page
from tests.reports.stand_in_experiments import Gain, bed, measures, runs

pytestmark = pytest.mark.slow

STUDY = "reports.studies.closnets_2018"


def told(gain: Gain) -> Report:
    content = published(STUDY)
    return write_up(STUDY, findings(Experiments(runs(gain), bed(), measures(), ()), content), content)


@cache
def report() -> Report:
    return told(lambda planned: 0.0)


def verdicts(report: Report) -> dict[str, str]:
    return {claim.topic: claim.verdict for claim in report.claims}


def test_the_study_is_registered() -> None:
    assert studies["closnets-2018"] is closnets_2018.reproduce


def at_full_accuracy(planned: Planned) -> float:
    """As good as dense, where networks are trained for longer."""
    return 20 / planned.budget - 20 / 266_200 if planned.group == LONG else 0.0


def a_point_worse(planned: Planned) -> float:
    return -0.01 if planned.group == LONG and planned.label == "clos" else 0.0


def a_little_worse(planned: Planned) -> float:
    return -0.003 if planned.group == LONG and planned.label == "clos" else 0.0


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [(at_full_accuracy, "held"), (a_little_worse, "partly"), (a_point_worse, "failed")],
)
def test_no_loss_is_judged_by_the_stated_rule(gain: Gain, verdict: str) -> None:
    assert verdicts(told(gain))["weights"] == verdict


def best(planned: Planned) -> float:
    return 0.02 if planned.group in (LENET, ZOO) and planned.label == "clos" else 0.0


def best_in_another_order(planned: Planned) -> float:
    return 0.02 if planned.group in (LENET, ZOO) and planned.label == CONTIGUOUS else 0.0


def behind_a_butterfly(group: str, least: int) -> Gain:
    def gain(planned: Planned) -> float:
        ahead = planned.group == group and planned.label == "butterfly" and planned.budget > least
        return 0.03 if ahead else best(planned)

    return gain


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [
        (best, "held"),
        (best_in_another_order, "held"),
        (behind_a_butterfly(LENET, 20_000), "partly"),
        (behind_a_butterfly(ZOO, 20_000), "partly"),
    ],
)
def test_clos_is_best_only_where_no_family_is_better(gain: Gain, verdict: str) -> None:
    assert verdicts(told(gain))["accuracy among families"] == verdict


def test_the_networks_of_the_zoo_are_chosen_by_what_was_held_out() -> None:
    (section,) = (each for each in report().sections if each.heading == "At the budgets of the zoo")
    (table,) = section.tables
    column, weights = (table.headings.index(name) for name in ("held-out images", "stored weights"))
    for budget in ("21,040", "6,600"):
        held_out = [float(row[column].split()[0]) for row in table.rows if row[weights] == budget]
        assert len(held_out) > 10
        assert held_out == sorted(held_out, reverse=True)
    assert {"kronecker", "csc", "clos", "clos, contiguous blocks", "pruned"} < {row[0] for row in table.rows}


def test_what_is_counted_needs_no_training() -> None:
    of = verdicts(report())
    assert of["connectivity"] == of["path diversity"] == of["depth"] == of["indices"] == "held"


def test_stages_are_few_only_where_they_are_at_every_size() -> None:
    deep = [replace(one, stages=5) if one.label == "clos, 32-32-32" else one for one in measures()]
    content = published(STUDY)
    found = findings(Experiments(runs(), bed(), deep, ()), content)
    assert found.figures["verdicts"]["shallow"] == "partly"
    assert found.figures["layers"]["square"] == {64: 3, 256: 3, 1024: 5}


def test_the_page_stands_by_itself(tmp_path: Path) -> None:
    text = check_page(report())
    assert "butterfly" in text
    write_page(report(), tmp_path)
    told = json.loads((tmp_path / "results.json").read_text())
    assert set(told) == {*heading()} | {"study", "networks", "paths", "claims"}
    assert (tmp_path / "accuracy.csv").is_file()


def test_the_shipped_networks_make_a_page() -> None:
    check_page(closnets_2018.reproduce())
