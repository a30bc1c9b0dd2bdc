"""Says on a terminal what a long step is doing, from what the packages log; silent where nobody watches."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.status import Status
from rich.text import Text

from reports.streams import takes

LOGGERS = ("archsim", "rtl", "workloads")


@contextmanager
def progress() -> Iterator[None]:
    """While inside, the latest step stands on stderr beside a spinner, with the seconds since the first."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield
        return
    spinner = "dots" if takes("⠋", sys.stderr) else "line"
    with console.status("starting", spinner=spinner) as status:
        handler = _Shown(status)
        loggers = [logging.getLogger(name) for name in LOGGERS]
        before = [logger.level for logger in loggers]
        for logger in loggers:
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.removeHandler(handler)
                logger.setLevel(level)


@dataclass(frozen=True)
class _Step:
    """A step, with the seconds since the first at the moment it is drawn: long ones are seen to go on."""

    said: str
    start: float

    def __rich__(self) -> Text:
        return Text(f"{self.said} (after {time.monotonic() - self.start:.0f} s)")


class _Shown(logging.Handler):
    def __init__(self, status: Status) -> None:
        super().__init__(logging.INFO)
        self._status = status
        self._start = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self._status.console.print(Text(f"archsim: {record.getMessage()}"))
            return
        self._status.update(_Step(record.getMessage(), self._start))
