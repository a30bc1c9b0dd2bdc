"""Experiments: a cell is trained once, what was trained survives an interrupt, and outcomes repeat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from reports.cli import main
from reports.studies.topologies import experiments, trainings
from reports.studies.topologies.trainings import Cell, Outcome, recipe_values, run, shrink, train_on
from tests.workloads.synthetic import dense_layers, patches, recipe
from workloads import Recipe


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Recipe]:
    """What was really trained: cells see the patches in place of MNIST, and an empty cache."""
    seen: list[Recipe] = []

    def watched(one: Recipe, data: Any) -> Outcome:
        seen.append(one)
        return train_on(one, data)

    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path))
    monkeypatch.setattr(trainings, "images_of", lambda images: patches())
    monkeypatch.setattr(trainings, "train_on", watched)
    return seen


def cells(count: int) -> list[Cell]:
    return [Cell(recipe(seed=seed, epochs=2, hold_out=50)) for seed in range(count)]


def test_a_cell_is_trained_once(trained: list[Recipe]) -> None:
    first = run(cells(3), progress=False)
    assert [each.seed for each in trained] == [0, 1, 2]
    assert run(cells(3), progress=False) == first
    assert len(trained) == 3


def test_an_interrupted_experiment_goes_on_where_it_stopped(
    trained: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trainings.train_on

    def interrupted(one: Recipe, data: Any) -> Outcome:
        if one.seed == 2:
            raise KeyboardInterrupt
        return whole(one, data)

    with monkeypatch.context() as patched:
        patched.setattr(trainings, "train_on", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(cells(4), progress=False)
    assert [each.seed for each in trained] == [0, 1]
    run(cells(4), progress=False)
    assert [each.seed for each in trained] == [0, 1, 2, 3]


def test_outcomes_repeat_and_follow_the_recipe() -> None:
    one, again = (train_on(recipe(epochs=3, hold_out=50), patches()) for _ in range(2))
    assert one.test_accuracy == again.test_accuracy
    assert one.validation_accuracy == again.validation_accuracy
    other = train_on(recipe(epochs=3, hold_out=50, seed=12), patches())
    assert one != other


def test_stored_weights_are_those_after_pruning() -> None:
    pruned = recipe(layers=dense_layers(), pruning={"stored_weights": 100}, epochs=2)
    outcome = train_on(pruned, patches())
    assert outcome.stored_weights == 100
    assert outcome.dense_weights == 36 * 16 + 16 * 4


def test_a_training_that_leaves_the_finite_numbers_has_no_accuracy() -> None:
    wild = recipe(optimiser={"kind": "sgd", "momentum": 0.9}, rate={"peak": 1e30, "course": "constant"})
    assert train_on(wild, patches()).test_accuracy is None


def test_the_key_is_of_what_decides_the_outcome_and_of_nothing_else() -> None:
    cell = Cell(recipe(name="one"))
    assert cell.key == Cell(recipe(name="another")).key
    assert cell.key == Cell(recipe(name="one", shift_pixels=0)).key
    others = [Cell(recipe(seed=12)), Cell(recipe(epochs=31)), Cell(recipe(), "mnist-8")]
    assert len({cell.key, *(other.key for other in others)}) == 4


def test_a_recipe_comes_back_from_its_values() -> None:
    one = recipe(pruning={"stored_weights": 100}, layers=dense_layers())
    assert Recipe.model_validate(recipe_values(one) | {"name": one.name}) == one


@pytest.mark.parametrize("side", [8, 16])
def test_shrunk_images_keep_their_ink(side: int) -> None:
    images = np.random.default_rng(3).random((5, 784), dtype=np.float32)
    small = shrink(images, side)
    assert small.shape == (5, side * side)
    np.testing.assert_allclose(small.sum(axis=1) * (32 / side) ** 2, images.sum(axis=1), rtol=1e-5)


def test_an_accuracy_is_a_share() -> None:
    with pytest.raises(ValueError, match=r"test_accuracy of an outcome is 97.5, allowed are 0 to 1"):
        Outcome(1, 1, None, 97.5, 0.0)


def test_the_command_writes_the_data_files_that_are_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiments, "anew", lambda **settings: experiments.shipped())
    done = CliRunner().invoke(main, ["experiments", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    shipped = Path(experiments.__file__).parent / "data"
    assert sorted(done.stdout.split()) == sorted(str(path) for path in tmp_path.iterdir())
    for path in tmp_path.glob("*.csv"):
        assert path.read_text() == (shipped / path.name).read_text()
    told, expected = (
        yaml.safe_load((folder / "experiments.yaml").read_text()) for folder in (tmp_path, shipped)
    )
    for group in (*told["groups"].values(), *expected["groups"].values()):
        assert group.pop("cpu_s") > 0
    assert told["groups"] == expected["groups"]


def test_experiments_look_at_their_folder_before_they_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiments, "anew", None)
    taken = tmp_path / "taken"
    taken.touch()
    done = CliRunner().invoke(main, ["experiments", "--out", str(taken)])
    assert done.exit_code == 2
    assert done.stderr.endswith("allowed is a folder that can be written to (here: file exists).\n")
