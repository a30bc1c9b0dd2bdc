"""The threads of the kernels: a range of rows or blocks is cut in parts, and the parts are worked on at once.

Every row is computed by one thread in the order in which a single thread would compute it, so results do not
depend on the number of threads. Threads of the interpreter only help where the work lets go of its lock:
compiled kernels and BLAS do. BLAS should then run one thread of its own (`OPENBLAS_NUM_THREADS=1`); its
threads would wait for each other inside ours.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from workloads.refusal import Refusal

Part = Callable[[int, int], object]
Done = SimpleQueue[BaseException | None]

VARIABLE = "ARCHSIM_THREADS"
WORTH_SHARING = 1 << 20
"""Work below which handing a part to another thread (about 20 us) costs more than it saves: the number of
products that a compiled loop makes in 0.1 ms."""


class _Team:
    """The threads beside the caller's own, which wait for parts of work. A bare queue wakes them in less
    than half the time that an executor of `concurrent.futures` takes."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.process = os.getpid()
        self.parts: SimpleQueue[tuple[Part, int, int, Done] | None] = SimpleQueue()
        for number in range(1, threads):
            Thread(target=self._work, name=f"archsim-kernel-{number}", daemon=True).start()

    def _work(self) -> None:
        while (given := self.parts.get()) is not None:
            part, start, stop, done = given
            try:
                part(start, stop)
            except BaseException as error:
                done.put(error)
            else:
                done.put(None)

    def dismiss(self) -> None:
        """Let the threads end."""
        for _ in range(1, self.threads):
            self.parts.put(None)

    def share(self, edges: list[int], part: Part) -> None:
        first, *others = itertools.pairwise(edges)
        done: Done = SimpleQueue()
        for start, stop in others:
            self.parts.put((part, start, stop, done))
        try:
            part(*first)
        finally:
            errors = [done.get() for _ in others]
        for error in errors:
            if error is not None:
                raise error


def _checked(threads: object, name: str) -> int:
    try:
        number = int(str(threads))
    except ValueError:
        number = 0
    if number < 1:
        raise Refusal.of(name, threads, "integers of at least 1")
    return number


_threads = _checked(os.environ.get(VARIABLE, "1"), VARIABLE)
_team: _Team | None = None


def threads() -> int:
    """How many threads a kernel may use: `ARCHSIM_THREADS`, or 1."""
    return _threads


def use_threads(count: int) -> None:
    """Let kernels use this many threads from now on, the caller's among them.

    Raises a `Refusal` if it is not a positive integer.
    """
    global _threads, _team
    _threads = _checked(count, "count of threads")
    if _team is not None:
        _team.dismiss()
        _team = None


def _started() -> _Team:
    """The team, once there is work for it. Threads do not survive a fork: a child process starts its own."""
    global _team
    if _team is None or _team.process != os.getpid():
        _team = _Team(_threads)
    return _team


def share(count: int, work: int, part: Part) -> None:
    """Call part(start, stop) over 0 to `count`: in one go, or in equal parts on several threads.

    `work` is how long the whole takes, in products of a compiled loop; a little is not worth handing out.
    """
    parts = min(_threads, count) if work >= WORTH_SHARING else 1
    if parts == 1:
        part(0, count)
    else:
        _started().share([count * number // parts for number in range(parts + 1)], part)
