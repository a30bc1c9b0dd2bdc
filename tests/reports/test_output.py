"""Folders that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.output import OutputError, check_file, whole_folder


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


def test_a_file_must_have_a_folder(tmp_path: Path) -> None:
    check_file(tmp_path / "network.npz")
    with pytest.raises(OutputError, match="allowed is a file in a folder that exists"):
        check_file(tmp_path / "nowhere" / "network.npz")
    with pytest.raises(OutputError, match="allowed is the name of a file"):
        check_file(tmp_path)
