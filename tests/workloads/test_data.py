"""Data of one's own: from a file, a folder, arrays or a function, checked before the first step."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from tests.workloads.synthetic import SIDE, dense_layers, patches, recipe
from workloads import (
    DataError,
    LabelledData,
    RecipeError,
    TrainedNetwork,
    load_data,
    load_network,
    load_recipe,
    quantise,
    train,
    train_to_file,
)
from workloads.data.files import IDX_TYPES, decode_idx
from workloads.training.run import Run

PARTS = ("train_inputs", "train_labels", "test_inputs", "test_labels")


def arrays_of(data: LabelledData) -> dict[str, Any]:
    names = ("x_train", "y_train", "x_test", "y_test")
    return {name: getattr(data, part) for name, part in zip(names, PARTS, strict=True)}


def idx(array: NDArray[Any]) -> bytes:
    (kind,) = (
        number for number, name in IDX_TYPES.items() if np.dtype(name) == array.dtype.newbyteorder(">")
    )
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, kind, array.ndim]) + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_idx(folder: Path, *, packed: bool) -> LabelledData:
    """A folder as of MNIST, and what is in it."""
    data = patches()
    for part, prefix in (("train", "train"), ("test", "t10k")):
        images = np.rint(np.clip(getattr(data, f"{part}_inputs"), 0, 1) * 255).astype(np.uint8)
        contents = {
            f"{prefix}-images-idx3-ubyte": idx(images.reshape(-1, SIDE, SIDE)),
            f"{prefix}-labels-idx1-ubyte": idx(getattr(data, f"{part}_labels").astype(np.uint8)),
        }
        for name, content in contents.items():
            (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(content) if packed else content)
    return data


def assert_same(one: LabelledData, other: LabelledData) -> None:
    for part in PARTS:
        np.testing.assert_allclose(getattr(one, part), getattr(other, part), atol=1 / 255)


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_idx_files_is_read(packed: bool, tmp_path: Path) -> None:
    assert_same(load_data(str(tmp_path)) if write_idx(tmp_path, packed=packed) else patches(), patches())
    assert load_data(tmp_path).range == (0.0, 1.0)


@pytest.mark.parametrize("kind", IDX_TYPES.values())
def test_every_type_of_an_idx_file_is_read(kind: str, tmp_path: Path) -> None:
    array = np.arange(12).reshape(2, 3, 2).astype(np.dtype(kind).newbyteorder("="))
    (tmp_path / "x").write_bytes(idx(array))
    read = decode_idx(tmp_path / "x")
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype


def test_arrays_files_and_functions_give_the_same_data(tmp_path: Path) -> None:
    data = patches()
    np.savez(tmp_path / "data.npz", **arrays_of(data))
    four = tuple(getattr(data, part) for part in PARTS)
    asked: list[tuple[int, int]] = []

    def made(inputs: int, classes: int) -> Any:
        asked.append((inputs, classes))
        return four

    for given in (data, four, arrays_of(data), tmp_path / "data.npz", str(tmp_path / "data.npz"), made):
        assert_same(load_data(given, inputs=36, classes=4), data)
    assert asked == [(36, 4)]


def test_of_data_in_one_part_a_fifth_is_drawn_to_judge_by() -> None:
    x, y = np.arange(200.0).reshape(50, 4), np.arange(50) % 5
    data, again = load_data((x, y)), load_data({"x": x, "y": y})
    assert_same(data, again)
    assert (len(data.train_inputs), len(data.test_inputs)) == (40, 10)
    rows = np.concatenate([data.train_inputs, data.test_inputs])
    np.testing.assert_array_equal(np.sort(rows[:, 0]), x[:, 0])
    labels = np.concatenate([data.train_labels, data.test_labels])
    np.testing.assert_array_equal(labels, (rows[:, 0] // 4) % 5)
    assert not np.array_equal(data.test_inputs, x[40:]), "drawn, since files are often sorted by class"


def test_the_scale_is_that_of_the_recipe_or_the_file_and_bytes_are_of_255(tmp_path: Path) -> None:
    x, y = np.tile(np.arange(0, 256, 51, dtype=np.uint8)[:, None], (1, 3)), np.zeros(6, int)
    four = {"x_train": x, "y_train": y, "x_test": x, "y_test": y}
    largest = {
        "bytes": load_data(four).train_inputs.max(),
        "recipe": load_data(four | {"scale": 51}, scale=5.0).train_inputs.max(),
        "file": load_data(four | {"scale": np.array(51)}).train_inputs.max(),
        "words": load_data(four | {"x_train": x.astype(int)}).train_inputs.max(),
    }
    assert largest == {"bytes": 1.0, "recipe": 51.0, "file": 5.0, "words": 255.0}
    assert load_data(four | {"input_range": np.array([-1.0, 2.0])}).range == (-1.0, 2.0)


def _with(**changes: Any) -> Callable[[], object]:
    return lambda: load_data(arrays_of(patches()) | changes)


REFUSED: list[tuple[Callable[[], object], str]] = [
    (_with(y_test=np.zeros(3)), "test labels of the data given is '3 long', allowed are 300"),
    (
        _with(y_train=np.full(300, -1)),
        "train labels of the data given is '-1 at 0', allowed are whole numbers",
    ),
    (_with(y_train=np.full(300, 0.5)), "train labels of the data given is '0.5 at 0'"),
    (_with(y_train=np.full(300, np.nan)), "train labels of the data given is 'nan at 0'"),
    (_with(y_train=np.eye(300)), "train labels of the data given is 'float64 of shape (300, 300)'"),
    (_with(y_train=np.full(300, "a")), "train labels of the data given is '<U1 of shape (300,)'"),
    (_with(x_train=np.full((300, 36), np.inf)), "is 'inf at (0, 0)', allowed are finite numbers"),
    (_with(x_train=np.full((300, 36), None)), "is 'object of shape (300, 36)', allowed are real numbers"),
    (
        _with(x_train=np.zeros(300)),
        "is 'float64 of shape (300,)', allowed are real numbers of shape (n, n_in)",
    ),
    (_with(x_test=np.zeros((300, 35))), "values of a test input of the data given is 35, allowed are 36"),
    (_with(scale=0), "scale of x_"),
    (_with(scale="a"), "scale of x_"),
    (
        _with(input_range=(1, 0)),
        "input_range of the data given is (1.0, 0.0), allowed are two finite numbers",
    ),
    (
        _with(z=np.zeros(3)),
        "arrays of the data given is 'x_train, y_train, x_test, y_test, z', allowed are x, y",
    ),
    (lambda: load_data({}), "arrays of the data given is 'none', allowed are x, y or x_train"),
    (lambda: load_data((1, 2, 3)), "number of arrays of data is 3, allowed are two, x, y, or four"),
    (lambda: load_data((np.zeros((1, 4)), np.zeros(1))), "n from 2"),
    (lambda: load_data("nowhere.npz"), "data is 'nowhere.npz', allowed are fashion-mnist, mnist, synthetic"),
]


@pytest.mark.parametrize(("give", "message"), REFUSED)
def test_other_data_are_refused_in_one_sentence(give: Callable[[], object], message: str) -> None:
    with pytest.raises(DataError) as refused:
        give()
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def _one_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def _objects(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, x=np.array([None, "a"]), y=np.zeros(2))


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_text("x"), "cannot be read"),
        (lambda path: path.write_bytes(b"PK\x03\x04"), "cannot be read"),
        (lambda path: path.mkdir(), "are named train and images is 'none', allowed are one"),
        (_one_array, "a single array"),
        (_objects, "which cannot be read (Object arrays cannot be loaded"),
    ],
)
def test_other_files_are_refused_in_one_sentence(
    write: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    write(tmp_path / "data.npz")
    with pytest.raises(DataError) as refused:
        load_data(tmp_path / "data.npz")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "does not begin as an IDX file does"),
        (b"\0\0\x08\x00", "does not begin as an IDX file does"),
        (b"\0\0\x07\x01\0\0\0\x01x", "does not begin as an IDX file does"),
        (b"\0\0\x08\x03\0\0\0\x01", "does not begin as an IDX file does"),
        (b"\0\0\x08\x01\0\0\0\x05xx", "is '2 bytes of data', allowed are 5 by its sizes"),
        (b"\x1f\x8b not packed", "cannot be read"),
    ],
)
def test_a_file_that_is_no_idx_file_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(DataError, match=message):
        decode_idx(tmp_path / "x")


def never(*arguments: object) -> None:
    raise AssertionError("a step was taken")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"x": np.zeros((300, 49), np.float32)},
            "values of an input of the data given is 49, allowed are 36",
        ),
        ({"y": np.full(300, 4)}, "largest training label of the data given is 4, allowed are 0 to 3"),
        ({"y_test": np.full(300, 9)}, "largest test label of the data given is 9, allowed are 0 to 3"),
    ],
)
def test_what_does_not_fit_the_recipe_is_refused_before_the_first_step(
    changes: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "advance", never)
    given = arrays_of(patches())
    for part, values in changes.items():
        for name in (part,) if part in given else (f"{part}_train", f"{part}_test"):
            given[name] = values
    with pytest.raises(DataError, match=message):
        train(recipe(), progress=False, data=given)


def standardised() -> LabelledData:
    data = patches()
    mean, deviation = data.train_inputs.mean(), data.train_inputs.std()
    return LabelledData(
        (data.train_inputs - mean) / deviation,
        data.train_labels,
        (data.test_inputs - mean) / deviation,
        data.test_labels,
    )


def test_standardised_data_train_a_network_with_their_range() -> None:
    data = standardised()
    network = train(recipe(layers=dense_layers(), bias=True), progress=False, data=data)
    low, high = network.input_range
    assert low == pytest.approx(data.train_inputs.min())
    assert low < -1
    assert high > 1
    assert network.accuracy["int8"] > 0.95
    assert network.samples is not None
    assert network.samples.values.min() < 0
    assert quantise(network, 8, 8).samples is not None
    stated = train(recipe(epochs=1, input_range=(-4, 4)), progress=False, data=data)
    assert stated.input_range == (-4.0, 4.0)


def test_a_recipe_names_its_files_by_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    np.savez(folder / "data.npz", **arrays_of(patches()))
    order = np.random.default_rng(3).permutation(36)
    np.savetxt(folder / "order.txt", order, fmt="%d")
    values = recipe(epochs=1, layers=dense_layers()).model_dump(mode="json", exclude_defaults=True)
    values |= {"data": "data.npz", "input_order": "order.txt"}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    network = train_to_file(load_recipe(folder / "recipe.yaml"), tmp_path / "out.npz", progress=False)
    assert isinstance(network, TrainedNetwork)
    assert network.topology.input_order == tuple(order)
    loaded = load_network(tmp_path / "out.npz")
    assert loaded.recipe["data"] == str(folder / "data.npz")
    assert loaded.samples is not None
    assert loaded.samples.source == "test part of data.npz"


def test_data_that_are_given_are_not_said_to_be_those_of_the_recipe() -> None:
    network = train(recipe(epochs=1, layers=dense_layers()), progress=False, data=patches())
    assert network.recipe["data"] is None
    with pytest.raises(RecipeError, match="data of tiny is None, allowed are a data set or a path"):
        train(recipe(data=None), progress=False)
    with pytest.raises(RecipeError, match=r"recipe\.data is 'mnits', allowed are fashion-mnist, mnist"):
        recipe(data="mnits")


def test_the_example_of_the_documentation_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
    section = page.partition("## Your own data")[2]
    example = section.partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(compile(example, "docs/networks.md", "exec"), names)
    assert names["network"].input_range[0] < -1
    assert names["network"].accuracy["int8"] > 0.8
    assert names["cost"].accuracy == names["network"].accuracy["int8"]
    assert not names["cost"].stimulus.startswith("2 vectors of random")
