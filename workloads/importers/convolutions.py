"""Convolutions of every format come in here, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workloads.importers.signals import NotUnderstoodError, Signal

REMEDY = "fully connected layers: replace it by a matrix, or train a small CNN by a recipe"


@dataclass(frozen=True)
class Window:
    """How a kernel moves: `strides` and `dilations` an axis, `pads` before all axes and then after them, and
    into how many `groups` channels fall."""

    strides: tuple[int, ...]
    pads: tuple[int, ...]
    dilations: tuple[int, ...]
    groups: int


def convolved(name: str, signal: Any, kernel: Any, bias: Any, window: Window) -> Signal:
    """The signal (samples, channels, rows, columns) after a kernel (n_out, channels, rows, columns) and a
    bias (n_out,), or none. Raises NotUnderstoodError: layers here do not hold convolutions."""
    raise NotUnderstoodError("is a convolution, which layers here do not hold", REMEDY)
