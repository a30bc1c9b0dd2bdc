"""Rows of the tables that ship with the studies, made anew by the code that ships with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.studies.topologies import cascade_runs
from reports.studies.topologies.bed import measures, runs
from reports.studies.topologies.bed.bed import BedLayer, beds
from reports.studies.topologies.bed.measures import BedMeasures, counted, measure_beds, shipped_measures
from reports.studies.topologies.bed.runs import (
    OF_ORDER,
    RATES,
    TUNING,
    BedCell,
    BedRun,
    best_rate,
    on_bed,
    run_key,
    shipped_bed,
    train_bed_cell,
)
from reports.studies.topologies.bed.view import bed_views
from reports.studies.topologies.cascade_runs import CascadeRun, deep_cascade, shipped_cascades, train_cascade
from reports.studies.topologies.compared import seed_deviation
from reports.studies.topologies.files import write_records
from reports.studies.topologies.plan import LENET
from reports.studies.topologies.runs import networks, shipped_runs
from reports.studies.topologies.trainings import images_of, train_cell
from tests.daily import day, todays

LAYERS = {(bed.places, layer.label): (layer, bed) for bed in beds() for layer in bed.layers}
FAR = 5
"""Sums that are rounded in another order move an accuracy as another seed does: a row made anew may differ by
so many deviations from seed to seed."""


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archsim.store.cache_folder", lambda: tmp_path)


def layer_of(row: BedMeasures | BedRun) -> BedLayer:
    return LAYERS[row.places, row.label][0]


def test_every_layer_of_the_bed_is_measured_and_trained_as_its_rule_says() -> None:
    assert [(row.places, row.label) for row in shipped_measures()] == list(LAYERS)
    for bed in beds():
        for images in bed.images:
            here = [run for run in shipped_bed() if (run.places, run.images) == (bed.places, images)]
            assert len({run_key(run) for run in here}) == len(here)
            for layer in bed.layers:
                rate = best_rate(here, layer.label, images)
                cells = {("permuted", each, seed) for each in RATES for seed in TUNING}
                cells |= {(order, rate, seed) for order in bed.orders for seed in OF_ORDER[order]}
                assert {
                    (run.order, run.rate, run.seed) for run in here if run.label == layer.label
                } == cells, layer.label


def test_layers_of_a_bed_store_equal_weights_and_are_as_wide_everywhere() -> None:
    for bed in beds():
        ranked = [layer for layer in bed.layers if layer.ranked]
        assert not ranked or len([layer for layer in ranked if layer.is_connected]) >= 20
        for layer in ranked:
            assert layer.weights == bed.weights, layer.label
            assert {size for stage in layer.stages for size in (stage.n_in, stage.n_out)} == {bed.places}


def test_no_rate_of_the_bed_is_the_last_that_was_tried() -> None:
    """The best rate would else lie beyond those tried."""
    for view in bed_views(shipped_bed(), shipped_measures()):
        for one in view.ranked:
            assert min(RATES) < one.permuted.rate < max(RATES), (view.where, one.label)


def test_the_measures_of_the_bed_keep_their_bounds() -> None:
    for row in shipped_measures():
        assert 0 <= row.pairs <= 1
        assert row.is_connected == (row.least_paths > 0) == layer_of(row).is_connected
        if row.solved is not None and row.freedom is not None and row.met is not None:
            assert 0 < row.solved <= row.bound <= row.weights
            assert 0 < row.freedom <= row.weights
            assert row.met > 0


def test_counts_of_the_bed_come_out_again() -> None:
    for row in todays(shipped_measures(), 10, measures.FILE):
        assert counted(layer_of(row)) == {name: getattr(row, name) for name in counted(layer_of(row))}, day()


@pytest.mark.slow
def test_a_layer_of_the_bed_is_measured_again() -> None:
    """Counts exactly; how many entries an optimiser meets, and how near it comes, but for the last steps."""
    shallow = [row for row in shipped_measures() if row.solved is not None and row.stages <= 4]
    for row in todays(shallow, 1, "measured"):
        layer, bed = LAYERS[row.places, row.label]
        (again,) = measure_beds([type(bed)(bed.places, bed.weights, (), 0, (layer,))], progress=False)
        assert (again.solved, again.freedom) == (row.solved, row.freedom), (day(), row.label)
        assert again.met == pytest.approx(row.met, rel=0.03), (day(), row.label)
        assert again.error == pytest.approx(row.error, rel=0.01), (day(), row.label)


def test_a_layer_of_the_bed_trains_again_to_its_accuracy() -> None:
    here = [run for run in shipped_bed() if run.images == "mnist-8"]
    reached = on_bed(here, 64, "mnist-8")
    deviation = seed_deviation(list(reached.values()))
    ranked = [run for run in here if reached[run.label].rate == run.rate]
    for row in todays(ranked, 2, runs.FILE):
        layer, bed = LAYERS[row.places, row.label]
        again = train_bed_cell(BedCell(layer, "mnist-8", bed.epochs, row.order, row.rate, row.seed))
        assert again.test_accuracy == pytest.approx(row.test_accuracy, abs=FAR * deviation), (day(), row)


def test_a_network_trains_again_to_its_accuracy() -> None:
    known = networks(shipped_runs(), LENET)
    deviation = seed_deviation(known)
    for network in todays(known, 1, "training_runs.csv"):
        (run,) = todays(network.runs, 1, network.label)
        again = train_cell(run.cell)
        assert again.stored_weights == run.outcome.stored_weights
        reached = pytest.approx(run.outcome.test_accuracy, abs=FAR * deviation)
        assert again.test_accuracy == reached, (day(), run.label, run.budget)


def test_a_deep_cascade_trains_again_to_its_accuracy() -> None:
    for row in todays([row for row in shipped_cascades() if row.depth <= 16], 2, cascade_runs.FILE):
        again = train_cascade(
            deep_cascade(cascade_runs.layer_of(row.topology), row.depth),
            images_of("mnist-8"),
            init=row.init,  # type: ignore[arg-type]
            rate=row.rate,
            seed=row.seed,
            steps=cascade_runs.STEPS,
        )
        assert again.accuracy == pytest.approx(row.accuracy, abs=0.02), (day(), row)


@pytest.mark.parametrize(
    ("file", "kind", "rows"),
    [
        (runs.FILE, BedRun, shipped_bed),
        (measures.FILE, BedMeasures, shipped_measures),
        (cascade_runs.FILE, CascadeRun, shipped_cascades),
    ],
)
def test_a_table_is_written_as_it_was_read(file: str, kind: type, rows: object, tmp_path: Path) -> None:
    write_records(tmp_path / file, kind, rows())  # type: ignore[operator]
    shipped = Path(cascade_runs.__file__).parent / "data" / file
    assert (tmp_path / file).read_text() == shipped.read_text()
