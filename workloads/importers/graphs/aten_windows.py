"""What moves over maps, as PyTorch's ATen operations write it: convolutions and averages."""

from __future__ import annotations

from typing import Any

from workloads.importers.graphs.convolutions import Window, convolved
from workloads.importers.graphs.operations import refuse_operation
from workloads.importers.graphs.pooling import averaged, averaged_to
from workloads.importers.graphs.signals import NotUnderstoodError, Signal


def convolution(
    name: str,
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    transposed: bool = False,
    **_: Any,
) -> Any:
    """A convolution with the arguments of PyTorch's schema."""
    if transposed:
        raise NotUnderstoodError("is a transposed convolution", "convolutions, which shrink or keep a map")
    pads = padding if isinstance(padding, str) else (*_pair(padding), *_pair(padding))
    window = Window(_pair(stride), pads, _pair(dilation), groups)
    return convolved(name, input, weight, bias, window)


def average(
    name: str,
    self: Any,
    kernel_size: Any,
    stride: Any = (),
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: Any = None,
    **_: Any,
) -> Any:
    """`avg_pool2d` with the arguments of PyTorch's schema."""
    if ceil_mode or divisor_override is not None:
        raise NotUnderstoodError(
            "averages by another number than its windows have", "AvgPool2d as it is made"
        )
    kernel, moves = _pair(kernel_size), () if stride is None else _pair(stride)
    window = Window(moves or kernel, (*_pair(padding), *_pair(padding)), (1, 1), 1)
    return averaged(name, self, kernel, window, zeros_count=bool(count_include_pad))


def average_to(name: str, self: Any, output_size: Any, **_: Any) -> Any:
    """`adaptive_avg_pool2d` with the arguments of PyTorch's schema."""
    maps = self.shape[-2:] if isinstance(self, Signal) else ()
    asked = _pair(output_size)
    return averaged_to(name, self, tuple(m if n is None else n for m, n in zip(maps, asked, strict=False)))


def mean(name: str, self: Any, dim: Any = None, keepdim: bool = False, **_: Any) -> Any:
    """A mean over rows and columns, with the arguments of PyTorch's schema."""
    axes = [] if dim is None else [dim] if isinstance(dim, int) else dim
    if not isinstance(self, Signal) or len(self.shape) != 4 or sorted(axis % 4 for axis in axes) != [2, 3]:
        refuse_operation("mean", "")
    averages = averaged_to(name, self, (1, 1))
    return averages if keepdim else averages.moved(lambda array: array.reshape(array.shape[:2]))


def _pair(numbers: Any) -> tuple[int, ...]:
    """One number for all axes, or one an axis, as PyTorch takes them."""
    given = tuple(numbers) if isinstance(numbers, list | tuple) else (numbers,)
    return given * 2 if len(given) == 1 else given
