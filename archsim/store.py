"""Results of long runs, remembered one by one by the content that they were computed from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workloads.data.cache import cache_folder, keep


def remembered(kind: str, content: object, compute: Callable[[], Any]) -> Any:
    """What `compute` made of this content before, or makes now: plain JSON values all three.

    An entry that is not whole is computed again. One appears whole or not at all, so that a run which is
    interrupted goes on where it stopped. A cache that cannot be read or written costs a warning, never a
    result.
    """
    entry = cache_folder() / kind / f"{_digest(content)}.json"
    found = _recall(entry)
    if found is not None:
        return found
    made = compute()
    stored = json.dumps({"sha256": _digest(made), "value": made}).encode()
    keep(entry, lambda file: file.write(stored))
    return made


def _recall(entry: Path) -> Any:
    """The remembered value, or None where there is none that is whole."""
    try:
        stored = json.loads(entry.read_bytes())
        if stored["sha256"] == _digest(stored["value"]):
            return stored["value"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        pass
    return None


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
