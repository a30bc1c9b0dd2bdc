"""Glitches: transitions that a gate makes because its inputs arrive at different times, which an evaluation
without delays does not see.

They are measured once, on small engines of every kind: Icarus Verilog runs the mapped netlist with the delay
of every cell at its load, and what switches is compared with the same netlist without delays. The shares are
data (`archsim/technology/data/glitches.yaml`); the gate level and the fitted models multiply by them.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from archsim.calibration.plan import Configuration, draw_small
from archsim.costs.components import component_of_instance
from archsim.costs.glitch_factors import OTHER, PE, glitch_amount, glitch_key
from archsim.costs.stimulus import stimulus
from archsim.engine.mapping import Mapping
from archsim.netlist import Activity, Netlist, ToggleCounter, switching, synthesise_asic
from archsim.netlist.netlist_verilog import netlist_verilog
from archsim.technology import StandardCells
from archsim.technology.asic.standard_cells import GLITCHES
from rtl import Images, Simulation, VerilogDesign, make_test_bench, power_up_writes, to_verilog
from workloads.refusal import Refusal

MEASURED_ON = ((4, 4, 4), (6, 8, 4), (8, 8, 4), (12, 10, 4), (8, 8, 16))
"""Bits of weights and of activations, and PEs, of the engines that glitches are measured on."""

PERIOD_PS = 10_000
_NAME = "netlist"


class IcarusError(Refusal):
    """Icarus Verilog is missing or refuses what it is given."""


@dataclass(frozen=True)
class GlitchShare:
    """What glitches add to the switching of the gates of one kind of component, for each amount of it; the
    relative error (one sigma) over `netlists` netlists."""

    value: float
    spread: float
    netlists: int


def calibrate_glitches(technology: StandardCells, directory: Path) -> dict[str, GlitchShare]:
    """Measures small engines of every kind and width, and writes the data file.

    Some minutes of one core. Raises IcarusError where Icarus Verilog is not installed.
    """
    shares: dict[str, list[tuple[int, float]]] = {}
    configurations = [
        each for weight, activation, pes in MEASURED_ON for each in draw_small(weight, activation, pes=pes)
    ]
    for configuration in tqdm(configurations, desc="glitches", unit="netlist"):
        sizes = configuration.map().sizes
        for component, ratio in measure_glitches(configuration, technology).items():
            key = glitch_key(component, sizes)
            for name in (key, OTHER):
                shares.setdefault(name, []).append((glitch_amount(name, sizes), ratio - 1))
    fitted = {key: _share(measured) for key, measured in sorted(shares.items())}
    lines = ["title: Glitches, by kind of component", "quantities:"]
    for key, share in fitted.items():
        for_each = ", for each bit of a PE's two operands" if key == PE else ""
        lines += [
            f"  {key}:",
            f"    value: {share.value:.4g}",
            "    unit: " + ("1/bit" if key == PE else '"1"'),
            "    kind: measured",
            "    source: >-",
            f"      What glitches add to the switching energy of the gates{for_each}. Event",
            f"      simulation in Icarus Verilog of {share.netlists} netlists mapped to {technology.kind},",
            "      with the delay of each cell at its load (inertial) over the same without delays, by",
            "      archsim.calibration.glitches; the error is the spread of the whole factor over them",
            f"    error_factor: {1 + share.spread:.3g}",
        ]
    (directory / GLITCHES).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return fitted


def _share(measured: Sequence[tuple[int, float]]) -> GlitchShare:
    """The share for each amount that fits best, and how far the whole factors lie from it."""
    amount, extra = (np.array(column, float) for column in zip(*measured, strict=True))
    value = float(amount @ extra / (amount @ amount))
    spread = float(np.std((1 + extra) / (1 + value * amount)))
    return GlitchShare(max(value, 0.0), spread, len(measured))


def measure_glitches(configuration: Configuration, technology: StandardCells) -> dict[str, float]:
    """For each component whose gates switch: their energy with delays over that without."""
    mapping = configuration.map()
    design = to_verilog(mapping.hardware)
    netlist = replace(synthesise_asic(design.text, design.top, technology).flat(), name=_NAME)
    still, moving = (
        switching(netlist, technology.library, technology.wiring, each)
        for each in (
            evaluated_activity(netlist, mapping, design, technology),
            simulated_activity(netlist, mapping, technology, delays=True),
        )
    )
    sums: dict[str, NDArray[np.float64]] = {}
    for name, spent in still.items():
        both = np.array([spent.gates_j, moving[name].gates_j])
        kind = component_of_instance(name)
        sums[kind] = sums.get(kind, np.zeros(2)) + both
    return {kind: float(with_ / without) for kind, (without, with_) in sums.items() if without > 0}


def evaluated_activity(
    netlist: Netlist, mapping: Mapping, design: VerilogDesign, technology: StandardCells
) -> Activity:
    """The toggles of one inference by bit-parallel evaluation. The network comes in through the load port, as
    in the test bench, so that what counts while the engine rests stands the same when it starts."""
    counter = ToggleCounter(netlist, technology.library, design.wires)
    blank: list[list[int]] = [[]] * mapping.sizes.pes
    simulation = Simulation(mapping.hardware, Images([], blank, blank), record=counter.recorded)
    inputs = mapping.load(stimulus(mapping.network)[:, 0])
    writes = [*power_up_writes(mapping.hardware, mapping.images), *inputs]
    return counter.count(simulation.run(writes).recorded)


def simulated_activity(
    netlist: Netlist, mapping: Mapping, technology: StandardCells, *, delays: bool
) -> Activity:
    """The toggles of one inference by event simulation of the netlist in Icarus Verilog.

    With `delays` every transition counts, without only what a net holds when time moves on.
    """
    load = mapping.load(stimulus(mapping.network)[:, 0])
    run = Simulation(mapping.hardware, mapping.images).run(load)
    bench = make_test_bench(mapping.hardware, mapping.images, [load], [run])
    with tempfile.TemporaryDirectory(prefix="archsim_icarus_") as directory:
        room = Path(directory)
        for name, text in bench.files.items():
            (room / name).write_text(text, encoding="utf-8")
        (room / "bench.v").write_text("`timescale 1ns/1ps\n" + bench.verilog, encoding="utf-8")
        described = netlist_verilog(netlist, technology.library, delays=technology.wiring if delays else None)
        (room / "netlist.v").write_text(described + _registered_inputs(netlist), encoding="utf-8")
        _icarus(room, "iverilog", "-g2005", "-o", "simulation", "bench.v", "netlist.v")
        _icarus(room, "vvp", "simulation")
        with (room / "changes.vcd").open(encoding="ascii") as changes:
            toggles = _count_changes(changes, netlist.nets, run.cycles)
    return Activity(run.cycles, toggles)


def _icarus(room: Path, *command: str) -> None:
    if shutil.which(command[0]) is None:
        raise IcarusError(f"{command[0]} is not installed, Icarus Verilog is needed to simulate a netlist")
    done = subprocess.run(command, cwd=room, capture_output=True, text=True, check=False)
    if done.returncode:
        raise IcarusError(f"{command[0]} refuses the netlist: {' '.join(done.stderr.split())[:300]}")


def _registered_inputs(netlist: Netlist) -> str:
    """The top that the test bench expects: the netlist behind a register for each input, so that inputs
    change with the clock edge as everything else does. It writes what changes from the cycle of `start` on.
    """
    lines = ["`timescale 1ps/1ps", f"module archsim_engine ({', '.join(netlist.ports)});", "  input clk;"]
    pins = []
    for name, port in netlist.ports.items():
        width = f"[{len(port.nets) - 1}:0]"
        if port.direction == "output":
            lines.append(f"  output {width} {name};")
        elif name != "clk":
            lines.append(f"  input {width} {name}; reg {width} {name}_r = 0;")
            lines.append(f"  always @(posedge clk) {name}_r <= {name};")
        registered = port.direction == "input" and name != "clk"
        pins.append(f".{name}({name}_r)" if registered else f".{name}({name})")
    lines += [
        f"  {netlist.name} engine ({', '.join(pins)});",
        '  initial begin $dumpfile("changes.vcd"); $dumpvars(1, engine); $dumpoff;',
        "    @(posedge start_r); $dumpon; end",
        "endmodule",
    ]
    return "\n".join(lines) + "\n"


def _count_changes(lines: Iterable[str], nets: int, cycles: int) -> NDArray[np.int64]:
    """Changes between 0 and 1 of each net in the cycles after that of `start`, from a value change dump.
    What changes twice at one time has not changed."""
    net_of: dict[str, int] = {}
    value: dict[str, str] = {}
    pending: dict[str, str] = {}
    toggles = np.zeros(nets, np.int64)
    first = last = None
    now = 0

    def settle() -> None:
        inside = first is not None and first <= now < last
        for code, new in pending.items():
            if inside and {value.get(code), new} == {"0", "1"}:
                toggles[net_of[code]] += 1
            value[code] = new
        pending.clear()

    for line in lines:
        if line[0] in "01xz":
            code = line[1:-1]
            if code in net_of:
                pending[code] = line[0]
        elif line[0] == "#":
            settle()
            now = int(line[1:])
        elif line.startswith("$var"):
            _, _, width, code, name, *_ = line.split()
            if width == "1" and name[0] == "n" and name[1:].isdigit():
                net_of[code] = int(name[1:])
        elif line.startswith("$dumpon"):
            first, last = now + PERIOD_PS, now + PERIOD_PS * (cycles + 1)
    settle()
    return toggles
