"""Hardware runs on the design's inputs, else on its network's samples, else on random integers: never on what
belongs to another network. The result names what ran."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import archsim as a
from archsim.calibration.digits import with_digits
from archsim.costs.operands import operand_activity
from archsim.engine.stimulus import NO_SAMPLES, sample_inputs, stimulus, stimulus_name
from archsim.inputs import MOST_REPRESENTATIVE, InputsError
from archsim.netlist_report import report_netlist
from tests.reports.stand_ins import write_design
from workloads import Topology, build_layer, load_network, quantise, random_integer_network, test_digits

N_IN = 12
"""Inputs of the small network of `write_design`."""

LENET = "2 of 16 samples of lenet-300-100-csc-x40: test part of mnist"


def lenet(**changes: Any) -> a.DesignPoint:
    network = "lenet-300-100-csc-x40"
    return a.DesignPoint(**{"network": network, "engine": a.Csc(pes=4), "technology": "cmos65"} | changes)


def small(folder: Path, values: NDArray[Any] | None = None, **changes: Any) -> a.DesignPoint:
    """The design point of a small network without samples, with these inputs in a file."""
    if values is not None:
        np.save(folder / "inputs.npy", values)
        changes["inputs"] = "inputs.npy"
    return a.DesignPoint.from_file(write_design(folder, **changes))


def spread(count: int, seed: int = 3) -> NDArray[np.float64]:
    return np.random.default_rng(seed).random((count, N_IN))


def test_a_network_of_the_zoo_runs_on_its_samples_which_are_the_two_digits_of_ordinary_ink() -> None:
    images, _ = test_digits()
    ink = images.mean(axis=1)
    typical = images[np.argsort(np.abs(ink - ink.mean()), kind="stable")[:2]]
    integer = lenet().integer
    np.testing.assert_array_equal(stimulus(integer), integer.quantise_input(typical))
    result = lenet().simulate("analytic")
    assert result.stimulus == LENET
    assert NO_SAMPLES not in result.warnings


def test_inputs_of_the_design_come_before_the_samples(tmp_path: Path) -> None:
    images, _ = test_digits()
    np.save(tmp_path / "mine.npy", images[[0, 5, 9]])
    design = lenet(inputs=tmp_path / "mine.npy")
    np.testing.assert_array_equal(stimulus(design.integer), design.integer.quantise_input(images[[0, 5, 9]]))
    result = design.simulate("analytic")
    assert result.stimulus == "3 of 3 samples of mine.npy"
    assert result.to_dict()["stimulus"] == result.stimulus
    assert result.energy_j != lenet().simulate("analytic").energy_j
    assert result.cycles == lenet().simulate("analytic").cycles


def test_samples_given_as_inputs_change_nothing(tmp_path: Path) -> None:
    samples = load_network("lenet-300-100-csc-x40").samples
    assert samples is not None
    np.savez(tmp_path / "same.npz", samples.values[:2])
    assert lenet(inputs=tmp_path / "same.npz").simulate("analytic").bill == lenet().simulate("analytic").bill


def test_blank_inputs_switch_less(tmp_path: Path) -> None:
    blank, busy = (
        small(tmp_path, values).simulate("analytic").energy_j for values in (np.zeros((2, N_IN)), spread(2))
    )
    assert blank is not None
    assert busy is not None
    assert blank < busy


@pytest.mark.parametrize("given", ["float", "integer"])
def test_inputs_come_in_the_order_of_training_whatever_their_type(given: str, tmp_path: Path) -> None:
    name = "lenet-300-100-deformable-butterfly-x40"
    image = test_digits()[0][:1]
    integer = quantise(load_network(name), 8, 8)
    assert integer.input_order
    as_activations = np.minimum(np.floor(image * np.float64(128) + 0.5), 127).astype(np.int16)
    np.save(tmp_path / "one.npy", image if given == "float" else as_activations)
    design = lenet(network=name, engine=a.Clos(pes=4), inputs=tmp_path / "one.npy")
    np.testing.assert_array_equal(stimulus(design.integer), integer.quantise_input(image))


def test_integers_reach_the_ends_of_an_activation(tmp_path: Path) -> None:
    values = np.tile(np.array([[-8], [7]]), (1, N_IN))
    design = small(tmp_path, values, engine={"kind": "csc", "pes": 2, "activation_bits": 4})
    np.testing.assert_array_equal(stimulus(design.integer), values.T)


def test_a_network_without_samples_runs_on_random_integers_and_says_so(tmp_path: Path) -> None:
    result = small(tmp_path).simulate("analytic")
    assert result.stimulus == "2 vectors of random integers, uniform over -128 to 127, seed 0"
    assert NO_SAMPLES in result.warnings
    given = small(tmp_path, spread(2)).simulate("analytic")
    assert NO_SAMPLES not in given.warnings


def test_a_network_as_wide_as_a_digit_is_not_run_on_digits() -> None:
    network = random_integer_network(Topology((build_layer("dense", 784, 2),)))
    drawn = np.random.default_rng(0).integers(-128, 128, size=(784, 2))
    np.testing.assert_array_equal(stimulus(network), drawn)
    np.testing.assert_array_equal(sample_inputs(network, 2), drawn)


def test_what_ran_is_named_only_where_something_did(tmp_path: Path) -> None:
    fpga = small(tmp_path, spread(3), technology="artix7")
    assert fpga.simulate("analytic").stimulus is None
    assert fpga.simulate("rtl").stimulus == "1 of 3 samples of inputs.npy"
    assert NO_SAMPLES not in small(tmp_path, technology="artix7").simulate("analytic").warnings


def test_beyond_its_samples_a_network_runs_on_random_integers(tmp_path: Path) -> None:
    network = small(tmp_path, spread(3)).integer
    assert network.samples is not None
    inputs = sample_inputs(network, 5, seed=7)
    np.testing.assert_array_equal(inputs[:, :3], network.samples.inputs)
    np.testing.assert_array_equal(inputs[:, 3:], sample_inputs(random_twin(), 2, seed=7))
    assert stimulus_name(network, 5, seed=7) == (
        "3 of 3 samples of inputs.npy and 2 vectors of random integers, uniform over -128 to 127, seed 7"
    )


def random_twin() -> a.IntegerNetwork:
    """A network of as many inputs that has no samples."""
    return random_integer_network(Topology((build_layer("dense", N_IN, 2),)))


def test_verification_runs_the_inputs_of_the_design(tmp_path: Path) -> None:
    checked = a.verify(small(tmp_path, spread(3)).mapping, inputs=4)
    assert checked.agrees
    assert checked.stimulus.startswith("3 of 3 samples of inputs.npy and 1 vector of random integers")


@pytest.mark.parametrize(("given", "run"), [(1, 1), (3, 3), (MOST_REPRESENTATIVE + 2, MOST_REPRESENTATIVE)])
def test_the_gates_run_all_inputs_of_the_design_up_to_eight(given: int, run: int, tmp_path: Path) -> None:
    design = small(tmp_path, spread(given))
    assert stimulus(design.integer).shape == (N_IN, run)
    told = f"{run} of {given} samples of inputs.npy"
    result = design.simulate("gate")
    assert result.stimulus == told
    assert report_netlist(design).stimulus == told
    assert any(f"in {run} inferences of" in term.source for term in result.terms("energy_j"))


def test_operands_are_those_of_the_inputs(tmp_path: Path) -> None:
    network = small(tmp_path, np.zeros((2, N_IN))).integer
    activity = operand_activity(network, network.accumulator_bits)
    assert (activity.activation, activity.product) == (0, 0)
    assert activity.weight > 0


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    design = small(tmp_path, np.zeros((2, N_IN)))
    before = design.simulate("analytic")
    np.save(tmp_path / "inputs.npy", spread(2))
    after = design.simulate("analytic")
    assert before.energy_j != after.energy_j
    assert design.mapping is design.mapping


def test_a_file_put_in_the_place_of_another_is_read_even_with_its_time(tmp_path: Path) -> None:
    design, file = small(tmp_path, np.zeros((2, N_IN))), tmp_path / "inputs.npy"
    before, status = design.simulate("analytic").energy_j, file.stat()
    np.save(tmp_path / "other.npy", spread(2))
    (tmp_path / "other.npy").replace(file)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert design.simulate("analytic").energy_j != before


def test_design_points_with_other_inputs_differ_and_those_without_do_not_mention_them() -> None:
    assert lenet(inputs="a.npy") == lenet(inputs=Path("a.npy")) != lenet()
    assert "inputs='a.npy'" in repr(lenet(inputs="a.npy"))
    assert "inputs" not in repr(lenet())


class Spiteful:
    """Does something when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.abort, ()


def _pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Spiteful()))


def _objects(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([Spiteful()], dtype=object), allow_pickle=True)


def _archived_objects(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, x=np.array([Spiteful()], dtype=object))


def _two_arrays(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, x=spread(1), y=spread(1))


def _cut_off(path: Path) -> None:
    saved(spread(2))(path)
    path.write_bytes(path.read_bytes()[:-9])


def _endless(path: Path) -> None:
    saved(spread(2))(path)
    path.write_bytes(path.read_bytes().replace(b"(2, 12), ", b"(9999999999999, 12), "))


def saved(values: NDArray[Any]) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, values)

    return save


def one(value: float, *, dtype: Any = float) -> Callable[[Path], None]:
    """A file of zeros and one other value."""
    values = np.zeros((2, N_IN), dtype)
    values[1, 3] = value
    return saved(values)


REFUSED: list[tuple[Callable[[Path], object], str]] = [
    (lambda path: None, "which does not exist"),
    (lambda path: path.mkdir(), "which is no file"),
    (lambda path: path.write_bytes(b""), "which cannot be read"),
    (lambda path: path.write_text("0.5, 0.5"), "which cannot be read"),
    (_pickled, "which cannot be read"),
    (_objects, "which cannot be read (Object arrays cannot be loaded"),
    (_archived_objects, "which cannot be read (Object arrays cannot be loaded"),
    (_cut_off, "which cannot be read"),
    (_endless, "which cannot be read"),
    (_two_arrays, "which holds 2 arrays"),
    (saved(np.zeros((0, N_IN))), "which holds an array of shape (0, 12)"),
    (saved(np.zeros(N_IN)), "which holds an array of shape (12,)"),
    (saved(np.zeros((1, 784))), "which holds an array of shape (1, 784)"),
    (saved(np.zeros((2, N_IN), bool)), "which holds values of type bool"),
    (saved(np.zeros((2, N_IN), complex)), "which holds values of type complex128"),
    (saved(np.full((2, N_IN), "a")), "which holds values of type <U1"),
    (one(np.nan), "which holds nan or infinity"),
    (one(np.inf), "which holds nan or infinity"),
    (saved(np.full((2, N_IN), 1.01)), "which holds floats from 1.01 to 1.01"),
    (saved(np.full((2, N_IN), -0.5)), "which holds floats from -0.5 to -0.5"),
    (one(128, dtype=np.uint8), "which holds integers from 0 to 128"),
    (one(-129, dtype=np.int64), "which holds integers from -129 to 0"),
    (one(2**64 - 1, dtype=np.uint64), "which holds integers from 0 to 18446744073709551615"),
]


@pytest.mark.parametrize(("write", "what"), REFUSED)
def test_other_files_are_refused_in_one_sentence(
    write: Callable[[Path], object], what: str, tmp_path: Path
) -> None:
    path = tmp_path / "inputs.npy"
    write(path)
    design = a.DesignPoint.from_file(write_design(tmp_path, inputs=str(path)))
    with pytest.raises(InputsError) as refused:
        design.simulate("analytic")
    sentence = str(refused.value)
    assert sentence.startswith(f"inputs is {str(path)!r}, {what}")
    assert sentence.endswith(
        "allowed is an .npy file, or an .npz file of one array, of shape (k, 12), k from 1, of floats from "
        "0 to 1, at most a tenth beyond, or of integers from -128 to 127"
    )
    assert "\n" not in sentence


def test_what_saturates_is_counted_in_a_warning_and_what_does_not_is_not(tmp_path: Path) -> None:
    values = np.zeros((2, N_IN))
    values[0, 0], values[1, 5] = -0.5, 1.5
    design = small(tmp_path, values)
    inputs = stimulus(design.integer)
    assert (inputs[0, 0], inputs[5, 1]) == (-64, 127)
    told = [text for text in design.simulate("analytic").warnings if "saturate" in text]
    name = design.integer.name
    assert told == [f"1 of 24 inputs of {name} lie beyond 0 to 1, its input_range, and saturate with 8 bits"]
    values[1, 5] = 0.5
    assert not any("saturate" in text for text in small(tmp_path, values).simulate("analytic").warnings)


def test_inputs_that_are_no_path_are_refused() -> None:
    with pytest.raises(a.DesignError, match=r"^inputs is 3, allowed is text$"):
        lenet(inputs=3)


def test_networks_of_calibration_run_on_digits_the_narrow_ones_on_their_middle() -> None:
    network = with_digits(random_twin())
    assert (np.count_nonzero(stimulus(network), axis=0) >= 3).all()
    wide = with_digits(random_integer_network(Topology((build_layer("dense", 784, 2),))))
    np.testing.assert_array_equal(stimulus(wide), stimulus(lenet().integer))
