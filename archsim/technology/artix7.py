"""Xilinx Artix-7: what each device holds, and power for each resource used, fitted to public power
reports."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Literal

from archsim.technology.quantity import Quantity, load_quantities, load_table
from archsim.technology.registry import register
from archsim.technology.sram import Ports

POWER_FILE = "artix7.yaml"
DEVICES_TABLE = "artix7_devices.csv"
COEFFICIENTS = ("neural_network", "median")
_RESOURCE_COLUMNS = {"lut": "lut6", "ff": "ff", "dsp": "dsp48e1", "bram36_tiles": "bram36"}
# Depth and data width of a RAMB18E1 in simple dual port mode, UG473 table 1-3; the ninth bit is used as data.
_RAMB18_SHAPES = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
# A RAM32M holds 32 words of 6 bits in four LUTs, a RAM64M 64 words of 3 bits, UG474 table 2-3 (simple
# dual port).
_LUT_RAM_SHAPES = ((32, 6), (64, 3))
_LUTS_OF_A_LUT_RAM = 4
# Yosys 0.70 prefers block RAM once LUT RAM takes this many LUTs for each RAMB18 it would save (129 RAM32M or
# RAM64M for 8 of them); fits 103 of 104 memories that were synthesised.
_LUTS_FOR_A_RAMB18 = 64.5


@dataclass(frozen=True, kw_only=True)
class FpgaResources:
    """What a design takes of a device. `lut` includes `lut_as_memory`; two RAMB18 share a BRAM36 tile."""

    lut: int = 0
    lut_as_memory: int = 0
    ff: int = 0
    dsp: int = 0
    bram18: int = 0
    bram36: int = 0
    carry4: int = 0

    @property
    def bram36_tiles(self) -> int:
        return self.bram36 + math.ceil(self.bram18 / 2)

    def __add__(self, other: "FpgaResources") -> "FpgaResources":
        return FpgaResources(**{name: value + getattr(other, name) for name, value in asdict(self).items()})

    def __mul__(self, instances: int) -> "FpgaResources":
        return FpgaResources(**{name: value * instances for name, value in asdict(self).items()})


@dataclass(frozen=True, kw_only=True)
class Device:
    """One Artix-7 part: how much it holds, by the names of `FpgaResources`, and its static power."""

    name: str
    available: Mapping[str, int]
    static_w: Quantity


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Whether a design fits a device; `exhausted` names what ran out, `smallest` the least device that
    would do."""

    device: str
    used: Mapping[str, int]
    available: Mapping[str, int]
    exhausted: tuple[str, ...]
    smallest: str | None

    @property
    def fits(self) -> bool:
        return not self.exhausted


@dataclass(frozen=True, kw_only=True)
class FpgaMemory:
    """A memory in block RAM or LUT RAM: its resources and J per access of one word (leakage is the
    device's)."""

    words: int
    word_bits: int
    built_as: Literal["bram", "lut_ram"]
    resources: FpgaResources
    read_energy_j: float
    write_energy_j: float
    kind: str
    source: str
    clock_energy_j: float = 0.0
    leakage_w: float = 0.0


@cache
def devices() -> Mapping[str, Device]:
    """The devices by name, smallest first."""
    table = load_table(DEVICES_TABLE)
    cells = {each.name: each for each in table.quantities()}
    return {
        row["device"]: Device(
            name=row["device"],
            available={name: int(row[column]) for name, column in _RESOURCE_COLUMNS.items()},
            static_w=cells[f"{DEVICES_TABLE}:{line}:static_w"],
        )
        for line, row in enumerate(table.rows, start=2)
    }


def _device(name: str) -> Device:
    if name not in devices():
        raise ValueError(f"device is {name!r}; allowed are {', '.join(devices())}.")
    return devices()[name]


def fits(resources: FpgaResources, device: str) -> Fit:
    """Compare what a design takes with what a device has; ValueError for an unknown device."""
    used = {name: int(getattr(resources, name)) for name in _RESOURCE_COLUMNS}

    def exhausted(candidate: Device) -> tuple[str, ...]:
        return tuple(name for name, count in used.items() if count > candidate.available[name])

    chosen = _device(device)
    smallest = next((name for name, each in devices().items() if not exhausted(each)), None)
    return Fit(
        device=device, used=used, available=chosen.available, exhausted=exhausted(chosen), smallest=smallest
    )


def _lut_ram(words: int, word_bits: int, depth: int, bits: int) -> tuple[int, int]:
    """LUTs used as memory, and those with the read multiplexer (a LUT6 chooses one of four), for one
    shape."""
    blocks = math.ceil(words / depth)
    ram = blocks * math.ceil(word_bits / bits) * _LUTS_OF_A_LUT_RAM
    return ram, ram + word_bits * math.ceil((blocks - 1) / 3)


@register("artix7")
class Artix7:
    """An Artix-7 device. `coefficients` chooses the power figures.

    "neural_network" are those of one dense MNIST network on an XC7A100T, the nearest design of which a
    report is public; "median" are the medians over public designs of every kind. Both hold at Vivado's
    default toggle rate of 12.5 %, for which `toggle_rate` stands; power of signals and logic is taken as
    proportional to it.
    """

    name = "artix7"
    kind: Literal["fpga"] = "fpga"

    def __init__(
        self,
        device: str = "XC7A100T",
        *,
        coefficients: str = "neural_network",
        toggle_rate: float | None = None,
    ) -> None:
        if coefficients not in COEFFICIENTS:
            raise ValueError(f"coefficients is {coefficients!r}; allowed are {', '.join(COEFFICIENTS)}.")
        constants = load_quantities(POWER_FILE)
        default_rate = float(constants["toggle_rate"])
        if toggle_rate is not None and not 0 <= toggle_rate <= 1:
            raise ValueError(f"toggle_rate is {toggle_rate!r}; allowed are 0 to 1 transitions a clock cycle.")
        self.device = _device(device)
        self.coefficients = coefficients
        self.toggle_rate = default_rate if toggle_rate is None else toggle_rate
        activity = self.toggle_rate / default_rate

        def per_cycle(resource: str) -> Quantity:
            return constants[f"{coefficients}_{resource}"]

        logic, signals = per_cycle("logic_j_per_lut"), per_cycle("signals_j_per_lut")
        self.lut_cost = replace(
            logic,
            name=f"{POWER_FILE}:{coefficients}_logic_and_signals_j_per_lut",
            value=(logic.value + signals.value) * activity,
            source="; ".join(dict.fromkeys((logic.source, signals.source))),
        )
        self.ff_cost = per_cycle("clocks_j_per_ff")
        self.dsp_cost = per_cycle("dsp_j_per_dsp")
        self.bram36_cost = per_cycle("bram_j_per_bram36")
        self.routing_factor = float(constants["routing_factor"])

    @property
    def static_w(self) -> float:
        return float(self.device.static_w)

    def fits(self, resources: FpgaResources) -> Fit:
        return fits(resources, self.device.name)

    def memory(self, *, words: int, word_bits: int, ports: Ports = "1rw") -> FpgaMemory:
        """Block RAM or LUT RAM for a memory, chosen as Yosys 0.70 chooses; both have two ports whatever
        `ports` says.

        An access costs the energy of the tiles (or LUTs) for one cycle. Raises ValueError naming the field.
        """
        for field, value in (("words", words), ("word_bits", word_bits)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{field} is {value!r}; allowed is an integer of 1 or more.")
        if ports not in ("1rw", "1r1w"):
            raise ValueError(f"ports is {ports!r}; allowed are 1rw, 1r1w.")
        ram_luts, luts = min(_lut_ram(words, word_bits, *shape) for shape in _LUT_RAM_SHAPES)
        halves = min(math.ceil(words / depth) * math.ceil(word_bits / bits) for depth, bits in _RAMB18_SHAPES)
        if ram_luts < _LUTS_FOR_A_RAMB18 * halves:
            taken = FpgaResources(lut=luts, lut_as_memory=ram_luts, ff=word_bits)
            energy_j = luts * self.lut_cost.value + word_bits * self.ff_cost.value
            return FpgaMemory(
                words=words,
                word_bits=word_bits,
                built_as="lut_ram",
                resources=taken,
                read_energy_j=energy_j,
                write_energy_j=energy_j,
                kind=self.lut_cost.kind,
                source=self.lut_cost.source,
            )
        taken = FpgaResources(bram36=halves // 2, bram18=halves % 2)
        energy_j = halves / 2 * self.bram36_cost.value
        return FpgaMemory(
            words=words,
            word_bits=word_bits,
            built_as="bram",
            resources=taken,
            read_energy_j=energy_j,
            write_energy_j=energy_j,
            kind=self.bram36_cost.kind,
            source=self.bram36_cost.source,
        )

    def options(self) -> dict[str, object]:
        """The arguments that make this technology again."""
        return {
            "device": self.device.name,
            "coefficients": self.coefficients,
            "toggle_rate": self.toggle_rate,
        }

    def provenance(self) -> tuple[Quantity, ...]:
        """The coefficients in use, the toggle rate, the routing factor and the device's static power."""
        used = [
            each
            for name, each in load_quantities(POWER_FILE).items()
            if name.startswith(self.coefficients) or name in ("toggle_rate", "routing_factor")
        ]
        return (*used, self.device.static_w)
