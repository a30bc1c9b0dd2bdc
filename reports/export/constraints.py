"""Timing constraints: the clock of the design point, and pins that change with it."""

from __future__ import annotations

from archsim.technology import Artix7, StandardCells
from reports.export.registry import Exported, exporters
from reports.export.subject import Subject, Top

CLOCK_SOURCE = "BUFGCTRL_X0Y16"
"""A clock buffer that every 7-series device has: from where the clock comes to a module that is built by
itself (UG905)."""


@exporters.register("constraints")
def constraints(subject: Subject) -> Exported:
    """SDC for standard cells, XDC for Vivado; one file for each module that can be built by itself."""
    technology = subject.design.technology
    if not isinstance(technology, StandardCells | Artix7):
        return Exported()
    ending = "xdc" if isinstance(technology, Artix7) else "sdc"
    files = {f"{top.name}.{ending}": _lines(top, subject, ending) for top in subject.tops}
    what = f"constraints: {subject.clock_hz / 1e6:g} MHz, pins change with the clock; "
    reader = {"xdc": "for Vivado, out of context", "sdc": "for OpenSTA, OpenROAD and others"}
    return Exported(files=files, about=dict.fromkeys(files, what + reader[ending]))


def _lines(top: Top, subject: Subject, ending: str) -> str:
    """The commands, of the subset that SDC and XDC share. There is one clock and every pin is in step with
    it, resets too, so that no path is false."""
    inputs, clock = " ".join(top.inputs), f"[get_clocks {top.clock}]"
    lines = [
        f"# {top.name} at {subject.clock_hz / 1e6:g} MHz, the clock of the design point. No path is false:",
        "# there is one clock, and every pin is in step with it, resets too. Pins have a whole cycle: what lies",
        "# around the module takes its share where these delays say so.",
        f"create_clock -name {top.clock} -period {subject.period_ns} [get_ports {top.clock}]",
        f"set_input_delay -clock {clock} 0 [get_ports {{{inputs}}}]",
        f"set_output_delay -clock {clock} 0 [all_outputs]",
    ]
    if ending == "xdc":
        lines.append(f"set_property HD.CLK_SRC {CLOCK_SOURCE} [get_ports {top.clock}]")
    return "".join(f"{line}\n" for line in lines)
