"""Finished design points, kept at once and for good, by what they were computed from.

A store is one SQLite database in a folder. Each point is a row of its own transaction: a process that is
killed, or a disk that is full, loses none that was finished. Any number of processes may read and write it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.costs.breakdown import Breakdown
from archsim.explore.spec import field_order, flat
from workloads.files import digest_of, reason_of
from workloads.refusal import Refusal

if TYPE_CHECKING:
    from archsim.explore.frames import Frame

FILE = "results.sqlite"
FORMAT = 2
"""Version of the tables. The first kept no breakdowns, and is read all the same."""

_READ = ("1", str(FORMAT))

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
    finished REAL NOT NULL,
    breakdown BLOB
);
CREATE TABLE IF NOT EXISTS breakdowns (
    key BLOB PRIMARY KEY,
    names BLOB NOT NULL,
    amounts BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS names (key BLOB PRIMARY KEY, names TEXT NOT NULL);
"""
"""A breakdown stands once, however many points have it; so do its names, by a digest of what they are."""

_DIGEST_BYTES = 16
_COLUMNS = "SELECT points.key, point, fidelity, figures, error, seconds, version"
_WHOLE = (
    f"{_COLUMNS}, breakdown, names.names, amounts FROM points "
    "LEFT JOIN breakdowns ON breakdowns.key = breakdown LEFT JOIN names ON names.key = breakdowns.names"
)
_OF_THE_FIRST = f"{_COLUMNS}, NULL, NULL, NULL FROM points"
_WAITS_S = 60.0
"""How long a process waits for others that write."""
_TRIES = 600


@functools.cache
def this_version() -> str:
    """The release of archsim, and a digest of its code and data: results of other code are other results."""
    root = Path(__file__).parents[2]
    digest = digest_of(root / package for package in PACKAGES)
    return f"{metadata.version('archsim')}+{digest[:16]}"


class StoreError(Refusal):
    """A store cannot be read or written, or is none."""


@dataclass(frozen=True)
class Row:
    """One finished point: its values, and either its `figures` or the `error` that it ended with; with the
    figures a `breakdown`, which rows of the first format lack.

    `key` names what it was computed from: the point, the content of files that it names, and the version of
    code and data. One that is `lost` ended for a reason of the place that it ran in, as a full memory, and is
    not kept: another try may end otherwise.
    """

    key: str
    point: Mapping[str, Any]
    fidelity: str
    figures: Mapping[str, Any] | None = None
    error: str | None = None
    seconds: float = 0.0
    version: str = field(default_factory=this_version)
    lost: bool = False
    breakdown: Breakdown | None = None


def key_of(point: Mapping[str, Any], fidelity: str, contents: Iterable[str] = ()) -> str:
    """What a point's result is kept under: `contents` are digests of the files that it names."""
    values = [point, fidelity, sorted(contents), this_version()]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


class Store:
    """The store of a folder, which is made where there is none, unless it is only `read`. Raises StoreError
    for one that cannot be read, that was cut short, or that a later version wrote."""

    def __init__(self, folder: str | Path, *, read: bool = False) -> None:
        self.folder = Path(folder)
        self.path = self.folder / FILE
        if read:
            if not self.path.is_file():
                raise StoreError.of("results", str(folder), f"folders with {FILE}, as a sweep makes them")
        else:
            self._make()
        with self._open() as database:
            tables = database.execute("SELECT name FROM sqlite_master WHERE name = 'about'").fetchone()
            about = "SELECT value FROM about WHERE name = 'format'"
            (kept,) = (tables and database.execute(about).fetchone()) or ("none",)
            (whole,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if kept not in _READ:
            raise StoreError.of(f"format of {self.path}", kept, _READ)
        if whole != "ok":
            raise self._refusal(f"whole ones (here: {whole})")

    def _make(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            allowed = f"a folder that can be made ({reason_of(error)})"
            raise StoreError.of("out", str(self.folder), allowed) from None
        with self._open() as database:
            _set_wal(database)
            database.executescript(_TABLES)
            database.execute("INSERT OR IGNORE INTO about VALUES ('format', ?)", (str(FORMAT),))
            database.commit()
            _bring_up(database)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the database open meanwhile: who closes the last connection also clears its log away, and
        would after each batch."""
        with self._open() as database:
            database.execute("SELECT count(*) FROM about").fetchone()
            yield

    def _refusal(self, allowed: str) -> StoreError:
        return StoreError.of("store", str(self.path), allowed)

    def __repr__(self) -> str:
        return f"<Store {self.folder}: {len(self):,} points>"

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._address, timeout=_WAITS_S, uri=True)) as database:
                yield database
        except sqlite3.DatabaseError as error:
            raise self._refusal(f"whole ones that can be read and written (here: {error})") from None

    @property
    def _address(self) -> str:
        """The database for SQLite. One beside which it cannot write it reads only if it is told that nobody
        writes it."""
        has_log = self.path.with_name(f"{FILE}-wal").exists()
        alone = self.path.exists() and not has_log and not os.access(self.folder, os.W_OK)
        return f"{self.path.absolute().as_uri()}{'?immutable=1' if alone else ''}"

    def __len__(self) -> int:
        with self._open() as database:
            (many,) = database.execute("SELECT count(*) FROM points").fetchone()
        return int(many)

    def keys(self) -> frozenset[str]:
        """What is kept of this version of archsim."""
        with self._open() as database:
            found = database.execute("SELECT key FROM points WHERE version = ?", (this_version(),))
            return frozenset(key for (key,) in found)

    def among(self, keys: Iterable[str]) -> dict[str, Row]:
        """The points that are kept under these keys, by key."""
        with self._open() as database:
            chosen, shared = _WHOLE if _is_of_now(database) else _OF_THE_FIRST, dict[bytes, Breakdown]()
            found = (database.execute(f"{chosen} WHERE points.key = ?", (key,)).fetchone() for key in keys)
            return {told[0]: _row(told, shared) for told in found if told is not None}

    def keep(self, rows: Iterable[Row]) -> None:
        """Keeps finished points but for lost ones: all of them or, where that fails, none. Those that are
        kept already stay. Raises StoreError, as for a full disk, which takes nothing that was kept."""
        now, kept = time.time(), [row for row in rows if not row.lost]
        parts = {id(row.breakdown): row.breakdown for row in kept if row.breakdown is not None}
        names = {place: _key_of_names(part.names) for place, part in parts.items()}
        keys = {place: _digest(names[place] + part.packed) for place, part in parts.items()}
        with self._open() as database, database:
            database.executemany(
                "INSERT OR IGNORE INTO names VALUES (?, ?)",
                {
                    names[place]: (names[place], json.dumps(part.names)) for place, part in parts.items()
                }.values(),
            )
            database.executemany(
                "INSERT OR IGNORE INTO breakdowns VALUES (?, ?, ?)",
                [(keys[place], names[place], zlib.compress(part.packed)) for place, part in parts.items()],
            )
            database.executemany(
                "INSERT OR IGNORE INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(row.key, row.version, row.fidelity, _text(row.point)),
                        *(None if row.figures is None else _text(row.figures), row.error, row.seconds, now),
                        keys.get(id(row.breakdown)),
                    )
                    for row in kept
                ],
            )

    def of_other_versions(self) -> int:
        """How many points other versions of archsim have kept."""
        with self._open() as database:
            (many,) = database.execute(
                "SELECT count(*) FROM points WHERE version != ?", (this_version(),)
            ).fetchone()
        return int(many)

    def rows(self, *, every_version: bool = False) -> Iterator[Row]:
        """The points, in the order of their keys; of this version of archsim unless told otherwise."""
        shared: dict[bytes, Breakdown] = {}
        with self._open() as database:
            chosen = _WHOLE if _is_of_now(database) else _OF_THE_FIRST
            found = database.execute(
                f"{chosen} WHERE ? OR version = ? ORDER BY points.key",
                (every_version, this_version()),
            )
            yield from (_row(told, shared) for told in found)

    def frame(self, *, every_version: bool = False) -> Frame:
        """A row a point: fields of the point by their names with dots, figures with units in their names, and
        `error` where there are none."""
        from archsim.explore.frames import Frame

        table = [fields_of(row, version=every_version) for row in self.rows(every_version=every_version)]
        return Frame(table)


def _row(told: tuple[Any, ...], shared: dict[bytes, Breakdown]) -> Row:
    """A row as `_WHOLE` has it; breakdowns are `shared` by all that have the same."""
    key, point, fidelity, figures, error, seconds, version, part, names, amounts = told
    if part is not None and part not in shared:
        shared[part] = Breakdown(_names(names), zlib.decompress(amounts))
    noted = None if figures is None else json.loads(figures)
    rest = {"version": version, "breakdown": shared.get(part)}
    return Row(key, json.loads(point), fidelity, noted, error, seconds, **rest)


def fields_of(row: Row, *, version: bool = False) -> dict[str, Any]:
    """A row as the fields of its point, by their names with dots, and its figures. The clock is the number of
    hertz that it ran at, None where it was to be the fastest and the point failed."""
    point = sorted(flat(row.point).items(), key=lambda field: field_order(field[0]))
    shown = {name: json.dumps(value) if isinstance(value, Mapping) else value for name, value in point}
    fields: dict[str, Any] = {"key": row.key, **shown, "fidelity": row.fidelity}
    if isinstance(fields.get("clock_hz"), str):
        fields["clock_hz"] = None
    fields |= {**(row.figures or {}), "error": row.error}
    return fields | {"version": row.version} if version else fields


def _bring_up(database: sqlite3.Connection) -> None:
    """Gives tables of the first format what those of today have. Two that do so at once wait for each
    other."""
    if _is_of_now(database):
        return
    database.execute("BEGIN IMMEDIATE")
    if not _is_of_now(database):
        database.execute("ALTER TABLE points ADD COLUMN breakdown BLOB")
        database.execute("UPDATE about SET value = ? WHERE name = 'format'", (str(FORMAT),))
    database.commit()


def _is_of_now(database: sqlite3.Connection) -> bool:
    """Whether points have a breakdown, as those of the first format have not."""
    return any(name == "breakdown" for _, name, *_ in database.execute("PRAGMA table_info(points)"))


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:_DIGEST_BYTES]


@functools.lru_cache(maxsize=256)
def _key_of_names(names: tuple[str, ...]) -> bytes:
    return _digest(json.dumps(names).encode())


@functools.lru_cache(maxsize=256)
def _names(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _set_wal(database: sqlite3.Connection) -> None:
    """Sets the mode in which readers and a writer do not wait for each other. Two that set it at once do not
    wait for each other either: who comes late tries again."""
    for _ in range(_TRIES):
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(_WAITS_S / _TRIES)


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, allow_nan=False)
