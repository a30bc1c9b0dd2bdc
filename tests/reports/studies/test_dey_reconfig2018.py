"""The edge-parallel network: its clocks come from a model that reads memories; its page says what fails."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from reports.page import write_page
from reports.studies import dey_reconfig2018, studies
from reports.studies.dey_reconfig2018.junction import (
    Junction,
    clash_free_pattern,
    degrees_hold,
    is_clash_free,
    random_pattern,
    reads_of_busiest_memory,
    run_junction,
)
from reports.studies.dey_reconfig2018.measure import (
    Measured,
    dsps_of_products,
    findings,
    junctions as published_junctions,
    measure,
    training_products,
)
from reports.write_up.claims import published
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from tests.reports.pages import check_page

PLAIN = ("read", "process", "write")


@cache
def content() -> dict[str, Any]:
    return published("reports.studies.dey_reconfig2018")


def written(measured: Measured) -> Report:
    return write_up(dey_reconfig2018.__name__, findings(measured, content()), content())


@pytest.fixture(scope="module")
def measured() -> Measured:
    """Everything but the mapping by Yosys, which a test of its own asks for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{measure.__module__}.dsps_of_products", lambda _: {10: 1, 20: 2, 32: 4})
        return measure(content())


@pytest.fixture(scope="module")
def report(measured: Measured) -> Report:
    return written(measured)


@st.composite
def junctions(draw: st.DrawFn) -> Junction:
    depth, z, fan_out = draw(st.integers(1, 6)), draw(st.integers(1, 24)), draw(st.integers(1, 6))
    edges = depth * z * fan_out
    n_right = draw(st.sampled_from([n for n in range(1, edges + 1) if edges % n == 0]))
    fan_in = edges // n_right
    assume(max(z, fan_in) % min(z, fan_in) == 0)
    return Junction(n_left=depth * z, n_right=n_right, fan_out=fan_out, z=z)


@given(junction=junctions(), seed=st.integers(0, 1000), stages=st.integers(2, 6))
def test_a_clash_free_junction_never_waits_and_its_sums_are_right(
    junction: Junction, seed: int, stages: int
) -> None:
    random = np.random.default_rng(seed)
    weights = random.integers(-512, 512, (junction.steps, junction.z))
    left = random.integers(-512, 512, junction.n_left)
    for pattern in (clash_free_pattern(junction, seed), random_pattern(junction, seed)):
        run = run_junction(junction, pattern, weights, left, ["stage"] * stages)
        matrix = np.zeros((junction.n_right, junction.n_left), dtype=np.int64)
        rights = np.arange(junction.edges) // junction.fan_in
        np.add.at(matrix, (rights, pattern.ravel()), weights.ravel())
        assert np.array_equal(run.sums, matrix @ left)
        waits = sum(reads_of_busiest_memory(junction, step) - 1 for step in pattern)
        assert run.waits == waits
        assert run.clocks == junction.steps + waits + stages - 1
    assert is_clash_free(junction, clash_free_pattern(junction, seed))


@given(seed=st.integers(0, 1000))
def test_the_published_junctions_have_their_degrees_whatever_is_drawn(seed: int) -> None:
    for junction in published_junctions(content()):
        pattern = clash_free_pattern(junction, seed)
        assert is_clash_free(junction, pattern)
        assert degrees_hold(junction, pattern)


def test_a_pattern_with_two_edges_in_one_memory_is_not_clash_free_and_waits() -> None:
    junction = Junction(n_left=8, n_right=4, fan_out=2, z=4)
    pattern = clash_free_pattern(junction, 1)
    pattern[0, 0] = (pattern[0, 1] + 4) % 8
    assert not is_clash_free(junction, pattern)
    assert not degrees_hold(junction, pattern)
    run = run_junction(junction, pattern, np.ones((4, 4), dtype=np.int64), np.ones(8, dtype=np.int64), PLAIN)
    assert run.waits == 1


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"n_left": 9, "n_right": 3, "fan_out": 2, "z": 4}, "n_left is 9, allowed are multiples of z, 4"),
        ({"n_left": 8, "n_right": 3, "fan_out": 2, "z": 4}, "allowed are multiples of n_right, 3"),
        ({"n_left": 12, "n_right": 4, "fan_out": 2, "z": 4}, "multiples and divisors of the fan-in, 6"),
    ],
)
def test_sizes_that_do_not_divide_are_refused(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Junction(**sizes)


def test_the_published_clocks_come_out(measured: Measured) -> None:
    assert [ran.plain.clocks for ran in measured.junctions.values()] == [34, 34]
    assert [ran.pipelined.clocks for ran in measured.junctions.values()] == [36, 36]
    assert all(ran.checked and ran.sums_hold for ran in measured.junctions.values())


def test_training_needs_the_published_multipliers(measured: Measured) -> None:
    first, second = (ran.junction for ran in measured.junctions.values())
    assert training_products(first, first=True) == {"forward": 128, "update": 130, "backward": 0}
    assert training_products(second, first=False) == {"forward": 32, "update": 33, "backward": 64}


def test_the_derived_figures_follow_from_the_published_formulas() -> None:
    stated, figures = content()["formulas"], content()["figures"]
    derived: dict[str, dict[str, float]] = {figure: {} for figure in figures}
    given = published_junctions(content())
    for number, junction in enumerate(given):
        place, rights = f"junction {number + 1}", -(-junction.z // junction.fan_in)
        for way, processing in (("without pipeline", 0), ("as published", 2)):
            derived[f"clocks {way}"][place] = junction.edges / junction.z + 2 + processing
        derived["words in each"][place] = junction.edges / junction.z
        derived["forward multipliers"][place] = junction.z
        derived["update multipliers"][place] = junction.z + rights
        derived["weight and bias memories"][place] = junction.z + rights
        derived["memories of left activations"][place] = junction.z * (2 * (len(given) + 1 - number) - 1)
        if number:
            derived["backward multipliers"][place] = 2 * junction.z
        word, memories = content()["parameters"]["word_bits"], derived["memories of left activations"][place]
        depth, copies = junction.n_left // junction.z, stated["error_copies"]
        lanes = derived["weight and bias memories"][place] * derived["words in each"][place]
        derived["bits of weights and biases"][place] = lanes * word
        derived["bits of left activations"][place] = memories * depth * (word if number else 8)
        if number:
            derived["bits of left derivatives"][place] = memories * depth * word
        derived["bits of right errors"][place] = copies * junction.n_right * word
    every = (of for figure, of in derived.items() if figure.startswith("bits of "))
    derived["bits of all memories"]["both junctions"] = sum(sum(of.values()) for of in every)
    passes = [sum(derived[f"{name} multipliers"].values()) for name in ("forward", "update", "backward")]
    blocks = stated["dsp_per_multiplier"]
    derived["DSP blocks, forward"]["both junctions"] = passes[0] * blocks
    backward = sum(derived["backward multipliers"].values())
    derived["DSP blocks, forward and backward"]["both junctions"] = passes[0] + backward
    derived["DSP blocks, all passes"]["both junctions"] = sum(passes) * blocks
    derived["weights"]["both junctions"] = sum(junction.edges for junction in given)
    for figure, values in derived.items():
        assert not values or values == figures[figure]["published"], figure


def test_the_engines_run_a_network_of_the_same_degrees(measured: Measured) -> None:
    assert {run.macs for run in measured.engines} == {
        sum(ran.junction.edges for ran in measured.junctions.values())
    }
    assert all(run.clocks == run.simulated_clocks for run in measured.engines)


def test_a_product_of_the_published_width_takes_one_dsp_block_and_one_of_32_bits_four() -> None:
    assert dsps_of_products((10, 32)) == {10: 1, 32: 4}


def test_memories_and_dsp_blocks_of_training_are_those_of_the_published_code(report: Report) -> None:
    rows = {(row["place"], row["figure"]): row for row in report.figures["predictions"]}
    for figure, number in (("bits of all memories", 98_880), ("DSP blocks, forward and backward", 224)):
        row = rows["both junctions", figure]
        assert row["predicted"] == row["published"] == number


def test_the_study_is_registered() -> None:
    assert studies["dey-reconfig2018"] is dey_reconfig2018.reproduce


def test_the_rule_for_dsp_blocks_does_not_hold_and_the_page_says_so(report: Report) -> None:
    verdicts = {each.claim: each.verdict for each in report.claims}
    assert verdicts["DSP blocks by the published rule"] == "failed"
    assert verdicts["34 clocks without pipeline"] == "held"
    assert any("640 of the device's 240 DSP blocks" in sentence for sentence in report.summary)


def test_words_follow_the_figures(measured: Measured) -> None:
    """Were a product to take as many blocks as published, nothing would be said against the rule."""
    same = Measured(measured.junctions, measured.engines, {10: 4, 20: 4, 32: 4}, measured.device_dsps)
    told = written(same)
    assert [each.claim for each in told.claims if each.verdict == "failed"] == [
        "DSP blocks of the implemented design, 93 % of the device"
    ]
    assert not any("What does not hold" in sentence for sentence in told.summary)


def test_rows_that_were_read_by_their_match_are_fitted(report: Report) -> None:
    kinds = {row["figure"]: row["kind"] for row in report.figures["predictions"]}
    assert kinds["memories of left activations"] == "fitted"
    assert kinds["forward multipliers"] == kinds["time as published"] == "arithmetic"
    assert kinds["clocks as published"] == "predicted"


def test_the_page_stands_by_itself(report: Report, tmp_path: Path) -> None:
    text = check_page(report)
    assert "designs/" not in text
    write_page(report, tmp_path)
    rows = json.loads((tmp_path / "results.json").read_text())["predictions"]
    clocks = next(row for row in rows if row["figure"] == "clocks without pipeline")
    assert clocks["predicted"] == clocks["published"] == 34
    assert clocks["difference"] == 0
    assert (tmp_path / "clocks.csv").read_text().startswith("junction,figure,kind,published is,predicted")
