"""A small engine, mapped and placed once; and the cache of this run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from archsim.layout import Placement, Subject, place, subject_of
from archsim.netlist import synthesise_asic
from archsim.technology import Cmos65
from tests.archsim.netlist.sample import engine
from tests.run_cache import run_cache
from workloads.data.cache import CACHE_VARIABLE

TECHNOLOGY = Cmos65()


@pytest.fixture(scope="package", autouse=True)
def empty_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(run_cache(tmp_path_factory)))
        yield


@pytest.fixture(scope="package")
def subject() -> Subject:
    """An engine of two PEs, with its weight and activation memories."""
    made = synthesise_asic(engine(2), "archsim_engine", TECHNOLOGY)
    return subject_of(made.flat(), TECHNOLOGY)


@pytest.fixture(scope="package")
def placed(subject: Subject) -> Placement:
    return place(subject.problem)
