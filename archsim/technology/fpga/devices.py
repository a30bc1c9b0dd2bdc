"""What a design takes of an FPGA, what a device holds, and what it burns while nothing switches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archsim.technology.quantity import Quantity, load_table


class FpgaResources(Mapping[str, int]):
    """Counts of what a design takes, by the names of its family; a name that it takes none of counts zero."""

    __slots__ = ("_counts",)

    def __init__(self, **counts: int) -> None:
        self._counts = {name: count for name, count in counts.items() if count}

    def __getitem__(self, name: str) -> int:
        return self._counts.get(name, 0)

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __hash__(self) -> int:
        return hash(frozenset(self._counts.items()))

    def __repr__(self) -> str:
        return f"FpgaResources({', '.join(f'{name}={count}' for name, count in self.items())})"

    def __add__(self, other: FpgaResources) -> FpgaResources:
        return FpgaResources(**{name: self[name] + other[name] for name in self._counts | other._counts})

    def __mul__(self, instances: int) -> FpgaResources:
        return FpgaResources(**{name: count * instances for name, count in self.items()})


@dataclass(frozen=True, kw_only=True)
class Device:
    """One part of a `family`: how much it holds, by name, a `package` that it comes in, empty where none is
    stated, and its static power, None where nobody published it.

    Static power is that of a typical part at 25 C ambient, whose junction, `static_junction_c`, is hardly
    warmer. It grows with the junction: the reports give an XC7A35T 1.6 times as much at 65 C and 3.8 times
    at 103 C.
    """

    name: str
    family: str
    available: Mapping[str, int]
    package: str = ""
    static_w: Quantity | None = None
    static_junction_c: float | None = None

    def exhausted(self, used: Mapping[str, int]) -> tuple[str, ...]:
        """What a design uses up and more, by the names of what the device holds."""
        return tuple(name for name, count in self.available.items() if used[name] > count)


def read_devices(file: str, columns: Mapping[str, str], *, family: str = "") -> dict[str, Device]:
    """The devices of a table of `technology/data`, in its order. `columns` says in which of them a resource
    stands; a column `family` is read where there is no one family, `package` where packages are stated, and
    `static_w` where static power is known."""
    table = load_table(file)
    static = {number.name: number for number in table.quantities() if number.name.endswith("static_w")}
    return {
        row["device"]: Device(
            name=row["device"],
            family=family or row["family"],
            available={name: row[column] for name, column in columns.items()},
            package=row.get("package", ""),
            static_w=static.get(f"{file}:{line}:static_w"),
            static_junction_c=row.get("static_junction_c"),
        )
        for line, row in enumerate(table.rows, start=2)
    }
