"""The Artix-7 devices: what each holds, and what a design that does not fit is told."""

from __future__ import annotations

import pytest

from archsim.technology import Artix7, FpgaResources, devices, fits


def test_lut_ram_is_a_limit_of_its_own() -> None:
    fit = fits(FpgaResources(lut=12000, lut_as_memory=9601), "XC7A35T")
    assert fit.exhausted == ("lut_as_memory",)
    assert fit.smallest == "XC7A75T"


def test_everything_that_ran_out_is_named() -> None:
    fit = fits(FpgaResources(lut=70000, dsp=300, bram36=100, ff=1000), "XC7A100T")
    assert fit.exhausted == ("lut", "dsp")
    assert fit.shortage == (
        "63400 lut where the design needs 70000 and 240 dsp where the design needs 300; "
        "the smallest device that would do is XC7A200T"
    )


def test_a_design_that_fits_is_short_of_nothing() -> None:
    assert fits(FpgaResources(lut=100), "XC7A12T").shortage == ""


def test_a_design_beyond_every_device_is_told_so() -> None:
    assert fits(FpgaResources(dsp=741), "XC7A200T").shortage.endswith("no device would do")


def test_devices_grow_in_every_resource_that_their_die_shares() -> None:
    found = list(devices().values())
    assert [each.available["lut"] for each in found] == sorted(each.available["lut"] for each in found)
    for each in found:
        assert each.available["lut_as_memory"] < each.available["lut"]
        assert each.available["lut_as_memory"] % 4 == 0
        assert 25 <= each.static_junction_c < 40


def test_the_default_is_an_xc7a100t() -> None:
    part = Artix7()
    assert part.device.name == "XC7A100T"
    assert part.static_w == 0.097
    assert Artix7("XC7A200T").options()["device"] == "XC7A200T"


def test_fitted_coefficients_are_lower_than_those_of_the_neural_network_for_logic() -> None:
    fitted, network = Artix7(coefficients="fitted"), Artix7()
    assert fitted.lut_cost.value < network.lut_cost.value
    assert fitted.dsp_cost.value == pytest.approx(network.dsp_cost.value, rel=0.15)
    assert fitted.lut_cost.kind == "fitted"


def test_assumptions_are_named_as_such() -> None:
    assumed = {each.name for each in Artix7().provenance() if each.kind == "assumed"}
    assert assumed == {"artix7.yaml:bram_access_j_per_bram36", "artix7.yaml:routing_factor"}


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("toggle_rate", "often", "0 to 1 transitions a clock cycle"),
        ("toggle_rate", True, "0 to 1 transitions a clock cycle"),
        ("bram_enable_rate", "half", "more than 0 to 1 accesses a clock cycle"),
        ("power_report", 5, "the path of a report"),
    ],
)
def test_an_option_of_the_wrong_kind_is_refused(option: str, value: object, allowed: str) -> None:
    with pytest.raises(ValueError, match=rf"{option} is {value!r}; allowed (is|are) {allowed}"):
        Artix7(**{option: value})  # type: ignore[arg-type]
