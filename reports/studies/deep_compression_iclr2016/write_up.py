"""Puts the reproduction of Deep Compression together: predictions beside published figures, and the words for
them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports import formatting as f
from reports.claims import Claim, MatchRule
from reports.prediction_chart import chart
from reports.predictions import (
    EXPLAINED_FROM,
    GROUNDS,
    PREDICTION_HEADS,
    Kind,
    Prediction,
    assumed,
    by_sign,
    claim,
    prediction_table,
    stated_assumptions,
    tally,
)
from reports.report import Report, ReportTable, Section
from reports.studies.deep_compression_iclr2016.networks import NAME, PRUNED_NETWORK, Measured, StoredNetwork
from reports.studies.deep_compression_iclr2016.storage import FLOAT_BITS, StoredLayer

LIMITS = (
    "Storage only: the network stored here was pruned without retraining and its shared values were not "
    "trained, so no accuracy is claimed for it. The authors retrained after both steps.",
    "The published kept shares are rounded to a percent, which alone moves the rate of a layer by up to 6 %.",
    "Biases are left out; the zoo's networks have none, and the published table does not name them.",
)


def write_up(measured: Measured, content: Mapping[str, Any]) -> Report:
    """The report. `content` is the study's data file."""
    layers, total = _layer_rows(measured, content), _total_rows(measured, content)
    rows = (*layers, *total)
    rule = MatchRule(**content["rule"])
    assumptions = stated_assumptions(content)
    widths = content["parameters"]
    return Report(
        name=NAME,
        title="Deep Compression: what a pruned LeNet-300-100 takes to store",
        question=(
            "Do the project's own relative indices, with their padding, and a Huffman code arrive at the "
            "published factors of compression?"
        ),
        setup=(
            f"LeNet-300-100 pruned to the published share of each layer, {widths['weight_bits']}-bit codes "
            f"of shared weights and {widths['index_bits']}-bit relative indices; pq: pruned and quantised, "
            "pqh: Huffman coded too. Bits are means over all stored entries, padding among them."
        ),
        citation=" ".join(content["citation"].split()),
        summary=tuple(_summary(measured, rows, content)),
        sections=(
            Section(
                "Stored bits",
                tables=(
                    prediction_table("layers", "Layer by layer, table 2 of the paper", "layer", layers),
                    prediction_table("total", "The whole network, tables 1 and 2", "network", total),
                ),
                charts=(chart("stored-bits", rows),),
            ),
            Section(
                "Where the bits go",
                paragraphs=(_padding_words(measured, content),),
                tables=(_parts_table(measured),),
            ),
            Section(
                "How much the choices matter",
                paragraphs=(
                    "Each line changes one thing. The first follows the paper where it speaks, and the "
                    "project's own format where it does not.",
                ),
                tables=(_variants_table(measured, content),),
            ),
        ),
        claims=tuple(_claims(total, measured, content, rule)),
        rule=f"Rule: {rule}. {assumed(assumptions)}",
        limits=(f"How the published figures were read: {' '.join(content['how_read'].split())}.", *LIMITS),
        assumptions=assumptions,
        designs={},
        command=f"archsim reproduce {NAME}",
        figures={
            "study": NAME,
            "predictions": [row.plain() for row in rows],
            "networks": {
                name: [vars(layer) for layer in network.layers]
                for name, network in {
                    "predicted": measured.predicted,
                    PRUNED_NETWORK: measured.zoo_pruned,
                    **measured.variants,
                }.items()
            },
        },
        claim_heads=PREDICTION_HEADS,
        grounds=GROUNDS,
    )


# The predictions.


def _layer_rows(measured: Measured, content: Mapping[str, Any]) -> list[Prediction]:
    rows = []
    for layer in measured.predicted.layers:
        said = content["layers"][layer.name]
        figures = {
            "rate pq": (layer.bits / _dense_bits(layer), said["rate_pq"], "share"),
            "bits a weight, pqh": (_mean(layer.huffman_weight_bits, layer), said["weight_bits_pqh"], "bit"),
            "bits an index, pqh": (_mean(layer.huffman_index_bits, layer), said["index_bits_pqh"], "bit"),
            "rate pqh": (layer.huffman_bits / _dense_bits(layer), said["rate_pqh"], "share"),
        }
        rows += [
            _row(layer.name, figure, predicted, published, unit, why=_layer_why(layer, figure))
            for figure, (predicted, published, unit) in figures.items()
        ]
    return rows


def _total_rows(measured: Measured, content: Mapping[str, Any]) -> list[Prediction]:
    network, said = measured.predicted, content["total"]
    entries, dense = network.total("entries"), network.total("dense") * FLOAT_BITS
    biases = content["biases"] * FLOAT_BITS
    mean_weight = network.total("huffman_weight_bits") / entries
    lengths = [layer["weight_bits_pqh"] for layer in content["layers"].values()]
    outside = not min(lengths) <= said["weight_bits_pqh"] <= max(lengths)
    spread = (
        f"the published mean over the layers, {said['weight_bits_pqh']:g} bit, lies outside of what is "
        f"published for the layers themselves, {min(lengths):g} to {max(lengths):g} bit"
    )
    general = "the kept weights and their places depend on the training, which was not the authors'"
    rows: tuple[tuple[str, float, str, str, Kind, str], ...] = (
        (
            "factor by pruning",
            network.total("dense") / network.total("kept"),
            "prune_factor",
            "times",
            "arithmetic",
            "",
        ),
        ("factor pq", dense / network.total("bits"), "factor_pq", "times", "predicted", ""),
        ("rate pq", network.total("bits") / dense, "rate_pq", "share", "arithmetic", ""),
        ("bits a weight, pqh", mean_weight, "weight_bits_pqh", "bit", "predicted", spread if outside else ""),
        (
            "bits an index, pqh",
            network.total("huffman_index_bits") / entries,
            "index_bits_pqh",
            "bit",
            "predicted",
            "",
        ),
        ("factor pqh", dense / network.total("huffman_bits"), "factor_pqh", "times", "predicted", ""),
        ("rate pqh", network.total("huffman_bits") / dense, "rate_pqh", "share", "arithmetic", ""),
        ("size before", (dense + biases) / 8, "size_ref_byte", "byte", "arithmetic", ""),
        (
            "size after, pqh",
            network.total("huffman_bits") / 8,
            "size_compressed_byte",
            "byte",
            "arithmetic",
            "",
        ),
    )
    return [
        _row("all", figure, predicted, said[key], unit, why=why, general=general, kind=kind)
        for figure, predicted, key, unit, kind, why in rows
    ]


def _row(
    place: str,
    figure: str,
    predicted: float,
    published: float,
    unit: str,
    *,
    why: str,
    general: str = "",
    kind: Kind = "predicted",
) -> Prediction:
    """A row; a layer's explanation and the general one are given only where the difference asks for one."""
    far = abs(predicted / published - 1) >= EXPLAINED_FROM
    always = why if place == "all" else ""
    return Prediction(
        place=place,
        figure=figure,
        predicted=predicted,
        published=published,
        unit=unit,
        exactness="exact",
        kind=kind,
        why=always or ((why or general) if far else ""),
    )


def _layer_why(layer: StoredLayer, figure: str) -> str:
    if figure.startswith("rate"):
        return (
            f"the layer stores {f.percent(layer.padding / layer.kept)} of padding entries beside its kept "
            f"weights, and its codebook is {f.percent(layer.codebook_bits / layer.bits)} of its bits; the "
            "paper itemises neither"
        )
    what = "codes" if "weight" in figure else "distances"
    return (
        f"the length of a Huffman code follows how unevenly the {what} are spread, and with them the "
        "training, which was not the authors'"
    )


def _dense_bits(layer: StoredLayer) -> int:
    return layer.dense * FLOAT_BITS


def _mean(bits: int, layer: StoredLayer) -> float:
    return bits / layer.entries


# Other tables.


def _parts_table(measured: Measured) -> ReportTable:
    rows, values = [], []
    for label, network in (
        ("pruned to the published shares", measured.predicted),
        (f"{PRUNED_NETWORK}, retrained", measured.zoo_pruned),
    ):
        for layer in network.layers:
            line = (
                layer.kept / layer.dense,
                layer.padding / layer.kept,
                layer.codebook_bits / layer.bits,
                layer.bits / _dense_bits(layer),
                layer.huffman_bits / _dense_bits(layer),
            )
            lengths = _mean(layer.huffman_weight_bits, layer), _mean(layer.huffman_index_bits, layer)
            values.append((label, layer.name, layer.kept, *line, *lengths))
            rows.append(
                (
                    label,
                    layer.name,
                    f.count(layer.kept),
                    *(f.percent(share, 2) for share in line),
                    *(f"{bits:.2f} bit" for bits in lengths),
                )
            )
    return ReportTable(
        name="parts",
        title="Kept weights, padding and codebooks of two networks",
        columns=(
            "network",
            "layer",
            "kept",
            "share kept",
            "padding a kept weight",
            "codebook in pq",
            "rate pq",
            "rate pqh",
            "weight, pqh",
            "index, pqh",
        ),
        rows=tuple(rows),
        values=tuple(values),
        words=2,
        note=(
            f"{PRUNED_NETWORK} was pruned while it was trained, with one budget for all layers: its shares "
            "are its own, so its rates do not compare with the paper's layer by layer."
        ),
    )


def _factors(network: StoredNetwork, more_bits: int = 0) -> tuple[float, float]:
    """Factors pq and pqh with so many bits more."""
    dense = network.total("dense") * FLOAT_BITS
    return dense / (network.total("bits") + more_bits), dense / (network.total("huffman_bits") + more_bits)


def _variants_table(measured: Measured, content: Mapping[str, Any]) -> ReportTable:
    base = measured.predicted
    tables = base.total("code_table_bits")
    plain, coded = _factors(base)
    own = measured.zoo_pruned.total("dense") / measured.zoo_pruned.total("kept")
    lines = {
        "predicted": (plain, coded),
        "codebooks not counted": _factors(base, -base.total("codebook_bits")),
        "Huffman tables counted": (plain, _factors(base, tables)[1]),
        **{name: _factors(network) for name, network in measured.variants.items()},
        f"{PRUNED_NETWORK}, {own:.1f} times fewer weights": _factors(measured.zoo_pruned),
    }
    said = content["total"]["factor_pq"], content["total"]["factor_pqh"]
    return ReportTable(
        name="variants",
        title="Factors of compression, one choice changed at a time",
        columns=("", "factor pq", "factor pqh"),
        rows=(
            *((name, *(f"{value:.1f}×" for value in pair)) for name, pair in lines.items()),
            ("published", *(f"{value:g}×" for value in said)),
        ),
        values=(*((name, *pair) for name, pair in lines.items()), ("published", *said)),
        marked=frozenset({0, len(lines)}),
    )


# Words.


def _padding_words(measured: Measured, content: Mapping[str, Any]) -> str:
    network, bits = measured.predicted, content["parameters"]
    bare = network.total("kept") * (bits["weight_bits"] + bits["index_bits"])
    dense = network.total("dense") * FLOAT_BITS
    padding = network.total("padding") / network.total("kept")
    scattered = measured.variants["kept weights scattered evenly"]
    even = scattered.total("padding") / scattered.total("kept")
    widest = max(network.layers, key=lambda layer: layer.unused_inputs)
    return (
        f"The kept weights alone, at {bits['weight_bits']} + {bits['index_bits']} bit, would give "
        f"{dense / bare:.1f}×. Padding adds {f.percent(padding)} of entries and codebooks "
        f"{f.percent(network.total('codebook_bits') / bare)} of bits, which leaves "
        f"{dense / network.total('bits'):.1f}×. Were the same weights scattered evenly, padding would be "
        f"{f.percent(even)}: "
        + by_sign(
            padding,
            even,
            more=f"pruning leaves wide gaps, {widest.unused_inputs} of {widest.inputs} inputs of "
            f"{widest.name} keep no weight at all",
            less="pruning leaves the weights closer together than chance would",
        )
        + "."
    )


def _summary(measured: Measured, rows: Sequence[Prediction], content: Mapping[str, Any]) -> Iterator[str]:
    yield tally(rows)
    of = {row.figure: row for row in rows if row.place == "all"}
    yield (
        "; ".join(
            f"{figure}: {of[figure].shown()[0]} predicted, {of[figure].shown()[1]} published "
            f"({of[figure].shown_difference})"
            for figure in ("factor pq", "factor pqh")
        )
        + "."
    )
    yield _padding_words(measured, content)
    pq, pqh = _factors(measured.zoo_pruned)
    kept = measured.zoo_pruned.total("dense") / measured.zoo_pruned.total("kept")
    yield (
        f"The zoo's own pruned network, retrained and {kept:.1f} times smaller by its masks, comes to "
        f"{pq:.1f}× and {pqh:.1f}× in the same format."
    )
    if of["bits a weight, pqh"].why:
        yield f"A published figure that does not fit the others: {of['bits a weight, pqh'].why}."


def _claims(
    rows: Sequence[Prediction], measured: Measured, content: Mapping[str, Any], rule: MatchRule
) -> Iterator[Claim]:
    zoo = dict(zip(("factor pq", "factor pqh"), _factors(measured.zoo_pruned), strict=True))
    said = content["total"]
    texts = {
        "factor pq": f"pruned and quantised: {said['factor_pq']}× smaller",
        "factor pqh": f"with Huffman coding: {said['factor_pqh']}× smaller",
    }
    for row in rows:
        if row.figure in texts:
            yield claim(
                row,
                text=texts[row.figure],
                where="LeNet-300-100",
                rule=rule,
                other=f"{PRUNED_NETWORK}: {zoo[row.figure]:.1f}×",
            )
