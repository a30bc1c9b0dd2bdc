"""Xilinx 7-series: resources of memories, and energy for each resource used, from public or a user's own
power reports of Artix-7 parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from archsim.technology.evidence import Bracket, Brackets
from archsim.technology.fpga.devices import Device, FpgaResources, read_devices
from archsim.technology.fpga.fpga import FabricCost, Fpga, FpgaMemory
from archsim.technology.fpga.nets import NetLaw, share_of_reference
from archsim.technology.fpga.vivado_report import RESOLUTION_W, VivadoReport, read_power_report
from archsim.technology.memories.block_ram import plan_memory, tiles
from archsim.technology.memories.sram import Ports, known_size
from archsim.technology.quantity import Quantity, load_quantities
from archsim.technology.registry import technologies
from archsim.technology.technology import FitScaling, TechnologyError
from rtl.parts.amounts import NARROWEST_DSP_PRODUCT_BITS

POWER_FILE = "artix7.yaml"
FIT_FILE = "artix7_power_fit.yaml"
ROUTING_FILE, NETS_FILE = "artix7_routing.yaml", "routing_ecp5_fit.yaml"
FIT = "artix7"
FAMILY = "Artix-7"
"""The family whose power reports the coefficients come from."""

SPEED_GRADE = "-1"
"""The slowest of the commercial grades, which every device has."""

COUNTED = {"logic": "lut", "signals": "lut", "clocks": "ff", "bram": "bram36", "dsp": "dsp"}
"""The kinds of fabric power, and the resource that each is counted by."""

_HELD = {
    "lut": "lut6",
    "lut_as_memory": "lut_as_memory",
    "ff": "ff",
    "dsp": "dsp48e1",
    "bram36_tiles": "bram36",
}


def quantity_name(kind: str) -> str:
    """What a coefficient of a kind of power is called in the data files, after the name of its set."""
    return f"{kind}_j_per_{COUNTED[kind]}"


@cache
def _devices() -> Mapping[str, Device]:
    own = read_devices("artix7_devices.csv", _HELD, family=FAMILY)
    return own | read_devices("zynq7000_kintex7_devices.csv", _HELD)


@technologies.register("artix7")
class Artix7(Fpga):
    """An Artix-7, Zynq-7000 or Kintex-7 device, and J per clock cycle of each LUT, flip-flop, DSP and BRAM36
    at work.

    `coefficients` chooses whose: "neural_network" are those of one dense MNIST network on an XC7A100T, which
    predict designs that multiply best; "fitted" the geometric means over public designs of every kind, which
    predict the others best. Both hold at Vivado's default toggle rate of 12.5 %, for which `toggle_rate`
    stands; power of signals and logic is taken as proportional to it. `power_report` names a Vivado power
    report of the user's own design, whose figures take their place (a row below 1 mW leaves the chosen
    coefficient in place), and whose device and static power are used. `dynamic_power_error` is how far the
    summed dynamic power is likely off, as a ratio. All reports are of Artix-7 parts: for the other
    families their figures are taken over, which is an assumption, and static power is not known.

    An access of a block RAM costs the energy of one port of all its tiles for one enabled cycle. Reports tell
    the average over cycles with and without an access, so that energy is an assumption, unless
    `bram_enable_rate` says in which share of cycles the tiles behind the coefficient were accessed.
    """

    counted: ClassVar[Mapping[str, str]] = {
        "lut": "LUT",
        "ff": "flip-flops",
        "dsp": "DSP48E1",
        "bram18": "RAMB18E1",
        "bram36": "RAMB36E1",
    }
    listed: ClassVar[tuple[str, ...]] = ("lut", "ff", "carry4", "dsp", "bram18", "bram36")
    primitives: ClassVar[str] = "Xilinx 7-series primitives"
    primitives_table: ClassVar[str] = "artix7_primitives.csv"
    synthesis: ClassVar[str] = "synth_xilinx -family xc7 -noiopad -noclkbuf"
    # ABC9's last optimisation, &mfs, breaks a few small modules (its own check then aborts).
    fallback: ClassVar[str] = "scratchpad -set abc9.nomfs 1"
    timing_models: ClassVar[str] = "+/xilinx/cells_sim.v"
    dedicated: ClassVar[Mapping[str, frozenset[str]]] = {
        "MUXF7": frozenset({"I0", "I1"}),
        "MUXF8": frozenset({"I0", "I1"}),
        "CARRY4": frozenset({"CI", "S", "DI"}),
        "DSP48E1": frozenset({"PCIN"}),
    }
    fitted: ClassVar[tuple[str, ...]] = ("lut", "ff", "carry4")
    unplaced: ClassVar[str] = (
        "nothing that can be installed places and routes it: Vivado does, by what `archsim export` writes, "
        "and its reports are read as technology.power_report and technology.timing_report"
    )
    multiplier: ClassVar[str] = "dsp"

    kind: Literal["artix7"] = "artix7"
    device: str = "XC7A100T"
    coefficients: Literal["neural_network", "fitted"] = "neural_network"
    toggle_rate: Annotated[float | None, Field(ge=0, le=1)] = None
    power_report: str | None = None
    bram_enable_rate: Annotated[float | None, Field(gt=0, le=1)] = None

    @model_validator(mode="before")
    @classmethod
    def _as_the_report_tells(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The device and the activity that are not given: a report's, or the usual ones."""
        path, report = values.get("power_report"), None
        if path is not None:
            if not isinstance(path, str | Path):
                raise TechnologyError(f"power_report is {path!r}, allowed is the path of a report")
            report = read_power_report(path)
            rate = values.get("toggle_rate")
            if rate is not None:
                raise TechnologyError(
                    f"toggle_rate is {rate!r}, allowed is none beside power_report, whose activity holds"
                )
            values = values | {"power_report": str(path)}
        elif values.get("toggle_rate") is None:
            values = values | {"toggle_rate": _default_rate()}
        if values.get("device") is None:
            values = values | {"device": report.device if report else cls.model_fields["device"].default}
        return values

    @property
    def named_reports(self) -> Mapping[str, str | None]:
        return {**super().named_reports, "power_report": self.power_report}

    @classmethod
    def devices(cls) -> Mapping[str, Device]:
        return _devices()

    @cached_property
    def report(self) -> VivadoReport | None:
        """The user's power report, as it is when it is first asked for."""
        return None if self.power_report is None else read_power_report(self.power_report)

    @cached_property
    def part(self) -> Device:
        """The device; its static power is that of the report, where there is one of it."""
        return _with_static_power(self.devices()[self.device], self.report)

    @property
    def vivado_part(self) -> str:
        """The part as Vivado names it: the device in its smallest package, of the slowest speed grade."""
        return f"{self.device.lower()}{self.part.package}{SPEED_GRADE}"

    @property
    def reads_reports(self) -> bool:
        """Whether a power report of this device can be its `power_report`."""
        return self.part.family == FAMILY

    def _cost(self, kind: str) -> Quantity:
        """J per cycle and resource of one kind of power: the user's report where it tells, else the chosen
        set."""
        chosen = _constants()[f"{self.coefficients}_{quantity_name(kind)}"]
        report = self.report
        if report is None:
            return self._taken_over(chosen)
        watts, count = report.power_w.get(kind, 0.0), report.counts[COUNTED[kind]]
        if watts and count:
            told = Quantity(
                name=f"power_report:{quantity_name(kind)}",
                value=watts / count / report.clock_hz,
                unit=chosen.unit,
                kind="published",
                source=report.source,
                error_factor=1 + RESOLUTION_W / 2 / watts,
            )
            return self._taken_over(told)
        why = "below its resolution of 1 mW" if watts is None or count else "which uses none"
        source = f"{kind} not told by {report.file}, {why}; {chosen.source}"
        return self._taken_over(replace(chosen, source=source))

    def _taken_over(self, figure: Quantity) -> Quantity:
        """A figure of Artix-7 as it stands for this device."""
        if self.reads_reports:
            return figure
        name, source = f"{figure.name}_taken_over_from_artix7", f"taken over from {FAMILY}: {figure.source}"
        return replace(figure, name=name, kind="assumed", source=source)

    @cached_property
    def costs(self) -> Mapping[str, Quantity]:
        """J per cycle and resource of each kind of power."""
        return {kind: self._cost(kind) for kind in COUNTED}

    @cached_property
    def lut_cost(self) -> Quantity:
        """J per cycle of a LUT at work and the signals behind it."""
        logic, signals = self.costs["logic"], self.costs["signals"]
        rate = _default_rate()
        return replace(
            logic,
            name=f"{POWER_FILE}:{self.coefficients}_logic_and_signals_j_per_lut",
            value=(logic.value + signals.value)
            * (rate if self.toggle_rate is None else self.toggle_rate)
            / rate,
            source="; ".join(dict.fromkeys((logic.source, signals.source))),
        )

    @property
    def fabric_costs(self) -> tuple[FabricCost, ...]:
        """LUTs and DSPs where their component works, the clocks of flip-flops always."""
        return (
            FabricCost(resource="lut", what="LUT logic and signals", cost=self.lut_cost),
            FabricCost(resource="ff", what="flip-flop clocks", cost=self.costs["clocks"], every_cycle=True),
            FabricCost(resource="dsp", what="DSP48E1", cost=self.costs["dsp"]),
        )

    @cached_property
    def bram_access_cost(self) -> Quantity:
        """J per access of one port of a RAMB36."""
        if self.bram_enable_rate is None:
            return self._taken_over(_constants()["bram_access_j_per_bram36"])
        active = self.costs["bram"]
        return replace(
            active,
            name=f"{POWER_FILE}:bram_access_j_per_bram36",
            value=active.value / self.bram_enable_rate,
            unit="J per BRAM36 per access",
            source=f"accessed in {self.bram_enable_rate:g} of cycles, as given; {self.costs['bram'].source}",
        )

    @cached_property
    def dynamic_power_error(self) -> Quantity:
        """The one-sigma error of the summed dynamic power as a ratio, and on what it was found. 1.5 says that
        it is likely between two thirds and one and a half of what is stated, as the vendor's tool would
        report it; it is not the error of that tool against a board."""
        if self.report is None:
            return self._taken_over(_constants()[f"{self.coefficients}_dynamic_power_error"])
        return _error_of(self.report, self.costs)

    @property
    def fit_scaling(self) -> FitScaling:
        """The fit to netlists of 7-series primitives, the same for every device."""
        return FitScaling(fit=FIT)

    def net_delay_s(self, resources: FpgaResources) -> float:
        """As on an ECP5, for a design that takes as much room there, times how much faster the fabric is. It
        is the same whatever device the design lies in, whose size does not make nets longer."""
        constants = _constants()
        of_whole, exponent = constants["net_delay_s_of_whole_device"], constants["net_delay_exponent"]
        law, share = NetLaw(float(of_whole), float(exponent)), share_of_reference(self._room(resources))
        return float(constants["speed_ratio_to_ecp5"]) * law.delay_s(share)

    def _room(self, resources: FpgaResources) -> Mapping[str, float]:
        """What resources would be on the device on which nets were measured."""
        constants = _constants()
        return {
            "lut4": resources["lut"] * float(constants["lut4_per_lut6"]),
            "ebr": (resources["bram18"] + 2 * resources["bram36"]) * float(constants["ebr_per_bram18"]),
            "mult18": resources["dsp"] * float(constants["mult18_per_dsp"]),
        }

    def path_stretch(self, resources: FpgaResources) -> float:
        """Nets take a power of the room that a design takes, and are a share of a path: that share of the
        exponent."""
        constants = _constants()
        exponent = float(constants["net_delay_exponent"]) * float(constants["share_of_nets_in_path"])
        return float(share_of_reference(self._room(resources)) ** exponent)

    @property
    def brackets(self) -> Brackets:
        """The error of dynamic power, and that of nets, of which a path usually has a share: the one of the
        law between engines, and the one of taking it over from another family, neither of which knows of the
        other. A path that a report tells is taken as it stands."""
        if self.known_path is not None:
            return super().brackets
        nets = ("net_delay_s_of_whole_device", "speed_ratio_to_ecp5")
        off = math.exp(math.hypot(*(math.log(_constants()[name].error_factor or 1.0) for name in nets)))
        share = float(_constants()["share_of_nets_in_path"])
        path = Bracket(1 - share + share / off, 1 - share + share * off)
        return Brackets(parts={**super().brackets.parts, "critical_path_s": {"logic": path}})

    @property
    def missing(self) -> Mapping[str, str]:
        """What follows from the static power of a device of which nobody published it."""
        if self.part.static_w is not None:
            return {}
        why = f"no public report tells the static power of {self.device}; dynamic_power_w is without it"
        return dict.fromkeys(("energy_j", "power_w", "leakage_w"), why)

    def used(self, resources: FpgaResources) -> Mapping[str, int]:
        """What a design takes, and the block RAM tiles: two RAMB18 share one."""
        return FpgaResources(**resources, bram36_tiles=tiles(resources))

    def multipliers(self, weight_bits: int, activation_bits: int) -> int:
        """One DSP48E1 (25 x 18 bits) takes any product that the engines make; Yosys leaves one of less than 9
        bits in LUTs."""
        return int(weight_bits + activation_bits >= NARROWEST_DSP_PRODUCT_BITS)

    def memory(self, *, words: int, word_bits: int, ports: Ports = "1rw") -> FpgaMemory:
        """Block RAM, LUT RAM or flip-flops for a memory, as Yosys 0.70 builds it; all have two ports whatever
        `ports` says.

        A read costs the primitives and the multiplexers behind them, a write the primitives and the decoders
        before them. A LUT is charged for a cycle at the toggle rate. Raises a refusal naming the field.
        """
        known_size(words, word_bits, ports)
        plan = plan_memory(words, word_bits)
        taken = plan.resources
        if plan.built_as == "bram":
            halves = 2 * taken["bram36"] + taken["bram18"]
            cost, primitives_j = self.bram_access_cost, halves / 2 * self.bram_access_cost.value
        else:
            cost, primitives_j = self.lut_cost, taken["lut_as_memory"] * self.lut_cost.value
        return FpgaMemory(
            words=words,
            word_bits=word_bits,
            built_as=plan.built_as,
            resources=taken,
            read_energy_j=primitives_j + plan.multiplex_lut * self.lut_cost.value,
            write_energy_j=primitives_j + plan.decode_lut * self.lut_cost.value,
            clock_energy_j=taken["ff"] * self.costs["clocks"].value,
            kind=cost.kind,
            source=cost.source,
            resources_kind="fitted",
            resources_source="the memory rule of archsim.technology.memories.block_ram, fitted to "
            "artix7_memories.csv",
        )

    def provenance(self) -> tuple[Quantity, ...]:
        """The coefficients in use, their error, the toggle rate, what nets take (or the path that a report
        tells) and the device's static power."""
        nets = (*load_quantities(ROUTING_FILE).values(), *load_quantities(NETS_FILE).values())
        activity = () if self.power_report else (_constants()["toggle_rate"],)
        return (
            *self.costs.values(),
            self.bram_access_cost,
            self.dynamic_power_error,
            *activity,
            *(nets if self.known_path is None else (self.known_path,)),
            *([] if self.part.static_w is None else [self.part.static_w]),
        )


@cache
def _constants() -> Mapping[str, Quantity]:
    files = (POWER_FILE, FIT_FILE, ROUTING_FILE, NETS_FILE)
    return {name: number for file in files for name, number in load_quantities(file).items()}


def _default_rate() -> float:
    """Vivado's toggle rate, at which the coefficients hold."""
    return float(_constants()["toggle_rate"])


def _with_static_power(device: Device, report: VivadoReport | None) -> Device:
    """The device with the static power of a report of the same device, at the report's junction."""
    if report is None or report.device != device.name or not report.static_w or device.static_w is None:
        return device
    return replace(
        device,
        static_w=replace(device.static_w, value=report.static_w, kind="published", source=report.source),
        static_junction_c=report.junction_c or device.static_junction_c,
    )


def _error_of(report: VivadoReport, costs: Mapping[str, Quantity]) -> Quantity:
    """The error for the reported design itself: each row is rounded to 1 mW, and a coefficient that came from
    elsewhere keeps its own error."""
    total_w, variance, told = 0.0, 0.0, 0
    for kind, cost in costs.items():
        watts = cost.value * report.counts[COUNTED[kind]] * report.clock_hz
        sigma_w = RESOLUTION_W / 12**0.5
        if report.power_w.get(kind):
            told += 1
        elif cost.error_factor:
            sigma_w = watts * (cost.error_factor - 1)
        total_w, variance = total_w + watts, variance + sigma_w**2
    return Quantity(
        name="power_report:dynamic_power_error",
        value=1 + variance**0.5 / total_w,
        unit="ratio",
        kind="published",
        source=f"Rounding of the rows of {report.file}, of which {told} tell; holds for that design only",
    )
