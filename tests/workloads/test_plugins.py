"""An installed package adds a family, a format and a data set with nothing here told of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MODULE = """
import numpy as np

from workloads import CscStage, networks
from workloads.data.images import ImageData
from workloads.data.registry import datasets
from workloads.families import families
from workloads.importers import importers


@families.register(
    "omega", weights=lambda n_in, n_out, *, reach: n_out * reach, examples=[(12, 9, {"reach": 3})]
)
def omega(n_in, n_out, *, reach):
    return (CscStage(n_in, n_out, reach, 1),)


class Text:
    def recognises(self, path):
        return path.suffix == ".txt"

    def load(self, path):
        return networks[path.read_text()]


importers.enter("text", Text())


@datasets.register("letters")
def letters(inputs, classes):
    images, labels = np.eye(classes, inputs, dtype=np.float32), np.arange(classes)
    return ImageData(images, labels, images, labels)
"""
USE = """
import sys
from click.testing import CliRunner
from reports.cli import main
from workloads import build_layer, load_network, parse_recipe, train
from workloads.families import layer_weights

print(build_layer("omega", 12, 9, reach=3)[0].stored_weights, layer_weights("omega", 12, 9, reach=3))
print("omega" in CliRunner().invoke(main, ["topology", "--help"]).output)
print(load_network(sys.argv[1]).name)
layers = [{"family": "omega", "outputs": 3, "reach": 4}]
recipe = {"name": "l", "data": "letters", "inputs": 9, "layers": layers, "epochs": 1, "batch": 3}
print(train(parse_recipe(recipe | {"rate": {"peak": 0.1}}), progress=False).stored_weights)
"""


def install(folder: Path) -> None:
    """A package as an installer would leave it: a module, and what its metadata announce."""
    (folder / "omega_plugin.py").write_text(MODULE)
    metadata = folder / "omega_plugin-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: omega-plugin\nVersion: 1.0\n")
    groups = ("families", "importers", "datasets")
    entries = (f"[archsim.{group}]\nomega = omega_plugin\n" for group in groups)
    (metadata / "entry_points.txt").write_text("\n".join(entries))


def test_what_an_installed_package_announces_is_found(tmp_path: Path) -> None:
    install(tmp_path)
    (tmp_path / "network.txt").write_text("lenet-300-100-csc-x40")
    path = os.pathsep.join([str(Path(__file__).parents[2]), str(tmp_path)])
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", USE, str(tmp_path / "network.txt")],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert told.stderr == ""
    assert told.stdout.splitlines() == ["27 27", "True", "lenet-300-100-csc-x40", "12"]
