"""Finished design points, kept at once and for good, by what they were computed from.

A store is one SQLite database in a folder. Each point is a row of its own transaction: a process that is
killed, or a disk that is full, loses none that was finished. Any number of processes may read and write it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workloads.refusal import Refusal

if TYPE_CHECKING:
    import pandas as pd

FILE = "results.sqlite"
FORMAT = 1
"""Version of the tables."""

PACKAGES = ("archsim", "rtl", "workloads")
"""What a result follows from: their code, and their data."""

_TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS points (
    key TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    fidelity TEXT NOT NULL,
    point TEXT NOT NULL,
    figures TEXT,
    error TEXT,
    seconds REAL NOT NULL,
    finished REAL NOT NULL
);
"""
_WAITS_S = 60.0
"""How long a process waits for others that write."""


@functools.cache
def this_version() -> str:
    """The release of archsim, and a digest of its code and data: results of other code are other results."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[2]
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if path.is_file() and path.suffix != ".pyc" and path.suffix != ".pyi":
                digest.update(path.relative_to(root).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{metadata.version('archsim')}+{digest.hexdigest()[:16]}"


class StoreError(Refusal):
    """A store cannot be read or written, or is none."""


@dataclass(frozen=True)
class Row:
    """One finished point: its values, and either its `figures` or the `error` that it ended with.

    `key` names what it was computed from: the point, the content of files that it names, and the version of
    code and data.
    """

    key: str
    point: Mapping[str, Any]
    fidelity: str
    figures: Mapping[str, Any] | None = None
    error: str | None = None
    seconds: float = 0.0
    version: str = field(default_factory=this_version)


def key_of(point: Mapping[str, Any], fidelity: str, contents: Iterable[str] = ()) -> str:
    """What a point's result is kept under: `contents` are digests of the files that it names."""
    values = [point, fidelity, sorted(contents), this_version()]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


class Store:
    """The store of a folder, which is made where there is none. Raises StoreError for one that cannot be
    read, or that a later version wrote."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.path = self.folder / FILE
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError.of("out", str(folder), f"a folder that can be made ({error.strerror})") from None
        with self._open() as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_TABLES)
            database.execute("INSERT OR IGNORE INTO about VALUES ('format', ?)", (str(FORMAT),))
            database.commit()
            (found,) = database.execute("SELECT value FROM about WHERE name = 'format'").fetchone()
        if found != str(FORMAT):
            raise StoreError.of(f"format of {self.path}", found, str(FORMAT))

    def __repr__(self) -> str:
        return f"<Store {self.folder}: {len(self):,} points>"

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=_WAITS_S)) as database:
                yield database
        except sqlite3.DatabaseError as error:
            raise StoreError.of(
                "store", str(self.path), f"one that can be read and written ({error})"
            ) from None

    def __len__(self) -> int:
        with self._open() as database:
            (many,) = database.execute("SELECT count(*) FROM points").fetchone()
        return int(many)

    def keys(self) -> frozenset[str]:
        """What is kept of this version of archsim."""
        with self._open() as database:
            found = database.execute("SELECT key FROM points WHERE version = ?", (this_version(),))
            return frozenset(key for (key,) in found)

    def keep(self, rows: Iterable[Row]) -> None:
        """Keeps finished points, all of them or, where that fails, none. Those that are kept already stay."""
        now = time.time()
        with self._open() as database, database:
            database.executemany(
                "INSERT OR IGNORE INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(row.key, row.version, row.fidelity, _text(row.point)),
                        *(None if row.figures is None else _text(row.figures), row.error, row.seconds, now),
                    )
                    for row in rows
                ],
            )

    def rows(self, *, every_version: bool = False) -> Iterator[Row]:
        """The points, in the order of their keys; of this version of archsim unless told otherwise."""
        with self._open() as database:
            found = database.execute(
                "SELECT key, point, fidelity, figures, error, seconds, version FROM points "
                "WHERE ? OR version = ? ORDER BY key",
                (every_version, this_version()),
            )
            for key, point, fidelity, figures, error, seconds, its_version in found:
                told = None if figures is None else json.loads(figures)
                yield Row(key, json.loads(point), fidelity, told, error, seconds, its_version)

    def frame(self, *, every_version: bool = False) -> pd.DataFrame:
        """A row a point: fields of the point by their names with dots, figures with units in their names, and
        `error` where there are none."""
        import pandas as pd

        from archsim.explore.spec import flat

        table = [
            {"key": row.key, **flat(row.point), "fidelity": row.fidelity, **(row.figures or {})}
            | {"error": row.error}
            | ({"version": row.version} if every_version else {})
            for row in self.rows(every_version=every_version)
        ]
        return pd.DataFrame(table)


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, allow_nan=False)
