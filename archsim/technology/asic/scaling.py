"""What a change of node and supply does to area, energy, delay and leakage, by Stillmaker and Baas (2017).

scaled = value x factor (target) / factor (source), each factor a polynomial of the supply. Area factors are
by node. Leakage has no published scaling there; the rule that stands in is in `cmos.yaml`.

The table has eleven nodes. Between two of them every factor, and the nominal supply, lies on a straight line
over the logarithm of the node, its own logarithm too; at other supplies than the nominal ones the neighbours
are taken at the same share of theirs. How far that is off is known from the table itself, each of whose nodes
was left out and laid between the others (`between_nodes.csv`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import Field

from archsim.technology.quantity import Quantity, load_quantities, load_table
from workloads.refusal import Refusal

SCALING_TABLE = "scaling_stillmaker2017.csv"
SCALING_CONSTANTS = "cmos.yaml"
NODES_NM = (180, 130, 90, 65, 45, 32, 20, 16, 14, 10, 7)
"""The nodes of the table, the oldest first."""

NodeNm = Annotated[int, Field(ge=NODES_NM[-1], le=NODES_NM[0])]
Flavour = Literal["hp", "lp"]
FLAVOURS: tuple[Flavour, ...] = get_args(Flavour)
_BULK = "bulk"


@dataclass(frozen=True, kw_only=True)
class Factors:
    """What becomes of area, energy, delay and leakage: value at the target = value at the source x factor."""

    area: float = 1.0
    energy: float = 1.0
    delay: float = 1.0
    leakage: float = 1.0


UNCHANGED = Factors()


@dataclass(frozen=True)
class Process:
    """One row of the table: a node and its flavour, "bulk" down to 65 nm, "hp" or "lp" below."""

    node_nm: int
    flavour: str
    row: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def nominal(self) -> Quantity:
        """The supply that the node is used at, as the data file states it."""
        key = f"nominal_supply_v/{self.node_nm}{'' if self.flavour == _BULK else self.flavour}"
        return load_quantities(SCALING_CONSTANTS)[key]

    @property
    def nominal_v(self) -> float:
        return float(self.nominal)

    def _polynomial(self, what: str, powers: tuple[int, ...]) -> np.poly1d:
        return np.poly1d([self.row[f"{what}{power}"] for power in powers])

    @property
    def _delay(self) -> np.poly1d:
        return self._polynomial("delay_a", (3, 2, 1, 0))

    def delay(self, supply_v: float) -> float:
        """The delay factor at a supply."""
        return float(self._delay(supply_v))

    def energy(self, supply_v: float) -> float:
        """The energy factor at a supply."""
        return float(self._polynomial("energy_b", (2, 1, 0))(supply_v))

    def area_to(self, node_nm: int) -> float:
        """What an area at this node is multiplied by to be one at another."""
        if node_nm in NODES_NM:
            return float(self.row[f"area_to_{node_nm}nm"])
        older_nm, newer_nm = neighbours(node_nm)
        return _between(node_nm, older_nm, newer_nm, self.area_to(older_nm), self.area_to(newer_nm))

    @property
    def rows(self) -> tuple[Process, ...]:
        """The rows of the table that it rests on: itself."""
        return (self,)

    @cached_property
    def overdrive(self) -> tuple[float, float]:
        """The least and the largest supply over the nominal one for which the polynomials are taken.

        The limits of the data file, and never beyond the place where the delay polynomial turns up: more
        supply makes no gate slower. Where that place lies below the nominal supply (45 hp and 32 hp, whose
        nominal delays lie 2 and 11 % above the least), nominal is the limit.
        """
        constants, nominal_v = load_quantities(SCALING_CONSTANTS), self.nominal_v
        least, most = (float(constants[f"{end}_of_nominal"]) for end in ("lowest", "highest"))
        supplies = np.linspace(least, most, 501) * nominal_v
        delays = self._delay(supplies)
        rising = np.flatnonzero(delays > np.minimum.accumulate(delays) * (1 + 1e-12))
        turned_v = supplies[rising[0]] if rising.size else supplies[-1]
        return least, max(1.0, float(turned_v) / nominal_v)


@dataclass(frozen=True)
class BetweenNodes:
    """A node that the table does not have, between its two neighbours there."""

    node_nm: int
    flavour: str
    older: Process
    newer: Process

    def _laid(self, older: float, newer: float) -> float:
        return _between(self.node_nm, self.older.node_nm, self.newer.node_nm, older, newer)

    @property
    def nominal(self) -> Quantity:
        """The supply that the node is taken to be used at."""
        return Quantity(
            name=f"{SCALING_CONSTANTS}:nominal_supply_v/{self.node_nm}{self.flavour.replace(_BULK, '')}",
            value=self._laid(self.older.nominal_v, self.newer.nominal_v),
            unit="V",
            kind="assumed",
            source=f"Between the nominal supplies at {self.older.node_nm} and {self.newer.node_nm} nm, on a "
            "straight line over the logarithm of the node",
        )

    @property
    def nominal_v(self) -> float:
        return float(self.nominal)

    def delay(self, supply_v: float) -> float:
        """The delay factor at a supply."""
        share = supply_v / self.nominal_v
        return self._laid(*(each.delay(share * each.nominal_v) for each in self.rows))

    def energy(self, supply_v: float) -> float:
        """The energy factor at a supply."""
        share = supply_v / self.nominal_v
        return self._laid(*(each.energy(share * each.nominal_v) for each in self.rows))

    def area_to(self, node_nm: int) -> float:
        """What an area at this node is multiplied by to be one at another."""
        return self._laid(*(each.area_to(node_nm) for each in self.rows))

    @property
    def overdrive(self) -> tuple[float, float]:
        """The least and the largest supply over the nominal one for which both neighbours are taken."""
        least, most = zip(*(each.overdrive for each in self.rows), strict=True)
        return max(least), min(most)

    @property
    def rows(self) -> tuple[Process, ...]:
        """The rows of the table that it rests on: its neighbours."""
        return (self.older, self.newer)


AnyProcess = Process | BetweenNodes


def neighbours(node_nm: int) -> tuple[int, int]:
    """The nodes of the table around one that it does not have: the older and the newer."""
    return min(node for node in NODES_NM if node > node_nm), max(node for node in NODES_NM if node < node_nm)


def _share(node_nm: int, older_nm: int, newer_nm: int) -> float:
    """How far a node lies from an older one towards a newer one, from 0 to 1, in logarithms."""
    return math.log(older_nm / node_nm) / math.log(older_nm / newer_nm)


def _between(node_nm: int, older_nm: int, newer_nm: int, older: float, newer: float) -> float:
    """A factor of a node from those of its neighbours, straight in logarithms."""
    share = _share(node_nm, older_nm, newer_nm)
    return float(older ** (1 - share) * newer**share)


def process(node_nm: int, flavour: str | None = None) -> AnyProcess:
    """A node; `flavour` is hp (the default) or lp below 65 nm and is not given above.

    Raises a refusal naming the field for a node beyond the table, and a flavour that it does not have.
    """
    if (
        isinstance(node_nm, bool)
        or not isinstance(node_nm, int)
        or not NODES_NM[-1] <= node_nm <= NODES_NM[0]
    ):
        raise Refusal.of("node_nm", node_nm, f"whole numbers from {NODES_NM[-1]} to {NODES_NM[0]}")
    return _process(node_nm, flavour)


@lru_cache(maxsize=256)
def _process(node_nm: int, flavour: str | None) -> AnyProcess:
    if node_nm not in NODES_NM:
        return _laid_between(node_nm, flavour)
    rows = _processes()
    if (node_nm, _BULK) in rows:
        if flavour is not None:
            raise Refusal(f"flavour is {flavour!r}, allowed at {node_nm} nm is none, which is bulk")
        return rows[node_nm, _BULK]
    return rows[node_nm, _flavour(node_nm, flavour)]


def _flavour(node_nm: int, flavour: str | None) -> str:
    chosen = FLAVOURS[0] if flavour is None else flavour
    if chosen not in FLAVOURS:
        raise Refusal(f"flavour is {flavour!r}, allowed at {node_nm} nm are {', '.join(FLAVOURS)}")
    return chosen


def _laid_between(node_nm: int, flavour: str | None) -> BetweenNodes:
    """A node between two of the table. The newer one's flavour is its own; bulk goes on as both."""
    older_nm, newer_nm = neighbours(node_nm)
    rows = _processes()
    if (newer_nm, _BULK) in rows:
        if flavour is not None:
            raise Refusal(f"flavour is {flavour!r}, allowed at {node_nm} nm is none, which is bulk")
        return BetweenNodes(node_nm, _BULK, rows[older_nm, _BULK], rows[newer_nm, _BULK])
    chosen = _flavour(node_nm, flavour)
    older = rows.get((older_nm, _BULK)) or rows[older_nm, chosen]
    return BetweenNodes(node_nm, chosen, older, rows[newer_nm, chosen])


@cache
def _processes() -> Mapping[tuple[int, str], Process]:
    """All rows of the table, each of them once, so that what is derived of it is derived once."""
    return {
        (row["node_nm"], row["flavour"]): Process(row["node_nm"], row["flavour"], row)
        for row in load_table(SCALING_TABLE).rows
    }


def factors(source: AnyProcess, source_v: float, target: AnyProcess, target_v: float) -> Factors:
    """What a gate of one process at one supply becomes in another, leakage per micron of width kept."""
    area = source.area_to(target.node_nm)
    exponent = float(load_quantities(SCALING_CONSTANTS)["leakage_exponent_of_area"])
    return Factors(
        area=area,
        energy=target.energy(target_v) / source.energy(source_v),
        delay=target.delay(target_v) / source.delay(source_v),
        leakage=area**exponent * target_v / source_v,
    )


def macro_processes(node_nm: int, cell_type: str) -> tuple[AnyProcess, AnyProcess]:
    """The process in which CACTI's macros are had, 65 nm above 45 nm and that from there on down, and that to
    which they are scaled. Between the two nothing is scaled: there the macros of both are known. They keep
    their flavour: hp devices the rows of hp, lstp and lop those of lp."""
    if node_nm > 45:
        return process(65), process(max(node_nm, 65))
    flavour = "hp" if cell_type == "hp" else "lp"
    return process(45, flavour), process(node_nm, flavour)


def other_macros(node_nm: int, cell_type: str) -> tuple[AnyProcess, float] | None:
    """For a node between 65 and 45 nm the other process in which CACTI's macros are had, and how far the node
    lies towards it, from 0 to 1."""
    if not 45 < node_nm < 65:
        return None
    return process(45, "hp" if cell_type == "hp" else "lp"), _share(node_nm, 65, 45)


def scaling_rows(*processes: AnyProcess) -> tuple[Quantity, ...]:
    """The table's figures of these processes, or of their neighbours."""
    table = load_table(SCALING_TABLE)
    wanted = {(row.node_nm, row.flavour) for process in processes for row in process.rows}
    return tuple(
        number
        for node_nm, flavour in _processes()
        if (node_nm, flavour) in wanted
        for number in table.quantities(node_nm=node_nm, flavour=flavour)
    )
