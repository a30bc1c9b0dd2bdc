"""Network files that lie: whatever was changed in one, it is refused in one sentence of ours, or runs."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archsim as a
from tests.workloads.synthetic import patches, recipe
from workloads import NetworkFileError, TrainedModel, train, train_model
from workloads.refusal import Refusal
from workloads.topology.network import Calibration

FILES = 200
"""Changed files."""

STRANGE: tuple[Any, ...] = (None, 0, -1, 3, 1e9, float("nan"), "x", [], {}, True, [1, 2], "csc", 10**12)
"""What takes the place of a value in the metadata."""

OF_ARRAYS: tuple[Callable[[Any], Any], ...] = (
    lambda array: array[..., :-1],
    lambda array: array.astype("f8") * np.nan,
    lambda array: array.astype("i1"),
    lambda array: np.zeros(0),
    lambda array: array.ravel(),
    lambda array: array.T,
    lambda array: np.array("x"),
    lambda array: array * 1e30,
    lambda array: array.astype(object),
    lambda array: array.astype("c16"),
)


def contents(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with np.load(path) as archive:
        arrays: dict[str, Any] = {name: archive[name] for name in archive.files}
    return json.loads(str(arrays.pop("metadata"))), arrays


def write(path: Path, metadata: Any, arrays: dict[str, Any]) -> None:
    np.savez(path, allow_pickle=True, metadata=np.array(json.dumps(metadata)), **arrays)


def changed(value: Any, chosen: random.Random) -> Any:
    """A value with one place of it changed."""
    if isinstance(value, dict) and value and chosen.random() < 0.8:
        name = chosen.choice(list(value))
        if chosen.random() < 0.2:
            return {key: inner for key, inner in value.items() if key != name}
        return value | {name: changed(value[name], chosen)}
    if isinstance(value, list) and value and chosen.random() < 0.7:
        place = chosen.randrange(len(value))
        return [*value[:place], changed(value[place], chosen), *value[place + 1 :]]
    return chosen.choice(STRANGE)


def spoil(path: Path, raw: bytes, chosen: random.Random) -> None:
    """Writes a file that was whole with something changed: bytes, metadata, or an array."""
    path.write_bytes(raw)
    way = chosen.random()
    if way < 0.3:
        content = bytearray(raw)
        for _ in range(chosen.choice([1, 3, 30])):
            content[chosen.randrange(len(content))] = chosen.randrange(256)
        path.write_bytes(bytes(content[: chosen.choice([len(content), chosen.randrange(len(content))])]))
        return
    metadata, arrays = contents(path)
    if way < 0.75:
        metadata = changed(metadata, chosen)
    else:
        name = chosen.choice(list(arrays))
        arrays[name] = chosen.choice(OF_ARRAYS)(arrays[name])
        if chosen.random() < 0.2:
            arrays.pop(name)
    write(path, metadata, arrays)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file with everything that one may hold."""
    path = tmp_path_factory.mktemp("whole") / "network.npz"
    layers = [
        {"family": "csc", "outputs": outputs, "fan_in": fan_in} for outputs, fan_in in ((12, 4), (4, 3))
    ]
    chosen = recipe(epochs=1, layers=layers, bias=True, input_order="tiles", input_range=(-1, 2))
    train(chosen, progress=False, data=patches()).save(path)
    return path.read_bytes()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_file_that_was_changed_at_random_is_refused_in_a_sentence_or_runs(
    whole: bytes, tmp_path: Path
) -> None:
    path, sentences = tmp_path / "network.npz", []
    for seed in range(FILES):
        spoil(path, whole, random.Random(seed))
        design = a.DesignPoint(network=str(path), engine=a.Csc(pes=2), technology="cmos65")
        try:
            design.simulate("analytic")
        except Refusal as refused:
            sentences.append(str(refused))
    assert FILES // 20 < len(sentences) < FILES - FILES // 20, "some run, some do not"
    assert not any("\n" in sentence for sentence in sentences)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_so_is_the_file_of_another_model(tmp_path: Path) -> None:
    path, matrix = tmp_path / "model.npz", {"family": "dense", "outputs": 8}
    recurrence = {"steps": 6, "input": matrix, "hidden": matrix}
    chosen = recipe(epochs=1, model="rnn", recurrence=recurrence)
    train_model(chosen, progress=False, data=patches()).save(path)
    raw, sentences = path.read_bytes(), []
    for seed in range(FILES // 4):
        spoil(path, raw, random.Random(seed))
        try:
            assert repr(TrainedModel.load(path))
        except Refusal as refused:
            sentences.append(str(refused))
    assert sentences
    assert not any("\n" in sentence for sentence in sentences)


def _accuracy(share: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda metadata, arrays: metadata.update(accuracy={"int8": share})


def _ranges(*magnitudes: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda metadata, arrays: metadata["calibration"]["ranges"].__setitem__(0, list(magnitudes))


def _field(name: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda metadata, arrays: metadata.update({name: value})


def _array(name: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda metadata, arrays: arrays.update({name: value})


LIES: list[tuple[Callable[[dict[str, Any], dict[str, Any]], None], str]] = [
    (_accuracy(97.5), "accuracy of tiny is 97.5 for int8, allowed are shares from 0 to 1"),
    (_accuracy("n/a"), "accuracy of tiny is 'n/a' for int8, allowed are shares from 0 to 1"),
    (_accuracy(float("nan")), "accuracy of tiny is nan for int8"),
    (_accuracy(True), "accuracy of tiny is True for int8"),
    (
        _ranges(*[float("nan")] * 4),
        "ranges of the calibration of stage 0 is [nan, nan, nan, nan], allowed are",
    ),
    (_ranges(*[float("inf")] * 4), "ranges of the calibration of stage 0 is [inf, inf, inf, inf], allowed"),
    (
        _ranges(4.0, 3.0, 2.0, 1.0),
        "is [4.0, 3.0, 2.0, 1.0], allowed are 4 finite magnitudes from 0 that do not",
    ),
    (_ranges(-1.0, 1.0, 1.0, 1.0), "is [-1.0, 1.0, 1.0, 1.0], allowed are 4 finite magnitudes from 0"),
    (_ranges(1.0, 1.0), "is [1.0, 1.0], allowed are 4 finite magnitudes"),
    (
        _ranges("a", 1.0, 1.0, 1.0),
        "ranges of the calibration of stage 0 is 'a', allowed are a list of numbers",
    ),
    (_field("calibration", [1]), "calibration is [1], allowed is a mapping"),
    (
        _field("calibration", {"percentiles": [50.0], "ranges": []}),
        "is [50.0], allowed are numbers that rise",
    ),
    (_field("name", 7), "name is 7, allowed is text"),
    (_field("recipe", []), "recipe is [], allowed is a mapping"),
    (_field("input_range", [1, 0]), "input_range of tiny is (1.0, 0.0), allowed are two finite numbers"),
    (_field("version", True), "version True, allowed is"),
    (_array("weights_0", np.full((12, 4), None)), "weights_0 of"),
    (
        _array("weights_0", np.full((12, 4), 1j)),
        "type of weights_0 is 'complex128', allowed are real numbers",
    ),
    (_array("weights_0", np.full((12, 4), 1e300)), "allowed are finite numbers of shape"),
    (
        _array("input_order", np.zeros(36, int)),
        "input_order is [0, 0, 0, 0]... of 36 places, allowed are the",
    ),
]


@pytest.mark.parametrize(("lie", "message"), LIES)
def test_a_lie_is_named(
    lie: Callable[[dict[str, Any], dict[str, Any]], None], message: str, whole: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "network.npz"
    path.write_bytes(whole)
    metadata, arrays = contents(path)
    lie(metadata, arrays)
    write(path, metadata, arrays)
    with pytest.raises(NetworkFileError) as refused:
        a.load_network(path)
    assert message in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_member_that_is_no_array_is_named(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    path.write_bytes(whole)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("notes.txt", "mine")
    with pytest.raises(NetworkFileError, match=r"notes\.txt of .* is no array, allowed are arrays of NumPy"):
        a.load_network(path)


def test_a_percentile_that_is_not_kept_is_the_next_higher() -> None:
    calibration = Calibration((99.0, 100.0), ((1.0, 2.0),))
    assert calibration.reach(0, 99.99) == calibration.reach(0, 100.0) == 2.0
    assert calibration.reach(0, 98.0) == calibration.reach(0, 99.0) == 1.0
