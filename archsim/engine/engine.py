"""What every engine is: a few parameters, a way to map a network, and networks to try it on.

An engine is one file here and one in `rtl.engines`, registered under its `kind`; nothing else is told.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from archsim.engine.draws import Draws
from archsim.engine.mapping import Mapping as EngineMapping, MappingError
from archsim.engine.sweep.mapping import sweep_model
from archsim.refusals import one_sentence, without_numpy
from rtl import Sizes
from workloads import AnyIntegerNetwork, IntegerModel, IntegerNetwork, Stage
from workloads.refusal import Refusal
from workloads.register import Register

Bits = Annotated[int, Field(ge=2, le=16)]
Auto = Literal["auto"]
AUTO: Final = "auto"
"""What a parameter says that is left to the fabric, or to the network."""


class EngineError(Refusal):
    """An engine that does not exist or cannot be built, or a name that another engine has."""


class Engine(BaseModel, ABC):
    """Parameters that all engines share.

    `pes` processing elements; `weight_bits` and `activation_bits` of the integers; `fetch_bits` brought by
    one read of a weight (or index) memory; `product_register`, a register between multiplier and adder;
    `operand_isolation`, so that the requantiser sees only finished sums; `zero_gating`, so that an activation
    of zero moves neither multiplier nor sum; a `requantiser` in each PE, or *shared* by the PEs whose results
    are written one after the other (`auto`: where there are such); `input_buffer`, a memory of its own for
    inputs, so that the next ones are loaded while the engine runs. What is `auto` is what a search found best
    for the fabric. Raises EngineError, naming the parameter, for what is not allowed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    _plain = model_validator(mode="before")(without_numpy)

    hardware: ClassVar[type[Sizes]]
    """The sizes that its hardware is built for."""

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Organisations that differ so much that each is measured for itself: their options by name. An engine
    without choices has one, of its own name."""

    drawn: ClassVar[Mapping[str, Sequence[Any]]] = {}
    """Values of its own options that go with the networks which a calibration draws, where not all do."""

    trained_for: ClassVar[str] = ""
    """The family of the trained networks that a calibration holds out, where the engine is not named so."""

    best: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """What `auto` stands for on each fabric, where it differs from `BEST`."""

    unused: ClassVar[frozenset[str]] = frozenset()
    """Parameters that mean nothing on this engine: only false or `auto` is allowed."""

    stalls: ClassVar[str] = "cycles of PEs are lost to conflicts"
    """What its counts call stalls."""

    crossed: ClassVar[frozenset[str]] = frozenset()
    """Variants whose hardware grows with the square of their PEs, so that they are measured with fewer."""

    hardware_only: ClassVar[frozenset[str]] = frozenset()
    """Parameters that the hardware follows, and how a network lies on it does not: engines that differ in
    nothing else share a layout. None of an engine that does not say."""

    kind: str
    pes: Annotated[int, Field(ge=1, le=256)] = 16
    weight_bits: Bits = 8
    activation_bits: Bits = 8
    fetch_bits: Annotated[int, Field(ge=8, le=128)] | Auto = "auto"
    product_register: bool | Auto = "auto"
    operand_isolation: bool | Auto = "auto"
    zero_gating: bool | Auto = "auto"
    requantiser: Literal["auto", "each", "shared"] = "auto"
    input_buffer: bool | Auto = "auto"

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except ValidationError as error:
            raise EngineError(one_sentence(error, type(self))) from None

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What differs from the defaults, and how many PEs there are."""
        fields = type(self).model_fields
        for name in fields:
            value = getattr(self, name)
            if name == "pes" or (name != "kind" and value != fields[name].default):
                yield name, value

    @classmethod
    def kind_name(cls) -> str:
        """The name in a design point's `engine.kind`."""
        name: str = cls.model_fields["kind"].default
        return name

    @classmethod
    def organisations(cls) -> Mapping[str, Mapping[str, Any]]:
        """The variants, or the engine itself as the only one."""
        return cls.variants or {cls.kind_name(): {}}

    @classmethod
    @abstractmethod
    def layers(cls, draws: Draws) -> Iterator[tuple[Stage, ...]]:
        """The layers of a random network that the engine runs: what it is calibrated and tested on."""

    @model_validator(mode="after")
    def _fetch_brings_a_weight(self) -> Engine:
        if self.fetch_bits != AUTO and self.fetch_bits < self.weight_bits:
            raise EngineError(
                f"fetch_bits is {self.fetch_bits}, allowed are at least weight_bits ({self.weight_bits})"
            )
        return self

    @model_validator(mode="after")
    def _uses_what_is_set(self) -> Engine:
        for name in sorted(self.unused):
            if getattr(self, name) not in (False, AUTO):
                raise EngineError(
                    f"{name} is {getattr(self, name)}, allowed on {self.kind} are auto and False"
                )
        return self

    def settled(self, fabric: str) -> Self:
        """The same engine with what is best on this fabric, of one that nobody searched on standard cells,
        wherever it says `auto`; what depends on the network remains."""
        best = {**BEST.get(fabric, BEST["asic"]), **self.best.get(fabric, {})}
        return self.model_copy(
            update={name: value for name, value in best.items() if getattr(self, name) == AUTO}
        )

    def map(self, network: AnyIntegerNetwork, fabric: str = "asic") -> EngineMapping:
        """Lays `network` on this engine, built of `fabric`: of standard cells (`asic`) or in an FPGA
        (`fpga`). Raises MappingError where it cannot run it."""
        settled = self.settled(fabric)
        if isinstance(network, IntegerModel):
            return sweep_model(settled, network, fabric)
        if not self.hardware_only:
            return settled.lay(network, fabric)
        own = {name: getattr(settled, name) for name in self.hardware_only}
        laid = _laid(settled.model_copy(update=dict.fromkeys(self.hardware_only, AUTO)), network, fabric)
        return replace(laid, engine=laid.engine.model_copy(update=own))  # type: ignore[type-var]

    def requantising(self, *, shared: bool) -> Self:
        """The same engine with what became of its requantisers."""
        return self.model_copy(update={"requantiser": "shared" if shared else "each"})

    def lay_together(self, networks: Sequence[IntegerNetwork], fabric: str) -> tuple[EngineMapping, ...]:
        """The mappings of cascades that are to share the hardware of a settled engine, with equal layouts of
        what they share. Raises MappingError for an engine that nobody gave places."""
        able = [name for name, made in engines.items() if made.lay_together is not Engine.lay_together]
        raise MappingError(
            f"engine is {self.kind}, which runs no network of places or steps, allowed are those that do: "
            f"{', '.join(able)}"
        )

    trains: ClassVar[tuple[str, ...]] = ()
    """The kinds of stages that such an engine trains, where there is one that trains."""

    @abstractmethod
    def lay(self, network: IntegerNetwork, fabric: str) -> EngineMapping:
        """The mapping of a settled engine."""


@lru_cache(maxsize=64)
def _laid(engine: Engine, network: IntegerNetwork, fabric: str) -> EngineMapping:
    return engine.lay(network, fabric)


OF_THE_PES = frozenset({"product_register", "operand_isolation", "zero_gating", "input_buffer"})
"""Parameters that no engine of ours looks at where it lays a network."""

_PLAIN = {"product_register": False, "operand_isolation": False, "zero_gating": False, "input_buffer": True}
BEST: Mapping[str, Mapping[str, Any]] = {
    "asic": {**_PLAIN, "fetch_bits": 64},
    "fpga": {**_PLAIN, "fetch_bits": 32},
}
"""What `auto` stands for, by fabric. In an FPGA 32 bits are the widest port of a RAMB18, of which two share a
tile."""


engines: Register[type[Engine]] = Register(
    "engine", "archsim.engine", group="archsim.engines", error=EngineError
)
"""All engines by name."""
