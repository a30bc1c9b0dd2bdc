"""Keeps the figures of a run of the benchmarks for the documentation: `make bench` does, and `make tables`
shows them in docs/performance.md."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

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
            **({"points_per_s": rate} if (rate := entry["extra_info"].get("points_per_s")) else {}),
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
    }


def main() -> None:
    run = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    TARGET.write_text(json.dumps(kept(run), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
