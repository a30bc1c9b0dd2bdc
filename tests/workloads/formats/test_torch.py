"""Modules and exported programs of PyTorch become the layers that they compute, or are refused with the place
of what is in the way."""

from __future__ import annotations

import json
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archsim as a
from workloads.importers.graphs.signals import through
from workloads.importers.graphs.torch_module import TorchModule
from workloads.importers.torch_archive import TorchArchive
from workloads.topology.network import NetworkFileError

pytestmark = pytest.mark.slow

torch = pytest.importorskip("torch")
nn = torch.nn
prune = pytest.importorskip("torch.nn.utils.prune")


@pytest.fixture(autouse=True)
def _same_numbers() -> Iterator[None]:
    """Every test draws the same weights; what PyTorch warns of when it saves a program is its own affair."""
    torch.manual_seed(3)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        yield


def settled(module: Any) -> Any:
    """The module with batch normalisations that have seen something."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            for parameter in part.parameters():
                nn.init.normal_(parameter)
    return module


def exported(module: Any, example: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.export.export(module.eval(), (example,))


class Standardised(nn.Module):  # type: ignore[misc, name-defined]
    """Layers in another order than they are made in, with inputs standardised inside."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.first = nn.Linear(4, 3), nn.Linear(6, 4)
        self.register_buffer("mean", torch.randn(6))
        self.deviation = torch.rand(6) + 0.5

    def forward(self, x: Any) -> Any:
        x = (x - self.mean) / self.deviation
        hidden = torch.relu_(self.first(x.view(x.shape[0], -1)))
        return self.last(hidden.view(x.size(0), 2, 2).transpose(1, 2).flatten(1))[:, :2]


class Unordered(nn.Module):  # type: ignore[misc, name-defined]
    """The same layer twice, and a layer that is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.unused, self.twice = nn.Linear(6, 9), nn.Linear(6, 6)

    def forward(self, x: Any) -> Any:
        return self.twice(self.twice(x).clamp(min=0))


def pruned() -> Any:
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    prune.l1_unstructured(model[0], "weight", amount=0.8)
    prune.random_unstructured(model[0], "bias", amount=0.4)
    model(torch.zeros(1, 6))
    return model


COMPUTED: dict[str, Callable[[], Any]] = {
    "linear": lambda: nn.Linear(6, 3),
    "nested": lambda: nn.Sequential(
        nn.Flatten(), nn.Sequential(nn.Linear(6, 5), nn.ReLU(inplace=True)), nn.Identity(), nn.Linear(5, 3)
    ),
    "normalised": lambda: nn.Sequential(
        nn.BatchNorm1d(6),
        nn.Linear(6, 5, bias=False),
        nn.BatchNorm1d(5),
        nn.ReLU(),
        nn.Dropout(),
        nn.BatchNorm1d(5, affine=False),
        nn.Linear(5, 3),
        nn.BatchNorm1d(3),
    ),
    "standardised": Standardised,
    "unordered": Unordered,
    "pruned": pruned,
    "weight norm": lambda: nn.Sequential(
        torch.nn.utils.parametrizations.weight_norm(nn.Linear(6, 5)), nn.ReLU(), nn.Linear(5, 3)
    ),
    "low rank": lambda: nn.Sequential(nn.Linear(6, 2, bias=False), nn.Linear(2, 5), nn.ReLU()),
    "double": lambda: nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).double(),
}


def run(module: Any, inputs: Any) -> Any:
    with torch.no_grad():
        return module.eval()(torch.from_numpy(inputs).to(next(module.parameters()).dtype)).double().numpy()


def drawn(count: int = 20, width: int = 6) -> Any:
    return np.random.default_rng(5).standard_normal((count, width))


@pytest.mark.parametrize("case", COMPUTED)
def test_layers_compute_what_a_module_computes(case: str) -> None:
    module = settled(COMPUTED[case]())
    layers = TorchModule().read(module)
    np.testing.assert_allclose(through(layers, drawn()), run(module, drawn()), rtol=1e-4, atol=1e-5)


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


def test_a_program_whose_batch_is_open_is_read() -> None:
    batch = {0: torch.export.Dim("batch")}
    program = torch.export.export(Standardised().eval(), (torch.zeros(2, 6),), dynamic_shapes=(batch,))
    assert len(TorchModule().read(program).layers) == 2


def test_weights_are_taken_bit_for_bit_and_called_as_in_the_module() -> None:
    module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    first, second = TorchModule().read(module).layers
    np.testing.assert_array_equal(first.matrix, module[0].weight.detach().numpy())
    np.testing.assert_array_equal(second.bias, module[2].bias.detach().numpy())
    assert [first.name, second.name] == ["0", "2"]


def test_masks_of_pruning_leave_zeros() -> None:
    first, _ = TorchModule().read(pruned()).layers
    assert (first.matrix == 0).mean() == 0.8
    assert np.mean(first.bias == 0) == 0.4


def test_a_module_is_left_as_it_was() -> None:
    module = settled(COMPUTED["normalised"]()).train()
    module[4].eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    drawn_before = torch.get_rng_state()
    TorchModule().read(module)
    assert [part.training for part in module] == [True] * 4 + [False] + [True] * 3
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), drawn_before)


@pytest.mark.parametrize("last", [nn.Softmax(dim=1), nn.LogSoftmax(dim=-1), nn.Sigmoid()])
def test_what_follows_the_last_layer_is_left_out_and_said(last: Any) -> None:
    module = nn.Sequential(nn.Linear(6, 3), last)
    layers = TorchModule().read(module)
    np.testing.assert_array_equal(
        through(layers, drawn()).argmax(axis=1), run(module, drawn()).argmax(axis=1)
    )
    assert "is left out" in layers.remarks[0]


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_narrow_types_are_read(kind: Any) -> None:
    module = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).to(kind)
    first, _ = TorchModule().read(module).layers
    np.testing.assert_array_equal(first.matrix, module[0].weight.detach().float().numpy())


class Skipping(nn.Module):  # type: ignore[misc, name-defined]
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)

    def forward(self, x: Any) -> Any:
        return x + torch.relu(self.layer(x))


class Deciding(Skipping):
    def forward(self, x: Any) -> Any:
        return self.layer(x) if x.sum() > 0 else -self.layer(x)


class Changing(Skipping):
    """Gives something else each time: no graph says what it computes."""

    calls = 0

    def forward(self, x: Any) -> Any:
        type(self).calls += 1
        return self.layer(x) * type(self).calls


class Overwriting(Skipping):
    def forward(self, x: Any) -> Any:
        hidden = self.layer(x)
        hidden.view(-1).relu_()
        return self.layer(hidden)


class Paired(Skipping):
    def forward(self, x: Any) -> Any:
        return self.layer(x), x


def followed_by(*parts: Any) -> Any:
    return nn.Sequential(nn.Linear(6, 5), *parts)


ACTIVATION = "in module 1, is an activation function that no engine has"
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "tanh": (lambda: followed_by(nn.Tanh()), f"operation 2 of .*, tanh {ACTIVATION}"),
    "relu6": (lambda: followed_by(nn.ReLU6()), ACTIVATION),
    "gelu": (lambda: followed_by(nn.GELU()), ACTIVATION),
    "layer norm": (lambda: followed_by(nn.LayerNorm(5)), "normalises each sample by itself"),
    "skip": (Skipping, "add, joins two branches"),
    "decision": (Deciding, "not to be exported"),
    "change": (Changing, "difference of layers from a PyTorch module Changing"),
    "overwriting": (Overwriting, "works in place, and linear is used more than once"),
    "pair": (Paired, "inputs and outputs of a PyTorch module Paired is '1 and 2'"),
    "lstm": (lambda: nn.LSTM(6, 4), "inputs and outputs"),
    "convolution": (lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten()), "is a convolution, whose map"),
    "no layer": (lambda: nn.Sequential(nn.ReLU()), "without parameters"),
    "relu first": (lambda: nn.Sequential(nn.ReLU(), nn.Linear(6, 3)), "ReLU on the inputs"),
    "lazy": (lambda: nn.Sequential(nn.LazyLinear(3)), "'not initialised'"),
    "embedding": (lambda: nn.Sequential(nn.Embedding(6, 3)), "not to be exported"),
    "script": (lambda: torch.jit.trace(nn.Linear(6, 3), torch.zeros(2, 6)), "a TorchScript module"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_understood_is_named_with_its_place(case: str, capfd: pytest.CaptureFixture[str]) -> None:
    make, words = REFUSED[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = make()
    capfd.readouterr()
    with pytest.raises(NetworkFileError, match=words) as refusal:
        TorchModule().read(module)
    assert "allowed are" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert capfd.readouterr() == ("", "")


def test_a_program_that_was_exported_in_training_is_refused() -> None:
    for first in (nn.BatchNorm1d(6), nn.Dropout()):
        module = nn.Sequential(first, nn.Linear(6, 3))
        program = torch.export.export(module.train(), (torch.zeros(2, 6),))
        with pytest.raises(NetworkFileError, match=r"allowed are programs of inference: .*eval\(\)"):
            TorchModule().read(program)


def test_the_width_of_the_inputs_decides_where_several_are_possible() -> None:
    class Wide(Skipping):
        def forward(self, x: Any) -> Any:
            return self.layer(x[:, :6])

    assert TorchModule().read(Wide(), shape=(9,)).layers[0].matrix.shape == (6, 9)
    with pytest.raises(NetworkFileError, match=r"not to be exported \(4 inputs"):
        TorchModule().read(nn.Linear(6, 3), shape=(4,))


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


def test_a_pruned_module_runs_on_hardware_bit_for_bit(tmp_path: Path) -> None:
    network = a.import_network(pruned(), inputs=drawn())
    network.save(tmp_path / "network.npz")
    design = a.DesignPoint(network=str(tmp_path / "network.npz"), engine=a.Pruned(pes=2), technology="cmos65")
    assert a.verify(design.mapping, inputs=2).agrees
