"""What a sweep says while it runs, and of what came of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tqdm import tqdm

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

    from archsim.explore.store import Row


class Live:
    """A line on stderr with what is done and what failed; nothing where that is no terminal."""

    def __init__(self, total: int | None = None) -> None:
        self.failed = 0
        self._bar: tqdm[Any] = tqdm(total=total, unit="point", disable=not sys.stderr.isatty(), leave=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def tell(self, rows: Iterable[Row]) -> None:
        """Counts finished rows."""
        told = list(rows)
        self.failed += sum(row.error is not None for row in told)
        self._bar.set_postfix(failed=self.failed, refresh=False)
        self._bar.update(len(told))


def sweep_table(frame: pd.DataFrame, out: Path) -> RenderableType:
    """How a sweep ended, in a sentence."""
    refused = int(frame["error"].notna().sum()) if len(frame) else 0
    return f"{len(frame):,} points in {out}, of which {refused:,} were refused"
