"""Scripts for Vivado: a module built out of context, and its reports, of which archsim reads one."""

from __future__ import annotations

from archsim.technology import Artix7
from reports.export.axi import WRAPPER
from reports.export.registry import Exported, exporters
from reports.export.subject import Subject
from reports.export.text import filled

SCRIPT, ACTIVITY_SCRIPT, ACTIVITY = "vivado.tcl", "xsim_activity.tcl", "activity.saif"
CLOCK_SOURCE = "BUFGCTRL_X0Y16"
"""A clock buffer that every 7-series device has: from where the clock of a module comes that is built by
itself (UG905)."""


@exporters.register("vivado")
def vivado(subject: Subject) -> Exported:
    """The scripts, for a device of the 7 series."""
    technology, top = subject.design.technology, subject.verilog.top
    if not isinstance(technology, Artix7):
        return Exported()
    part = technology.vivado_part
    return Exported(
        files={
            SCRIPT: filled(
                "vivado.tcl.j2",
                script=SCRIPT,
                top=top,
                part=part,
                sources=[f"{top}.v", *[WRAPPER] * subject.behind_axi],
                clocks={built.name: built.clock for built in subject.tops},
                clock_source=CLOCK_SOURCE,
                saif=ACTIVITY,
            ),
            ACTIVITY_SCRIPT: filled("xsim_activity.tcl.j2", saif=ACTIVITY),
        },
        about={
            SCRIPT: "builds a module in Vivado out of context, and writes its utilisation, timing and power",
            ACTIVITY_SCRIPT: f"makes XSim write what switches to `{ACTIVITY}` while the test bench runs",
        },
        readme=filled(
            "vivado.md.j2",
            script=SCRIPT,
            watch=ACTIVITY_SCRIPT,
            top=top,
            axi=subject.behind_axi,
            part=part,
            device=technology.device,
            reads_reports=technology.reads_reports,
        ),
    )
