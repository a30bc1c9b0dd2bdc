"""Work in a few processes: any, and the simulation of many design points with a progress bar on stderr."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from tqdm import tqdm

if TYPE_CHECKING:
    from archsim import DesignPoint, Engine, Result

J = TypeVar("J")
K = TypeVar("K", bound=Hashable)
R = TypeVar("R")

INTERRUPTED = 130


class WorkerError(RuntimeError):
    """A process ended before its work was done."""


def in_processes(work: Callable[[J], R], jobs: Sequence[J], processes: int) -> Iterator[tuple[J, R]]:
    """The jobs with what came of them, as each is done.

    The first that fails raises its error here, and `WorkerError` says that a process was killed. An interrupt
    ends all processes and what they run.
    """
    pool = ProcessPoolExecutor(
        min(processes, os.cpu_count() or 1),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, _end_idle),
    )
    try:
        pending = {pool.submit(_interruptible, work, job): job for job in jobs}
        for done in as_completed(pending):
            yield pending[done], done.result()
    except BrokenProcessPool:
        raise WorkerError(
            "a process was killed before its work was done, perhaps for lack of memory"
        ) from None
    except KeyboardInterrupt:
        for worker in multiprocessing.active_children():
            if worker.pid is not None:
                os.kill(worker.pid, signal.SIGINT)
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def worked(work: Callable[[J], R], jobs: Sequence[J], processes: int) -> Iterator[tuple[J, R]]:
    """The jobs with what came of them, as each is done: here where one process is enough, else in several."""
    if processes == 1 or len(jobs) < 2:
        yield from ((job, work(job)) for job in jobs)
    else:
        yield from in_processes(work, jobs, processes)


def _interruptible(work: Callable[[J], R], job: J) -> R:
    """Runs in a worker. An interrupt is raised only here, where it reaches and ends what the worker has
    started; the worker then ends at once, without a trace and without taking up the next job."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return work(job)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, _end_idle)


def _end_idle(number: int, frame: object) -> NoReturn:
    """Ends a worker that waits for work."""
    os._exit(INTERRUPTED)


def simulate_all(
    designs: Mapping[K, DesignPoint], fidelity: str, *, processes: int = 2, progress: bool = True
) -> dict[K, Result]:
    """The results of all design points, in their order."""
    if fidelity in ("gate", "layout"):
        from archsim.netlist import prepare_yosys

        prepare_yosys()
    jobs = [(keys, [designs[key].model_dump() for key in keys]) for keys in _jobs(designs)]
    results: dict[K, Result] = {}
    with tqdm(total=len(designs), desc="design points", unit="point", disable=not progress) as bar:
        for (keys, _), simulated in in_processes(partial(_simulate, fidelity=fidelity), jobs, processes):
            results |= zip(keys, simulated, strict=True)
            bar.update(len(keys))
    return {key: results[key] for key in designs}


def _jobs(designs: Mapping[K, DesignPoint]) -> list[list[K]]:
    """Design points of one network on one engine go to one process, which describes the hardware once."""
    jobs: dict[tuple[str, Engine], list[K]] = {}
    for key, design in designs.items():
        jobs.setdefault((design.network, design.engine), []).append(key)
    return list(jobs.values())


def _simulate(job: tuple[Any, list[dict[str, Any]]], fidelity: str) -> list[Result]:
    """Design points travel to a worker as plain values."""
    from archsim import DesignPoint

    return [DesignPoint(**design).simulate(fidelity) for design in job[1]]
