"""Folders that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.output import whole_folder
from workloads.files import OutputError


def test_a_folder_appears_when_the_work_is_done(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    with whole_folder(target) as room:
        (room / "page").write_text("text")
        assert not target.exists()
    assert (target / "page").read_text() == "text"
    assert list(target.parent.iterdir()) == [target]


def test_nothing_is_left_where_the_work_fails(tmp_path: Path) -> None:
    def half_a_page() -> None:
        with whole_folder(tmp_path / "out") as room:
            (room / "half").touch()
            (room / "nowhere" / "page").touch()

    with pytest.raises(FileNotFoundError):
        half_a_page()
    assert list(tmp_path.iterdir()) == []


def test_the_old_folder_stays_where_the_work_fails(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with whole_folder(target) as room:
        (room / "old").touch()
    with pytest.raises(KeyboardInterrupt), whole_folder(target):
        raise KeyboardInterrupt
    assert (target / "old").exists()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_others_wrote_is_not_replaced(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "theirs"
    if kind == "file":
        target.touch()
    else:
        target.mkdir()
        (target / "letter").touch()
    with pytest.raises(OutputError, match="allowed is a new or an empty folder"), whole_folder(target):
        pass
    assert target.exists()


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with whole_folder(tmp_path / "empty") as room:
        (room / "page").touch()
    assert (tmp_path / "empty" / "page").exists()


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for name in ("first", "second"):
        with whole_folder(tmp_path / "link") as room:
            (room / name).touch()
    assert (tmp_path / "link").is_symlink()
    assert {path.name for path in (tmp_path / "real").iterdir()} == {"second", ".archsim-output"}


def test_two_runs_may_end_in_one_folder(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with whole_folder(target) as first:
        (first / "page").write_text("first")
        with whole_folder(target) as second:
            (second / "page").write_text("second")
    assert (target / "page").read_text() == "first"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cannot_be_renamed_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "disk"
    target.mkdir()
    monkeypatch.setattr("os.path.ismount", lambda path: Path(path) == target)
    for name in ("first", "second"):
        with whole_folder(target) as room:
            assert room.parent == target
            (room / name).touch()
    assert {path.name for path in target.iterdir()} == {"second", ".archsim-output"}


def test_a_finished_folder_is_kept_where_it_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(room: Path, target: Path) -> Path:
        raise OSError(16, "Device or resource busy")

    def finish() -> None:
        with whole_folder(tmp_path / "out") as room:
            (room / "page").touch()
            monkeypatch.setattr(Path, "rename", busy)

    with pytest.raises(OutputError, match=r"busy.*lies in") as refused:
        finish()
    assert (Path(str(refused.value).partition("lies in ")[2]) / "page").exists()
