"""Each run of the tests synthesises into a cache of its own: nothing is answered from an earlier one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.run_cache import run_cache
from workloads.data.cache import CACHE_VARIABLE


@pytest.fixture(scope="session", autouse=True)
def empty_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(run_cache(tmp_path_factory)))
        yield
