"""The site of all studies, made one after the other. Whatever ends a study costs only its own page, and the
index stands at every moment: a run that is killed leaves one that says what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from reports.published.index import check_index, write_index
from reports.studies import registry
from reports.write_up.record import Record, read
from reports.write_up.verdicts import in_words
from workloads.files import check_folder

HOME = "../index.html"
"""The address of the index, from a study's page."""


class State(StrEnum):
    """What became of the page of a study."""

    MADE = "made"
    KEPT = "kept"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    WAITING = "not made yet"


@dataclass(frozen=True)
class Entry:
    """A study on the site: the claims of its page, where it has one, or why it has none."""

    study: str
    state: State = State.WAITING
    record: Record | None = None
    error: str = ""


def reproduce_all(
    out: Path, *, sentence_of: Callable[[BaseException], str], tell: Callable[[str], None]
) -> list[Entry]:
    """Makes the page of every study in `out`, the quickest first, and the index of their claims. A page that
    this code and data made before is kept. `sentence_of` says an error in a sentence, `tell` says what is
    done.

    Raises OutputError, before anything is run, for a folder that cannot be written to or holds an index of
    something else.
    """
    check_folder(out)
    check_index(out)
    entries = [_at_first(name, out) for name in registry.quickest_first()]
    write_index(entries, out)
    for place, entry in enumerate(entries):
        where = f"{entry.study}, {place + 1} of {len(entries)}"
        if entry.state is State.KEPT:
            tell(f"{where}: kept, as this version made it")
            continue
        lasts = registry.duration_of(entry.study)
        tell(f"{where}: {f'about {lasts}' if lasts else 'begins'}")
        try:
            entries[place] = _made(entry, out)
        except Exception as error:
            entries[place] = replace(entry, state=State.FAILED, error=sentence_of(error))
        except KeyboardInterrupt:
            entries[place] = replace(entry, state=State.INTERRUPTED)
            raise
        finally:
            write_index(entries, out)
        tell(f"{where}: {_came(entries[place])}")
    return entries


def _at_first(name: str, out: Path) -> Entry:
    """A study whose page is there already is kept, if it is that of this code and data."""
    record = read(out / registry.folder_of(name))
    if record is None or record.source != registry.source_of(name):
        return Entry(name)
    return Entry(name, State.KEPT, record)


def _made(entry: Entry, out: Path) -> Entry:
    registry.reproduce(entry.study, out, home=HOME)
    return replace(entry, state=State.MADE, record=read(out / registry.folder_of(entry.study)))


def _came(entry: Entry) -> str:
    if entry.record is None:
        return f"{entry.state}: {entry.error}"
    return f"{in_words(claim.verdict for claim in entry.record.claims)}, in {entry.record.seconds:.0f} s"


def without_page(entries: Iterable[Entry]) -> list[Entry]:
    """The studies that have no page of this version."""
    return [entry for entry in entries if entry.record is None]
