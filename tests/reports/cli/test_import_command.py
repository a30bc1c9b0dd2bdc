"""`archsim import` brings a network in and says what it found, at 80 columns too."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import archsim as a
from reports.views.imports import import_tables
from tests.reports.commands import archsim
from workloads import CscStage, Places
from workloads.importers.layers import Layer, Layers

RANDOM = np.random.default_rng(0)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A ring, a block-sparse matrix and a dense one with a bias."""
    ring = CscStage(40, 40, 5, 1)
    blocks = np.kron(RANDOM.random((10, 10)) < 0.3, np.ones((4, 4)))
    arrays: dict[str, Any] = {
        "ring.1.weight": ring.csr(RANDOM.normal(size=ring.weight_shape)).toarray(),
        "ring.2.weight": blocks * RANDOM.normal(size=(40, 40)),
        "ring.3.weight": RANDOM.normal(size=(4, 40)),
        "ring.3.bias": RANDOM.normal(size=4),
    }
    np.savez(tmp_path / "weights.npz", **arrays)
    return tmp_path / "weights.npz"


def test_an_import_says_what_it_found_and_writes_a_network(weights: Path, tmp_path: Path) -> None:
    inputs = RANDOM.normal(size=(50, 40))
    np.save(tmp_path / "x.npy", inputs)
    np.save(tmp_path / "y.npy", RANDOM.integers(0, 4, 50))
    out = tmp_path / "net.npz"
    told = ("--inputs", tmp_path / "x.npy", "--labels", tmp_path / "y.npy", "--name", "mine")
    done = archsim("import", weights, "--out", out, *told)
    assert done.exit_code == 0, done.stderr
    for words in (
        "ring.1.weight",
        "csc, fan-in 5, stride 1",
        "blocks of 4 × 4",
        "runs on eie, pruned",
        "accuracy",
    ):
        assert words in done.stdout
    assert "Note: activation functions were not named" in done.stdout
    network = a.load_network(out)
    assert network.name == "mine"
    assert network.stored_biases == 4
    assert {"float", "int4", "int8", "int16"} <= set(network.accuracy)


def test_plain_values_hold_all_that_the_table_shows(weights: Path, tmp_path: Path) -> None:
    done = archsim("import", weights, "--out", tmp_path / "net.npz", "--activations", "relu", "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["stages"][0]["kind"] == "csc, fan-in 5, stride 1"
    assert told["stages"][2]["engines"] == ["clos", "csc", "dense", "eie", "pruned"]
    assert told["stages"][2]["biases"] == 4
    assert told["engines"] == ["eie", "pruned"]
    assert told["stored_weights"] == sum(stage["weights"] for stage in told["stages"])
    assert told["remarks"][0].startswith("scales were assumed")
    assert told["file"].endswith("net.npz")


def test_nothing_is_cut_at_80_columns(weights: Path) -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(import_tables(a.import_network(weights)))
    shown = console.export_text()
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    for words in ("fan-in", "stride", "blocks", "ring.1.weight", "40", "density", "pruned"):
        assert words in shown


def test_convolutions_are_shown_with_their_places() -> None:
    kernel = RANDOM.normal(size=(3, 1, 2, 2))
    sweep = Places(1, 3, 3, (2, 2))
    layers = (
        Layer("kernel", kernel.reshape(3, 4), activation="relu", sweep=sweep),
        Layer("matrix", RANDOM.normal(size=(5, 12)), np.ones(5)),
    )
    console = Console(width=120, record=True, file=io.StringIO())
    inputs = RANDOM.normal(size=(20, 1, 3, 3))
    network = a.import_network(Layers("small", layers, "a test"), inputs=inputs, labels=np.arange(20) % 5)
    console.print(import_tables(network))
    rows = [line.split() for line in console.export_text().splitlines()]
    assert ["kernel", "2", "×", "2", "convolution,", "dense", "4", "4", "3", "12"] in [
        row[:10] for row in rows
    ]
    assert ["matrix", "dense", "1", "12", "5", "60"] in [row[:6] for row in rows]


def test_files_of_one_matrix_each_are_given_in_order(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", RANDOM.normal(size=(20, 30)))
    np.save(tmp_path / "two.npy", RANDOM.normal(size=(5, 20)))
    sources, out = (tmp_path / "one.npy", tmp_path / "two.npy"), tmp_path / "net.npz"
    done = archsim("import", *sources, "--out", out, "--input-range", "-1", "2", "--layout", "out_in")
    assert done.exit_code == 0, done.stderr
    assert a.load_network(out).input_range == (-1, 2)
    assert "inputs from -1 to 2, no samples" in done.stdout


def test_a_word_with_commas_is_a_list(tmp_path: Path) -> None:
    np.savez(tmp_path / "words.npz", out=RANDOM.normal(size=(5, 9)), seen=RANDOM.normal(size=(9, 7)))
    told = ("--order", "seen, out", "--activations", "none,none", "--layout", "out_in")
    done = archsim("import", tmp_path / "words.npz", "--out", tmp_path / "net.npz", *told)
    assert done.exit_code == 0, done.stderr
    assert a.load_network(tmp_path / "net.npz").topology.shape == "7-(2)-5"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "nowhere/net.npz"], "out is nowhere/net.npz, allowed is a file in a folder that exists"),
        (["--out", "net.npz", "--layout", "rows"], "layout is 'rows', allowed are auto, out_in, in_out"),
        (["--out", "net.npz", "--order", "a"], "order is 'a', allowed are the names of arrays or layers"),
        ([], "Missing option '--out'"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(
    arguments: list[str], message: str, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = archsim("import", weights, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "net.npz").exists()


def test_an_import_has_k_means_make_few_weights(tmp_path: Path) -> None:
    out = tmp_path / "shared.npz"
    done = archsim("import", "lenet-300-100-pruned-x40", "--codebook-bits", 3, "--out", out)
    assert done.exit_code == 0, done.stderr
    assert "at most 7 different ones" in " ".join(done.stdout.split())
    network = a.load_network(out)
    assert all(len(np.unique(weights)) == 7 for weights in network.weights)


def test_a_codebook_of_too_many_bits_is_refused(tmp_path: Path) -> None:
    told = ("--codebook-bits", 9, "--out", tmp_path / "shared.npz")
    done = archsim("import", "lenet-300-100-pruned-x40", *told)
    assert done.exit_code == 2
    assert "codebook_bits is 9, allowed are 2 to 8" in done.stderr
