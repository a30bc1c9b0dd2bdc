"""The contract on the shipped networks: every engine, 1 to 64 PEs, two fetch widths in turn, real digits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from archsim.engine import Engine, engines
from archsim.verification import verify
from workloads import load_network, quantise, zoo_names

ALSO = {
    "lenet-300-100-pruned": ("eie", "eie"),
    "lenet-300-100-pruned-x40": ("eie", "eie"),
    "lenet-300-100-csc": ("pruned", "replicated"),
    "lenet-300-100-deformable-butterfly": ("clos", "clos"),
    "lenet-300-100-deformable-butterfly-x40": ("clos", "clos"),
}
"""Networks that run on an engine, in one organisation, which is not named as their family is."""

FETCH_BITS = (16, 64)


def runs() -> Iterator[tuple[str, Engine]]:
    """Each network of the zoo on the engines made for it. The dense network, which takes the longest, runs on
    many PEs only: what it asks of one PE the others ask too. A crossbar, which grows with their square, has
    half as many at most. Fetch widths take turns over PEs and networks: random networks meet every
    combination."""
    for number, network in enumerate(zoo_names()):
        named = [kind for kind in engines if kind in network.split("-")]
        chosen = [(kind, organisation) for kind in named for organisation in engines[kind].organisations()]
        for kind, organisation in [*chosen, *([ALSO[network]] if network in ALSO else ())]:
            options = engines[kind].organisations()[organisation]
            most = 32 if organisation in engines[kind].crossed else 64
            pes = (16, most) if kind == "dense" else (1, 4, 16, most)
            turns = itertools.islice(itertools.cycle(FETCH_BITS), number % 2, None)
            for some, fetch_bits in zip(pes, turns, strict=False):
                widths = {"pes": some, "fetch_bits": fetch_bits}
                yield network, engines[kind].model_validate({**widths, **options})


RUNS = list(runs())
MARKED = [
    pytest.param(network, engine, marks=pytest.mark.long if engine.pes > 16 else pytest.mark.slow)
    for network, engine in RUNS
]


def test_every_network_of_the_zoo_runs_on_an_engine() -> None:
    assert {network for network, _ in RUNS} == set(zoo_names())


@pytest.mark.parametrize(("network", "engine"), MARKED, ids=lambda each: str(each).replace(" ", "-"))
def test_all_fidelities_agree_on_the_zoo(network: str, engine: Engine) -> None:
    verification = verify(engine.map(quantise(load_network(network), 8, 8)), inputs=1)
    assert verification.agrees, [str(difference) for difference in verification.differences]
