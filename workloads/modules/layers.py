"""Fully connected layers of the families, for networks that are trained in PyTorch."""

from __future__ import annotations

import math
import warnings
from inspect import Parameter
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn

from workloads.families.budget import fit_budget
from workloads.families.registry import build_layer, families, layer_weights
from workloads.modules.products import product
from workloads.modules.rounding import fraction_bits, rounded, rounded_bias, rounded_weights
from workloads.stages import TopologyError, whole_number
from workloads.topology.integer import check_bits
from workloads.topology.ranges import checked_range, input_fraction_bits

EXACT_BYTES = 4
"""Of the narrowest type whose sums are exact as far as is promised."""

FAR = 1.1
"""How far a compression may be from the one that was asked for, as a ratio, before it is told."""

MOMENTUM = 0.1
"""The share that a batch has of the moving average of the largest magnitudes."""


class CascadeLinear(nn.Module):
    """A layer of a family in place of `nn.Linear`: its stages one after another, and a bias at the end.

    `parameters` are those of the family; or `compression`, dense weights over stored ones, chooses them as
    recipes do, with a warning where the nearest there is lies more than a tenth off. Inputs are
    (..., in_features), outputs (..., out_features). Weights, one parameter a stage of its `weight_shape`,
    begin as in sparse Glorot initialisation (Isakov and Kinsy, "NeuroFabric", arXiv 2002.08339), biases at
    zero.

    With `weight_bits` and `activation_bits`, 2 to 16 each, weights, inputs and what passes between stages are
    rounded and cut off as the hardware does it, and gradients pass straight through (Bengio, Léonard and
    Courville, arXiv 1308.3432): training then finds weights that survive it. Scales of activations follow the
    moving average of the largest magnitudes of a batch while the module trains, and stand still in `eval()`;
    that of the inputs follows `input_range`, the least and the largest value, in a network's first layer.
    The outputs are rounded where the next layer takes them up.

    Raises a refusal for a family, a parameter, sizes, widths or a range that is not allowed.
    """

    reaches: Tensor
    """Moving averages of the largest magnitudes: of the inputs, and of the outputs of every stage."""

    def __init__(
        self,
        family: str,
        in_features: int,
        out_features: int,
        *,
        compression: float | None = None,
        bias: bool = True,
        weight_bits: int | None = None,
        activation_bits: int | None = None,
        input_range: tuple[float, float] | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__()
        _check_types(bias, dtype)
        in_features = whole_number("a layer", "in_features", in_features)
        out_features = whole_number("a layer", "out_features", out_features)
        self.weight_bits, self.activation_bits = _widths(weight_bits, activation_bits)
        parameters = _chosen(family, in_features, out_features, compression, parameters)
        self.family, self.family_parameters = family, parameters
        self.stages = build_layer(family, in_features, out_features, **parameters)
        self.in_features, self.out_features = self.stages[0].n_in, self.stages[-1].n_out
        self.input_range = None if input_range is None else checked_range("input_range", input_range)
        self.products = nn.ModuleList(product(stage) for stage in self.stages)
        empty = (torch.empty(stage.weight_shape, dtype=dtype) for stage in self.stages)
        self.weights = nn.ParameterList(nn.Parameter(weights) for weights in empty)
        self.bias = nn.Parameter(torch.empty(self.out_features, dtype=dtype)) if bias else None
        self.register_buffer("reaches", torch.zeros(1 + len(self.stages), dtype=torch.float64))
        self.reset_parameters()
        self.to(device=device)

    def reset_parameters(self) -> None:
        """Weights uniform within sqrt(6 / ((n_in + n_out) density)) of zero, biases zero, nothing seen."""
        for stage, weights in zip(self.stages, self.weights, strict=True):
            reach = math.sqrt(6.0 / ((stage.n_in + stage.n_out) * stage.density))
            nn.init.uniform_(weights, -reach, reach)
        if self.bias is not None:
            nn.init.zeros_(self.bias)
        self.reaches.zero_()

    @property
    def stored_weights(self) -> int:
        """Weights that are kept; biases count for themselves."""
        return sum(stage.stored_weights for stage in self.stages)

    @property
    def is_rounded(self) -> bool:
        """Whether the module computes as the hardware does."""
        return self.weight_bits is not None

    @property
    def has_scales(self) -> bool:
        """Whether it is rounded, and has seen inputs that tell its scales."""
        return self.is_rounded and bool(self.reaches.any())

    def extra_repr(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.family_parameters.items())
        widths = f", {self.weight_bits} x {self.activation_bits} bits" if self.is_rounded else ""
        return (
            f"{self.family}, {self.in_features}, {self.out_features}, {told}: "
            f"{self.stored_weights} weights{widths}"
        )

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (..., out_features) of inputs x (..., in_features) of the type of the weights, or of any
        floats under autocast. Raises TopologyError for others, and for a layer that rounds in a type of less
        than 32 bits, whose sums are not exact. Rounding takes no part in autocast."""
        self._check(x)
        features = x.reshape(-1, self.in_features).t()
        if self.is_rounded:
            with torch.autocast(x.device.type, enabled=False):
                features = self._rounded(features.to(self.weights[0].dtype))
        else:
            for multiply, weights in zip(self.products, self.weights, strict=True):
                features = multiply(weights, features)
            if self.bias is not None:
                features = features + self.bias[:, None]
        return features.t().reshape(*x.shape[:-1], self.out_features)

    def _check(self, x: Tensor) -> None:
        """Raises TopologyError for what are no inputs."""
        if not isinstance(x, Tensor):
            allowed = f"a tensor (..., {self.in_features})"
            raise TopologyError.of("inputs", f"of type {type(x).__name__}", allowed)
        if not x.ndim or x.shape[-1] != self.in_features:
            raise TopologyError.of("shape of inputs", tuple(x.shape), f"(..., {self.in_features})")
        kind = self.weights[0].dtype
        cast = x.is_floating_point() and torch.is_autocast_enabled(x.device.type)
        if x.dtype != kind and not cast:
            raise TopologyError.of("type of inputs", x.dtype, f"{kind}, that of the weights")
        if self.is_rounded and kind.itemsize < EXACT_BYTES:
            allowed = "torch.float32 and torch.float64, of which sums are exact"
            raise TopologyError.of("type of a layer that rounds", kind, allowed)

    def _rounded(self, x: Tensor) -> Tensor:
        """Outputs (out_features, batch) of inputs x (in_features, batch), in the arithmetic of the hardware
        up to the sums of the last stage."""
        assert self.weight_bits is not None
        assert self.activation_bits is not None
        bits = self.activation_bits
        self._see(0, x)
        fraction = self._input_fraction()
        x = rounded(x, fraction, bits)
        for number, (multiply, weights) in enumerate(zip(self.products, self.weights, strict=True), start=1):
            whole, weight_fraction = rounded_weights(weights, self.weight_bits)
            x = multiply(whole, x)
            of_sums = fraction + weight_fraction
            if number == len(self.stages):
                break
            self._see(number, x)
            fraction = torch.minimum(fraction_bits(self.reaches[number], bits), of_sums)
            x = rounded(x, fraction, bits)
        if self.bias is not None:
            x = x + rounded_bias(self.bias, of_sums, self.weight_bits)[:, None]
        self._see(len(self.stages), x)
        return x

    def _input_fraction(self) -> Tensor:
        bits = self.activation_bits
        assert bits is not None
        if self.input_range is None:
            return fraction_bits(self.reaches[0], bits)
        return self.reaches.new_tensor(float(input_fraction_bits(self.input_range, bits)))

    def _see(self, number: int, signal: Tensor) -> None:
        """Take up the largest magnitude of a signal while the module trains, or where it has seen none. An
        empty batch has none, and one that overflowed tells nothing."""
        if not signal.numel():
            return
        with torch.no_grad():
            known, largest = self.reaches[number], signal.detach().abs().amax().to(self.reaches.dtype)
            share = torch.where(known == 0, 1.0, MOMENTUM if self.training else 0.0)
            seen = known + share * (largest - known)
            self.reaches[number] = torch.where(torch.isfinite(largest), seen, known)


class ClosLinear(CascadeLinear):
    """A layer as three sparse stages of a Clos network (Isakov and Kinsy, "ClosNets", 2018)."""

    def __init__(self, in_features: int, out_features: int, **options: Any) -> None:
        super().__init__("clos", in_features, out_features, **options)


class CscLinear(CascadeLinear):
    """A layer as cyclic sparsely connected stages (Hosseini et al., DAC 2019)."""

    def __init__(self, in_features: int, out_features: int, **options: Any) -> None:
        super().__init__("csc", in_features, out_features, **options)


def _chosen(
    family: str, n_in: int, n_out: int, compression: float | None, parameters: dict[str, Any]
) -> dict[str, Any]:
    """The family's parameters: those given, or those for a compression."""
    if compression is None:
        needed = [name for name, value in families.named(family).defaults.items() if value is Parameter.empty]
        if needed and not parameters:
            raise TopologyError(
                f"compression is None, allowed are a number or the parameters of the {family} family: "
                f"{', '.join(needed)}"
            )
        return parameters
    if parameters:
        raise TopologyError(
            f"compression is {compression} with {', '.join(parameters)}, allowed is one or the other"
        )
    is_number = isinstance(compression, Real) and not isinstance(compression, bool)
    if not is_number or not 1 <= compression <= n_in * n_out:
        raise TopologyError.of("compression", compression, f"numbers from 1 to {n_in * n_out}")
    chosen = fit_budget(family, n_in, n_out, max(1, round(n_in * n_out / float(compression))))
    reached = n_in * n_out / layer_weights(family, n_in, n_out, **chosen)
    if not 1 / FAR <= reached / float(compression) <= FAR:
        warnings.warn(
            f"compression is {float(compression):g}, the nearest of a {family} layer of {n_in} inputs and "
            f"{n_out} outputs is {reached:.3g}",
            stacklevel=3,
        )
    return chosen


def _widths(weight_bits: int | None, activation_bits: int | None) -> tuple[int | None, int | None]:
    """Both widths, or none. One alone is refused."""
    if (weight_bits is None) != (activation_bits is None):
        raise TopologyError(
            f"weight_bits is {weight_bits} and activation_bits is {activation_bits}, allowed are both or none"
        )
    if weight_bits is None or activation_bits is None:
        return None, None
    check_bits("a layer", weight_bits=weight_bits, activation_bits=activation_bits)
    return int(weight_bits), int(activation_bits)


def _check_types(bias: Any, dtype: Any) -> None:
    """Raises TopologyError for what only looks as if it said whether there is a bias, or of which type."""
    if not isinstance(bias, bool):
        raise TopologyError.of("bias", bias, "True and False")
    is_type = dtype is None or isinstance(dtype, torch.dtype)
    if not is_type or (dtype is not None and not dtype.is_floating_point):
        raise TopologyError.of("dtype", dtype, "types of floats, as torch.float32")
