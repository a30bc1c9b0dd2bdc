"""Files of torch.export become the layers of the module, without PyTorch and whatever bytes they hold."""

from __future__ import annotations

import json
import sys
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workloads.formats.torch_modules import COMPUTED, drawn, exported, run, settled
from workloads.importers.graphs.signals import through
from workloads.importers.torch_archive import TorchArchive
from workloads.topology.network import NetworkFileError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning")]

torch = pytest.importorskip("torch")
nn = torch.nn


@pytest.mark.parametrize("case", [case for case in COMPUTED if case != "weight norm"])
def test_a_file_of_torch_export_gives_the_same_layers(case: str, tmp_path: Path) -> None:
    module = settled(COMPUTED[case]())
    program = exported(module, torch.zeros(2, 6, dtype=next(module.parameters()).dtype))
    path = tmp_path / "net.pt2"
    torch.export.save(program, path)
    for form in (program, program.run_decompositions()):
        torch.export.save(form, path)
        layers = TorchArchive().read(path)
        np.testing.assert_allclose(through(layers, drawn()), run(module, drawn()), rtol=1e-4, atol=1e-5)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "net.pt2"
    torch.export.save(exported(settled(COMPUTED["normalised"]()), torch.zeros(2, 6)), path)
    return path


def test_a_file_of_torch_export_is_read_without_torch(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = TorchArchive().read(archive)
    monkeypatch.setitem(sys.modules, "torch", None)
    other = archive.rename(tmp_path / "net.bin")
    assert TorchArchive().recognises(other)
    layers = TorchArchive().read(other)
    for one, same in zip(layers.layers, expected.layers, strict=True):
        np.testing.assert_array_equal(one.matrix, same.matrix)


def changed(archive: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The archive with members changed, or left out."""
    with zipfile.ZipFile(archive) as given:
        members = {name: given.read(name) for name in given.namelist()}
    with zipfile.ZipFile(archive, "w") as made:
        for name, content in members.items():
            new = change(name, content)
            if new is not None:
                made.writestr(name, new)
    return archive


def replaced(end: str, old: str, new: str) -> Callable[[str, bytes], bytes]:
    def change(name: str, content: bytes) -> bytes:
        if not name.endswith(end):
            return content
        text = content.decode()
        assert old in text
        return text.replace(old, new).encode()

    return change


GRAPH, WEIGHTS = "model.json", "weights_config.json"
LINK = '"arg": {"as_tensor": {"name": "%s"}}'

BROKEN: dict[str, tuple[Callable[[str, bytes], bytes | None], str]] = {
    "no graph": (lambda name, content: None if name.endswith(GRAPH) else content, "file is"),
    "no weights": (lambda name, content: None if "weight_1" in name else content, "file is"),
    "short": (lambda name, content: content[:8] if "weight_" in name else content, "shape of tensor"),
    "no JSON": (lambda name, content: b"{" if name.endswith(GRAPH) else content, "file is"),
    "another form": (replaced(GRAPH, '"major": 8', '"major": 9'), "schema of"),
    "pickled": (replaced(WEIGHTS, '"use_pickle": false', '"use_pickle": true'), "could run code"),
    "vast": (replaced(WEIGHTS, '"as_int": 6}', '"as_int": 99999999999}'), "shape of tensor"),
    "before the start": (
        replaced(WEIGHTS, '"storage_offset": {"as_int": 0}', '"storage_offset": {"as_int": -4}'),
        "shape of tensor",
    ),
    "complex": (replaced(WEIGHTS, '"dtype": 7', '"dtype": 10'), "type of tensor"),
    "unknown": (replaced(GRAPH, "ops.aten.relu.default", "ops.os.system.default"), "os.system.*is not known"),
    "circle": (replaced(GRAPH, LINK % "relu", LINK % "later"), "reads later, which nothing before it makes"),
    "no list": (replaced(GRAPH, '"nodes": [', '"nodes": 7, "more": ['), "file is"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_archive_that_is_not_whole_is_refused_in_a_sentence(archive: Path, case: str) -> None:
    change, words = BROKEN[case]
    with pytest.raises(NetworkFileError, match=words) as refusal:
        TorchArchive().read(changed(archive, change))
    assert "allowed" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_archive_cut_anywhere_is_refused_in_a_sentence(archive: Path) -> None:
    whole = archive.read_bytes()
    for end in range(0, len(whole), 397):
        archive.write_bytes(whole[:end])
        with pytest.raises(NetworkFileError, match="file is"):
            TorchArchive().read(archive)


def mutated(entry: Any, random: np.random.Generator) -> Any:
    """A JSON value with one thing in it replaced, left out or said twice."""
    strange: list[Any] = [None, -1, 10**12, "later", [], {}, True, 1.5, [1]]
    if not isinstance(entry, dict | list) or not entry or random.random() < 0.1:
        return strange[random.integers(len(strange))]
    place = (
        list(entry)[random.integers(len(entry))] if isinstance(entry, dict) else random.integers(len(entry))
    )
    if random.random() < 0.1:
        del entry[place]
    elif random.random() < 0.1 and isinstance(entry, list):
        entry.append(entry[place])
    else:
        entry[place] = mutated(entry[place], random)
    return entry


@pytest.mark.parametrize("end", [GRAPH, WEIGHTS])
def test_an_archive_with_other_json_is_read_or_refused_in_a_sentence(archive: Path, end: str) -> None:
    whole = archive.read_bytes()
    for seed in range(60):
        random = np.random.default_rng(seed)

        def change(name: str, content: bytes, random: np.random.Generator = random) -> bytes:
            return (
                json.dumps(mutated(json.loads(content), random)).encode() if name.endswith(end) else content
            )

        archive.write_bytes(whole)
        with suppress(NetworkFileError):
            TorchArchive().read(changed(archive, change))


def test_what_an_archive_pickles_is_not_read(archive: Path) -> None:
    """Its sample inputs are a pickle; anything may stand there."""
    changed(archive, lambda name, content: b"hostile" if "sample_inputs" in name else content)
    assert len(TorchArchive().read(archive).layers) == 2


def test_views_of_one_storage_are_told_apart(tmp_path: Path) -> None:
    class Views(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            whole = torch.randn(6, 10)
            self.matrix, self.row = nn.Parameter(whole[1:4].t()[2:8]), nn.Parameter(whole[0])

        def forward(self, x: Any) -> Any:
            return x @ self.matrix + self.row[:3]

    module = Views()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(exported(module, torch.zeros(2, 6)), tmp_path / "views.pt2")
    layers = TorchArchive().read(tmp_path / "views.pt2")
    np.testing.assert_allclose(through(layers, drawn()), run(module, drawn()), rtol=1e-4, atol=1e-5)
