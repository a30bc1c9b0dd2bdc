"""`archsim train` of a recipe on chip, and on the engine of a design."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archsim.engine.training.mapping import TrainingLayout
from reports.cli import main
from workloads import load_recipe, read_network

RECIPE = """
name: tiny
data: synthetic
inputs: 16
layers:
  - {family: clos, outputs: 12, ingress: 4, middle: 3, egress: 4}
  - {family: FAMILY, outputs: 4}
epochs: 1
batch: 1
optimiser: {kind: sgd, momentum: 0}
rate: {peak: 0.03125, course: [1, 0.5]}
on_chip: {weight_bits: 12, rounding: stochastic}
"""
DESIGN = """
network: lenet-300-100-clos
engine: {kind: clos, pes: 4}
clock_hz: 100000000
technology: cmos65
"""


def trained(folder: Path, *, family: str = "dense", design: str = DESIGN, recipe: str = RECIPE) -> Result:
    (folder / "tiny.yaml").write_text(recipe.replace("FAMILY", family))
    (folder / "design.yaml").write_text(design)
    given = ["train", folder / "tiny.yaml", "--on", folder / "design.yaml", "--out", folder / "tiny.npz"]
    return CliRunner().invoke(main, [str(argument) for argument in given])


def test_training_on_a_design_says_what_a_step_takes_and_leaves_a_network(tmp_path: Path) -> None:
    result = trained(tmp_path)
    assert result.exit_code == 0
    recipe = load_recipe(tmp_path / "tiny.yaml").replace(on_chip={"pes": 4})
    assert recipe.on_chip
    cycles = 1 + TrainingLayout(recipe.topology(), recipe.on_chip, ("block", "dense")).sizes.cycles + 17
    assert f"a step of one sample takes {cycles:,} cycles on 4 PEs: 17 to load it" in result.output
    assert f"{cycles / 100:,.1f} us at 100 MHz" in result.output
    assert "nJ at the beginning" in result.output
    assert "for all of them (cycle)" in result.output
    assert "cut off on the way" in result.output
    network = read_network(tmp_path / "tiny.npz")
    assert network.recipe["on_chip"]["pes"] == 4


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"family": "csc, fan_in: 2"}, "tiny: stage 3 is 'csc', allowed are block and dense stages"),
        (
            {"design": DESIGN.replace("clos, pes", "eie, pes")},
            "engine.kind is 'eie', allowed are clos, csc, dense",
        ),
        ({"design": DESIGN.replace("pes: 4", "pes: 6")}, "tiny: engine.pes is 6, allowed are powers of two"),
        ({"design": DESIGN.replace("100000000", "fastest")}, "clock_hz is 'fastest', allowed are hertz"),
        ({"recipe": RECIPE.partition("on_chip")[0]}, "on_chip of tiny is missing"),
    ],
)
def test_what_does_not_train_on_a_design_is_refused(
    tmp_path: Path, changes: dict[str, str], sentence: str
) -> None:
    result = trained(tmp_path, **changes)
    assert result.exit_code == 2
    assert f"archsim: {sentence}" in " ".join(result.output.split())
