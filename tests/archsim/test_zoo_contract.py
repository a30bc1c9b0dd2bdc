"""The contract on the shipped networks: every engine, 1 to 64 PEs, two fetch widths, real digits."""

from __future__ import annotations

import pytest

from archsim.engines import Clos, Csc, Dense, Engine, Pruned
from archsim.verification import verify
from workloads import load_network, quantise

RUNS: dict[str, tuple[type[Engine], dict[str, str]]] = {
    "dense": (Dense, {}),
    "csc": (Csc, {}),
    "clos": (Clos, {}),
    "pruned-replicated": (Pruned, {"gather": "replicated"}),
    "pruned-banked": (Pruned, {"gather": "banked"}),
}
NETWORKS = {
    "lenet-300-100-dense": ("dense",),
    "lenet-300-100-csc": ("csc", "pruned-replicated"),
    "lenet-300-100-csc-x40": ("csc",),
    "lenet-300-100-clos": ("clos",),
    "lenet-300-100-clos-x40": ("clos",),
    "lenet-300-100-deformable-butterfly": ("clos",),
    "lenet-300-100-deformable-butterfly-x40": ("clos",),
    "lenet-300-100-pruned": ("pruned-replicated", "pruned-banked"),
    "lenet-300-100-pruned-x40": ("pruned-replicated", "pruned-banked"),
}


@pytest.mark.parametrize("fetch_bits", [16, 64])
@pytest.mark.parametrize("pes", [1, 4, 16, 64])
@pytest.mark.parametrize(
    ("network", "engine"), [(network, engine) for network, engines in NETWORKS.items() for engine in engines]
)
def test_all_fidelities_agree_on_the_zoo(network: str, engine: str, pes: int, fetch_bits: int) -> None:
    make, options = RUNS[engine]
    mapping = make.model_validate({"pes": pes, "fetch_bits": fetch_bits} | options).map(
        quantise(load_network(network), 8, 8)
    )
    verification = verify(mapping, inputs=1)
    assert verification.agrees, [str(difference) for difference in verification.differences]
