"""The figures of the page as Vega-Lite, described once with Altair: the page draws them with what is chosen,
and the SVG files with what it opens with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workloads.refusal import Refusal

HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8a8a", "#b8a900", "#6f4bb5")
"""The colours of Okabe and Ito, which people who are blind to some colours can tell apart, the yellow darker
so that it is seen on white; then two more. Shapes and words say again what colours say."""

SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
LIGHT = {"ink": "#1d2933", "pale": "#56646f", "line": "#d5dbe0", "paper": "#ffffff"}
_FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"

SIZE = (640, 400)
"""Pixels of the front and the roofline."""

PAPER_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""Of drawings: the first is what the converter carries along, so that they look alike everywhere."""

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]


class FigureError(Refusal):
    """Figures cannot be drawn."""


def altair() -> Any:
    """The plotting library. Raises FigureError where it is not installed."""
    try:
        import altair
        import vl_convert  # noqa: F401  # draws without a browser, and holds the JavaScript
    except ImportError:
        raise FigureError("altair and vl-convert-python are missing, pip install 'archsim[report]'") from None
    return altair


def config(colours: Mapping[str, str]) -> Spec:
    """How all figures look, in these colours."""
    ink, pale, line = colours["ink"], colours["pale"], colours["line"]
    return {
        "background": colours["paper"],
        "font": _FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": ink,
            "titleColor": ink,
            "gridColor": line,
            "domainColor": pale,
            "tickColor": pale,
            "labelFontSize": 12,
            "titleFontSize": 13,
            "titleFontWeight": "normal",
        },
        "legend": {
            "labelColor": ink,
            "titleColor": ink,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "symbolStrokeColor": pale,
        },
        "text": {"color": ink, "fontSize": 12},
        "line": {"color": ink},
    }


def front(engines: Sequence[str], technologies: Sequence[str]) -> Spec:
    """Points by two figures, and the points that no other is better than joined by a line for each
    technology.

    Rows have `x`, `y`, `engine`, `technology`, `front` (whether the line goes through them), `solid` (whether
    they are on that, or on the front of all objectives), `met` (whether the clock can be had), `i` their
    place, and texts `name`, `design`, `x_text`, `y_text`.
    """
    alt = altair()
    pinned = alt.param(name="pinned", value=-1)
    x = alt.X("x:Q", scale=alt.Scale(zero=False, nice=False, padding=12), axis=alt.Axis(tickCount=6))
    y = alt.Y("y:Q", scale=alt.Scale(zero=False, nice=False, padding=12), axis=alt.Axis(tickCount=6))
    hues = alt.Scale(domain=list(engines), range=_several(HUES, len(engines)))
    legend = alt.Legend(orient="top", title="engine", columns=4, symbolStrokeWidth=4)
    colour = alt.Stroke("engine:N", scale=hues, legend=legend)
    filled = alt.Fill("engine:N", scale=hues, legend=legend)
    inside = alt.condition("datum.met", filled, alt.value("transparent"))
    shape = alt.Shape(
        "technology:N",
        scale=alt.Scale(domain=list(technologies), range=_several(SHAPES, len(technologies))),
        legend=alt.Legend(orient="top", title="technology", columns=4),
    )
    told = [
        alt.Tooltip("name:N", title="point"),
        alt.Tooltip("design:N", title="design"),
        alt.Tooltip("x_text:N", title="across"),
        alt.Tooltip("y_text:N", title="up"),
    ]
    base = alt.Chart(alt.NamedData("points"))
    line = (
        base.transform_filter("datum.front")
        .mark_line(interpolate="linear", strokeWidth=1.5, opacity=0.6)
        .encode(x=x, y=y, detail="technology:N", order="x:Q")
    )
    dots = base.mark_point(cursor="pointer").encode(
        x=x,
        y=y,
        stroke=colour,
        fill=inside,
        shape=shape,
        size=alt.condition("datum.i == pinned", alt.value(320), alt.value(75)),
        opacity=alt.condition("datum.solid || datum.i == pinned", alt.value(1), alt.value(0.5)),
        strokeWidth=alt.condition("datum.i == pinned", alt.value(3), alt.value(1.2)),
        tooltip=told,
    )
    layers = alt.layer(line, dots.add_params(pinned), *_marks(base, x, y))
    return _plain(layers.properties(width=SIZE[0], height=SIZE[1]))


def _marks(base: Any, x: Any, y: Any) -> list[Any]:
    """A ring and a name for each point that stands out: such rows have `mark`, and where its name stands
    `label_x`, `label_y` and on which `side` of that."""
    alt = altair()
    named = base.transform_filter("datum.mark")
    tips = [alt.Tooltip(f"{name}:N") for name in ("mark", "name", "x_text", "y_text")]
    ring = named.mark_point(size=240, strokeWidth=2.2, color=LIGHT["ink"], cursor="pointer")
    there = {"x": _at(x, "label_x"), "y": _at(y, "label_y")}
    lines = (
        named.transform_filter("datum.side")
        .mark_rule(color=LIGHT["ink"], strokeWidth=0.8)
        .encode(**there, x2="x", y2="y")
    )
    words = [
        named.transform_filter(f"datum.side == '{side}'")
        .mark_text(align=align, fontWeight="bold", fontSize=12, color=LIGHT["ink"], **look)
        .encode(**there, text="mark:N")
        for look in ({"stroke": LIGHT["paper"], "strokeWidth": 4, "strokeJoin": "round"}, {})
        for side, align in (("right", "left"), ("left", "right"))
    ]
    return [lines, ring.encode(x=x, y=y, tooltip=tips), *words]


def _at(channel: Any, field: str) -> Any:
    """A channel of the same scale and axis for another field."""
    other = channel.copy()
    other.shorthand = f"{field}:Q"
    return other


def roofline(engines: Sequence[str], technologies: Sequence[str]) -> Spec:
    """Points by the MACs for a byte and the MACs a second, under the roofs of their engines: rows as of the
    front, and in `beside` the ends of lines, `x`, `y`, `engine` and `kind` (engine or pinned)."""
    alt = altair()
    pinned = alt.param(name="pinned", value=-1)
    log = alt.Scale(type="log", nice=False, padding=12)
    x = alt.X("x:Q", scale=log, title=None, axis=alt.Axis(tickCount=6, format="~g"))
    y = alt.Y("y:Q", scale=log, title=None, axis=alt.Axis(tickCount=5, format="~s"))
    hues = alt.Scale(domain=list(engines), range=_several(HUES, len(engines)))
    legend = alt.Legend(orient="top", title="engine", columns=4, symbolStrokeWidth=4)
    lines = alt.Chart(alt.NamedData("beside")).encode(x=x, y=y, order="x:Q")
    roofs = lines.transform_filter("datum.kind == 'engine'").mark_line(strokeWidth=2, interpolate="linear")
    own = lines.transform_filter("datum.kind == 'pinned'").mark_line(strokeDash=[6, 4], strokeWidth=2)
    base = alt.Chart(alt.NamedData("points"))
    dots = base.mark_point(cursor="pointer").encode(
        x=x,
        y=y,
        stroke=alt.Stroke("engine:N", scale=hues, legend=legend),
        fill=alt.condition("datum.met", alt.Fill("engine:N", scale=hues), alt.value("transparent")),
        shape=alt.Shape(
            "technology:N",
            scale=alt.Scale(domain=list(technologies), range=_several(SHAPES, len(technologies))),
            legend=None,
        ),
        size=alt.condition("datum.i == pinned", alt.value(320), alt.value(60)),
        opacity=alt.condition("datum.solid || datum.i == pinned", alt.value(1), alt.value(0.5)),
        tooltip=[alt.Tooltip(f"{name}:N") for name in ("name", "design", "x_text", "y_text")],
    )
    coloured = roofs.encode(stroke=alt.Stroke("engine:N", scale=hues, legend=legend))
    layers = alt.layer(coloured, own, dots.add_params(pinned), *_marks(base, x, y))
    return _plain(layers.properties(width=SIZE[0], height=SIZE[1]))


def bars(groups: Sequence[str]) -> Spec:
    """A bar a point, stacked by group of components. Rows have `name`, `place`, `group`, `order`, `value`,
    `text`."""
    alt = altair()
    colour = alt.Color(
        "group:N",
        scale=alt.Scale(domain=list(groups), range=_several(HUES, len(groups))),
        legend=alt.Legend(orient="top", title=None, columns=4),
    )
    chart = (
        alt.Chart(alt.NamedData("points"))
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("value:Q", stack="zero", axis=alt.Axis(tickCount=5)),
            y=alt.Y("name:N", sort=alt.EncodingSortField("place"), title=None, axis=alt.Axis(labelLimit=260)),
            color=colour,
            order="order:Q",
            tooltip=[alt.Tooltip(f"{name}:N") for name in ("name", "group", "text")],
        )
    )
    return _plain(chart.properties(width=640, height=alt.Step(30)))


def waterfall() -> Spec:
    """From one figure to another, a step a component. Rows have `name`, `place`, `start`, `end`, `right`,
    `kind` (total, more or less), `text`."""
    alt = altair()
    base = alt.Chart(alt.NamedData("points")).encode(
        y=alt.Y("name:N", sort=alt.EncodingSortField("place"), title=None, axis=alt.Axis(labelLimit=260))
    )
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["total", "more", "less"], range=[HUES[6], HUES[1], HUES[0]]),
        legend=alt.Legend(orient="top", title=None),
    )
    steps = base.mark_bar().encode(
        x=alt.X("start:Q", axis=alt.Axis(tickCount=5)),
        x2="end:Q",
        color=colour,
        tooltip=[alt.Tooltip("name:N", title="component"), alt.Tooltip("text:N", title="step")],
    )
    words = base.mark_text(align="left", dx=4).encode(x=alt.X("right:Q"), text="text:N")
    return _plain(alt.layer(steps, words).properties(width=640, height=alt.Step(24)))


def run() -> Spec:
    """What each unit of a run does: a bar a part, in the colour of what it does longest but for being idle,
    the paler the shorter. Rows have `name`, `place`, `start`, `end`, `kind` (busy, stalled or waiting),
    `share`, `cycles`, `text`; in `beside` are the first cycles of stages, `start` and `name`."""
    alt = altair()
    kinds = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["busy", "stalled", "waiting"], range=[HUES[0], HUES[1], HUES[4]]),
        legend=alt.Legend(orient="top", title=None),
    )
    bars = (
        alt.Chart(alt.NamedData("points"))
        .mark_bar()
        .encode(
            x=alt.X("start:Q", title="cycle", scale=alt.Scale(nice=False), axis=alt.Axis(tickCount=6)),
            x2="end:Q",
            y=alt.Y("name:N", sort=alt.EncodingSortField("place"), title=None, axis=alt.Axis(labelLimit=160)),
            color=kinds,
            opacity=alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.1, 1]), legend=None),
            tooltip=[alt.Tooltip(f"{name}:N") for name in ("name", "cycles", "text")],
        )
    )
    stages = alt.Chart(alt.NamedData("beside")).encode(x="start:Q")
    lines = stages.mark_rule(strokeDash=[4, 3], color=LIGHT["ink"], opacity=0.7)
    return _plain(alt.layer(bars, lines).properties(width=640, height=alt.Step(18)))


@dataclass(frozen=True)
class Axis:
    """What an axis says, and whether its scale is logarithmic."""

    title: str
    log: bool = False


@dataclass(frozen=True)
class Drawing:
    """A figure in light colours, for papers: `svg` as text, `pdf` as bytes."""

    svg: str
    pdf: bytes


def drawn(
    spec: Spec,
    rows: Rows,
    axes: Mapping[str, Axis],
    description: str,
    *,
    beside: Rows = (),
) -> Drawing:
    """A figure with these rows and axes, by channel, and what lies `beside` the rows."""
    altair()
    import vl_convert

    whole = {
        **with_axes(spec, axes),
        "datasets": {"points": list(rows), "beside": list(beside)},
        "config": config(LIGHT) | {"font": PAPER_FONT},
        "description": description,
        "padding": 8,
    }
    return Drawing(vl_convert.vegalite_to_svg(whole), vl_convert.vegalite_to_pdf(whole))


def with_axes(spec: Spec, axes: Mapping[str, Axis]) -> Spec:
    """A figure with these axes."""
    if "layer" in spec:
        return {**spec, "layer": [with_axes(part, axes) for part in spec["layer"]]}
    encoding = dict(spec["encoding"])
    for channel, axis in axes.items():
        if channel in encoding:
            scale = dict(encoding[channel].get("scale", {}))
            if axis.log:
                scale = {name: value for name, value in scale.items() if name != "zero"} | {"type": "log"}
            encoding[channel] = {**encoding[channel], "title": axis.title, "scale": scale}
    return {**spec, "encoding": encoding}


def script() -> str:
    """Vega, Vega-Lite and Vega-Embed as one text of JavaScript, which fetches nothing."""
    altair()
    import vl_convert

    text: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub asks for what may be left out
    return text.replace("</script", "<\\/script")


def _several(values: Sequence[str], many: int) -> list[str]:
    return [values[place % len(values)] for place in range(many)]


def _plain(chart: Any) -> Spec:
    """A chart as Altair checks and describes it, without the look that it brings."""
    spec: Spec = chart.to_dict()
    return {name: value for name, value in spec.items() if name != "config"}
