"""What the comparison of the CSC paper says in words: the claims with their verdicts, and the summary.

Every sentence is computed from the results.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports import formatting as f
from reports.claims import Claim, FactorRule, judge_losses
from reports.side_by_side import SideBySide
from reports.studies.csc_dac2019.points import (
    BASELINES,
    PLACES,
    REFERENCE,
    Sides,
    settings_of,
    technologies_of,
)

# The claims.


def judge(sides: Sides, claims: Mapping[str, Any], rule: FactorRule) -> Iterator[Claim]:
    """Every claim of the paper beside what was measured."""
    factor = claims["hardware"]["factor"]
    for technology in technologies_of(sides):
        settings = list(settings_of(sides, technology))
        for label, metric in _claimed_metrics(settings[0]).items():
            found = [_ratio(side, metric, side.baseline) for side in settings]
            others = [_ratio(side, metric, _other(side)) for side in settings]
            yield Claim(
                claim=f"{label}: about {factor:g}× for pruned over CSC",
                topic=label,
                where=PLACES[technology],
                baseline=_names([side.baseline for side in settings]),
                measured=_at_compressions(found, settings),
                verdict=rule.judge(min(found)),
                other=(
                    f"{_names([_other(side) for side in settings])}: {_at_compressions(others, settings)} "
                    f"({rule.judge(min(others))})"
                ),
                why=_why(settings[0], metric),
            )
    yield from _claims_of_networks(sides, claims)


def _claimed_metrics(side: SideBySide) -> dict[str, str]:
    """What the paper claims a factor of, and the figure that it is held against."""
    if side.is_asic:
        return {"power": "power_w", "energy": "energy_j", "area": "size"}
    return {
        "power": "power_w",
        "power without static power": "dynamic_power_w",
        "energy": "energy_j",
        "energy without static power": "dynamic_energy_j",
        "resources": "size",
    }


def _ratio(side: SideBySide, metric: str, design: str) -> float:
    value = side.size_ratio(design) if metric == "size" else side.ratio(metric, design)
    return math.nan if value is None else value


def _other(side: SideBySide) -> str:
    """The pruned design that is not the baseline."""
    return next(name for name in BASELINES if name != side.baseline)


def _names(designs: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(designs))


def _at_compressions(values: Sequence[float], settings: Sequence[SideBySide]) -> str:
    pairs = zip(values, settings, strict=True)
    return ", ".join(f"{f.ratio(value)} at {side.compression:.1f}×" for value, side in pairs)


def _why(side: SideBySide, metric: str) -> str:
    """What drives a ratio at the first compression."""
    name = side.baseline
    if metric in ("power_w", "dynamic_power_w"):
        energy = "energy_j" if metric == "power_w" else "dynamic_energy_j"
        times = f.ratio(side.ratio("latency_s", name))
        text = f"{f.ratio(side.ratio(energy, name))} the energy over {times} the time"
        if metric == "power_w" and not side.is_asic:
            mine = side.results[REFERENCE]
            share = f.percent(mine.cost("leakage_w") / mine.cost("power_w"), 0)
            text += f"; {share} of the power of CSC is the static power of the device, whatever runs on it"
        return text
    if metric == "size" and not side.is_asic:
        parts = ", ".join(
            f"{label} {f.ratio(value)}"
            for label, metric in (("LUT", "lut"), ("FF", "ff"), ("BRAM36 tiles", "bram_tiles"))
            if (value := side.ratio(metric, name)) is not None
        )
        return f"{parts}; in LUTs: {side.drivers('lut', name)}"
    return f"more than CSC: {side.drivers('area_mm2' if metric == 'size' else 'energy_j', name)}"


def _claims_of_networks(sides: Sides, claims: Mapping[str, Any]) -> Iterator[Claim]:
    settings = list(settings_of(sides, technologies_of(sides)[0]))
    first, allowed = settings[0], claims["networks"]["accuracy_loss_points"]
    dense = first.results["dense"].accuracy or 0.0
    losses = [dense - (side.results[REFERENCE].accuracy or 0.0) for side in settings]
    pruned = [dense - (side.results[side.baseline].accuracy or 0.0) for side in settings]
    low, high = claims["networks"]["compression"]
    yield Claim(
        claim=f"accuracy: compression of {low}× to {high}× costs at most {allowed} %",
        topic="accuracy",
        where="MNIST, 8 bit",
        baseline=f"the dense network, {f.percent(dense, 2)}",
        measured=_losses(losses, settings),
        verdict=judge_losses(losses, allowed / 100),
        other=f"pruned: {_losses(pruned, settings)}",
        why=f"both compressions lie in the claimed range; {high}× itself and AlexNet are not run here",
    )
    bits, index = first.results[first.baseline].stored_bits, first.results[REFERENCE].stored_bits.index
    yield Claim(
        claim="indices: the weights need none",
        topic="indices",
        where="every technology",
        baseline=first.baseline,
        measured=f"{f.stored(index)}",
        verdict="holds" if index == 0 else "does not hold",
        other=f"pruned: {f.stored(bits.index)} beside {f.stored(bits.weight)} of weights",
        why="the address of a CSC tap is a counter and a stride around a ring",
    )


def _losses(losses: Sequence[float], settings: Sequence[SideBySide]) -> str:
    pairs = zip(losses, settings, strict=True)
    return ", ".join(f"{f.points(-loss)} at {side.compression:.1f}×" for loss, side in pairs)


# The summary.


def summary(sides: Sides, judged: Sequence[Claim]) -> Iterator[str]:
    """The findings, the verdicts first."""
    for technology in technologies_of(sides):
        side = next(settings_of(sides, technology))
        yield f"{PLACES[technology]}: {_verdicts(technology, judged)}. {_measured(side)}"
    side = next(settings_of(sides, technologies_of(sides)[0]))
    yield _index(side)
    yield from _data(side)
    yield _route(sides)
    yield _others(side)
    yield _accuracy(side, sides)


def _verdicts(technology: str, judged: Sequence[Claim]) -> str:
    """`"about 2×" holds for energy, holds partly for area, does not hold for power`."""
    said = {"holds": "holds for", "partly": "holds partly for", "does not hold": "does not hold for"}
    of = {
        verdict: [
            claim.topic for claim in judged if claim.where == PLACES[technology] and claim.verdict == verdict
        ]
        for verdict in said
    }
    return "“about 2×” " + "; ".join(f"{said[v]} {_listed(topics)}" for v, topics in of.items() if topics)


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1])] * (len(words) > 1) + [words[-1]])


def _measured(side: SideBySide) -> str:
    return (
        f"At {side.compression:.1f}× compression the strongest pruned design ({side.baseline}) takes "
        f"{_costs(side, side.baseline)} of CSC; the other one ({_other(side)}) takes "
        f"{_costs(side, _other(side))}."
    )


def _costs(side: SideBySide, design: str) -> str:
    """`1.90× the energy, 1.17× the power, 1.61× the area and 1.62× the time`."""
    size = "area" if side.is_asic else "resources"
    dynamic = (
        "" if side.is_asic else f" ({f.ratio(side.ratio('dynamic_power_w', design))} without static power)"
    )
    return (
        f"{f.ratio(side.ratio('energy_j', design))} the energy, {f.ratio(side.ratio('power_w', design))} the "
        f"power{dynamic}, {f.ratio(side.size_ratio(design))} the {size} and "
        f"{f.ratio(side.ratio('latency_s', design))} the time"
    )


def _index(side: SideBySide) -> str:
    """What the index is by itself, and what else makes the difference."""
    name = side.baseline
    result = side.results[name]
    share = side.groups("energy_j", name).get("index memory", 0.0) / result.cost("energy_j")
    return (
        f"An index makes the stored network {f.ratio(result.stored_bits.total / result.stored_bits.weight)} "
        f"as large ({f.stored(result.stored_bits.index)} beside {f.stored(result.stored_bits.weight)} of "
        f"weights), and its memory takes {f.percent(share, 0)} of the energy of {name} in "
        f"{PLACES[side.technology]}. All that {name} takes more than CSC there is: "
        f"{side.drivers('energy_j', name, 5)}."
    )


def _data(side: SideBySide) -> Iterator[str]:
    """What a product costs in each design: the data decide, since an operand that does not change moves
    nothing."""
    spent = {
        name: math.fsum(
            term.value
            for term in result.terms("energy_j")
            if term.component == "pe" and term.what in ("gates", "registers", "glitches")
        )
        / result.counts.products
        for name, result in side.results.items()
        if result.counts.products
    }
    energies = {name: energy for name, energy in spent.items() if energy}
    if not energies:
        return
    least, most = min(energies, key=energies.__getitem__), max(energies, key=energies.__getitem__)
    shown = ", ".join(f"{f.scaled(energy, 'J')} in {name}" for name, energy in energies.items())
    yield (
        f"What switches in a PE follows its data: a product takes {shown} in {PLACES[side.technology]}. A "
        "layer that multiplies the image itself meets mostly blank pixels, a support layer inside a cascade "
        f"hardly any zeros; the spread from {least} to {most} is {f.ratio(energies[most] / energies[least])}."
    )


def _route(sides: Sides) -> str:
    """What CSC pays to read P words at a rotating place."""
    texts = []
    for technology in technologies_of(sides):
        side = next(settings_of(sides, technology))
        metric, what = ("energy_j", "energy") if side.is_asic else ("lut", "LUTs")
        shares = []
        for name in (REFERENCE, *BASELINES):
            groups = side.groups(metric, name)
            share = groups.get("address and route", 0.0) / (math.fsum(groups.values()) or 1.0)
            shares.append(f"{f.percent(share, 0)} of the {what} of {name}")
        texts.append(f"{_listed(shares)} in {PLACES[technology]}")
    return f"Addresses and the route of the activations to the PEs take: {'; '.join(texts)}."


def _others(side: SideBySide) -> str:
    gain = (side.results["clos"].accuracy or 0.0) - (side.results[REFERENCE].accuracy or 0.0)
    return (
        f"Clos, the other pattern known beforehand, takes {_costs(side, 'clos')} of CSC in "
        f"{PLACES[side.technology]}, at {f.points(gain)} of accuracy. The dense network takes "
        f"{_costs(side, 'dense')} of CSC."
    )


def _accuracy(side: SideBySide, sides: Sides) -> str:
    dense = side.results["dense"].accuracy
    parts = [
        f"at {each.compression:.1f}× CSC has {f.percent(each.results[REFERENCE].accuracy, 2)}, pruned "
        f"{f.percent(each.results[each.baseline].accuracy, 2)} and Clos "
        f"{f.percent(each.results['clos'].accuracy, 2)}"
        for each in settings_of(sides, side.technology)
    ]
    return (
        f"Accuracy on all test images with 8-bit integers: dense {f.percent(dense, 2)}; {'; '.join(parts)}."
    )
