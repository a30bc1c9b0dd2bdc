"""A study in one file, of what the plug-in's own engine and technology cost."""

from __future__ import annotations

from reports.studies.registry import studies
from reports.write_up.report import Report


@studies.register("countdown-2026")
def reproduce() -> Report:
    """One design point, and nothing claimed."""
    import archsim as a
    from reports.write_up.study_page import Findings, write_up

    design = a.DesignPoint(network="lenet-300-100-dense", engine={"kind": "countdown"}, technology="dry65")
    cycles = design.simulate("analytic").cycles
    findings = Findings(figures={"cycles": cycles}, plain={"cycles": cycles}, assumptions=())
    return write_up("archsim_example", findings, {"citation": "nobody"}, name="countdown-2026")
