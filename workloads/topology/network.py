"""A trained network and its file.

The file is a NumPy archive without pickles: `metadata`, a JSON text with everything that is not an array, for
every stage, by its number, `weights_0`, its stored connections, and `biases_0` where it has biases, and
samples of the inputs where there are any.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal
from workloads.topology.archive import read_archive, write_archive
from workloads.topology.samples import Samples
from workloads.topology.stored import restored_topology, stored_layers
from workloads.topology.topology import Topology

FORMAT = "archsim network"
PLAIN, EXTENDED, BIASED = 1, 2, 3
"""Versions of a file: of layers alone, as before there was anything else; with skips or another order of
inputs; and with biases. A file says the least that it needs. Samples change no version: who does not know of
them does not see them."""

SAMPLES = "samples"
"""In a file the name of the array, and in `metadata` that of its source."""


class NetworkFileError(Refusal):
    """A file is missing, or does not hold a trained network."""


@dataclass(frozen=True)
class Calibration:
    """Magnitudes seen at the outputs of every stage on training images: `ranges[stage][percentile]`."""

    percentiles: tuple[float, ...]
    ranges: tuple[tuple[float, ...], ...]

    def __repr__(self) -> str:
        return f"<Calibration of {len(self.ranges)} stages, percentiles {self.percentiles}>"

    def reach(self, stage: int, percentile: float) -> float:
        """The magnitude below which this percentage of the outputs of a stage lie."""
        return self.ranges[stage][self.percentiles.index(percentile)]


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A topology with float32 weights, how it was trained, and how accurate it is.

    `accuracy` holds shares in [0, 1] on all test images: `float`, and `int8` after quantisation to 8-bit
    weights and activations, which a network with skip connections does not have. A recipe that holds out
    images adds `validation_float` and `validation_int8`.

    `biases` has an entry a stage, an array (n_out,) or none, and is empty where no stage has biases.
    `samples` are inputs of the kind that it was trained on; a file from before there were any has none.
    `remarks` are sentences on what had to be assumed of it, or differs from what its author wrote; whatever
    is found of the network is found with them.
    """

    name: str
    topology: Topology
    weights: tuple[NDArray[np.float32], ...]
    calibration: Calibration
    recipe: Mapping[str, Any]
    accuracy: Mapping[str, float] = field(default_factory=dict)
    biases: tuple[NDArray[np.float32] | None, ...] = ()
    samples: Samples | None = None
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        stages = self.topology.stages
        object.__setattr__(self, "biases", self._checked_biases())
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
        if self.samples:
            arrays[SAMPLES] = self.samples.stored()
        metadata = {
            "format": FORMAT,
            "version": BIASED if stored else EXTENDED if given else PLAIN,
            "name": self.name,
            "layers": layers,
            **given,
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
            versions=(PLAIN, EXTENDED, BIASED),
            holds="trained network",
            error=NetworkFileError,
        )
        try:
            extensions = {name: metadata[name] for name in ("skips", "input_digits") if name in metadata}
            topology = restored_topology(metadata["layers"], arrays, **extensions)
            percentiles, ranges = (metadata["calibration"][name] for name in ("percentiles", "ranges"))
            numbers = range(len(topology.stages))
            biases = [arrays.pop(f"biases_{number}", None) for number in numbers]
            if strange := [name for name in arrays if name.startswith("biases_")]:
                allowed = f"those of stages 0 to {numbers[-1]}"
                raise NetworkFileError(f"biases are {', '.join(strange)}, allowed are {allowed}")
            return cls(
                name=metadata["name"],
                topology=topology,
                weights=tuple(arrays[f"weights_{number}"].astype(np.float32) for number in numbers),
                calibration=Calibration(tuple(percentiles), tuple(tuple(row) for row in ranges)),
                recipe=metadata["recipe"],
                accuracy=metadata["accuracy"],
                biases=tuple(None if bias is None else bias.astype(np.float32) for bias in biases),
                samples=Samples.restored(arrays[SAMPLES], metadata[SAMPLES]) if SAMPLES in arrays else None,
                remarks=tuple(map(str, metadata.get("remarks", ()))),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise NetworkFileError(
                f"file is {path}, an inconsistent network ({error}), allowed is one that is whole"
            ) from error
