"""Trainings one sample at a time, over rates and seeds: what a width, a rounding or an overlap comes to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from matplotlib.figure import Figure

from reports.pictures.charts import MARKERS, hues, style, svg
from reports.studies.topologies.compared import Compared, with_error
from reports.studies.topologies.on_chip_runs import FLOAT, MARGIN, OnChip, Way
from reports.tables import Cell
from reports.write_up.claims import standard_error

DEAD = 0.5
"""A network that names fewer of the test images right has died in training."""
LOWEST = 0.93
"""Below this a network is no good; the chart ends here."""


@dataclass(frozen=True)
class AtRate:
    """A way at a rate, over its seeds."""

    way: Way
    rate_shift: int
    runs: tuple[OnChip, ...]

    @property
    def accuracies(self) -> tuple[float, ...]:
        return tuple(run.accuracy for run in self.runs)

    @property
    def mean(self) -> float:
        return fmean(self.accuracies)

    @property
    def standard_error(self) -> float:
        return standard_error(self.accuracies)

    @property
    def dead(self) -> int:
        """Trainings that died."""
        return sum(accuracy < DEAD for accuracy in self.accuracies)

    @property
    def rate(self) -> Cell:
        """The rate that it begins with; a batch has that of the recipe."""
        if self.way.batch > 1:
            return Cell(None, "the recipe's")
        return Cell(2.0**-self.rate_shift, f"1/{2**self.rate_shift}")

    @property
    def shown(self) -> Cell:
        """Its accuracy, or how many died."""
        if self.dead:
            return Cell(self.mean, f"{self.dead} of {len(self.runs)} died")
        return Cell(self.mean, with_error(self) if len(self.runs) > 1 else f"{self.mean * 100:.2f} %")


class Trainings(Compared[AtRate]):
    """All trainings, by way and rate."""

    @classmethod
    def among(cls, runs: Iterable[OnChip]) -> Trainings:
        """Trainings by what they have in common."""
        found: dict[tuple[Way, int], list[OnChip]] = {}
        for run in runs:
            found.setdefault((Way.of(run), run.rate_shift), []).append(run)
        return cls("on chip", tuple(AtRate(*key, tuple(several)) for key, several in found.items()))

    @property
    def sound(self) -> Compared[AtRate]:
        """Those of which every seed learnt: the deviation from seed to seed is theirs."""
        return Compared(self.name, tuple(one for one in self.networks if min(one.accuracies) > LOWEST))

    def of(self, **fields: Any) -> list[AtRate]:
        """Those with these fields of `Way`, the fastest rate first."""
        chosen = [
            one
            for one in self.networks
            if all(getattr(one.way, name) == value for name, value in fields.items())
        ]
        return sorted(chosen, key=lambda one: one.rate_shift)

    def best(self, **fields: Any) -> AtRate:
        """The one of them with the best mean. Raises ValueError where there is none."""
        return max(self.of(**fields), key=lambda one: one.mean)

    def loss(self, one: AtRate, other: AtRate) -> Cell:
        """How much worse one is than another, in points, with the error of that; nothing of what died."""
        if one.dead:
            return Cell(None, "—")
        return Cell(one.mean - other.mean, self.sound.difference(one, other))


def ways(trainings: Trainings, network: str, epochs: int) -> Iterator[tuple[str, AtRate]]:
    """Each way in which a network was trained so long with nothing overlapped, at its best rate, in words."""
    same = {"network": network, "epochs": epochs, "overlap": "none"}
    every = {one.way for one in trainings.of(**same)}
    order = sorted(every, key=lambda way: (-way.batch, -(way.weight_bits or 99), way.loss, way.rounding))
    for way in order:
        yield described(way), trainings.best(**vars(way))


def described(way: Way) -> str:
    """A way in words."""
    if way.rounding == FLOAT:
        samples = f"batches of {way.batch}, Adam" if way.batch > 1 else "one sample at a time"
        return f"float, {way.loss}, {samples}"
    return f"{way.weight_bits} bit, {way.rounding}"


def widths_chart(trainings: Trainings, epochs: int) -> str:
    """Accuracy over the width of stored weights at the best rate, a line a network and rounding; a line
    across is the network in floating point by the same loss. SVG."""
    same = {"overlap": "none", "batch": 1, "loss": MARGIN, "epochs": epochs}
    kept = [one for one in trainings.of(**same) if one.way.weight_bits]
    networks = list(dict.fromkeys(one.way.network for one in kept))
    roundings = sorted({one.way.rounding for one in kept})
    colours = hues([name.rpartition("-")[2] for name in networks])
    with style("closnets-fpl2018-widths"):
        figure = Figure(figsize=(9.2, 4.4), layout="constrained")
        axes = figure.subplots()
        for network in networks:
            label = network.rpartition("-")[2]
            for place, rounding in enumerate(roundings):
                own = [one for one in kept if (one.way.network, one.way.rounding) == (network, rounding)]
                widths = sorted({one.way.weight_bits for one in own})
                bests = [trainings.best(**vars(own[0].way) | {"weight_bits": bits}) for bits in widths]
                line = [one for one in bests if one.mean > LOWEST]
                axes.errorbar(
                    [one.way.weight_bits for one in line],
                    [one.mean * 100 for one in line],
                    yerr=[one.standard_error * 100 for one in line],
                    label=f"{label}, {rounding}",
                    color=colours[label],
                    marker=MARKERS[place],
                    linestyle="-" if place == 0 else "--",
                    capsize=2.5,
                )
            level = trainings.best(network=network, rounding=FLOAT, **same).mean * 100
            axes.axhline(level, color=colours[label], linewidth=0.9, linestyle=":", label=f"{label}, float")
        axes.set_ylim(bottom=LOWEST * 100)
        axes.set_xticks(sorted({one.way.weight_bits for one in kept}))
        axes.set_xlabel("bits of a stored weight")
        axes.set_ylabel("accuracy on the test images, %")
        axes.legend(fontsize=8.5, loc="lower right")
        return svg(figure)
