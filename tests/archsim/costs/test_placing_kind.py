"""Of a mapped netlist, cells are measured; what placing is expected to multiply is fitted."""

from __future__ import annotations

import archsim as a


def test_energies_and_path_of_a_mapped_netlist_rest_on_a_fit() -> None:
    design = a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=2), technology="cmos65")
    result = design.simulate("gate")

    def kinds(metric: str, *what: str) -> set[str]:
        terms = result.explain(metric)
        return set(terms.kind[(terms.component == "pe") & terms.what.isin(what)])

    assert kinds("area_mm2", "cells") == kinds("leakage_w", "cells") == {"measured"}
    assert kinds("energy_j", "clock", "gates", "registers", "glitches") == {"fitted"}
    assert set(result.explain("critical_path_s").kind) == {"fitted"}
