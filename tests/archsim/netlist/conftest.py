"""Each test session synthesises into a cache of its own, so that nothing is answered from an earlier one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workloads.data.cache import CACHE_VARIABLE


@pytest.fixture(scope="session", autouse=True)
def empty_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield
