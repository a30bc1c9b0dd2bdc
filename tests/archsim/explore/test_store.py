"""The store: what was finished stays, whatever happens to the disk, to the file and to who writes."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

import archsim as a
from archsim.costs.breakdown import Breakdown
from archsim.explore import store as stores
from archsim.explore.store import FILE, Row, Store

ROOT = Path(__file__).parents[3]
finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.dictionaries(
    st.text(max_size=8), st.none() | st.integers() | finite | st.text(max_size=8), max_size=4
)
breakdowns = st.lists(st.tuples(st.text(max_size=8), finite), max_size=4).map(
    lambda parts: Breakdown(
        tuple(n for n, _ in parts), struct.pack(f"<{len(parts)}d", *(v for _, v in parts))
    )
)
rows_of = st.lists(
    st.builds(
        Row,
        key=st.text("abc", min_size=1, max_size=3),
        point=values,
        fidelity=st.sampled_from(["analytic", "gate"]),
        figures=st.none() | values,
        error=st.none() | st.text(),
        seconds=st.floats(0, 1e6),
        lost=st.booleans(),
        breakdown=st.none() | breakdowns,
    ),
    max_size=8,
)


def row(key: str, **changes: Any) -> Row:
    point = {"network": "n", "engine": {"kind": "csc", "pes": 4}, "clock_hz": "fastest"}
    return replace(Row(key, point, "analytic", {"energy_j": 1e-9, "clock_hz": 2e8}), **changes)


@given(first=rows_of, second=rows_of)
def test_what_is_kept_comes_back_and_the_first_stays(
    first: list[Row], second: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    store.keep(first)
    store.keep(second)
    expected: dict[str, Row] = {}
    for one in (*first, *second):
        if not one.lost:
            expected.setdefault(one.key, one)
    assert list(Store(store.folder, read=True).rows()) == [expected[key] for key in sorted(expected)]
    assert store.keys() == expected.keys()


def test_a_frame_has_fields_and_figures_and_the_clock_that_it_ran_at(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep([row("a"), row("b", figures=None, error="no")])
    frame = store.frame()
    assert list(frame) == [
        "key",
        "network",
        "engine.kind",
        "engine.pes",
        "clock_hz",
        "fidelity",
        "energy_j",
        "error",
    ]
    assert frame["clock_hz"].tolist()[0] == 2e8
    assert frame["clock_hz"].isna().tolist() == [False, True]


def test_rows_of_another_version_are_said_to_be_of_another_version(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep([row("a"), row("b", version="0.0.1+old")])
    assert store.keys() == {"a"}
    assert store.of_other_versions() == 1
    assert a.results(store)["key"].tolist() == ["a"]
    assert a.results(store, every_version=True)["version"].tolist().count("0.0.1+old") == 1


def test_a_store_of_a_later_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "FORMAT", 3)
    monkeypatch.setattr(stores, "_READ", ("3",))
    Store(tmp_path)
    monkeypatch.undo()
    with pytest.raises(a.Refusal, match=r"format of .* is '3', allowed are 1, 2"):
        Store(tmp_path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_file_cut_short_is_refused_in_a_sentence(share: float, tmp_path: Path) -> None:
    Store(tmp_path).keep(row(str(number)) for number in range(500))
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[: int(len(whole) * share)])
    for read in (True, False):
        with pytest.raises(a.Refusal, match=r"store is .*, allowed are whole ones"):
            Store(tmp_path, read=read)
    assert (tmp_path / FILE).read_bytes() == whole[: int(len(whole) * share)]


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(a.Refusal, match=r"results is .* allowed are folders with"):
        a.results(tmp_path)
    (tmp_path / FILE).write_text("no database" * 100)
    with pytest.raises(a.Refusal, match="allowed are whole ones"):
        a.results(tmp_path)
    with pytest.raises(a.Refusal, match=r"out is .* allowed are a folder that can be made"):
        Store(tmp_path / FILE / "inside")


FILLS = """
import resource, sys
from archsim.explore.store import Row, Store
from workloads.refusal import Refusal
store = Store(sys.argv[1])
store.keep([Row("first", {}, "analytic", {"energy_j": 1.0})])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    for number in range(10_000):
        store.keep([Row(str(number), {"text": "x" * 1000}, "analytic", {})])
        kept = number
except Refusal as refused:
    print(kept, refused)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of files")
def test_a_full_disk_is_a_sentence_and_loses_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FILLS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    kept, _, said = done.stdout.strip().partition(" ")
    assert said.startswith("store is ")
    assert "allowed are whole ones" in said
    assert int(kept) > 10
    assert {"first", *map(str, range(int(kept) + 1))} == Store(tmp_path).keys()


READS = """
import os, sys
from archsim.explore.store import Row, Store, this_version
from workloads.refusal import Refusal
this_version()
os.setgid(65534), os.setuid(65534)
print(sorted(row.key for row in Store(sys.argv[1], read=True).rows()))
try:
    Store(sys.argv[1])
except Refusal as refused:
    print(refused)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become nobody")
def test_a_folder_that_may_only_be_read_is_read() -> None:
    with tempfile.TemporaryDirectory() as place:  # one that others can look into
        folder = Path(place) / "runs"
        Store(folder).keep([row("a"), row("b")])
        for protected in (Path(place), folder):
            protected.chmod(0o555)
        command = [sys.executable, "-c", READS, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stderr
    kept, said = done.stdout.splitlines()
    assert kept == "['a', 'b']"
    assert said.startswith("store is ")
    assert "readonly database" in said


def test_a_store_that_is_held_is_written_and_read_by_all(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.held():
        store.keep([row("a")])
        Store(tmp_path).keep([row("b")])
        assert Store(tmp_path, read=True).keys() == {"a", "b"}
        assert (tmp_path / f"{FILE}-wal").exists()
    assert not (tmp_path / f"{FILE}-wal").exists()


def test_several_write_one_store_at_once(tmp_path: Path) -> None:
    def write(who: int) -> None:
        store = Store(tmp_path)
        for number in range(50):
            store.keep([row(f"{who} {number}"), row(f"all {number}")])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert len(Store(tmp_path)) == 8 * 50 + 50


def test_conditions_and_columns_choose(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep(
        row(
            str(pes),
            point={"network": "n", "engine": {"kind": "csc", "pes": pes}},
            figures={"energy_j": 1 / pes},
        )
        for pes in (16, 4, 8)
    )
    chosen = a.results(tmp_path, where="energy_j < 0.2 and pes >= 8", columns=["engine.pes"])
    assert chosen["engine.pes"].tolist() == [8, 16]
    assert len(a.results(tmp_path, where=["zero_gating == auto"])) == 3
    assert len(a.results(tmp_path, where=["zero_gating == on"])) == 0
    with pytest.raises(a.Refusal, match="enegry_j is not"):
        a.results(tmp_path, where="enegry_j < 1")
    with pytest.raises(a.Refusal, match="columns is 'nothing', allowed are key"):
        a.results(tmp_path, columns=["nothing"])


def test_a_condition_on_a_figure_leaves_refused_points_out(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep([row("a"), row("b", figures=None, error="no")])
    assert a.results(tmp_path, where="energy_j < 1e-7")["key"].tolist() == ["a"]
    assert a.results(tmp_path, where="energy_j * 2 < 1e-7 or error == no")["key"].tolist() == ["a", "b"]


def test_rows_are_had_by_their_keys(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep([row("a"), row("b")])
    assert store.among(["b", "c"]) == {"b": row("b")}
