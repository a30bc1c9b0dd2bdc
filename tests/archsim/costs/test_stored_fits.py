"""Fits of logic follow from the tables that ship with them, of engines that infer and of those that train:
coefficients come out again, and errors are as stated."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from archsim.calibration.calibrate import errors, write_coefficients, write_fit
from archsim.calibration.measurement import Measurement, read_measured
from archsim.calibration.training import read_training
from archsim.costs.fidelity.estimate import logic_fit
from archsim.technology import Artix7, Cmos65
from archsim.technology.quantity import read_text
from rtl.engines.training.sizes import SUFFIXES

pytestmark = pytest.mark.slow

TRAINING = tuple(SUFFIXES.values())
Stored = dict[str, list[Measurement]]

FITS: dict[str, tuple[Any, Callable[[Any], Stored]]] = {
    "cmos65": (Cmos65(), lambda technology: read_measured(technology.kind)),
    "artix7": (Artix7(), lambda technology: read_measured(technology.kind)),
    **{
        f"{technology.kind}{suffix}": (technology, partial(read_training, overlap=overlap))
        for overlap, suffix in SUFFIXES.items()
        for technology in (Cmos65(), Artix7())
    },
}
"""The technology of each fit, and what reads the table behind it."""


@cache
def stored(name: str) -> Stored:
    """What ships of a fit, read once for all tests."""
    technology, read = FITS[name]
    return read(technology)


@pytest.fixture(params=FITS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_coefficients_follow_from_the_stored_measurements(name: str, tmp_path: Path) -> None:
    technology, _ = FITS[name]
    file = f"logic_fit_{name}.yaml"
    if name.endswith(TRAINING):
        write_coefficients(technology, stored(name), tmp_path, name)
        described = set()
    else:
        write_fit(technology, stored(name), tmp_path)
        tables = (f"logic_fit_{name}_measured", f"logic_fit_{name}_delays")
        described = {f"{table}.{ending}" for table in tables for ending in ("csv", "yaml")}
    again = (tmp_path / file).read_text(encoding="utf-8")
    repeated, shipped = (yaml.safe_load(text)["quantities"] for text in (again, read_text(file)))
    assert repeated.keys() == shipped.keys()
    for quantity, entry in shipped.items():
        assert repeated[quantity]["value"] == pytest.approx(entry["value"], rel=1e-3, abs=2e-4), quantity
    assert {path.name for path in tmp_path.iterdir()} == {file, *described}


def test_the_stated_errors_are_those_of_the_stored_measurements(name: str) -> None:
    fitted = logic_fit(name)
    for error in errors(stored(name)["held_out"], fitted, FITS[name][0]):
        assert error.mean == pytest.approx(fitted.constants[f"held_out_mean/{error.metric}"], abs=2e-4)
        assert error.worst == pytest.approx(fitted.constants[f"held_out_worst/{error.metric}"], abs=2e-4)


def test_no_netlist_is_both_fitted_and_held_out(name: str) -> None:
    sets: list[set[Any]] = [{one.sizes for one in stored(name)[label]} for label in ("train", "held_out")]
    train, held_out = sets
    assert not train & held_out
    if name.endswith(TRAINING):
        assert {sizes.rotates for sizes in train} == {True, False}
    else:
        assert len(train) >= 28
        assert len(held_out) >= 12
