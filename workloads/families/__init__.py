"""Families of topologies: how each turns a layer of n_in inputs and n_out outputs into a cascade of stages.

A family is one file that registers itself; importing it here is all that makes it known.
"""

from __future__ import annotations

from workloads.families import (
    benes,
    block_diagonal,
    butterfly,
    clos,
    csc,
    deformable_butterfly,
    dense,
    dey,
    expander,
    hypercube,
    kronecker,
    low_rank,
    monarch,
    parallel_butterfly,
    pruned,
    radix,
    random_regular,
    torus,
)
from workloads.families.budget import fit_budget
from workloads.families.registry import FAMILIES, Example, Family, build_layer, family, layer_weights

__all__ = [
    "FAMILIES",
    "Example",
    "Family",
    "benes",
    "block_diagonal",
    "build_layer",
    "butterfly",
    "clos",
    "csc",
    "deformable_butterfly",
    "dense",
    "dey",
    "expander",
    "family",
    "fit_budget",
    "hypercube",
    "kronecker",
    "layer_weights",
    "low_rank",
    "monarch",
    "parallel_butterfly",
    "pruned",
    "radix",
    "random_regular",
    "torus",
]
