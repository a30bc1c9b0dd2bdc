"""Convolutions of every format come in here, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.importers.graphs.signals import NotUnderstoodError, Signal, checked_size
from workloads.topology.places import Places, PlacesError

AXES = 2
"""The axes of a map, rows and columns, along which a kernel moves."""

SHAPE = (
    "the model itself with inputs of shape (k, channels, rows, columns), or torch.export.export(model, (x,))"
)
"""What tells the map of a convolution."""

AUTOMATIC = {"valid": None, "same": 1, "same_upper": 1, "same_lower": 0}
"""Paddings that formats call by a name: none, or as many zeros as keep the map, or its share of the strides,
as large as it is, of an odd number the last one after (1) or before (0)."""


@dataclass(frozen=True)
class Window:
    """How a kernel moves: `strides` and `dilations` an axis, `pads` before all axes and then after them, or
    one of AUTOMATIC, and into how many `groups` channels fall."""

    strides: tuple[int, ...]
    pads: tuple[int, ...] | str
    dilations: tuple[int, ...]
    groups: int


def convolved(name: str, signal: Any, kernel: Any, bias: Any, window: Window) -> Signal:
    """The signal (samples, channels, rows, columns), or without samples, after a kernel (n_out, channels /
    groups, rows, columns) and a bias (n_out,), or none. Raises NotUnderstoodError for what no engine runs."""
    if not isinstance(signal, Signal) or isinstance(kernel, Signal) or isinstance(bias, Signal):
        raise NotUnderstoodError("convolves with a kernel that is no constant", "constant kernels")
    kernel = np.asarray(kernel)
    if kernel.ndim != AXES + 2:
        raise NotUnderstoodError(
            f"is a convolution along {max(kernel.ndim - 2, 0)} axes", "those along rows and columns: Conv2d"
        )
    kernel = dilated(kernel, window.dilations)
    if len(signal.shape) == AXES + 1:
        return convolved(name, signal.moved(_as_one), kernel, bias, window).moved(_alone)
    channels = kernel.shape[1] * window.groups
    if len(signal.shape) != AXES + 2 or signal.shape[1] != channels or kernel.shape[0] % window.groups:
        raise NotUnderstoodError(
            f"convolves a signal of shape {signal.shape} with a kernel of shape {kernel.shape} in "
            f"{window.groups} groups",
            "(samples, channels, rows, columns) for kernels (n_out, channels / groups, rows, columns)",
        )
    rows, columns = signal.shape[2:]
    try:
        sweep = Places(channels, rows, columns, *_moved(signal.shape[2:], kernel.shape[2:], window))
    except PlacesError as error:
        raise NotUnderstoodError(
            f"does not fit its map ({error})", "kernels within the padded map"
        ) from error
    return signal.convolved(name, full_kernel(kernel, window.groups), bias, sweep)


def dilated(kernel: NDArray[Any], steps: tuple[int, ...]) -> NDArray[Any]:
    """A kernel (n_out, channels, rows, columns) with the zeros between its weights that make up for steps of
    more than one input: connections that do not exist."""
    if len(steps) != AXES or any(step < 1 for step in steps):
        raise NotUnderstoodError(f"is dilated by {steps}", "two whole numbers from 1")
    if max(steps) == 1:
        return kernel
    size = [(taps - 1) * step + 1 for taps, step in zip(kernel.shape[2:], steps, strict=True)]
    shape = (*kernel.shape[:2], *size)
    checked_size(shape)
    wide = np.zeros(shape, dtype=kernel.dtype)
    wide[:, :, :: steps[0], :: steps[1]] = kernel
    return wide


def full_kernel(kernel: NDArray[Any], groups: int) -> NDArray[Any]:
    """A kernel (n_out, channels / groups, ...) as one (n_out, channels, ...) with zeros between groups."""
    if groups == 1:
        return kernel
    outputs, of_group, *size = kernel.shape
    checked_size((outputs, groups * of_group, *size))
    full = np.zeros((groups, outputs // groups, groups, of_group, *size), dtype=kernel.dtype)
    for group, part in enumerate(kernel.reshape(groups, outputs // groups, of_group, *size)):
        full[group, :, group] = part
    return full.reshape(outputs, groups * of_group, *size)


def _moved(sizes: tuple[int, ...], kernel: tuple[int, ...], window: Window) -> tuple[Any, Any, Any]:
    """The size of a kernel, its strides, and the zeros (top, left, bottom, right) around a map."""
    strides = tuple(map(int, window.strides))
    if isinstance(window.pads, str):
        pads = _automatic(sizes, kernel, strides, window.pads)
    else:
        pads = tuple(map(int, window.pads))
    if len(strides) != AXES or len(pads) != 2 * AXES:
        raise NotUnderstoodError(f"moves by {strides} over pads {pads}", "two strides and four pads")
    return tuple(kernel), strides, pads


def _automatic(
    sizes: tuple[int, ...], kernel: tuple[int, ...], strides: tuple[int, ...], named: str
) -> tuple[int, ...]:
    if named.lower() not in AUTOMATIC:
        raise NotUnderstoodError(f"pads by {named!r}", f"numbers of places, {', '.join(AUTOMATIC)}")
    behind = AUTOMATIC[named.lower()]
    if behind is None:
        return (0,) * 2 * AXES
    both = [
        max((-(-size // step) - 1) * step + taps - size, 0)
        for size, taps, step in zip(sizes, kernel, strides, strict=True)
    ]
    ahead = [(total + 1 - behind) // 2 for total in both]
    return (*ahead, *(total - before for total, before in zip(both, ahead, strict=True)))


def _as_one(array: NDArray[Any]) -> NDArray[Any]:
    return array[None]


def _alone(array: NDArray[Any]) -> NDArray[Any]:
    only: NDArray[Any] = array[0]
    return only
