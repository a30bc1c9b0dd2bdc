"""The files that design points name: what is in them counts, and can go along to where they are needed."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from workloads.files import write_file

T = TypeVar("T")
MOST_BYTES = 1_000_000_000
"""Of one file: a larger one is no network or library of cells that a task can carry."""


@dataclass(frozen=True)
class Named:
    """A `text` of a point that names files: `beside` is the folder before its first wildcard, `rest` what
    comes after that, `files` are the digests of all that fit by their paths in the folder."""

    text: str
    beside: Path
    rest: str
    files: tuple[tuple[str, str], ...]

    @property
    def place(self) -> str:
        """A name for the folder, by what is in it."""
        return hashlib.sha256(repr((self.rest, self.files)).encode()).hexdigest()[:16]


def named_files(point: Mapping[str, Any], folder: Path) -> tuple[Named, ...]:
    """The texts of a point that name files, in this folder or by their own paths."""
    texts = sorted({text for text in _texts(point) if "." in text or "/" in text or "*" in text})
    there = ((text, _named(text, folder / text) or _named(text, Path(text))) for text in texts)
    return tuple(named for _, named in there if named is not None)


def _named(text: str, path: Path) -> Named | None:
    if not glob.has_magic(text):
        if not path.is_file():
            return None
        return Named(text, path.parent, path.name, ((path.name, digest_of(path)),))
    parts = path.parts
    fixed = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    beside, rest = Path(*parts[:fixed]), str(Path(*parts[fixed:]))
    fit = sorted(Path(found) for found in glob.iglob(str(path)))
    files = tuple((str(file.relative_to(beside)), digest_of(file)) for file in fit if file.is_file())
    return Named(text, beside, rest, files) if files else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = value.values()
    if isinstance(value, str):
        yield value
    elif isinstance(value, Iterable):
        for inner in value:
            yield from _texts(inner)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, which is read again only where it was changed."""
    status = path.stat()
    return _digest(path, (status.st_mtime_ns, status.st_size, status.st_ino))


@lru_cache(maxsize=1024)
def _digest(path: Path, stamp: tuple[int, int, int]) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def laid_out(named: Iterable[Named], contents: Mapping[str, bytes], room: Path) -> dict[str, str]:
    """Writes files into a room, each set into a folder of its own, unless it lies there already. The texts by
    which a point finds them, by those that it had. Raises OutputError."""
    texts = {}
    for one in named:
        place = room / one.place
        for inner, digest in one.files:
            target = place / inner
            if not target.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                content = contents[digest]
                write_file(target, lambda file, content=content: file.write(content))  # type: ignore[misc]
        texts[one.text] = str(place / one.rest)
    return texts


def with_texts(value: T, texts: Mapping[str, str]) -> T:
    """A value of plain values in which some whole texts are others."""
    plain: Any = value
    if isinstance(plain, Mapping):
        plain = {name: with_texts(inner, texts) for name, inner in plain.items()}
    elif isinstance(plain, list | tuple):
        plain = [with_texts(inner, texts) for inner in plain]
    elif isinstance(plain, str):
        plain = texts.get(plain, plain)
    told: T = plain
    return told
