"""Whatever graph is read computes what the reference of onnx computes; the rest is refused with a place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import given, settings, strategies as st
from onnx.reference import ReferenceEvaluator

from tests.workloads.formats.onnx_models import model, node
from workloads.importers.graphs.onnx_file import Onnx
from workloads.importers.graphs.signals import through
from workloads.topology.network import NetworkFileError

SAMPLES = 3
MOST_NODES = 9


@dataclass
class Graph:
    """A chain of nodes whose shape, but for the samples, is followed as it grows."""

    shape: tuple[int, ...]
    random: np.random.Generator
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)

    def constant(self, array: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = array
        return name

    def numbers(self, *shape: int) -> str:
        return self.constant(self.random.standard_normal(shape).astype(np.float32))

    def add(self, operation: str, *constants: str, first: bool = False, **attributes: Any) -> None:
        signal = f"v{len(self.nodes)}" if self.nodes else "x"
        inputs = [*constants, signal] if first else [signal, *constants]
        made = f"v{len(self.nodes) + 1}"
        self.nodes.append(node(operation, " ".join(inputs), made, **attributes))

    def elementwise(self, operation: str) -> None:
        shape = [length if self.random.random() < 0.6 else 1 for length in self.shape]
        first = operation in ("Add", "Mul", "Sub") and self.random.random() < 0.4
        self.add(operation, self.numbers(*shape), first=first)

    def normalise(self) -> None:
        channels = self.shape[0]
        variance = self.constant(self.random.uniform(0.5, 2, channels).astype(np.float32))
        self.add("BatchNormalization", *(self.numbers(channels) for _ in range(3)), variance)

    def multiply(self) -> None:
        n_out = int(self.random.integers(1, 6))
        self.add("MatMul", self.numbers(self.shape[-1], n_out))
        self.shape = (*self.shape[:-1], n_out)

    def rectify(self) -> None:
        self.add("Relu")

    def flatten(self) -> None:
        self.add("Flatten")
        self.shape = (int(np.prod(self.shape)),)

    def split(self) -> None:
        size = int(np.prod(self.shape))
        rows = int(self.random.choice([length for length in range(1, size + 1) if size % length == 0]))
        self.add("Reshape", self.constant(np.array([0, rows, -1])))
        self.shape = (rows, size // rows)

    def turn(self) -> None:
        order = self.random.permutation(len(self.shape))
        self.add("Transpose", perm=[0, *(int(axis) + 1 for axis in order)])
        self.shape = tuple(self.shape[axis] for axis in order)

    def gather(self) -> None:
        chosen = self.random.integers(0, self.shape[0], int(self.random.integers(1, 5)))
        self.add("Gather", self.constant(chosen), axis=1)
        self.shape = (len(chosen), *self.shape[1:])

    def einsum(self) -> None:
        """Axes that are added up, that stay, that the constant has too and that are new, in any order."""
        term = "ijklmn"[: len(self.shape)]
        drawn = self.random.choice(["added", "shared", "free"], len(term), p=[0.5, 0.4, 0.1])
        new = "xy"[: int(self.random.integers((drawn == "added").all(), 3))]
        kinds = dict(zip(term, drawn, strict=True))
        size = dict(zip(term + new, [*self.shape, *self.random.integers(1, 4, len(new))], strict=True))
        known = [axis for axis in term if kinds[axis] != "free"] + list(new)
        known = [known[place] for place in self.random.permutation(len(known))]
        result = [axis for axis in term if kinds[axis] != "added"] + list(new)
        result = [result[place] for place in self.random.permutation(len(result))]
        constant, dots = self.numbers(*(int(size[axis]) for axis in known)), self.random.random() < 0.3
        batch, first = "..." if dots else "b", bool(self.random.random() < 0.3)
        terms = [f"{batch}{term}", "".join(known)]
        equation = f"{','.join(reversed(terms) if first else terms)}->{batch}{''.join(result)}"
        self.add("Einsum", constant, first=first, equation=equation)
        self.shape = tuple(int(size[axis]) for axis in result)


STEPS = (
    "Add",
    "Mul",
    "Sub",
    "Div",
    "normalise",
    "multiply",
    "rectify",
    "flatten",
    "split",
    "turn",
    "gather",
    "einsum",
)
LIKELY = ("multiply", "rectify", "normalise", "flatten")


@given(st.data())
@settings(max_examples=150)
def test_a_graph_is_read_as_the_reference_reads_it_or_refused(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 2**32 - 1))
    steps = data.draw(st.lists(st.sampled_from(STEPS + LIKELY), min_size=1, max_size=MOST_NODES))
    made = built(steps, seed)
    inputs = np.random.default_rng(seed).standard_normal((SAMPLES, *made[1])).astype(np.float32)
    try:
        layers = Onnx().read(made[0])
    except NetworkFileError as refusal:
        assert "allowed are" in str(refusal)  # noqa: PT017, what is read is looked at below
        return
    outputs = ReferenceEvaluator(made[0]).run(None, {"x": inputs})[0].reshape(SAMPLES, -1)
    scale = max(1.0, float(np.abs(outputs).max()))
    np.testing.assert_allclose(through(layers, inputs.reshape(SAMPLES, -1)), outputs, atol=1e-4 * scale)


def built(steps: list[str], seed: int) -> tuple[Any, tuple[int, ...]]:
    random = np.random.default_rng(seed)
    shape = tuple(int(length) for length in random.integers(1, 5, int(random.integers(1, 3))))
    graph = Graph(shape, random)
    for step in steps:
        getattr(graph, step)() if hasattr(graph, step) else graph.elementwise(step)
    graph.nodes[-1].output[0] = "y"
    return model(graph.nodes, graph.constants, ("N", *shape)), shape


def test_sums_are_read_as_the_reference_reads_them() -> None:
    read = 0
    for seed in range(60):
        made, shape = built(["multiply", "rectify", "einsum"], seed)
        inputs = np.random.default_rng(seed).standard_normal((SAMPLES, *shape)).astype(np.float32)
        try:
            layers = Onnx().read(made)
        except NetworkFileError as refusal:
            assert "rows of a signal" in str(refusal) or "after its last ReLU" in str(refusal)  # noqa: PT017
            continue
        outputs = ReferenceEvaluator(made).run(None, {"x": inputs})[0].reshape(SAMPLES, -1)
        np.testing.assert_allclose(through(layers, inputs.reshape(SAMPLES, -1)), outputs, atol=1e-4)
        read += 1
    assert read > 20


def test_most_sensible_graphs_are_read() -> None:
    sensible = ["flatten", "Sub", "Div", "multiply", "normalise", "rectify", "Mul", "multiply", "Add"]
    for seed in range(30):
        made, _ = built(sensible, seed)
        assert [layer.activation for layer in Onnx().read(made).layers] == ["relu", "none"]
