"""Files that appear whole or not at all, wherever they go and whoever else writes them."""

from __future__ import annotations

import errno
import multiprocessing
import os
import tempfile
from pathlib import Path
from typing import BinaryIO, NoReturn

import pytest

from workloads.files import OutputError, check_file, check_folder, write_file, write_text

ROUNDS = 40


def full(file: BinaryIO) -> NoReturn:
    file.write(b"half")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_text_is_written_as_it_is(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "µ\r\n\n")
    assert (tmp_path / "a").read_bytes() == b"\xc2\xb5\r\n\n"


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before")
    with pytest.raises(OutputError, match=r"which cannot be written \(no space left on device\), allowed"):
        write_file(tmp_path / "a", full)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "before"


def test_an_interrupt_leaves_the_old_file(tmp_path: Path) -> None:
    def interrupted(file: BinaryIO) -> NoReturn:
        file.write(b"half")
        raise KeyboardInterrupt

    (tmp_path / "a").write_text("before")
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "a", interrupted)
    assert {path: path.read_text() for path in tmp_path.iterdir()} == {tmp_path / "a": "before"}


def test_what_took_long_lies_elsewhere_where_it_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(OutputError, match="lies in") as refused:
        write_text(tmp_path / "nowhere" / "net.npz", "weights", precious=True)
    kept = Path(str(refused.value).partition("lies in ")[2].partition(",")[0])
    assert kept.name == "net.npz"
    assert kept.read_text() == "weights"


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real/file")
    for text in ("made", "replaced"):
        write_text(tmp_path / "link", text)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real" / "file").read_text() == text


def test_permissions_are_those_of_new_files_or_of_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_text(tmp_path / "new", "")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode
    (tmp_path / "usual").chmod(0o640)
    write_text(tmp_path / "usual", "anew")
    assert (tmp_path / "usual").stat().st_mode & 0o777 == 0o640


def test_what_is_no_plain_file_is_written_through() -> None:
    write_text(Path(os.devnull), "nothing is replaced")
    assert not Path(os.devnull).is_file()


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    write_text(tmp_path / ("x" * 255), "there")
    assert (tmp_path / ("x" * 255)).read_text() == "there"


def rewrite(path: Path, mark: str) -> None:
    for _ in range(ROUNDS):
        write_text(path, mark * 100_000)
        assert len(set(path.read_text())) == 1, "two runs were mixed"


def test_two_runs_that_write_one_file_do_not_meet(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    runs = [spawn.Process(target=rewrite, args=(tmp_path / "shared", mark)) for mark in "ab"]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["shared"]


def test_a_place_without_room_is_found_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1000})())
    for check, place in ((check_file, tmp_path / "a"), (check_folder, tmp_path)):
        with pytest.raises(OutputError, match="where 1,000 bytes are free, allowed are"):
            check(place)


def test_a_file_must_have_a_folder(tmp_path: Path) -> None:
    check_file(tmp_path / "network.npz")
    with pytest.raises(OutputError, match="allowed is a file in a folder that exists"):
        check_file(tmp_path / "nowhere" / "network.npz")
    with pytest.raises(OutputError, match="allowed is the name of a file"):
        check_file(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_made_where_it_can_be(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="allowed is a folder that can be written to"):
        check_folder(tmp_path / "file" / "b")
