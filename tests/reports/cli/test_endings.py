"""How commands end: in one sentence and a status, whatever they were given or befell them."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.reports.commands import archsim
from tests.reports.stand_ins import small_network, write_design
from workloads.refusal import Defect

pytestmark = pytest.mark.slow


def _missing(folder: Path) -> list[object]:
    return ["simulate", folder / "nowhere.yaml"]


def _typo(folder: Path) -> list[object]:
    return ["simulate", write_design(folder, tecnology="cmos65")]


def _no_pes(folder: Path) -> list[object]:
    return ["simulate", write_design(folder, engine={"kind": "csc", "pes": 0})]


def _too_many_pes(folder: Path) -> list[object]:
    return ["simulate", write_design(folder, engine={"kind": "csc", "pes": 1000})]


def _wrong_topology(folder: Path) -> list[object]:
    return ["simulate", write_design(folder, engine={"kind": "dense", "pes": 2})]


def _too_small_a_device(folder: Path) -> list[object]:
    small_network("dense", n_in=2000, n_out=10).save(folder / "large.npz")
    design = write_design(
        folder,
        network="large.npz",
        engine={"kind": "dense", "pes": 16},
        technology={"kind": "artix7", "device": "XC7A35T"},
    )
    return ["simulate", design, "--fidelity", "analytic"]


def _truncated_network(folder: Path) -> list[object]:
    design = write_design(folder)
    whole = (folder / "small.npz").read_bytes()
    (folder / "small.npz").write_bytes(whole[: len(whole) // 2])
    return ["simulate", design]


def _foreign_network(folder: Path) -> list[object]:
    import numpy as np

    design = write_design(folder)
    np.savez(folder / "small.npz", a=np.arange(3))
    return ["simulate", design]


def _unknown_metric(folder: Path) -> list[object]:
    return ["explain", write_design(folder), "beauty", "--fidelity", "analytic"]


def _unknown_fidelity(folder: Path) -> list[object]:
    return ["simulate", write_design(folder), "--fidelity", "guess"]


def _unknown_recipe(folder: Path) -> list[object]:
    return ["train", "lenet-9000"]


def _unknown_study(folder: Path) -> list[object]:
    return ["reproduce", "nobody-1999", "--out", folder / "out"]


def _unwritable_study(folder: Path) -> list[object]:
    (folder / "file").touch()
    return ["reproduce", "csc-dac2019", "--out", folder / "file" / "out"]


def _unwritable_export(folder: Path) -> list[object]:
    (folder / "file").touch()
    return ["export", write_design(folder), "--out", folder / "file" / "out"]


def _unwritable_training(folder: Path) -> list[object]:
    return ["train", "lenet-300-100-csc", "--out", folder / "nowhere" / "network.npz"]


def _no_inputs(folder: Path) -> list[object]:
    return ["verify", write_design(folder), "--inputs", 0]


def _foreign_inputs(folder: Path) -> list[object]:
    np.save(folder / "inputs.npy", np.zeros((2, 784)))
    return ["simulate", write_design(folder, inputs="inputs.npy"), "--fidelity", "analytic"]


def _inputs_beyond_one(folder: Path) -> list[object]:
    np.save(folder / "inputs.npy", np.full((2, 12), 1.5))
    return ["verify", write_design(folder, inputs="inputs.npy")]


def _missing_inputs(folder: Path) -> list[object]:
    return ["export", write_design(folder, inputs="inputs.npy"), "--out", folder / "out"]


def _no_argument(folder: Path) -> list[object]:
    return ["simulate"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (_missing, ["nowhere.yaml", "cannot be read"]),
        (_typo, ["tecnology", "allowed are network, engine, clock_hz, technology"]),
        (_no_pes, ["pes", "0", "1"]),
        (_too_many_pes, ["pes", "1000", "256"]),
        (_wrong_topology, ["stage 0", "csc", "allowed on a dense engine"]),
        (_too_small_a_device, ["XC7A35T", "would do"]),
        (_truncated_network, ["small.npz", "archive"]),
        (_foreign_network, ["array a is", "allowed are a matrix"]),
        (_unknown_metric, ["beauty", "energy_j"]),
        (_unknown_fidelity, ["guess", "analytic, cycle, rtl, gate"]),
        (_unknown_recipe, ["lenet-9000", "lenet-300-100-csc"]),
        (_unknown_study, ["nobody-1999", "csc-dac2019"]),
        (_unwritable_study, ["out is", "allowed is a folder that can be written to"]),
        (_unwritable_export, ["out is", "allowed is a folder that can be written to"]),
        (_unwritable_training, ["out is", "allowed is a file in a folder"]),
        (_no_inputs, ["--inputs", "0", "x>=1"]),
        (_foreign_inputs, ["inputs.npy", "shape (2, 784), allowed is", "(k, 12)"]),
        (_inputs_beyond_one, ["inputs.npy", "1.5", "from 0 to 1"]),
        (_missing_inputs, ["inputs.npy", "does not exist, allowed is"]),
        (_no_argument, ["DESIGN"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_bad_input_ends_in_one_sentence_and_status_two(
    wrong: object, said: list[str], tmp_path: Path
) -> None:
    arguments = wrong(tmp_path)  # type: ignore[operator]
    before = sorted(tmp_path.iterdir())
    done = archsim(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("archsim: ")
    assert done.stderr.endswith(".\n")
    for word in said:
        assert word in done.stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "error", [Defect("cycles came out as -1"), ValueError("two\nlines"), KeyError("x"), RecursionError()]
)
@pytest.mark.parametrize("cache", ["cache", "file/cache"])
def test_what_nobody_foresaw_is_a_defect_whose_trace_is_kept(
    error: Exception, cache: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archsim import DesignPoint

    def defective(self: DesignPoint, fidelity: str) -> None:
        raise error

    design = write_design(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path / cache))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(DesignPoint, "simulate", defective)
    done = archsim("simulate", design)
    assert done.exit_code == 70
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"a defect of archsim, not of what it was given ({type(error).__name__}" in done.stderr
    assert "please report it" in done.stderr
    (kept,) = tmp_path.rglob("*.txt")
    assert str(kept) in done.stderr
    assert kept.parent == (tmp_path / "cache/defects" if cache == "cache" else tmp_path / "archsim-defects")
    trace = kept.read_text()
    assert "Traceback" in trace
    assert "in defective" in trace
    assert "Python 3" in trace


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/tmp/x"), "/tmp/x cannot be used (no space left"),
        (OSError(errno.ENOSPC, "No space left on device"), "standard output, or a file, cannot be used"),
        (MemoryError(), "memory is full"),
    ],
)
def test_a_machine_that_is_full_is_no_defect(
    error: Exception, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archsim import DesignPoint

    def refused(self: DesignPoint, fidelity: str) -> None:
        raise error

    monkeypatch.setattr(DesignPoint, "simulate", refused)
    done = archsim("simulate", write_design(tmp_path))
    assert done.exit_code == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("free", [0, 500_000])
def test_a_full_disk_is_the_fault_of_the_machine(
    free: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if not free:
        monkeypatch.setattr(tempfile, "TemporaryFile", full)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    done = archsim("export", write_design(tmp_path), "--out", tmp_path / "engine")
    assert done.exit_code == 1
    assert done.stderr.startswith("archsim: out is ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "engine").exists()


def test_an_interrupt_ends_in_one_line_and_status_130(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archsim import DesignPoint

    def interrupted(self: DesignPoint, fidelity: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(DesignPoint, "simulate", interrupted)
    done = archsim("simulate", write_design(tmp_path))
    assert done.exit_code == 130
    assert done.stderr == "archsim: interrupted.\n"


def test_an_interrupted_study_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(name: str, out: Path, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(import_module("reports.studies"), "reproduce", interrupted)
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path))
    done = archsim("reproduce", "csc-dac2019", "--out", tmp_path / "out")
    assert done.exit_code == 130
    assert done.stderr == f"archsim: interrupted; the same command goes on from what {tmp_path} holds.\n"


def test_a_study_that_is_none_is_refused_with_all_that_may_be_asked_for(tmp_path: Path) -> None:
    done = archsim("reproduce", "nosuch", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert done.stderr.startswith("archsim: study is 'nosuch', allowed are all, closnets-2018, ")
    assert not (tmp_path / "out").exists()
