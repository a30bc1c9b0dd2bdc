"""Keeps the figures of a run of the benchmarks for the documentation: `make bench` does, and `make tables`
shows them in docs/performance.md."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

BESIDE = ("points_per_s", "cells", "wire_m")
"""What is kept of a benchmark beside its times, where it says so."""
LEAST_SIZES = 4
TARGET = Path(__file__).parents[2] / "docs" / "performance.json"


def kept(run: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a run as pytest-benchmark writes it: times in seconds, and on what; `load` is the mean
    number of processes that wanted a core in the last quarter of an hour."""
    machine = run["machine_info"]
    figures = [
        {
            "group": entry["group"],
            "case": entry["param"] or "",
            "minimum_s": entry["stats"]["min"],
            "median_s": entry["stats"]["median"],
            "rounds": entry["stats"]["rounds"],
            **{name: told for name in BESIDE if (told := entry["extra_info"].get(name))},
        }
        for entry in run["benchmarks"]
    ]
    return {
        "format": "archsim performance",
        "version": 1,
        "archsim": version("archsim"),
        "command": "make bench",
        "date": run["datetime"][:10],
        "processor": machine.get("cpu", {}).get("brand_raw") or platform.machine(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[2], 1),
        "python": machine["python_version"],
        "figures": figures,
        "exponents": exponents(figures),
    }


def exponents(figures: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """For each group whose cases are netlists of so many `cells`: by which power of that the time and the
    wire grow, by least squares of logarithms, and between how many cells. Of fewer than four cases nothing
    is said."""
    made = {}
    for group in dict.fromkeys(figure["group"] for figure in figures if "cells" in figure):
        rows = [figure for figure in figures if figure["group"] == group]
        cells = [row["cells"] for row in rows]
        if len(set(cells)) >= LEAST_SIZES:
            made[group] = {
                "least_cells": min(cells),
                "most_cells": max(cells),
                **{name: _slope(cells, [row[name] for row in rows]) for name in ("minimum_s", "wire_m")},
            }
    return made


def _slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    slope, _ = np.polyfit(np.log(sizes), np.log(values), 1)
    return float(slope)


def main() -> None:
    run = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    told = kept(run)
    TARGET.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for group, powers in told["exponents"].items():
        print(f"{group}: time as cells ^ {powers['minimum_s']:.2f}, wire as cells ^ {powers['wire_m']:.2f}")


if __name__ == "__main__":
    main()
