"""A trained network with places or steps, and its file: cascades with float weights, each moved over a map.

This is the form that whatever is no multi-layer perceptron is brought into before it is quantised: what is
trained here (`workloads.training.quantisation.placed`), and convolutions from elsewhere
(`PlacedLayers.convolution`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self, cast, get_args

import numpy as np
from numpy.typing import NDArray

from workloads.archive import one_line, read_archive, write_archive
from workloads.stages import DenseStage, PrunedStage, Stage
from workloads.topology.network import (
    INCONSISTENT,
    RANGE,
    SAMPLES,
    Calibration,
    NetworkFileError,
    check_kinds,
    check_shares,
    checked_remarks,
    restored,
)
from workloads.topology.places import Places, PlacesError, Steps, Sweep
from workloads.topology.ranges import IMAGES, checked_range
from workloads.topology.samples import Samples
from workloads.topology.stored import restored_topology, stored_layers
from workloads.topology.topology import Topology

FORMAT, PLAIN, RANGED = "archsim placed network", 1, 2
"""A file says the least version that it needs: one with a range of inputs other than that of images the
second."""
PERCENTILES = (99.0, 99.9, 99.99, 100.0)
"""Of the magnitudes of the outputs of a stage, those that a calibration keeps."""

Ending = Literal["relu", "none", "hardtanh"]
"""What follows the last stage of a cascade. A ReLU follows every layer before it. A hard tanh cuts values to
-1 to 1, which the hardware does by saturating, at no cost."""

SWEEPS: Mapping[str, type[Sweep]] = {"places": Places, "steps": Steps}
Watch = Callable[[NDArray[Any]], None]


@dataclass(frozen=True, eq=False)
class PlacedLayers:
    """A cascade of float stages, and the places or steps at which it runs.

    `topology` has layers with a ReLU after each but the last, behind which is the `ending`; its inputs are
    those of a window, `sweep.window(topology.n_out)`. `weights` has an array a stage, of its `weight_shape`;
    `biases` one (n_out,) a stage or none, or is empty. Raises PlacesError for anything else.
    """

    sweep: Sweep
    topology: Topology
    weights: tuple[NDArray[Any], ...]
    biases: tuple[NDArray[Any] | None, ...] = ()
    ending: Ending = "none"

    def __post_init__(self) -> None:
        stages, window = self.topology.stages, self.sweep.window(self.topology.n_out)
        if self.topology.n_in != window:
            raise PlacesError.of("n_in of a cascade", self.topology.n_in, f"{window}, the words of a window")
        if self.topology.skips or self.topology.input_digits:
            raise PlacesError("skips or input_digits of a cascade are given, allowed at places are none")
        if self.ending not in get_args(Ending):
            raise PlacesError.of("ending of a cascade", self.ending, list(get_args(Ending)))
        shapes = [np.shape(array) for array in self.weights]
        if shapes != [stage.weight_shape for stage in stages]:
            raise PlacesError.of("shapes of weights", shapes, [stage.weight_shape for stage in stages])
        if self.biases and [None if b is None else np.shape(b) for b in self.biases] != [
            None if b is None else (stage.n_out,) for b, stage in zip(self.biases, stages, strict=False)
        ]:
            raise PlacesError("biases of a cascade do not fit, allowed is an array (n_out,) or none a stage")
        if not all(np.isfinite(array).all() for array in (*self.weights, *self._given_biases)):
            raise PlacesError("weights of a cascade are not finite, allowed are finite numbers")

    @property
    def _given_biases(self) -> tuple[NDArray[Any], ...]:
        return tuple(bias for bias in self.biases if bias is not None)

    @classmethod
    def convolution(
        cls,
        kernel: NDArray[Any],
        *,
        rows: int,
        columns: int,
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int, int, int] = (0, 0, 0, 0),
        groups: int = 1,
        bias: NDArray[Any] | None = None,
        ending: Ending = "relu",
    ) -> Self:
        """A convolution as PyTorch and ONNX describe it (a cross-correlation, not dilated).

        `kernel` is (outputs, channels / groups, kernel rows, kernel columns); `rows` and `columns` are those
        of its input map; `padding` is (top, left, bottom, right), in zeros; `bias` is (outputs,) or none.
        Exact zeros are connections that do not exist: with any, the stage is a pruned one, else a dense one.
        Raises PlacesError for a kernel of another shape.
        """
        kernel = np.asarray(kernel)
        if kernel.ndim != 4 or kernel.shape[0] % groups:
            allowed = f"(outputs, channels / groups, rows, columns), outputs a multiple of groups ({groups})"
            raise PlacesError.of("shape of a kernel", kernel.shape, allowed)
        outputs, channels, height, width = kernel.shape
        of_groups = kernel.reshape(groups, outputs // groups, channels, height, width)
        full = np.zeros((groups, outputs // groups, groups, channels, height, width), dtype=kernel.dtype)
        for group in range(groups):
            full[group, :, group] = of_groups[group]
        matrix = full.reshape(outputs, -1)
        stage: Stage = DenseStage(matrix.shape[1], outputs)
        weights = matrix
        if not matrix.all():
            stage, weights = PrunedStage.from_mask(matrix != 0), matrix[matrix != 0]
        sweep = Places(groups * channels, rows, columns, (height, width), stride, padding)
        biases = () if bias is None else (np.asarray(bias),)
        return cls(sweep, Topology(((stage,),)), (weights,), biases, ending)

    @property
    def n_in(self) -> int:
        """Values of the map that it reads."""
        return self.sweep.n_in

    @property
    def n_out(self) -> int:
        """Values of the map that it writes."""
        return self.sweep.n_out(self.topology.n_out)

    def __repr__(self) -> str:
        return f"<PlacedLayers {self.topology.shape[:60]} at {self.sweep.places} places, {self.ending}>"

    def run(self, x: NDArray[Any], watch: Watch = lambda signal: None) -> NDArray[Any]:
        """What it writes (n_out, batch) for x (n_in, batch). `watch` sees the outputs of every stage."""
        stages, ends = self.topology.stages, self.topology.ends_layer
        matrices = [stage.csr(array) for stage, array in zip(stages, self.weights, strict=True)]
        biases = self.biases or (None,) * len(stages)

        def cascade(signal: NDArray[Any]) -> NDArray[Any]:
            for number, (matrix, bias) in enumerate(zip(matrices, biases, strict=True)):
                signal = matrix @ signal
                if bias is not None:
                    signal = signal + bias[:, None]
                last = number == len(matrices) - 1
                if self.ending == "relu" if last else ends[number]:
                    signal = np.maximum(signal, 0)
                elif last and self.ending == "hardtanh":
                    signal = np.clip(signal, -1, 1)
                watch(signal)
            return signal

        return self.sweep.run(cascade, x, self.topology.n_out)


@dataclass(frozen=True, eq=False)
class PlacedNetwork:
    """Layers at places, one after another, with what is known of the whole.

    `calibration` has a row for each stage of all layers; where there is none, `calibrated` finds it.
    `accuracy` holds shares in [0, 1] on all test images, `float` and `int8`. `dense_weights` is the number
    that the same network would have if every cascade were one dense matrix. `remarks` and `input_range` are
    those of `TrainedNetwork`.
    """

    name: str
    layers: tuple[PlacedLayers, ...]
    calibration: Calibration | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    accuracy: Mapping[str, float] = field(default_factory=dict)
    samples: Samples | None = None
    input_range: tuple[float, float] = IMAGES
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        ends = checked_range(f"{RANGE} of {self.name}", self.input_range, NetworkFileError)
        object.__setattr__(self, RANGE, ends)
        object.__setattr__(self, "remarks", checked_remarks(self.name, self.remarks))
        check_shares(f"accuracy of {self.name}", self.accuracy)
        if not self.layers:
            raise PlacesError(f"layers of {self.name} is empty, allowed is at least one")
        for number, (before, after) in enumerate(itertools.pairwise(self.layers), start=1):
            if after.n_in != before.n_out:
                field_of, allowed = (
                    f"n_in of layers {number} of {self.name}",
                    f"{before.n_out}, what is written before",
                )
                raise PlacesError.of(field_of, after.n_in, allowed)
        stages = sum(len(each.topology.stages) for each in self.layers)
        if self.calibration and len(self.calibration.ranges) != stages:
            raise PlacesError.of(
                f"rows of the calibration of {self.name}",
                len(self.calibration.ranges),
                f"{stages}, one a stage",
            )
        if self.samples and self.samples.values.shape[1] != self.n_in:
            raise PlacesError.of(
                f"values of samples of {self.name}", self.samples.values.shape[1], f"{self.n_in}, its inputs"
            )

    @property
    def n_in(self) -> int:
        """Inputs of the network."""
        return self.layers[0].n_in

    @property
    def n_out(self) -> int:
        """Outputs of the network."""
        return self.layers[-1].n_out

    @property
    def stored_weights(self) -> int:
        """Number of weights kept, each once however often it is used."""
        return sum(each.topology.stored_weights for each in self.layers)

    @property
    def stored_biases(self) -> int:
        """Number of biases kept."""
        return sum(bias.size for each in self.layers for bias in each.biases if bias is not None)

    @property
    def dense_weights(self) -> int:
        """Number of weights if every cascade were one dense matrix."""
        return sum(each.topology.dense_weights for each in self.layers)

    @property
    def compression(self) -> float:
        """Dense weights divided by stored weights."""
        return self.dense_weights / self.stored_weights

    def __repr__(self) -> str:
        shape = f"{self.n_in} to {self.n_out}, {len(self.layers)} layers at places"
        return f"<PlacedNetwork {self.name[:60]}: {shape}, {self.stored_weights:,} weights>"

    def run(self, x: NDArray[Any]) -> NDArray[Any]:
        """The outputs (n_out, batch) for inputs x (n_in, batch)."""
        for each in self.layers:
            x = each.run(x)
        return x

    def classify(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """The class of every input (batch, n_in): the position of the largest output, the lowest on a tie."""
        outputs = self.run(np.asarray(values, dtype=np.float32).T)
        classes: NDArray[np.int64] = np.argmax(outputs, axis=0)
        return classes

    @property
    def most_words(self) -> int:
        """Numbers that one input takes at the windows of all places, in the layers where they are most."""
        return max(each.topology.n_in * each.sweep.places for each in self.layers)

    def calibrated(self, images: NDArray[Any]) -> PlacedNetwork:
        """The same with what `calibration_on` finds on images (batch, n_in)."""
        return replace(self, calibration=self.calibration_on(images))

    def calibration_on(self, images: NDArray[Any]) -> Calibration:
        """Percentiles of the magnitudes of the outputs of every stage over images (batch, n_in), those of all
        places together."""
        ranges: list[tuple[float, ...]] = []
        x = np.ascontiguousarray(images.T)
        for each in self.layers:
            runs: list[NDArray[Any]] = []
            x = each.run(x, lambda signal, runs=runs: runs.append(np.abs(signal)))  # type: ignore[misc]
            of_stages = len(each.topology.stages)
            for number in range(of_stages):
                seen = np.concatenate([signal.ravel() for signal in runs[number::of_stages]])
                ranges.append(tuple(float(value) for value in np.percentile(seen, PERCENTILES)))
        return Calibration(PERCENTILES, tuple(ranges))

    def save(self, path: str | Path) -> None:
        """Write the network to a file; a file that is there already stays whole until the new one is."""
        arrays: dict[str, Any] = {}
        layers = []
        for number, part in enumerate(self.layers):
            connections: dict[str, Any] = {}
            topology = stored_layers(part.topology, connections)
            connections |= {f"weights_{k}": array for k, array in enumerate(part.weights)}
            connections |= {f"biases_{k}": bias for k, bias in enumerate(part.biases) if bias is not None}
            arrays |= {f"layers_{number}_{name}": array for name, array in connections.items()}
            kind = next(name for name, made in SWEEPS.items() if isinstance(part.sweep, made))
            sweep = {"kind": kind, **asdict(cast("Any", part.sweep))}
            layers.append({"topology": topology, "ending": part.ending, "sweep": sweep})
        if self.samples:
            arrays[SAMPLES] = self.samples.stored()
        calibration = self.calibration
        metadata = {
            "format": FORMAT,
            "version": PLAIN if self.input_range == IMAGES else RANGED,
            "name": self.name,
            "layers": layers,
            "calibration": asdict(calibration) if calibration else None,
            "recipe": dict(self.recipe),
            "accuracy": dict(self.accuracy),
            **({SAMPLES: self.samples.source} if self.samples else {}),
            **({} if self.input_range == IMAGES else {RANGE: self.input_range}),
            **({"remarks": self.remarks} if self.remarks else {}),
        }
        write_archive(Path(path), metadata, arrays, compressed=True)

    @classmethod
    def load(cls, path: str | Path) -> PlacedNetwork:
        """Read a network from a file; a `NetworkFileError` says in a sentence what is wrong with it."""
        metadata, arrays = read_archive(
            Path(path),
            file_format=FORMAT,
            versions=(PLAIN, RANGED),
            holds="placed network",
            error=NetworkFileError,
        )
        try:
            check_kinds(metadata, name=str, layers=list)
            common = restored(metadata, arrays)
            layers = tuple(
                _restored(stored, _of_layer(number, arrays))
                for number, stored in enumerate(metadata["layers"])
            )
            return cls(
                name=metadata["name"],
                layers=layers,
                input_range=metadata.get(RANGE, IMAGES),
                remarks=metadata.get("remarks", ()),
                **common,
            )
        except INCONSISTENT as error:
            raise NetworkFileError(
                f"file is {path}, an inconsistent network ({one_line(error)}), allowed is one that is whole"
            ) from error


def _of_layer(number: int, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays of a layer, by their names in it."""
    own = f"layers_{number}_"
    return {name.removeprefix(own): array for name, array in arrays.items() if name.startswith(own)}


def _restored(stored: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> PlacedLayers:
    """Layers from what a file says of them, and their arrays."""
    topology = restored_topology(stored["topology"], arrays)
    numbers = range(len(topology.stages))
    biases = [arrays.get(f"biases_{number}") for number in numbers]
    kind, values = SWEEPS[stored["sweep"]["kind"]], {}
    for name, value in stored["sweep"].items():
        if name != "kind":
            values[name] = tuple(value) if isinstance(value, list) else value
    return PlacedLayers(
        kind(**values),
        topology,
        tuple(arrays[f"weights_{number}"] for number in numbers),
        tuple(biases) if any(bias is not None for bias in biases) else (),
        stored["ending"],
    )
