"""What each Artix-7 device holds, what a design takes of it, and what it burns while nothing switches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache

from archsim.technology.quantity import Quantity, load_table

DEVICES_TABLE = "artix7_devices.csv"
_RESOURCE_COLUMNS = {
    "lut": "lut6",
    "lut_as_memory": "lut_as_memory",
    "ff": "ff",
    "dsp": "dsp48e1",
    "bram36_tiles": "bram36",
}


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

    def __add__(self, other: FpgaResources) -> FpgaResources:
        return FpgaResources(**{name: value + getattr(other, name) for name, value in asdict(self).items()})

    def __mul__(self, instances: int) -> FpgaResources:
        return FpgaResources(**{name: value * instances for name, value in asdict(self).items()})


@dataclass(frozen=True, kw_only=True)
class Device:
    """One Artix-7 part: how much it holds, by the names of `FpgaResources`, and its static power.

    Static power is that of a typical part at 25 C ambient, whose junction, `static_junction_c`, is hardly
    warmer. It grows with the junction: the reports give an XC7A35T 1.6 times as much at 65 C and 3.8 times
    at 103 C.
    """

    name: str
    available: Mapping[str, int]
    static_w: Quantity
    static_junction_c: float


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Whether a design fits a device; `exhausted` names all that ran out, `smallest` the least device that
    would do."""

    device: str
    used: Mapping[str, int]
    available: Mapping[str, int]
    exhausted: tuple[str, ...]
    smallest: str | None

    @property
    def fits(self) -> bool:
        return not self.exhausted

    @property
    def shortage(self) -> str:
        """All that ran out, with counts, and the device that would do; empty for a design that fits."""
        if self.fits:
            return ""
        missing = " and ".join(
            f"{self.available[name]} {name} where the design needs {self.used[name]}"
            for name in self.exhausted
        )
        would_do = (
            f"the smallest device that would do is {self.smallest}" if self.smallest else "no device would do"
        )
        return f"{missing}; {would_do}"


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
            static_junction_c=float(row["static_junction_c"]),
        )
        for line, row in enumerate(table.rows, start=2)
    }


def find_device(name: str) -> Device:
    """The device of this name; ValueError for an unknown one."""
    if name not in devices():
        raise ValueError(f"device is {name!r}; allowed are {', '.join(devices())}.")
    return devices()[name]


def fits(resources: FpgaResources, device: str) -> Fit:
    """Compare what a design takes with what a device has; ValueError for an unknown device."""
    used = {name: int(getattr(resources, name)) for name in _RESOURCE_COLUMNS}

    def exhausted(candidate: Device) -> tuple[str, ...]:
        return tuple(name for name, count in used.items() if count > candidate.available[name])

    chosen = find_device(device)
    return Fit(
        device=device,
        used=used,
        available=chosen.available,
        exhausted=exhausted(chosen),
        smallest=next((name for name, each in devices().items() if not exhausted(each)), None),
    )
