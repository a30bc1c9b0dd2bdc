"""Toggles of a mapped netlist as Icarus Verilog counts them: it runs the test bench of an engine on the
netlist and dumps every change."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.engine.mapping import Mapping
from archsim.engine.stimulus import stimulus
from archsim.netlist import Activity, Netlist, ToggleCounter
from archsim.netlist.event_simulation import EventNetwork
from archsim.netlist.netlist_verilog import netlist_verilog
from archsim.technology import StandardCells
from rtl import Images, Run, Simulation, load_writes, make_test_bench

UNIT = "1us"
PERIOD = 10_000_000
"""The time unit of the exported test bench, of which a clock period has ten, and the steps of time in a
period: far more than pass before all is still."""
NAME = "netlist"


def recorded_run(counter: ToggleCounter, mapping: Mapping) -> Run:
    """One inference of the described hardware. The network comes in through the load port, as in the test
    bench, so that what counts while the engine rests stands the same when it starts."""
    weights, indices = (
        [list[int]() for _ in words] for words in (mapping.images.weights, mapping.images.indices)
    )
    simulation = Simulation(mapping.hardware, Images([], weights, indices), record=counter.recorded)
    inputs = mapping.load(stimulus(mapping.network)[:, 0])
    run = simulation.run([*load_writes(mapping.images), *inputs])
    return replace(run, recorded={name: held[run.load_cycles :] for name, held in run.recorded.items()})


def simulated_activity(
    netlist: Netlist, mapping: Mapping, technology: StandardCells, *, delays: EventNetwork | None = None
) -> Activity:
    """The toggles of one inference by event simulation of the netlist `NAME` in Icarus Verilog.

    With `delays` every transition counts, without only what a net holds when time moves on.
    """
    load = mapping.load(stimulus(mapping.network)[:, 0])
    run = Simulation(mapping.hardware, mapping.images).run(load)
    bench = make_test_bench(mapping.hardware, mapping.images, [load], [run])
    with tempfile.TemporaryDirectory(prefix="archsim_icarus_") as directory:
        room = Path(directory)
        for name, contents in bench.files.items():
            (room / name).write_text(contents, encoding="utf-8")
        (room / "bench.v").write_text(f"`timescale {UNIT}/1ps\n" + bench.verilog, encoding="utf-8")
        described = netlist_verilog(netlist, technology.library, delays=delays)
        (room / "netlist.v").write_text(described + _registered_inputs(netlist), encoding="utf-8")
        for command in (
            ("iverilog", "-g2005", "-o", "simulation", "bench.v", "netlist.v"),
            ("vvp", "simulation"),
        ):
            subprocess.run(command, cwd=room, capture_output=True, text=True, check=True)
        with (room / "changes.vcd").open(encoding="ascii") as changes:
            toggles = _count_changes(changes, netlist.nets, run.cycles)
    return Activity(run.cycles, toggles)


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
        f"  {NAME} engine ({', '.join(pins)});",
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
            first, last = now + PERIOD, now + PERIOD * (cycles + 1)
    settle()
    return toggles
