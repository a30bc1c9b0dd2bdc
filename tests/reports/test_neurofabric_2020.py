"""The page of NeuroFabric, made of experiments that nobody had to run."""

from __future__ import annotations

from functools import cache

import pytest

from reports.studies import neurofabric_2020, studies
from reports.studies.neurofabric_2020.measure import findings
from reports.studies.registry import StudyError, reproduce
from reports.studies.topologies.experiments import Experiments
from reports.studies.topologies.plan import WITH_SKIPS
from reports.studies.topologies.runs import Planned
from reports.write_up.claims import published
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from reports.write_up.verdicts import Verdict
from tests.reports.pages import check_page
from tests.reports.stand_in_experiments import cascades, experiments, measures, runs

pytestmark = pytest.mark.slow

STUDY = "reports.studies.neurofabric_2020"


def page(found: Experiments, **changes: object) -> Report:
    content = published(STUDY) | changes
    return write_up(STUDY, findings(found, content), content)


def told(found: Experiments) -> dict[str, str]:
    """The verdicts by the rules, those that are being redone among them."""
    return {claim.topic: claim.verdict for claim in page(found, by_hand={}).claims}


@cache
def report() -> Report:
    return page(experiments())


def test_the_study_is_registered() -> None:
    assert studies["neurofabric-2020"] is neurofabric_2020.reproduce


def test_sparse_glorot_must_train_what_glorot_does_not() -> None:
    assert told(experiments())["initialisation"] == "held"
    both = Experiments(runs(), measures(), cascades(glorot_fails=False))
    assert told(both)["initialisation"] == "partly"


def test_equal_networks_do_not_differ() -> None:
    of = told(experiments())
    assert of["butterflies"] == "failed"
    assert of["fourth stage"] == "held"


def test_a_butterfly_that_is_worse_underperforms() -> None:
    def worse(planned: Planned) -> float:
        return -0.01 if planned.label in ("butterfly, radix 2", "benes") else 0.0

    of = told(Experiments(runs(worse), measures(), cascades()))
    assert of["butterflies"] == "held"
    assert of["look-alikes"] == "partly"


def test_a_fourth_stage_that_helps_at_one_budget_leaves_the_claim_half_true() -> None:
    def better(planned: Planned) -> float:
        return 0.01 if planned.label == "clos, 4 stages" and planned.budget < 1500 else 0.0

    assert told(Experiments(runs(better), measures(), cascades()))["fourth stage"] == "partly"


def test_skips_are_judged_by_what_they_do_to_efficiency() -> None:
    def raised(planned: Planned) -> float:
        return 0.97 if planned.label.endswith(WITH_SKIPS) else 0.5

    of = told(Experiments(runs(), measures(raised), cascades()))
    assert of["skips"] == of["clos with skips"] == "held"
    of = told(experiments())
    assert of["skips"] == "failed"
    assert of["clos with skips"] == "partly", "paths are many, but efficiency is not ideal"


@pytest.mark.parametrize(
    ("lost", "label", "verdict"),
    [
        (0.005, ", cascades", "held"),
        (0.02, "recurrent, cascades", "partly"),
        (0.02, ", cascades", "failed"),
    ],
)
def test_cascades_serve_where_they_lose_little(lost: float, label: str, verdict: str) -> None:
    def gain(planned: Planned) -> float:
        return 20 / planned.budget - (lost if planned.label.endswith(label) else 0)

    assert told(Experiments(runs(gain), measures(), cascades()))["other layers"] == verdict


@pytest.mark.parametrize(("rising", "verdict"), [(True, "held"), (False, "failed")])
def test_a_heuristic_is_judged_by_its_ranks(rising: bool, verdict: str) -> None:
    order = {each.label: place for place, each in enumerate(measures())}

    def gain(planned: Planned) -> float:
        return order.get(planned.label, 0) / 1000

    def efficiency(planned: Planned) -> float:
        place = order[planned.label] / (2 * len(order))
        return 0.2 + place if rising else 0.9 - place

    found = Experiments(runs(gain), measures(efficiency), cascades())
    assert told(found)["heuristic"] == verdict


def test_equal_efficiencies_rank_nothing() -> None:
    assert told(experiments())["heuristic"] == "not testable"


def test_a_claim_whose_test_was_biased_has_no_verdict_and_says_why() -> None:
    redone = {claim.topic: claim for claim in report().claims if claim.by_hand}
    assert set(redone) >= {"heuristic", "butterflies"}
    assert {claim.verdict for claim in redone.values()} == {Verdict.NOT_TESTABLE}
    assert all(claim.why.startswith("Being redone: ") for claim in redone.values())
    said = [sentence for sentence in report().summary if "Spearman" in sentence]
    assert said
    assert all(sentence.startswith("Being redone: ") for sentence in said)


def test_the_page_stands_by_itself() -> None:
    assert "look alike" in check_page(report())


def test_the_shipped_experiments_make_a_page() -> None:
    check_page(neurofabric_2020.reproduce())


def test_only_a_study_of_trained_networks_can_be_rerun(tmp_path: object) -> None:
    with pytest.raises(StudyError, match="study to rerun is 'eie-isca2016', allowed are closnets-2018"):
        reproduce("eie-isca2016", tmp_path, rerun=True)  # type: ignore[arg-type]
