"""Reads how long the longest path of a routed design is from the report of the tool that routed it: the text
that Vivado's `report_timing_summary` writes, or the JSON that nextpnr writes with `--report`.

A report does not say of which design it is, as far as archsim could tell: it holds for the design that it was
made of, and whoever names it beside another design gets the path of the first. nextpnr's does not say either
whether the design was routed or only placed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from archsim.technology.fpga.vivado_report import ReportError, changed_ns, header_of
from workloads.text_files import decoded

OPTION = "timing_report"
_ALLOWED = "the text of Vivado's report_timing_summary or nextpnr's JSON report"
_PART = re.compile(r"(?:xc)?(7[akz]\d+t?)", re.IGNORECASE)
_CLOCK = re.compile(r"^\s*\S+\s+\{[-\d. ]+\}\s+([\d.]+)\s+[\d.]+\s*$", re.MULTILINE)
_SLACK = re.compile(r"^\s*WNS\(ns\).*\n[-\s]+\n\s*(\S+)", re.MULTILINE)
_NET = re.compile(r"^\s*net \(fo=\d+, (\w+)\)", re.MULTILINE)
"""A net of a path, and how far it has come: unplaced, estimated or routed."""


@dataclass(frozen=True, kw_only=True)
class TimingReport:
    """The longest path of a design in seconds, on which `device` (None where the report does not say) and by
    which tool it was found."""

    file: str
    tool: str
    path_s: float
    design: str = "a design"
    device: str | None = None

    @property
    def source(self) -> str:
        """What stands beside the figure."""
        lies_on = f" on {self.device}" if self.device else ""
        return f"{self.tool} timing of {self.design}{lies_on}, routed ({self.file})"


def read_timing_report(path: str | Path) -> TimingReport:
    """Read a report from a file, once. Raises ReportError with the path and the reason."""
    return _read(Path(path), changed_ns(path, OPTION))


@lru_cache(maxsize=64)
def _read(file: Path, changed: int) -> TimingReport:
    return parse_timing_report(decoded(file.read_bytes(), errors="replace"), file=file.name)


def parse_timing_report(text: str, *, file: str = "text") -> TimingReport:
    """What a report says. Raises ReportError for anything but one of a routed design with one clock."""
    text = "\n".join(text.splitlines())
    return _of_nextpnr(text, file) if text.lstrip().startswith("{") else _of_vivado(text, file)


def _refused(file: str, why: str, allowed: str) -> ReportError:
    return ReportError(f"{OPTION} is {file!r}, {why}, allowed is {allowed}")


def _of_vivado(text: str, file: str) -> TimingReport:
    header, slack = header_of(text), _SLACK.search(text)
    if "Device" not in header or slack is None:
        raise _refused(file, "which has no worst negative slack (WNS)", _ALLOWED)
    if not _is_number(slack[1]):
        raise _refused(
            file,
            f"whose WNS is {slack[1]}",
            "a report of a design with a constrained clock, whose WNS is known",
        )
    if state := _unrouted(text, header):
        raise _refused(file, f"whose design is {state}", "a report of a routed design")
    period_ns = _one_period_ns(text, file)
    part = _PART.match(header["Device"])
    return TimingReport(
        file=file,
        tool=" ".join(header.get("Tool Version", "Vivado").replace("v.", "").split()[:2]),
        path_s=_positive_s(1e-9 * (period_ns - float(slack[1])), file),
        design=header.get("Design", "a design"),
        device=f"XC{part[1].upper()}" if part else header["Device"],
    )


def _unrouted(text: str, header: Mapping[str, str]) -> str:
    """How far a design has come that is not routed; empty for one that is. Older versions of Vivado do not
    say so in the header, but beside the nets of each path."""
    if state := header.get("Design State", ""):
        return "" if state.lower() in ("routed", "physopt postroute") else state
    nets = set(_NET.findall(text)) - {"unset"}
    shown = ", ".join(sorted(nets)) or "not shown"
    return "" if nets == {"routed"} else f"not said to be routed (its nets are {shown})"


def _one_period_ns(text: str, file: str) -> float:
    periods = sorted(set(map(float, _CLOCK.findall(text))))
    if len(periods) != 1:
        listed = ", ".join(f"{period:g}" for period in periods)
        why = f"whose design has clocks of {listed} ns" if periods else "whose design has no clock"
        raise _refused(file, why, "a report of a design with one clock period")
    return periods[0]


def _of_nextpnr(text: str, file: str) -> TimingReport:
    try:
        told = json.loads(text)
        clocks = {name: float(clock["achieved"]) for name, clock in told["fmax"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _refused(file, "which tells no fastest clock (fmax)", _ALLOWED) from None
    if len(clocks) != 1:
        why = f"whose design has {len(clocks) or 'no'} clocks"
        raise _refused(file, why, "a report of a design with one clock")
    achieved_mhz = next(iter(clocks.values()))
    path_s = 1e-6 / achieved_mhz if achieved_mhz else 0.0
    return TimingReport(file=file, tool="nextpnr", path_s=_positive_s(path_s, file))


def _positive_s(path_s: float, file: str) -> float:
    if not 0 < path_s < 1:
        raise _refused(file, f"whose longest path is {path_s:g} s", "a path of more than 0 and less than 1 s")
    return path_s


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", cell) is not None
