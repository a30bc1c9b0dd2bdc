"""Files of arrays: matrices of Matrix Market, and files that are not what they seem or are damaged."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given, strategies as st

from tests.workloads.matrices import B3, RANDOM, W1, W3, outputs, saved
from workloads import NetworkFileError, load_network
from workloads.importers.matrix_market import read_matrix_market
from workloads.refusal import Refusal


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_of_matrix_market_is_known_by_how_it_begins(compressed: bool, tmp_path: Path) -> None:
    matrix = scipy.sparse.random_array((10, 20), density=0.2, random_state=RANDOM)
    scipy.io.mmwrite(tmp_path / "plain.mtx", matrix)
    content = (tmp_path / "plain.mtx").read_bytes()
    path = tmp_path / "without-an-ending"
    path.write_bytes(gzip.compress(content) if compressed else content)
    np.testing.assert_allclose(outputs(load_network(path), np.eye(20)), matrix.toarray(), rtol=1e-6)


@pytest.mark.parametrize("symmetry", ["general", "symmetric", "skew-symmetric"])
@pytest.mark.parametrize("form", ["array", "coordinate"])
def test_matrix_market_is_read_as_by_others(form: str, symmetry: str, tmp_path: Path) -> None:
    square = RANDOM.normal(size=(6, 6))
    matrix = {"general": square, "symmetric": square + square.T, "skew-symmetric": square - square.T}[
        symmetry
    ]
    given = matrix if form == "array" else scipy.sparse.coo_array(matrix)
    scipy.io.mmwrite(tmp_path / "m.mtx", given, symmetry=symmetry)  # type: ignore[arg-type]
    read = read_matrix_market(tmp_path / "m.mtx")
    np.testing.assert_allclose(read if form == "array" else read.toarray(), matrix, rtol=1e-12)


def test_entries_of_matrix_market_at_the_same_place_are_added(tmp_path: Path) -> None:
    text = "%%MatrixMarket matrix coordinate integer general\n% twice\n2 2 3\n1 1 3\n1 1 4\n2 1 5\n"
    (tmp_path / "m.mtx").write_text(text)
    np.testing.assert_array_equal(outputs(load_network(tmp_path / "m.mtx"), np.eye(2)), [[7, 0], [5, 0]])


@pytest.mark.parametrize(
    "body",
    [
        "2 2 1\n3 1 1\n",
        "2 2 1\n0 1 1\n",
        "2 2 1\n1.5 1 1\n",
        "2 2 1\n1 1\n",
        "2 2 1\n1 1 nan\n",
        "2 2 2\n1 1 1\n",
        "2 2\n1 1 1\n",
        "99999999 99999999 1\n1 1 1\n",
        "x\n",
        "",
    ],
)
def test_a_damaged_file_of_matrix_market_is_refused(body: str, tmp_path: Path) -> None:
    path = tmp_path / "m.mtx"
    path.write_text(f"%%MatrixMarket matrix coordinate real general\n{body}")
    with pytest.raises(NetworkFileError, match="allowed") as caught:
        load_network(path)
    assert "\n" not in str(caught.value)


def half(path: Path) -> None:
    np.save(path.with_suffix(".npy"), W1)
    path.write_bytes(path.with_suffix(".npy").read_bytes()[:200])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: saved(path, W1=W1.astype(object)), "are Python objects, which would run code when"),
        (lambda path: saved(path), "matrices of mine.npz is 'none', allowed are at least one"),
        (half, "which cannot be read"),
        (
            lambda path: path.write_text("%%MatrixMarket matrix coordinate real general\n3 3 1\n1 1 x\n"),
            "which",
        ),
        (
            lambda path: path.write_text("%%MatrixMarket matrix array complex general\n1 1\n1 2\n"),
            "'complex', allowed are real",
        ),
        (lambda path: path.write_bytes(b"\x1f\x8b junk"), "network is "),
        (lambda path: path.write_bytes(b"PK junk"), "which is no whole NumPy archive"),
        (lambda path: path.write_text("weights"), "network is "),
        (lambda path: path.mkdir(), "network is "),
    ],
)
def test_a_file_that_is_not_what_it_seems_is_refused_in_one_sentence(
    make: Any, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.npz"
    make(path)
    with pytest.raises(NetworkFileError) as caught:
        load_network(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_nothing_known_lists_the_formats(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("weights")
    with pytest.raises(
        NetworkFileError, match=r"notes', allowed are those of a format that is known: arrays, "
    ):
        load_network(tmp_path / "notes")


def damaged(content: bytes, places: list[int], values: bytes, kept: int) -> bytes:
    """The content with some bytes changed, and only so many of them kept."""
    changed = bytearray(content)
    for place, value in zip(places, values, strict=False):
        changed[place % len(changed)] = value
    return bytes(changed[: kept % len(changed)] if kept else changed)


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("whole")
    matrix = scipy.sparse.random_array((6, 5), density=0.4, random_state=RANDOM)
    saved(folder / "named.npz", W1=W3, b1=B3, W2=W1[:, :5])
    scipy.sparse.save_npz(folder / "csr.npz", matrix.tocsr())
    scipy.sparse.save_npz(folder / "dia.npz", matrix.todia(), compressed=False)
    np.save(folder / "one.npy", W3)
    scipy.io.mmwrite(folder / "sparse.mtx", matrix)
    scipy.io.mmwrite(folder / "full.mtx", W3)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def refusal_of(path: Path) -> str:
    """What is said of a file, if anything is."""
    try:
        assert load_network(path).stored_weights >= 0
    except Refusal as refused:
        return str(refused)
    return ""


@given(
    which=st.integers(0, 5),
    places=st.lists(st.integers(0, 1 << 16), max_size=6),
    values=st.binary(min_size=6, max_size=6),
    kept=st.integers(0, 1 << 16) | st.just(0),
)
def test_a_damaged_file_is_read_or_refused_in_one_sentence(
    which: int,
    places: list[int],
    values: bytes,
    kept: int,
    whole_files: list[bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(damaged(whole_files[which], places, values, kept))
    told = refusal_of(path)
    assert "\n" not in told
    assert not told or "allowed" in told
