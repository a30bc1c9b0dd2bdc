"""Convolutions of PyTorch and ONNX become layers at places, which compute the same and run on hardware bit
for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import archsim as a
from archsim.runs_on import stages_found
from reports.views.imports import import_values
from tests.workloads.formats.onnx_models import model, node, normal
from tests.workloads.formats.placed_networks import assert_runs, imported
from tests.workloads.formats.torch_modules import behind, settled
from workloads import DataError, PlacedNetwork, Places, PrunedStage, read_network
from workloads.importers.graphs.signals import through
from workloads.importers.graphs.torch_module import TorchModule
from workloads.topology.placed import PLAIN, RANGED

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning")]

torch = pytest.importorskip("torch")
reference = pytest.importorskip("onnx.reference")
prune = pytest.importorskip("torch.nn.utils.prune")
nn = torch.nn
RANDOM = np.random.default_rng(11)


def small() -> Any:
    """Stride, padding, groups, a 1 x 1 convolution, batch normalisation before and after a ReLU."""
    return settled(
        nn.Sequential(
            nn.Conv2d(2, 4, 3, stride=2, padding=(1, 0), bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.BatchNorm2d(4),
            nn.Conv2d(4, 4, (2, 1), groups=2),
            nn.ReLU(),
            nn.Conv2d(4, 3, 1),
            nn.BatchNorm2d(3),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(3 * 2 * 2, 5),
            nn.Softmax(dim=1),
        )
    )


def given_to_small(count: int = 30) -> NDArray[np.float32]:
    return RANDOM.normal(1, 4, size=(count, 2, 6, 5)).astype(np.float32)


def classes_of(module: Any, inputs: NDArray[np.float32]) -> NDArray[np.int64]:
    with torch.no_grad():
        named: NDArray[np.int64] = module(torch.from_numpy(inputs)).argmax(dim=1).numpy()
    return named


class Shuffled(nn.Module):  # type: ignore[misc, name-defined]
    """Channels in another order between two convolutions, and places as the last ones after the second."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.last = nn.Conv2d(1, 4, 2), nn.Conv2d(2, 3, 1), nn.Linear(3, 2)

    def forward(self, x: Any) -> Any:
        hidden = torch.relu(self.one(x)).view(-1, 2, 2, 2, 2).transpose(1, 2).flatten(1, 2)
        return self.last(
            self.two(hidden[:, 1:3] * torch.tensor([[[0.5]], [[2.0]]])).permute(0, 2, 3, 1)[:, 1, 0]
        )


class Flat(nn.Module):  # type: ignore[misc, name-defined]
    """Vectors that become maps inside."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Conv2d(1, 2, 3, padding="same")

    def forward(self, x: Any) -> Any:
        return self.kernel(x.reshape(-1, 1, 4, 5)).flatten(1)


class Means(nn.Module):  # type: ignore[misc, name-defined]
    """The mean of each channel, as models end that take maps of any size."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel, self.matrix = nn.Conv2d(2, 4, 2), nn.Linear(4, 3)

    def forward(self, x: Any) -> Any:
        return self.matrix(torch.relu(self.kernel(x)).mean((-1, -2)))


COMPUTED: dict[str, tuple[Any, tuple[int, ...]]] = {
    "all of it": (small, (2, 6, 5)),
    "as vectors of square maps": (lambda: nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten()), (75,)),
    "maps inside": (Flat, (20,)),
    "same, an even kernel": (lambda: nn.Sequential(nn.Conv2d(2, 3, (4, 2), padding="same")), (2, 5, 6)),
    "valid": (lambda: nn.Sequential(nn.Conv2d(2, 3, 2, padding="valid"), nn.ReLU()), (2, 3, 4)),
    "twice": (lambda: (lambda one: nn.Sequential(one, nn.ReLU(), one))(nn.Conv2d(2, 2, 2)), (2, 4, 4)),
    "depthwise": (lambda: nn.Sequential(nn.Conv2d(3, 6, 2, groups=3), nn.Flatten()), (3, 4, 4)),
    "dilated": (lambda: nn.Sequential(nn.Conv2d(2, 4, (3, 2), dilation=(2, 3), padding="same")), (2, 5, 6)),
    "dilated groups": (lambda: nn.Sequential(nn.Conv2d(4, 4, 2, dilation=2, groups=2, stride=2)), (4, 6, 5)),
    "averages": (
        lambda: behind(nn.AvgPool2d((2, 1)), nn.BatchNorm2d(4), nn.Conv2d(4, 2, (1, 2)), nn.Flatten()),
        (2, 5, 4),
    ),
    "averages with zeros": (lambda: behind(nn.AvgPool2d(2, stride=1, padding=1), nn.Flatten()), (2, 4, 4)),
    "averages of a map": (
        lambda: behind(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)),
        (2, 5, 3),
    ),
    "averages of quarters": (lambda: behind(nn.AdaptiveAvgPool2d((2, None))), (2, 5, 3)),
    "means": (Means, (2, 3, 3)),
    "double": (lambda: nn.Sequential(nn.Conv2d(2, 3, 2)).double(), (2, 3, 3)),
    "matrices behind": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 2), nn.Flatten(), nn.Linear(8, 6), nn.Linear(6, 3), nn.ReLU()),
        (1, 3, 3),
    ),
}


@pytest.mark.parametrize("case", COMPUTED)
def test_the_layers_give_what_the_module_gives(case: str) -> None:
    make, shape = COMPUTED[case]
    module = make().eval()
    inputs = RANDOM.normal(size=(6, *shape)).astype(np.float32)
    layers = TorchModule().read(module, shape=shape)
    if case == "as vectors of square maps":
        inputs = inputs.reshape(6, 3, 5, 5)
    with torch.no_grad():
        theirs = module(torch.from_numpy(inputs).to(next(module.parameters()).dtype)).double().numpy()
    ours = through(layers, inputs.reshape(6, -1))
    if case == "all of it":  # The softmax at its end is left out.
        ours = np.exp(ours) / np.exp(ours).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(ours, theirs.reshape(6, -1), rtol=1e-4, atol=1e-5)


def test_groups_are_blocks_and_zeros_between_weights_no_weights() -> None:
    module = nn.Sequential(nn.Conv2d(4, 8, 2, groups=4), nn.ReLU(), nn.Conv2d(8, 2, 3, dilation=2))
    network = imported(module.eval(), inputs=normal(9, 4, 6, 6))
    grouped, dilated = (layers.topology.stages[0] for layers in network.layers)
    assert (grouped.kind, grouped.stored_weights) == ("kronecker", 8 * 4)
    assert (dilated.kind, dilated.stored_weights) == ("pruned", 2 * 8 * 9)
    assert network.layers[1].sweep == Places(8, 5, 5, (5, 5))
    assert_runs(network, a.Pruned(pes=2))


def test_averages_are_exact_in_integers_and_run_without_indices() -> None:
    made = model(
        [
            node("Conv", "x w", "c"),
            node("Relu", "c", "r"),
            node("AveragePool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]),
            node("GlobalAveragePool", "p", "g"),
            node("Flatten", "g", "f"),
            node("MatMul", "f u", "y"),
        ],
        {"w": normal(3, 2, 1, 1), "u": normal(3, 4)},
        ("N", 2, 4, 4),
    )
    inputs = normal(20, 2, 4, 4)
    network = imported(made, inputs=inputs)
    expected = reference.ReferenceEvaluator(made).run(None, {"x": inputs})[0]
    np.testing.assert_allclose(network.run(inputs.reshape(20, -1).T).T, expected, rtol=1e-4, atol=1e-4)
    for layers, integer in zip(network.layers[1:3], a.quantise(network, 4, 8).parts[1:3], strict=True):
        (stage,) = integer.cascade.stages
        assert stage.stage.kind == "kronecker"
        assert len(set(stage.weights.ravel())) == 1
        # As an integer the weight is a power of two, so that it is the share itself.
        assert np.log2(stage.weights.ravel()[0]) % 1 == 0
        assert (layers.weights[0] == 0.25).all()
    assert_runs(network, a.Clos(pes=2))


def test_channels_that_are_chosen_or_weighted_are_so_in_the_kernel() -> None:
    layers = TorchModule().read(Shuffled(), shape=(1, 3, 3))
    assert [layer.sweep is not None for layer in layers.layers] == [True, True, False]
    assert not layers.layers[1].matrix[:, [0, 3]].any()


def test_a_program_of_one_map_without_samples() -> None:
    program = torch.export.export(nn.Sequential(nn.Conv2d(2, 3, 2), nn.Flatten(0)), (torch.zeros(2, 4, 4),))
    assert TorchModule().read(program).layers[0].sweep == Places(2, 4, 4, (2, 2))


def test_a_module_runs_on_hardware_with_its_samples_and_accuracy(tmp_path: Path) -> None:
    module, inputs = small(), given_to_small()
    network = imported(module, inputs=inputs, labels=classes_of(module, inputs))
    assert network.accuracy["float"] == 1
    assert network.accuracy["int16"] >= 0.9
    assert network.input_range == pytest.approx((inputs.min(), inputs.max()), rel=0.1)
    network.save(tmp_path / "net.npz")
    design = a.DesignPoint(network=tmp_path / "net.npz", engine=a.Pruned(pes=4), technology="cmos65")
    assert a.verify(design.mapping, inputs=2).agrees
    result = design.simulate("cycle")
    assert result.accuracy == network.accuracy["int8"]
    assert set(network.remarks) <= set(result.warnings)
    assert "30 samples of Sequential: the inputs given" in str(result.stimulus)
    narrow = design.replace(engine=a.Pruned(pes=4, weight_bits=4, activation_bits=4))
    assert narrow.simulate("analytic").accuracy == network.accuracy["int4"]
    uneven = design.replace(engine=a.Pruned(pes=4, weight_bits=4)).simulate("analytic")
    assert uneven.accuracy is None
    assert any("accuracy is unknown" in warning for warning in uneven.warnings)


def test_a_model_of_onnx_runs_on_the_dense_engine(tmp_path: Path) -> None:
    made = model(
        [
            node("Conv", "x w b", "c", strides=[2, 2]),
            node("Relu", "c", "r"),
            node("Flatten", "r", "f"),
            node("Gemm", "f u v", "y"),
        ],
        {"w": normal(3, 2, 2, 2), "b": normal(3), "u": normal(12, 4), "v": normal(4)},
        ("N", 2, 4, 4),
    )
    assert_runs(imported(made, inputs=normal(20, 2, 4, 4) * 5), a.Dense(pes=2))


def test_the_file_holds_range_and_remarks_and_says_the_version_that_it_needs(tmp_path: Path) -> None:
    network = imported(small(), inputs=given_to_small())
    network.save(tmp_path / "net.npz")
    again = read_network(tmp_path / "net.npz")
    assert isinstance(again, PlacedNetwork)
    assert (again.input_range, again.remarks) == (network.input_range, network.remarks)
    assert version(tmp_path / "net.npz") == RANGED
    of_images = imported(again, inputs=np.linspace(0, 1, 600).reshape(10, 60))
    of_images.save(tmp_path / "images.npz")
    assert version(tmp_path / "images.npz") == PLAIN
    assert of_images.input_range == (0, 1)
    assert of_images.calibration != network.calibration


def version(path: Path) -> int:
    import json

    with np.load(path) as archive:
        return int(json.loads(str(archive["metadata"]))["version"])


def test_integers_of_any_range_are_those_of_the_floats() -> None:
    """A network of whole numbers whose sums all fit is the same in floats and integers, in any scale."""
    kernel = nn.Conv2d(1, 2, 2, bias=False)
    kernel.weight.data = torch.tensor([[[[1.0, -1], [2, 0]]], [[[-2.0, 1], [1, 1]]]])
    inputs = RANDOM.integers(-20, 21, size=(40, 1, 3, 3)) * 4.0
    network = imported(nn.Sequential(kernel, nn.Flatten()), inputs=inputs)
    integer = a.quantise(network, 12, 12)
    given_in, saturated = integer.integer_inputs(inputs.reshape(40, -1))
    assert saturated == 0
    computed, exact = integer.run(given_in), network.run(inputs.reshape(40, -1).T)
    np.testing.assert_array_equal(computed, exact * (computed[exact != 0] / exact[exact != 0])[0])


def test_exact_zeros_of_a_kernel_are_no_weights() -> None:
    module = nn.Sequential(nn.Conv2d(2, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24, 3))
    prune.random_unstructured(module[0], "weight", amount=0.7)
    network = imported(module.eval(), inputs=normal(20, 2, 4, 4))
    first = network.layers[0].topology.stages[0]
    assert isinstance(first, PrunedStage)
    assert first.stored_weights == 108 - 76
    assert_runs(network, a.Pruned(pes=2))


def test_what_was_found_says_what_is_a_convolution_and_at_how_many_places() -> None:
    network = imported(small(), inputs=given_to_small(), name="mine")
    found = stages_found(network)
    assert [stage.places for stage in found] == [6, 4, 4, 1]
    assert [stage.swept for stage in found] == [
        "3 × 3 convolution, stride 2 × 2",
        "2 × 1 convolution",
        "1 × 1 convolution",
        "",
    ]
    assert found[1].kind != "dense"  # Two groups.
    told = import_values(network)
    assert told["engines"] == ["clos", "csc", "pruned"]
    assert told["stored_weights"] == sum(stage["weights"] for stage in told["stages"])


def test_without_inputs_a_program_has_scales_that_are_assumed() -> None:
    program = torch.export.export(small(), (torch.zeros(2, 2, 6, 5),))
    network = imported(program, input_range=(-4, 4))
    assert network.input_range == (-4, 4)
    assert any(remark.startswith("scales were assumed") for remark in network.remarks)
    with pytest.raises(DataError, match="shape of inputs"):
        imported(program, inputs=normal(5, 61))
