"""Files of ONNX: known by their content, read with data beside them alone, refused where they are not whole,
and run on hardware."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import archsim as a
from tests.workloads.formats.onnx_models import RANDOM, mlp, normal, numpy_helper, read
from workloads.importers.graphs.onnx_file import Onnx
from workloads.importers.graphs.signals import through
from workloads.topology.network import NetworkFileError

SHIPPED = Path(onnx.__file__).parent / "backend" / "test" / "data" / "pytorch-converted"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.onnx"
    onnx.save(mlp(), path)
    return path


def test_a_file_is_known_by_how_it_is_written_and_not_by_its_name(file: Path, tmp_path: Path) -> None:
    other = file.rename(tmp_path / "net.bin")
    assert Onnx().recognises(other)
    assert [layer.name for layer in read(other).layers] == ["first", "second"]
    for content in (b"", b"\x08\x07", b"hello, world", bytes(200), RANDOM.bytes(300)):
        other.write_bytes(content)
        assert not Onnx().recognises(other)


def test_a_file_cut_anywhere_is_refused_in_a_sentence(file: Path) -> None:
    whole = file.read_bytes()
    refused = 0
    for end in range(len(whole) - 1):
        file.write_bytes(whole[:end])
        try:
            read(file)
        except NetworkFileError:
            refused += 1
    assert refused > 0.97 * len(whole)


@pytest.mark.parametrize("seed", range(60))
def test_a_file_with_other_bytes_is_read_or_refused_in_a_sentence(file: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    content = bytearray(file.read_bytes())
    for place in random.integers(0, len(content), 4):
        content[place] = random.integers(0, 256)
    file.write_bytes(content)
    with suppress(NetworkFileError):
        read(file)


def outside(file: Path, location: str, **save: Any) -> None:
    """The model with its data in another file, which the model then calls `location`."""
    onnx.save(mlp(), file, save_as_external_data=True, location="weights.bin", size_threshold=0, **save)
    stored = onnx.load(file, load_external_data=False)
    for tensor in stored.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    file.write_bytes(stored.SerializeToString())


def test_data_beside_a_file_are_read(file: Path) -> None:
    outside(file, "weights.bin")
    assert (file.parent / "weights.bin").stat().st_size
    assert len(read(file).layers) == 2


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "gone.bin", "", "a\\b", "linked.bin"])
def test_data_elsewhere_are_not_read(file: Path, location: str) -> None:
    secret = file.parent.parent / "weights.bin"
    secret.write_bytes(bytes(1000))
    (file.parent / "linked.bin").symlink_to(secret)
    outside(file, location)
    with pytest.raises(NetworkFileError, match="beside the model"):
        read(file)


def test_a_model_in_memory_has_no_files_beside_it(file: Path) -> None:
    outside(file, "weights.bin")
    with pytest.raises(NetworkFileError, match="beside the model"):
        read(onnx.load(file, load_external_data=False))


def assert_runs(network: a.TrainedNetwork, folder: Path) -> None:
    """The hardware gives what the integer network gives, bit for bit, in the cycles that are counted."""
    network.save(folder / "network.npz")
    design = a.DesignPoint(network=str(folder / "network.npz"), engine=a.Dense(pes=4), technology="cmos65")
    checked = a.verify(design.mapping, inputs=3)
    assert checked.agrees, checked.differences


def test_a_file_made_here_runs_on_hardware_bit_for_bit(file: Path) -> None:
    assert_runs(a.import_network(file, inputs=normal(20, 6)), file.parent)


@pytest.mark.parametrize("name", ["test_Linear", "test_Linear_no_bias"])
def test_a_model_of_the_onnx_package_runs_on_hardware_bit_for_bit(name: str, tmp_path: Path) -> None:
    path = SHIPPED / name / "model.onnx"
    inputs, outputs = (
        numpy_helper.to_array(onnx.load_tensor(path.parent / "test_data_set_0" / f"{end}_0.pb"))
        for end in ("input", "output")
    )
    np.testing.assert_allclose(through(read(path), inputs), outputs, rtol=1e-5, atol=1e-6)
    assert_runs(a.import_network(path, inputs=inputs), tmp_path)
