"""Deep linear cascades as data: what becomes of a signal at the start, and whether training follows.

`data/linear_cascades.csv` holds a line for every depth, start and seed, at the learning rate that
suits the depth and start best.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from importlib import resources
from pathlib import Path

from reports.studies.topologies.cascades import depth_study
from reports.studies.topologies.trainings import images_of
from workloads import build_layer

FILE = "linear_cascades.csv"
WIDTH = 64
FAN_IN = 4
RATES = (3e-3, 1e-2)
STEPS = 400


@dataclass(frozen=True)
class CascadeRun:
    """A cascade with a read-out, trained on MNIST of 8 x 8 pixels for some hundred steps.

    `signal` and `gradient` are the expected energies behind all stages over those before them, exact;
    `measured_signal` is that of this seed. `accuracy` is on all test images.
    """

    depth: int
    init: str
    seed: int
    signal: float
    gradient: float
    measured_signal: float
    rate: float
    loss: float
    accuracy: float


def train_cascades(*, progress: bool = True) -> list[CascadeRun]:
    """Both starts at every depth from 1 to 64, trained where they are not remembered."""
    layer = build_layer("csc", WIDTH, WIDTH, fan_in=FAN_IN)
    study = depth_study(layer, images_of("mnist-8"), rates=RATES, steps=STEPS, progress=progress)
    return [
        CascadeRun(
            depth=each.depth,
            init=each.init,
            seed=run.seed,
            signal=each.expected_signal,
            gradient=each.expected_gradient,
            measured_signal=signal,
            rate=run.rate,
            loss=run.loss,
            accuracy=run.accuracy,
        )
        for each in study
        for run, signal in zip(each.runs, each.measured_signal, strict=True)
    ]


def of_init(runs: Iterable[CascadeRun], init: str) -> dict[int, list[CascadeRun]]:
    """The runs with one start, by depth."""
    found: dict[int, list[CascadeRun]] = {}
    for one in runs:
        if one.init == init:
            found.setdefault(one.depth, []).append(one)
    return found


def shipped_cascades() -> list[CascadeRun]:
    """The runs that come with the package."""
    text = (resources.files("reports.studies.topologies") / "data" / FILE).read_text(encoding="utf-8")
    return [_run(line) for line in csv.DictReader(text.splitlines())]


def write_cascades(runs: Iterable[CascadeRun], path: Path) -> None:
    """Writes the file that :func:`shipped_cascades` reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [each.name for each in fields(CascadeRun)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(one) for one in runs)


def _run(line: Mapping[str, str]) -> CascadeRun:
    figures = [float(line[each.name]) for each in fields(CascadeRun)[3:]]
    return CascadeRun(int(line["depth"]), line["init"], int(line["seed"]), *figures)
