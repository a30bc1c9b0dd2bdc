"""The fidelities: how counts are found, and with which logic they are priced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from archsim.costs.fidelity.estimate import estimate_logic
from archsim.costs.fidelity.gate import map_to_gates
from archsim.costs.fidelity.layout import place_and_route
from archsim.costs.fidelity.placing import placed_by_law
from archsim.costs.logic import Logic
from archsim.engine.counts import Counts
from archsim.engine.hardware_run import count_rtl
from archsim.engine.mapping import Mapping
from archsim.engine.stimulus import representative, sample_inputs, stimulus_name
from archsim.technology import Technology
from workloads import AnyIntegerNetwork
from workloads.refusal import Refusal


class FidelityError(Refusal):
    """A fidelity that does not exist."""


@dataclass(frozen=True)
class Fidelity:
    """How one fidelity finds its counts, for which it runs so many `inputs`, and its logic. Counts that
    depend on the inputs are `of_one`, or else the mean over those that stand for all."""

    count: Callable[[Mapping], Counts]
    logic: Callable[[Mapping, Technology], Logic]
    inputs: int = 0
    of_one: bool = True


_ESTIMATED, _MAPPED = placed_by_law(estimate_logic), placed_by_law(map_to_gates)

FIDELITIES = {
    "analytic": Fidelity(lambda mapping: mapping.counts, _ESTIMATED, of_one=False),
    "cycle": Fidelity(lambda mapping: mapping.simulate(), _ESTIMATED),
    "rtl": Fidelity(
        lambda mapping: count_rtl(mapping, sample_inputs(mapping.network, 1 + mapping.in_flight)),
        _ESTIMATED,
        inputs=1,
    ),
    "gate": Fidelity(lambda mapping: mapping.simulate(), _MAPPED),
    "layout": Fidelity(lambda mapping: mapping.simulate(), place_and_route),
}
"""All fidelities by name, from the quickest to the deepest: closed form, event simulation, the hardware
itself, its mapped netlist, that netlist placed (and in an FPGA routed)."""


def level(name: str) -> Fidelity:
    """The fidelity of this name. Raises FidelityError for an unknown one."""
    if not isinstance(name, str) or name not in FIDELITIES:
        raise FidelityError.of("fidelity", name, FIDELITIES)
    return FIDELITIES[name]


def stimulus_of(network: AnyIntegerNetwork, fidelity: str, *, follows: bool, exact: bool) -> str | None:
    """The inputs that ran, where a cost `follows` them, the fidelity runs the hardware, or the counts are not
    `exact` for all inputs."""
    chosen = level(fidelity)
    ran = representative(network) if follows or not (exact or chosen.of_one) else chosen.inputs
    ran = ran if exact else max(ran, 1)
    said = stimulus_name(network, ran) if ran else None
    return said if exact or ran == 1 or not chosen.of_one else f"{said}; cycles and traffic are of the first"
