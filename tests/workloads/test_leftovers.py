"""What a killed process was writing is removed by a later write, and what a living one writes is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workloads import leftovers
from workloads.files import write_text
from workloads.leftovers import OLD_S, part_name, remove_leftovers

WRITER = """
import sys, time
from pathlib import Path
from workloads.files import write_file

def fill(file):
    file.write(b"half")
    file.flush()
    print("written", flush=True)
    time.sleep(600)

write_file(Path(sys.argv[1]), fill)
"""


@pytest.fixture(autouse=True)
def looked_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_looked", {})


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".*.part"))


@pytest.mark.skipif(os.name != "posix", reason="processes are killed by a signal")
def test_the_next_write_removes_what_a_killed_process_left(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(target)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        (left,) = parts(tmp_path)
        assert left.startswith(".result.json.")
        remove_leftovers(tmp_path)
        assert parts(tmp_path) == [left], "its process lives"
        process.send_signal(signal.SIGKILL)
    leftovers._looked.clear()
    assert parts(tmp_path) == [left]
    write_text(tmp_path / "another.json", "whole")
    assert os.listdir(tmp_path) == ["another.json"]


def aged(path: Path, age_s: float) -> Path:
    path.write_text("half")
    os.utime(path, (path.stat().st_mtime - age_s,) * 2)
    return path


OWN = "a part of this process"
"""Stands for a name that each process makes for itself."""


@pytest.mark.parametrize(
    ("name", "age_s", "stays"),
    [
        (OWN, 0, True),
        (OWN, OLD_S + 60, False),
        (".file.00000000-1-0123456789ab.part", OLD_S - 60, True),
        (".file.00000000-1-0123456789ab.part", OLD_S + 60, False),
        (".file.0123456789ab.part", OLD_S - 60, True),
        (".file.0123456789ab.part", OLD_S + 60, False),
        ("file.0123456789ab.part", OLD_S + 60, True),
        (".file.part", OLD_S + 60, True),
        (".file.0123456789ab.partial", OLD_S + 60, True),
    ],
)
def test_others_go_when_they_are_old_and_nothing_else_does(
    name: str, age_s: float, stays: bool, tmp_path: Path
) -> None:
    name = part_name("mine") if name == OWN else name
    part = aged(tmp_path / name, age_s)
    remove_leftovers(tmp_path)
    assert part.exists() is stays


def test_a_folder_is_looked_through_once_in_a_while(tmp_path: Path) -> None:
    remove_leftovers(tmp_path)
    part = aged(tmp_path / ".file.0123456789ab.part", OLD_S + 60)
    write_text(tmp_path / "file", "whole")
    assert part.exists()
    leftovers._looked[tmp_path.resolve()] -= leftovers.AGAIN_S
    write_text(tmp_path / "file", "whole")
    assert not part.exists()


def test_what_cannot_be_looked_through_costs_no_write(tmp_path: Path) -> None:
    remove_leftovers(tmp_path / "missing")
    (tmp_path / ".folder.0123456789ab.part").mkdir()
    aged_folder = tmp_path / ".folder.0123456789ab.part"
    os.utime(aged_folder, (0, 0))
    write_text(tmp_path / "file", "whole")
    assert aged_folder.is_dir()
