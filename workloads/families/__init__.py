"""Families of topologies: how each turns a layer of n_in inputs and n_out outputs into stages."""

from __future__ import annotations

from workloads.families.budget import fit_budget
from workloads.families.registry import Example, Family, build_layer, families, layer_weights

__all__ = ["Example", "Family", "build_layer", "families", "fit_budget", "layer_weights"]
