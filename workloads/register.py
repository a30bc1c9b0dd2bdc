"""Registers: what can be added, by name. The project's own members and those of installed packages alike.

A member is a file that registers what it defines. The files of the register's own folder are found there, so
that no list names them; an installed package announces its module by an entry point of the register's group.
"""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from typing import Generic, TypeVar, cast

from workloads.refusal import Refusal

T = TypeVar("T")
M = TypeVar("M")


MOST_SHOWN = 140
"""Characters of the names that a register shows."""


class PluginWarning(UserWarning):
    """An installed package announced a member that cannot be loaded; everything else works without it."""


class Register(Mapping[str, T], Generic[T]):
    """Members by name, in the order of their names. They are found when they are first asked for.

    `what` is one member in a word, for refusals; `folders` the packages whose modules register the project's
    own; `group` the entry points by which installed packages announce modules.
    """

    def __init__(self, what: str, *folders: str, group: str, error: type[Refusal] = Refusal) -> None:
        self.what, self.folders, self.group, self.error = what, folders, group, error
        self._members: dict[str, T] = {}
        self._found = False

    def enter(self, name: str, member: T) -> T:
        """Makes a member known by its name. Raises the register's refusal for a name that is taken."""
        if self._members.setdefault(name, member) is not member:
            raise self.error.of(self.what, name, f"names not yet taken, and {self._members[name]!r} has it")
        return member

    def register(self, name: str) -> Callable[[M], M]:
        """Decorator: makes what it decorates known by this name."""

        def enter(member: M) -> M:
            self.enter(name, cast(T, member))
            return member

        return enter

    def find(self) -> None:
        """Imports what registers members: the modules of the folder, and those that packages announce."""
        if self._found:
            return
        self._found = True
        try:
            for folder in self.folders:
                for module in pkgutil.iter_modules(importlib.import_module(folder).__path__):
                    importlib.import_module(f"{folder}.{module.name}")
        except BaseException:
            self._found = False
            raise
        for entry in metadata.entry_points(group=self.group):
            try:
                entry.load()
            except Exception as error:
                warnings.warn(
                    f"{self.what} {entry.name} of {entry.value} cannot be loaded: {error}",
                    PluginWarning,
                    stacklevel=2,
                )

    def named(self, name: object, *, field: str = "") -> T:
        """The member of this name. Raises the register's refusal, which lists those there are."""
        self.find()
        if not isinstance(name, str) or name not in self._members:
            raise self.error.of(field or self.what, name, self)
        return self._members[name]

    def __getitem__(self, name: str) -> T:
        self.find()
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        self.find()
        return iter(sorted(self._members))

    def __len__(self) -> int:
        self.find()
        return len(self._members)

    def __repr__(self) -> str:
        names = ", ".join(self)
        shown = names if len(names) <= MOST_SHOWN else f"{names[:MOST_SHOWN]}..."
        return f"<{len(self)} of {self.group}: {shown}>"
