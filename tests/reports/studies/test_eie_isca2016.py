"""EIE: the element adds up, its devices are chosen by the stated rule, and the page says what is off."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.costs.plain import heading
from archsim.engine.broadcast.accumulation import accumulate
from archsim.engine.broadcast.columns import DealtColumns
from archsim.engine.eie import Eie, EieMapping
from reports.page import write_page
from reports.studies import eie_isca2016, studies
from reports.studies.eie_isca2016.element import MODULES, Element, Module, columns_of_layer
from reports.studies.eie_isca2016.latency import (
    ACTUAL,
    DEPTHS,
    THEORETICAL,
    Layer,
    empty_layer,
    layer_rows,
    random_columns,
    run_layer,
    run_layers,
)
from reports.studies.eie_isca2016.measure import MODULE_OF, Measured, findings, measure
from reports.write_up.claims import published
from reports.write_up.predictions import EXPLAINED_FROM
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from tests.reports.pages import check_page
from workloads import PrunedStage, Topology, random_integer_network

pytestmark = pytest.mark.slow


@cache
def content() -> dict[str, Any]:
    return published("reports.studies.eie_isca2016")


@cache
def layers() -> list[Layer]:
    """The layers with patterns of one seed."""
    one = content()["assumptions"] | {"seeds": {"value": 1}}
    return run_layers({**content(), "assumptions": one})


def written(measured: Measured) -> Report:
    return write_up(eie_isca2016.__name__, findings(measured, layers(), content()), content())


@pytest.fixture(scope="module")
def real() -> Measured:
    """The element itself, on a short stretch."""
    short = content()["assumptions"] | {"stimulus_columns": {"value": 60}}
    return measure({**content(), "assumptions": short})


def module(flops: int) -> Module:
    return Module(
        register_mm2=5e-6 * flops,
        gates_mm2=1e-3,
        clock_j=1e-15 * flops,
        registers_j=1e-13,
        gates_j=2e-13,
        registers_leakage_w=1e-9,
        gates_leakage_w=1e-9,
        flops=flops,
    )


@pytest.fixture(scope="module")
def measured() -> Measured:
    """Round figures for the logic, which nobody had to map."""
    flops = {"act_queue": 250, "ptr_read": 18, "spmat_read": 70, "arithm_unit": 340, "act_rw": 2080}
    element = Element(
        modules={name: module(flops[name]) for name in MODULES},
        logic_path_s=2e-9,
        entries_per_cycle=1.0,
        entry_reads_per_cycle=0.25,
        pointer_reads_per_cycle=0.15,
        cycles=1000,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{measure.__module__}.measure_element", lambda *_, **__: element)
        return measure(content())


@pytest.fixture(scope="module")
def report(measured: Measured) -> Report:
    return written(measured)


def test_the_memories_are_chosen_by_access_time_and_leakage_alone(measured: Measured) -> None:
    clock_s = 1 / measured.clock_hz
    interval = content()["architecture"]["entry_read_interval_cycles"]
    allowed_s = {"entries": interval * clock_s, "pointers": clock_s, "activations": clock_s}
    keep_up = {
        device: sum(sram.number * sram.leakage_w for sram in srams.values())
        for device, srams in measured.srams.items()
        if all(srams[name].access_time_s <= allowed_s[name] for name in MODULE_OF)
    }
    assert min(keep_up, key=lambda device: keep_up[device]) == measured.cell_type


def test_types_and_modules_add_up_to_the_element(measured: Measured) -> None:
    total = measured.total()
    for parts in (measured.by_type(), measured.by_module()):
        for figure in ("area_mm2", "power_w", "clock_w"):
            assert sum(getattr(part, figure) for part in parts.values()) == pytest.approx(
                getattr(total, figure)
            )


def test_columns_hold_their_weights_and_the_padding_of_long_runs() -> None:
    columns, entries = columns_of_layer(rows=64, columns=400, kept=0.09, zeros_bits=4, seed=1)
    assert entries.tolist() == [len(column) for column in columns]
    for column in columns:
        places = np.cumsum([zeros + 1 for _, zeros in column]) - 1
        assert all(place < 64 for place in places)
        assert all(zeros == 15 for code, zeros in column if code == 0)
    kept = sum(code != 0 for column in columns for code, _ in column)
    assert kept / (400 * 64) == pytest.approx(0.09, abs=0.01)


def test_the_real_element_works_an_entry_each_cycle_and_its_switching_is_counted(real: Measured) -> None:
    element = real.element
    assert element.entries_per_cycle == pytest.approx(1.0, abs=0.01)
    assert 1 / 8 < element.entry_reads_per_cycle < 1
    # A column has one pair of pointers, and is as long as its entries.
    assert 1 / element.pointer_reads_per_cycle == pytest.approx(real.column_entries, rel=0.15)
    assert element.modules["act_rw"].flops >= 2 * 64 * 16
    for name, part in element.modules.items():
        assert part.gates_j > 0, name
        assert part.clock_j > part.registers_j / 10, name
    assert real.gated_clock_w < real.by_type()["clock network"].power_w / 2


def test_the_memories_of_the_real_element_stand_near_the_published_ones(real: Measured) -> None:
    said = content()["by_type"]["memory"]
    memories = real.memories()
    assert memories.area_mm2 / said["area_mm2"] == pytest.approx(1, abs=EXPLAINED_FROM)
    assert memories.power_w / said["power_w"] == pytest.approx(1, abs=EXPLAINED_FROM)


def test_the_real_page_explains_itself(real: Measured) -> None:
    check_page(written(real))


def test_the_study_is_registered() -> None:
    assert studies["eie-isca2016"] is eie_isca2016.reproduce


def test_what_the_clock_network_was_fitted_to_is_no_evidence(report: Report) -> None:
    kinds = {(row["place"], row["figure"]): row["kind"] for row in report.figures["predictions"]}
    assert kinds["clock network", "power"] == "fitted"
    assert kinds["element", "power"] == kinds["act_rw", "power"] == "partly fitted"
    assert kinds["element without clock network", "power"] == kinds["memory", "power"] == "predicted"
    assert kinds["64 elements", "frames of Alex-7"] == "arithmetic"
    values = {each.name: each.value for each in report.assumptions}
    assert values["clock network factor"].endswith("(fitted)")


def test_the_chip_is_its_elements_and_the_published_units_between_them(
    measured: Measured, report: Report
) -> None:
    rows = {(row["place"], row["figure"]): row for row in report.figures["predictions"]}
    area = rows["64 elements", "area"]["predicted"]
    assert area == pytest.approx(64 * measured.total().area_mm2 + 21 * 189e-6)
    assert rows["64 elements", "frames for each mm²"]["predicted"] == pytest.approx(1 / 12.2e-6 / area)


def test_words_turn_with_the_sign(measured: Measured) -> None:
    def told(area_mm2: float) -> str:
        parts = {
            name: dataclasses.replace(part, register_mm2=area_mm2 * part.flops)
            for name, part in measured.element.modules.items()
        }
        element = dataclasses.replace(measured.element, modules=parts)
        page = written(dataclasses.replace(measured, element=element))
        return page.sections[0].tables[0].note

    assert "kept in something smaller" in told(9e-6)
    assert "more registers than are described here" in told(1e-6)
    assert "more registers than are described here" not in told(9e-6)


def test_errors_that_cancel_are_named(measured: Measured) -> None:
    def told(reads: float) -> str:
        rates = {**measured.rates, "entries": dataclasses.replace(measured.rates["entries"], reads=reads)}
        return "\n".join(written(dataclasses.replace(measured, rates=rates)).summary)

    assert "two errors that cancel" in told(0.125)
    assert "two errors that cancel" not in told(0.25)


def test_times_that_are_near_since_two_differences_cancel_are_named(report: Report) -> None:
    told = "\n".join(report.summary)
    assert "That the time of Alex-6 and Alex-7 comes out so near is two differences that cancel" in told


def test_layers_that_are_held_out_are_not_copied() -> None:
    """Other rows of the tables are held out."""
    assert list(content()["layers"]) == ["Alex-6", "Alex-7", "Alex-8"]
    assert content()["layer"] == "Alex-7"
    assert not [key for key in content() if key.startswith("table")]


def test_a_layer_of_the_study_takes_the_cycles_of_the_engine_it_is_of() -> None:
    """Rows of equal length are dealt as published, so that the engine's own mapping has the same columns."""
    pes, inputs, outputs = 4, 40, 16
    engine = Eie(pes=pes, zeros_bits=1, queue_depth=2)
    random = np.random.default_rng(5)
    mask = np.zeros((outputs, inputs), dtype=bool)
    for row in mask:
        row[random.permutation(inputs)[:9]] = True
    mapping = engine.map(random_integer_network(Topology(((PrunedStage.from_mask(mask),),))))
    assert isinstance(mapping, EieMapping)
    signal = (random.random(inputs) < 0.4).astype(np.int64)
    counts = mapping.run_on([signal])

    pe, column, place = np.nonzero(mask.reshape(outputs // pes, pes, inputs).transpose(1, 2, 0))
    dealt = DealtColumns(
        pe=pe,
        column=column,
        place=place,
        weight=np.ones(len(pe), dtype=np.int64),
        columns=inputs,
        bias_columns=0,
        pes=pes,
    )
    done = accumulate(dealt.encoded(1), signal, queue_depth=2, latency=mapping.sizes.pipeline.accumulate)
    bare = empty_layer(engine, inputs, outputs)
    nothing = accumulate(bare.stages[0], signal, queue_depth=2, latency=bare.sizes.pipeline.accumulate)
    assert counts.stalls == done.waited
    assert counts.cycles == done.ends + bare.run_on([signal]).cycles - nothing.ends


def test_random_columns_have_the_stated_density_and_only_rows_that_there_are() -> None:
    dealt = random_columns(np.random.default_rng(0), 500, 90, 0.2, 64)
    rows = dealt.place * 64 + dealt.pe
    assert rows.max() < 90
    assert len(rows) / (500 * 90) == pytest.approx(0.2, abs=0.01)
    order = np.lexsort((dealt.place, dealt.column, dealt.pe))
    assert np.array_equal(order, np.arange(len(rows)))


def test_the_parts_of_a_layer_add_up_and_deeper_queues_balance_better() -> None:
    for layer in layers():
        (run,) = layer.runs
        assert sum(run.parts(layer.elements)) == pytest.approx(run.cycles)
        assert min(run.parts(layer.elements)) >= 0
        shares = [run.balance[depth] for depth in DEPTHS]
        assert shares == sorted(shares)
        assert shares[0] < shares[-1] < 1


def test_products_of_a_layer_are_those_of_its_densities() -> None:
    """From the stated shares alone: nothing knows of the published times."""
    for layer in layers():
        said = content()["layers"][layer.name]
        products = said["inputs"] * said["outputs"] * said["kept"] * said["nonzero"]
        assert layer.mean(lambda run: run.products) == pytest.approx(products, rel=0.01)
        assert layer.figures[THEORETICAL](layer.runs[0]) < layer.figures[ACTUAL](layer.runs[0])
    rows = [row for row in written_rows() if row["place"] in content()["layers"]]
    assert {row["kind"] for row in rows if row["figure"] == THEORETICAL} == {"arithmetic"}


def written_rows() -> list[dict[str, Any]]:
    """The rows that a page of these layers shows."""
    return [row.__dict__ for row in layer_rows(layers(), content())]


def test_a_layer_is_the_same_for_a_seed_and_another_for_another() -> None:
    engine = Eie(pes=64, zeros_bits=4)
    small = {"inputs": 200, "outputs": 150, "kept": 0.1, "nonzero": 0.3}
    assert run_layer(engine, small, 1) == run_layer(engine, small, 1) != run_layer(engine, small, 2)


def test_the_page_stands_by_itself(report: Report, tmp_path: Path) -> None:
    text = check_page(report)
    assert "are held out" in text
    write_page(report, tmp_path)
    told = json.loads((tmp_path / "results.json").read_text())
    assert set(told) == {*heading()} | {
        *("study", "predictions", "element", "srams", "accesses_per_cycle", "layers")
    }
    assert (tmp_path / "types.csv").is_file()
