"""The storage of Deep Compression: Huffman codes are the shortest, every weight comes back, and the page's
figures are those of the encoded layers."""

from __future__ import annotations

import itertools
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from archsim.costs.plain import heading
from reports.page import write_page
from reports.studies import deep_compression_iclr2016, studies
from reports.studies.deep_compression_iclr2016.measure import Measured, findings, measure
from reports.studies.deep_compression_iclr2016.storage import (
    Format,
    codebook,
    codes_of,
    huffman_bits,
    huffman_lengths,
    kept_mask,
    store,
)
from reports.write_up.claims import published
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from tests.reports.pages import check_page


@cache
def content() -> dict[str, Any]:
    return published("reports.studies.deep_compression_iclr2016")


def written(measured: Measured) -> Report:
    return write_up(deep_compression_iclr2016.__name__, findings(measured, content()), content())


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure(content())


@pytest.fixture(scope="module")
def report(measured: Measured) -> Report:
    return written(measured)


@given(counts=st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_a_huffman_code_can_be_decoded_and_lies_within_a_bit_of_the_entropy(counts: list[int]) -> None:
    lengths = huffman_lengths(counts)
    used = [(count, length) for count, length in zip(counts, lengths, strict=True) if count]
    assert all(length == 0 for count, length in zip(counts, lengths, strict=True) if not count)
    if len(used) > 1:
        assert sum(2.0**-length for _, length in used) == 1
        total = sum(counts)
        entropy = -sum(count / total * math.log2(count / total) for count, _ in used)
        assert entropy - 1e-9 <= sum(count * length for count, length in used) / total < entropy + 1


@given(counts=st.lists(st.integers(1, 30), min_size=2, max_size=4))
def test_no_code_is_shorter_than_huffmans(counts: list[int]) -> None:
    best = sum(count * length for count, length in zip(counts, huffman_lengths(counts), strict=True))
    for lengths in itertools.product(range(1, len(counts)), repeat=len(counts)):
        if sum(2.0**-length for length in lengths) <= 1:
            assert best <= sum(count * length for count, length in zip(counts, lengths, strict=True))


def test_a_lone_symbol_still_takes_a_bit() -> None:
    assert huffman_bits(np.zeros(7, dtype=np.int64), 4) == 7


@given(seed=st.integers(0, 2**32 - 1), share=st.sampled_from((0.01, 0.08, 0.3, 1.0)))
def test_the_largest_magnitudes_are_kept(seed: int, share: float) -> None:
    weights = np.random.default_rng(seed).normal(size=(20, 30)).astype(np.float32)
    mask = kept_mask(weights, share)
    assert mask.sum() == round(share * weights.size)
    if not mask.all():
        assert np.abs(weights[mask]).min() >= np.abs(weights[~mask]).max()


@given(seed=st.integers(0, 2**32 - 1))
def test_k_means_moves_values_to_where_the_weights_are(seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=500).astype(np.float32)

    def error(kind: Any) -> float:
        values = codebook(weights, 15, kind)
        assert (np.diff(values) > 0).all()
        return float(((values[codes_of(weights, values)] - weights) ** 2).sum())

    assert error("k-means") <= error("uniform") + 1e-9


@given(seed=st.integers(0, 2**32 - 1), density=st.sampled_from((0.02, 0.1, 0.5)), ends=st.booleans())
def test_entries_are_kept_weights_and_the_padding_that_their_gaps_need(
    seed: int, density: float, ends: bool
) -> None:
    random = np.random.default_rng(seed)
    mask = random.random((7, 90)) < density
    mask[0, 0] = True
    weights = (random.normal(size=mask.shape) * mask).astype(np.float32)
    stored = store("layer", weights, mask, Format(rows_end=ends))
    padding = 0
    for run in mask if ends else [mask.ravel()]:
        places = np.flatnonzero(run)
        padding += int(sum((gap - 1) // 32 for gap in np.diff(places, prepend=-1)))
        padding += not len(places)
    assert stored.padding == padding
    assert stored.weight_bits == 6 * stored.entries
    assert stored.index_bits == (6 if ends else 5) * stored.entries
    assert stored.huffman_weight_bits <= stored.weight_bits
    assert stored.unused_inputs == 90 - np.count_nonzero(mask.any(axis=0))


def test_by_input_is_the_layer_turned() -> None:
    weights = np.random.default_rng(1).normal(size=(5, 40)).astype(np.float32)
    mask = kept_mask(weights, 0.1)
    turned = store("layer", weights.T, mask.T, Format())
    assert store("layer", weights, mask, Format(order="by input")).entries == turned.entries


def test_the_published_shares_are_kept(measured: Measured) -> None:
    assert [layer.kept for layer in measured.predicted.layers] == [18816, 2700, 260]
    assert measured.zoo_pruned.total("kept") == 21040


def test_the_factors_are_those_of_the_stored_bits(measured: Measured, report: Report) -> None:
    shown = {(row["place"], row["figure"]): row for row in report.figures["predictions"]}
    dense = 266200 * 32
    assert shown["all", "factor pq"]["predicted"] == dense / measured.predicted.total("bits")
    assert shown["all", "factor pqh"]["predicted"] == dense / measured.predicted.total("huffman_bits")
    assert abs(shown["all", "factor pq"]["difference"]) < 0.1
    assert abs(shown["all", "factor pqh"]["difference"]) < 0.1


def test_a_coarser_index_pads_more_and_both_factors_fall(measured: Measured) -> None:
    """The figures follow the format: with 3-bit indices the published factors are missed."""
    coarse = measure({**content(), "parameters": {"weight_bits": 6, "index_bits": 3}})
    assert coarse.predicted.total("padding") > 3 * measured.predicted.total("padding")
    rows = {row["figure"]: row for row in written(coarse).figures["predictions"]}
    assert rows["factor pqh"]["difference"] < -0.05


def test_the_study_is_registered() -> None:
    assert studies["deep-compression-iclr2016"] is deep_compression_iclr2016.reproduce


def test_the_published_mean_that_its_layers_do_not_allow_is_named(report: Report) -> None:
    assert any("5.1 bit, lies outside" in sentence for sentence in report.summary)


def test_figures_that_say_the_same_again_are_no_evidence(report: Report) -> None:
    kinds = {(row["place"], row["figure"]): row["kind"] for row in report.figures["predictions"]}
    assert kinds["all", "factor pq"] == "predicted"
    assert kinds["all", "rate pq"] == kinds["all", "size after, pqh"] == "arithmetic"


def test_the_page_stands_by_itself(report: Report, tmp_path: Path) -> None:
    text = check_page(report)
    assert "equation 1" in text
    write_page(report, tmp_path)
    told = json.loads((tmp_path / "results.json").read_text())
    assert set(told) == {*heading()} | {"study", "predictions", "networks"}
    assert (tmp_path / "variants.csv").is_file()
