"""The page of NeuroFabric, made of experiments that nobody had to run."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from reports.studies import neurofabric_2020, studies
from reports.studies.neurofabric_2020.measure import findings
from reports.studies.registry import StudyError, reproduce
from reports.studies.topologies.bed.bed import BedLayer
from reports.studies.topologies.bed.measures import BedMeasures
from reports.studies.topologies.bed.view import bed_views
from reports.studies.topologies.experiments import Experiments
from reports.studies.topologies.runs import Planned
from reports.write_up.claims import published
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from tests.reports.pages import check_page
from tests.reports.stand_in_experiments import bed, cascades, chance, experiments, measures, runs

pytestmark = pytest.mark.slow

STUDY = "reports.studies.neurofabric_2020"


def page(found: Experiments) -> Report:
    content = published(STUDY)
    return write_up(STUDY, findings(found, content), content)


def told(found: Experiments) -> dict[str, str]:
    return {claim.topic: claim.verdict for claim in page(found).claims}


@cache
def report() -> Report:
    return page(experiments())


@cache
def verdicts() -> dict[str, str]:
    return {claim.topic: claim.verdict for claim in report().claims}


def level(layer: BedLayer, images: str) -> float:
    """What makes all layers of a bed as good as each other."""
    return 0.001 * len(layer.stages)


def test_the_study_is_registered() -> None:
    assert studies["neurofabric-2020"] is neurofabric_2020.reproduce


def test_sparse_glorot_must_train_what_glorot_does_not() -> None:
    assert verdicts()["initialisation"] == "held"
    both = Experiments(runs(), bed(), measures(), cascades(glorot_fails=False))
    assert told(both)["initialisation"] == "partly"


def test_where_depth_costs_accuracy_butterflies_are_behind_and_clos_is_not() -> None:
    of = verdicts()
    assert of["depth"] == of["butterflies"] == of["fourth stage"] == "held"
    assert of["prediction"] == of["heuristic"] == "held"


def test_equal_layers_do_not_differ() -> None:
    of = told(Experiments(runs(), bed(level), measures(), cascades()))
    assert of["butterflies"] == of["look-alikes"] == of["prediction"] == "failed"
    assert of["fourth stage"] == "held"
    assert of["best topology"] == "partly", "no layer is ahead of Clos, and it is not the first everywhere"


def test_one_look_alike_that_is_worse_leaves_the_claim_half_true() -> None:
    def worse(layer: BedLayer, images: str) -> float:
        return level(layer, images) - (0.02 if layer.label == "random, 3 of 8" else 0.0)

    assert told(Experiments(runs(), bed(worse), measures(), cascades()))["look-alikes"] == "partly"


@pytest.mark.parametrize(("gain", "verdict"), [(0.02, "held"), (-0.02, "failed")])
def test_clos_is_the_best_where_it_is_first_on_every_bed(gain: float, verdict: str) -> None:
    def of_clos(layer: BedLayer, images: str) -> float:
        return level(layer, images) + gain * (layer.label in ("clos, 8-8-8", "clos, 16-16-16"))

    assert told(Experiments(runs(), bed(of_clos), measures(), cascades()))["best topology"] == verdict


def test_a_fourth_stage_that_helps_at_one_budget_leaves_the_claim_half_true() -> None:
    def better(layer: BedLayer, images: str) -> float:
        return level(layer, images) + 0.02 * (layer.label == "clos, 4 stages, 768")

    assert told(Experiments(runs(), bed(better), measures(), cascades()))["fourth stage"] == "partly"


@pytest.mark.parametrize(
    ("raised", "met", "skips", "clos"),
    [(0.5, 0.5, "held", "held"), (0.5, 0.0, "partly", "partly"), (0.0, 0.0, "failed", "partly")],
)
def test_skips_are_judged_by_what_they_do_to_what_is_counted_and_to_what_is_met(
    raised: float, met: float, skips: str, clos: str
) -> None:
    def efficiency(layer: BedLayer) -> float:
        return 0.49 + raised * layer.skips

    def shown(one: BedMeasures) -> BedMeasures:
        share = 0.48 + met * ("skips" in one.label)
        return one if one.met is None else replace(one, met=one.weights * share)

    of = told(Experiments(runs(), bed(), [shown(one) for one in measures(efficiency)], cascades()))
    assert (of["skips"], of["clos with skips"]) == (skips, clos)


def unkept(one: BedMeasures) -> BedMeasures:
    """Layers with skips count the most, and meet the least."""
    return replace(one, solved=one.weights, met=1.0) if "skips" in one.label else one


def test_a_count_that_skips_raise_for_nothing_rates_layers_partly() -> None:
    made = page(Experiments(runs(), bed(), [unkept(one) for one in measures()], cascades()))
    assert {claim.topic: claim.verdict for claim in made.claims}["heuristic"] == "partly"
    (claim,) = (one for one in made.claims if one.topic == "heuristic")
    assert "without skips" in claim.measured


def test_depth_that_costs_no_accuracy_wastes_edges_only_by_the_count() -> None:
    assert told(Experiments(runs(), bed(level), measures(), cascades()))["depth"] == "partly"


def test_layers_are_told_once_where_images_do_not_matter_and_at_their_sizes() -> None:
    claims = {claim.topic: claim for claim in report().claims}
    assert claims["skips"].where == "64 × 64"
    assert "of 4 layers" in claims["skips"].ours
    assert "of 6 series" in claims["depth"].ours
    told_of = claims["depth"].measured
    assert told_of.count("butterfly, radix 4") == 2, "at 64 places and at 256"


def test_what_the_order_of_pixels_moves_has_an_error() -> None:
    """In these trainings it costs every layer a point, which is far more than seeds do."""
    (told_of,) = (line for line in report().summary if "order in which pixels come" in line)
    assert "clos, 8-8-8" in told_of
    assert "none" not in told_of


def test_no_column_of_a_bed_is_empty() -> None:
    tables = [
        table for section in report().sections for table in section.tables if "layers of" in table.title
    ]
    assert len(tables) == 4
    for table in tables:
        columns = list(zip(*table.rows, strict=True))
        assert all(any(cell not in ("", "—") for cell in column) for column in columns), table.title


def test_layers_of_one_depth_are_ranked_among_themselves() -> None:
    """The stand-ins are as good as they are shallow: depth ranks all, and nothing is left at equal depth."""
    (view, *_) = bed_views(bed(), measures())
    ranking = view.ranking("met")
    assert ranking is not None
    assert ranking.correlation > 0.9
    assert view.ranking("met", equal_depth=True) is None
    uneven = [replace(one, met=one.weights * chance(one.label)) for one in measures() if one.met is not None]
    (view,) = (
        each for each in bed_views(bed(), [*uneven, *measures()[len(uneven) :]]) if each.key == "64-mnist"
    )
    found = view.ranking("met", equal_depth=True)
    assert found is not None
    assert found.topologies < len(view.ranked)


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

    assert told(Experiments(runs(gain), bed(), measures(), cascades()))["other layers"] == verdict


def test_what_ranks_the_other_way_round_predicts_nothing() -> None:
    def deep_is_good(layer: BedLayer, images: str) -> float:
        return 0.002 * len(layer.stages)

    of = told(Experiments(runs(), bed(deep_is_good), measures(), cascades()))
    assert of["prediction"] == "failed"
    assert of["heuristic"] == "held", "the task without data is another question"


def test_the_page_stands_by_itself() -> None:
    assert "look alike" in check_page(report())


def test_the_shipped_experiments_make_a_page() -> None:
    check_page(neurofabric_2020.reproduce())


def test_only_a_study_of_trained_networks_can_be_rerun(tmp_path: object) -> None:
    with pytest.raises(StudyError, match="study to rerun is 'eie-isca2016', allowed are closnets-2018"):
        reproduce("eie-isca2016", tmp_path, rerun=True)  # type: ignore[arg-type]


def test_what_convolutions_hold_is_read_off_their_recipes() -> None:
    """Dense 400, 9,216 and 73,728 of 103,824 weights; as cascades 400, 1,824 and 3,712."""
    convolved = findings(experiments(), published(STUDY)).figures["convolved"]
    assert convolved == pytest.approx({"share": 83_344 / 103_824, "fewer": 83_344 / 5_936})


def test_deep_cascades_say_their_images_seeds_and_rates() -> None:
    (table,) = (
        table
        for section in report().sections
        for table in section.tables
        if table.title == "Deep linear cascades with a read-out"
    )
    assert all(said in table.note for said in ("MNIST", "3 seeds", "0.003 and 0.01"))
