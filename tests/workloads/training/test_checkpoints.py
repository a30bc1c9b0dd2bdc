"""A run that is killed goes on from its checkpoint to the same file, bit for bit."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.workloads.synthetic import dense_layers, patches, recipe
from tests.workloads.training.test_convolution import cnn
from tests.workloads.training.test_growth import growing, mixed
from tests.workloads.training.test_pruning import by
from tests.workloads.training.test_recurrent import rnn
from workloads import CheckpointError, Recipe, TrainingError, train_to_file
from workloads.training.checkpoint import Checkpoints, checkpoint_beside, interrupts_held
from workloads.training.pruning.registry import methods
from workloads.training.run import Run

DATA = patches()
RECIPES: dict[str, Recipe] = {
    "adam": recipe(epochs=3, shift_pixels=1),
    "momentum": recipe(epochs=3, optimiser={"kind": "sgd", "momentum": 0.9, "weight_decay": 0.01}),
    "pruned": recipe(epochs=3, layers=dense_layers(), pruning={"stored_weights": 130, "events": 4}),
    "skips": recipe(epochs=2, layers=[{"family": "csc", "outputs": 36, "fan_in": 6, "skips": True}]),
    "ordered": recipe(
        epochs=3, layers=dense_layers(), input_digits=[4, 9], pruning={"stored_weights": 130, "events": 4}
    ),
    "biased": recipe(
        epochs=3, layers=dense_layers(), bias=True, pruning={"stored_weights": 130, "events": 4}
    ),
    **{f"pruned by {method}": by(method) for method in methods},
    "growing": growing(until=0.99).replace(epochs=5),
    "searching": growing(until=0.6, search=True).replace(epochs=5),
    "calcifying": mixed({"fan_in": [1, 2], "depth": [1, 1], "middle": [2]}, calcify=1).replace(epochs=3),
    "cnn": cnn(epochs=2),
    "rnn": rnn(epochs=2),
}


class Killed(BaseException):
    """The end of a process, as far as the code can tell."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the runs that nothing disturbs."""
    folder = tmp_path_factory.mktemp("whole")
    for name, chosen in RECIPES.items():
        train_to_file(chosen, folder / name, progress=False, data=DATA)
    return {name: (folder / name).read_bytes() for name in RECIPES}


def killed_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends the run within a step, when the weights have changed and the step is not counted."""
    advance, left = Run.advance, iter(range(steps))

    def advance_or_die(run: Run) -> float:
        if next(left, None) is None:
            run.model.weights[0][...] = 7
            raise Killed
        return advance(run)

    monkeypatch.setattr(Run, "advance", advance_or_die)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(RECIPES)),
    kills=st.lists(st.integers(0, 40), max_size=5),
    every_steps=st.integers(1, 9),
)
def test_a_run_killed_at_any_steps_ends_in_the_same_file(
    name: str, kills: list[int], every_steps: int, whole: dict[str, bytes], tmp_path_factory: Any
) -> None:
    out = tmp_path_factory.mktemp("killed") / name

    def go_on() -> None:
        train_to_file(RECIPES[name], out, progress=False, data=DATA, every_s=0, every_steps=every_steps)

    for steps in kills:
        with pytest.MonkeyPatch.context() as monkeypatch:
            killed_after(steps, monkeypatch)
            try:
                go_on()
            except Killed:
                continue
    go_on()
    assert out.read_bytes() == whole[name]
    assert [entry.name for entry in out.parent.iterdir()] == [name]


def test_a_checkpoint_that_was_not_whole_leaves_the_last_one(
    whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, written = tmp_path / "adam", np.savez
    calls = iter(range(6))

    def fails_the_sixth_time(file: Any, **arrays: Any) -> None:
        if next(calls) == 5:
            file.write(b"half")
            raise Killed
        written(file, **arrays)

    with monkeypatch.context() as failing:
        failing.setattr(np, "savez", fails_the_sixth_time)
        with pytest.raises(Killed):
            train_to_file(RECIPES["adam"], out, progress=False, data=DATA, every_s=0)
    with np.load(checkpoint_beside(out)) as archive:
        assert '"step": 5' in str(archive["metadata"])
    train_to_file(RECIPES["adam"], out, progress=False, data=DATA)
    assert out.read_bytes() == whole["adam"]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The output of a run that was killed after ten steps of the adam recipe."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        killed_after(10, monkeypatch)
        with pytest.raises(Killed):
            train_to_file(RECIPES["adam"], tmp_path / "net", progress=False, data=DATA, every_s=0)
    return tmp_path / "net"


def test_a_checkpoint_of_another_recipe_is_refused_in_a_sentence_and_kept(kept: Path) -> None:
    before = checkpoint_beside(kept).read_bytes()
    for changes in ({"seed": 12}, {"epochs": 4}, {"name": "other"}):
        with pytest.raises(CheckpointError) as caught:
            train_to_file(RECIPES["adam"].replace(**changes), kept, progress=False, data=DATA)
        text = str(caught.value)
        assert text.startswith(f"recipe of the checkpoint {checkpoint_beside(kept)} is tiny ")
        assert text.endswith("or no file to start anew")
        assert "\n" not in text
    assert checkpoint_beside(kept).read_bytes() == before
    assert not kept.exists()


def test_a_checkpoint_of_other_data_is_refused(kept: Path) -> None:
    with pytest.raises(CheckpointError, match=r"data of the checkpoint .* is tiny"):
        train_to_file(RECIPES["adam"], kept, progress=False, data=patches(seed=6))


@pytest.mark.parametrize("length", [0, 100, 3000])
def test_a_spoilt_checkpoint_is_refused(kept: Path, length: int) -> None:
    path = checkpoint_beside(kept)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(
        CheckpointError, match="which is no whole NumPy archive, allowed is that of a checkpoint"
    ):
        train_to_file(RECIPES["adam"], kept, progress=False, data=DATA)


def test_a_run_that_leaves_the_finite_numbers_leaves_no_checkpoint(tmp_path: Path) -> None:
    rate = {"peak": 1e30, "course": "constant"}
    with pytest.raises(TrainingError, match="at step 1 of 45"):
        train_to_file(
            RECIPES["momentum"].replace(rate=rate), tmp_path / "x", progress=False, data=DATA, every_s=0
        )
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_is_written_no_more_often_than_asked(tmp_path: Path) -> None:
    rare = Checkpoints(tmp_path / "rare", every_s=3600)
    assert not rare.is_due(1000)
    steps = Checkpoints(tmp_path / "steps", every_s=0, every_steps=10)
    assert [steps.is_due(step) for step in (9, 10, 11)] == [False, True, True]
    run = Run(RECIPES["adam"], DATA.train_inputs, DATA.train_labels)
    run.advance()
    steps.open(RECIPES["adam"], (DATA.train_inputs,))
    steps.write("adam", run.state())
    assert [steps.is_due(step) for step in (10, 11)] == [False, True]


@pytest.mark.parametrize("options", [{"every_s": -1}, {"every_s": float("nan")}, {"every_steps": 0}])
def test_an_interval_that_is_none_is_refused(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"every_\w+ of a checkpoint is .*, allowed are values of at least [01]"
    ):
        Checkpoints(tmp_path / "x", **options)


def test_an_interrupt_ends_the_run_between_two_steps_and_loses_none(
    whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, advance = tmp_path / "adam", Run.advance

    def interrupted(run: Run) -> float:
        if run.step == 20:
            signal.raise_signal(signal.SIGINT)
        return advance(run)

    with monkeypatch.context() as context:
        context.setattr(Run, "advance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train_to_file(RECIPES["adam"], out, progress=False, data=DATA, every_s=3600)
    with np.load(checkpoint_beside(out)) as archive:
        assert '"step": 21' in str(archive["metadata"])
    train_to_file(RECIPES["adam"], out, progress=False, data=DATA, every_s=3600)
    assert out.read_bytes() == whole["adam"]


def test_a_second_interrupt_is_not_held() -> None:
    before = signal.getsignal(signal.SIGINT)
    came = []

    def interrupted_twice() -> None:
        with interrupts_held() as interrupt:
            signal.raise_signal(signal.SIGINT)
            came.append(interrupt.is_set())
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupted_twice()
    assert came == [True]
    assert signal.getsignal(signal.SIGINT) is before


def test_off_the_main_thread_interrupts_are_left_alone() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with interrupts_held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_an_interrupt_after_the_last_step_costs_no_step(
    whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "adam"

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr("workloads.training.training.calibrate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train_to_file(RECIPES["adam"], out, progress=False, data=DATA)
    monkeypatch.setattr(Run, "advance", interrupted)
    train_to_file(RECIPES["adam"], out, progress=False, data=DATA)
    assert out.read_bytes() == whole["adam"]
