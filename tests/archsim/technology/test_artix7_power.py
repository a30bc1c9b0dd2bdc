"""Power of the fabric: what was fitted to public reports, how it was chosen, and how far off it is."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace
from typing import Any

import pytest

from archsim.calibration.power_fit import (
    PowerReport,
    fit_power,
    geometric_means,
    informative,
    leave_out,
    log_ratio,
    read_reports,
)
from archsim.calibration.power_study import (
    NEURAL_NETWORK_ONLY,
    STUDY_TABLE,
    describe,
    multiplying,
    neural_network,
    study,
    table,
)
from archsim.technology import Artix7, technology
from archsim.technology.fpga.artix7 import COUNTED, FIT_FILE, quantity_name
from archsim.technology.quantity import load_quantities, read_text

REPORTS = read_reports()
TRIED = study(REPORTS)


def test_fitting_the_stored_reports_again_gives_the_stored_file() -> None:
    assert describe(fit_power(REPORTS), REPORTS) == read_text(FIT_FILE)


def test_trying_everything_again_gives_the_stored_table() -> None:
    assert table(TRIED).to_csv(index=False) == read_text(STUDY_TABLE)


def test_a_report_without_a_clock_is_never_read() -> None:
    assert {each.fit_class for each in REPORTS} == {"A", "A2", "B"}
    assert len(REPORTS) == 108 - 35


def test_only_designs_of_one_clock_at_work_are_fitted() -> None:
    fitted = informative(REPORTS)
    assert len(fitted) == 9
    assert len({each.repository for each in fitted}) == 9
    for each in fitted:
        assert each.fit_class == "A"
        assert each.fabric_w >= 0.010


def _report(**changes: object) -> PowerReport:
    return replace(informative(REPORTS)[0], source="nobody/nothing:a.rpt", **changes)  # type: ignore[arg-type]


def test_reports_of_several_clocks_do_not_move_the_fit() -> None:
    absurd = _report(fit_class="B", fabric_w=300.0, power_w=dict.fromkeys(COUNTED, 60.0))
    assert geometric_means([*REPORTS, absurd]) == geometric_means(REPORTS)


def test_a_coefficient_is_the_geometric_mean_of_what_the_reports_say() -> None:
    told = [0.044 / 8725, 0.007 / 5661, 0.005 / 2435, 0.004 / 2258, 0.007 / 2177]
    told += [0.002 / 1767, 0.004 / 1404, 0.005 / 951]
    expected = statistics.geometric_mean(told) / 100e6
    assert fit_power(REPORTS).coefficients["logic"].j_per_cycle == pytest.approx(expected)


def test_a_design_is_predicted_without_any_report_of_its_repository() -> None:
    exact = dict.fromkeys(COUNTED, 1e-12)
    twin = _report(fabric_w=1.0)
    seen: list[set[str]] = []

    def make(reports: object) -> dict[str, float]:
        seen.append({each.repository for each in reports})  # type: ignore[attr-defined]
        return exact

    leave_out([*REPORTS, twin, twin], make)
    judged = [each.repository for each in informative([*REPORTS, twin, twin])]
    assert len(seen) == len(judged)
    assert all(own not in others for own, others in zip(judged, seen, strict=True))


def test_the_stated_error_is_that_of_the_designs_left_out() -> None:
    ratios = []
    for each in informative(REPORTS):
        others = [other for other in REPORTS if other.repository != each.repository]
        ratios.append(log_ratio(geometric_means(others), each))
    one_sigma = math.exp(math.sqrt(statistics.fmean(ratio**2 for ratio in ratios)))
    fitted = Artix7(coefficients="fitted")
    assert float(fitted.dynamic_power_error) == pytest.approx(one_sigma, rel=1e-3)
    assert 1.4 < one_sigma < 1.5


def test_no_other_way_to_fit_is_clearly_better() -> None:
    used, *others = [each for each in TRIED if each.prediction.reports == 9]
    assert used.method == "geometric mean of each row"
    assert all(other.prediction.one_sigma > 0.98 * used.prediction.one_sigma for other in others)


def test_the_neural_network_predicts_designs_that_multiply_better_and_others_worse() -> None:
    by = {(each.method == NEURAL_NETWORK_ONLY, each.judged_on): each.prediction for each in TRIED}
    multiplies, general = "DSP row of 2 mW or more", "one clock, 10 mW or more"
    fit_general = next(each.prediction for each in TRIED if each.judged_on == general)
    assert by[True, multiplies].one_sigma < by[False, multiplies].one_sigma
    assert by[True, general].one_sigma > fit_general.one_sigma
    for each in multiplying(REPORTS):
        others = [other for other in REPORTS if other.repository != each.repository]
        assert log_ratio(geometric_means(others), each) < log_ratio(neural_network(REPORTS), each)


def test_the_stored_neural_network_is_its_report() -> None:
    stored, found = load_quantities("artix7.yaml"), neural_network(REPORTS)
    for kind in COUNTED:
        assert float(stored[f"neural_network_{quantity_name(kind)}"]) == pytest.approx(found[kind], rel=0.02)


def test_a_single_report_borrows_the_spread_between_designs() -> None:
    stored, fit = load_quantities("artix7.yaml"), fit_power(REPORTS)
    for kind, each in fit.coefficients.items():
        error = stored[f"neural_network_{quantity_name(kind)}"].error_factor
        assert error == pytest.approx(each.error_factor, rel=0.005)


def test_every_coefficient_has_its_error_and_its_sum_another() -> None:
    for coefficients in ("neural_network", "fitted"):
        part: Any = technology("artix7", coefficients=coefficients)
        for cost in (part.lut_cost, part.costs["clocks"], part.costs["dsp"], part.costs["bram"]):
            assert cost.error_factor is not None
            assert cost.error_factor > 1.1
        assert 1.4 < float(part.dynamic_power_error) < 2.0
        assert part.dynamic_power_error in part.provenance()


def test_unknown_coefficients_are_refused() -> None:
    with pytest.raises(
        ValueError, match="coefficients is 'median', allowed are 'neural_network' or 'fitted'"
    ):
        technology("artix7", coefficients="median")
