"""Which rows of a shipped table are made anew today: other ones each day, so that in time all are."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import TypeVar

R = TypeVar("R")


def day() -> str:
    """Today, or the day that was named before, so that what failed once can be seen again."""
    return os.environ["ARCHSIM_TEST_DAY"]


def todays(rows: Sequence[R], count: int, table: str) -> list[R]:
    """Some rows of a table, by the day and the table's name."""
    return random.Random(f"{day()} {table}").sample(list(rows), count)
