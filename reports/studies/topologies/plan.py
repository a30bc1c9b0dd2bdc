"""Which networks are trained for the studies of topologies, and how.

Five groups. *LeNet-300-100* trains every family at three compressions for a few epochs, its first two layers
by the family, the third dense. *Long* trains dense and Clos networks as those of the zoo are trained, with
random shifts, where a loss is to be told from too short a training. *Zoo* trains every family at the two
budgets of the zoo, and for longer. *Square* has one hidden layer of 64 x 64 on MNIST of 8 x 8 pixels: powers
of two, where every family has its own shape and no rule for rectangles, and small enough for the measures
that need no data. *Other layers* trains a convolutional and a recurrent network of cascades, and the same of
dense layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.studies.topologies.runs import Planned
from reports.studies.topologies.trainings import Images, recipe_values
from workloads import load_recipe, parse_recipe
from workloads.families import families, fit_budget, layer_weights

LENET, LONG, SQUARE = "LeNet-300-100", "LeNet-300-100, long", "square"
ZOO = "LeNet-300-100, budgets of the zoo"
OTHER_LAYERS = "convolutional and recurrent"
DENSE_WEIGHTS = 266_200
COMPRESSIONS = (10, 20, 40)
FIRST_LAYER = 0.8
"""The first layer's share of what the third, which stays dense, leaves of a budget: about that of the zoo."""
NEAR = 0.15
"""A family is left out at a budget that none of its members comes so near to, as a share."""

SEEDS = {
    LENET: (0, 1, 2),
    LONG: (0, 1, 2),
    ZOO: (1, 2, 3),
    SQUARE: tuple(range(10)),
    OTHER_LAYERS: (1, 2, 3),
}
PEAK = 0.01
HOLD_OUT = 5000
EPOCHS, LONG_EPOCHS, ZOO_EPOCHS = 4, 12, 40
DENSE = "dense"
PRUNED = "pruned"
BOTTOM_UP = "csc, bottom up"
CONTIGUOUS = "clos, contiguous blocks"
"""The Clos layers of `clos` but for the order of their inputs: blocks read neighbours, and are not
interleaved."""

Layer = Mapping[str, Any]

# The families that the studies are about have the shapes of the zoo, as near to the budgets as they go.
CSC = {
    10: ({"fan_in": 34}, {"fan_in": 21}),
    20: ({"fan_in": 16, "depth": 2}, {"fan_in": 7, "depth": 2}),
    40: ({"fan_in": 6, "depth": 2}, {"fan_in": 4, "depth": 2}),
    46: ({"fan_in": 5, "depth": 2}, {"fan_in": 3, "depth": 2}),
}
CLOS = {
    5: ({"ingress": 28, "middle": 26, "egress": 20}, {"ingress": 20, "middle": 16, "egress": 10}),
    10: ({"ingress": 28, "middle": 13, "egress": 20}, {"ingress": 20, "middle": 7, "egress": 10}),
    20: ({"ingress": 28, "middle": 6, "egress": 20}, {"ingress": 20, "middle": 4, "egress": 10}),
    40: ({"ingress": 14, "middle": 3, "egress": 20}, {"ingress": 10, "middle": 3, "egress": 10}),
}
GROWTH = {10: ((10, 6), (20, 13)), 40: ((2, 2), (4, 3))}


def budget_of(compression: int) -> int:
    """Weights of LeNet-300-100 at this compression."""
    return round(DENSE_WEIGHTS / compression)


def plan() -> list[Planned]:
    """Every network that the studies show."""
    return [*_lenet(), *_long(), *_zoo(), *_square(), *_other_layers()]


# LeNet-300-100.


def _lenet() -> Iterator[Planned]:
    yield _network(LENET, DENSE, DENSE_WEIGHTS, _dense_layers())
    for compression in COMPRESSIONS:
        budget = budget_of(compression)
        for name in sorted(families):
            if name == PRUNED:
                pruning = {"stored_weights": budget}
                yield _network(LENET, PRUNED, budget, _dense_layers(), pruning=pruning)
            elif name != DENSE:
                network = _network(LENET, name, budget, _family_layers(name, compression))
                if abs(network.recipe.topology().stored_weights / budget - 1) <= NEAR:
                    yield network
        yield _network(LENET, CONTIGUOUS, budget, _contiguous(_family_layers("clos", compression)))
    yield _network(LENET, "csc", budget_of(46), _family_layers("csc", 46))
    yield _network(LENET, PRUNED, budget_of(46), _dense_layers(), pruning={"stored_weights": budget_of(46)})
    for compression, sizes in GROWTH.items():
        steps = [{"fan_in": size, "epochs": 1} for size in sizes]
        layers = _family_layers("csc", compression)
        yield _network(LENET, BOTTOM_UP, budget_of(compression), layers, growth={"steps": steps})


def _dense_layers() -> list[Layer]:
    return [{"family": DENSE, "outputs": outputs} for outputs in (300, 100, 10)]


def _family_layers(name: str, compression: int) -> list[Layer]:
    """Two layers of a family and a dense one, near to a compression."""
    rest = budget_of(compression) - 1000
    chosen = {"csc": CSC, "clos": CLOS}.get(name, {}).get(compression)
    first, second = chosen or (
        fit_budget(name, 784, 300, round(rest * FIRST_LAYER)),
        fit_budget(name, 300, 100, round(rest * (1 - FIRST_LAYER))),
    )
    return _layers(name, first, second)


def _layers(name: str, first: Layer, second: Layer) -> list[Layer]:
    return [
        {"family": name, "outputs": 300, **first},
        {"family": name, "outputs": 100, **second},
        {"family": DENSE, "outputs": 10},
    ]


def _contiguous(layers: Sequence[Layer]) -> list[Layer]:
    """The layers with every Clos layer of three stages as Kronecker factors. A block of the ingress reads
    inputs side by side, middle block j output j of every ingress block."""
    inputs, found = 784, []
    for layer in layers:
        if layer["family"] == "clos":
            ingress, middle, egress = (layer[name] for name in ("ingress", "middle", "egress"))
            factors = [
                [ingress, middle, inputs // ingress, 1],
                [1, egress, ingress, middle],
                [egress, layer["outputs"] // egress, middle, 1],
            ]
            layer = {"family": KRONECKER, "outputs": layer["outputs"], "factors": factors}
        found.append(layer)
        inputs = layer["outputs"]
    return found


def _long() -> Iterator[Planned]:
    settings: dict[str, Any] = {"epochs": LONG_EPOCHS, "shift_pixels": 1}
    yield _network(LONG, DENSE, DENSE_WEIGHTS, _dense_layers(), **settings)
    for compression in (5, 10, 20):
        layers = _family_layers("clos", compression)
        yield _network(LONG, "clos", budget_of(compression), layers, **settings)


# The budgets of the zoo.

# The recipes of the zoo, and Kronecker layers that spend a budget in two ways.
ZOO_RECIPES = {21_040: "lenet-300-100-{}", 6_600: "lenet-300-100-{}-x40"}
IN_THE_ZOO = ("csc", "clos", "deformable-butterfly")
KRONECKER = "kronecker"
KRONECKER_FACTORS: Mapping[int, Mapping[str, tuple[Layer, Layer]]] = {
    21_040: {
        "kronecker": (
            {"factors": [[56, 10, 14, 1], [7, 10, 8, 10], [1, 3, 7, 100]]},
            {"factors": [[15, 10, 20, 1], [1, 10, 15, 10]]},
        ),
        "kronecker, other factors": (
            {"factors": [[112, 10, 7, 1], [7, 6, 16, 10], [1, 5, 7, 60]]},
            {"factors": [[50, 5, 6, 1], [5, 5, 10, 5], [1, 4, 5, 25]]},
        ),
    },
    6_600: {
        "kronecker": (
            {"factors": [[49, 2, 16, 1], [7, 6, 7, 2], [1, 25, 7, 12]]},
            {"factors": [[20, 2, 15, 1], [5, 5, 4, 2], [1, 10, 5, 10]]},
        ),
        "kronecker, other factors": (
            {"factors": [[56, 2, 14, 1], [4, 15, 14, 2], [1, 10, 4, 30]]},
            {"factors": [[12, 2, 25, 1], [3, 10, 4, 2], [1, 5, 3, 20]]},
        ),
    },
}
PRUNED_PEAK = 0.003
"""A dense network that is then pruned does not train at the rate of the others."""
INTERLEAVED = "deformable-butterfly, inputs as they come"


def _zoo() -> Iterator[Planned]:
    for budget, recipe in ZOO_RECIPES.items():
        for name in sorted(families):
            if name == PRUNED:
                pruning, rate = {"stored_weights": budget}, {"peak": PRUNED_PEAK}
                yield _long_trained(PRUNED, budget, _dense_layers(), pruning=pruning, rate=rate)
            elif name in IN_THE_ZOO:
                values = recipe_values(load_recipe(recipe.format(name)))
                layers, order = values["layers"], values.get("input_digits", ())
                yield _long_trained(name, budget, layers, input_digits=order)
                if order:
                    yield _long_trained(INTERLEAVED, budget, layers)
                if name == "clos":
                    yield _long_trained(CONTIGUOUS, budget, _contiguous(layers))
            elif name == KRONECKER:
                for label, sizes in KRONECKER_FACTORS[budget].items():
                    yield _long_trained(label, budget, _layers(KRONECKER, *sizes))
            elif name != DENSE:
                network = _long_trained(name, budget, _layers(name, *_within(name, budget)))
                if (1 - NEAR) * budget <= network.recipe.topology().stored_weights <= budget:
                    yield network


def _long_trained(label: str, budget: int, layers: Sequence[Layer], **settings: Any) -> Planned:
    return _network(ZOO, label, budget, layers, epochs=ZOO_EPOCHS, shift_pixels=1, **settings)


def _within(name: str, budget: int) -> tuple[Layer, Layer]:
    """Two layers of a family that come near to a budget and, if they can, do not exceed it."""
    for share in range(100, round(100 * (1 - NEAR)), -1):
        rest = (budget - 1000) * share / 100
        first = fit_budget(name, 784, 300, round(rest * FIRST_LAYER))
        second = fit_budget(name, 300, 100, round(rest * (1 - FIRST_LAYER)))
        if layer_weights(name, 784, 300, **first) + layer_weights(name, 300, 100, **second) <= budget - 1000:
            break
    return first, second


# The square layer.

Variants = Mapping[str, tuple[str, Mapping[str, Any]]]

CLOS_STAGES: Variants = {
    "clos, 3 stages": ("clos", {"ingress": 8, "middle": 4, "egress": 8}),
    "clos, 4 stages": ("clos", {"ingress": 8, "middle": 4, "egress": 8, "stages": 4}),
    "clos, 5 stages": ("clos", {"ingress": 8, "middle": 4, "egress": 8, "stages": 5, "inner": 3}),
}
"""Clos layers of equal weights, 768, but for five stages, which store 800."""

SHAPES: Mapping[int, Variants] = {
    768: {
        "block-diagonal": ("block-diagonal", {"blocks": 5}),
        "butterfly, radix 2": ("butterfly", {"radix": 2}),
        "butterfly, radix 4": ("butterfly", {"radix": 4}),
        "csc, fan-in 2": ("csc", {"fan_in": 2}),
        "csc, fan-in 4": ("csc", {"fan_in": 4}),
        "dey": ("dey", {"fan_in": 12}),
        "expander, 4 stages of 3": ("expander", {"fan_in": 3, "depth": 4}),
        "low-rank": ("low-rank", {"rank": 6}),
        "monarch": ("monarch", fit_budget("monarch", 64, 64, 768)),
        "parallel-butterfly": ("parallel-butterfly", fit_budget("parallel-butterfly", 64, 64, 768)),
        "hypercube": ("hypercube", fit_budget("hypercube", 64, 64, 768)),
        "random, 1 stage of 12": ("random-regular", {"fan_in": 12}),
        "random, 2 stages of 6": ("random-regular", {"fan_in": 6, "depth": 2}),
        "random, 3 stages of 4": ("random-regular", {"fan_in": 4, "depth": 3}),
        "random, 6 stages of 2": ("random-regular", {"fan_in": 2, "depth": 6}),
        "torus": ("torus", fit_budget("torus", 64, 64, 768)),
    },
    1408: {
        "benes": ("benes", {}),
        "block-diagonal": ("block-diagonal", {"blocks": 3}),
        "csc, fan-in 11": ("csc", {"fan_in": 11}),
        "dey": ("dey", {"fan_in": 22}),
        "low-rank": ("low-rank", {"rank": 11}),
        "parallel-butterfly": ("parallel-butterfly", fit_budget("parallel-butterfly", 64, 64, 1408)),
        "random, 1 stage of 22": ("random-regular", {"fan_in": 22}),
        "random, 2 stages of 11": ("random-regular", {"fan_in": 11, "depth": 2}),
        "random, 11 stages of 2": ("random-regular", {"fan_in": 2, "depth": 11}),
        "clos, 3 stages": ("clos", {"ingress": 8, "middle": 7, "egress": 8}),
        "clos, 4 stages": ("clos", {"ingress": 8, "middle": 6, "egress": 8, "stages": 4}),
    },
}
"""Layers of equal weights, or nearly so, and of many forms."""

SKIPPED: Variants = {
    "csc, fan-in 4": ("csc", {"fan_in": 4}),
    "csc, fan-in 2": ("csc", {"fan_in": 2}),
    "butterfly, radix 2": ("butterfly", {"radix": 2}),
    "butterfly, radix 4": ("butterfly", {"radix": 4}),
    "random, 3 stages of 4": ("random-regular", {"fan_in": 4, "depth": 3}),
    "random, 6 stages of 2": ("random-regular", {"fan_in": 2, "depth": 6}),
    "benes": ("benes", {}),
    "clos, 3 square stages": ("clos", {"ingress": 8, "middle": 8, "egress": 8}),
    "clos, 4 square stages": ("clos", {"ingress": 8, "middle": 8, "egress": 8, "stages": 4}),
}
"""Layers of square stages only, which can have an identity skip connection on each."""

WITH_SKIPS = ", skips"
WIDTH = 64
READ_OUT = 10 * WIDTH


def _square() -> Iterator[Planned]:
    yield _one_hidden(DENSE, WIDTH * WIDTH, {"family": DENSE})
    for budget, shapes in SHAPES.items():
        for label, (name, parameters) in shapes.items():
            yield _one_hidden(label, budget, {"family": name} | dict(parameters))
    for label, (name, parameters) in CLOS_STAGES.items():
        weights = layer_weights(name, WIDTH, WIDTH, **parameters)
        yield _one_hidden(label, weights, {"family": name} | dict(parameters))
    named = {label for shapes in SHAPES.values() for label in shapes}
    for label, (name, parameters) in SKIPPED.items():
        weights = layer_weights(name, WIDTH, WIDTH, **parameters)
        layer = {"family": name} | dict(parameters)
        if label not in named:
            yield _one_hidden(label, weights, layer)
        yield _one_hidden(label + WITH_SKIPS, weights, layer | {"skips": True})
    for budget in SHAPES:
        pruning = {"layer_weights": [budget, READ_OUT]}
        yield _one_hidden(PRUNED, budget, {"family": DENSE}, pruning=pruning)


def _one_hidden(label: str, hidden: int, layer: Layer, **settings: Any) -> Planned:
    """One hidden layer that stores `hidden` weights, and a dense read-out."""
    layers = [{**layer, "outputs": WIDTH}, {"family": DENSE, "outputs": 10}]
    return _network(SQUARE, label, hidden + READ_OUT, layers, inputs=WIDTH, images="mnist-8", **settings)


# Convolutional and recurrent networks.

OTHER_MODELS = {"convolutional": "cnn-mnist", "recurrent": "rnn-mnist"}
"""The recipes of cascades; their dense counterparts have a dense matrix in place of every cascade."""
DENSE_PEAKS = {"recurrent": 0.002}
"""A dense recurrent matrix does not train at the rate of the cascade: at 0.005 it comes to 90 %, at 0.001 to
0.003 to 98 %."""
CASCADES = ", cascades"


def _other_layers() -> Iterator[Planned]:
    for label, name in OTHER_MODELS.items():
        values = recipe_values(load_recipe(name)) | {"hold_out": HOLD_OUT}
        dense = _dense_counterpart(values)
        if label in DENSE_PEAKS:
            dense["rate"] = {"peak": DENSE_PEAKS[label]}
        for form, settings in ((CASCADES, values), (f", {DENSE}", dense)):
            recipe = parse_recipe(settings | {"name": label + form, "seed": SEEDS[OTHER_LAYERS][0]})
            weights = recipe.stored_weights
            yield Planned(OTHER_LAYERS, label + form, weights, recipe, "mnist", SEEDS[OTHER_LAYERS])


def _dense_counterpart(values: Any) -> Any:
    """The values of a recipe with a dense matrix for every layer."""
    if isinstance(values, list):
        return [_dense_counterpart(each) for each in values]
    if not isinstance(values, dict):
        return values
    if "family" in values:
        kept = ("outputs", "kernel", "stride")
        return {"family": DENSE} | {name: values[name] for name in kept if name in values}
    return {name: _dense_counterpart(each) for name, each in values.items()}


def _network(
    group: str,
    label: str,
    budget: int,
    layers: Sequence[Layer],
    *,
    inputs: int = 784,
    images: Images = "mnist",
    **settings: Any,
) -> Planned:
    values = {
        "name": label,
        "inputs": inputs,
        "layers": [dict(layer) for layer in layers],
        "epochs": EPOCHS,
        "rate": {"peak": PEAK},
        "hold_out": HOLD_OUT,
    }
    recipe = parse_recipe(values | settings)
    return Planned(group, label, budget, recipe, images, SEEDS[group])
