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

from reports.studies.topologies import cascade_runs, growing, runs
from reports.studies.topologies.bed import measures as bed_measures, runs as bed_runs
from reports.studies.topologies.bed.bed import beds
from reports.studies.topologies.bed.measures import BedMeasures, measure_beds, shipped_measures
from reports.studies.topologies.bed.runs import BedRun, shipped_bed, train_beds
from reports.studies.topologies.cascade_runs import CascadeRun, shipped_cascades, train_cascades
from reports.studies.topologies.files import write_records
from reports.studies.topologies.plan import plan
from reports.studies.topologies.runs import Run, shipped_runs, train_all, write_runs
from reports.studies.topologies.trainings import CODE_VERSION
from workloads.files import write_text
from workloads.strict_yaml import dump_yaml

DESCRIPTION = "experiments.yaml"
PACKAGES = ("numpy", "scipy", "numba")


@dataclass(frozen=True)
class Experiments:
    """Trained networks; the layers of the bed, trained and measured; deep linear cascades; and networks that
    grow, with those beside them."""

    runs: Sequence[Run]
    bed: Sequence[BedRun]
    measures: Sequence[BedMeasures]
    cascades: Sequence[CascadeRun]
    growing: Sequence[Run] = ()


def shipped() -> Experiments:
    """The experiments that come with the package."""
    return Experiments(
        shipped_runs(),
        shipped_bed(),
        shipped_measures(),
        shipped_cascades(),
        shipped_runs(growing.FILE),
    )


def anew(*, processes: int = 1, progress: bool = True) -> Experiments:
    """The experiments run here, but for what is remembered of earlier runs."""
    return Experiments(
        train_all(plan(), processes=processes, progress=progress),
        train_beds(beds(), processes=processes, progress=progress),
        measure_beds(beds(), progress=progress),
        train_cascades(progress=progress),
        train_all(growing.growing(), processes=processes, progress=progress),
    )


def description(experiments: Experiments) -> dict[str, Any]:
    """What the data files hold, how it came about, and the versions of what it came about with."""
    groups = {}
    trained = [*experiments.runs, *experiments.growing]
    for group in dict.fromkeys(one.group for one in trained):
        members = [one for one in trained if one.group == group]
        groups[group] = {
            "images": members[0].images,
            "networks": len({(one.label, one.budget) for one in members}),
            "seeds": sorted({one.seed for one in members}),
            "epochs": members[0].settings["epochs"],
            "cpu_s": round(sum(one.outcome.cpu_s for one in members)),
        }
    return {
        "files": {
            runs.FILE: "a line a training: float32, accuracies as shares, the recipe as JSON",
            bed_runs.FILE: "a line a training of a square layer of the bed: accuracies as shares",
            bed_measures.FILE: "a line a layer of the bed: paths, constraints, degrees of freedom, errors",
            growing.FILE: "the same of networks that grow, and of those beside them",
            cascade_runs.FILE: "a line a deep linear cascade: energies at the start, loss and accuracy",
        },
        "kind": "measured here",
        "command": "archsim experiments --out FOLDER",
        "groups": groups,
        "bed": {"runs": len(experiments.bed), "cpu_s": round(sum(one.cpu_s for one in experiments.bed))},
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
    write_runs(experiments.growing, folder / growing.FILE)
    write_records(folder / bed_runs.FILE, BedRun, experiments.bed)
    write_records(folder / bed_measures.FILE, BedMeasures, experiments.measures)
    write_records(folder / cascade_runs.FILE, CascadeRun, experiments.cascades)
    text = dump_yaml(description(experiments))
    write_text(folder / DESCRIPTION, text)
    files = (runs.FILE, growing.FILE, bed_runs.FILE, bed_measures.FILE, cascade_runs.FILE, DESCRIPTION)
    return [folder / name for name in files]
