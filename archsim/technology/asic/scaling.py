"""What a change of node and supply does to area, energy, delay and leakage, by Stillmaker and Baas (2017).

scaled = value x factor (target) / factor (source), each factor a polynomial of the supply. Area factors are
by node. Leakage has no published scaling there; the rule that stands in is in `cmos.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Literal, get_args

import numpy as np

from archsim.technology.quantity import Quantity, load_quantities, load_table
from workloads.refusal import Refusal

SCALING_TABLE = "scaling_stillmaker2017.csv"
SCALING_CONSTANTS = "cmos.yaml"
NodeNm = Literal[180, 130, 90, 65, 45, 32, 20, 16, 14, 10, 7]
Flavour = Literal["hp", "lp"]
NODES_NM: tuple[NodeNm, ...] = get_args(NodeNm)
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
        return float(self.row[f"area_to_{node_nm}nm"])

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


def process(node_nm: int, flavour: str | None = None) -> Process:
    """The row of a node; `flavour` is hp (the default) or lp below 65 nm and is not given above.

    Raises a refusal naming the field for a node or a flavour that the table does not have.
    """
    if node_nm not in NODES_NM or isinstance(node_nm, bool):
        raise Refusal.of("node_nm", node_nm, NODES_NM)
    rows = _processes()
    if (node_nm, _BULK) in rows:
        if flavour is not None:
            raise Refusal(f"flavour is {flavour!r}, allowed at {node_nm} nm is none, which is bulk")
        return rows[node_nm, _BULK]
    chosen = FLAVOURS[0] if flavour is None else flavour
    if chosen not in FLAVOURS:
        raise Refusal(f"flavour is {flavour!r}, allowed at {node_nm} nm are {', '.join(FLAVOURS)}")
    return rows[node_nm, chosen]


@cache
def _processes() -> Mapping[tuple[int, str], Process]:
    """All rows of the table, each of them once, so that what is derived of it is derived once."""
    return {
        (row["node_nm"], row["flavour"]): Process(row["node_nm"], row["flavour"], row)
        for row in load_table(SCALING_TABLE).rows
    }


def factors(source: Process, source_v: float, target: Process, target_v: float) -> Factors:
    """What a gate of one process at one supply becomes in another, leakage per micron of width kept."""
    area = source.area_to(target.node_nm)
    exponent = float(load_quantities(SCALING_CONSTANTS)["leakage_exponent_of_area"])
    return Factors(
        area=area,
        energy=target.energy(target_v) / source.energy(source_v),
        delay=target.delay(target_v) / source.delay(source_v),
        leakage=area**exponent * target_v / source_v,
    )


def macro_processes(node_nm: int, cell_type: str) -> tuple[Process, Process]:
    """The process in which CACTI's macros are had, of the native nodes 65 and 45 nm the nearest one, and that
    to which they are scaled. They keep their flavour: hp devices the rows of hp, lstp and lop those of lp."""
    if node_nm >= 65:
        return process(65), process(node_nm)
    flavour = "hp" if cell_type == "hp" else "lp"
    return process(45, flavour), process(node_nm, flavour)


def scaling_rows(*processes: Process) -> tuple[Quantity, ...]:
    """The table's figures of these processes."""
    table = load_table(SCALING_TABLE)
    wanted = {(process.node_nm, process.flavour) for process in processes}
    return tuple(
        number
        for node_nm, flavour in _processes()
        if (node_nm, flavour) in wanted
        for number in table.quantities(node_nm=node_nm, flavour=flavour)
    )
