"""The families that are known, by name, and what each says of itself.

A family registers the builder of its cascades, and beside it an exact formula for the weights that they
store, a grid of parameters to search for a budget, and small examples. The conformance suite of the tests
walks through this register, so a new family is tested without being named anywhere else.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from workloads.register import Register
from workloads.stages import Stage, TopologyError, whole_number

Builder = Callable[..., tuple[Stage, ...]]
Grid = Callable[[int, int], Iterable[dict[str, Any]]]


@dataclass(frozen=True)
class Example:
    """A small layer of a family."""

    n_in: int
    n_out: int
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Family:
    """What is registered of a family.

    `weights` takes what `build` takes and gives the number of stored weights: by a formula, or by counting
    what `build` gives where the stages of that are formulas themselves.
    `grid` names parameters worth trying for a layer of n_in inputs and n_out outputs, the preferred ones
    first; a family whose parameters no grid can name has none.
    """

    name: str
    build: Builder
    weights: Callable[..., int]
    grid: Grid | None
    examples: tuple[Example, ...]

    def __post_init__(self) -> None:
        if not self.examples:
            raise TopologyError(f"examples of the {self.name} family is empty, allowed is at least one")

    def __repr__(self) -> str:
        return f"<Family {self.name}: {', '.join(self.defaults) or 'no parameters'}>"

    @property
    def defaults(self) -> dict[str, Any]:
        """The parameters that the builder takes, each with its default, or with `inspect.Parameter.empty`."""
        taken = list(inspect.signature(self.build).parameters.items())[2:]
        return {name: parameter.default for name, parameter in taken}

    def check_parameters(self, parameters: dict[str, Any]) -> None:
        """A `TopologyError` names a parameter that the family does not take, or one that is missing."""
        defaults = self.defaults
        for name in parameters:
            if name not in defaults:
                raise TopologyError.of(f"parameter of the {self.name} family", name, defaults or "none")
        for name, default in defaults.items():
            if default is inspect.Parameter.empty and name not in parameters:
                owner = f"parameter {name!r} of the {self.name} family"
                shown = next((one for one in self.examples if name in one.parameters), self.examples[0])
                given = ", ".join(f"{key} {value!r}" for key, value in shown.parameters.items())
                layer = f"a layer of {shown.n_in} inputs and {shown.n_out} outputs has {given}"
                raise TopologyError(f"{owner} is missing, it must be given: {layer}, for example")


class Families(Register[Family]):
    """The families by name. A family is registered with all that `Family` holds of it."""

    def register(  # type: ignore[override]  # more is told of a family than its name
        self,
        name: str,
        *,
        examples: Sequence[tuple[int, int, dict[str, Any]]],
        weights: Callable[..., int] | None = None,
        grid: Grid | None = None,
    ) -> Callable[[Builder], Builder]:
        """Decorator of a builder `(n_in, n_out, *, parameters) -> cascade`.

        `examples` are triples of n_in, n_out and parameters; the other two are as in `Family`.
        """

        def enter(builder: Builder) -> Builder:
            def stored(n_in: int, n_out: int, **parameters: Any) -> int:
                return sum(stage.stored_weights for stage in builder(n_in, n_out, **parameters))

            small = tuple(Example(*example) for example in examples)
            self.enter(name, Family(name, builder, weights or stored, grid, small))
            return builder

        return enter


families = Families("family", "workloads.families", group="archsim.families", error=TopologyError)
"""Every family there is: a file of this folder, or a module that an installed package announces."""


def build_layer(family: str, n_in: int, n_out: int, **parameters: Any) -> tuple[Stage, ...]:
    """The cascade of one layer; a `TopologyError` names an unknown family or a parameter it does not take."""
    chosen, sizes = _checked(family, n_in, n_out, parameters)
    return chosen.build(*sizes, **parameters)


def layer_weights(family: str, n_in: int, n_out: int, **parameters: Any) -> int:
    """The weights that `build_layer` would store, by the formula of the family."""
    chosen, sizes = _checked(family, n_in, n_out, parameters)
    return chosen.weights(*sizes, **parameters)


def _checked(
    family: str, n_in: int, n_out: int, parameters: dict[str, Any]
) -> tuple[Family, tuple[int, int]]:
    chosen, owner = families.named(family), f"a {family} layer"
    chosen.check_parameters(parameters)
    return chosen, (whole_number(owner, "n_in", n_in), whole_number(owner, "n_out", n_out))
