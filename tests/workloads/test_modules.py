"""Layers for PyTorch compute what the numpy core does, are compiled whole, and become networks that run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from workloads import Stage, build_layer, quantise
from workloads.families import families
from workloads.refusal import Refusal
from workloads.training.evaluate import evaluate
from workloads.training.models.cascade import Cascade
from workloads.training.models.model import initial_weights
from workloads.training.quantisation.quantise import quantise_bias, quantise_weights

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from archsim.torch import CascadeLinear, ClosLinear, CscLinear, to_network  # noqa: E402
from workloads.modules.products import product  # noqa: E402
from workloads.modules.rounding import rounded_bias, rounded_weights  # noqa: E402

EXAMPLES = [
    (name, example.n_in, example.n_out, example.parameters)
    for name, family in sorted(families.items())
    for example in family.examples
]


def by_hand(stages: tuple[Stage, ...], weights: list[Any], x: Any, dy: Any) -> tuple[Any, ...]:
    """Outputs and gradients of a cascade in the numpy core, for inputs (batch, n_in)."""
    cascade = Cascade(stages, [False] * len(stages))
    signals = [x.T, *cascade.forward(weights, x.T)]
    gradients, dx = cascade.backward(weights, signals[:-1], dy.T)
    return signals[-1].T, gradients, dx.T


@pytest.mark.parametrize(("family", "n_in", "n_out", "parameters"), EXAMPLES)
def test_a_layer_is_the_cascade_of_the_numpy_core(
    family: str, n_in: int, n_out: int, parameters: dict[str, Any]
) -> None:
    layer = CascadeLinear(family, n_in, n_out, bias=False, dtype=torch.float64, **parameters)
    random = np.random.default_rng(5)
    x, dy = random.normal(size=(7, n_in)), random.normal(size=(7, n_out))
    given_x = torch.from_numpy(x).requires_grad_()
    y = layer(given_x)
    y.backward(torch.from_numpy(dy))
    weights = [array.detach().numpy() for array in layer.weights]
    outputs, gradients, dx = by_hand(layer.stages, weights, x, dy)
    np.testing.assert_allclose(y.detach().numpy(), outputs, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(given_x.grad.numpy(), dx, rtol=1e-10, atol=1e-12)
    for array, gradient in zip(layer.weights, gradients, strict=True):
        np.testing.assert_allclose(array.grad.numpy(), gradient, rtol=1e-10, atol=1e-12)


def test_leading_axes_are_those_of_nn_linear() -> None:
    layer = ClosLinear(24, 12, compression=2)
    x = torch.randn(3, 5, 24)
    torch.testing.assert_close(layer(x)[1, 2], layer(x[1, 2]))
    assert layer(x).shape == (3, 5, 12)


def test_nothing_is_a_masked_dense_matrix() -> None:
    """No tensor of a product has as many entries as the matrix: the graph of each is walked."""
    for name, n_in, n_out in (("clos", 96, 96), ("csc", 96, 96), ("butterfly", 64, 64)):
        layer = CascadeLinear(name, n_in, n_out, compression=4)
        graph = torch.export.export(layer, (torch.randn(1, n_in),)).graph
        sizes = [node.meta["val"].numel() for node in graph.nodes if hasattr(node.meta.get("val"), "numel")]
        assert max(sizes) < n_in * n_out


# PyTorch's own compiler makes an instance of each function that has a gradient of its own.
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize(
    ("family", "widths"),
    [
        ("clos", {}),
        ("csc", {}),
        ("expander", {}),
        ("clos", {"weight_bits": 4, "activation_bits": 8}),
    ],
)
def test_a_layer_is_compiled_whole(family: str, widths: dict[str, Any]) -> None:
    layer = CascadeLinear(family, 48, 24, compression=3, **widths)
    x = torch.rand(9, 48)
    layer(x)
    layer.eval()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), layer(x))


@given(
    bits=st.integers(2, 16),
    values=st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=20),
    fraction=st.integers(-4, 20),
)
def test_numbers_are_rounded_as_integer_networks_are(bits: int, values: list[float], fraction: int) -> None:
    exact = np.array(values, np.float32)
    whole, weight_fraction = quantise_weights(exact, bits)
    rounded, found = rounded_weights(torch.from_numpy(exact).double(), bits)
    if exact.any():
        assert int(found) == weight_fraction
    np.testing.assert_array_equal(rounded.numpy(), np.ldexp(whole.astype(float), -weight_fraction))
    bias, shift = quantise_bias(exact, fraction, bits)
    got = rounded_bias(torch.from_numpy(exact).double(), torch.tensor(float(fraction)), bits)
    np.testing.assert_array_equal(got.numpy(), np.ldexp(bias.astype(float), shift - fraction))


@pytest.mark.filterwarnings("ignore:compression is")
@settings(max_examples=20)
@given(
    seed=st.integers(0, 1000),
    family=st.sampled_from(["clos", "csc", "butterfly", "dense", "expander"]),
    weight_bits=st.integers(2, 8),
    activation_bits=st.integers(3, 8),
)
def test_a_layer_that_rounds_computes_what_the_hardware_will(
    seed: int, family: str, weight_bits: int, activation_bits: int
) -> None:
    torch.manual_seed(seed)
    widths: dict[str, Any] = {"weight_bits": weight_bits, "activation_bits": activation_bits}
    first = CascadeLinear(family, 32, 32, input_range=(0, 1), **options(family, 32, 32), **widths)
    last = CascadeLinear(family, 32, 16, **options(family, 32, 16), **widths)
    module = nn.Sequential(nn.Flatten(), first, nn.ReLU(), last)
    for layer in (first, last):
        nn.init.uniform_(layer.bias, -0.5, 0.5)
    x = torch.rand(40, 1, 32)
    module(x)
    module.eval()
    sums = module(x).detach().double().numpy()
    network = to_network(module, inputs=x[:, 0])
    integer = quantise(network, weight_bits, activation_bits)
    outputs = integer.run(integer.quantise_input(x[:, 0].numpy()))
    fraction = integer.input_fraction_bits
    for stage, (weights, _) in zip(
        integer.stages, (quantise_weights(array, weight_bits) for array in network.weights), strict=True
    ):
        np.testing.assert_array_equal(stage.weights, weights)
    for stage, array in zip(integer.stages, network.weights, strict=True):
        fraction += quantise_weights(array, weight_bits)[1] - stage.shift
    top = 1 << (activation_bits - 1)
    expected = np.clip(np.floor(np.ldexp(sums, fraction) + 0.5), -top, top - 1)
    np.testing.assert_array_equal(outputs.T, expected)


def options(family: str, n_in: int, n_out: int) -> dict[str, Any]:
    return {} if family == "dense" else {"compression": 2 if n_out == n_in else 1.5}


def test_gradients_pass_through_what_is_rounded_and_not_through_what_is_cut_off() -> None:
    layer = CascadeLinear("dense", 2, 1, weight_bits=4, activation_bits=4, input_range=(0, 1))
    with torch.no_grad():
        layer.weights[0].copy_(torch.tensor([[0.5, -0.25]]))
    x = torch.tensor([[0.3, 7.0]], requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.tolist() == [[0.5, 0.0]]
    assert layer.weights[0].grad.tolist() == [[0.25, 0.875]]


def test_a_trained_module_becomes_a_design_point(tmp_path: Any) -> None:
    import archsim as a

    torch.manual_seed(1)
    module = nn.Sequential(ClosLinear(64, 32, compression=2), nn.ReLU(), CscLinear(32, 8, compression=1.8))
    inputs, labels = torch.rand(100, 64), torch.randint(0, 8, (100,))
    network = to_network(module, inputs=inputs, labels=labels, name="mine")
    right = (module(inputs).argmax(1) == labels).double().mean()
    assert network.accuracy["float"] == pytest.approx(float(right))
    path = tmp_path / "mine.npz"
    network.save(path)
    counts = a.DesignPoint(network=str(path), engine=a.Pruned(pes=4), technology="cmos65").simulate(
        "analytic"
    )
    assert counts.stored_weights == sum(layer.stored_weights for layer in (module[0], module[2]))


def test_a_design_point_knows_the_accuracy_at_the_widths_of_training(tmp_path: Any) -> None:
    import archsim as a

    torch.manual_seed(1)
    module = CscLinear(32, 8, compression=1.8, weight_bits=3, activation_bits=7, input_range=(0, 1))
    inputs, labels = torch.rand(200, 32), torch.randint(0, 8, (200,))
    module(inputs)
    network = to_network([module.eval()], inputs=inputs, labels=labels)
    assert network.accuracy["int3x7"] == evaluate(quantise(network, 3, 7), inputs.numpy(), labels.numpy())
    network.save(tmp_path / "narrow.npz")
    engine = a.Pruned(pes=4, weight_bits=3, activation_bits=7)
    point = a.DesignPoint(network=str(tmp_path / "narrow.npz"), engine=engine, technology="cmos65")
    assert point.simulate("analytic").accuracy == network.accuracy["int3x7"]


def test_initial_weights_are_spread_as_those_of_recipes() -> None:
    torch.manual_seed(2)
    layer = ClosLinear(784, 300, compression=10)
    for stage, weights in zip(layer.stages, layer.weights, strict=True):
        known = initial_weights(stage, np.random.default_rng(3))
        reach, weights = float(np.abs(known).max()), weights.detach()
        assert float(weights.abs().max()) == pytest.approx(reach, rel=0.03)
        assert float(weights.std()) == pytest.approx(float(known.std()), rel=0.1)
    assert layer.bias is not None
    assert not layer.bias.any()


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: CascadeLinear("closs", 8, 8), "family is 'closs', allowed are"),
    (lambda: CascadeLinear("clos", 8, 8, copies=3), "parameter of the clos family is 'copies', allowed"),
    (lambda: ClosLinear(8, 8, compression=0.5), "compression is 0.5, allowed are numbers from 1 to 64"),
    (
        lambda: ClosLinear(8, 8, weight_bits=4),
        "weight_bits is 4 and activation_bits is None, allowed are both",
    ),
    (lambda: CascadeLinear("dense", 8, 8, weight_bits=1, activation_bits=8), "weight_bits of a layer is 1"),
    (lambda: CascadeLinear("dense", 8, 8, input_range=(1, 0)), "input_range is"),
    (lambda: ClosLinear(8, 8), "compression is None, allowed are a number or the parameters of the clos"),
    (lambda: CscLinear(8, 8, fan_in=2)(torch.rand(8, 3)), "shape of inputs is (8, 3), allowed are (..., 8)"),
    (lambda: to_network(nn.Sequential(nn.Linear(4, 4))), "module is 'Linear', allowed are CascadeLinear"),
    (lambda: to_network(nn.Sequential(nn.ReLU())), "module is"),
    (
        lambda: to_network([CascadeLinear("dense", 4, 4)] * 2),
        "module is 'CascadeLinear after a CascadeLinear'",
    ),
    (
        lambda: to_network([CascadeLinear("dense", 4, 4)], inputs=torch.rand(3, 5)),
        "shape of inputs is (3, 5), allowed are (k, 4)",
    ),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_wrong_is_refused_in_a_sentence(number: int) -> None:
    make, sentence = REFUSED[number]
    with pytest.raises(Refusal) as error:
        make()
    assert str(error.value).startswith(sentence)


def test_products_of_rows_of_any_length_are_those_of_the_matrix() -> None:
    from workloads import PrunedStage

    stage = PrunedStage.from_mask(np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1]]))
    weights = torch.arange(1.0, 6.0)
    x = torch.tensor([[1.0], [10.0], [100.0]])
    assert product(stage)(weights, x).tolist() == [[201.0], [0.0], [543.0]]
    assert build_layer("dense", 3, 3)[0].stored_weights == 9
