"""Simulates many design points in a few processes, with a progress bar on stderr."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Hashable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from tqdm import tqdm

if TYPE_CHECKING:
    from archsim import DesignPoint, Engine, Result

K = TypeVar("K", bound=Hashable)

INTERRUPTED = 130


class WorkerError(RuntimeError):
    """A process ended before its work was done."""


def simulate_all(
    designs: Mapping[K, DesignPoint], fidelity: str, *, processes: int = 2, progress: bool = True
) -> dict[K, Result]:
    """The results of all design points, in their order. The first that fails raises its error here, and
    WorkerError says that a process was killed. An interrupt ends all processes and what they run."""
    if fidelity == "gate":
        from archsim.netlist import prepare_yosys

        prepare_yosys()
    pool = ProcessPoolExecutor(
        min(processes, os.cpu_count() or 1),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, _end_idle),
    )
    found: dict[K, Result] = {}
    try:
        pending = {
            pool.submit(_simulate, [designs[key].model_dump() for key in job], fidelity): job
            for job in _jobs(designs)
        }
        with tqdm(total=len(designs), desc="design points", unit="point", disable=not progress) as bar:
            for done in as_completed(pending):
                found |= zip(pending[done], done.result(), strict=True)
                bar.update(len(pending[done]))
    except BrokenProcessPool:
        raise WorkerError(
            "a process that simulated design points was killed, perhaps for lack of memory"
        ) from None
    except KeyboardInterrupt:
        for worker in multiprocessing.active_children():
            if worker.pid is not None:
                os.kill(worker.pid, signal.SIGINT)
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return {key: found[key] for key in designs}


def _jobs(designs: Mapping[K, DesignPoint]) -> list[list[K]]:
    """Design points of one network on one engine go to one process, which describes the hardware once."""
    jobs: dict[tuple[str, Engine], list[K]] = {}
    for key, design in designs.items():
        jobs.setdefault((design.network, design.engine), []).append(key)
    return list(jobs.values())


def _simulate(designs: list[dict[str, Any]], fidelity: str) -> list[Result]:
    """Runs in a worker, to which design points travel as plain values. An interrupt is raised only here,
    where it reaches and ends what the worker has started; the worker then ends at once, without a trace
    and without taking up the next job."""
    from archsim import DesignPoint

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return [DesignPoint(**design).simulate(fidelity) for design in designs]
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, _end_idle)


def _end_idle(number: int, frame: object) -> NoReturn:
    """Ends a worker that waits for work."""
    os._exit(INTERRUPTED)
