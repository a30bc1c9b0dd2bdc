"""The predictions for the edge-parallel network beside the published figures, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.predictions import Kind, Prediction
from reports.studies.dey_reconfig2018.figures import Measured, training_products


def place(number: int) -> str:
    """The name of a junction, counted from 1."""
    return f"junction {number + 1}"


def clock_rows(measured: Measured, content: Mapping[str, Any]) -> list[Prediction]:
    """Clocks and times of both junctions, without pipeline and with it, and what enters and is stored."""
    clock_hz, said = content["parameters"]["clock_hz"], content["published"]
    rows = []
    for number, ran in enumerate(measured.junctions):
        for way, run in (("no_pipeline", ran.plain), ("as_published", ran.pipelined)):
            label = way.replace("_", " ").replace("no pipeline", "without pipeline")
            clocks, time = said[f"cycles_{way}"], said[f"time_{way}_s"]
            rows += [
                _row(number, f"clocks {label}", run.clocks, clocks["value"], "count", clocks["exactness"]),
                _row(
                    number,
                    f"time {label}",
                    run.clocks / clock_hz,
                    time["value"],
                    "s",
                    time["exactness"],
                    kind="arithmetic",
                ),
            ]
    first = measured.junctions[0]
    pixels = first.junction.n_left * content["assumptions"]["pixel_bits"]["value"] / first.junction.steps
    bits = said["input_bits_per_clock"]
    rows.append(_row(0, "input bits a clock", pixels, bits["value"], "bit", bits["exactness"]))
    weights = sum(ran.plain.weights_read for ran in measured.junctions)
    dense = sum(ran.junction.n_left * ran.junction.n_right for ran in measured.junctions)
    for figure, value, key, unit in (
        ("weights", float(weights), "weights", "count"),
        ("density", weights / dense, "density", "share"),
    ):
        rows.append(
            _row(None, figure, value, said[key]["value"], unit, said[key]["exactness"], kind="arithmetic")
        )
    return rows


def _row(
    number: int | None,
    figure: str,
    predicted: float,
    published: float,
    unit: str,
    exactness: str,
    *,
    why: str = "",
    kind: Kind = "predicted",
) -> Prediction:
    return Prediction(
        place="both junctions" if number is None else place(number),
        figure=figure,
        predicted=predicted,
        published=published,
        unit=unit,
        exactness=exactness,
        kind=kind,
        why=why,
    )


def product_rows(measured: Measured, content: Mapping[str, Any]) -> list[Prediction]:
    """Multipliers of every pass of training, and the DSP blocks that they take."""
    bits, each = content["parameters"]["word_bits"], content["formulas"]["dsp_per_multiplier"]
    own = measured.dsps[bits]
    rows, said_all, mine_all = [], 0, 0
    for number, ran in enumerate(measured.junctions):
        j = ran.junction
        said = {"forward": j.z, "update": j.z + -(-j.z // j.fan_in), "backward": 2 * j.z if number else 0}
        for name, predicted in training_products(j, first=number == 0).items():
            # The degree of parallelism is itself the number of forward multipliers.
            kind: Kind = "arithmetic" if name == "forward" else "predicted"
            if said[name]:
                rows.append(
                    _row(number, f"{name} multipliers", predicted, said[name], "count", "derived", kind=kind)
                )
            said_all, mine_all = said_all + said[name], mine_all + predicted
    forward = sum(ran.plain.products_a_clock for ran in measured.junctions)
    said_forward = sum(ran.junction.z for ran in measured.junctions)
    for figure, predicted, published in (
        ("DSP blocks, forward", forward * own, said_forward * each),
        ("DSP blocks, all passes", mine_all * own, said_all * each),
    ):
        why = _dsp_why(measured, bits, each) if own != each else ""
        rows.append(_row(None, figure, predicted, published, "count", "derived", why=why))
    return rows


def _dsp_why(measured: Measured, bits: int, published_each: int) -> str:
    own, device = measured.dsps[bits], measured.device_dsps
    same = [width for width, taken in measured.dsps.items() if taken == published_each]
    words = (
        f"the published rule counts {published_each} DSP blocks a multiplier, a product of {bits} x {bits} "
        f"bits maps to {own}"
    )
    if same:
        words += f", and {published_each} are what a product of {min(same)} x {min(same)} bits maps to"
    z = sum(ran.junction.z for ran in measured.junctions)
    more = z * published_each > device
    return words + (
        f"; by the published rule the {z} forward multipliers alone take {z * published_each} of the "
        f"device's {device} DSP blocks, so it cannot hold for these parameters"
        if more
        else f"; by the published rule the forward multipliers fit the device's {device} DSP blocks"
    )


def memory_rows(measured: Measured) -> list[Prediction]:
    """Memories of weights, biases and activations."""
    rows = []
    layers = len(measured.junctions) + 1
    for number, ran in enumerate(measured.junctions):
        j, rights = ran.junction, -(-ran.junction.z // ran.junction.fan_in)
        rows += [
            _row(
                number,
                "weight and bias memories",
                ran.plain.products_a_clock + rights,
                j.z + rights,
                "count",
                "derived",
            ),
            _row(number, "words in each", ran.plain.weights_read / j.z, ran.plain.clocks, "count", "derived"),
            _row(
                number,
                "memories of left activations",
                j.z * _copies(number, len(measured.junctions)),
                j.z * (2 * (layers - number) - 1),
                "count",
                "derived",
                kind="fitted",
                why=(
                    "while an input goes forward and its error back, one junction a block of clocks, its "
                    f"activations are kept in {_copies(number, len(measured.junctions))} copies. The "
                    "published formula does not say whether layers count from 0 or from 1; counted from 0 "
                    "it says the same, so the reading was chosen by the match"
                ),
            ),
        ]
    return rows


def _copies(number: int, junctions: int) -> int:
    """Blocks of clocks in which the left activations of a junction are in use: one in which they are written,
    then from their own forward pass on to the update. Forward passes of the junctions from this one on follow
    each other, then the backward ones with the updates."""
    forward, update = number, 2 * junctions - 1 - number
    return update - forward + 2
