"""Every figure that a result has: its name, label and unit, and how it is read. One line here, and tables,
comparisons, ratios, charts and JSON know it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.costs.result import Result

Reader = Callable[["Result"], float | None]


@dataclass(frozen=True)
class Metric:
    """A figure of a result. A result that lacks it, as one on an FPGA lacks an area, reads as None.

    `short` is the label where room is scarce, `unit` an SI unit or a kind of number: `count`, `ratio`,
    `share`, or `stored` for bits. `listed` figures are shown of a result, an `optional` one only where there
    is one; `compared` ones are set in ratio to another result's, and of these less is better. `fitted` names
    what a fit of logic predicts of it, where one does; a `summed` one is a sum of terms. One that is
    `relative` is no figure by itself and is only set in ratio; it is `priced_as` another one, whose errors
    it has. `more_is_better` says so of the few of which less is not.
    """

    name: str
    label: str
    unit: str
    short: str = ""
    listed: bool = True
    compared: bool = True
    optional: bool = False
    fitted: str = ""
    summed: bool = False
    relative: bool = False
    priced_as: str = ""
    more_is_better: bool = False
    reader: Reader | None = None

    def read(self, result: Result) -> float | None:
        """The figure of a result in its unit; None where there is none."""
        if self.reader is not None:
            return self.reader(result)
        value: float | None = getattr(result, self.name)
        return value

    @property
    def brief(self) -> str:
        return self.short or self.label


def traffic_bits(result: Result) -> int:
    """Bits through all memory ports in one inference."""
    return sum(t.bits_read + t.bits_written for t in result.traffic.values())


def _dynamic_energy(result: Result) -> float | None:
    """Energy of an inference without leakage and without the static power of a device."""
    return None if result.dynamic_power_w is None else result.dynamic_power_w * result.interval_s


def _resource(name: str) -> Reader:
    return lambda result: (result.resources or {}).get(name)


def _bits(what: str) -> Reader:
    return lambda result: getattr(result.stored_bits, what)


def _compression(result: Result) -> float | None:
    """Dense weights for each that is stored; none where none is."""
    return result.compression if math.isfinite(result.compression) else None


def _bram_tiles(result: Result) -> float | None:
    """Block RAM in tiles of 36 kbit, of which a RAMB18 is half."""
    if result.resources is None or "bram36" not in result.resources:
        return None
    return result.resources["bram36"] + result.resources["bram18"] / 2


def resource(name: str, *, fitted: str = "") -> Metric:
    """What a device has a number of, as a metric."""
    return Metric(name, name.upper(), "count", optional=True, fitted=fitted, reader=_resource(name))


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("cycles", "cycles", "count"),
        Metric("load_cycles", "cycles of loading", "count", listed=False, compared=False),
        Metric("latency_s", "latency", "s", summed=True),
        Metric("interval_s", "time between inferences", "s", "interval"),
        Metric("inferences_per_s", "inferences a second", "number", compared=False, more_is_better=True),
        Metric("energy_j", "energy an inference", "J", "energy", fitted="energy of the logic", summed=True),
        Metric(
            "dynamic_energy_j",
            "dynamic energy an inference",
            "J",
            "dynamic energy",
            listed=False,
            compared=False,
            priced_as="dynamic_power_w",
            reader=_dynamic_energy,
        ),
        Metric("power_w", "power", "W", "power at its own throughput", compared=False, summed=True),
        Metric(
            "dynamic_power_w", "dynamic power", "W", "dynamic power at its own throughput", compared=False
        ),
        Metric(
            "equal_throughput_power",
            "power at equal throughput",
            "J",
            listed=False,
            relative=True,
            priced_as="energy_j",
            reader=lambda result: result.energy_j,
        ),
        Metric(
            "equal_throughput_dynamic_power",
            "dynamic power at equal throughput",
            "J",
            listed=False,
            relative=True,
            priced_as="dynamic_power_w",
            reader=_dynamic_energy,
        ),
        Metric("leakage_w", "leakage or static power", "W", "leakage", summed=True),
        Metric("area_mm2", "area", "mm2", optional=True, fitted="area of the logic", summed=True),
        resource("lut", fitted="LUT"),
        resource("ff", fitted="FF"),
        resource("dsp", fitted="DSP"),
        resource("bram18", fitted="RAMB18"),
        resource("bram36", fitted="RAMB36"),
        Metric("bram_tiles", "BRAM36 tiles", "plain", listed=False, compared=False, reader=_bram_tiles),
        Metric(
            "critical_path_s",
            "critical path",
            "s",
            compared=False,
            optional=True,
            fitted="critical path",
            summed=True,
        ),
        Metric("stored_weights", "stored weights", "count"),
        Metric("weight_bits", "weight memory", "stored", compared=False, reader=_bits("weight")),
        Metric("index_bits", "index memory", "stored", compared=False, reader=_bits("index")),
        Metric("stored_bits", "stored bits", "stored", listed=False, reader=_bits("total")),
        Metric("traffic_bits", "memory traffic", "stored", reader=traffic_bits),
        Metric(
            "compression", "compression", "ratio", compared=False, more_is_better=True, reader=_compression
        ),
        Metric("accuracy", "accuracy", "share", compared=False, more_is_better=True),
    )
}
"""All metrics by name, in the order in which they are shown."""


def metric_of(name: str) -> Metric:
    """The metric of this name; what is not in the table is a number of something that a device has."""
    return METRICS.get(name) or resource(name)


def metrics_of(result: Result) -> Sequence[Metric]:
    """The metrics that a result may have: those of the table, and what else its device has a number of."""
    more = [resource(name) for name in result.resources or {} if name not in METRICS]
    known = list(METRICS.values())
    place = known.index(METRICS["bram_tiles"])
    return [*known[:place], *more, *known[place:]]


def figures(result: Result) -> dict[str, float]:
    """The figures of a result by the name of the metric, as far as it has them."""
    read = ((metric.name, metric.read(result)) for metric in metrics_of(result) if not metric.relative)
    return {name: value for name, value in read if value is not None}


def told(result: Result) -> dict[str, Any]:
    """A result as plain values: its figures by the names of metrics, whether they are exact, its warnings."""
    return figures(result) | {"exact": result.exact, "warnings": list(result.warnings)}


def ratios_to_first(results: Sequence[Result]) -> dict[str, list[float | None]]:
    """Each compared figure divided by that of the first result; None where either has none of it.

    Power is compared at equal throughput, where it is the ratio of energies: a slower design's lower power is
    no merit. The powers themselves are each at a design's own throughput, and not in ratio.
    """
    return {
        metric.name: [value / first if value is not None else None for value in map(metric.read, results)]
        for metric in metrics_of(results[0])
        if metric.compared and (first := metric.read(results[0]))
    }
