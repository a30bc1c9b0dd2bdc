"""The same circuits on the project's cells and on those of open libraries: how far ours can be trusted.

`measure` maps products, sums and a multiply-accumulate to three libraries and writes
`archsim/technology/data/real_cells.csv`; `python -m archsim.calibration.real_cells` does it where the IHP
library lies in the folder that `ARCHSIM_IHP_PDK` names and osu018 is installed. `comparison` sets them side
by side, scaled to 65 nm, and beside published energies.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from archsim.netlist import (
    EventSimulation,
    Netlist,
    ToggleCounter,
    delays_of,
    switching,
    synthesise_asic,
)
from archsim.technology import Asic, Cmos65, StandardCells
from archsim.technology.asic.scaling import process
from archsim.technology.liberty.text import Attribute, Group, liberty_text, parse_liberty, write_liberty
from archsim.technology.quantity import load_table
from workloads.files import write_text

TABLE, PUBLISHED = "real_cells.csv", "horowitz2014.csv"
OURS = "cmos65"
IHP_FOLDER = "ARCHSIM_IHP_PDK"
IHP_FILE = "sg13g2_stdcell_typ_1p20V_25C.lib.gz"
OSU018_FILE = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
OPERATIONS = 2000
PERIOD_PS = 100_000
CLEARED_EVERY = 32
"""A sum of the multiply-accumulate has that many products."""

_OUTPUT = "p"
CIRCUITS: Mapping[str, str] = {
    "product 8 x 8": """
module circuit(input signed [7:0] a, input signed [7:0] b, output signed [15:0] p);
  assign p = a * b;
endmodule
""",
    "sum 8": """
module circuit(input [7:0] a, input [7:0] b, output [7:0] p);
  assign p = a + b;
endmodule
""",
    "sum 32": """
module circuit(input [31:0] a, input [31:0] b, output [31:0] p);
  assign p = a + b;
endmodule
""",
    "multiply-accumulate 8 x 8 + 22": """
module circuit(input clk, input signed [7:0] a, input signed [7:0] b, input first,
               output reg signed [21:0] p);
  reg signed [7:0] x, y;
  reg clear;
  wire signed [15:0] product = x * y;
  wire signed [21:0] start = clear ? 22'd0 : p;
  always @(posedge clk) begin
    x <= a; y <= b; clear <= first;
    p <= start + product;
  end
endmodule
""",
}
"""What is mapped, as Verilog; operands and results are registered in the last one only."""

_AS_PUBLISHED = {"product 8 x 8": ("int_mult", 8), "sum 8": ("int_add", 8), "sum 32": ("int_add", 32)}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A circuit on one library, scaled to 65 nm at 1.2 V by Stillmaker and Baas (2017), and over ours.

    Energies are for one operation on random operands, all that switches but the clock: `energy_j` without
    glitches, `glitching_energy_j` with them; `clock_energy_j` is that of the clock of its registers, for a
    cycle. None where the source states none.
    """

    circuit: str
    library: str
    gate_equivalents: float | None
    critical_path_s: float | None
    energy_j: float | None
    glitching_energy_j: float | None
    clock_energy_j: float | None


def libraries() -> dict[str, StandardCells]:
    """The technologies to compare that are at hand, ours first."""
    known: dict[str, StandardCells] = {OURS: Cmos65()}
    if folder := os.environ.get(IHP_FOLDER):
        with tempfile.TemporaryDirectory() as room:
            path = Path(room) / "resets_still.lib"
            write_text(path, without_resets(liberty_text(Path(folder) / IHP_FILE)))
            known["ihp-sg13g2"] = Asic(liberty=str(path), node_nm=130)
            assert known["ihp-sg13g2"].library
    if OSU018_FILE.is_file():
        known["osu018"] = Asic(liberty=str(OSU018_FILE), node_nm=180)
    return known


def without_resets(text: str) -> str:
    """A Liberty text whose flops with an asynchronous clear are plain ones, the clear tied off: all flops of
    the IHP library have one. Their area, energy and delays stay."""
    library = parse_liberty(text)
    return write_liberty(replace(library, statements=tuple(_tied(each) for each in library.statements)))


def _tied(statement: Attribute | Group) -> Attribute | Group:
    if not isinstance(statement, Group):
        return statement
    resets = {
        pin
        for flop in statement.groups("ff")
        for pin in (flop.text("clear").strip("!'()"),)
        if pin and not flop.text("preset")
    }
    if not resets:
        return statement

    def kept(inside: Attribute | Group) -> bool:
        if isinstance(inside, Attribute):
            return inside.name != "clear"
        of_reset = inside.kind == "pin" and inside.name in resets
        return not of_reset and inside.text("related_pin") not in resets

    def pruned(group: Group) -> Group:
        inside = (each for each in group.statements if kept(each))
        return replace(
            group, statements=tuple(pruned(each) if isinstance(each, Group) else each for each in inside)
        )

    return pruned(statement)


def measure(technology: StandardCells, circuit: str) -> dict[str, float]:
    """Area (um2), gate equivalents, critical path (s), energy of an operation (J), without and with glitches,
    and of its clock in a cycle, of one circuit.
    """
    made = synthesise_asic(CIRCUITS[circuit], "circuit", technology)
    netlist = made.flat()
    stimulus = _stimulus(netlist)
    wires = {name: name for name in stimulus}
    counter = ToggleCounter(netlist, technology.library, wires)
    still = counter.count(stimulus)
    moving = EventSimulation(counter, delays_of(netlist, technology)).count(stimulus).activity
    energies = []
    for activity in (still, moving):
        spent = switching(netlist, technology.library, technology.wiring, activity).values()
        energies.append(sum(part.gates_j + part.registers_j for part in spent) / activity.cycles)
    (component,) = made.components.values()
    return {
        "area_um2": component.area_um2,
        "gate_equivalents": component.gate_equivalents,
        "critical_path_s": made.critical_path_s,
        "energy_j": energies[0],
        "glitching_energy_j": energies[1],
        "clock_energy_j": component.clock_energy_j,
    }


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def _stimulus(netlist: Netlist) -> dict[str, list[int]]:
    """Uniform random operands for `OPERATIONS` cycles, and what the registers then hold, by name."""
    draw = np.random.default_rng(65)
    values = {}
    for name, port in netlist.ports.items():
        if port.direction == "input" and name != "clk":
            values[name] = draw.integers(0, 1 << len(port.nets), OPERATIONS + 1).tolist()
    if "first" not in values:
        return values
    values["first"] = [int(cycle % CLEARED_EVERY == 0) for cycle in range(OPERATIONS + 1)]
    registers: dict[str, list[int]] = {name: [0] for name in ("x", "y", "clear", _OUTPUT)}
    for cycle in range(OPERATIONS):
        start = 0 if registers["clear"][-1] else registers[_OUTPUT][-1]
        product = _signed(registers["x"][-1], 8) * _signed(registers["y"][-1], 8)
        registers[_OUTPUT].append((start + product) % (1 << 22))
        for register, pin in (("x", "a"), ("y", "b"), ("clear", "first")):
            registers[register].append(values[pin][cycle])
    return values | registers


def comparison() -> tuple[Compared, ...]:
    """Every circuit of the table on every library, and the published energies, scaled to 65 nm at 1.2 V."""
    ours, supply_v = process(65), Cmos65().supply_v
    target = {"energy": ours.energy(supply_v), "delay": ours.delay(supply_v)}
    made = []
    for row in load_table(TABLE).rows:
        source, volt = process(row["node_nm"]), row["vdd_v"]
        energy, delay = target["energy"] / source.energy(volt), target["delay"] / source.delay(volt)
        made.append(
            Compared(
                circuit=row["circuit"],
                library=row["library"],
                gate_equivalents=row["gate_equivalents"],
                critical_path_s=row["critical_path_s"] * delay,
                energy_j=row["energy_j"] * energy,
                glitching_energy_j=row["glitching_energy_j"] * energy,
                clock_energy_j=row["clock_energy_j"] * energy or None,
            )
        )
    for row in load_table(PUBLISHED).rows:
        energy = target["energy"] / process(row["node_nm"], row["flavour"]).energy(row["vdd_v"])
        (circuit,) = [name for name, key in _AS_PUBLISHED.items() if key == (row["operation"], row["bits"])]
        made.append(
            Compared(
                circuit=circuit,
                library="Horowitz 2014",
                gate_equivalents=None,
                critical_path_s=None,
                energy_j=None,
                glitching_energy_j=row["energy_j"] * energy,
                clock_energy_j=None,
            )
        )
    return tuple(made)


def write_table(directory: Path) -> None:
    """Measures every circuit on every library at hand and writes the table."""
    rows = [
        {
            "circuit": circuit,
            "library": name,
            "node_nm": technology.memory_node_nm,
            "vdd_v": technology.supply_v,
            **{figure: f"{value:.4g}" for figure, value in measure(technology, circuit).items()},
        }
        for circuit in CIRCUITS
        for name, technology in libraries().items()
    ]
    write_text(directory / TABLE, pd.DataFrame(rows).to_csv(index=False))


if __name__ == "__main__":
    write_table(Path(__file__).parents[1] / "technology" / "data")
