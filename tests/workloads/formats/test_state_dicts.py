"""State dictionaries become layers where they leave one reading, and nothing in a file is run."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archsim as a
from workloads.importers.layers import Layers
from workloads.importers.state_dict import Safetensors, StateDict, TorchTensors
from workloads.topology.network import NetworkFileError

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")
nn = torch.nn


def model(*widths: int) -> Any:
    parts: list[Any] = []
    for before, after in itertools.pairwise(widths):
        parts += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


@pytest.fixture
def state() -> dict[str, Any]:
    return dict(model(6, 5, 3).state_dict())


def assert_reads(layers: Layers, state: dict[str, Any]) -> None:
    assert [layer.activation for layer in layers.layers] == ["relu", "none"]
    for layer, name in zip(layers.layers, ("0", "2"), strict=True):
        np.testing.assert_array_equal(layer.matrix, state[f"{name}.weight"].numpy())
        np.testing.assert_array_equal(layer.bias, state[f"{name}.bias"].numpy())


def test_a_state_dict_is_read_with_relu_between_and_a_remark(state: dict[str, Any]) -> None:
    assert StateDict().recognises(state)
    layers = StateDict().read(state)
    assert_reads(layers, state)
    assert any("ReLU" in remark for remark in layers.remarks)
    told = StateDict().read(state, activations=["none", "none"])
    assert [layer.activation for layer in told.layers] == ["none", "none"]


@pytest.mark.parametrize("wrapper", ["state_dict", "model_state_dict", "model"])
def test_a_checkpoint_is_opened(state: dict[str, Any], wrapper: str, tmp_path: Path) -> None:
    checkpoint = {"epoch": 3, wrapper: state, "optimizer": {"lr": 0.1}}
    assert StateDict().recognises(checkpoint)
    assert_reads(StateDict().read(checkpoint), state)
    torch.save(checkpoint, tmp_path / "checkpoint.pt")
    assert_reads(TorchTensors().read(tmp_path / "checkpoint.pt"), state)


@pytest.mark.parametrize("name", ["net.pt", "net.pth", "net.bin"])
@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_torch_save_are_known_by_how_they_begin(
    state: dict[str, Any], tmp_path: Path, name: str, zipped: bool
) -> None:
    torch.save(state, tmp_path / name, _use_new_zipfile_serialization=zipped)
    assert TorchTensors().recognises(tmp_path / name)
    assert_reads(TorchTensors().read(tmp_path / name), state)


@pytest.mark.parametrize("name", ["net.safetensors", "net.bin"])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_safetensors_are_read_in_every_type(
    state: dict[str, Any], tmp_path: Path, name: str, kind: Any
) -> None:
    narrow = {key: tensor.to(kind) for key, tensor in state.items()}
    safetensors_torch.save_file(narrow, tmp_path / name)
    assert Safetensors().recognises(tmp_path / name)
    assert_reads(
        Safetensors().read(tmp_path / name), {key: tensor.double() for key, tensor in narrow.items()}
    )


def test_layers_whose_names_end_in_numbers_come_in_the_order_of_these(tmp_path: Path) -> None:
    state = model(*[4] * 7).state_dict()
    safetensors_torch.save_file(state, tmp_path / "net.safetensors")
    layers = Safetensors().read(tmp_path / "net.safetensors").layers
    expected = [state[f"{number}.weight"].numpy() for number in range(0, 12, 2)]
    for layer, matrix in zip(layers, expected, strict=True):
        np.testing.assert_array_equal(layer.matrix, matrix)


def named(**widths: tuple[int, int]) -> dict[str, Any]:
    return {f"{name}.weight": torch.randn(n_out, n_in) for name, (n_in, n_out) in widths.items()}


def test_an_order_that_widths_leave_open_is_asked_for() -> None:
    encoder_last = named(decoder=(4, 6), encoder=(6, 4))
    with pytest.raises(NetworkFileError, match=r"order of matrices is not told by .*decoder.*, the names in"):
        StateDict().read(encoder_last)
    layers = StateDict().read(encoder_last, order=["encoder", "decoder"]).layers
    assert [layer.matrix.shape for layer in layers] == [(4, 6), (6, 4)]
    only = StateDict().read(named(out=(4, 3), hidden=(6, 4))).layers
    assert [layer.matrix.shape for layer in only] == [(4, 6), (3, 4)]


def test_masks_of_pruning_are_multiplied() -> None:
    pruned = model(6, 5, 3)
    prune = pytest.importorskip("torch.nn.utils.prune")
    prune.l1_unstructured(pruned[0], "weight", amount=0.8)
    prune.random_unstructured(pruned[0], "bias", amount=0.4)
    first, _ = StateDict().read(pruned.state_dict()).layers
    np.testing.assert_array_equal(first.matrix, pruned[0].weight.detach().numpy())
    assert (first.matrix == 0).sum() == 24
    assert np.sum(first.bias == 0) == 2


REFUSED: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "batch normalisation": (
        lambda: nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5)).state_dict(),
        "tensor 1.weight of .* give the module",
    ),
    "only statistics": (
        lambda: {"0.running_mean": torch.zeros(4)},
        "tensor 0.running_mean of",
    ),
    "convolution": (lambda: nn.Conv2d(1, 2, 3).state_dict(), "tensor weight of .* is that of a convolution"),
    "recurrent": (lambda: nn.LSTM(3, 4).state_dict(), "tensor weight_ih_l0 of"),
    "mask alone": (lambda: {"0.weight_mask": torch.ones(2, 2)}, "0.weight_orig and 0.weight_mask"),
    "no chain": (lambda: named(a=(4, 3), b=(5, 2)), "shapes of matrices"),
    "not finite": (lambda: {"weight": torch.full((2, 2), torch.nan)}, "is nan, allowed are finite"),
    "no numbers": (lambda: {"weight": torch.zeros(2, 2, device="meta")}, "in memory"),
    "complex": (lambda: {"weight": torch.zeros(2, 2, dtype=torch.complex64)}, "real numbers in memory"),
    "text": (lambda: {"weight": torch.zeros(2, 2), "name": "net"}, "tensor name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_leaves_no_reading_is_refused_in_a_sentence(case: str, tmp_path: Path) -> None:
    make, words = REFUSED[case]
    state = dict(make())
    with pytest.raises(NetworkFileError, match=words) as refusal:
        StateDict().read(state)
    assert "\n" not in str(refusal.value)


class Hostile:
    """What runs a command as soon as it is unpickled."""

    def __init__(self, evidence: Path) -> None:
        self.evidence = evidence

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.evidence),)


def plainly(content: Any, path: Path) -> None:
    path.write_bytes(pickle.dumps(content, protocol=2))


SAVES: list[Callable[[Any, Path], None]] = [torch.save, plainly]


@pytest.mark.parametrize("save", SAVES)
@pytest.mark.parametrize("wrapped", [False, True])
def test_nothing_of_a_hostile_file_is_run(
    save: Callable[[Any, Path], None], wrapped: bool, state: dict[str, Any], tmp_path: Path
) -> None:
    hostile, evidence = Hostile(tmp_path / "evidence"), tmp_path / "evidence"
    path = tmp_path / "net.pt"
    save(state | {"extra": hostile} if wrapped else hostile, path)
    with pytest.raises(NetworkFileError, match=r"; it asks for .*, which could run code") as refusal:
        a.import_network(path)
    assert "\n" not in str(refusal.value)
    assert not evidence.exists()
    if save is plainly:
        pickle.loads(path.read_bytes())
    else:
        torch.load(path, weights_only=False)
    assert evidence.exists(), "it would have run code"


def test_a_hostile_archive_of_torch_export_is_not_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(model(6, 5, 3).eval(), (torch.zeros(2, 6),)), path)
    with zipfile.ZipFile(path) as given:
        members = {name: given.read(name) for name in given.namelist()}
    hostile = pickle.dumps(Hostile(tmp_path / "evidence"))
    with zipfile.ZipFile(path, "w") as made:
        for name, content in members.items():
            made.writestr(name, hostile if name.endswith("sample_inputs/model.pt") else content)
    a.import_network(path)
    assert not (tmp_path / "evidence").exists()
    with zipfile.ZipFile(path, "w") as made:
        for name, content in members.items():
            if name.endswith("weights_config.json"):
                config = json.loads(content)
                config["config"]["0.weight"]["use_pickle"] = True
                content = json.dumps(config).encode()
            made.writestr(name, hostile if name.endswith("weight_0") else content)
    with pytest.raises(NetworkFileError, match="pickled, which could run code"):
        a.import_network(path)
    assert not (tmp_path / "evidence").exists()


def test_a_whole_module_in_a_file_is_refused_and_what_to_save_is_said(tmp_path: Path) -> None:
    torch.save(model(6, 5, 3), tmp_path / "net.pt")
    with pytest.raises(NetworkFileError, match=r"save model.state_dict\(\).*Sequential, which could run"):
        TorchTensors().read(tmp_path / "net.pt")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torch_script_is_refused(tmp_path: Path) -> None:
    torch.jit.trace(model(6, 5, 3), torch.zeros(2, 6)).save(str(tmp_path / "net.pt"))
    with pytest.raises(NetworkFileError, match="this one is TorchScript, which is code"):
        a.import_network(tmp_path / "net.pt")


@pytest.mark.parametrize("content", [3, [1.0, 2.0], {"epoch": 3}, {}])
def test_a_file_of_something_else_is_refused(content: Any, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "net.pt")
    with pytest.raises(NetworkFileError, match="it holds a"):
        TorchTensors().read(tmp_path / "net.pt")


@pytest.mark.parametrize("kind", ["pt", "old.pt", "safetensors"])
def test_a_file_cut_anywhere_is_refused_in_a_sentence(
    kind: str, state: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / f"net.{kind}"
    if kind == "safetensors":
        safetensors_torch.save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "pt")
    whole = path.read_bytes()
    for end in range(0, len(whole), max(1, len(whole) // 40)):
        path.write_bytes(whole[:end])
        with pytest.raises(NetworkFileError, match=r"^file is ") as refusal:
            a.import_network(path)
        assert "\n" not in str(refusal.value)


def test_other_files_are_not_taken_for_tensors(tmp_path: Path) -> None:
    path = tmp_path / "other"
    for content in (b"", b"hello, world", bytes(20), b"\x10" + bytes(7) + b"[]" + bytes(40)):
        path.write_bytes(content)
        assert not Safetensors().recognises(path)
        assert not TorchTensors().recognises(path)
    assert not StateDict().recognises({"weight": [1.0]})
    assert not StateDict().recognises({1: torch.zeros(2)})


def test_versions_of_torch_that_run_code_in_spite_of_being_told_are_refused(
    state: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(state, tmp_path / "net.pt")
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(NetworkFileError, match=r"version of torch is '2.5.1\+cpu', allowed are 2.6"):
        TorchTensors().read(tmp_path / "net.pt")
