"""How far a node laid between two others of the scaling table is off: each node of the table left out.

    python -m archsim.calibration.between_nodes archsim/technology/data

writes `between_nodes.csv`. Every node but the first and the last is laid between those beside it, and its own
factors and nominal supply are taken over what comes out, each at its nominal supply. The gap is twice as wide
as one between two nodes of the table, so that the ratios are more than what a node in such a gap is off.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from archsim.technology.asic.scaling import (
    FLAVOURS,
    NODES_NM,
    BetweenNodes,
    Process,
    factors,
    process,
)
from archsim.technology.evidence import BETWEEN_TABLE
from workloads.files import write_text


def row_of(node_nm: int, flavour: str) -> Process:
    """The row of a node of the table, bulk where it has no flavour."""
    found = process(node_nm, None if node_nm >= 65 else flavour)
    assert isinstance(found, Process)
    return found


def left_out() -> Iterator[dict[str, Any]]:
    """A row for each inner node and flavour: the table's factors over those laid between its neighbours."""
    for flavour in FLAVOURS:
        for older_nm, node_nm, newer_nm in zip(NODES_NM, NODES_NM[1:], NODES_NM[2:], strict=False):
            real = row_of(node_nm, flavour)
            laid = BetweenNodes(node_nm, real.flavour, row_of(older_nm, flavour), row_of(newer_nm, flavour))
            by = factors(laid, laid.nominal_v, real, real.nominal_v)
            yield {
                "node_nm": node_nm,
                "flavour": flavour,
                "older_nm": older_nm,
                "newer_nm": newer_nm,
                "supply_ratio": real.nominal_v / laid.nominal_v,
                "area_mm2_ratio": by.area,
                "energy_j_ratio": by.energy,
                "critical_path_s_ratio": by.delay,
                "leakage_w_ratio": by.leakage,
            }


def write_table(directory: Path) -> None:
    """Write the table to four digits."""
    write_text(directory / BETWEEN_TABLE, pd.DataFrame(left_out()).to_csv(index=False, float_format="%.4g"))


if __name__ == "__main__":
    write_table(Path(sys.argv[1]))
