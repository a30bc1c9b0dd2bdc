"""The operations of PyTorch's exported programs, and the walk through one."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.importers.graphs import aten_windows
from workloads.importers.graphs.einsum import einsum
from workloads.importers.graphs.operations import (
    IN_ORDER,
    added,
    ended,
    moved,
    multiplied,
    refuse_operation,
    scaled,
    shape_of,
)
from workloads.importers.graphs.signals import NotUnderstoodError, Signal, placed
from workloads.topology.network import NetworkFileError

EVALUATING = "programs of inference: export after model.eval()"


@dataclass(frozen=True)
class Name:
    """An argument that an earlier operation made, or that is an input or a constant of the program."""

    name: str


@dataclass(frozen=True)
class Operation:
    """One line of a program: `target` of these arguments, by their names in the schema of PyTorch, makes what
    `outputs` name. `module` is the path of the module that it stands in."""

    target: str
    arguments: Mapping[str, Any]
    outputs: tuple[str, ...]
    module: str = ""

    @property
    def plain(self) -> str:
        """`linear` for `torch.ops.aten.linear.default`, `relu_` for the one that works in place."""
        parts = self.target.removeprefix("torch.ops.").split(".")
        if parts[0] in ("_operator", "operator"):
            return f"operator.{parts[-1]}"
        return parts[1] if parts[0] == "aten" and len(parts) > 1 else ".".join(parts)

    def names(self) -> Iterator[str]:
        """The names among its arguments, also inside lists."""
        waiting = list(self.arguments.values())
        while waiting:
            argument = waiting.pop()
            if isinstance(argument, Name):
                yield argument.name
            elif isinstance(argument, list | tuple):
                waiting += argument


@dataclass(frozen=True)
class Program:
    """A program of one input and one output. `constants` are its parameters and buffers by name."""

    operations: tuple[Operation, ...]
    constants: Mapping[str, Any]
    input: str
    shape: tuple[int, ...]
    output: str


def walked(program: Program, origin: str) -> Signal:
    """The output of a program, as layers. Raises NetworkFileError with the place of what cannot be one."""
    try:
        return _walked(program, origin, batched=len(program.shape) > 1)
    except NetworkFileError:
        if len(program.shape) < 2:
            raise
        try:
            return _walked(program, origin, batched=False)
        except NetworkFileError:
            pass
        raise


def _walked(program: Program, origin: str, *, batched: bool) -> Signal:
    operations = program.operations
    needed = {program.output}
    in_place = [line for line in operations if line.plain.endswith("_")]
    for line in reversed(operations):
        if needed & set(line.outputs) or line in in_place:
            needed.update(line.names())
    with placed(f"input of {origin}"):
        values: dict[str, Any] = {
            **program.constants,
            program.input: Signal.entering(program.shape, batched=batched),
        }
    users: Counter[str] = Counter(
        name for line in operations if line.outputs and line.plain != "sym_size" for name in line.names()
    )
    for number, line in enumerate(operations, start=1):
        where = f" in module {line.module}" if line.module else ""
        with placed(f"operation {number} of {origin}, {line.plain}{where},"):
            if line in in_place:
                _check_straight(values, users)
            elif not needed & set(line.outputs):
                continue
            made = _made(line, values)
        values.update(zip(line.outputs, made if len(line.outputs) > 1 else [made], strict=False))
    result = values.get(program.output)
    if not isinstance(result, Signal):
        raise NetworkFileError.of(f"output of {origin}", "no function of its input", "one that is")
    return result


def _check_straight(values: Mapping[str, Any], users: Mapping[str, int]) -> None:
    """What works in place changes what was read before it; where nothing is used twice nobody sees that."""
    for name, value in values.items():
        if isinstance(value, Signal) and users[name] > 1:
            raise NotUnderstoodError(
                f"works in place, and {name} is used more than once",
                "operations that make new tensors: export with program.run_decompositions({})",
            )


def _made(line: Operation, values: Mapping[str, Any]) -> Any:
    def value(argument: Any) -> Any:
        if isinstance(argument, Name):
            if argument.name not in values:
                raise NotUnderstoodError(f"reads {argument.name}, which nothing before it makes", IN_ORDER)
            return values[argument.name]
        return [value(inner) for inner in argument] if isinstance(argument, list | tuple) else argument

    arguments = {name: value(argument) for name, argument in line.arguments.items()}
    known = OPERATIONS.get(line.plain.removesuffix("_"))
    if known is None:
        refuse_operation(line.plain, f"those of {', '.join(sorted(OPERATIONS))}")
    name = next((path for path in (line.module, *line.outputs) if path), line.plain)
    try:
        return known(name=name, **arguments)
    except NetworkFileError:
        raise
    except (TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise NotUnderstoodError(
            f"does not fit its arguments ({error})", "those of PyTorch's schema"
        ) from error


def _kept(self: Any, **_: Any) -> Any:
    return self


def _cast(self: Any, dtype: Any = None, other: Any = None, **_: Any) -> Any:
    """Signals are computed in double precision throughout; whole numbers are kept for constants alone."""
    if dtype is None or (isinstance(self, Signal) and getattr(dtype, "kind", "f") == "f"):
        return self
    if isinstance(self, Signal):
        raise NotUnderstoodError("rounds a signal to whole numbers", "floating-point numbers")
    return np.asarray(self).astype(dtype)


def _linear(name: str, input: Any, weight: Any, bias: Any = None) -> Any:
    if not isinstance(input, Signal) or isinstance(weight, Signal) or isinstance(bias, Signal):
        raise NotUnderstoodError("multiplies by a matrix that is no constant", "constant matrices")
    return input.multiplied(name, weight, bias)


def _addmm(name: str, self: Any, mat1: Any, mat2: Any, beta: float = 1, alpha: float = 1) -> Any:
    if isinstance(mat1, Signal) and not isinstance(self, Signal) and not isinstance(mat2, Signal):
        factor = np.asarray(mat2) if alpha == 1 else alpha * np.asarray(mat2, dtype=np.float64)
        constant = np.asarray(self) if beta == 1 else beta * np.asarray(self, dtype=np.float64)
        return added(multiplied(name, mat1, factor), constant)
    return added(scaled(multiplied(name, mat1, mat2), alpha), scaled(self, beta))


def _product(name: str, self: Any, other: Any = None, mat2: Any = None) -> Any:
    return multiplied(name, self, mat2 if other is None else other)


def _sum(self: Any, other: Any, alpha: float = 1, **_: Any) -> Any:
    return added(self, other if alpha == 1 else scaled(other, alpha))


def _difference(self: Any, other: Any, alpha: float = 1, **_: Any) -> Any:
    return added(self, other if alpha == 1 else scaled(other, alpha), subtracted=True)


def _reversed_difference(self: Any, other: Any, alpha: float = 1, **_: Any) -> Any:
    return added(other, self if alpha == 1 else scaled(self, alpha), subtracted=True)


def _relu(self: Any, **_: Any) -> Any:
    return self.rectified() if isinstance(self, Signal) else np.maximum(self, 0)


def _clamp(self: Any, min: Any = None, max: Any = None, **_: Any) -> Any:
    if max is not None or min is None or isinstance(min, Signal) or np.any(min):
        refuse_operation("clamp", "")
    return _relu(self)


def _threshold(self: Any, threshold: float, value: float, **_: Any) -> Any:
    if threshold or value:
        refuse_operation("threshold", "")
    return _relu(self)


def _dropout(input: Any = None, self: Any = None, train: bool = False, **_: Any) -> Any:
    if train:
        raise NotUnderstoodError("drops at random", EVALUATING)
    return self if input is None else input


def _batch_norm(
    input: Signal,
    weight: Any = None,
    bias: Any = None,
    running_mean: Any = None,
    running_var: Any = None,
    training: bool = False,
    eps: float = 1e-5,
    **_: Any,
) -> Signal:
    if training or running_mean is None or running_var is None:
        raise NotUnderstoodError("normalises by the batch at hand", EVALUATING)
    return input.normalised(*folded(weight, bias, running_mean, running_var, eps))


def folded(gain: Any, bias: Any, mean: Any, variance: Any, eps: float) -> tuple[Any, Any]:
    """Factor and shift of a batch normalisation, (x - mean) / sqrt(variance + eps) * gain + bias."""
    mean, variance = (np.asarray(array, dtype=np.float64) for array in (mean, variance))
    if not (variance + eps > 0).all():
        raise NotUnderstoodError("has a variance that is not positive", "variances of zero and more")
    factor = 1 / np.sqrt(variance + eps) * (1 if gain is None else np.asarray(gain, dtype=np.float64))
    return factor, (0 if bias is None else np.asarray(bias, dtype=np.float64)) - mean * factor


def _batch_norm_alone(**arguments: Any) -> tuple[Signal, None, None]:
    """The decomposed form, which also gives the statistics of the batch: nobody reads them."""
    return _batch_norm(**arguments), None, None


def _flatten(self: Any, start_dim: int = 0, end_dim: int = -1, **_: Any) -> Any:
    shape = shape_of(self)
    first, last = start_dim % max(len(shape), 1), end_dim % max(len(shape), 1)
    flat = int(np.prod(shape[first : last + 1], dtype=np.int64))
    return moved(self, lambda array: array.reshape(*shape[:first], flat, *shape[last + 1 :]))


def _reshape(self: Any, size: Any = None, shape: Any = None, **_: Any) -> Any:
    new = tuple(int(length) for length in (shape if size is None else size))
    return moved(self, lambda array: array.reshape(new))


def _turned(self: Any, dim0: int = 0, dim1: int = 1, **_: Any) -> Any:
    return moved(self, lambda array: array if array.ndim < 2 else np.swapaxes(array, dim0, dim1))


def _permuted(self: Any, dims: Any, **_: Any) -> Any:
    return moved(self, lambda array: np.transpose(array, dims))


def _squeezed(self: Any, dim: Any = None, **_: Any) -> Any:
    def move(array: NDArray[Any]) -> NDArray[Any]:
        axes = range(array.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
        return np.squeeze(array, tuple(axis % array.ndim for axis in axes if array.shape[axis] == 1))

    return moved(self, move)


def _unsqueezed(self: Any, dim: int, **_: Any) -> Any:
    return moved(self, lambda array: np.expand_dims(array, dim))


def _selected(self: Any, dim: int, index: int, **_: Any) -> Any:
    return moved(self, lambda array: np.take(array, index, axis=dim))


def _sliced(self: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1, **_: Any) -> Any:
    return moved(self, lambda array: array[(*[slice(None)] * (dim % array.ndim), slice(start, end, step))])


def _indexed(self: Any, indices: Any, **_: Any) -> Any:
    if any(isinstance(index, Signal) for index in indices):
        raise NotUnderstoodError("chooses by what a signal holds", "constant indices")
    chosen = tuple(slice(None) if index is None else np.asarray(index) for index in indices)
    return moved(self, lambda array: array[chosen])


def _index_selected(self: Any, dim: int, index: Any, **_: Any) -> Any:
    return moved(self, lambda array: np.take(array, np.asarray(index), axis=dim))


def _flipped(self: Any, dims: Any, **_: Any) -> Any:
    return moved(self, lambda array: np.flip(array, tuple(dims)))


def _unflattened(self: Any, dim: int, sizes: Any, **_: Any) -> Any:
    def move(array: NDArray[Any]) -> NDArray[Any]:
        axis = dim % array.ndim
        return array.reshape((*array.shape[:axis], *map(int, sizes), *array.shape[axis + 1 :]))

    return moved(self, move)


def _ending(called: str) -> Callable[..., Signal]:
    def end(name: str, self: Any, dim: int = -1, **_: Any) -> Signal:
        if not isinstance(self, Signal):
            raise NotUnderstoodError("works on a constant", "signals")
        return ended(self, called, dim)

    return end


def _size(self: Any, dim: int, **_: Any) -> int:
    return shape_of(self)[dim]


def _whole(calculate: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def calculated(a: Any, b: Any, **_: Any) -> Any:
        if not isinstance(a, int) or not isinstance(b, int):
            raise NotUnderstoodError("calculates with other than whole numbers", "sizes of shapes")
        return calculate(a, b)

    return calculated


def _table(*rows: tuple[Iterable[str], Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    return {name: function for names, function in rows for name in names}


OPERATIONS = _table(
    (("linear",), _linear),
    (("addmm",), _addmm),
    (("conv2d", "convolution"), aten_windows.convolution),
    (("avg_pool2d",), aten_windows.average),
    (("adaptive_avg_pool2d", "_adaptive_avg_pool2d"), aten_windows.average_to),
    (("mean",), aten_windows.mean),
    (("mm", "matmul", "mv"), _product),
    (("bmm",), lambda name, self, mat2: einsum(name, "bij,bjk->bik", [self, mat2])),
    (("einsum",), lambda name, equation, tensors, **_: einsum(name, equation, tensors)),
    (("add",), _sum),
    (("sub",), _difference),
    (("rsub",), _reversed_difference),
    (("mul",), lambda self, other, **_: scaled(self, other)),
    (("div",), lambda self, other, **_: scaled(self, other, divided=True)),
    (("neg",), lambda self, **_: scaled(self, -1.0)),
    (("relu",), _relu),
    (("clamp", "clamp_min"), _clamp),
    (("threshold",), _threshold),
    (("dropout", "feature_dropout", "alpha_dropout"), _dropout),
    (("batch_norm",), _batch_norm),
    (("_native_batch_norm_legit_no_training",), _batch_norm_alone),
    (("flatten",), _flatten),
    (("view", "reshape", "_unsafe_view"), _reshape),
    (("t", "transpose", "numpy_T"), _turned),
    (("permute",), _permuted),
    (("squeeze",), _squeezed),
    (("unsqueeze",), _unsqueezed),
    (("select",), _selected),
    (("slice",), _sliced),
    (("index",), _indexed),
    (("index_select",), _index_selected),
    (("flip",), _flipped),
    (("unflatten",), _unflattened),
    (("softmax", "_softmax"), _ending("softmax")),
    (("log_softmax", "_log_softmax"), _ending("log_softmax")),
    (("sigmoid",), _ending("sigmoid")),
    (("to", "_to_copy", "type_as"), _cast),
    (("contiguous", "clone", "alias", "detach", "lift_fresh_copy"), _kept),
    (("sym_size",), _size),
    (("operator.getitem",), lambda a, b, **_: a[b]),
    (("operator.mul",), _whole(operator.mul)),
    (("operator.add",), _whole(operator.add)),
    (("operator.sub",), _whole(operator.sub)),
    (("operator.floordiv",), _whole(operator.floordiv)),
)
"""What is understood, by the names of PyTorch's ATen operations without their overloads."""
