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
from reports.page import write_page
from reports.studies import eie_isca2016, studies
from reports.studies.eie_isca2016.element import MODULES, Element, Module, columns_of_layer
from reports.studies.eie_isca2016.measure import MODULE_OF, Measured, findings, measure
from reports.write_up.claims import published
from reports.write_up.predictions import EXPLAINED_FROM
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from tests.reports.pages import check_page


@cache
def content() -> dict[str, Any]:
    return published("reports.studies.eie_isca2016")


def written(measured: Measured) -> Report:
    return write_up(eie_isca2016.__name__, findings(measured, content()), content())


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


def test_only_the_layer_whose_time_is_used_is_copied() -> None:
    """Other rows of the tables are held out."""
    assert content()["layer"]["name"] == "Alex-7"
    assert not [key for key in content() if key.startswith("table")]


def test_the_page_stands_by_itself(report: Report, tmp_path: Path) -> None:
    text = check_page(report)
    assert "latencies are not predicted here" in text
    write_page(report, tmp_path)
    told = json.loads((tmp_path / "results.json").read_text())
    assert set(told) == {*heading()} | {"study", "predictions", "element", "srams", "accesses_per_cycle"}
    assert (tmp_path / "types.csv").is_file()
