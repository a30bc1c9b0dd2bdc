"""Where downloads and results are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "ARCHSIM_CACHE"


def cache_folder() -> Path:
    """$ARCHSIM_CACHE, else the user's cache folder for archsim."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("archsim"))
