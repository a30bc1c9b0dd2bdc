"""Sweeps whose scheduler, workers or client are killed at random moments: the same command, given again, ends
with the rows of a sweep that nobody disturbed.

    python -m tests.archsim.explore.kill_sweep 100
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import random
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

from archsim.explore.spec import Space
from archsim.explore.store import Store, StoreError

ROOT = Path(__file__).parents[3]
SPEC = """
base: {network: lenet-300-100-csc-x40, engine: {kind: csc}, technology: cmos65}
axes:
  engine.pes: {from: 3, to: 40}
  engine.weight_bits: [4, 8]
  technology: [cmos65, artix7]
  clock_hz: [fastest, 1.0e+8]
"""
"""Some of its points are refused: a number of PEs may be none that the engine takes."""

VICTIMS = ("scheduler", "worker", "client", "worker of its own", "client of its own")
"""Who is killed: of a cluster that is there, or of the one that a sweep starts itself."""

LATER_S = 0.3
"""How long after some row was kept somebody is killed at most: about as long as a few batches take."""

PRELOADED = (
    *("reports.cli", "reports.views.explored", "rich.console"),
    *("archsim.explore.sweep.cluster", "archsim.explore.sweep.work"),
    *("distributed.cli.dask_scheduler", "distributed.cli.dask_worker", "distributed.deploy.subprocess"),
)
PATIENCE_S = 300
Rows = list[tuple[Any, ...]]


def rows_of(folder: Path) -> Rows:
    """What is kept, but for how long it took."""
    store = Store(folder, read=True)
    return [(row.key, row.point, row.fidelity, row.figures, row.error, row.breakdown) for row in store.rows()]


class Process(Protocol):
    """A process, as `subprocess` has it."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def kill(self) -> None: ...


Start = Callable[..., Process]
"""Starts a module with these arguments as a process of its own, which says nothing."""


def started(*command: str) -> Process:
    """A process that is started anew."""
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, stdout=quiet, stderr=quiet, start_new_session=True
    )


class Forked:
    """A process that has all modules of this one, so that it is there at once. Only of a process without
    threads."""

    def __init__(self, *command: str) -> None:
        self._process = multiprocessing.get_context("fork").Process(target=_become, args=command)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()


def _become(module: str, *arguments: str) -> None:
    os.setsid()
    os.chdir(ROOT)
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(quiet, stream)
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__")


class Cluster:
    """A scheduler and two workers, each a process of its own; who is dead is replaced."""

    def __init__(self, folder: Path, start: Start = started) -> None:
        self.file, self.start = folder / "scheduler.json", start
        self.running: dict[str, Process] = {}

    def whole(self) -> str:
        """The address, once all of it lives."""
        if not self._lives("scheduler"):
            self.close()
            self.file.unlink(missing_ok=True)
            here = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"]
            here += ["--no-dashboard"]
            self.running["scheduler"] = self.start(
                "distributed.cli.dask_scheduler", *here, "--scheduler-file", str(self.file)
            )
            until(self.file.is_file)
        address: str = until(self._address)
        for name in ("worker 1", "worker 2"):
            if not self._lives(name):
                alone = ("--no-nanny", "--nthreads", "1", "--no-dashboard", "--death-timeout", "60")
                self.running[name] = self.start("distributed.cli.dask_worker", address, *alone)
        return address

    def _address(self) -> str:
        with contextlib.suppress(json.JSONDecodeError):
            return str(json.loads(self.file.read_text())["address"])
        return ""

    def _lives(self, name: str) -> bool:
        return name in self.running and self.running[name].poll() is None

    def close(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
        self.running.clear()


def until(happens: Any) -> Any:
    """What a function gives once that is true."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if given := happens():
            return given
        time.sleep(0.02)
    raise TimeoutError(happens)


@contextlib.contextmanager
def cluster(start: Start = started) -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory() as folder:
        running = Cluster(Path(folder), start)
        try:
            yield running
        finally:
            running.close()


@dataclass(frozen=True)
class Moment:
    """So many seconds after so many rows were kept."""

    rows: int
    seconds: float

    def wait(self, client: Process, out: Path) -> None:
        """Until then, or until the sweep has ended."""
        until(lambda: client.poll() is not None or kept_in(out) >= self.rows)
        with contextlib.suppress(subprocess.TimeoutExpired):
            client.wait(self.seconds)


def kept_in(folder: Path) -> int:
    """How many rows are kept, also while nobody has made the tables yet."""
    try:
        return len(Store(folder, read=True))
    except StoreError:
        return 0


def trial(victim: str, moment: Moment, spec: Path, out: Path, running: Cluster) -> tuple[int, int]:
    """Kills a victim at a moment of a sweep, and goes on until that is done. How many commands it took, and
    how many points were kept when the victim died."""
    own = victim.endswith("of its own")
    where = ("--workers", "2") if own else ("--scheduler", running.whole())
    command = ("archsim", "sweep", str(spec), "--out", str(out), *where)
    client = running.start(*command)
    moment.wait(client, out)
    kill(victim, client, running)
    left, commands = kept_in(out), 1
    status = client.wait(PATIENCE_S)
    if victim.startswith("worker"):
        assert status == 0, f"a sweep ended with {status} since one of two workers was killed"
    while status != 0:
        assert commands < 3, f"{victim}, killed at {moment}: a sweep that is not resumed"
        where = where if own else ("--scheduler", running.whole())
        status = running.start(*command[:-2], *where).wait(PATIENCE_S)
        commands += 1
    return commands, left


def kill(victim: str, client: Process, running: Cluster) -> None:
    if victim.startswith("client"):
        client.kill()
    elif victim == "worker of its own":
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(client.pid).children(recursive=True)
            workers = [child for child in children if child.children() == [] and child.ppid() != client.pid]
            for child in workers[:1]:
                os.kill(child.pid, signal.SIGKILL)
    else:
        running.running["worker 1" if victim == "worker" else victim].kill()


def main(trials: int, victims: Sequence[str] = VICTIMS, seed: int = 0) -> Counter[int]:
    """Kills sweeps; how often so many commands were needed."""
    draw = random.Random(seed)
    resumed = Counter[int]()
    with tempfile.TemporaryDirectory() as place, cluster(Forked) as running:
        spec = Path(place) / "sweep.yaml"
        spec.write_text(SPEC)
        for module in PRELOADED:  # so that no process which is forked off needs to
            importlib.import_module(module)
        # Not here: processes that are forked off would have all that was found, and be done before they die.
        here = ("--out", f"{place}/undisturbed", "--workers", "0")
        alone = running.start("archsim", "sweep", str(spec), *here)
        assert alone.wait(PATIENCE_S) == 0
        expected = rows_of(Path(place) / "undisturbed")
        assert len(expected) == len(Space.from_file(spec))
        for number in range(trials):
            victim = victims[number % len(victims)]
            moment = Moment(draw.randrange(len(expected)), draw.uniform(0, LATER_S))
            out = Path(place) / str(number)
            began = time.monotonic()
            commands, left = trial(victim, moment, spec, out, running)
            assert rows_of(out) == expected, f"{victim}, killed at {moment}, changed the rows"
            resumed[commands] += 1
            done = f"{left} of {len(expected)} rows were there, {commands} commands"
            done += f", {time.monotonic() - began:.1f} s"
            print(f"{number + 1} of {trials}: {victim} killed: {done}", flush=True)
    print(f"{trials} sweeps were killed and ended whole; commands that each took: {dict(resumed)}")
    return resumed


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
