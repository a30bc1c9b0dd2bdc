"""The page about design points in words, and what its figures rest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from archsim.comparison import of_task
from archsim.costs.metrics import metric_of
from archsim.explore.point import Point
from reports import formatting as f
from reports.points.data import ENGINE, TRAINS, Content, axes_of
from reports.tables import Table
from reports.views.results import FIT_ERROR, TECHNOLOGY_ERROR

MOST_REASONS = 20
_SUPERLATIVES = {
    "energy_j": "takes the least energy",
    "area_mm2": "is the smallest",
    "lut": "takes the fewest LUTs",
    "latency_s": "is the fastest",
}
LIMIT_OF_ERRORS = (
    "Ends between which the truth is taken to lie come from comparisons of a technology with real cells, "
    "memories, nodes and power reports; what nobody compared is taken as it is"
)


def summary(content: Content) -> list[str]:
    """What came of the points, in sentences with the numbers in them."""
    return [
        _counted(content),
        *(_of_technology(content, name) for name in content.technologies),
        *_spread(content),
        *_clocks(content),
        *_uncertain(content),
        *_without_parts(content),
        *_refused(content),
    ]


def _counted(content: Content) -> str:
    kinds = ((ENGINE, "engine"), ("network", "network"))
    several = [
        f.plural(len({point.fields.get(name) for point in content.points}), word) for name, word in kinds
    ]
    many = len({name.removesuffix(TRAINS) for name in content.technologies})
    several.append("1 technology" if many == 1 else f"{many} technologies")
    fidelities = " and ".join(sorted({point.fidelity for point in content.points}))
    points = f.plural(len(content.points), "design point")
    return f"{points} of {', '.join(several[:-1])} and {several[-1]}, at fidelity {fidelities or 'none'}."


def _of_technology(content: Content, name: str) -> str:
    places = content.technologies[name]
    praised: dict[int, list[str]] = {}
    for metric, words in _SUPERLATIVES.items():
        place = content.best(places, metric)
        if place is not None:
            value = f.metric(metric, content.points[place].figures[metric])
            praised.setdefault(place, []).append(f"{words} ({value})")
    bests = "; ".join(
        f"{_short(content.points[place])} {' and '.join(words)}{_accuracy(content.points[place])}"
        for place, words in praised.items()
    )
    train = [content.points[places[0]].trains]
    objectives = [
        of_task(metric_of(n).label, train) for n in content.objectives(content.fronts[name] or places)
    ]
    front = f"{len(content.fronts[name]):,} of {f.plural(len(places), 'point')}"
    if not bests:
        runs = "is known to run" if any(content.points[place].clock_met for place in places) else "runs"
        return f"{name}: none of {f.plural(len(places), 'point')} {runs} at its clock."
    judged = f" {front} are on the front of {_listed(objectives)}." if objectives else ""
    return f"{name}: {bests}.{judged}"


def _short(point: Point) -> str:
    number, _, rest = point.name.partition(": ")
    return f"point {number} ({rest.rpartition(',')[0] or rest})"


def _accuracy(point: Point) -> str:
    accuracy = point.figures.get("accuracy")
    return "" if accuracy is None else f", accuracy {f.metric('accuracy', accuracy)}"


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1])] * (len(words) > 1) + words[-1:])


def _spread(content: Content) -> Iterator[str]:
    for trains in (False, True):
        points = [point for point in content.points if point.trains == trains]
        energies = [point.figures["energy_j"] for point in points if point.figures.get("energy_j")]
        if len(energies) > 1:
            least, most = min(energies), max(energies)
            ends = f"{f.metric('energy_j', least)} to {f.metric('energy_j', most)}"
            over = "all points" if len(points) == len(content.points) else f.plural(len(points), "point")
            task, factor = of_task("an inference", [trains]), f.significant(most / least)
            yield f"Over {over} the energy of {task} goes from {ends}, a factor of {factor}."


def _clocks(content: Content) -> Iterator[str]:
    many = sum(not point.clock_met for point in content.points)
    if many:
        stands = "asks for a clock that its" if many == 1 else "ask for a clock that their"
        yield (
            f"{f.plural(many, 'point')} {stands} critical path does not allow: marked !, and on no front; "
            "at a slower clock they may be on one."
        )
    unknown = sum("critical_path_s" not in point.figures for point in content.points)
    if unknown:
        yield (
            f"The critical path of {f.plural(unknown, 'point')} is not known, and so not whether the clock "
            "can be had."
        )


def _uncertain(content: Content) -> Iterator[str]:
    """The ends of the energy of the first point that is known with them, of each technology."""
    for name, places in content.technologies.items():
        place = content.best(places, "energy_j")
        if place is None:
            continue
        point = content.points[place]
        ends, fit = point.technology_error().get("energy_j"), point.fit_error().get("energy_j")
        known = [f"between {ends.low:.2f} and {ends.high:.2f} times the figure"] if ends else []
        told = f"On {name} the true energy of point {content.points[place].name.partition(':')[0]} is taken"
        if fit:
            mean, worst = f.percent(fit.mean), f.percent(fit.worst)
            known.append(f"the fit of its logic was {mean} off on average, {worst} at most")
        if known:
            yield f"{told} to lie {'; '.join(known)}." if ends else f"On {name}, {known[0]}."


def _without_parts(content: Content) -> Iterator[str]:
    many = sum(not point.known_by_component for point in content.points)
    if many:
        them = "comes" if many == 1 else "come"
        yield (
            f"{f.plural(many, 'point')} {them} from a store of the first format, which kept no components: "
            "where their figures go is not known, and a sweep with this version tells it."
        )


def _refused(content: Content) -> Iterator[str]:
    if content.refused:
        are = "was" if len(content.refused) == 1 else "were"
        yield f"{f.plural(len(content.refused), 'point')} {are} refused; the reasons are below."


def refusals(content: Content) -> Table:
    """The reasons for which points were refused, the most frequent first."""
    reasons = Counter(str(point.error) for point in content.refused)
    rows = [(reason, many) for reason, many in reasons.most_common(MOST_REASONS)]
    left = sum(reasons.values()) - sum(many for _, many in rows)
    rows += [("other reasons", left)] if left else []
    return Table("Refused points", {"reason": "", "points": "count"}, rows, name="refused")


def errors(content: Content) -> Table:
    """Both errors of the figures of each technology's best point."""
    rows: list[tuple[Any, ...]] = []
    for name, places in content.technologies.items():
        place = content.best(places, "energy_j")
        if place is None:
            continue
        fits, brackets = content.points[place].fit_error(), content.points[place].technology_error()
        for metric in dict.fromkeys([*fits, *brackets]):
            fit, ends = fits.get(metric), brackets.get(metric)
            rows.append(
                (
                    f"{name}, point {content.points[place].name.partition(':')[0]}",
                    of_task(metric_of(metric).label, [content.points[place].trains]),
                    f.fit_error(fit.mean, fit.worst) if fit else None,
                    f.ends(ends.low, ends.high) if ends else None,
                )
            )
    heads = ("technology and point", "figure", FIT_ERROR, TECHNOLOGY_ERROR)
    return Table("How far off the figures may be", heads, rows, name="errors", words=2)


def grounds(content: Content) -> list[tuple[str, str, str]]:
    """What is assumed or fitted of each technology: name, value, source. One that can no more be made, as
    where its file is elsewhere, is left out."""
    from archsim.design import DesignPoint
    from reports.write_up.provenance import assumptions_of
    from workloads.refusal import Refusal

    quantities: list[tuple[str, str, str]] = []
    once = {name.removesuffix(TRAINS): places for name, places in content.technologies.items()}
    for name, places in once.items():
        try:
            technology = DesignPoint(**_design(content.points[places[0]])).technology
        except Refusal:
            continue
        quantities += [(a.name, a.value, a.source) for a in assumptions_of({name: technology})]
    return quantities


def _design(point: Point) -> dict[str, Any]:
    from archsim.explore.spec import nested

    return nested(point.fields)


def marked_table(content: Content) -> Table:
    """The marked designs, each with the least energy of the points of its technology that are as accurate."""
    rows: list[tuple[Any, ...]] = []
    for name, places in content.technologies.items():
        for point in (content.points[place] for place in places if content.points[place].mark):
            figures, accuracy = point.figures, point.figures.get("accuracy", 0.0)
            as_good = [p for p in places if content.points[p].figures.get("accuracy", 0.0) >= accuracy]
            best = content.best(as_good, "energy_j")
            least = content.points[best].figures["energy_j"] if best is not None else None
            energy = figures.get("energy_j")
            times = energy / least if energy and least else None
            size = [figures.get("area_mm2"), figures.get("lut")]
            rows.append((point.mark, name, energy, *size, figures.get("accuracy"), least, times))
    columns = {"design": "", "technology": "", "energy": "J", "area": "mm2", "LUT": "count"}
    columns |= {"accuracy": "share", "least energy as accurate": "J", "energy over that": "ratio"}
    return Table("Marked designs, and the points that are as accurate", columns, rows, name="marked", words=2)


def objectives(content: Content) -> str:
    """What fronts are of, in words."""
    names = dict.fromkeys(n for places in content.technologies.values() for n in content.objectives(places))
    return _listed([content.label(metric_of(name).label) for name in names]) if names else "no figure"


def best_table(content: Content) -> Table:
    """The fronts of all technologies, for the files beside the page."""
    from reports.formatting import heading

    places = [place for front in content.fronts.values() for place in front]
    metrics = [m for m in content.metrics if (m.listed and m.unit != "count") or m.name in ("cycles", "lut")]
    columns = {"point": "", **{heading(content.label(metric.brief), ""): metric.unit for metric in metrics}}
    rows = [
        (content.points[place].name, *(content.points[place].figures.get(m.name) for m in metrics))
        for place in places
    ]
    return Table("The fronts", columns, rows, name="front")


def alternatives(content: Content) -> Mapping[str, str]:
    """What each figure shows, for those who do not see it."""
    across, up = (content.label(metric_of(name).label) for name in axes_of(content))
    on = sum(map(len, content.fronts.values()))
    return {
        "front": (
            f"Scatter chart of {f.plural(len(content.points), 'design point')}: {across} across, {up} up, "
            f"a colour an engine, a shape a technology. {f.plural(on, 'point')} that no other of the same "
            "technology is better than are joined by a line. The table below holds the same figures."
        ),
        "roofline": (
            "Roofline chart: multiply-accumulates a second over multiply-accumulates for each byte that the "
            "memories of weights and indices bring, both logarithmic. Lines are what the engines could reach "
            "at most: one product a cycle in each multiplier, or as much as their memories bring."
        ),
        "run": "Time line of a run: for each unit the cycles in which it is busy, stalled or waiting.",
        "parts": "Stacked bars: of the best points of each technology the share of each group of components.",
        "waterfall": "Waterfall chart: from the figure of one point to that of another, a step a component.",
    }


def versions(content: Content) -> list[str]:
    """The versions of archsim that costed the points."""
    return sorted({point.version for point in content.points + content.refused})
