"""What every technology is: a frozen value of a few options, which prices memories and says on which numbers
it rests. Logic is priced by one of two protocols, `StandardCells` and `Fpga`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from archsim.refusals import one_sentence, without_numpy
from archsim.technology.asic.scaling import UNCHANGED, Factors
from archsim.technology.evidence import UNKNOWN, Brackets
from archsim.technology.memories.sram import MemoryCost, Ports
from archsim.technology.quantity import Quantity
from workloads.refusal import Refusal


class DeviceError(Refusal):
    """A design that does not fit its device."""


class TechnologyError(Refusal):
    """A technology was given an option that is not allowed; the message names option, value and what is."""


@dataclass(frozen=True, kw_only=True)
class FitScaling:
    """What turns the logic that was fitted to one technology into the logic of another: the name of the fit
    (`logic_fit_<fit>.yaml`), and what becomes of its figures."""

    fit: str
    factors: Factors = UNCHANGED


class Technology(BaseModel, ABC):
    """A way of making the hardware. Its fields are its options, by which it is compared and hashed; all else
    is derived from them. Raises TechnologyError, naming the option, for what is not allowed.

    A subclass names itself in `kind`, and is found by that name where it is registered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    _plain = model_validator(mode="before")(without_numpy)

    kind: str
    fabric: ClassVar[str]
    """Of what it is made, in a word: only designs of one fabric are compared."""
    untimed: ClassVar[str] = "nobody fitted a path of this engine"
    """Why a design has no critical path, where it has none."""
    follows_switching: ClassVar[bool] = False
    """Whether the energy of its logic follows what switches, so that the work must be known."""

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except ValidationError as error:
            raise TechnologyError(one_sentence(error, type(self))) from None

    def options(self) -> dict[str, Any]:
        """The arguments that make this technology again."""
        return self.model_dump(exclude_none=True, exclude={"kind"})

    @property
    def metrics(self) -> tuple[str, ...]:
        """The costs that follow from logic."""
        return ("energy_j", "power_w", "dynamic_power_w", "leakage_w", "critical_path_s")

    @property
    def fit_scaling(self) -> FitScaling | None:
        """The fitted logic that estimates without synthesis rest on, and its factors; None where nobody
        fitted any, so that logic has to be synthesised."""
        return None

    @property
    def known_path(self) -> Quantity | None:
        """The longest path in s that a report of the user's tells of the design, in place of any other."""
        return None

    @property
    def brackets(self) -> Brackets:
        """How far its figures lie from real ones, as far as anybody compared them."""
        return UNKNOWN

    @property
    def missing(self) -> Mapping[str, str]:
        """The costs that nobody can tell in this technology, and why, in one sentence each."""
        return {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What whoever reads a result in this technology ought to know, in one sentence each."""
        return ()

    def shortage(self, resources: Mapping[str, int]) -> str:
        """What there is too little of for a design that takes these resources, as a refusal says it; empty
        where it can be built."""
        return ""

    @abstractmethod
    def memory(self, *, words: int, word_bits: int, ports: Ports = "1rw") -> MemoryCost:
        """What a memory costs. Raises a refusal that names the argument."""

    @abstractmethod
    def provenance(self) -> tuple[Quantity, ...]:
        """Every constant that a cost of this technology rests on."""


def refuse_overflow(technology: Technology, used: Mapping[str, int]) -> None:
    """Raises DeviceError where a design needs more of a device than there is."""
    if shortage := technology.shortage(used):
        raise DeviceError(shortage)


def refuse_fabric(technology: Technology, what: str) -> NoReturn:
    """Raises TechnologyError: what asks by fabric (`singledispatch`) answers so where nobody told it `what` a
    technology of this one has."""
    raise TechnologyError(
        f"technology is {technology.kind}, {what} of which is not known, allowed are standard cells and FPGAs"
    )
