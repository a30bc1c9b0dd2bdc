"""Measures what routing adds to the longest path: each engine placed and routed on an ECP5.

    python -m archsim.calibration.routing archsim/technology/data

writes `routing_ecp5.csv`, a row after each design, from the smallest to the largest. A design takes from half
a minute to ten minutes of one core, the dense engine with 16 PEs half an hour; what is done is remembered, so
that an interrupted run goes on. A list of numbers of PEs after the folder (`1,4`) leaves out the others. At
the end it writes `routing_ecp5_fit.yaml` from the table: what a net takes by how much of the device a design
takes, which other FPGAs take over; and it says how far paths with such nets are from the routed ones, and
which share nets have of paths on an Artix-7.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from archsim.design import DesignPoint
from archsim.engine import Engine, engines
from archsim.netlist.fpga import synthesise_fpga
from archsim.netlist.fpga_layout import FpgaLayout, lay_out_fpga
from archsim.technology import Artix7, Ecp5, Technology
from archsim.technology.fpga.nets import REFERENCE, NetLaw, share_of_reference
from archsim.technology.quantity import read_table
from rtl import to_verilog
from workloads.files import write_text

TABLE, FIT = "routing_ecp5.csv", "routing_ecp5_fit.yaml"
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

FLOPS = frozenset({"TRELLIS_FF"})
"""Cells at which paths begin that leave out the block RAMs, whose clock-to-out of 5.8 ns is twice that of a
7-series part and dilutes what routing adds."""


def designs(
    pes: Sequence[int] = PES, technology: Technology | None = None
) -> Iterator[tuple[str, DesignPoint]]:
    """The design points by a label, in turn from few PEs to many; on an ECP5, or in another technology."""
    placed = technology or Ecp5(device=REFERENCE)
    turns = ([kind for kind in NETWORKS if kind not in LAST], LAST)
    for kinds, number in itertools.product(turns, pes):
        for kind in kinds:
            for name, options in engines[kind].organisations().items():
                engine: Engine = engines[kind].model_validate({"pes": number, **options})
                yield name, DesignPoint(network=NETWORKS[kind], engine=engine, technology=placed)


def placed(design: DesignPoint) -> FpgaLayout:
    """A design placed and routed."""
    verilog = to_verilog(design.mapping.hardware)
    technology = design.technology
    assert isinstance(technology, Ecp5)
    return lay_out_fpga(verilog.text, verilog.top, technology).median


def row_of(label: str, design: DesignPoint, layout: FpgaLayout) -> dict[str, Any]:
    """One design as the table has it."""
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


@dataclass(frozen=True)
class Nets:
    """The nets of one design of an engine, by its label: what one would take if all took the same, in
    seconds, and how much of the device the design takes."""

    label: str
    delay_s: float
    share: float

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Nets:
        """Those of a design as the table has it."""
        return cls(row["engine"], row["net_delay_s"], share_of_reference(row))


def fit_law(measured: Sequence[Nets]) -> NetLaw:
    """By least squares of the logarithms over at least two designs of different sizes."""
    shares = np.log([nets.share for nets in measured])
    exponent, whole = np.polyfit(shares, np.log([nets.delay_s for nets in measured]), 1)
    return NetLaw(float(np.exp(whole)), float(exponent))


def law_without(label: str, measured: Sequence[Nets]) -> NetLaw:
    """The law of all other engines."""
    return fit_law([nets for nets in measured if nets.label != label])


def error_factor(measured: Sequence[Nets]) -> float:
    """How far nets are from what the law of the other engines says, as a ratio of one sigma."""
    off = [np.log(nets.delay_s / law_without(nets.label, measured).delay_s(nets.share)) for nets in measured]
    return float(np.exp(np.sqrt(np.mean(np.square(off)))))


def write_law(directory: Path) -> NetLaw:
    """Fit the law to the table of a directory and write its constants beside it."""
    measured = [Nets.of_row(row) for row in read_table(TABLE, directory).rows]
    law = fit_law(measured)
    write_text(
        directory / FIT,
        f"""title: "Nets of designs routed on an ECP5, by the share that a design takes of an {REFERENCE}"
note: >-
  Written by archsim.calibration.routing from {TABLE}. The error is that of a design's nets by the law of
  the other engines, root mean square of logarithms.
quantities:
  net_delay_s_of_whole_device:
    value: {law.whole_s:.3e}
    unit: s
    kind: fitted
    source: &fit >-
      Least squares of logarithms over the {len(measured)} designs of {TABLE}
    error_factor: {error_factor(measured):.3f}
  net_delay_exponent:
    value: {law.exponent:.3f}
    unit: "1"
    kind: fitted
    source: *fit
""",
        precious=True,
    )
    return law


def path_ratio(law: NetLaw, layout: FpgaLayout, share: float) -> float:
    """The longest path of a placed design with nets that follow a law, over the routed one."""
    return 1e-12 * layout.delays.longest_path_ps(net_ps=1e12 * law.delay_s(share)) / layout.critical_path_s


def write_table(directory: Path, pes: Sequence[int] = PES) -> None:
    """Place and route all designs, and write the table to four digits after each of them."""
    rows = []
    with tqdm(list(designs(pes)), unit="design") as bar:
        for label, design in bar:
            bar.set_postfix_str(f"{label}, {design.engine.pes} PEs")
            rows.append(row_of(label, design, placed(design)))
            text = pd.DataFrame(rows).to_csv(index=False, float_format="%.4g")
            write_text(directory / TABLE, text, precious=True)


def routing_shares(pes: Sequence[int] = PES) -> list[float]:
    """The share of nets in the longest path of each design, mapped to an Artix-7 with nets as the law has
    them."""
    family, shares = Artix7(), []
    for _, design in tqdm(list(designs(pes, family)), "nets of an Artix-7", unit="design"):
        verilog = to_verilog(design.mapping.hardware)
        shares.append(synthesise_fpga(verilog.text, verilog.top, family).routing_share or 0.0)
    return shares


def main() -> None:
    """Write the table and the law to the directory named, and say what follows from them."""
    directory = Path(sys.argv[1])
    pes = tuple(map(int, sys.argv[2].split(","))) if len(sys.argv) > 2 else PES
    write_table(directory, pes)
    law = write_law(directory)
    measured = [Nets.of_row(row) for row in read_table(TABLE, directory).rows]
    # Layouts are read once more, one at a time: together they take gigabytes.
    ratios = [
        path_ratio(law_without(nets.label, measured), placed(design), nets.share)
        for (_, design), nets in zip(designs(pes), measured, strict=True)
    ]
    errors = np.abs(np.log(ratios))
    rms = float(np.sqrt(np.mean(errors**2)))
    print(
        f"a net takes {law.whole_s * 1e9:.3f} ns x share of the device ^ {law.exponent:.3f}; by the law of "
        f"the other engines paths are off by {rms:.1%} (rms), {errors.max():.1%} (worst)"
    )
    shares = routing_shares(pes)
    print(
        f"on an Artix-7 nets are {np.median(shares):.2f} of the longest path in the median, "
        f"{min(shares):.2f} to {max(shares):.2f}"
    )


if __name__ == "__main__":
    main()
