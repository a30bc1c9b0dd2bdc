"""The page of ClosNets on chip: made of trainings that nobody had to do, and of those that are shipped."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from archsim import DesignPoint, Pruned
from reports.page import write_page
from reports.studies import closnets_fpl2018, studies
from reports.studies.closnets_fpl2018.accuracy import Trainings
from reports.studies.closnets_fpl2018.costs import CLOCK_HZ, StepCost, points, step_cost
from reports.studies.closnets_fpl2018.equal_accuracy import equal_accuracy
from reports.studies.closnets_fpl2018.fixed_mask import fixed_masks
from reports.studies.closnets_fpl2018.hardware import products, queued_bits
from reports.studies.closnets_fpl2018.measure import findings
from reports.studies.closnets_fpl2018.sized import PES, Sized, sized_steps
from reports.studies.topologies.on_chip_courses import Course, Look, courses
from reports.studies.topologies.on_chip_runs import FLOAT, Cell, OnChip, cells
from reports.write_up.claims import published
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from tests.reports.pages import check_page
from workloads import DenseStage, Topology

STUDY = "reports.studies.closnets_fpl2018"
Gain = Callable[[Cell], float]


COSTS = [
    StepCost(label, trains, weights, weights // 4, weights * energy * 1e-12, weights * 1e-5, 1e-8, 2e-9, 1e-9)
    for label, weights in (("clos", 21_040), ("clos-x40", 6_600), ("csc", 21_000), ("dense", 266_200))
    for trains, energy in ((False, 1), (True, 9))
]
"""What nobody had to map to gates."""


def runs(gain: Gain) -> list[OnChip]:
    """Every planned training at 97.5 %, a little apart from seed to seed, and what a cell gains."""
    drawn = random.Random(1)
    return [
        OnChip(
            **vars(cell),
            accuracy=0.975 + gain(cell) + drawn.gauss(0, 1e-4),
            outputs_cut=0.0,
            errors_cut=0.0,
            weights_cut=0.0,
            cpu_s=0.0,
        )
        for cell in cells()
    ]


def told(gain: Gain) -> Report:
    content = published(STUDY)
    return write_up(STUDY, findings(runs(gain), COSTS, content), content)


@cache
def report() -> Report:
    return told(lambda cell: 0.0)


def verdicts(report: Report) -> dict[str, str]:
    return {claim.topic: claim.verdict for claim in report.claims}


def test_the_study_is_registered() -> None:
    assert studies["closnets-fpl2018"] is closnets_fpl2018.reproduce


def csc_in_batches(cell: Cell) -> float:
    return 0.005 if cell.batch > 1 and "csc" in cell.network else 0.0


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [
        (lambda cell: 0.0, "held"),
        (lambda cell: -0.002 if cell.weight_bits else 0.0, "held"),
        (csc_in_batches, "partly"),
        (lambda cell: -0.004 if cell.weight_bits else 0.0, "failed"),
    ],
)
def test_integers_may_lose_what_is_allowed_against_floating_point(gain: Gain, verdict: str) -> None:
    assert verdicts(told(gain))["training without batches"] == verdict


@pytest.mark.parametrize(
    ("on_chip", "batched", "verdict"),
    [
        (0.0, 0.0, "held"),
        (0.01, 0.0, "partly"),
        (0.0, 0.01, "partly"),
        (0.003, 0.004, "partly"),
        (0.003, 0.01, "failed"),
    ],
)
def test_clos_is_judged_against_a_dense_network_twice(on_chip: float, batched: float, verdict: str) -> None:
    def gain(cell: Cell) -> float:
        better = batched if cell.batch > 1 else on_chip
        return better if "dense" in cell.network else 0.0

    assert verdicts(told(gain))["weights in training"] == verdict


def test_a_network_that_died_has_no_accuracy_and_is_no_width() -> None:
    page = told(lambda cell: -0.9 if cell.weight_bits == 10 else 0.0)
    table = next(table for section in page.sections for table in section.tables if table.name == "ways")
    assert {row[3] for row in table.rows if row[1] == "10 bit, nearest"} == {"3 of 3 died"}
    assert any("weights within 0.3 points of floating point are of 8 bits" in line for line in page.summary)


def test_the_best_rate_stands_for_a_way() -> None:
    every = runs(lambda cell: 0.01 if cell.rate_shift == 6 else 0.0)
    trainings = Trainings.among(every)
    best = trainings.best(network="lenet-300-100-csc", weight_bits=12, rounding="nearest", epochs=10)
    assert best.rate_shift == 6
    assert len(best.runs) == 3
    alone = Trainings.among([replace(run, seed=1) for run in every[:1]])
    assert alone.best(loss="margin").standard_error == 0
    with pytest.raises(ValueError, match="empty"):
        trainings.best(network="lenet-300-100-dense", weight_bits=8)


def test_backward_needs_no_weights_of_the_first_stage() -> None:
    dense, clos = products("dense"), products("clos")
    assert (dense.forward, dense.backward, dense.update) == (266_200, 31_000, 266_200)
    assert clos.backward == clos.forward - 28 * 28 * 10


def test_signals_wait_in_as_many_copies_as_in_the_published_engine() -> None:
    """Dey et al. keep the inputs of two junctions five and three times."""
    topology = Topology(((DenseStage(1024, 64),), (DenseStage(64, 32),)))
    assert queued_bits(topology, 8) == 8 * (5 * 1024 + 3 * 64)


def test_an_engine_that_trains_stores_no_index() -> None:
    assert verdicts(report())["indices in training"] == "held"
    stored = {(one["network"], one["trains"]): one for one in report().figures["storage"]}
    assert stored["clos", True]["indices"] == stored["dense", True]["indices"] == 0
    assert stored["pruned", False]["indices"] > 0
    assert stored["clos", True]["errors"] > stored["clos", False]["errors"] == 0


def test_one_walk_halves_the_cycles_of_a_step_and_keeps_signals_of_more_samples() -> None:
    walks = {(one["network"], one["overlap"]): one for one in report().figures["walks"]}
    for label in ("clos", "csc"):
        order, walk = (walks[label, overlap] for overlap in ("none", "pipelined"))
        assert order["cycles"] / 2 < walk["cycles"] < 0.55 * order["cycles"]
        assert walk["signals"] > 7 * order["signals"]
        assert order["energy_j"] > 0
        assert walk["energy_j"] is None
    priced = [*COSTS, replace(COSTS[1], overlap="pipelined", energy_j=1e-9)]
    content = published(STUDY)
    page = write_up(STUDY, findings(runs(lambda cell: 0.0), priced, content), content)
    table = next(table for section in page.sections for table in section.tables if table.name == "walks")
    assert [row[6] for row in table.rows] == ["189\u202fnJ", "1.00\u202fnJ", "189\u202fnJ", "—"]
    assert page.figures["costs"] == report().figures["costs"] + [vars(priced[-1])]


def test_the_page_stands_by_itself(tmp_path: Path) -> None:
    text = check_page(report())
    assert "Memory for training" in text
    write_page(report(), tmp_path)
    assert {"trainings", "storage", "products", "steps", "claims"} < set(
        json.loads((tmp_path / "results.json").read_text())
    )
    assert (tmp_path / "ways.csv").is_file()


def test_a_step_costs_more_where_it_costs() -> None:
    assert verdicts(report())["time and energy of training"] == "held"
    content = published(STUDY)
    dear = [replace(one, energy_j=1.0) if one.network == "clos" else one for one in COSTS]
    page = write_up(STUDY, findings(runs(lambda cell: 0.0), dear, content), content)
    assert verdicts(page)["time and energy of training"] == "partly"


@pytest.mark.long
def test_the_cost_of_a_step_is_that_of_its_design_point() -> None:
    label, point = next((label, point) for label, point in points(12) if point.training)
    result = point.replace(engine={"kind": "clos", "pes": 4}).simulate("gate")
    cost = step_cost(label, result)
    assert cost.trains
    assert (cost.energy_j, cost.area_mm2) == (result.energy_j, result.area_mm2)
    assert cost.time_s == result.interval_cycles / CLOCK_HZ
    assert 0 < cost.writes_j < cost.update_j
    assert cost.memory_j + cost.update_j < cost.energy_j


def test_the_shipped_trainings_make_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.studies.closnets_fpl2018.costs.step_costs", lambda _: COSTS)
    shipped = closnets_fpl2018.reproduce()
    check_page(shipped)
    assert shipped.figures["trainings"]
    assert FLOAT in {run["rounding"] for run in shipped.figures["trainings"]}


def climbing(course: Course, slope: float) -> list[Look]:
    """Looks at a training whose accuracy rises so much a quarter of an epoch, from 96 %."""
    quarters = range(1, 4 * course.epochs + 1)
    return [Look(**vars(course), samples=15_000 * n, accuracy=0.96 + slope * n) for n in quarters]


def test_trainings_are_compared_where_every_seed_has_the_accuracy() -> None:
    slopes = {"clos": 0.0009, "csc": 0.004, "dense": 0.008, "pruned": 0.008}
    looks = [look for course in courses() for look in climbing(course, slopes[course.label])]
    priced = {(one.network, one.trains): one for one in COSTS}
    found = equal_accuracy(looks, priced, [0.97, 0.9999])
    clos, dense = found[0.97, "clos"], found[0.97, "dense"]
    assert set(clos.samples) == {180_000}
    assert clos.energy_j == pytest.approx(180_000 * priced["clos", True].energy_j)
    assert set(dense.samples) == {30_000}
    pruned = found[0.97, "pruned"]
    assert pruned.course.dense_epochs == 1
    assert set(pruned.samples) == {60_000 + 30_000}
    assert pruned.energy_j > 2 * dense.energy_j
    assert {label for target, label in found if target > 0.99} == {"csc", "dense", "pruned"}
    slow = [replace(look, accuracy=0.9) if look.seed == 2 and look.label == "csc" else look for look in looks]
    assert (0.97, "csc") not in equal_accuracy(slow, priced, [0.97])


def test_the_page_says_what_the_same_accuracy_takes() -> None:
    looks = [look for course in courses() for look in climbing(course, 0.01)]
    content = published(STUDY)
    page = write_up(STUDY, findings(runs(lambda cell: 0.0), COSTS, content, looks=looks), content)
    check_page(page)
    section = next(one for one in page.sections if "same accuracy" in one.heading)
    assert [row[1] for row in section.tables[0].rows][:3] == ["Clos", "CSC", "dense"]
    assert "% dense takes 12.7× the energy of Clos, in 15,000 samples against 15,000" in section.paragraphs[0]


def test_a_mask_that_stays_meets_backward_what_it_met_forward() -> None:
    masks = {one.way: one for one in fixed_masks(12)}
    forward = DesignPoint(
        network="lenet-300-100-pruned", engine=Pruned(pes=16, gather="banked"), technology="cmos65"
    ).simulate("cycle")
    assert masks["banked, arbiters"].waits == forward.counts.stalls
    alone, shared = masks["scheduled, each PE for itself"], masks["scheduled as it is"]
    assert alone.cycles > shared.cycles
    assert alone.shared == 0 < shared.shared
    replicated = masks["replicated, sums in every PE"]
    assert replicated.sum_bits == 16 * alone.sum_bits
    assert replicated.reducing == 300 + 100


def test_each_network_is_shown_where_it_is_best() -> None:
    sizes = [
        Sized("cmos65", network, pes, 1e-5 * time, 1e-7 * energy, 5e-9, 0.5)
        for network, time, energy in (
            *((network, 1, 20) for network in ("dense",)),
            *((network, 1, 2) for network in ("clos", "csc", "clos-x40", "csc-x40")),
        )
        for pes in (4, 16)
    ]
    fewer = replace(sizes[2], energy_j=1e-7)
    content = published(STUDY)
    page = write_up(STUDY, findings(runs(lambda cell: 0.0), COSTS, content, [*sizes, fewer]), content)
    section = next(one for one in page.sections if "number of PEs" in one.heading)
    assert "20× the energy of Clos (4 PEs) and 10× that of CSC (4 PEs)" in section.paragraphs[0]
    assert [table.name for table in section.tables] == ["cells", "fabric"]


def test_a_size_that_does_not_fit_the_device_is_left_out() -> None:
    sizes = sized_steps(16)
    dense = {one.pes for one in sizes if (one.technology, one.network) == ("artix7", "dense")}
    others = {one.pes for one in sizes if (one.technology, one.network) == ("artix7", "csc")}
    assert dense < others == set(PES["artix7"])
