"""Operations that formats have in common: what is left out at the end of a graph, and what could be done
about those that cannot be brought into layers."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from workloads.importers.graphs.signals import Ending, NotUnderstoodError, Signal


def softmax(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares that sum to one, along the last axis."""
    powers = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def log_softmax(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithms of `softmax`."""
    return np.log(softmax(outputs))


def sigmoid(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """A number between zero and one for each output."""
    return 1 / (1 + np.exp(-outputs))


ENDINGS: dict[str, Ending] = {"softmax": softmax, "logsoftmax": log_softmax, "sigmoid": sigmoid}
"""Functions after the last layer that keep the largest output the largest."""

IN_ORDER = "graphs in the order in which they compute, without circles"
PLAIN = "matrices with biases, batch normalisation, ReLU, and reshaping of one sample at a time"
ONE_ACTIVATION = "ReLU, the one that engines have: replace it in the model and train that on"
IN_FLOAT = (
    "quantisers around floating-point operations (the QDQ form of ONNX, or Quant of QONNX): export that"
)
STRIDED = "convolutions with a stride, averages over 2, 4, 8 ... values, or a Flatten and a matrix, instead"
FLATTENED = "fully connected layers: replace it by a matrix"

TROUBLES = {
    "relu6 leakyrelu prelu elu celu selu gelu silu swish mish hardswish hardsigmoid hardtanh tanh softplus "
    "softsign erf clip clamp threshold thresholdedrelu sign": (
        "is an activation function that no engine has",
        ONE_ACTIVATION,
    ),
    "conv1d conv3d convtranspose convtranspose2d": (
        "is a convolution of another kind",
        "those along rows and columns, which shrink or keep a map: Conv2d",
    ),
    "maxpool maxpool2d maxpool1d maxpool2dwithindices adaptivemaxpool2d globalmaxpool amax max reducemax": (
        "takes the largest value of a window, which no engine does",
        STRIDED,
    ),
    "avgpool1d avgpool3d adaptiveavgpool1d adaptiveavgpool3d lppool globallppool mean reducemean": (
        "pools otherwise than by averages over windows of rows and columns",
        STRIDED,
    ),
    "lstm gru rnn rnntanh rnnrelu": ("is recurrent", FLATTENED),
    "layernorm layernormalization groupnorm instancenorm instancenormalization rmsnorm rmsnormalization "
    "nativelayernorm nativegroupnorm lpnormalization": (
        "normalises each sample by itself, which no engine does",
        "batch normalisation, which is folded into the matrices",
    ),
    "if loop scan while cond whileloop": (
        "decides while it runs",
        "graphs that compute the same for all inputs",
    ),
    "qlinearmatmul qlinearconv matmulinteger convinteger qgemm qattention dynamicquantizelinear linearint8": (
        "computes with integers",
        IN_FLOAT,
    ),
    "embedding scaleddotproductattention attention multiheadattention": (
        "multiplies signals with each other or looks them up",
        PLAIN,
    ),
}
"""What is wrong with the operations that models often have, by their names in small letters and digits."""


def refuse_operation(name: str, known: str) -> NoReturn:
    """Raises NotUnderstoodError for an operation that is none of `known`, a list for the user."""
    plain = plain_name(name)
    for names, (trouble, remedy) in TROUBLES.items():
        if plain in names.split():
            raise NotUnderstoodError(trouble, remedy)
    raise NotUnderstoodError("is not known", known)


def plain_name(name: str) -> str:
    """The name of an operation without what formats write differently."""
    return name.replace("_", "").lower()


def ended(signal: Signal, name: str, axis: int) -> Signal:
    """A signal with the function of this name, along this axis, left out after it."""
    if axis not in (-1, len(signal.shape) - 1) and plain_name(name) != "sigmoid":
        raise NotUnderstoodError(f"works along axis {axis}", "the last axis")
    return signal.ended(
        ENDINGS[plain_name(name)],
        f"the last {name} is left out: the largest output stays the largest without it",
    )


def added(one: Any, other: Any, *, subtracted: bool = False) -> Any:
    """The sum or the difference of two constants, or of a signal and a constant."""
    if isinstance(one, Signal) and isinstance(other, Signal):
        raise NotUnderstoodError(
            "joins two branches, and there are no connections past a layer",
            "graphs in which one operation follows the other",
        )
    if isinstance(other, Signal):
        return (other.times(-1.0) if subtracted else other).plus(one)
    if isinstance(one, Signal):
        return one.plus(-np.asarray(other, dtype=np.float64) if subtracted else other)
    return np.subtract(one, other) if subtracted else np.add(one, other)


def scaled(one: Any, other: Any, *, divided: bool = False) -> Any:
    """The product or the quotient of two constants, or of a signal and a constant."""
    if isinstance(other, Signal) and (divided or isinstance(one, Signal)):
        raise NotUnderstoodError("multiplies or divides by a signal", PLAIN)
    if isinstance(other, Signal):
        return other.times(one)
    if isinstance(one, Signal):
        return one.times(_inverse(other) if divided else other)
    return _quotient(one, other) if divided else np.multiply(one, other)


def _inverse(constant: Any) -> Any:
    if not np.all(constant):
        raise NotUnderstoodError("divides by zero", "other constants")
    return 1 / np.asarray(constant, dtype=np.float64)


def _quotient(one: Any, other: Any) -> Any:
    whole = all(np.asarray(array).dtype.kind in "iub" for array in (one, other))
    if not np.all(other):
        raise NotUnderstoodError("divides by zero", "other constants")
    return np.floor_divide(one, other) if whole else np.divide(one, other)


def multiplied(name: str, one: Any, other: Any) -> Any:
    """The product of two matrices, of which a signal may be one, on either side."""
    if isinstance(one, Signal) and isinstance(other, Signal):
        raise NotUnderstoodError("multiplies two signals with each other", PLAIN)
    if isinstance(one, Signal):
        matrix = np.asarray(other)
        if matrix.ndim == 1:
            return one.multiplied(name, matrix[None]).moved(lambda array: array[..., 0])
        return one.multiplied(name, np.swapaxes(matrix, -1, -2))
    if isinstance(other, Signal):
        turned = other if len(other.shape) == 1 else other.moved(_turned)
        product = turned.multiplied(name, np.atleast_2d(one))
        return product if len(other.shape) == 1 else product.moved(_turned)
    return np.matmul(one, other)


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of a signal or a constant."""
    return value.shape if isinstance(value, Signal) else np.shape(value)


def moved(value: Any, move: Any) -> Any:
    """A signal or a constant after `move`, which rearranges an array."""
    if isinstance(value, Signal):
        return value.moved(move)
    try:
        return move(np.asarray(value))
    except (ValueError, IndexError, TypeError) as error:
        raise NotUnderstoodError(f"does not fit its operand ({error})", "shapes that fit") from error


def _turned(array: NDArray[Any]) -> NDArray[Any]:
    return np.swapaxes(array, -1, -2)
