"""The technologies there are, by name, and the protocol each of them keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from archsim.technology.memories.sram import Ports
from archsim.technology.quantity import Quantity


class MemoryCost(Protocol):
    """What every priced memory tells: J per access of one word and W of its own leakage."""

    @property
    def read_energy_j(self) -> float: ...
    @property
    def write_energy_j(self) -> float: ...
    @property
    def clock_energy_j(self) -> float: ...
    @property
    def leakage_w(self) -> float: ...
    @property
    def built_as(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def source(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class FitScaling:
    """What turns the logic that was fitted to one technology into the logic of another: the name of the fit
    (`logic_fit_<fit>.yaml`), and the factor for each figure of it.

    `energy` is for the energy of toggles and of the clock alike.
    """

    fit: str
    area_mm2: float = 1.0
    energy: float = 1.0
    leakage_w: float = 1.0
    critical_path_s: float = 1.0


class Technology(Protocol):
    """A way of making the hardware, and what its parts cost."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Literal["asic", "fpga"]: ...
    @property
    def fit_scaling(self) -> FitScaling | None:
        """The fitted logic that estimates without synthesis rest on, and its factors; None where nobody
        fitted any, so that logic has to be synthesised."""
        ...

    def memory(self, *, words: int, word_bits: int, ports: Ports = "1rw") -> MemoryCost: ...
    def options(self) -> dict[str, object]:
        """The arguments that make this technology again."""
        ...

    def provenance(self) -> tuple[Quantity, ...]:
        """Every constant that a cost of this technology rests on."""
        ...


TECHNOLOGIES: dict[str, Callable[..., Technology]] = {}
_T = TypeVar("_T", bound=Callable[..., Any])


def register(name: str) -> Callable[[_T], _T]:
    """Enter a technology class in the register under its name; ValueError where the name is taken."""

    def enter(made_by: _T) -> _T:
        if name in TECHNOLOGIES:
            raise ValueError(f"technology name is {name!r}; allowed is a name not yet registered.")
        TECHNOLOGIES[name] = made_by
        return made_by

    return enter


def technology(name: str, **options: object) -> Technology:
    """The technology registered under a name, made with its options; ValueError for a name nobody
    registered."""
    if name not in TECHNOLOGIES:
        raise ValueError(f"technology is {name!r}; allowed are {', '.join(sorted(TECHNOLOGIES))}.")
    return TECHNOLOGIES[name](**options)
