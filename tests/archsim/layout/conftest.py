"""A small engine, mapped and placed once; and a cache of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from archsim.layout import Placement, Subject, place, subject_of
from archsim.netlist import synthesise_asic
from archsim.technology import Cmos65
from tests.archsim.netlist.sample import engine
from workloads.data.cache import CACHE_VARIABLE

TECHNOLOGY = Cmos65()


@pytest.fixture(scope="package", autouse=True)
def empty_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="package")
def subject() -> Subject:
    """An engine of two PEs, with its weight and activation memories."""
    made = synthesise_asic(engine(2), "archsim_engine", TECHNOLOGY)
    return subject_of(made.flat(), TECHNOLOGY)


@pytest.fixture(scope="package")
def placed(subject: Subject) -> Placement:
    return place(subject.problem)
