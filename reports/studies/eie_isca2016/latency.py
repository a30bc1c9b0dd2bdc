"""The time of whole layers: random patterns of the published densities on the project's `eie` engine.

Nothing here is a parameter that could be chosen by the published times: the engine has the published
elements, queue and runs of zeros, and takes the cycles that its recurrence gives.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.engine.broadcast.accumulation import Accumulation, accumulate
from archsim.engine.broadcast.columns import DealtColumns, EncodedColumns
from archsim.engine.eie import Eie, EieMapping
from reports import formatting as f
from reports.write_up.predictions import Compared
from workloads import PrunedStage, Topology, random_integer_network

DEPTHS = tuple(1 << exponent for exponent in range(9))
"""Places of a queue, from 1 to 256."""
THEORETICAL, ACTUAL, OVER = "theoretical time", "actual time", "actual over theoretical time"


@dataclass(frozen=True, kw_only=True)
class LayerRun:
    """One random layer on the engine, in cycles from `start` to `done`.

    `products` and `fillers` of all elements together; `accumulating` cycles from the stage's start until all
    is accumulated, of which `fill` would pass with a single product beside its own; `outside` all others: for
    the descriptor, and for the results to leave. In `waited` of them the broadcast waited for a full queue.
    `loading` the inputs, a word a cycle, is not among them. `balance` by depth of the queue: the share of the
    accumulating cycles in which an element has an entry.
    """

    products: int
    fillers: int
    accumulating: int
    fill: int
    outside: int
    waited: int
    loading: int
    balance: Mapping[int, float]

    @property
    def cycles(self) -> int:
        return self.accumulating + self.outside

    def parts(self, elements: int) -> tuple[float, ...]:
        """What its cycles are made of: products and fillers, dealt evenly, those in which elements wait,
        those of the fill, and those outside."""
        products, fillers = self.products / elements, self.fillers / elements
        return products, fillers, self.accumulating - self.fill - products - fillers, self.fill, self.outside


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer with one run for each seed, on so many `elements` at a clock."""

    name: str
    elements: int
    clock_hz: float
    runs: Sequence[LayerRun]

    def mean(self, figure: Callable[[LayerRun], float]) -> float:
        """The mean of a figure over all runs."""
        return statistics.fmean(map(figure, self.runs))

    def over_entries(self, run: LayerRun) -> float:
        """How many times its cycles are what products and fillers alone would take, dealt evenly."""
        return run.cycles * self.elements / (run.products + run.fillers)

    def balance(self, depth: int) -> list[float]:
        """The balance of every run with queues of this depth."""
        return [run.balance[depth] for run in self.runs]

    def mean_balance(self, depth: int) -> float:
        """The mean of these."""
        return statistics.fmean(self.balance(depth))

    @property
    def actual_cycles(self) -> float:
        """From `start` to `done`, on average."""
        return self.mean(lambda run: run.cycles)

    @property
    def parts(self) -> list[float]:
        """What its cycles are made of, as `LayerRun.parts`, on average."""
        parts = [run.parts(self.elements) for run in self.runs]
        return [statistics.fmean(part) for part in zip(*parts, strict=True)]

    def theoretical_s(self, run: LayerRun) -> float:
        """Products alone, dealt to all elements evenly."""
        return run.products / self.elements / self.clock_hz

    def actual_s(self, run: LayerRun) -> float:
        """From `start` to `done`."""
        return run.cycles / self.clock_hz

    @property
    def figures(self) -> dict[str, Callable[[LayerRun], float]]:
        """What is compared, by name."""
        return {
            THEORETICAL: self.theoretical_s,
            ACTUAL: self.actual_s,
            OVER: lambda run: self.actual_s(run) / self.theoretical_s(run),
        }


def run_layers(content: Mapping[str, Any]) -> list[Layer]:
    """All published layers, with as many seeds as are stated. A few seconds."""
    chip, seeds = content["architecture"], range(content["assumptions"]["seeds"]["value"])
    engine = Eie(
        pes=chip["elements"],
        queue_depth=chip["queue_depth"],
        zeros_bits=chip["zeros_bits"],
        codebook_bits=chip["code_bits"],
        activation_bits=chip["value_bits"],
        weight_bits=chip["value_bits"],
        product_register=True,
    )
    return [
        Layer(
            name=name,
            elements=chip["elements"],
            clock_hz=content["technology"]["clock_hz"],
            runs=[run_layer(engine, layer, seed) for seed in seeds],
        )
        for name, layer in content["layers"].items()
    ]


def run_layer(engine: Eie, layer: Mapping[str, Any], seed: int) -> LayerRun:
    """One layer with a pattern and activations of this seed."""
    random = np.random.default_rng(seed)
    inputs, outputs, pes = layer["inputs"], layer["outputs"], engine.pes
    columns = random_columns(random, inputs, outputs, layer["kept"], pes)
    stage = columns.encoded(int(engine.zeros_bits))
    signal = np.zeros(inputs, dtype=np.int64)
    signal[random.permutation(inputs)[: round(layer["nonzero"] * inputs)]] = 1
    empty = empty_layer(engine, inputs, outputs)
    latency, one = empty.sizes.pipeline.accumulate, np.eye(1, inputs, dtype=np.int64)[0]

    def run(chosen: EncodedColumns, x: NDArray[np.int64], depth: int) -> Accumulation:
        return accumulate(chosen, x, queue_depth=depth, latency=latency)

    done = run(stage, signal, engine.queue_depth)
    entries, products = (int(count[:, signal > 0].sum()) for count in (stage.counts, stage.stored))
    counts = empty.run_on([one])
    return LayerRun(
        products=products,
        fillers=entries - products,
        accumulating=done.ends,
        fill=run(_one_entry(pes), one[:pes], 1).ends - 1,
        outside=counts.cycles - run(empty.stages[0], one, engine.queue_depth).ends,
        waited=done.waited,
        loading=counts.load_cycles,
        balance={depth: entries / pes / run(stage, signal, depth).ends for depth in DEPTHS},
    )


def random_columns(
    random: np.random.Generator, inputs: int, outputs: int, kept: float, pes: int
) -> DealtColumns:
    """A pattern that keeps a weight at each place with this probability. Row i lies on element i mod pes, as
    in the publication, and not where it balances best, as the engine's own mapping does."""
    places = -(-outputs // pes)
    at = np.flatnonzero(random.random(pes * inputs * places, dtype=np.float32) < kept)
    pe, place = at // (inputs * places), at % places
    at = at[place * pes + pe < outputs]
    return DealtColumns(
        pe=at // (inputs * places),
        column=at // places % inputs,
        place=at % places,
        weight=np.ones(len(at), dtype=np.int64),
        columns=inputs,
        bias_columns=0,
        pes=pes,
    )


def _one_entry(pes: int) -> EncodedColumns:
    """A single weight."""
    zero = np.zeros(1, dtype=np.int64)
    dealt = DealtColumns(pe=zero, column=zero, place=zero, weight=zero, columns=pes, bias_columns=0, pes=pes)
    return dealt.encoded(1)


def empty_layer(engine: Eie, inputs: int, outputs: int) -> EieMapping:
    """A layer of this shape without a weight on the engine, for what it takes whatever it multiplies."""
    stage = PrunedStage(inputs, outputs, np.zeros(outputs + 1, dtype=np.int64), np.zeros(0, dtype=np.int64))
    widths = {name: getattr(engine, name) for name in ("weight_bits", "activation_bits")}
    mapping = engine.map(random_integer_network(Topology(((stage,),)), **widths))
    assert isinstance(mapping, EieMapping)
    return mapping


def layer_rows(layers: Sequence[Layer], content: Mapping[str, Any]) -> Iterator[Compared]:
    """The mean times beside the published ones. That of the products alone is arithmetic on the published
    densities."""
    for layer in layers:
        said = content["layers"][layer.name]
        published = {THEORETICAL: said["theoretical_s"], ACTUAL: said["actual_s"]}
        published[OVER] = published[ACTUAL] / published[THEORETICAL]
        for name, figure in layer.figures.items():
            yield Compared(
                place=layer.name,
                figure=name,
                predicted=layer.mean(figure),
                published=published[name],
                unit="ratio" if name == OVER else "s",
                exactness="derived" if name == OVER else "exact",
                kind="arithmetic" if name == THEORETICAL else "predicted",
            )


def part_rows(layers: Sequence[Layer]) -> Iterator[tuple[Any, ...]]:
    """What the cycles of each layer are made of, and how far they spread from seed to seed."""
    for layer in layers:
        least, most = (end(map(layer.actual_s, layer.runs)) for end in (min, max))
        waited, loading = layer.mean(lambda run: run.waited), layer.mean(lambda run: run.loading)
        spread = f"{f.scaled(least, 's')} to {f.scaled(most, 's')}"
        yield (layer.name, spread, layer.actual_cycles, *layer.parts, waited, loading)


def balance_rows(layers: Sequence[Layer]) -> Iterator[tuple[Any, ...]]:
    """The balance of each layer by depth of the queue: its mean, and how far the seeds spread."""
    for depth in DEPTHS:
        cells: list[Any] = [depth]
        for layer in layers:
            shares = layer.balance(depth)
            cells += [statistics.fmean(shares), max(shares) - min(shares)]
        yield tuple(cells)


def balance_chart(layers: Sequence[Layer], published_depth: int) -> str:
    """The balance over the depth of the queue, a line a layer and a dot a seed."""
    from matplotlib.figure import Figure

    from reports.pictures.charts import INK, MARKERS, MORE_HUES, style, svg

    with style("eie-balance"):
        figure = Figure(figsize=(9.2, 3.2), layout="constrained")
        axes = figure.subplots()
        for layer, hue, marker in zip(layers, MORE_HUES, MARKERS, strict=False):
            shares = [layer.balance(depth) for depth in DEPTHS]
            means = [statistics.fmean(several) * 100 for several in shares]
            axes.plot(DEPTHS, means, color=hue, marker=marker, markersize=5, label=layer.name)
            for seed in zip(*shares, strict=True):
                axes.scatter(DEPTHS, [share * 100 for share in seed], s=6, color=hue, alpha=0.5)
        axes.axvline(published_depth, color=INK, linewidth=0.8, linestyle="--")
        axes.set_xscale("log", base=2)
        axes.set_xticks(DEPTHS, [str(depth) for depth in DEPTHS])
        axes.set_xlabel("places of a queue; dashed: as published")
        axes.set_ylabel("cycles with an entry, %")
        axes.grid(color="#e6e9ec", linewidth=0.7)
        axes.legend(fontsize=8.5)
        return svg(figure)
