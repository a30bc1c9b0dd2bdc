"""Recipes with values of other types: each is refused in one sentence of ours, or means what it says."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.workloads.test_lying_files import changed
from workloads import RecipeError, load_recipe, parse_recipe, recipe_names
from workloads.refusal import Refusal

CHANGED = 3_000
"""Recipes with one value changed."""


def test_a_recipe_that_was_changed_at_random_is_refused_in_a_sentence_or_is_one() -> None:
    whole = [load_recipe(name).model_dump(mode="json") for name in recipe_names()]
    sentences = []
    for seed in range(CHANGED):
        chosen = random.Random(seed)
        try:
            parse_recipe(changed(chosen.choice(whole), chosen))
        except Refusal as refused:
            sentences.append(str(refused))
    assert CHANGED // 20 < len(sentences) < CHANGED - CHANGED // 20
    assert not any("\n" in sentence for sentence in sentences)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": True}, "recipe.epochs is True, allowed is a valid integer"),
        ({"inputs": "784 pixels"}, "recipe.inputs is '784 pixels', allowed is a valid integer"),
        ({"rate": 0.01}, "recipe.rate is 0.01, allowed is a mapping of peak, course"),
        ({"rate": {"pek": 1, "peak": 1}}, "recipe.rate.pek is 1, allowed is no such field, but peak, course"),
        ({"pruning": {"n": 2}}, "recipe.pruning.n is 2, allowed is no such field"),
        ({"optimiser": None}, "recipe.optimiser is None, allowed is a mapping of kind, "),
        ({"layers": []}, "recipe.layers is [], allowed is a list of 1 or more"),
        ({"layers": 3}, "recipe.layers is 3, allowed is a list"),
        ({"rate": {"peak": True}}, "recipe.rate.peak is True, allowed is a valid number"),
        ({"rate": {"peak": float("inf")}}, "recipe.rate.peak is inf, allowed is a finite number"),
        ({"seed": [1]}, "recipe.seed is [1], allowed is a valid integer"),
        ({"name": ["csc"]}, "recipe.name is ['csc'], allowed is a valid string"),
        ({"data": ["mnist"]}, "recipe.data is ['mnist'], allowed is a valid string"),
        ({"layers": [{"family": ["csc"], "outputs": 10}]}, "recipe.layers.0.family is ['csc']"),
        ({"layers": [{"family": "csc", "outputs": 10, "fan_in": True}]}, "fan_in of a csc layer is True"),
        ({"input_range": [1]}, "input_range is [1], allowed are two finite numbers"),
        ({"input_range": "0 1"}, "input_range is '0 1', allowed are two finite numbers"),
        ({"input_scale": 0}, "recipe.input_scale is 0, allowed is greater than 0"),
        ({"input_order": {"a": 1}}, "recipe.input_order"),
        ({"input_digits": [True, 784]}, "recipe.input_digits.0 is True, allowed is a valid integer"),
    ],
)
def test_another_type_is_named(changes: dict[str, Any], message: str) -> None:
    values = load_recipe("lenet-300-100-csc").model_dump(mode="json")
    with pytest.raises(RecipeError) as refused:
        parse_recipe(values | changes)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
