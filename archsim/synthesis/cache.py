"""Results of long work, remembered by the content of what they were made from."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs

CACHE_VARIABLE = "ARCHSIM_CACHE"


def cache_directory() -> Path:
    """Where results are remembered: $ARCHSIM_CACHE, else the user's cache directory for archsim."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("archsim"))


def remembered(
    kind: str, content: object, compute: Callable[[], Any], *, holds: Callable[[Any], bool]
) -> Any:
    """What ``compute`` made of this content before, or makes now: plain JSON values both.

    An entry that cannot be read, was changed, or for which ``holds`` is false is computed again.
    """
    entry = cache_directory() / kind / f"{_digest(content)}.json"
    found = _recall(entry)
    if found is not None and holds(found):
        return found
    made = compute()
    _remember(entry, made)
    return made


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _recall(entry: Path) -> Any:
    """The remembered value, or None where there is none that holds together."""
    try:
        stored = json.loads(entry.read_text(encoding="utf-8"))
        if stored["sha256"] == _digest(stored["value"]):
            return stored["value"]
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return None


def _remember(entry: Path, value: Any) -> None:
    """Write an entry whole or not at all, so that a reader never sees half of it."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=entry.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump({"sha256": _digest(value), "value": value}, stream)
        os.replace(temporary, entry)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
