"""The Artix-7 devices: what each holds, and what a design that does not fit is told."""

from __future__ import annotations

import pytest

from archsim.technology import Artix7, FpgaResources, technology


def shortage(resources: FpgaResources, device: str) -> str:
    return Artix7(device=device).shortage(resources)


def test_lut_ram_is_a_limit_of_its_own() -> None:
    assert shortage(FpgaResources(lut=12000, lut_as_memory=9601), "XC7A35T") == (
        "technology.device is XC7A35T, which has 9600 lut_as_memory where the design needs 9601; "
        "the smallest device that would do is XC7A75T"
    )


def test_everything_that_ran_out_is_named() -> None:
    assert shortage(FpgaResources(lut=70000, dsp=300, bram36=100, ff=1000), "XC7A100T") == (
        "technology.device is XC7A100T, which has 63400 lut where the design needs 70000 and 240 dsp where "
        "the design needs 300; the smallest device that would do is XC7A200T"
    )


def test_a_design_that_fits_is_short_of_nothing() -> None:
    assert shortage(FpgaResources(lut=100), "XC7A12T") == ""


def test_a_design_beyond_every_device_is_told_so() -> None:
    assert shortage(FpgaResources(dsp=741), "XC7A200T").endswith("; no device would do")


def test_the_smallest_device_does_not_depend_on_the_one_that_was_chosen() -> None:
    for device in ("XC7A12T", "XC7A200T"):
        assert Artix7(device=device).smallest_device(FpgaResources(lut=9000)) == "XC7A15T"
        assert Artix7(device=device).smallest_device(FpgaResources(dsp=741)) is None


def test_devices_grow_in_every_resource_that_their_die_shares() -> None:
    for family in ("Artix-7", "Zynq-7000", "Kintex-7"):
        parts = [part for part in Artix7.devices().values() if part.family == family]
        luts = [part.available["lut"] for part in parts]
        assert luts == sorted(luts)
        for part in parts:
            assert part.available["lut_as_memory"] < part.available["lut"]
            assert part.available["lut_as_memory"] % 4 == 0
            assert (part.static_w is None) == (family != "Artix-7")
            assert part.static_junction_c is None or 25 <= part.static_junction_c < 40


def test_the_default_is_an_xc7a100t() -> None:
    part = Artix7()
    assert part.device == "XC7A100T"
    assert part.part.static_w is not None
    assert float(part.part.static_w) == 0.097
    assert Artix7(device="XC7A200T").options()["device"] == "XC7A200T"


def test_fitted_coefficients_are_lower_than_those_of_the_neural_network_for_logic() -> None:
    fitted, network = Artix7(coefficients="fitted"), Artix7()
    assert fitted.lut_cost.value < network.lut_cost.value
    assert fitted.costs["dsp"].value == pytest.approx(network.costs["dsp"].value, rel=0.15)
    assert fitted.lut_cost.kind == "fitted"


def test_assumptions_are_named_as_such() -> None:
    assumed = {each.name for each in Artix7().provenance() if each.kind == "assumed"}
    assert assumed == {"artix7.yaml:bram_access_j_per_bram36", "artix7_routing.yaml:speed_ratio_to_ecp5"}


def test_a_net_takes_the_longer_the_more_room_a_design_takes_whatever_device_it_lies_in() -> None:
    """The larger one would take all of the device on which nets were measured."""
    small, large = FpgaResources(lut=500, bram36=2, dsp=1), FpgaResources(lut=25_000, bram36=30, dsp=40)
    for device in ("XC7A35T", "XC7A200T", "XC7K325T"):
        part = Artix7(device=device)
        assert 0.35e-9 < part.net_delay_s(small) == Artix7().net_delay_s(small)
        assert 1.2 * part.net_delay_s(small) < part.net_delay_s(large) < 0.7e-9


def test_a_ramb36_takes_the_room_of_two_ramb18() -> None:
    whole, halves = (Artix7().net_delay_s(FpgaResources(**held)) for held in ({"bram36": 9}, {"bram18": 18}))
    assert whole == halves > 0


def test_a_path_is_as_sure_as_the_nets_that_are_half_of_it() -> None:
    """A tenth to a quarter either way: less than the nets alone, which are off by 1.3 and more."""
    ends = Artix7().brackets.of("critical_path_s")["logic"]
    assert 0.75 < ends.low < 0.9
    assert 1.1 < ends.high < 1.25


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("toggle_rate", "often", "0 to 1"),
        ("toggle_rate", True, "0 to 1"),
        ("bram_enable_rate", "half", "more than 0 to 1"),
        ("power_report", 5, "the path of a report"),
    ],
)
def test_an_option_of_the_wrong_kind_is_refused(option: str, value: object, allowed: str) -> None:
    with pytest.raises(ValueError, match=rf"{option} is {value!r}, allowed (is|are) {allowed}"):
        technology("artix7", **{option: value})


def test_a_design_is_pointed_to_a_device_of_the_same_family() -> None:
    assert shortage(FpgaResources(lut=20_000), "XC7Z010").endswith("would do is XC7Z020")
    assert shortage(FpgaResources(lut=60_000), "XC7Z020").endswith("; no device would do")
    assert shortage(FpgaResources(lut=60_000), "XC7K70T").endswith("would do is XC7K160T")


def test_figures_of_artix_7_are_assumptions_for_other_families_and_static_power_is_missing() -> None:
    own, zynq = Artix7(), Artix7(device="XC7Z020")
    assert (zynq.lut_cost.value, zynq.lut_cost.kind) == (own.lut_cost.value, "assumed")
    taken_over = [number for number in zynq.provenance() if "taken_over_from_artix7" in number.name]
    assert len(taken_over) == 7
    assert all(number.kind == "assumed" and "Artix-7: " in number.source for number in taken_over)
    assert set(zynq.missing) == {"energy_j", "power_w", "leakage_w"}
    assert "static power of XC7Z020" in zynq.missing["energy_j"]
    assert not own.missing
