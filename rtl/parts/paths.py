"""The ways from clock edge to clock edge that may be the longest, and what the delay of each follows.

A way leads through a chain of components, from a register or a memory into another. What it takes is a sum
over its parts: levels of logic, from widths and from how many items one is chosen of, and what a word that
many read is spread by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from rtl.parts.sizes import Sizes, levels

SHARED_REQUANTISER = "shared_requantiser"
SCORES = "requantiser"
"""Where sums end that are scores and go into no memory: in registers of the requantiser."""

FLOPS, ACTIVATIONS, FETCHES = "flops", "activations", "fetches"
"""Where control leads: into registers, into memories of activations, into those that only the load port
writes."""


@dataclass(frozen=True)
class Way:
    """A way that may be the longest. It starts in one of the memories of the roles `reads` and ends in one of
    the roles `writes`, or where there are none in registers. `family` names its coefficients, `kin` those
    that it shares with ways which differ from it only in where they end."""

    family: str
    amounts: Mapping[str, float]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    ends: str = ""

    @property
    def kin(self) -> str:
        return self.family.removesuffix(f".{self.ends}")


@lru_cache(maxsize=256)
def ways(sizes: Sizes) -> tuple[Way, ...]:
    """All ways of an engine: through the multiplier and adder of a PE, through a requantiser, from the
    memories into a PE's operands, and through the control that finds the activations."""
    if sizes.one_way:
        return (Way(sizes.family, sizes.control_path),)
    activations = tuple(sizes.activation_words)
    operands = {
        "one": 1.0,
        "bank_levels": levels(sizes.banks),
        "heard_levels": levels(sizes.heard_lanes),
        "zero_gating": sizes.zero_gating,
    }
    weights = {"one": 1.0, "choice_levels": levels(sizes.weights_per_fetch)}
    through_pes = (
        *_products(sizes),
        *_requantised(sizes),
        Way("operand", operands, reads=activations),
        Way("weight", weights, reads=("weight",)),
    )
    own = (replace(way, family=f"{sizes.own_ways}{way.family}") for way in through_pes)
    return *own, *_control(sizes, activations)


def _products(sizes: Sizes) -> tuple[Way, ...]:
    """From the operands through the tree of partial products and the adder behind it, or with a register
    between the two apart. Where the PE has a requantiser, that is the longer way within the same module, and
    the mapper spends less on this one."""
    weight, activation, total = sizes.weight_bits, sizes.activation_bits, sizes.accumulator_bits
    own = float(not sizes.shared_requantiser)
    multiply = {
        "product_bits": weight + activation,
        "product_levels": levels(weight + activation),
        # A row of full adders makes two rows of three.
        "tree_levels": math.log(min(weight, activation) / 2, 1.5),
    }
    add = {
        "sum_levels": levels(total),
        "zero_gating": sizes.zero_gating,
        "kept_levels": levels(sizes.kept_sums),
    }
    ends = {"one": 1.0, "own_requantiser": own}
    if not sizes.product_register:
        return (Way("multiply_add", {**ends, **multiply, **add}),)
    return Way("multiply", {**ends, **multiply}), Way("add", {**ends, **add, **_spread(sizes)})


def _spread(sizes: Sizes) -> dict[str, float]:
    """A word of control that all PEs hear, where one control serves all."""
    return {"pe_levels": levels(sizes.pes) * (not sizes.own_controls)}


def _requantised(sizes: Sizes) -> tuple[Way, ...]:
    """From a sum through a requantiser: into a PE's own result, or where it is shared from one of several
    sums into each of the memories."""
    isolated, waits = sizes.operand_isolation, sizes.results_wait
    pes, total = sizes.pes, sizes.accumulator_bits
    amounts = {
        "one": 1.0,
        "accumulator_bits": total,
        "sum_levels": levels(total),
        "shift_bits": sizes.shift_bits,
        "isolated": isolated,
        "kept_levels": levels(sizes.kept_sums),
    }
    if not sizes.shared_requantiser:
        # A PE whose result waits for the bus finishes no other, so that an isolated sum waits for a grant.
        granted = waits and isolated
        amounts |= {
            "isolated_pe_levels": levels(pes) * isolated * (not sizes.walks),
            "pe_levels": levels(pes) * (not isolated),
            "granted_levels": levels(pes) * granted,
        }
        return (Way("requantiser", amounts),)
    sources, banks = sizes.requantiser_sources, sizes.banks
    amounts |= {
        "chosen_levels": levels(sources) * (not waits),
        "spread_levels": levels(sources * banks * total) * (not waits),
        "isolated_levels": levels(banks * total) * isolated * (not waits),
        "granted": waits,
        "granted_levels": levels(sources) * waits,
        "granted_sources": sources * waits,
        "placed": sizes.places_results and banks > 1,
        "placed_levels": levels(banks) * sizes.places_results,
    }
    written = [role for role in sizes.activation_words if role != "input"]
    if not written:
        # Of one stage sums are scores, which leave through the requantiser's registers.
        return (Way(f"{SHARED_REQUANTISER}.{SCORES}", amounts | {"loaded": 0.0}, ends=SCORES),)
    # The first memory is written by the load port too, where inputs have none of their own.
    return tuple(
        Way(
            f"{SHARED_REQUANTISER}.{role}",
            {**amounts, "loaded": role == "activation_0" and not sizes.input_rows},
            writes=(role,),
            ends=role,
        )
        for role in written
    )


def _control(sizes: Sizes, activations: tuple[str, ...]) -> tuple[Way, ...]:
    """From the registers of the control, or from an index, to where it leads."""
    name, amounts = sizes.family, sizes.control_path
    roles = dict.fromkeys(shape.role for shape in sizes.memory_shapes)
    ends = {FLOPS: (), ACTIVATIONS: activations, FETCHES: tuple(r for r in roles if r not in activations)}
    return tuple(
        Way(f"{name}.{start}.{end}", amounts, reads, writes, end)
        for start, reads in sizes.control_starts.items()
        for end, writes in ends.items()
    )
