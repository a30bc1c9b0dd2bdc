"""Hypothesis strategies: random small networks, each with an engine that can run it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, cast

import numpy as np
from hypothesis import assume, strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from archsim.engine import Engine, engines
from archsim.engine.draws import Draws
from workloads import IntegerNetwork, Topology, build_layer, random_integer_network
from workloads.topology.topology import skips_of


@dataclass(frozen=True)
class Case:
    """An engine and a network that it can run."""

    engine: Engine
    network: IntegerNetwork

    def __repr__(self) -> str:
        stages = [integer.stage for integer in self.network.stages]
        return f"Case({self.engine!r}, stages={stages!r})"


class SmallDraws(Draws):
    """Draws as small as can be, which shrink: widths of 1 to 24, factors of widths of 1 to 7."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def size(self, least: int, most: int) -> int:
        return self.draw(st.integers(1, min(24, most // 4)))

    def between(self, least: int, most: int) -> int:
        return self.draw(st.integers(least, min(least + 4, most)))

    def few(self, least: int, most: int) -> int:
        return self.draw(st.integers(1, most))

    def share(self, least: float, most: float) -> float:
        return self.draw(st.sampled_from((0.0, 0.1, most, 1.0)))

    def mask(self, rows: int, columns: int, share: float) -> NDArray[np.bool_]:
        random = np.random.default_rng(self.draw(st.integers(0, 2**32 - 1)))
        drawn: NDArray[Any] = random.random((rows, columns))
        return drawn < share


def stencil_network(bias_share: float = 0.5) -> IntegerNetwork:
    """A hypercube and a torus that wrap around their places, with skips, and a dense layer."""
    layers = (
        build_layer("hypercube", 40, 36),
        build_layer("torus", 36, 20, dimensions=2),
        build_layer("dense", 20, 5),
    )
    return random_integer_network(Topology(layers, skips_of(layers)), bias_share=bias_share)


def parallel_network() -> IntegerNetwork:
    """A parallel butterfly that wraps around its places, and a dense layer."""
    layers = build_layer("parallel-butterfly", 20, 18, copies=3), build_layer("dense", 18, 5)
    return random_integer_network(Topology(layers))


FLAGS = ("product_register", "operand_isolation", "zero_gating", "input_buffer")
"""The parameters of an engine that are true or false."""


def _of_field(field: FieldInfo) -> st.SearchStrategy[Any]:
    """What a field allows, its limits too."""
    allowed = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return st.from_type(cast(type, allowed))


@st.composite
def engines_of_kind(draw: st.DrawFn, kind: str, most_pes: int = 12, *, skips: bool = True) -> Engine:
    """An engine of this kind: any PEs, widths, fetch width, and any values of its own options; one that
    `skips` zeros runs no network of places."""
    make, weight_bits = engines[kind], draw(st.integers(2, 10))
    own = {name: field for name, field in make.model_fields.items() if name not in Engine.model_fields}
    options: dict[str, Any] = {
        "pes": draw(st.integers(1, most_pes)),
        "weight_bits": weight_bits,
        "activation_bits": draw(st.integers(2, 10)),
        "fetch_bits": draw(st.integers(max(10, weight_bits), 70)),
        **{name: draw(st.booleans()) for name in FLAGS if name not in make.unused},
        "requantiser": draw(st.sampled_from(("auto", "each"))),
        **{
            name: draw(st.sampled_from(make.drawn[name]) if name in make.drawn else _of_field(field))
            for name, field in own.items()
        },
    }
    divisors = [number for number in range(1, options["pes"] + 1) if options["pes"] % number == 0]
    if "banks" in own:
        options["banks"] = draw(st.sampled_from(("auto", *divisors)))
    if "zero_window" in own:
        options["zero_window"] = draw(st.sampled_from(divisors)) if skips else 1
    try:
        return make.model_validate(options)
    except ValidationError:
        assume(False)
        raise


@st.composite
def cases(draw: st.DrawFn, kind: str, most_pes: int = 12, *, biases: bool = False) -> Case:
    """A case for an engine of this kind; with `biases`, any share of the stages of its network has some."""
    engine = draw(engines_of_kind(kind, most_pes))
    network = random_integer_network(
        Topology(tuple(type(engine).layers(SmallDraws(draw)))),
        weight_bits=engine.weight_bits,
        activation_bits=engine.activation_bits,
        bias_share=draw(st.sampled_from((0.0, 0.5, 1.0))) if biases else 0.0,
        seed=draw(st.integers(0, 2**32 - 1)),
    )
    return Case(engine, network)
