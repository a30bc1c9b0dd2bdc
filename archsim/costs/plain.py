"""A result as plain values: all that it tells, in SI units, which the names say."""

from __future__ import annotations

import functools
import math
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.costs.result import Result

FORMAT, FORMAT_VERSION = "archsim result", 1
"""The version rises where a name goes or means something else; names may be added."""

FIGURES = (
    *("cycles", "load_cycles", "interval_cycles", "latency_s", "interval_s", "inferences_per_s"),
    *("energy_j", "power_w", "dynamic_power_w", "leakage_w"),
)
"""The figures that a result as plain values begins with."""

TRAFFIC = ("words_read", "words_written", "word_bits", "bits_read", "bits_written")
"""What they tell of the traffic of a memory."""

BY_COMPONENT = ("energy_j", "leakage_w", "area_mm2")
"""The metrics that they tell by component too."""


def heading(format_name: str = FORMAT) -> dict[str, Any]:
    """What plain values of ours begin with: what they are, and who wrote them."""
    return {
        "format": format_name,
        "format_version": FORMAT_VERSION,
        "archsim_version": metadata.version("archsim"),
        "commit": commit(),
    }


@functools.cache
def commit(root: Path = Path(__file__).parents[2]) -> str | None:
    """The commit of the checkout that archsim runs from; None where it runs from no checkout."""
    try:
        place = root / ".git"
        if place.is_file():  # a further working tree says where its own state lies
            place = root / place.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        head = (place / "HEAD").read_text(encoding="utf-8").strip()
        name = head.removeprefix("ref:").strip()
        if name == head:
            return head
        common = place / "commondir"
        shared = place / common.read_text(encoding="utf-8").strip() if common.is_file() else place
        loose = shared / name
        if loose.is_file():
            return loose.read_text(encoding="utf-8").strip()
        packed = (shared / "packed-refs").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)


def plain(result: Result) -> dict[str, Any]:
    """The result as `simulate --json` prints it. What cannot be had at its clock is said first."""
    values = {
        **heading(),
        "clock_met": result.clock_met,
        "beyond_critical_path": list(result.beyond_critical_path),
        "warnings": list(result.warnings),
        "fidelity": result.fidelity,
        "exact": result.exact,
        "clock_hz": result.clock_hz,
        **{name: getattr(result, name) for name in FIGURES},
        "critical_path_s": result.critical_path_s,
        "macs": result.macs,
        "padding_macs": result.counts.padding,
        "stall_cycles": result.counts.stalls,
        "bounds": {name: list(ends) for name, ends in result.counts.bounds.items()},
        "stored_weights": result.stored_weights,
        "stored_bits": {**asdict(result.stored_bits), "total": result.stored_bits.total},
        "compression": result.compression if math.isfinite(result.compression) else None,
        "accuracy": result.accuracy,
        "stimulus": result.stimulus,
        "traffic": {
            role: {name: getattr(words, name) for name in TRAFFIC} for role, words in result.traffic.items()
        },
        "fit_error": {name: asdict(error) for name, error in result.fit_error.items()},
        "placing_error": {name: asdict(error) for name, error in result.placing_error.items()},
        "technology_error": {name: asdict(ends) for name, ends in result.technology_error.items()},
        "assumed": list(result.assumed),
        "design": dict(result.design),
        "stages": [asdict(stage) for stage in result.counts.stages],
        "components": {metric: result.by_component(metric) for metric in _of_components(result)},
        "critical_path": list(result.critical_path),
    }
    if result.missing:
        values["missing"] = dict(result.missing)
    if result.is_asic:
        return values | {"area_mm2": result.area_mm2}
    unknown = dict.fromkeys(result.unknown_resources)
    taken = {part: dict(resources) for part, resources in result.bill.resources.items()}
    return values | {
        "resources": unknown | dict(result.resources or {}),
        "components": values["components"] | {"resources": taken},
    }


def _of_components(result: Result) -> list[str]:
    told = [*BY_COMPONENT] if result.is_asic else ["energy_j"]
    return [metric for metric in told if metric not in result.missing]
