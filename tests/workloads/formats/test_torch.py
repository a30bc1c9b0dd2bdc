"""Modules and exported programs of PyTorch become the layers that they compute, or are refused with the place
of what is in the way."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archsim as a
from tests.workloads.formats.torch_modules import COMPUTED, Standardised, drawn, pruned, run, settled
from workloads.importers.graphs.signals import through
from workloads.importers.graphs.torch_module import TorchModule
from workloads.topology.network import NetworkFileError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning")]

torch = pytest.importorskip("torch")
nn = torch.nn
prune = pytest.importorskip("torch.nn.utils.prune")


@pytest.mark.parametrize("case", COMPUTED)
def test_layers_compute_what_a_module_computes(case: str) -> None:
    module = settled(COMPUTED[case]())
    layers = TorchModule().read(module)
    np.testing.assert_allclose(through(layers, drawn()), run(module, drawn()), rtol=1e-4, atol=1e-5)


def test_a_threshold_of_zero_is_a_relu() -> None:
    module = nn.Sequential(nn.Linear(6, 5), nn.Threshold(0.0, 0.0), nn.Linear(5, 3))
    layers = TorchModule().read(module)
    assert [layer.activation for layer in layers.layers] == ["relu", "none"]
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


class Squared(Skipping):
    def forward(self, x: Any) -> Any:
        return torch.einsum("bi,bi->bi", self.layer(x), x)


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
    "threshold": (lambda: followed_by(nn.Threshold(0.1, 0.0)), f"threshold {ACTIVATION}"),
    "squared": (Squared, "einsum, multiplies two signals with each other"),
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


def test_a_pruned_module_runs_on_hardware_bit_for_bit(tmp_path: Path) -> None:
    network = a.import_network(pruned(), inputs=drawn())
    network.save(tmp_path / "network.npz")
    design = a.DesignPoint(network=str(tmp_path / "network.npz"), engine=a.Pruned(pes=2), technology="cmos65")
    assert a.verify(design.mapping, inputs=2).agrees
