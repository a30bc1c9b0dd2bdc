"""An installed package adds a family, a technology, an engine, a format, a data set, a method of pruning, an
exporter and a study: the house is told of none."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tests" / "plugin" / "archsim_example"
PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
USE = """
import archsim as a
from archsim.verification import verify
from reports.export import exporters
from reports.studies import studies

print(len(a.build_layer("omega", 8, 8)), "omega" in a.families)
design = a.DesignPoint(network="named.txt", engine={"kind": "countdown"}, technology="dry65")
print(verify(design.mapping).agrees)
counted, mapped = design.simulate("cycle"), design.simulate("gate")
print(counted.energy_j, "calibrated" in counted.missing["energy_j"], mapped.energy_j > 0, mapped.area_mm2 > 0)
print(a.DesignPoint.model_validate(design.model_dump()) == design)
print("countdown-2026" in studies, "dry65" in a.technologies, "countdown" in a.engines)
schema = str(a.DesignPoint.model_json_schema())
print("countdown" in schema, "dry65" in schema)
print("header" in exporters)
"""

DESIGN = "{network: lenet-300-100-csc-x40, engine: {kind: csc, pes: 4}, technology: cmos65}"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the package, from a wheel."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = folder / "archsim_example-1.0-py3-none-any.whl"
    announced = "".join(
        f"[{group}]\n" + "".join(f"{name} = {module}\n" for name, module in entries.items())
        for group, entries in PROJECT["entry-points"].items()
    )
    about = {
        "METADATA": "Metadata-Version: 2.1\nName: archsim-example\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: archsim\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "entry_points.txt": announced,
    }
    files = {f"archsim_example/{path.name}": path.read_text() for path in PACKAGE.iterdir() if path.is_file()}
    files |= {f"archsim_example-1.0.dist-info/{name}": text for name, text in about.items()}
    record = io.StringIO()
    csv.writer(record).writerows((name, "", "") for name in [*files, "archsim_example-1.0.dist-info/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in (files | {"archsim_example-1.0.dist-info/RECORD": record.getvalue()}).items():
            archive.writestr(name, text)
    target = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target"]
    subprocess.run([*command, str(target), str(wheel)], check=True, capture_output=True)
    return target


def run(installed: Path, folder: Path, *command: str) -> str:
    """What a command prints where the package is installed; it says nothing else."""
    path = os.pathsep.join([str(ROOT), str(installed)])
    done = subprocess.run(
        [sys.executable, "-W", "error", *command],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_an_installed_package_announces_works_everywhere(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "named.txt").write_text("lenet-300-100-dense")
    said = run(installed, tmp_path, "-c", USE).splitlines()
    assert said == [
        "3 True",
        "True",
        "None True True True",
        "True",
        "True True True",
        "True True",
        "True",
    ]


def test_the_command_line_knows_what_an_installed_package_announces(installed: Path, tmp_path: Path) -> None:
    assert "omega" in run(installed, tmp_path, "-m", "archsim", "topology", "--help")
    layer = ("omega", "--in", "16", "--out", "16", "--json")
    assert '"parameters": 128' in run(installed, tmp_path, "-m", "archsim", "topology", *layer)
    assert "countdown-2026" in run(installed, tmp_path, "-m", "archsim", "reproduce", "--help")
    page = run(installed, tmp_path, "-m", "archsim", "reproduce", "countdown-2026", "--out", "pages")
    assert "cycles" in page
    assert (tmp_path / "pages" / "countdown-2026" / "index.html").exists()
    (tmp_path / "design.yaml").write_text(DESIGN)
    run(installed, tmp_path, "-m", "archsim", "export", "design.yaml", "--out", "engine", "--inputs", "1")
    assert "#define ARCHSIM_PES 4" in (tmp_path / "engine" / "archsim.h").read_text()


def test_a_data_set_of_an_installed_package_trains(installed: Path, tmp_path: Path) -> None:
    recipe = (
        "{name: l, data: letters, inputs: 9, epochs: 1, batch: 3, rate: {peak: 0.1}, "
        "layers: [{family: csc, outputs: 3, fan_in: 3}]}"
    )
    (tmp_path / "l.yaml").write_text(recipe)
    assert "stored weights" in run(installed, tmp_path, "-m", "archsim", "train", "l.yaml")


def test_a_method_of_pruning_of_an_installed_package_trains(installed: Path, tmp_path: Path) -> None:
    recipe = (
        "{name: l, data: letters, inputs: 9, epochs: 3, batch: 3, rate: {peak: 0.1}, "
        "layers: [{family: dense, outputs: 3}], pruning: {method: every-other, events: 1}}"
    )
    (tmp_path / "l.yaml").write_text(recipe)
    assert "15" in run(installed, tmp_path, "-m", "archsim", "train", "l.yaml")


def test_a_package_that_cannot_be_loaded_is_named_and_harms_nothing(tmp_path: Path) -> None:
    about = tmp_path / "broken-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[archsim.families]\nlost = nowhere_to_be_found\n")
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    done = subprocess.run(
        [sys.executable, "-c", "import archsim as a; print('csc' in a.families)"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.stdout == "True\n"
    assert "family lost of nowhere_to_be_found cannot be loaded: No module named" in done.stderr
