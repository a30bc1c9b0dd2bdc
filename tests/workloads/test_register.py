"""A register finds its members again after a module that could not be imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from workloads.refusal import Refusal
from workloads.register import Register


def test_a_module_that_cannot_be_imported_is_said_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "__init__.py").write_text("")
    (tmp_path / "shelf" / "broken.py").write_text("raise LookupError('no wood')")
    monkeypatch.syspath_prepend(str(tmp_path))
    shelf: Register[int] = Register("book", "shelf", group="nobody.announces")
    for _ in range(2):
        with pytest.raises(LookupError, match="no wood"):
            list(shelf)
    (tmp_path / "shelf" / "broken.py").write_text("")
    shelf.register("atlas")(1)
    with pytest.raises(Refusal, match="book is 'atlas', allowed are names not yet taken"):
        shelf.register("atlas")(2)
