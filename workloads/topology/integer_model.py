"""The integer model: what the hardware computes where a network has places or steps, bit for bit.

It is a list of parts. Each is a cascade of integer stages, as `IntegerNetwork` says, and how it is moved over
what the part before wrote.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workloads.topology.integer import IntegerNetwork, IntegerNetworkError, IntegerStage, TakesInputs
from workloads.topology.places import Places, Sweep
from workloads.topology.samples import IntegerSamples


@dataclass(frozen=True, eq=False)
class IntegerPart:
    """A cascade, and the places or steps at which it runs. Raises IntegerNetworkError where its inputs are
    not those of a window."""

    sweep: Sweep
    cascade: IntegerNetwork

    def __post_init__(self) -> None:
        window = self.sweep.window(self.cascade.n_out)
        if self.cascade.n_in != window:
            raise IntegerNetworkError.of(
                f"n_in of {self.cascade.name}", self.cascade.n_in, f"{window}, the words of a window"
            )

    @property
    def n_out(self) -> int:
        """Values that it writes."""
        return self.sweep.n_out(self.cascade.n_out)

    def follows(self, before: IntegerPart) -> bool:
        """Whether each of its places reads only what the same place of the part before wrote. Behind steps
        nothing does: they read their own outputs again."""
        sweep, earlier = self.sweep, before.sweep
        if not (isinstance(sweep, Places) and isinstance(earlier, Places) and sweep.is_pointwise):
            return False
        return (sweep.rows, sweep.columns) == earlier.shape_out

    def run(self, x: NDArray[np.int64]) -> NDArray[np.int64]:
        """What it writes (n_out, batch), for integers x (n_in, batch)."""
        return self.sweep.run(self.cascade.run, x, self.cascade.n_out)


@dataclass(frozen=True, eq=False)
class IntegerModel(TakesInputs):
    """Parts one after another, all of the same widths. It answers what an `IntegerNetwork` does.

    Raises IntegerNetworkError where the sizes of parts do not chain, or their widths differ.
    """

    name: str
    parts: tuple[IntegerPart, ...]
    samples: IntegerSamples | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        if not self.parts:
            raise IntegerNetworkError(f"parts of {self.name} is empty, allowed is at least one")
        for number, (before, after) in enumerate(itertools.pairwise(self.parts), start=1):
            if after.sweep.n_in != before.n_out:
                field = f"n_in of part {number} of {self.name}"
                raise IntegerNetworkError.of(
                    field, after.sweep.n_in, f"{before.n_out}, what is written before"
                )
        widths = {(part.cascade.weight_bits, part.cascade.activation_bits) for part in self.parts}
        if len(widths) > 1:
            raise IntegerNetworkError.of(f"widths of {self.name}", sorted(widths), "the same for all parts")

    def __repr__(self) -> str:
        bits = f"{self.weight_bits}-bit weights, {self.activation_bits}-bit activations"
        shape = f"{self.n_in} to {self.n_out} in {len(self.parts)} parts"
        return f"<IntegerModel {self.name[:60]}: {shape}, {self.stored_weights:,} weights; {bits}>"

    @property
    def weight_bits(self) -> int:
        """Bits of a weight."""
        return self.parts[0].cascade.weight_bits

    @property
    def activation_bits(self) -> int:
        """Bits of an activation."""
        return self.parts[0].cascade.activation_bits

    @property
    def input_order(self) -> tuple[int, ...]:
        """The order in which the inputs come, which is theirs."""
        return ()

    @property
    def input_fraction_bits(self) -> int:
        """Fraction bits of the inputs."""
        return self.parts[0].cascade.input_fraction_bits

    @property
    def stages(self) -> tuple[IntegerStage, ...]:
        """Every stage, in the order in which data meets them."""
        return tuple(stage for part in self.parts for stage in part.cascade.stages)

    @property
    def n_in(self) -> int:
        """Inputs of the network."""
        return self.parts[0].sweep.n_in

    @property
    def n_out(self) -> int:
        """Outputs of the network."""
        return self.parts[-1].n_out

    @property
    def stored_weights(self) -> int:
        """Number of weights kept, each once however often it is used."""
        return sum(part.cascade.stored_weights for part in self.parts)

    @property
    def stored_biases(self) -> int:
        """Number of biases kept."""
        return sum(part.cascade.stored_biases for part in self.parts)

    @property
    def accumulator_bits(self) -> int:
        """The smallest signed width in which no sum of any part overflows."""
        return max(part.cascade.accumulator_bits for part in self.parts)

    @property
    def input_range(self) -> tuple[float, float]:
        """The range of the inputs."""
        return self.parts[0].cascade.input_range

    @property
    def most_words(self) -> int:
        """Numbers that one input takes at the windows of all places, in the part where they are most."""
        return max(part.cascade.n_in * part.sweep.places for part in self.parts)

    def ordered(self, inputs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Integer inputs (batch, n_in) as the parts take them, (n_in, batch)."""
        return inputs.T

    def run(self, x: NDArray[np.int64]) -> NDArray[np.int64]:
        """The outputs (n_out, batch) of the last part for integer inputs x (n_in, batch)."""
        for part in self.parts:
            x = part.run(x)
        return x

    def signals(self, x: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """The inputs (n_in, columns) of every stage for integer inputs x (n_in, batch): of all places, one
        after another, a column for each of the batch."""
        signals = []
        for part in self.parts:
            runs: list[list[NDArray[np.int64]]] = []

            def watched(
                windows: NDArray[np.int64],
                cascade: IntegerNetwork = part.cascade,
                runs: list[list[NDArray[np.int64]]] = runs,
            ) -> NDArray[np.int64]:
                outputs = cascade.trace(windows)
                runs.append([windows, *outputs[:-1]])
                return outputs[-1]

            x = part.sweep.run(watched, x, part.cascade.n_out)
            signals += [np.hstack(of_stage) for of_stage in zip(*runs, strict=True)]
        return signals

    def classify(self, images: NDArray[Any]) -> NDArray[np.int64]:
        """The class of every image (batch, n_in): the position of the largest output, the lowest on a tie."""
        classes: NDArray[np.int64] = np.argmax(self.run(self.quantise_input(images)), axis=0)
        return classes

    def fused(self) -> IntegerModel:
        """The same model with every part that reads only its own place behind the stages before it, so that
        no map lies between them."""
        parts: list[IntegerPart] = []
        for part in self.parts:
            if parts and part.follows(parts[-1]):
                before = parts[-1].cascade
                stages = before.stages + part.cascade.stages
                joined = replace(before, name=f"{before.name}, {part.cascade.name}", stages=stages)
                parts[-1] = IntegerPart(parts[-1].sweep, joined)
            else:
                parts.append(part)
        return replace(self, parts=tuple(parts))


AnyIntegerNetwork: TypeAlias = IntegerNetwork | IntegerModel
"""What an engine may be given."""
