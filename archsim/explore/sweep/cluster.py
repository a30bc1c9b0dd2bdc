"""Points costed by the workers of a Dask cluster: one that is there, or one of this machine's processes.

Workers read and write nothing that the client has: a task carries the content of the files that its points
name, and what comes back is rows. So they may run anywhere and be killed at any time; the scheduler gives
their tasks to others.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.explore.store import Row, this_version
from archsim.explore.sweep.batches import Batches, Executor
from archsim.explore.sweep.files import MOST_BYTES, Named, named_files
from archsim.explore.sweep.work import Refused, Task, finished_elsewhere
from workloads.refusal import Refusal

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECTS_S = 10
"""How long a scheduler may take to answer."""

COMES_S = 60
"""How long a cluster may be without a worker. Queues of batch systems are longer: wait for them before."""

LOOKS_S = 2
"""How often, while nothing is finished, workers are counted."""

AHEAD = 2
"""Batches for each thread of a cluster: one that it works on, and one that is there when it has finished."""

MOST_WORKERS = 1024


class ClusterError(Refusal):
    """A cluster that cannot be reached, has no workers, or has some that must not be used."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_workers(many: int) -> Executor:
    """Costs tasks in so many processes of this machine. Raises ClusterError."""
    return _opened_each_time(lasting_workers(many))


def on_scheduler(address: str) -> Executor:
    """Costs tasks on the cluster of a scheduler with this address. Raises ClusterError."""
    return _opened_each_time(lasting_scheduler(address))


Opened = Callable[[], AbstractContextManager[Executor]]
"""Opens what costs tasks as often as it is asked to, until it is closed."""


def lasting_workers(many: int) -> Opened:
    """So many processes of this machine, for several lots of tasks. Raises ClusterError."""
    if not 1 <= many <= MOST_WORKERS:
        raise ClusterError.of("workers", many, f"0 to {MOST_WORKERS}")

    @contextlib.contextmanager
    def opened() -> Iterator[Executor]:
        # Processes of this machine have its files, wherever they were started.
        with _cluster(many) as client:
            yield lambda todo, fidelity, folder: _Work(client, fidelity, folder.resolve(), carry=False).rows(
                Batches(todo)
            )

    return opened


def lasting_scheduler(address: str) -> Opened:
    """The cluster of a scheduler with this address, for several lots of tasks. Raises ClusterError."""

    @contextlib.contextmanager
    def opened() -> Iterator[Executor]:
        with _connected(address) as client:
            _refuse_others(client, address)
            yield lambda todo, fidelity, folder: _Work(client, fidelity, folder, carry=True).rows(
                Batches(todo)
            )

    return opened


def _opened_each_time(opened: Opened) -> Executor:
    def executor(todo: Iterable[Task], fidelity: str, folder: Path) -> Iterator[list[Row]]:
        with opened() as lasting:
            yield from lasting(todo, fidelity, folder)

    return executor


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Client]:
    from distributed import Client
    from distributed.comm import get_address_host_port

    with _quiet():
        try:
            get_address_host_port(address)  # a client with an address that is none takes long to end
            client = Client(address, timeout=CONNECTS_S, set_as_default=False)
        except (OSError, ValueError, TypeError, ImportError) as error:
            told = " ".join(str(error).split())[:200]
            raise ClusterError.of("scheduler", address, f"addresses that answer ({told})") from None
        with contextlib.closing(client):
            yield client


@contextlib.contextmanager
def _cluster(many: int) -> Iterator[Client]:
    """A client of a cluster of processes, which ends with it. Workers are started as programs, since a child
    of `multiprocessing` would run the user's script anew."""
    from distributed import Client, Scheduler
    from distributed.deploy.spec import SpecCluster
    from distributed.deploy.subprocess import SubprocessWorker

    class QuietWorker(SubprocessWorker):  # type: ignore[misc]
        """Says nothing on the terminal, and leaves an interrupt there to the client, which ends it."""

        async def _start(self) -> None:
            import json

            spec = json.dumps({"cls": self.worker_class, "opts": self.worker_kwargs})
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "dask", "spec", self.scheduler, "--spec", spec),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )

    # Its server of pages would else say that another sweep of this machine has the port it wants.
    here = {"host": "127.0.0.1", "dashboard": False, "dashboard_address": "127.0.0.1:0"}
    worker = {"cls": QuietWorker, "options": {"worker_kwargs": {"host": "127.0.0.1", "nthreads": 1}}}
    with _quiet():
        cluster = SpecCluster(
            workers=dict.fromkeys(range(many), worker),
            worker=worker,
            scheduler={"cls": Scheduler, "options": here},
            silence_logs=logging.CRITICAL,
        )
        with cluster, Client(cluster, set_as_default=False) as client:
            yield client


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What Dask has to say about workers that come and go is no concern of whoever sweeps."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _refuse_others(client: Client, address: str) -> None:
    """Raises ClusterError where a cluster has no workers, or one with another archsim."""
    try:
        client.wait_for_workers(1, timeout=COMES_S)
    except TimeoutError:
        allowed = f"clusters with workers (none has come in {COMES_S} s)"
        raise ClusterError.of("scheduler", address, allowed) from None
    for worker, version in client.run(this_version, on_error="return").items():
        if version != this_version():
            raise _of_another(worker, version)


def _of_another(worker: str, version: object) -> ClusterError:
    told = f"archsim {version}" if isinstance(version, str) else f"no archsim ({version})"
    return ClusterError(f"worker {worker} has {told}, allowed are workers with archsim {this_version()}")


class _Work:
    """What is on its way in a cluster."""

    def __init__(self, client: Client, fidelity: str, folder: Path, *, carry: bool) -> None:
        self.client, self.fidelity, self.folder, self.carry = client, fidelity, folder, carry
        self.pending: dict[Future, list[Task]] = {}
        self.contents: dict[str, Future] = {}
        self.alone: deque[Task] = deque()
        """Tasks of batches during which workers were killed: by which of them is seen one by one."""

    def rows(self, batches: Batches) -> Iterator[list[Row]]:
        """The rows of all tasks, as they are finished."""
        try:
            while self._fill(batches) or self.pending:
                for future in self._done():
                    rows = self._rows_of(future, self.pending.pop(future))
                    batches.learn(rows)
                    if rows:
                        yield rows
        finally:
            with contextlib.suppress(Exception):  # the cluster is gone, with all that was to be cancelled
                self.client.cancel(list(self.pending))

    def _fill(self, batches: Batches) -> bool:
        """Hands tasks out until there are enough; whether any were."""
        most = AHEAD * max(1, sum(self._threads().values()))
        handed_out = False
        while len(self.pending) < most:
            some = [self.alone.popleft()] if self.alone else batches.take()
            if not some:
                break
            self.pending[self._submitted(some)] = some
            handed_out = True
        return handed_out

    def _threads(self) -> Mapping[str, int]:
        try:
            threads: Mapping[str, int] = self.client.nthreads()
        except (OSError, CancelledError, asyncio.CancelledError):
            raise self._gone() from None
        return threads

    def _gone(self) -> ClusterError:
        scheduler = self.client.scheduler
        address = scheduler.address if scheduler else "no address"
        return ClusterError.of("scheduler", address, "one that lives; what was finished is kept")

    def _submitted(self, some: list[Task]) -> Future:
        named: tuple[Named, ...] = ()
        if self.carry:
            named = tuple({one for task in some for one in named_files(task.point, self.folder)})
        contents = {digest: self._content(one, inner, digest) for one in named for inner, digest in one.files}
        folder = None if self.carry else self.folder
        given = (some, self.fidelity, this_version(), named, contents, folder)
        return self.client.submit(finished_elsewhere, *given, pure=False)

    def _content(self, named: Named, inner: str, digest: str) -> Future:
        """The content of a file, as a task of its own: the scheduler makes it anew on another worker where
        the one that has it dies."""
        if digest not in self.contents:
            path = named.beside / inner
            if path.stat().st_size > MOST_BYTES:
                raise ClusterError.of("file", str(path), f"files of up to {MOST_BYTES:,} bytes for workers")
            self.contents[digest] = self.client.submit(bytes, path.read_bytes(), key=f"archsim-{digest}")
        return self.contents[digest]

    def _done(self) -> list[Future]:
        """What is finished, as soon as anything is. Raises ClusterError where nobody is left to."""
        from distributed import wait

        alone_s = 0
        while True:
            try:
                with self.client.as_current():
                    waited = wait(list(self.pending), timeout=LOOKS_S, return_when="FIRST_COMPLETED")
                return list(waited.done)
            except TimeoutError:
                alone_s = 0 if self._threads() else alone_s + LOOKS_S
            except (OSError, CancelledError, asyncio.CancelledError):
                raise self._gone() from None
            if alone_s > COMES_S:
                raise ClusterError.of("workers of the cluster", 0, f"at least one in {COMES_S} s")

    def _rows_of(self, future: Future, some: list[Task]) -> list[Row]:
        from distributed import KilledWorker

        try:
            rows = future.result()
        except KilledWorker as killed:
            if len(some) > 1:
                self.alone.extend(some)
                return []
            error = " ".join(str(killed).split())
            return [Row(task.key, task.point, self.fidelity, error=error, lost=True) for task in some]
        except (CancelledError, asyncio.CancelledError, OSError):
            raise self._gone() from None
        except Exception as error:  # of unpickling, where a worker lacks what is to be run
            raise ClusterError.of("worker", "one", _lacks(error)) from None
        if isinstance(rows, Refused):
            raise _of_another("of the cluster", rows.version)
        finished: list[Row] = rows
        return finished


def _lacks(error: Exception) -> str:
    told: Any = " ".join(str(error).split())[:200]
    return f"workers with archsim {this_version()} ({type(error).__name__}: {told})"
