"""Convolutions that no engine runs are refused in a sentence, with their place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workloads.formats.onnx_models import model, node, normal
from tests.workloads.formats.torch_modules import behind, settled
from workloads.importers.graphs.onnx_file import Onnx
from workloads.importers.graphs.torch_module import TorchModule
from workloads.topology.network import NetworkFileError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning")]

torch = pytest.importorskip("torch")
nn = torch.nn


def test_averages_of_other_numbers_are_refused_in_onnx() -> None:
    told: dict[str, Any] = {"kernel_shape": [3, 1]}
    for changed, words in (
        ({}, "averages 3 x 1 values, and 1/3 is no exact weight"),
        ({"kernel_shape": [2, 1], "pads": [1, 0, 0, 0]}, "averages fewer values at the border"),
        ({"kernel_shape": [2, 1], "ceil_mode": 1}, "averages fewer values at the border"),
        ({"kernel_shape": [2, 1], "dilations": [2, 1]}, "averages over windows with gaps"),
    ):
        made = model(
            [node("Conv", "x w", "c"), node("AveragePool", "c", "y", **(told | changed))],
            {"w": normal(3, 2, 1, 1)},
            ("N", 2, 4, 4),
        )
        with pytest.raises(NetworkFileError, match=f"AveragePool for 'y', {words}.*, allowed are"):
            Onnx().read(made)


class Turned(nn.Module):  # type: ignore[misc, name-defined]
    """Inputs in the order row, column, channel."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Conv2d(4, 2, 2)

    def forward(self, x: Any) -> Any:
        return self.kernel(x.permute(0, 3, 1, 2))


class Channels(nn.Module):  # type: ignore[misc, name-defined]
    """A mean over channels."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Conv2d(2, 4, 2)

    def forward(self, x: Any) -> Any:
        return self.kernel(x).mean(1)


class Reshaped(nn.Module):  # type: ignore[misc, name-defined]
    """A matrix whose outputs become a map."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix, self.kernel = nn.Linear(32, 18), nn.Conv2d(2, 1, 2)

    def forward(self, x: Any) -> Any:
        return self.kernel(self.matrix(x.flatten(1)).view(-1, 2, 3, 3))


REFUSED: dict[str, tuple[Any, str]] = {
    "transposed": (lambda: nn.Sequential(nn.ConvTranspose2d(2, 3, 2)), "convolution of another kind"),
    "maximum": (
        lambda: behind(nn.MaxPool2d(2)),
        "max_pool2d in module 2, takes the largest value of a window, .* convolutions with a stride, aver",
    ),
    "mean of nine": (
        lambda: behind(nn.AvgPool2d(3)),
        "avg_pool2d in module 2, averages 3 x 3 values, and 1/9 is no exact weight, allowed are windows of",
    ),
    "mean of three of sixteen": (lambda: behind(nn.AdaptiveAvgPool2d(2)), "in windows that differ"),
    "mean without zeros": (
        lambda: behind(nn.AvgPool2d(2, padding=1, count_include_pad=False)),
        "averages fewer values at the border",
    ),
    "mean of what is there": (lambda: behind(nn.AvgPool2d(2, ceil_mode=True)), "by another number than its"),
    "mean of channels": (lambda: nn.Sequential(Channels()), "pools otherwise than by averages over windows"),
    "shifted": (
        lambda: settled(behind(nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3, padding=1))),
        "pads with zeros what was shifted",
    ),
    "reshaped": (
        Reshaped,
        "is a convolution of a map that was turned, cut or reshaped",
    ),
    "turned": (Turned, "inputs in the order channel, row, column"),
    "circular": (lambda: nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular")), "pad"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_engine_runs_is_refused_in_a_sentence(case: str) -> None:
    make, words = REFUSED[case]
    with pytest.raises(NetworkFileError, match=words) as refusal:
        TorchModule().read(make(), shape=(2, 4, 4))
    assert "allowed are" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_module_whose_map_nobody_tells_is_refused_with_what_tells_it() -> None:
    with pytest.raises(
        NetworkFileError, match=r"module 0 .* whose map nobody tells, .* inputs of shape \(k, ch"
    ):
        TorchModule().read(nn.Sequential(nn.Conv2d(1, 2, 3)))


def test_a_kernel_larger_than_its_map_is_refused() -> None:
    made = model([node("Conv", "x w", "y")], {"w": normal(2, 2, 5, 5)}, ("N", 2, 4, 4))
    with pytest.raises(NetworkFileError, match="does not fit its map"):
        Onnx().read(made)


def test_a_convolution_along_one_axis_is_refused() -> None:
    made = model([node("Conv", "x w", "y")], {"w": normal(2, 2, 3)}, ("N", 2, 4))
    with pytest.raises(
        NetworkFileError, match="a convolution along 1 axes, allowed are those along rows and"
    ):
        Onnx().read(made)
