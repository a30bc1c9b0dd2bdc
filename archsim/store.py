"""Results of long runs, remembered one by one by the content that they were computed from."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workloads.data.cache import cache_folder


def remembered(kind: str, content: object, compute: Callable[[], Any]) -> Any:
    """What `compute` made of this content before, or makes now: plain JSON values all three.

    An entry that is not whole is computed again. One appears whole or not at all, so that a run which is
    interrupted goes on where it stopped.
    """
    entry = cache_folder() / kind / f"{_digest(content)}.json"
    found = _recall(entry)
    if found is not None:
        return found
    made = compute()
    entry.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=entry.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump({"sha256": _digest(made), "value": made}, stream)
        os.replace(temporary, entry)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return made


def _recall(entry: Path) -> Any:
    """The remembered value, or None where there is none that is whole."""
    try:
        stored = json.loads(entry.read_text(encoding="utf-8"))
        if stored["sha256"] == _digest(stored["value"]):
            return stored["value"]
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return None


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
