"""The formats that a network can be read from, by name, and which of them a source is of."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from workloads.archive import shortened
from workloads.importers.assemble import Imported, assemble, renewed
from workloads.importers.examples import Given
from workloads.importers.layers import Layers
from workloads.importers.tensors import as_array, is_tensor
from workloads.importers.zoo import networks
from workloads.refusal import nearest
from workloads.register import Register
from workloads.topology.network import NetworkFileError, TrainedNetwork
from workloads.topology.placed import PlacedNetwork
from workloads.training.models.trained_model import TrainedModel

AnyNetwork: TypeAlias = TrainedNetwork | TrainedModel | PlacedNetwork
"""A network of our own: a multi-layer perceptron, a CNN or an RNN of a recipe, or one with places."""


class Importer(Protocol):
    """One format of files, or one kind of objects. It is made without arguments."""

    def recognises(self, source: Any) -> bool:
        """Whether this is of the format: the `Path` of a file that exists, by how it begins and not by its
        name alone, or an object. It neither raises nor imports a library that only its format needs."""

    def read(self, source: Any, /, *options: Any, **named: Any) -> AnyNetwork | Layers:
        """What a source of the format holds: a network of our own, or the layers of one from elsewhere.

        What a format does not say itself it takes as keywords by the names of `import_network`'s: any of
        `layout`, `activations` and `order`, each with a default; and where inputs are given as `n_in` how
        many values each has, or as `shape` in what shape. A `NetworkFileError` says in a sentence what is
        wrong with the source, what has to be told, or which library is missing.
        """


importers: Register[type[Importer]] = Register(
    "format",
    "workloads.importers",
    "workloads.importers.graphs",
    group="archsim.importers",
    error=NetworkFileError,
)
"""Every format there is: a file of these folders, or a module that an installed package announces."""


def import_network(
    source: Any,
    *,
    inputs: Any = None,
    labels: Any = None,
    name: str | None = None,
    layout: str | None = None,
    activations: str | Sequence[str] | None = None,
    order: Sequence[str] | None = None,
    input_range: Sequence[float] | None = None,
    codebook_bits: int | None = None,
) -> Imported:
    """A network of any format that is known: the path of a file, or an object such as a list of matrices.
    One of ours, by its name, its path or itself, comes back without the zeros that its stages store. Where
    there are convolutions it is a `PlacedNetwork`, else a `TrainedNetwork`.

    `inputs`, `labels` and `input_range` are those of `assemble`: without inputs, scales are assumed.
    `layout` says whether matrices are (n_out, n_in), *out_in*, or (n_in, n_out), *in_out*; `activations` what
    follows each layer, *relu* or *none*; `order` names the layers in the order in which data meets them.
    Only formats that do not say these themselves take them. With `codebook_bits` the weights of each stage of
    a cascade become at most 2^bits - 1 different ones, for an engine with a codebook. Raises
    NetworkFileError, or another refusal, in a sentence.
    """
    check_words(name=(name, False), layout=(layout, False))
    check_words(activations=(activations, True), order=(order, True))
    told = {"layout": layout, "activations": activations, "order": order}
    given = Given.of("inputs", inputs)
    read = _read(source, {option: value for option, value in told.items() if value is not None}, given)
    asked: dict[str, Any] = {"labels": labels, "name": name, "input_range": input_range}
    asked["codebook_bits"] = codebook_bits
    if isinstance(read, Layers):
        return assemble(read, inputs=given, **asked)
    if isinstance(read, TrainedModel):
        raise NetworkFileError(
            f"network is {read!r}, allowed is one without a recipe of its layers: it needs no import"
        )
    return renewed(read, inputs=given, **asked)


def load_network(name_or_path: str | Path) -> TrainedNetwork:
    """A multi-layer perceptron: one of the zoo by name, or any by the path of its file, in a format that is
    known. See `read_network`."""
    network = read_network(name_or_path)
    if not isinstance(network, TrainedNetwork):
        raise NetworkFileError(
            f"file is {name_or_path}, {network!r}, allowed is a multi-layer perceptron, or `read_network`"
        )
    return network


def read_network(name_or_path: str | Path) -> AnyNetwork:
    """A network of the zoo by name, or any network by the path of its file, in a format that is known.

    Scales of a network from elsewhere are assumed, as its `remarks` then say: `import_network` takes inputs.
    """
    if not isinstance(name_or_path, str | Path):
        raise NetworkFileError.of("network", name_or_path, "names and paths of files")
    read = _read(str(name_or_path), {}, None)
    return assemble(read) if isinstance(read, Layers) else read


def _read(source: Any, options: dict[str, Any], given: Given | None) -> AnyNetwork | Layers:
    known = {"n_in": given.width, "shape": given.values.shape[1:]} if given else {}
    if isinstance(source, str | Path):
        source = networks[str(source)] if str(source) in networks else _file(source)
    source = _as_arrays(source)
    if isinstance(source, Layers | TrainedNetwork | PlacedNetwork):
        _check_taken(options, (), type(source).__name__)
        return source
    for format_name, kind in importers.items():
        importer = kind()
        if importer.recognises(source):
            takes = inspect.signature(importer.read).parameters
            _check_taken(options, takes, format_name)
            return importer.read(source, **options, **{name: known[name] for name in known if name in takes})
    shown = repr(str(source)) if isinstance(source, Path) else f"of type {type(source).__name__}"
    raise NetworkFileError(
        f"network is {shown}, allowed are those of a format that is known: {', '.join(importers)}"
    )


def _as_arrays(source: Any) -> Any:
    """A tensor, or lists of tensors, as arrays; a mapping of tensors is a format of its own."""
    if is_tensor(source) or isinstance(source, list | tuple):
        return as_array(source, "given")
    if isinstance(source, Mapping) and all(isinstance(value, list | tuple) for value in source.values()):
        return {name: as_array(value, str(name)) for name, value in source.items()}
    return source


def check_words(**given: tuple[Any, bool]) -> None:
    """Raises NetworkFileError for what is neither a word nor, where that may be, a list of words."""
    for option, (value, several) in given.items():
        words = value if several and isinstance(value, list | tuple) else [value]
        if value is not None and not all(isinstance(word, str) for word in words):
            allowed = "a list of words" if several else "a word"
            raise NetworkFileError(f"{option} is {shortened(value)}, allowed is {allowed}")


def _check_taken(options: Mapping[str, Any], takes: Iterable[str], format_name: str) -> None:
    """Raises NetworkFileError for an option that a format does not take."""
    for option, value in options.items():
        if option not in takes:
            raise NetworkFileError(
                f"{option} is {shortened(value)}, allowed is none for a source of the format {format_name}, "
                "which says itself"
            )


def _file(given: str | Path) -> Path:
    """The path of a file that exists."""
    path = Path(given)
    try:
        there = path.is_file()
    except OSError:
        there = False
    if not there:
        allowed = f"{nearest(str(given), networks, 'archsim networks')}, or the path of a file"
        raise NetworkFileError.of("network", str(given), allowed)
    return path
