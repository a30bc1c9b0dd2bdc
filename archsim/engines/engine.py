"""What every engine is: a few parameters, and a way to map a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from archsim.engines.mapping import Mapping
from workloads import IntegerNetwork

Bits = Annotated[int, Field(ge=2, le=16)]


class Engine(BaseModel, ABC):
    """Parameters that all engines share.

    `pes` processing elements; `weight_bits` and `activation_bits` of the integers; `fetch_bits`
    brought by one read of a weight (or index) memory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    kind: str
    pes: Annotated[int, Field(ge=1, le=256)] = 16
    weight_bits: Bits = 8
    activation_bits: Bits = 8
    fetch_bits: Annotated[int, Field(ge=8, le=128)] = 64

    @classmethod
    def kind_name(cls) -> str:
        """The name in a design point's `engine.kind`."""
        name: str = cls.model_fields["kind"].default
        return name

    @model_validator(mode="after")
    def _fetch_brings_a_weight(self) -> Engine:
        if self.fetch_bits < self.weight_bits:
            raise ValueError(
                f"fetch_bits is {self.fetch_bits}, allowed are at least weight_bits ({self.weight_bits})"
            )
        return self

    @abstractmethod
    def map(self, network: IntegerNetwork) -> Mapping:
        """Lays `network` on this engine. Raises MappingError where it cannot run it."""
