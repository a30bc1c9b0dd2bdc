"""Timing constraints: the clock of the design point, and pins that change with it."""

from __future__ import annotations

from archsim.technology import Artix7, StandardCells
from reports.export.registry import Exported, exporters
from reports.export.subject import Subject, Top


@exporters.register("constraints")
def constraints(subject: Subject) -> Exported:
    """SDC for standard cells, XDC for Vivado; one file for each module that can be built by itself."""
    technology = subject.design.technology
    if not isinstance(technology, StandardCells | Artix7):
        return Exported()
    ending = "xdc" if isinstance(technology, Artix7) else "sdc"
    files = {f"{top.name}.{ending}": _lines(top, subject) for top in subject.tops}
    what = f"constraints: {subject.clock_hz / 1e6:g} MHz, pins change with the clock; "
    reader = {"xdc": "for Vivado", "sdc": "for OpenSTA, OpenROAD and others"}
    return Exported(files=files, about=dict.fromkeys(files, what + reader[ending]))


def _lines(top: Top, subject: Subject) -> str:
    """The commands, of the subset that SDC and XDC share. There is one clock and every pin is in step with
    it, resets too, so that no path is false."""
    inputs = " ".join(f"{name}[*]" if bits > 1 else name for name, bits in top.inputs.items())
    clock = f"[get_clocks {top.clock}]"
    lines = [
        f"# {top.name} at {subject.clock_hz / 1e6:g} MHz, the clock of the design point.",
        "# No path is false: there is one clock, and every pin is in step with it, resets too.",
        "# A pin has a whole cycle: what lies around the module takes its share where these delays say so.",
        f"create_clock -name {top.clock} -period {subject.period_ns} [get_ports {top.clock}]",
        f"set_input_delay -clock {clock} 0 [get_ports {{{inputs}}}]",
        f"set_output_delay -clock {clock} 0 [all_outputs]",
    ]
    return "".join(f"{line}\n" for line in lines)
