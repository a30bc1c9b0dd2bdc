"""Where downloads and results are kept between runs."""

from __future__ import annotations

import logging
import os
from functools import cache
from pathlib import Path

import platformdirs

from workloads.files import Fill, OutputError, reason_of, write_file

CACHE_VARIABLE = "ARCHSIM_CACHE"
_LOG = logging.getLogger(__name__)


def cache_folder() -> Path:
    """$ARCHSIM_CACHE, else the user's cache folder for archsim."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("archsim"))


def keep(entry: Path, fill: Fill) -> None:
    """Writes a file of the cache; where that fails it warns, once for each folder."""
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        write_file(entry, fill)
    except OutputError as error:
        warn_of_cache(entry.parent, str(error))
    except OSError as error:
        warn_of_cache(entry.parent, reason_of(error))


@cache
def warn_of_cache(folder: Path, why: str) -> None:
    """Says that nothing can be kept in a folder of the cache, and how to choose another."""
    _LOG.warning(
        "nothing is kept in the cache %s (%s): it will be computed again; %s names another folder",
        folder,
        why,
        CACHE_VARIABLE,
    )
