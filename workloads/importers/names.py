"""Arrays that have names: which are the matrix and the bias of one layer, and which layer comes first.

A name is read as words and numbers. A word for a matrix or a bias (`weight`, `kernel`, `W`, `bias`, `b`, ...)
says no more than the shape does; what is left names the layer: `fc1.weight` and `fc1.bias` are of `fc 1`,
`W2` and `b2` of `2`, `weight` and `bias` of the only layer. Layers whose names differ in numbers alone come
in the order of these; others in the only order in which widths chain, if there is one. Arrays that differ in
numbers alone and say of none that it is a bias, as `arr_0`, `arr_1`, are a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from workloads.importers.layers import Layers, Matrix
from workloads.importers.matrices import Part, Told, layers_of, paired, vector
from workloads.topology.network import NetworkFileError

WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
OF_MATRIX = {"w", "weight", "weights", "kernel", "kernels", "matrix", "coef", "coefs"}
OF_BIAS = {"b", "bias", "biases", "intercept", "intercepts"}

Key = tuple[str, ...]


def key_of(name: str) -> Key:
    """The words and numbers of a name, but for those that say matrix or bias."""
    words = (word.lower() for word in WORD.findall(name))
    return tuple(word for word in words if word not in OF_MATRIX | OF_BIAS)


def _says_bias(name: str) -> bool:
    return any(word.lower() in OF_BIAS for word in WORD.findall(name))


def _numbers(key: Key) -> tuple[int, ...]:
    return tuple(int(word) for word in key if word.isdigit())


def _words(key: Key) -> Key:
    return tuple(word for word in key if not word.isdigit())


def layers_by_name(
    named: Mapping[str, Matrix], told: Told, order: Sequence[str] | None, *, name: str, origin: str
) -> Layers:
    """The layers of arrays with names, in the `order` of the names of arrays or layers if it is given.

    Raises NetworkFileError, in a sentence that says what to tell, where names leave more than one reading.
    """
    for label, array in named.items():
        if array.ndim not in (1, 2) and order is None:
            kinds = "matrices and vectors, or order, the names of those that are layers"
            raise NetworkFileError.of(f"array {label}", f"{array.dtype} of shape {array.shape}", kinds)
    if order is not None:
        return layers_of(_ordered(named, list(order)), told, name=name, origin=origin)
    keys = {label: key_of(label) for label in named}
    if not any(map(_says_bias, named)) and _differ_in_numbers(list(keys.values())):
        in_order = sorted(named, key=lambda label: _numbers(keys[label]))
        return layers_of(
            paired([(label, named[label]) for label in in_order]), told, name=name, origin=origin
        )
    parts = {key_of(part.name): part for part in _grouped(named, keys)}
    numbered = _differ_in_numbers(list(parts))
    chosen = sorted(parts, key=_numbers) if numbered else list(parts)
    return layers_of([parts[key] for key in chosen], told, name=name, origin=origin, ordered=numbered)


def _differ_in_numbers(keys: Sequence[Key]) -> bool:
    """Whether numbers alone put the keys into an order."""
    return len({_words(key) for key in keys}) == 1 and len({_numbers(key) for key in keys}) == len(keys)


def _grouped(named: Mapping[str, Matrix], keys: Mapping[str, Key]) -> list[Part]:
    """A part for every matrix, with the vector of the same key."""
    matrices = {label: keys[label] for label, array in named.items() if array.ndim == 2}
    vectors = {label: keys[label] for label, array in named.items() if array.ndim == 1}
    for labels, what in ((matrices, "matrix"), (vectors, "bias")):
        for label, key in labels.items():
            twins = [other for other in labels if labels[other] == key]
            if len(twins) > 1:
                allowed = (
                    f"names that tell layers apart, and {', '.join(twins)} are each the {what} of one layer"
                )
                raise NetworkFileError.of("name of an array", label, allowed)
    of_key = {key: label for label, key in vectors.items()}
    for label, key in vectors.items():
        if key not in matrices.values():
            allowed = (
                f"names that say which matrix they are the bias of: {', '.join(matrices) or 'there is none'}"
            )
            raise NetworkFileError.of("name of a vector", label, allowed)
    return [
        Part(label, matrix, vector(named[of_key[key]]) if key in of_key else None)
        for label, key in matrices.items()
        for matrix in [named[label]]
    ]


def _ordered(named: Mapping[str, Matrix], order: Sequence[str]) -> list[Part]:
    """The parts in the order of names of arrays, or of layers, which each stand for all arrays of theirs."""
    if isinstance(order, str) or not all(isinstance(label, str) for label in order):
        raise NetworkFileError.of("order", order, "names of arrays or layers, in the order of the data")
    parts = []
    for label in order:
        ours = [label] if label in named else [other for other in named if key_of(other) == key_of(label)]
        if label in named and named[label].ndim == 2:
            twins = [other for other in named if key_of(other) == key_of(label)]
            ours = [label, *(other for other in twins if named[other].ndim == 1 and other not in order)]
        if not ours:
            raise NetworkFileError.of("order", label, f"the names of arrays or layers: {', '.join(named)}")
        parts += sorted(ours, key=lambda other: -named[other].ndim)
    return paired([(label, named[label]) for label in parts])
