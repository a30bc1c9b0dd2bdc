"""Families of topologies: how each turns a layer of n_in inputs and n_out outputs into a cascade of stages.

A family is one file that registers itself; importing it here is all that makes it known.
"""

from workloads.families import clos, csc, dense, pruned
from workloads.families.registry import FAMILIES, build_layer, family

__all__ = ["FAMILIES", "build_layer", "clos", "csc", "dense", "family", "pruned"]
