"""Sums over the axes of a signal and of a constant, in Einstein's notation."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from string import ascii_letters
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.importers.graphs.operations import PLAIN, shape_of
from workloads.importers.graphs.signals import NotUnderstoodError, Signal, checked_size

SPELLING = re.compile(r"TERM(,TERM)*(->TERM)?".replace("TERM", r"[A-Za-z]*(\.{3})?[A-Za-z]*"))
"""What an equation may look like, without blanks."""


def einsum(name: str, equation: str, operands: Sequence[Any]) -> Any:
    """The sum that `equation` asks for. With a signal among the operands it is a further layer, whose matrix
    has a block for each place of the axes that signal, constant and result share, or only a factor.

    Raises NotUnderstoodError where several signals take part, or where the signal is summed by itself.
    """
    terms, result = _spelled(equation, [len(shape_of(each)) for each in operands])
    constants = [(t, each) for t, each in zip(terms, operands, strict=True) if not isinstance(each, Signal)]
    signals = [(t, each) for t, each in zip(terms, operands, strict=True) if isinstance(each, Signal)]
    if len(signals) > 1:
        raise NotUnderstoodError("multiplies two signals with each other", PLAIN)
    known = "".join(dict.fromkeys("".join(term for term, _ in constants)))
    arrays = [array for _, array in constants] or [1.0]
    named = ",".join(term for term, _ in constants)
    if not signals:
        return np.einsum(f"{named}->{result}", *arrays)
    [(term, signal)] = signals
    if len(set(term)) < len(term) or not set(term) <= {*known, *result}:
        raise NotUnderstoodError("adds up a signal by itself, or takes a diagonal of it", PLAIN)
    return _product(name, term, signal, known, np.einsum(f"{named}->{known}", *arrays), result)


def _product(name: str, term: str, signal: Signal, known: str, constant: NDArray[Any], result: str) -> Signal:
    """The signal, whose axes are `term`, times a constant of axes `known`, as the axes of `result`."""
    free = [axis for axis in term if axis not in known]
    shared = [axis for axis in term if axis in known and axis in result]
    added = [axis for axis in term if axis in known and axis not in result]
    new = [axis for axis in result if axis not in term]
    size = dict(zip(term, signal.shape, strict=True)) | dict(zip(known, constant.shape, strict=True))
    blocks, rows, columns = (math.prod(size[axis] for axis in axes) for axes in (shared, new, added))
    checked_size((blocks * rows, blocks * columns))
    kernel = np.einsum(f"{known}->{''.join([*shared, *new, *added])}", constant)
    turned = _turned(signal, term, [*free, *shared, *added])
    if not new and not added:
        return _turned(turned.times(kernel), "".join([*free, *shared]), result)
    matrix = np.zeros((blocks, rows, blocks, columns), kernel.dtype)
    each = np.arange(blocks)
    matrix[each, :, each, :] = kernel.reshape(blocks, rows, columns)
    flat = turned.moved(lambda array: array.reshape(*(size[axis] for axis in free), blocks * columns))
    product = flat.multiplied(name, matrix.reshape(blocks * rows, blocks * columns))
    axes = [*free, *shared, *new]
    whole = product.moved(lambda array: array.reshape([size[axis] for axis in axes]))
    return _turned(whole, "".join(axes), result)


def _turned(signal: Signal, axes: str, wanted: Sequence[str]) -> Signal:
    return signal.moved(lambda array: np.transpose(array, [axes.index(axis) for axis in wanted]))


def _spelled(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The axes of operands of so many, and of the result, a letter each: dots and what is not said too."""
    plain = equation.replace(" ", "")
    left, arrow, result = plain.partition("->")
    terms = left.split(",")
    more = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=False)]
    fits = all(count == 0 or (count > 0 and "..." in term) for term, count in zip(terms, more, strict=False))
    told = len(set(result) - {"."}) == len(result.replace("...", "")) and set(result) <= {".", *left}
    if not SPELLING.fullmatch(plain) or len(terms) != len(ranks) or not fits or not told:
        raise NotUnderstoodError(
            f"is {equation!r} for operands of {', '.join(map(str, ranks))} axes",
            "a term for each operand with a letter for each axis, and a result of these letters",
        )
    spare = [letter for letter in ascii_letters if letter not in plain]
    dots = "".join(spare[: max(more)])
    if not arrow:
        once = sorted(letter for letter in set(left) - {".", ","} if left.count(letter) == 1)
        result = "..." * ("..." in left) + "".join(once)
    spelled = [
        term.replace("...", dots[len(dots) - count :]) for term, count in zip(terms, more, strict=True)
    ]
    return spelled, result.replace("...", dots)
