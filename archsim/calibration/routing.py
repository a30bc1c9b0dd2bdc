"""Measures what routing adds to the longest path: each engine placed and routed on an ECP5.

    python -m archsim.calibration.routing archsim/technology/data

writes `routing_ecp5.csv`, a row after each design, from the smallest to the largest. A design takes from half
a minute to ten minutes of one core; what is done is remembered, so that an interrupted run goes on. A list of
numbers of PEs after the folder (`1,4`) leaves out the others.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from archsim.design import DesignPoint
from archsim.engine import Engine, engines
from archsim.netlist.fpga_layout import FpgaLayout, lay_out_fpga
from archsim.technology import Ecp5
from rtl import to_verilog
from workloads.files import write_text

TABLE = "routing_ecp5.csv"
PES = (1, 4, 16)

NETWORKS = {
    "csc": "lenet-300-100-csc-x40",
    "clos": "lenet-300-100-clos-x40",
    "pruned": "lenet-300-100-pruned-x40",
    "dense": "lenet-300-100-dense",
    "eie": "lenet-300-100-pruned-x40",
}
"""Each engine's network."""

LAST = ("eie",)
"""Engines that are placed after all others: with one PE, whose sums of all outputs are flip-flops, it takes
longer than another of four."""

DEVICE = "LFE5U-85F"
"""The largest, for all designs: how full a device is shall not differ more than it must."""

FLOPS = frozenset({"TRELLIS_FF"})
"""Cells at which paths begin that leave out the block RAMs, whose clock-to-out of 5.8 ns is twice that of a
7-series part and dilutes what routing adds."""


def designs(pes: Sequence[int] = PES) -> Iterator[tuple[str, DesignPoint]]:
    """The design points by a label, in turn from few PEs to many."""
    turns = ([kind for kind in NETWORKS if kind not in LAST], LAST)
    for kinds, number in itertools.product(turns, pes):
        for kind in kinds:
            for name, options in engines[kind].organisations().items():
                engine: Engine = engines[kind].model_validate({"pes": number, **options})
                placed = Ecp5(device=DEVICE)
                yield name, DesignPoint(network=NETWORKS[kind], engine=engine, technology=placed)


def row_of(label: str, design: DesignPoint) -> dict[str, Any]:
    """One design as the table has it."""
    verilog = to_verilog(design.mapping.hardware)
    technology = design.technology
    assert isinstance(technology, Ecp5)
    layout = lay_out_fpga(verilog.text, verilog.top, technology).median
    return {
        "engine": label,
        "pes": design.engine.pes,
        "network": design.network,
        **{name: used for name, (used, _) in layout.utilisation.items()},
        "logic_path_s": layout.logic_path_s,
        "routed_path_s": layout.critical_path_s,
        "logic_from_flops_s": 1e-12 * layout.delays.longest_path_ps(net_ps=0.0, from_cells=FLOPS),
        "routed_from_flops_s": 1e-12 * layout.delays.longest_path_ps(from_cells=FLOPS),
        "net_delay_s": net_delay_s(layout),
        "routing_share": layout.routing_share,
    }


def net_delay_s(layout: FpgaLayout) -> float:
    """How long every net that takes any time would have to take, all the same, for the longest path to be as
    long as it is, in seconds."""
    from scipy.optimize import brentq

    delays, routed_ps = layout.delays, layout.critical_path_s * 1e12
    slowest = max(ps for _, _, ps in delays.wires)

    def beyond(net_ps: float) -> float:
        return delays.longest_path_ps(net_ps=net_ps) - routed_ps

    return 1e-12 * float(brentq(beyond, 0.0, slowest, xtol=0.5))


def write_table(directory: Path, pes: Sequence[int] = PES) -> None:
    """Place and route all designs, and write the table to four digits after each of them."""
    rows: list[dict[str, Any]] = []
    with tqdm(list(designs(pes)), unit="design") as bar:
        for label, design in bar:
            bar.set_postfix_str(f"{label}, {design.engine.pes} PEs")
            rows.append(row_of(label, design))
            text = pd.DataFrame(rows).to_csv(index=False, float_format="%.4g")
            write_text(directory / TABLE, text, precious=True)


if __name__ == "__main__":
    chosen = tuple(map(int, sys.argv[2].split(","))) if len(sys.argv) > 2 else PES
    write_table(Path(sys.argv[1]), chosen)
