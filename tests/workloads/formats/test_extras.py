"""Each format has its own library, which is an extra; where it is missing a sentence says which brings it."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from safetensors.numpy import save_file

import archsim as a
from tests.workloads.formats.onnx_models import mlp
from workloads.importers.state_dict import Safetensors
from workloads.topology.network import NetworkFileError

TENSORS = {
    "0.weight": np.arange(30, dtype=np.float32).reshape(5, 6),
    "0.bias": np.ones(5, dtype=np.float64),
    "2.weight": np.ones((3, 5), dtype=np.float16),
}


def write(library: str, path: Path) -> None:
    """A file that this library reads."""
    if library == "onnx":
        onnx.save(mlp(), path)
    elif library == "safetensors":
        save_file(TENSORS, path)
    else:
        path.write_bytes(pickle.dumps(TENSORS, protocol=2))


@pytest.mark.parametrize("library", ["onnx", "safetensors", "torch"])
def test_without_its_library_a_sentence_says_which_extra_brings_it(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(library, tmp_path / "net.bin")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(NetworkFileError, match=rf"pip install 'archsim\[{library}\]'$") as refusal:
        a.import_network(tmp_path / "net.bin")
    assert "\n" not in str(refusal.value)


def test_safetensors_need_no_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    write("safetensors", tmp_path / "net.bin")
    first, second = Safetensors().read(tmp_path / "net.bin").layers
    np.testing.assert_array_equal(first.matrix, TENSORS["0.weight"])
    np.testing.assert_array_equal(first.bias, TENSORS["0.bias"])
    np.testing.assert_array_equal(second.matrix, TENSORS["2.weight"])


@pytest.mark.parametrize("source", [object(), 3, None, "gone.onnx", b"bytes"])
def test_no_importer_stumbles_over_what_is_not_its_own(source: Any) -> None:
    with pytest.raises(a.Refusal, match="allowed are"):
        a.import_network(source)
