"""Layers for PyTorch where they are used in other ways than the usual one: each works, or says why not."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import archsim as a
from workloads.refusal import Refusal

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import archsim.torch as layers  # noqa: E402

# What types would refuse is tried here too.
CascadeLinear, ClosLinear, CscLinear, to_network = (
    getattr(layers, name) for name in ("CascadeLinear", "ClosLinear", "CscLinear", "to_network")
)

BITS: dict[str, Any] = {"weight_bits": 4, "activation_bits": 8}
FAMILIES: dict[str, dict[str, Any]] = {
    "blocks": {"family": "clos", "compression": 2},
    "rings": {"family": "csc", "compression": 2},
    "rows of one length": {"family": "expander", "fan_in": 3},
    "rows of any length": {"family": "block-diagonal", "blocks": 3},
}
of_every_product = pytest.mark.parametrize("options", FAMILIES.values(), ids=FAMILIES)
of_both = pytest.mark.parametrize("bits", [{}, BITS], ids=["floats", "rounded"])


def layer(options: dict[str, Any], **more: Any) -> Any:
    """A layer of 16 inputs and 13 outputs that has seen inputs."""
    torch.manual_seed(3)
    made = CascadeLinear(in_features=16, out_features=13, **options, **more)
    made(torch.rand(5, 16, dtype=made.weights[0].dtype))
    return made.eval()


def sequence(**options: Any) -> Any:
    """Two layers that have seen inputs."""
    torch.manual_seed(4)
    made = nn.Sequential(
        CscLinear(16, 8, fan_in=3, **options), nn.ReLU(), CscLinear(8, 4, fan_in=3, **options)
    )
    made(torch.rand(20, 16))
    return made.eval()


@of_both
@of_every_product
def test_a_batch_of_no_samples_goes_through_and_leaves_scales_as_they_are(
    options: dict[str, Any], bits: dict[str, Any]
) -> None:
    made = layer(options, **bits).train()
    before = made.reaches.clone()
    x = torch.zeros(0, 16, requires_grad=True)
    made(x).sum().backward()
    assert made(torch.zeros(2, 0, 16)).shape == (2, 0, 13)
    assert x.grad.shape == (0, 16)
    assert torch.equal(made.reaches, before)


@of_both
@of_every_product
def test_a_copy_and_a_state_compute_the_same(options: dict[str, Any], bits: dict[str, Any]) -> None:
    made, x = layer(options, **bits), torch.rand(7, 16)
    fresh = layer(options, **bits)
    fresh.reset_parameters()
    fresh.load_state_dict(made.state_dict())
    for other in (copy.deepcopy(made), pickle.loads(pickle.dumps(made)), fresh):
        assert torch.equal(other(x), made(x))


@of_every_product
def test_a_layer_without_storage_gets_its_own_when_it_is_filled(options: dict[str, Any]) -> None:
    made, x = layer(options), torch.rand(7, 16)
    with torch.device("meta"):
        empty = CascadeLinear(in_features=16, out_features=13, **options)
    filled = empty.to_empty(device="cpu").eval()
    filled.load_state_dict(made.state_dict())
    assert torch.equal(filled(x), made(x))


@of_every_product
def test_frozen_weights_let_gradients_of_inputs_through(options: dict[str, Any]) -> None:
    made, x = layer(options).requires_grad_(False), torch.rand(3, 16, requires_grad=True)
    made(x).sum().backward()
    assert x.grad.any()
    assert all(weights.grad is None for weights in made.weights)


@of_every_product
def test_gradients_have_gradients(options: dict[str, Any]) -> None:
    made, x = layer(options, dtype=torch.float64), torch.rand(3, 16, dtype=torch.float64, requires_grad=True)
    parameters = dict(made.named_parameters())

    def outputs(x: Any, *values: Any) -> Any:
        return torch.func.functional_call(made, dict(zip(parameters, values, strict=True)), (x,))

    assert torch.autograd.gradgradcheck(outputs, (x, *parameters.values()))

    def loss(values: Any) -> Any:
        return torch.func.functional_call(made, values, (x,)).square().sum()

    of_functions = torch.func.grad(loss)(parameters)
    loss(parameters).backward()
    for name, value in parameters.items():
        torch.testing.assert_close(of_functions[name], value.grad)


def test_a_compression_that_no_layer_comes_near_is_told() -> None:
    with pytest.warns(UserWarning, match="compression is 100, the nearest of a clos layer of 16 in"):
        far = ClosLinear(16, 13, compression=100)
    assert far.stored_weights > 16 * 13 / 100
    ClosLinear(64, 64, compression=2)


@of_every_product
def test_rounding_takes_no_part_in_autocast(options: dict[str, Any]) -> None:
    made, x = layer(options, weight_bits=8, activation_bits=12), torch.rand(7, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(made(x), made(x.float()))
        cast = made(x)
    assert torch.equal(cast, made(x))


def test_a_batch_that_overflowed_does_not_spoil_the_scales() -> None:
    made = layer(FAMILIES["rings"], **BITS).train()
    before = made.reaches.clone()
    made(torch.full((3, 16), float("nan")))
    assert torch.equal(made.reaches, before)
    made(torch.full((3, 16), float("inf")))
    assert torch.isfinite(made.reaches).all()


def test_numbers_of_numpy_are_numbers() -> None:
    made = ClosLinear(
        np.int64(16), np.int32(8), compression=np.float32(2), weight_bits=np.int64(4), activation_bits=8
    )
    assert repr(made).splitlines()[1].endswith("4 x 8 bits")
    assert type(made.in_features) is type(made.weight_bits) is int


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no inputs": (
        lambda: CscLinear(0, 8, compression=2),
        "in_features of a layer is 0, allowed are integers",
    ),
    "a text": (lambda: CscLinear("16", 8, fan_in=2), "in_features of a layer is '16', allowed are integers"),
    "a part": (lambda: CscLinear(16, 8.0, fan_in=2), "out_features of a layer is 8.0, allowed are integers"),
    "bias": (lambda: CscLinear(16, 8, fan_in=2, bias="no"), "bias is 'no', allowed are True and False"),
    "type": (
        lambda: CscLinear(16, 8, fan_in=2, dtype=torch.int32),
        "dtype is torch.int32, allowed are types of",
    ),
    "whole inputs": (
        lambda: layer(FAMILIES["rings"], **BITS)(torch.ones(3, 16, dtype=torch.int64)),
        "type of inputs is torch.int64, allowed are torch.float32, that of the weights",
    ),
    "wide inputs": (
        lambda: layer(FAMILIES["rings"])(torch.ones(3, 16, dtype=torch.float64)),
        "type of inputs is torch.float64, allowed are torch.float32, that of the weights",
    ),
    "narrow rounding": (
        lambda: layer(FAMILIES["rings"], **BITS).half()(torch.ones(3, 16).half()),
        "type of a layer that rounds is torch.float16, allowed are torch.float32 and torch.float64",
    ),
    "an array": (
        lambda: layer(FAMILIES["rings"])(np.ones((3, 16))),
        "inputs is 'of type ndarray', allowed are",
    ),
    "a number": (
        lambda: layer(FAMILIES["rings"])(torch.tensor(1.0)),
        "shape of inputs is (), allowed are (..., 16)",
    ),
    "no module": (lambda: to_network(None), "module is 'NoneType', allowed are CascadeLinear"),
    "a name": (lambda: to_network(sequence(), name=3), "name is 3, allowed is a word"),
    "no numbers": (
        lambda: to_network(CscLinear(16, 8, fan_in=2, device="meta")),
        "tensor weights of layer 1 is 'torch.float32 on meta', allowed are real numbers in memory",
    ),
    "not finite": (
        lambda: to_network(_with_weight(float("nan"))),
        "a weight of layer 2 is nan, allowed are finite",
    ),
    "too large": (
        lambda: to_network(_with_weight(1e300)),
        "a weight of layer 2 is 1e+300, allowed are finite",
    ),
    "imported": (
        lambda: a.import_network(sequence()),
        "a PyTorch module Sequential has layers of the families (CscLinear), allowed are others: ",
    ),
}


def _with_weight(value: float) -> Any:
    made = sequence().double()
    with torch.no_grad():
        made[2].weights[0][0, 0] = value
    return made


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_meant_is_refused_in_a_sentence(case: str) -> None:
    make, sentence = REFUSED[case]
    with pytest.raises(Refusal) as refused:
        make()
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda module: nn.ModuleList(module),
        lambda module: iter(module),
        lambda module: nn.Sequential(nn.Flatten(), nn.Sequential(module), nn.Dropout()),
        lambda module: torch.compile(module),
        lambda module: [torch.compile(part) for part in module],
    ],
    ids=["list of modules", "parts", "nested", "compiled", "compiled parts"],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_layers_are_found_however_they_are_held(wrapped: Callable[[Any], Any]) -> None:
    plain, x = sequence(), torch.rand(9, 16)
    network, found = to_network(plain, inputs=x), to_network(wrapped(plain), inputs=x)
    assert found.topology == network.topology
    for mine, other in zip(network.weights, found.weights, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize(
    "changed",
    [
        lambda x: x.bfloat16(),
        lambda x: x.to_sparse(),
        lambda x: x.clone().requires_grad_(),
        lambda x: x.t().contiguous().t(),
        lambda x: x.reshape(20, 4, 4),
        lambda x: x.tolist(),
    ],
    ids=["bfloat16", "sparse", "with gradients", "not contiguous", "images", "a list"],
)
def test_tensors_of_any_kind_are_inputs(changed: Callable[[Any], Any]) -> None:
    x = (torch.rand(20, 16) * 255).round() / 256  # which bfloat16 holds
    own = nn.Sequential(nn.Linear(16, 4))
    makes: list[Callable[[Any], Any]] = [
        lambda given: to_network(sequence(), inputs=given),
        lambda given: a.import_network(own, inputs=given),
    ]
    for make in makes:
        samples, wanted = make(changed(x)).samples, make(x).samples
        assert samples is not None
        np.testing.assert_array_equal(samples.values, wanted.values)


def test_what_the_network_leaves_out_or_assumes_is_said() -> None:
    plain, x = sequence(), torch.rand(9, 16)
    assert to_network(plain, inputs=x).remarks == ()
    (assumed,) = to_network(plain).remarks
    assert assumed.startswith("scales were assumed")
    (left_out,) = to_network([*plain, nn.ReLU()], inputs=x).remarks
    assert left_out.startswith("the ReLU after layer 2, the last one, is left out")
    tiny = _with_weight(1e-300)
    (small,) = to_network(tiny, inputs=x).remarks
    assert small.startswith("1 of 8 weights of layer 2 are nearer to zero")


def test_rounding_that_has_seen_nothing_takes_its_scales_from_the_inputs() -> None:
    x = torch.rand(50, 16)
    seen = sequence(**BITS)
    unseen = copy.deepcopy(seen)
    for number in (0, 2):
        unseen[number].reaches.zero_()
    network = to_network(unseen, inputs=x)
    assert min(ranges[-1] for ranges in network.calibration.ranges) > 0
    (assumed,) = to_network(unseen).remarks
    assert assumed.startswith("scales were assumed")
    assert to_network(seen).remarks == ()


def test_tensors_by_themselves_are_arrays() -> None:
    own = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 4))
    first, first_bias, last, last_bias = own.parameters()
    wanted = a.import_network(own, input_range=(0, 1))
    for source in (
        list(own.parameters()),
        [(first, first_bias), (last, last_bias)],
        {"weights": [first, last], "biases": [first_bias, last_bias]},
    ):
        found = a.import_network(source, input_range=(0, 1))
        for mine, other in zip(found.weights, wanted.weights, strict=True):
            np.testing.assert_array_equal(mine, other)
    assert a.import_network(first).topology.n_out == 8


def test_a_module_that_gives_no_tensor_is_refused_by_what_it_gives() -> None:
    class Named(nn.Linear):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return {"y": super().forward(x)}

    with pytest.raises(
        Refusal, match=r"^output of a PyTorch module Named is 'a dict', allowed are one tensor"
    ):
        a.import_network(Named(4, 3))
