"""The contract on the shipped networks: every engine, 1 to 64 PEs, two fetch widths in turn, real digits."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest

from archsim.engine import Engine, engines
from archsim.runs_on import engines_of_trained
from archsim.verification import verify
from workloads import Stage, load_network, quantise, zoo_names

ALSO = {
    "lenet-300-100-pruned.*": ("eie", "eie"),
    "lenet-300-100-csc": ("pruned", "replicated"),
    "lenet-300-100-deformable-butterfly.*": ("clos", "clos"),
}
"""Networks that run on an engine, in one organisation, which is not named as their family is."""

FETCH_BITS = (16, 64)
SMALLEST = "-x100"


def _trained_for(network: str) -> dict[str, int]:
    """The widths of weights and activations that a network was trained for, where it was for some."""
    rounding = load_network(network).recipe.get("rounding") or {}
    return {name: bits for name, bits in rounding.items() if name.endswith("_bits")}


def _distinct() -> Iterator[str]:
    """The networks that stand for all."""
    seen: list[tuple[dict[str, int], tuple[tuple[Stage, ...], ...]]] = []
    for network in zoo_names():
        width = _trained_for(network)
        alike = width, load_network(network).topology.layers
        if alike not in seen and not (width and SMALLEST not in network):
            yield network
        seen.append(alike)


def runs() -> Iterator[tuple[str, Engine]]:
    """Each network of the zoo on the engines made for it. The dense network, which takes the longest, runs on
    many PEs only: what it asks of one PE the others ask too. A crossbar, which grows with their square, has
    half as many at most. Fetch widths take turns over PEs and networks: random networks meet every
    combination. Of networks with the same stages and width the first stands for all, of the smallest size
    and of narrow weights 16 PEs for all, and of narrow weights the smallest size for all."""
    for number, network in enumerate(_distinct()):
        named = [kind for kind in engines if kind in network.split("-")]
        chosen = [(kind, organisation) for kind in named for organisation in engines[kind].organisations()]
        also = [run for names, run in ALSO.items() if re.fullmatch(names, network)]
        for kind, organisation in [*chosen, *also]:
            options = engines[kind].organisations()[organisation]
            most = 32 if organisation in engines[kind].crossed else 64
            pes = (16, most) if kind == "dense" else (16,) if SMALLEST in network else (1, 4, 16, most)
            turns = itertools.islice(itertools.cycle(FETCH_BITS), number % 2, None)
            for some, fetch_bits in zip(pes, turns, strict=False):
                widths = {"pes": some, "fetch_bits": fetch_bits, **_trained_for(network)}
                yield network, engines[kind].model_validate({**widths, **options})


RUNS = list(runs())
LONG = [engine.pes > 16 or engine.kind == "dense" for _, engine in RUNS]
MARKED = [
    pytest.param(*run, marks=pytest.mark.long if is_long else pytest.mark.slow)
    for run, is_long in zip(RUNS, LONG, strict=True)
]


def test_every_network_of_the_zoo_runs_on_an_engine() -> None:
    assert {network for network, _ in RUNS} == set(_distinct())
    for network in zoo_names():
        assert engines_of_trained(load_network(network))


@pytest.mark.parametrize(("network", "engine"), MARKED, ids=lambda each: str(each).replace(" ", "-"))
def test_all_fidelities_agree_on_the_zoo(network: str, engine: Engine) -> None:
    integer = quantise(load_network(network), engine.weight_bits, engine.activation_bits)
    verification = verify(engine.map(integer), inputs=1)
    assert verification.agrees, [str(difference) for difference in verification.differences]
