"""What all FPGAs have in common: devices that a design fits or not, primitives that are counted, and how
Yosys is told to map to them. A family is one class; it owns its tool script."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import GetJsonSchemaHandler, PrivateAttr, field_validator, model_validator
from pydantic_core import CoreSchema

from archsim.technology.evidence import DYNAMIC_PARTS, UNKNOWN, Bracket, Brackets
from archsim.technology.fpga.devices import Device, FpgaResources
from archsim.technology.fpga.timing_report import TimingReport, read_timing_report
from archsim.technology.fpga.vivado_report import changed_ns
from archsim.technology.memories.sram import MemoryCost, Ports
from archsim.technology.quantity import Quantity, load_table
from archsim.technology.technology import Technology, TechnologyError, refuse_fabric


@dataclass(frozen=True, kw_only=True)
class FpgaMemory(MemoryCost):
    """A memory in block RAM, LUT RAM or (the least ones) flip-flops: its resources, and the clock of the
    flip-flops beside it. Leakage is the device's."""

    resources: FpgaResources
    resources_kind: str
    resources_source: str


@dataclass(frozen=True, kw_only=True)
class FabricCost:
    """J per clock cycle of one resource of the logic: in cycles in which its component works, or in all."""

    resource: str
    what: str
    cost: Quantity
    every_cycle: bool = False


@dataclass(frozen=True, kw_only=True)
class PlaceAndRoute:
    """How nextpnr places and routes for a device: the `family` that it is built for, its arguments, and
    which `sites` it counts for each resource."""

    family: str
    arguments: tuple[str, ...]
    sites: Mapping[str, str]


class Fpga(Technology):
    """A device of an FPGA family. What is not stated of a family (coefficients of power, delays) is left out
    of the results, and `missing` and `untimed` say why."""

    fabric: ClassVar[str] = "fpga"
    counted: ClassVar[Mapping[str, str]]
    """The resources of results and what is counted of each, the one that stands for size first."""
    listed: ClassVar[tuple[str, ...]]
    """The resources that are listed for each component of a netlist."""
    primitives: ClassVar[str]
    """What a netlist is made of, in words."""
    primitives_table: ClassVar[str]
    """The data file that says which resources each primitive takes."""
    synthesis: ClassVar[str]
    """The command of Yosys that maps a design, without its top."""
    fallback: ClassVar[str] = ""
    """Commands before the mapping that take away what makes Yosys crash, for another try."""
    timing_models: ClassVar[str] = ""
    """The file of Yosys that knows the delays of the primitives."""
    dedicated: ClassVar[Mapping[str, frozenset[str]]] = {}
    """Data pins of primitives that their neighbours feed by wires of their own, with no net in between."""
    fitted: ClassVar[tuple[str, ...]] = ()
    """The resources of logic that a fit tells, where there is one."""
    multiplier: ClassVar[str] = ""
    """The resource of a hardware multiplier."""
    unplaced: ClassVar[str] = "nobody said how nextpnr places and routes it"
    """Why a design cannot be placed and routed, where `place_and_route` is None."""

    device: str
    timing_report: str | None = None
    """The report of a tool that routed the design, whose longest path then stands in place of ours."""

    _changed_ns: tuple[int, ...] = PrivateAttr(())

    def __init__(self, device: str | None = None, **options: Any) -> None:
        super().__init__(**options if device is None else {"device": device, **options})

    @classmethod
    @abstractmethod
    def devices(cls) -> Mapping[str, Device]:
        """The parts there are, by name, each family's smallest first."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        described = handler.resolve_ref_schema(handler(schema))
        if not cls.__abstractmethods__:
            described["properties"]["device"]["enum"] = list(cls.devices())
        return described

    @model_validator(mode="after")
    def _known_device(self) -> Self:
        if self.device not in self.devices():
            raise TechnologyError.of("device", self.device, self.devices())
        return self

    @field_validator("timing_report", mode="before")
    @classmethod
    def _path(cls, value: Any) -> Any:
        return str(value) if isinstance(value, Path) else value

    @model_validator(mode="after")
    def _timed_on_the_family(self) -> Self:
        if (timed := self.timing) and timed.device and timed.device not in self.devices():
            raise TechnologyError(
                f"timing_report is {self.timing_report!r}, whose device is {timed.device}, allowed is a "
                f"report of {', '.join(self.devices())}"
            )
        return self

    def model_post_init(self, context: Any, /) -> None:
        named = self.named_reports.items()
        self._changed_ns = tuple(changed_ns(path, option) for option, path in named if path is not None)

    @property
    def named_reports(self) -> Mapping[str, str | None]:
        """The reports that its options name, by option: one that is changed makes another technology."""
        return {"timing_report": self.timing_report}

    @cached_property
    def timing(self) -> TimingReport | None:
        """The user's timing report, as it is when it is first asked for."""
        return None if self.timing_report is None else read_timing_report(self.timing_report)

    @property
    def known_path(self) -> Quantity | None:
        if self.timing is None:
            return None
        return Quantity(
            name="timing_report:critical_path_s",
            value=self.timing.path_s,
            unit="s",
            kind="measured",
            source=self.timing.source,
        )

    @property
    def part(self) -> Device:
        """The device with what it holds."""
        return self.devices()[self.device]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The costs that follow from logic, the resources among them."""
        return (*super().metrics, *self.counted)

    @classmethod
    def resource_names(cls) -> tuple[str, ...]:
        """All resources that primitives take."""
        return tuple(name for name in load_table(cls.primitives_table).columns if name != "primitive")

    def resources_of(self, primitive: str) -> FpgaResources | None:
        """What one primitive takes; None for one that the family's table does not know."""
        return primitives(self.primitives_table).get(primitive)

    def used(self, resources: FpgaResources) -> Mapping[str, int]:
        """What a design uses up of a device, by the names of what a device holds."""
        return resources

    def shortage(self, resources: Mapping[str, int]) -> str:
        """What the device lacks for a design, as a refusal says it, and the smallest of its family that would
        do."""
        used, part = self.used(FpgaResources(**resources)), self.part
        if not (exhausted := part.exhausted(used)):
            return ""
        lacking = " and ".join(
            f"{part.available[name]} {name} where the design needs {used[name]}" for name in exhausted
        )
        larger = self.smallest_device(resources)
        would_do = f"the smallest device that would do is {larger}" if larger else "no device would do"
        return f"technology.device is {self.device}, which has {lacking}; {would_do}"

    def smallest_device(self, resources: Mapping[str, int]) -> str | None:
        """The smallest device of the same family that holds a design; None where none does."""
        used = self.used(FpgaResources(**resources))
        family = (device for device in self.devices().values() if device.family == self.part.family)
        return next((device.name for device in family if not device.exhausted(used)), None)

    @abstractmethod
    def memory(self, *, words: int, word_bits: int, ports: Ports = "1rw") -> FpgaMemory:
        """What a memory takes of the device, and costs."""

    @property
    def fabric_costs(self) -> tuple[FabricCost, ...]:
        """J per cycle of the resources of the logic; none where nobody published any."""
        return ()

    @property
    def dynamic_power_error(self) -> Quantity | None:
        """The one-sigma error of the summed dynamic power as a ratio, and on what it was found."""
        return None

    @property
    def brackets(self) -> Brackets:
        """The error of the summed dynamic power, which tells no parts apart, for each of them. Static power
        is taken as it is stated."""
        if (error := self.dynamic_power_error) is None:
            return UNKNOWN
        off = Bracket.factor(float(error))
        return Brackets(parts={"energy_j": dict.fromkeys(DYNAMIC_PARTS, off)})

    def net_delay_s(self, resources: FpgaResources) -> float:
        """How long a net is taken to take in a design of these resources that is not routed."""
        return 0.0

    def path_stretch(self, resources: FpgaResources) -> float:
        """By how much a path is longer in a design of these resources than along the same cells and nets in
        one that takes a whole reference device, where nets are known to differ so."""
        return 1.0

    @property
    def place_and_route(self) -> PlaceAndRoute | None:
        """How a design is placed and routed for the device, where a tool that can be installed does it."""
        return None

    def multipliers(self, weight_bits: int, activation_bits: int) -> int:
        """How many hardware multipliers a product takes, in a family whose logic was fitted."""
        refuse_fabric(self, "the multipliers of a product")


@cache
def primitives(file: str) -> Mapping[str, FpgaResources]:
    """What each primitive takes, from a table of `technology/data`."""
    return {
        row["primitive"]: FpgaResources(**{name: count for name, count in row.items() if name != "primitive"})
        for row in load_table(file).rows
    }
