"""Sweeps on real worker processes, over TCP on the loopback: the rows are those of one process, whoever has
the files and whoever dies, and a cluster that cannot be used is refused in a sentence."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import distributed
import numpy as np
import pytest

import archsim as a
from archsim.explore.sweep import cluster as clusters
from archsim.explore.sweep.batches import in_process
from archsim.explore.sweep.cluster import _Work
from archsim.explore.sweep.work import Task
from tests.archsim.explore.kill_sweep import ROOT, VICTIMS, Cluster, cluster, rows_of, until

pytestmark = pytest.mark.slow

BASE = {"network": "lenet-300-100-csc-x40", "engine": {"kind": "csc"}, "technology": "cmos65"}
AXES: dict[str, Any] = {"engine.pes": [4, 8, 16, 1000], "technology": ["cmos65", "artix7"]}


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    with cluster() as whole:
        yield whole


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECTS_S", 5)


def test_workers_of_its_own_come_to_the_same_rows(tmp_path: Path) -> None:
    space = a.Space.of(base=BASE, axes=AXES)
    here = a.sweep(space, tmp_path / "here", executor=in_process)
    there = a.sweep(space, tmp_path / "there", workers=2)
    assert rows_of(tmp_path / "there") == rows_of(tmp_path / "here")
    assert here.frame["error"].notna().sum() == 2
    assert there.frame["engine.pes"].tolist() == [4, 4, 8, 8, 16, 16, 1000, 1000]


def test_clusters_of_one_machine_do_not_complain_of_each_other(recwarn: pytest.WarningsRecorder) -> None:
    with clusters._cluster(0), clusters._cluster(0):
        pass
    assert not [warning for warning in recwarn if "Port" in str(warning.message)]


def test_files_go_along_with_the_tasks(tmp_path: Path, running: Cluster) -> None:
    random = np.random.default_rng(0)
    layers = [(random.normal(size=(20, 30)), None), (random.normal(size=(5, 20)), None)]
    a.import_network(layers, layout="out_in").save(tmp_path / "own.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK no archive")
    axes: dict[str, Any] = {"network": ["own.npz", "broken.npz"], "engine.kind": ["dense", "pruned"]}
    space = a.Space.of(base=BASE, axes=axes, folder=tmp_path)
    a.sweep(space, tmp_path / "here", workers=0)
    a.sweep(space, tmp_path / "there", scheduler=running.whole())
    rows = rows_of(tmp_path / "there")
    assert rows == rows_of(tmp_path / "here")
    assert sum(error is None for *_, error, _ in rows) == 2
    assert any(str(tmp_path / "broken.npz") in (error or "") for *_, error, _ in rows)


@pytest.mark.long
def test_a_sweep_survives_whoever_is_killed() -> None:
    # A process of its own, since it forks others off, which one with threads must not.
    many = str(len(VICTIMS))
    command = [sys.executable, "-m", "tests.archsim.explore.kill_sweep", many]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"{many} sweeps were killed and ended whole")


def test_a_worker_of_another_version_is_refused(tmp_path: Path, running: Cluster) -> None:
    for package in ("archsim", "rtl", "workloads"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "archsim" / "explore" / "work.py").open("a") as file:
        file.write("# another one\n")
    quiet = subprocess.DEVNULL
    here = ("--no-nanny", "--no-dashboard", "--death-timeout", "60")
    command = [sys.executable, "-m", "distributed.cli.dask_worker", running.whole(), *here]
    other = subprocess.Popen(command, cwd=tmp_path, stdout=quiet, stderr=quiet)
    try:
        with distributed.Client(running.whole(), set_as_default=False) as client:
            until(lambda: len(client.scheduler_info(n_workers=-1)["workers"]) == 3)
        with pytest.raises(
            a.Refusal, match=r"worker tcp://.* has archsim .*, allowed are workers with archsim"
        ):
            a.sweep(a.Space.of(base=BASE, axes=AXES), tmp_path / "out", scheduler=running.whole())
    finally:
        other.kill()
        other.wait()
        running.close()


def test_a_scheduler_that_does_not_answer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECTS_S", 1)
    for address in ("tcp://127.0.0.1:9", "nowhere", "ftp://127.0.0.1:9", "tcp://127.0.0.1:port"):
        with pytest.raises(a.Refusal, match=r"scheduler is .*, allowed are addresses that answer") as caught:
            a.sweep(a.Space.of(base=BASE, axes=AXES), tmp_path, scheduler=address)
        assert "\n" not in str(caught.value)


def test_a_scheduler_without_workers_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "COMES_S", 1)
    here = {"host": "127.0.0.1", "dashboard": False, "dashboard_address": "127.0.0.1:0"}
    alone = distributed.SpecCluster(
        workers={}, scheduler={"cls": distributed.Scheduler, "options": here}, silence_logs=50
    )
    with alone, pytest.raises(a.Refusal, match="allowed are clusters with workers"):
        a.sweep(a.Space.of(base=BASE, axes=AXES), tmp_path, scheduler=alone.scheduler_address)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"workers": -1}, "workers is -1, allowed are 0 to"),
        ({"workers": 2, "scheduler": "tcp://127.0.0.1:9"}, "none beside a scheduler"),
    ],
)
def test_how_many_workers_is_checked(given: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(a.Refusal, match=said):
        a.sweep(a.Space.of(base=BASE, axes=AXES), tmp_path, **given)


def test_points_of_a_killed_worker_are_tried_alone_and_never_kept(tmp_path: Path) -> None:
    killed = distributed.KilledWorker("task", SimpleNamespace(address="tcp://127.0.0.1:9"), 3)

    def result() -> None:
        raise killed

    work = _Work(cast(Any, None), "analytic", Path(), carry=False)
    some = [Task("a", {}), Task("b", {})]
    future = cast(Any, SimpleNamespace(result=result))
    assert work._rows_of(future, some) == []
    assert list(work.alone) == some
    rows = work._rows_of(future, some[:1])
    assert [row.lost for row in rows] == [True]
    store = a.Store(tmp_path)
    store.keep(rows)
    assert len(store) == 0
