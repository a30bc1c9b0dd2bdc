"""Any chain of convolutions computes what the reference of ONNX computes, in floats and on hardware."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

import archsim as a
from tests.workloads.formats.onnx_models import model, node, normal
from tests.workloads.formats.placed_networks import assert_runs, imported
from workloads.importers.graphs.onnx_file import Onnx
from workloads.importers.graphs.signals import through

pytestmark = pytest.mark.slow

reference = pytest.importorskip("onnx.reference")


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Any, NDArray[np.float32]]:
    """Models of one to three convolutions with what may stand between them, and a matrix behind or none."""

    def number(least: int, most: int) -> int:
        return draw(st.integers(least, most))

    channels, rows, columns = number(1, 3), number(3, 6), number(3, 6)
    shape, nodes, constants, signal = (channels, rows, columns), [], {}, "x"
    for place in range(number(1, 3)):
        kernel, groups = (number(1, min(3, rows)), number(1, min(3, columns))), number(1, 2)
        groups = groups if channels % groups == 0 else 1
        outputs = groups * number(1, 2)
        constants[f"w{place}"] = normal(outputs, channels // groups, *kernel)
        constants[f"b{place}"] = normal(outputs)
        told: dict[str, Any] = {"strides": [number(1, 2), number(1, 2)], "group": groups}
        named = draw(st.sampled_from(["SAME_UPPER", "SAME_LOWER", "VALID", "pads", None]))
        pads = [0, 0, 0, 0]
        if not (named and named.startswith("SAME")):
            told["dilations"] = [
                number(1, max(1, (size - 1) // max(taps - 1, 1)))
                for size, taps in zip((rows, columns), kernel, strict=True)
            ]
            down, right = told["dilations"]
            kernel = (kernel[0] - 1) * down + 1, (kernel[1] - 1) * right + 1
        if named == "pads":
            told["pads"] = pads = [number(0, 1) for _ in range(4)]
        elif named:
            told["auto_pad"] = named
        nodes.append(node("Conv", f"{signal} w{place} b{place}", f"c{place}", **told))
        signal = f"c{place}"
        if named and named.startswith("SAME"):
            rows, columns = (
                -(-size // step) for size, step in zip((rows, columns), told["strides"], strict=True)
            )
        else:
            rows = (rows + pads[0] + pads[2] - kernel[0]) // told["strides"][0] + 1
            columns = (columns + pads[1] + pads[3] - kernel[1]) // told["strides"][1] + 1
        channels = outputs
        if draw(st.booleans()):
            for name in "ghm":
                constants[f"{name}{place}"] = normal(channels)
            constants[f"v{place}"] = np.abs(normal(channels)) + np.float32(0.1)
            names = " ".join(f"{name}{place}" for name in "ghmv")
            nodes.append(node("BatchNormalization", f"{signal} {names}", f"n{place}"))
            signal = f"n{place}"
        nodes.append(node("Relu", signal, f"r{place}"))
        signal = f"r{place}"
    nodes.append(node("Flatten", signal, "f"))
    constants["u"] = normal(channels * rows * columns, 4)
    nodes.append(node("MatMul", "f u", "y"))
    return model(nodes, constants, ("N", *shape)), normal(3, *shape)


@given(graphs())
@settings(deadline=None, max_examples=25)
def test_any_chain_of_convolutions_gives_what_the_reference_of_onnx_gives(case: Any) -> None:
    made, inputs = case
    expected = reference.ReferenceEvaluator(made).run(None, {"x": inputs})[0]
    layers = Onnx().read(made)
    np.testing.assert_allclose(through(layers, inputs.reshape(3, -1)), expected, rtol=1e-3, atol=1e-4)
    network = imported(made, inputs=inputs)
    np.testing.assert_allclose(network.run(inputs.reshape(3, -1).T).T, expected, rtol=1e-3, atol=1e-3)


@given(graphs())
@settings(deadline=None, max_examples=3)
def test_any_chain_of_convolutions_runs_on_hardware_bit_for_bit(case: Any) -> None:
    made, inputs = case
    assert_runs(imported(made, inputs=inputs), a.Pruned(pes=3), inputs=1)
