"""Modules of PyTorch, and what `torch.export` makes of them.

A module is exported, so that what is imported is what it computes and not what its attributes are called;
then the layers must give what the module gives for random inputs, or it is refused.
"""

from __future__ import annotations

import io
import logging
import math
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.importers.graphs.aten import Name, Operation, Program, walked
from workloads.importers.graphs.convolutions import SHAPE
from workloads.importers.graphs.signals import BATCH, placed, through
from workloads.importers.layers import Layers
from workloads.importers.registry import importers
from workloads.importers.tensors import as_array
from workloads.topology.network import NetworkFileError

TRIALS = 8
"""Random batches that the layers and the module must agree on."""

TOLERANCE = 1e-4
"""Largest difference of an output from that of the module, as a share of the largest output: sums of float32
are taken in another order. Narrower formats are allowed `STEPS` of their own."""
STEPS = 16

EXPORT_IT = (
    "a model that takes one vector; export it with its example and give torch.export.export(model, (x,))"
)
LISTED = 300
"""Characters of an error of PyTorch that are shown."""


@importers.register("torch module")
class TorchModule:
    """A `torch.nn.Module` or a `torch.export.ExportedProgram`."""

    def recognises(self, source: Any) -> bool:
        torch = sys.modules.get("torch")
        if torch is None:
            return False
        return isinstance(source, torch.nn.Module) or _is_program(source)

    def read(self, source: Any, *, shape: tuple[int, ...] | None = None) -> Layers:
        import torch

        if _is_program(source):
            with quietly():
                module = source.module()
            return _imported(source, module, "an exported program of PyTorch", "exported")
        kind = type(source).__name__
        origin = f"a PyTorch module {kind}"
        if isinstance(source, torch.jit.ScriptModule):
            raise NetworkFileError.of("network", "a TorchScript module", "the torch.nn.Module it was made of")
        _refuse_own_layers(source, origin)
        with _evaluating(source):
            return _imported(_exported(source, origin, shape), source, origin, kind)


def _refuse_own_layers(module: Any, origin: str) -> None:
    """Raises NetworkFileError for layers of ours, whose stages a graph of operations does not show."""
    own = sys.modules.get("workloads.modules.layers")
    if own is None:
        return
    for part in module.modules():
        if isinstance(part, own.CascadeLinear):
            raise NetworkFileError(
                f"{origin} has layers of the families ({type(part).__name__}), allowed are others: "
                "archsim.torch.to_network makes the network of these"
            )


def _is_program(source: Any) -> bool:
    export = sys.modules.get("torch.export")
    return export is not None and isinstance(source, export.ExportedProgram)


def said(error: BaseException) -> str:
    """The first line of an error of PyTorch, shortened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:LISTED].rstrip(".")


@contextmanager
def quietly() -> Iterator[None]:
    """Without what PyTorch says to its own developers: warnings, its log, and graphs it could not export."""
    disabled = logging.root.manager.disable
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(disabled)


@contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    """The module as it evaluates; afterwards every part of it is back in its mode."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


def _exported(module: Any, origin: str, given: tuple[int, ...] | None) -> Any:
    """The program of a module, for inputs of the shape given or else of the first one that it takes."""
    import torch

    tensors = [*module.parameters(), *module.buffers()]
    if any(isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin) for tensor in tensors):
        raise NetworkFileError.of(origin, "not initialised", "modules that have seen an input once")
    kinds = [tensor for tensor in tensors if tensor.is_floating_point()]
    kernels = {
        path: part.weight for path, part in module.named_modules() if isinstance(part, torch.nn.Conv2d)
    }
    shapes = _shapes(tensors, list(kernels.values()), given)
    if not shapes or not kinds:
        raise NetworkFileError.of(origin, "without parameters", "those with at least one Linear")
    refusals = []
    for shape in shapes:
        example = torch.zeros(BATCH, *shape, dtype=kinds[0].dtype, device=kinds[0].device)
        try:
            with quietly(), torch.no_grad():
                module(example)
                return torch.export.export(module, (example,))
        except Exception as error:
            refusals.append(f"{' x '.join(map(str, shape))} inputs: {said(error)}")
    if kernels and given is None:
        raise NetworkFileError(
            f"module {next(iter(kernels))} of {origin} is a convolution, whose map nobody tells, allowed are "
            f"{SHAPE}"
        )
    raise NetworkFileError.of(origin, f"not to be exported ({'; '.join(refusals)[:LISTED]})", EXPORT_IT)


def _shapes(
    tensors: list[Any], kernels: list[Any], given: tuple[int, ...] | None
) -> dict[tuple[int, ...], None]:
    """The shapes that an input may have: as given, flat, or a square map of the channels of a kernel."""
    if given is None:
        return dict.fromkeys(
            (tensor.shape[-1],) for tensor in tensors if 1 <= tensor.ndim <= 2 and tensor.numel()
        )
    width = math.prod(given)
    shapes = dict.fromkeys([given, (width,)] if kernels else [(width,), given])
    for kernel in kernels[:1]:
        channels = kernel.shape[1]
        side = math.isqrt(width // channels)
        if channels * side * side == width:
            shapes[channels, side, side] = None
    return shapes


def _imported(program: Any, module: Any, origin: str, name: str) -> Layers:
    signal_of = _program(program, origin)
    signal = walked(signal_of, origin)
    with placed(f"output of {origin}"):
        layers = signal.finished(name, origin)
    computed = np.random.default_rng(0).standard_normal((TRIALS, *signal_of.shape))
    for inputs in computed:
        ours = through(layers, inputs.reshape(signal.samples, -1))
        ours = ours if signal.ending is None else signal.ending(ours)
        theirs, tolerance = _run(module, inputs, program, origin)
        theirs = theirs.reshape(signal.samples, -1)
        worst = np.abs(ours - theirs).max() if ours.shape == theirs.shape else np.inf
        if not worst <= tolerance * max(1e-30, np.abs(theirs).max()):
            raise NetworkFileError.of(
                f"difference of layers from {origin}",
                float(worst),
                f"up to {tolerance:.0e} of the largest output: it computes what its program does not show",
            )
    return layers


def _run(
    module: Any, inputs: NDArray[np.float64], program: Any, origin: str
) -> tuple[NDArray[np.float64], float]:
    """What the module gives for inputs, and how far sums of its type may be off."""
    import torch

    example = next(spec for spec in program.graph.nodes if spec.name in program.graph_signature.user_inputs)
    like = example.meta["val"]
    given = torch.from_numpy(inputs).to(dtype=like.dtype, device=like.device)
    try:
        with torch.no_grad(), quietly():
            outputs = module(given)
        if not isinstance(outputs, torch.Tensor):
            raise NetworkFileError.of(f"output of {origin}", f"a {type(outputs).__name__}", "one tensor")
        steps = STEPS * torch.finfo(outputs.dtype).eps
        return outputs.detach().cpu().double().numpy(), max(TOLERANCE, steps)
    except NetworkFileError:
        raise
    except Exception as error:
        raise NetworkFileError.of(origin, f"not to be run ({said(error)})", EXPORT_IT) from error


def _program(program: Any, origin: str) -> Program:
    """An exported program in the form that is walked; what depends on no input is computed by PyTorch."""
    signature = program.graph_signature
    inputs, outputs = list(signature.user_inputs), list(signature.user_outputs)
    if len(inputs) != 1 or len(outputs) != 1 or not all(isinstance(name, str) for name in inputs + outputs):
        raise NetworkFileError.of(
            f"inputs and outputs of {origin}", f"{len(inputs)} and {len(outputs)}", "one tensor each"
        )
    stored = {**program.state_dict, **program.constants}
    targets = {spec.arg.name: spec.target for spec in signature.input_specs if spec.target is not None}
    constants = {name: stored[target] for name, target in targets.items() if target in stored}
    operations: list[Operation] = []
    shape: tuple[int, ...] = ()
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name == inputs[0]:
            shape = _shape(node, origin)
        if node.op != "call_function":
            continue
        if all(argument.name in constants for argument in node.all_input_nodes):
            constants[node.name] = _constant(node, constants)
        else:
            operations.append(_operation(node))
    arrays = {name: as_array(value, name) for name, value in constants.items()}
    return Program(tuple(operations), arrays, inputs[0], shape, outputs[0])


def _shape(node: Any, origin: str) -> tuple[int, ...]:
    sizes = list(node.meta["val"].shape)
    if sizes and not isinstance(sizes[0], int):
        sizes[0] = BATCH
    if not all(isinstance(size, int) for size in sizes):
        raise NetworkFileError.of(f"input of {origin}", f"of open shape {sizes}", "the first size alone open")
    return tuple(sizes)


def _constant(node: Any, constants: dict[str, Any]) -> Any:
    import torch

    def value(argument: Any) -> Any:
        return constants[argument.name]

    arguments = torch.fx.node.map_arg(node.args, value)
    named = torch.fx.node.map_arg(node.kwargs, value)
    try:
        with torch.no_grad():
            return node.target(*arguments, **named)
    except Exception as error:
        raise NetworkFileError.of(
            f"constant {node.name}", f"not to be computed ({said(error)})", EXPORT_IT
        ) from error


def _operation(node: Any) -> Operation:
    schema = getattr(node.target, "_schema", None)
    names = [argument.name for argument in schema.arguments] if schema else ["a", "b"]
    arguments = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
    path = next((fqn for fqn, _ in reversed((node.meta.get("nn_module_stack") or {}).values())), "")
    target = str(node.target) if schema else f"operator.{getattr(node.target, '__name__', node.target)}"
    return Operation(
        target, {name: _argument(value) for name, value in arguments.items()}, (node.name,), path
    )


def _argument(value: Any) -> Any:
    import torch

    if isinstance(value, torch.fx.Node):
        return Name(value.name)
    if isinstance(value, torch.dtype):
        return np.dtype(np.float64 if value.is_floating_point else np.int64)
    return [_argument(inner) for inner in value] if isinstance(value, list | tuple) else value
