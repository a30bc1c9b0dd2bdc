"""Reads the text that Vivado's `report_power` writes for an Artix-7 design: what was used, and what it burns.

Needed are the header (device), table 1.1 On-Chip Components (power and count of each kind) and table 2.2
Clock Constraints (the period). A report without a single clock says nothing about energy for each cycle and
is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from workloads.refusal import Refusal
from workloads.text_files import decoded

RESOLUTION_W = 0.001
"""The least power that a report prints; below it stands <0.001."""

_POWER_ROWS = {
    "clocks": "Clocks",
    "logic": "Slice Logic",
    "signals": "Signals",
    "bram": "Block RAM",
    "dsp": "DSPs",
}
_COUNT_ROWS = {
    "lut": ("LUT as Logic", "LUT as Distributed RAM", "LUT as Shift Register"),
    "ff": ("Register",),
    "bram36": ("Block RAM",),
    "dsp": ("DSPs",),
}
_ARTIX7 = re.compile(r"(xc7a(?:12|15|25|35|50|75|100|200)t)", re.IGNORECASE)
_COMPONENTS = "1.1 On-Chip Components"
_CLOCKS = "2.2 Clock Constraints"


class ReportError(Refusal):
    """A file is no report as it is wanted, of power or of timing; the message says why in one sentence."""


@dataclass(frozen=True, kw_only=True)
class VivadoReport:
    """One power report: fabric power in W by kind (None where it is below the resolution, absent where the
    report has no such row), resource counts, clock and static power."""

    file: str
    tool: str
    design: str
    device: str
    clock_hz: float
    power_w: Mapping[str, float | None]
    counts: Mapping[str, float]
    static_w: float
    junction_c: float | None

    @property
    def source(self) -> str:
        """What stands beside every figure taken from it."""
        return (
            f"{self.tool} report_power of {self.design} on {self.device} at {self.clock_hz / 1e6:g} MHz "
            f"({self.file})"
        )


def changed_ns(path: str | Path, option: str) -> int:
    """When the report that an option names was last changed. Raises ReportError with the path where it cannot
    be read."""
    try:
        with open(path, "rb") as file:
            return os.fstat(file.fileno()).st_mtime_ns
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", error)
        raise ReportError(
            f"{option} is {str(path)!r}, which cannot be read ({why}), allowed is the path of a report"
        ) from None


def read_power_report(path: str | Path) -> VivadoReport:
    """Read a report from a file, once. Raises ReportError with the path and the reason."""
    return _read(Path(path), changed_ns(path, "power_report"))


@lru_cache(maxsize=64)
def _read(file: Path, changed: int) -> VivadoReport:
    return parse_power_report(decoded(file.read_bytes(), errors="replace"), file=file.name)


def parse_power_report(text: str, *, file: str = "text") -> VivadoReport:
    """What a report says. Raises ReportError for anything but a single-clock Artix-7 power report."""

    def refused(why: str, allowed: str) -> ReportError:
        return ReportError(f"power_report is {file!r}, {why}, allowed is {allowed}")

    text = "\n".join(text.splitlines())
    header = header_of(text)
    components = {row[0]: row[1:] for row in _table(text, _COMPONENTS) if len(row) > 2}
    if "Device" not in header or not {"Slice Logic", "Static Power"} <= components.keys():
        raise refused(
            "which has no table of on-chip components", "the text that Vivado's report_power writes"
        )
    family = _ARTIX7.match(header["Device"])
    if family is None:
        raise refused(
            f"whose device is {header['Device']}", "a report of an Artix-7 device, xc7a12t to xc7a200t"
        )
    periods_ns = sorted({_number(row[-1]) for row in _table(text, _CLOCKS) if _is_number(row[-1])})
    if not periods_ns:
        raise refused("whose design has no clock constraint", "a report of a design with a constrained clock")
    if len(periods_ns) > 1:
        listed = ", ".join(f"{period:g}" for period in periods_ns)
        raise refused(f"whose design has clocks of {listed} ns", "a report of a design with one clock period")
    junction = re.search(r"Junction Temperature \(C\) *\| *([\d.]+)", text)
    return VivadoReport(
        file=file,
        tool=" ".join(header.get("Tool Version", "Vivado").replace("v.", "").split()[:2]),
        design=header.get("Design", "a design"),
        device=family.group(1).upper(),
        clock_hz=1e9 / periods_ns[0],
        power_w={kind: _watts(components[row][0]) for kind, row in _POWER_ROWS.items() if row in components},
        counts={
            name: sum(_number(components[row][1]) for row in rows if row in components)
            for name, rows in _COUNT_ROWS.items()
        },
        static_w=_number(components["Static Power"][0]),
        junction_c=float(junction.group(1)) if junction else None,
    )


def header_of(text: str) -> dict[str, str]:
    """What the head of a report says of tool, design and device."""
    return dict(re.findall(r"^\| *(\w[\w ]*?) *: (.*?) *$", text, re.MULTILINE))


def _table(text: str, title: str) -> list[list[str]]:
    """The rows of the table under a section's title, which the table of contents names as well."""
    section = re.search(rf"^{re.escape(title)}\s*\n-+\s*\n(.*?)(?=^\d\.|\Z)", text, re.MULTILINE | re.DOTALL)
    if section is None:
        return []
    lines = [line for line in section.group(1).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", cell) is not None


def _number(cell: str) -> float:
    return float(cell) if _is_number(cell) else 0.0


def _watts(cell: str) -> float | None:
    return None if cell.startswith("<") else _number(cell)
