"""The experiments behind the studies of topologies: those shipped as data, or run anew.

`archsim experiments --out FOLDER` runs whatever is not remembered and writes the data files; an interrupted
run goes on where it stopped.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from reports.studies.topologies import cascade_runs, measures, runs
from reports.studies.topologies.cascade_runs import CascadeRun, shipped_cascades, train_cascades
from reports.studies.topologies.files import write_records
from reports.studies.topologies.measures import Measures, measure_all, shipped_measures
from reports.studies.topologies.plan import plan
from reports.studies.topologies.runs import Run, shipped_runs, train_all, write_runs
from reports.studies.topologies.trainings import CODE_VERSION
from workloads.files import write_text
from workloads.strict_yaml import dump_yaml

DESCRIPTION = "experiments.yaml"
PACKAGES = ("numpy", "scipy", "numba")


@dataclass(frozen=True)
class Experiments:
    """Trained networks, measures of their topologies, and deep linear cascades."""

    runs: Sequence[Run]
    measures: Sequence[Measures]
    cascades: Sequence[CascadeRun]


def shipped() -> Experiments:
    """The experiments that come with the package."""
    return Experiments(shipped_runs(), shipped_measures(), shipped_cascades())


def anew(*, processes: int = 1, progress: bool = True) -> Experiments:
    """The experiments run here, but for what is remembered of earlier runs."""
    planned = plan()
    return Experiments(
        train_all(planned, processes=processes, progress=progress),
        measure_all(planned, progress=progress),
        train_cascades(progress=progress),
    )


def description(experiments: Experiments) -> dict[str, Any]:
    """What the data files hold, how it came about, and the versions of what it came about with."""
    groups = {}
    for group in dict.fromkeys(one.group for one in experiments.runs):
        members = [one for one in experiments.runs if one.group == group]
        groups[group] = {
            "images": members[0].images,
            "networks": len({(one.label, one.budget) for one in members}),
            "seeds": sorted({one.seed for one in members}),
            "epochs": members[0].settings["epochs"],
            "cpu_s": round(sum(one.outcome.cpu_s for one in members)),
        }
    return {
        "files": {
            runs.FILE: "a line a training: MNIST, float32, accuracies as shares, the recipe as JSON",
            measures.FILE: "a line a topology: paths, constraints solved, degrees of freedom",
            cascade_runs.FILE: "a line a deep linear cascade: energies at the start, loss and accuracy",
        },
        "kind": "measured here",
        "command": "archsim experiments --out FOLDER",
        "groups": groups,
        "code_version": CODE_VERSION,
        "versions": {"python": platform.python_version(), "blas": _blas()} | _versions(),
    }


def _versions() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES}


def _blas() -> str:
    blas: Any = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{blas['name']} {blas['version']}"


def run_and_write(folder: Path, *, processes: int = 1) -> list[Path]:
    """Runs the experiments and writes their data files into a folder; the paths of these."""
    experiments = anew(processes=processes)
    write_runs(experiments.runs, folder / runs.FILE)
    write_records(folder / measures.FILE, Measures, experiments.measures)
    write_records(folder / cascade_runs.FILE, CascadeRun, experiments.cascades)
    text = dump_yaml(description(experiments))
    write_text(folder / DESCRIPTION, text)
    return [folder / name for name in (runs.FILE, measures.FILE, cascade_runs.FILE, DESCRIPTION)]
