"""Averages over windows of a map, which are convolutions of each channel by itself with one constant weight.

That weight is one over the number of values in a window. It is kept where that is a power of two, and so is
exact in integers of any width; any other average would be another one in hardware than its author's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workloads.importers.graphs.convolutions import AXES, Window, convolved
from workloads.importers.graphs.signals import NotUnderstoodError, Signal

EXACT = "windows of 2, 4, 8 ... values, or a convolution with a stride"


def averaged(name: str, signal: Any, kernel: tuple[int, ...], window: Window, *, zeros_count: bool) -> Signal:
    """The signal (samples, channels, rows, columns), or without samples, after averages over windows of so
    many rows and columns; `zeros_count` tells whether the zeros around a map are values too. Raises
    NotUnderstoodError for averages that are not exact in integers."""
    if not isinstance(signal, Signal) or len(kernel) != AXES or len(signal.shape) not in (AXES + 1, AXES + 2):
        raise NotUnderstoodError("averages something else than windows of maps", "AvgPool2d after a Conv2d")
    values = math.prod(kernel)
    if values < 1 or values & (values - 1):
        raise NotUnderstoodError(
            f"averages {' x '.join(map(str, kernel))} values, and 1/{values} is no exact weight", EXACT
        )
    if not zeros_count and (isinstance(window.pads, str) or any(window.pads)):
        raise NotUnderstoodError(
            "averages fewer values at the border of its map", "no padding, or zeros that count (include_pad)"
        )
    channels = signal.shape[-AXES - 1]
    shares = np.full((channels, 1, *kernel), 1 / values, dtype=np.float32)
    grouped = Window(window.strides, window.pads, window.dilations, channels)
    return convolved(name, signal, shares, None, grouped)


def averaged_to(name: str, signal: Any, size: tuple[int, ...]) -> Signal:
    """The signal after averages that leave a map of so many rows and columns, of equal windows."""
    if not isinstance(signal, Signal) or len(signal.shape) not in (AXES + 1, AXES + 2):
        raise NotUnderstoodError("averages something else than maps", "AdaptiveAvgPool2d after a Conv2d")
    maps = signal.shape[-AXES:]
    if len(size) != AXES or any(few < 1 or many % few for many, few in zip(maps, size, strict=False)):
        raise NotUnderstoodError(
            f"averages a map of {maps} to {size}, in windows that differ",
            "sizes that divide those of the map",
        )
    kernel = tuple(many // few for many, few in zip(maps, size, strict=True))
    window = Window(strides=kernel, pads=(0,) * 2 * AXES, dilations=(1,) * AXES, groups=1)
    return averaged(name, signal, kernel, window, zeros_count=True)
