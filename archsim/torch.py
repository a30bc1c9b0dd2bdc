"""Layers of the families for PyTorch, and the way from trained ones to a design point.

>>> from archsim.torch import ClosLinear, to_network  # doctest: +SKIP

Needs PyTorch: `pip install 'archsim[torch]'`.
"""

from __future__ import annotations

from workloads.importers.extras import extra

extra("torch", "torch", "layers of PyTorch")

from workloads.modules.layers import CascadeLinear, ClosLinear, CscLinear  # noqa: E402
from workloads.modules.network import to_network  # noqa: E402

__all__ = ["CascadeLinear", "ClosLinear", "CscLinear", "to_network"]
