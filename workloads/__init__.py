"""What is computed: topologies, the training core, pruning, quantisation, data sets and trained networks."""

from __future__ import annotations

from workloads.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
