"""Xilinx Artix-7: resources of memories, and energy for each resource used, from public or a user's own power
reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from archsim.technology.fpga.devices import Device, Fit, FpgaResources, devices, find_device, fits
from archsim.technology.fpga.power import COUNTED, quantity_name
from archsim.technology.fpga.vivado_report import RESOLUTION_W, VivadoReport, read_power_report
from archsim.technology.memories.block_ram import BuiltAs, plan_memory
from archsim.technology.memories.sram import Ports
from archsim.technology.quantity import Quantity, load_quantities
from archsim.technology.registry import FitScaling, register

__all__ = ["Artix7", "Device", "Fit", "FpgaMemory", "FpgaResources", "devices", "fits"]

POWER_FILE = "artix7.yaml"
FIT_FILE = "artix7_power_fit.yaml"
COEFFICIENTS = ("neural_network", "fitted")
DEFAULT_DEVICE = "XC7A100T"


@dataclass(frozen=True, kw_only=True)
class FpgaMemory:
    """A memory in block RAM, LUT RAM or (the least ones) flip-flops: its resources and J per access of one
    word, and J per clock cycle of the flip-flops beside it (leakage is the device's)."""

    words: int
    word_bits: int
    built_as: BuiltAs
    resources: FpgaResources
    read_energy_j: float
    write_energy_j: float
    kind: str
    source: str
    clock_energy_j: float = 0.0
    leakage_w: float = 0.0
    resources_kind: str = "fitted"
    resources_source: str = (
        "the memory rule of archsim.technology.memories.block_ram, fitted to artix7_memories.csv"
    )


@register("artix7")
class Artix7:
    """An Artix-7 device, and J per clock cycle of each LUT, flip-flop, DSP and BRAM36 at work.

    `coefficients` chooses whose: "neural_network" are those of one dense MNIST network on an XC7A100T, which
    predict designs that multiply best; "fitted" the geometric means over public designs of every kind, which
    predict the others best. Both hold at Vivado's default toggle rate of 12.5 %, for which `toggle_rate`
    stands; power of signals and logic is taken as proportional to it. `power_report` names a Vivado power
    report of the user's own design, whose figures take their place (a row below 1 mW leaves the chosen
    coefficient in place), and whose device and static power are used. `dynamic_power_error_factor` is how far
    the summed dynamic power is likely off, as a ratio.

    An access of a block RAM costs the energy of one port of all its tiles for one enabled cycle. Reports tell
    the average over cycles with and without an access, so that energy is an assumption, unless
    `bram_enable_rate` says in which share of cycles the tiles behind the coefficient were accessed.

    Raises ValueError naming the option that is wrong.
    """

    name = "artix7"
    kind: Literal["fpga"] = "fpga"

    def __init__(
        self,
        device: str | None = None,
        *,
        coefficients: str = "neural_network",
        toggle_rate: float | None = None,
        bram_enable_rate: float | None = None,
        power_report: str | Path | None = None,
    ) -> None:
        if coefficients not in COEFFICIENTS:
            raise ValueError(f"coefficients is {coefficients!r}; allowed are {', '.join(COEFFICIENTS)}.")
        if toggle_rate is not None and not (_is_number(toggle_rate) and 0 <= toggle_rate <= 1):
            raise ValueError(f"toggle_rate is {toggle_rate!r}; allowed are 0 to 1 transitions a clock cycle.")
        if toggle_rate is not None and power_report is not None:
            raise ValueError(
                f"toggle_rate is {toggle_rate!r}; allowed is none beside power_report, whose activity holds."
            )
        rate = bram_enable_rate
        if rate is not None and not (_is_number(rate) and 0 < rate <= 1):
            raise ValueError(
                f"bram_enable_rate is {rate!r}; allowed are more than 0 to 1 accesses a clock cycle."
            )
        if power_report is not None and not isinstance(power_report, str | Path):
            raise ValueError(f"power_report is {power_report!r}; allowed is the path of a report.")
        self.report = None if power_report is None else read_power_report(power_report)
        self.power_report = None if power_report is None else str(power_report)
        told = self.report.device if self.report else DEFAULT_DEVICE
        self.device = _with_static_power(find_device(told if device is None else device), self.report)
        self.coefficients = coefficients
        self._constants = {**load_quantities(POWER_FILE), **load_quantities(FIT_FILE)}
        default_rate = float(self._constants["toggle_rate"])
        self.toggle_rate = default_rate if toggle_rate is None else toggle_rate
        self.bram_enable_rate = bram_enable_rate
        self.routing_factor = float(self._constants["routing_factor"])
        self._costs = {kind: self._cost(kind) for kind in COUNTED}
        logic, signals = self._costs["logic"], self._costs["signals"]
        self.lut_cost = replace(
            logic,
            name=f"{POWER_FILE}:{coefficients}_logic_and_signals_j_per_lut",
            value=(logic.value + signals.value) * self.toggle_rate / default_rate,
            source="; ".join(dict.fromkeys((logic.source, signals.source))),
        )
        self.ff_cost = self._costs["clocks"]
        self.dsp_cost = self._costs["dsp"]
        self.bram36_cost = self._costs["bram"]

    def _cost(self, kind: str) -> Quantity:
        """J per cycle and resource of one kind of power: the user's report where it tells, else the chosen
        set."""
        chosen = self._constants[f"{self.coefficients}_{quantity_name(kind)}"]
        report = self.report
        if report is None:
            return chosen
        watts, count = report.power_w.get(kind, 0.0), report.counts[COUNTED[kind]]
        if watts and count:
            return Quantity(
                name=f"power_report:{quantity_name(kind)}",
                value=watts / count / report.clock_hz,
                unit=chosen.unit,
                kind="published",
                source=report.source,
                error_factor=1 + RESOLUTION_W / 2 / watts,
            )
        why = "below its resolution of 1 mW" if watts is None or count else "which uses none"
        return replace(chosen, source=f"{kind} not told by {report.file}, {why}; {chosen.source}")

    @cached_property
    def bram_access_cost(self) -> Quantity:
        """J per access of one port of a RAMB36."""
        if self.bram_enable_rate is None:
            return self._constants["bram_access_j_per_bram36"]
        return replace(
            self.bram36_cost,
            name=f"{POWER_FILE}:bram_access_j_per_bram36",
            value=self.bram36_cost.value / self.bram_enable_rate,
            unit="J per BRAM36 per access",
            source=f"accessed in {self.bram_enable_rate:g} of cycles, as given; {self.bram36_cost.source}",
        )

    @cached_property
    def dynamic_power_error(self) -> Quantity:
        """The one-sigma error of the summed dynamic power as a ratio, and on what it was found."""
        if self.report is None:
            return self._constants[f"{self.coefficients}_dynamic_power_error"]
        return _error_of(self.report, self._costs)

    @property
    def dynamic_power_error_factor(self) -> float:
        """1.5 says that the dynamic power is likely between two thirds and one and a half of what is stated,
        as the vendor's tool would report it; it is not the error of that tool against a board."""
        return float(self.dynamic_power_error)

    @property
    def fit_scaling(self) -> FitScaling:
        """The fit to netlists of 7-series primitives, the same for every device."""
        return FitScaling(fit=self.name)

    @property
    def static_w(self) -> float:
        return float(self.device.static_w)

    def fits(self, resources: FpgaResources) -> Fit:
        return fits(resources, self.device.name)

    def memory(self, *, words: int, word_bits: int, ports: Ports = "1rw") -> FpgaMemory:
        """Block RAM, LUT RAM or flip-flops for a memory, as Yosys 0.70 builds it; all have two ports whatever
        `ports` says.

        A read costs the primitives and the multiplexers behind them, a write the primitives and the decoders
        before them. A LUT is charged for a cycle at the toggle rate. Raises ValueError naming the field.
        """
        for field, value in (("words", words), ("word_bits", word_bits)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{field} is {value!r}; allowed is an integer of 1 or more.")
        if ports not in ("1rw", "1r1w"):
            raise ValueError(f"ports is {ports!r}; allowed are 1rw, 1r1w.")
        plan = plan_memory(words, word_bits)
        taken = plan.resources
        if plan.built_as == "bram":
            tiles = taken.bram36 + taken.bram18 / 2
            cost, primitives_j = self.bram_access_cost, tiles * self.bram_access_cost.value
        else:
            cost, primitives_j = self.lut_cost, taken.lut_as_memory * self.lut_cost.value
        return FpgaMemory(
            words=words,
            word_bits=word_bits,
            built_as=plan.built_as,
            resources=taken,
            read_energy_j=primitives_j + plan.multiplex_lut * self.lut_cost.value,
            write_energy_j=primitives_j + plan.decode_lut * self.lut_cost.value,
            clock_energy_j=taken.ff * self.ff_cost.value,
            kind=cost.kind,
            source=cost.source,
        )

    def options(self) -> dict[str, object]:
        """The arguments that make this technology again."""
        activity: dict[str, object] = (
            {"power_report": self.power_report} if self.power_report else {"toggle_rate": self.toggle_rate}
        )
        if self.bram_enable_rate is not None:
            activity["bram_enable_rate"] = self.bram_enable_rate
        return {"device": self.device.name, "coefficients": self.coefficients, **activity}

    def provenance(self) -> tuple[Quantity, ...]:
        """The coefficients in use, their error, the toggle rate, the routing factor and the device's static
        power."""
        activity = () if self.report else (self._constants["toggle_rate"],)
        return (
            *self._costs.values(),
            self.bram_access_cost,
            self.dynamic_power_error,
            *activity,
            self._constants["routing_factor"],
            self.device.static_w,
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with_static_power(device: Device, report: VivadoReport | None) -> Device:
    """The device with the static power of a report of the same device, at the report's junction."""
    if report is None or report.device != device.name or not report.static_w:
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
