"""The arithmetic of the hardware in training: numbers as they are rounded, gradients as if they were not.

Formats are those of `workloads.training.quantisation.quantise`: a power of two as the scale of each array,
halves rounded up, what is too large cut off. Sums of such numbers are exact in 32-bit floats while they stay
below 2^24 of their last place; products of CUDA in TF32 are not.
"""

from __future__ import annotations

import torch
from torch import Tensor

from workloads.training.quantisation.quantise import MOST_FRACTION_BITS, WEIGHT_EXPONENTS


def fraction_bits(reach: Tensor, bits: int) -> Tensor:
    """As `fraction_bits` of `workloads.training.quantisation.quantise`, of a reach in a tensor without
    dimensions."""
    largest = float((1 << (bits - 1)) - 1)
    finest = torch.floor(torch.log2(largest / reach.double()))
    return torch.clamp(finest, max=float(MOST_FRACTION_BITS))


def rounded(values: Tensor, fraction: Tensor, bits: int) -> Tensor:
    """Values as numbers of `bits` bits, `fraction` of them behind the point. Gradients pass through where
    values lie in range, and are zero where they are cut off."""
    unit = torch.exp2(-fraction).to(values.dtype)
    top = 1 << (bits - 1)
    inside = torch.clamp(values, min=-top * unit, max=(top - 1) * unit)
    exact = torch.clamp(torch.floor(values / unit + 0.5), min=-top, max=top - 1) * unit
    return inside + (exact - inside).detach()


def rounded_weights(weights: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Weights as `quantise_weights` makes them, of the scales about the finest that holds the largest weight
    that with the least squared error, and their fraction bits. Gradients pass through all of them."""
    with torch.no_grad():
        exact = weights.double()
        finest = fraction_bits(exact.abs().amax(), bits)
        steps = torch.arange(WEIGHT_EXPONENTS.start, WEIGHT_EXPONENTS.stop, device=weights.device)
        candidates = torch.clamp(finest + steps, max=float(MOST_FRACTION_BITS))
        tried = torch.stack([_plain(exact, fraction, bits) for fraction in candidates.unbind()])
        errors = ((tried - exact) ** 2).flatten(1).sum(1)
        least = torch.argmin(errors)
        best = tried.index_select(0, least[None])[0].to(weights.dtype)
        fraction = candidates.index_select(0, least[None])[0]
    return weights + (best - weights).detach(), fraction


def rounded_bias(bias: Tensor, fraction: Tensor, bits: int) -> Tensor:
    """A bias as `quantise_bias` makes it, for sums of so many fraction bits: a word of the width of a weight
    and the least shift from 0 at which all of them fit."""
    with torch.no_grad():
        top = float(1 << (bits - 1))
        shifts = torch.arange(64, device=bias.device)
        tried = torch.floor(torch.ldexp(bias.double(), fraction - shifts[:, None]) + 0.5)
        fits = (tried.amin(1) >= -top) & (tried.amax(1) < top)
        shift = torch.argmax(fits.to(torch.int8))
        best = torch.ldexp(tried.index_select(0, shift[None])[0], shift - fraction).to(bias.dtype)
    return bias + (best - bias).detach()


def _plain(exact: Tensor, fraction: Tensor, bits: int) -> Tensor:
    top = 1 << (bits - 1)
    whole = torch.clamp(torch.floor(torch.ldexp(exact, fraction) + 0.5), min=-top, max=top - 1)
    return torch.ldexp(whole, -fraction)
