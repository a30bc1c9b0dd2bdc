"""What designs would cost if the data that flow were alike: every product then switches as much in one PE as
in another. It is what a power tool sees that knows no vectors and gives all nets the same activity."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import replace

from archsim.costs.pricing import Term
from archsim.costs.result import Result

SWITCHING = ("gates", "registers", "glitches")
"""What of the energy of a PE follows its data; its clock does not."""


def _follows_data(term: Term) -> bool:
    return term.component == "pe" and term.what in SWITCHING


def product_energy_j(result: Result) -> float:
    """What switches in the PEs for one product; zero where nothing of that is told, as on an FPGA."""
    spent = math.fsum(term.value for term in result.bill.energy if _follows_data(term))
    return spent / result.counts.products if result.counts.products else 0.0


def with_product_energy(result: Result, joules: float) -> Result:
    """The result as if a product took so many joules in the PEs. One of which nothing is told stays as it
    is."""
    own = product_energy_j(result)
    if not own:
        return result
    source = f"made equal in all designs: {joules:.4g} J a product, {own:.4g} J with the data that flow"
    energy = tuple(
        replace(term, unit_cost=term.unit_cost * joules / own, kind="assumed", source=source)
        if _follows_data(term)
        else term
        for term in result.bill.energy
    )
    return replace(result, bill=replace(result.bill, energy=energy))


def with_equal_data(results: Mapping[str, Result]) -> dict[str, Result]:
    """The results as if a product took the same in each of them: the median of what it takes in all."""
    known = [energy for result in results.values() if (energy := product_energy_j(result))]
    if not known:
        return dict(results)
    return {name: with_product_energy(result, statistics.median(known)) for name, result in results.items()}
