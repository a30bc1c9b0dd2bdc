"""Small modules of PyTorch, and what they compute."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nn = torch.nn
prune = pytest.importorskip("torch.nn.utils.prune")


def settled(module: Any) -> Any:
    """The module in inference, with batch normalisations that have seen something."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            for parameter in part.parameters():
                nn.init.normal_(parameter)
    return module.eval()


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


class Chosen(nn.Module):  # type: ignore[misc, name-defined]
    """Signals that are put in another order between layers, by constants."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)
        self.register_buffer("order", torch.randperm(6))
        self.register_buffer("kept", torch.tensor([5, 0, 2, 7, 1, 3, 4, 6]))

    def forward(self, x: Any) -> Any:
        hidden = torch.relu(self.first(x[:, self.order])).unflatten(1, (2, 4)).flip(2).flatten(1)
        return self.last(hidden.index_select(1, self.kept))


class Summed(nn.Module):  # type: ignore[misc, name-defined]
    """A product, blocks of their own, and a factor, in Einstein's notation."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.blocks = nn.Parameter(torch.randn(8, 6)), nn.Parameter(torch.randn(2, 4, 3))
        self.factor = nn.Parameter(torch.rand(2))

    def forward(self, x: Any) -> Any:
        hidden = torch.relu(torch.einsum("oi, ...i -> ...o", self.first, x)).unflatten(1, (2, 4))
        made = torch.einsum("bgi,gio->bog", hidden, self.blocks)
        return torch.einsum("bog, g -> bgo", made, self.factor).flatten(1)


class Batched(nn.Module):  # type: ignore[misc, name-defined]
    """Blocks side by side in one batched product."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 6), nn.Linear(12, 3)
        self.blocks = nn.Parameter(torch.randn(3, 2, 4))

    def forward(self, x: Any) -> Any:
        x = self.first(x)
        hidden = torch.bmm(x.unflatten(1, (3, 2)).transpose(0, 1), self.blocks).transpose(0, 1).flatten(1)
        return self.last(torch.relu(hidden))


def pruned() -> Any:
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    prune.l1_unstructured(model[0], "weight", amount=0.8)
    prune.random_unstructured(model[0], "bias", amount=0.4)
    model(torch.zeros(1, 6))
    return model


COMPUTED: dict[str, Callable[[], Any]] = {
    "chosen": Chosen,
    "summed": Summed,
    "batched": Batched,
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


def behind(*parts: Any) -> Any:
    """These parts behind a convolution of two channels to four and a ReLU."""
    return nn.Sequential(nn.Conv2d(2, 4, 2), nn.ReLU(), *parts)
