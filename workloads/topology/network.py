"""A trained network and its file.

The file is a NumPy archive without pickles: `metadata`, a JSON text with everything that is not an array, for
every stage, by its number, `weights_0`, its stored connections, and `biases_0` where it has biases, and
samples of the inputs where there are any.
"""

from __future__ import annotations

import bisect
import html
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.archive import one_line, read_archive, shortened, write_archive
from workloads.refusal import Refusal
from workloads.topology.ranges import IMAGES, checked_range
from workloads.topology.samples import Samples
from workloads.topology.stored import restored_topology, stored_layers
from workloads.topology.topology import Topology

FORMAT = "archsim network"
PLAIN, EXTENDED, BIASED, RANGED = 1, 2, 3, 4
"""Versions of a file: of layers alone, as before there was anything else; with skips or the digits of an
order of inputs; with biases; and with another range of inputs than that of images, or any order of them. A
file says the least that it needs. Samples change no version: who does not know of them does not see them."""

SAMPLES = "samples"
"""In a file the name of the array, and in `metadata` that of its source."""

ORDER, RANGE = "input_order", "input_range"
"""In a file the array of the order of inputs, and in `metadata` their range; only where they are no
default."""

INCONSISTENT = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, MemoryError)
"""What comes of metadata and arrays that do not belong together."""


class NetworkFileError(Refusal):
    """A file is missing, or does not hold a trained network."""


@dataclass(frozen=True)
class Calibration:
    """Magnitudes seen at the outputs of every stage on training data: `ranges[stage][percentile]`.

    `percentiles` rise, to 100 in the end, and so do the magnitudes of a stage, which are finite and not
    negative. Raises NetworkFileError for anything else.
    """

    percentiles: tuple[float, ...]
    ranges: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        percentiles = _numbers("percentiles of the calibration", self.percentiles)
        if not percentiles or list(percentiles) != sorted(set(percentiles)) or percentiles[-1] != 100:
            allowed = "numbers that rise, the last of them 100"
            raise NetworkFileError.of("percentiles of the calibration", list(percentiles)[:8], allowed)
        if not isinstance(self.ranges, tuple | list):
            raise NetworkFileError.of("ranges of the calibration", self.ranges, "a list a stage")
        ranges = []
        for stage, row in enumerate(self.ranges):
            field = f"ranges of the calibration of stage {stage}"
            magnitudes = _numbers(field, row)
            rises = all(low <= high for low, high in itertools.pairwise((0.0, *magnitudes)))
            if len(magnitudes) != len(percentiles) or not rises or not math.isfinite(magnitudes[-1]):
                allowed = f"{len(percentiles)} finite magnitudes from 0 that do not fall, one a percentile"
                raise NetworkFileError.of(field, list(magnitudes)[:8], allowed)
            ranges.append(magnitudes)
        object.__setattr__(self, "percentiles", percentiles)
        object.__setattr__(self, "ranges", tuple(ranges))

    def __repr__(self) -> str:
        return f"<Calibration of {len(self.ranges)} stages, percentiles {self.percentiles}>"

    def reach(self, stage: int, percentile: float) -> float:
        """The magnitude below which this percentage of the outputs of a stage lie, or the next higher that
        is known."""
        return self.ranges[stage][bisect.bisect_left(self.percentiles, min(percentile, 100.0))]


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A topology with float32 weights, how it was trained, and how accurate it is.

    `accuracy` holds shares in [0, 1] on all test data: `float`, and `int8` after quantisation to 8-bit
    weights and activations, which a file of a network with skips from before those ran lacks; other widths,
    equal for both, are `int2` to `int16`, and `int4x8` is of weights of 4 bits and activations of 8. A recipe
    that holds out data adds `validation_float` and `validation_int8`.

    `biases` has an entry a stage, an array (n_out,) or none, and is empty where no stage has biases.
    `samples` are inputs of the kind that it was trained on; a file from before there were any has none.
    `remarks` are sentences on what had to be assumed of it, or differs from what its author wrote; every
    result repeats them.
    `input_range` is the least and the largest input, finite: [0, 1] of images, or what was seen in training
    (`workloads.topology.ranges.range_of`); it sets the scale of integer inputs, signed or not. Values beyond
    it are taken as `IntegerNetwork.integer_inputs` says. Raises NetworkFileError for anything inconsistent.
    """

    name: str
    topology: Topology
    weights: tuple[NDArray[np.float32], ...]
    calibration: Calibration
    recipe: Mapping[str, Any]
    accuracy: Mapping[str, float] = field(default_factory=dict)
    biases: tuple[NDArray[np.float32] | None, ...] = ()
    samples: Samples | None = None
    input_range: tuple[float, float] = IMAGES
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        stages = self.topology.stages
        object.__setattr__(
            self, RANGE, checked_range(f"{RANGE} of {self.name}", self.input_range, NetworkFileError)
        )
        check_shares(f"accuracy of {self.name}", self.accuracy)
        object.__setattr__(self, "biases", self._checked_biases())
        object.__setattr__(self, "remarks", checked_remarks(self.name, self.remarks))
        if len(self.weights) != len(stages) or len(self.calibration.ranges) != len(stages):
            raise NetworkFileError(
                f"weights and calibration of {self.name} have {len(self.weights)} and "
                f"{len(self.calibration.ranges)} entries, allowed are {len(stages)}, one a stage"
            )
        for number, (stage, weights) in enumerate(zip(stages, self.weights, strict=True)):
            if weights.shape != stage.weight_shape or not np.isfinite(weights).all():
                raise NetworkFileError(
                    f"weights of stage {number} of {self.name} have shape {weights.shape}, "
                    f"allowed are finite numbers of shape {stage.weight_shape}"
                )
            weights.setflags(write=False)
        if self.samples and self.samples.values.shape[1] != self.topology.n_in:
            raise NetworkFileError(
                f"samples of {self.name} have {self.samples.values.shape[1]} values, "
                f"allowed are {self.topology.n_in}, the inputs of the network"
            )

    def _checked_biases(self) -> tuple[NDArray[np.float32] | None, ...]:
        biases, stages = tuple(self.biases), self.topology.stages
        if biases and len(biases) != len(stages):
            raise NetworkFileError(
                f"biases of {self.name} have {len(biases)} entries, allowed are {len(stages)}, one a stage, "
                "or none"
            )
        for number, (stage, bias) in enumerate(zip(stages, biases, strict=False)):
            if bias is None:
                continue
            if bias.shape != (stage.n_out,) or not np.isfinite(bias).all():
                raise NetworkFileError(
                    f"biases of stage {number} of {self.name} have shape {bias.shape}, "
                    f"allowed are finite numbers of shape {(stage.n_out,)}"
                )
            bias.setflags(write=False)
        return biases if any(bias is not None for bias in biases) else ()

    @property
    def stored_weights(self) -> int:
        """Number of weights kept; biases are counted for themselves."""
        return self.topology.stored_weights

    @property
    def stored_biases(self) -> int:
        """Number of biases kept."""
        return sum(bias.size for bias in self.biases if bias is not None)

    @property
    def compression(self) -> float:
        """Dense weights divided by stored weights; as in publications, biases are on neither side."""
        return self.topology.compression

    def __repr__(self) -> str:
        accuracy = ", ".join(f"{name} {share:.2%}" for name, share in self.accuracy.items())
        return f"<TrainedNetwork {self.name[:60]}: {self.topology.n_in} to {self.topology.n_out}, " + (
            f"{self.stored_weights:,} weights, compression {self.compression:.1f}; {accuracy[:60]}>"
        )

    def _repr_html_(self) -> str:
        figures = [
            ("stored weights", f"{self.stored_weights:,}"),
            *([("stored biases", f"{self.stored_biases:,}")] if self.biases else []),
            ("compression", f"{self.compression:.1f}"),
            *((f"accuracy, {name}", f"{share:.2%}") for name, share in self.accuracy.items()),
        ]
        for number, layer in enumerate(self.topology.layers, start=1):
            kinds = ", ".join(stage.kind for stage in layer)
            figures.append((f"layer {number}", f"{layer[0].n_in} to {layer[-1].n_out}: {kinds}"))
        rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{value}</td></tr>" for name, value in figures)
        return f"<table><caption>{html.escape(self.name)}</caption>{rows}</table>"

    def save(self, path: str | Path) -> None:
        """Write the network to a file; a file that is there already stays whole until the new one is."""
        connections: dict[str, NDArray[Any]] = {}
        layers = stored_layers(self.topology, connections)
        arrays: dict[str, NDArray[Any]] = {}
        for number, weights in enumerate(self.weights):
            arrays[f"weights_{number}"] = weights
            arrays |= {name: array for name, array in connections.items() if name.endswith(f"_{number}")}
        stored = {f"biases_{number}": bias for number, bias in enumerate(self.biases) if bias is not None}
        arrays |= stored
        extensions = {"skips": self.topology.skips, "input_digits": self.topology.input_digits}
        given = {name: value for name, value in extensions.items() if value}
        ranged: dict[str, Any] = {} if self.input_range == IMAGES else {RANGE: self.input_range}
        if self.topology.input_order:
            arrays[ORDER] = np.array(self.topology.input_order, dtype=np.int32)
        if self.samples:
            arrays[SAMPLES] = self.samples.stored()
        is_ranged = ranged or self.topology.input_order
        metadata = {
            "format": FORMAT,
            "version": RANGED if is_ranged else BIASED if stored else EXTENDED if given else PLAIN,
            "name": self.name,
            "layers": layers,
            **given,
            **ranged,
            **({SAMPLES: self.samples.source} if self.samples else {}),
            **({"remarks": self.remarks} if self.remarks else {}),
            "calibration": {"percentiles": self.calibration.percentiles, "ranges": self.calibration.ranges},
            "recipe": dict(self.recipe),
            "accuracy": dict(self.accuracy),
        }
        write_archive(Path(path), metadata, arrays, compressed=True)

    @classmethod
    def load(cls, path: str | Path) -> TrainedNetwork:
        """Read a network from a file; a `NetworkFileError` says in a sentence what is wrong with it."""
        metadata, arrays = read_archive(
            Path(path),
            file_format=FORMAT,
            versions=(PLAIN, EXTENDED, BIASED, RANGED),
            holds="trained network",
            error=NetworkFileError,
        )
        try:
            return cls._restored(metadata, arrays)
        except INCONSISTENT as error:
            raise NetworkFileError(
                f"file is {path}, an inconsistent network ({one_line(error)}), allowed is one that is whole"
            ) from error

    @classmethod
    def _restored(cls, metadata: Mapping[str, Any], arrays: dict[str, NDArray[Any]]) -> TrainedNetwork:
        check_kinds(metadata, name=str, calibration=dict)
        common = restored(metadata, arrays)
        extensions = {name: metadata[name] for name in ("skips", "input_digits") if name in metadata}
        order = arrays.pop(ORDER, np.empty(0, dtype=np.int32)).tolist()
        topology = restored_topology(metadata["layers"], arrays, **extensions, input_order=order)
        numbers = range(len(topology.stages))
        biases = [arrays.pop(f"biases_{number}", None) for number in numbers]
        if strange := [name for name in arrays if name.startswith("biases_")]:
            allowed = f"those of stages 0 to {numbers[-1]}"
            raise NetworkFileError(f"biases are {', '.join(strange)}, allowed are {allowed}")
        return cls(
            name=metadata["name"],
            topology=topology,
            weights=tuple(real_numbers(arrays, f"weights_{number}") for number in numbers),
            biases=tuple(
                None if bias is None else real_numbers({name: bias}, name)
                for name, bias in ((f"biases_{number}", bias) for number, bias in enumerate(biases))
            ),
            input_range=metadata.get(RANGE, IMAGES),
            remarks=metadata.get("remarks", ()),
            **common,
        )


def restored(metadata: Mapping[str, Any], arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """What the files of all networks hold alike, by the names of their fields: recipe and accuracy, and where
    there are some calibration and samples, which are taken out of `arrays`."""
    check_kinds(metadata, recipe=dict, accuracy=dict)
    calibration, samples = metadata.get("calibration"), arrays.pop(SAMPLES, None)
    if calibration is not None:
        check_kinds(metadata, calibration=dict)
    return {
        "recipe": metadata["recipe"],
        "accuracy": metadata["accuracy"],
        "calibration": None if calibration is None else Calibration(**calibration),
        "samples": None if samples is None else Samples.restored(samples, metadata[SAMPLES]),
    }


def check_kinds(metadata: Mapping[str, Any], **kinds: type) -> None:
    """Raises NetworkFileError where a field is missing or of another kind."""
    words = {str: "text", dict: "a mapping", list: "a list", int: "a whole number"}
    for name, kind in kinds.items():
        if name not in metadata:
            raise NetworkFileError(f"{name} is missing, allowed is {words[kind]}")
        if not isinstance(metadata[name], kind) or isinstance(metadata[name], bool):
            raise NetworkFileError(f"{name} is {shortened(metadata[name])}, allowed is {words[kind]}")


def checked_remarks(name: str, given: Any) -> tuple[str, ...]:
    """The remarks of a network of this name, one line each. Raises NetworkFileError for no sentences."""
    if not isinstance(given, list | tuple) or not all(isinstance(remark, str) for remark in given):
        raise NetworkFileError(f"remarks of {name} is {shortened(given)}, allowed is a list of sentences")
    return tuple(" ".join(remark.split()) for remark in given)


def check_shares(field: str, shares: Mapping[str, Any]) -> None:
    """Raises NetworkFileError where a value of this mapping is no number from 0 to 1."""
    for name, share in shares.items():
        is_number = isinstance(share, int | float | np.floating) and not isinstance(share, bool)
        if not is_number or not 0 <= share <= 1:
            raise NetworkFileError(
                f"{field} is {shortened(share)} for {name}, allowed are shares from 0 to 1"
            )


def _numbers(field: str, values: Any) -> tuple[float, ...]:
    allowed = "a list of numbers"
    if not isinstance(values, tuple | list):
        raise NetworkFileError.of(field, values, allowed)
    for value in values:
        if not isinstance(value, int | float | np.floating) or isinstance(value, bool):
            raise NetworkFileError.of(field, value, allowed)
    return tuple(float(value) for value in values)


def real_numbers(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.float32]:
    """An array of a file as 32-bit floats, whatever type of real numbers it has."""
    array = arrays[name]
    if array.dtype.kind not in "fiu":
        raise NetworkFileError.of(f"type of {name}", str(array.dtype), "real numbers")
    with np.errstate(over="ignore"):
        return array.astype(np.float32)
