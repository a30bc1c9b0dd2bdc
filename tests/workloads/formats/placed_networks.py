"""Networks with layers at places: imported, and run on hardware."""

from __future__ import annotations

from typing import Any

import archsim as a
from workloads import PlacedNetwork


def imported(source: Any, **told: Any) -> PlacedNetwork:
    network = a.import_network(source, **told)
    assert isinstance(network, PlacedNetwork)
    return network


def assert_runs(network: PlacedNetwork, engine: a.Engine, inputs: int = 2) -> None:
    """The hardware gives what the integer model gives, bit for bit, in the cycles that are counted."""
    checked = a.verify(engine.map(a.quantise(network, 8, 8)), inputs=inputs)
    assert checked.agrees, checked.differences
