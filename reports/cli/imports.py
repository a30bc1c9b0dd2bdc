"""The command that brings in a network from elsewhere: import."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.group import answer, json_option, main


def _words(value: str | None) -> str | list[str] | None:
    """One name, or several with commas between them."""
    if value is None or "," not in value:
        return value
    return [word.strip() for word in value.split(",")]


@main.command("import")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Network file to write.")
@click.option(
    "--inputs",
    type=click.Path(path_type=Path),
    help="Inputs (k, n_in) in an .npy or .npz file: scales, samples.",
)
@click.option(
    "--labels", type=click.Path(path_type=Path), help="Classes (k,) of the inputs, in such a file: accuracy."
)
@click.option("--name", help="What to call the network.  [default: as the source]")
@click.option(
    "--layout", metavar="out_in|in_out", help="Whether matrices are (n_out, n_in) or (n_in, n_out)."
)
@click.option(
    "--activations", metavar="NAME[,NAME...]", help="relu or none: between layers, or after each of them."
)
@click.option("--order", metavar="NAME,NAME...", help="The layers in the order in which data meets them.")
@click.option(
    "--input-range",
    nargs=2,
    type=float,
    metavar="LOW HIGH",
    help="Least and largest input, where none are given.",
)
@click.option(
    "--codebook-bits",
    type=int,
    metavar="BITS",
    help="Have k-means make the weights of each stage 2^BITS - 1 different ones, for a codebook.",
)
@json_option
def import_command(
    sources: tuple[Path, ...],
    out: Path,
    inputs: Path | None,
    labels: Path | None,
    name: str | None,
    layout: str | None,
    activations: str | None,
    order: str | None,
    input_range: tuple[float, float] | None,
    codebook_bits: int | None,
    as_json: bool,
) -> None:
    """Bring in a network: weights in files of NumPy, SciPy, Matrix Market and others that are known, or a
    network file to be looked at anew. Several SOURCEs are one matrix each, in the order of the data.

    Says what was found layer by layer, and writes a network file that a design point can name.
    """
    from reports.views.imports import import_tables, import_values
    from workloads import import_network
    from workloads.files import check_file

    check_file(out)
    network = import_network(
        sources[0] if len(sources) == 1 else list(sources),
        inputs=inputs,
        labels=labels,
        name=name,
        layout=layout,
        activations=_words(activations),
        order=None if order is None else [word.strip() for word in order.split(",")],
        input_range=input_range,
        codebook_bits=codebook_bits,
    )
    network.save(out)
    answer(as_json, lambda: import_values(network) | {"file": str(out)}, lambda: import_tables(network))
    if not as_json:
        click.echo(f"Written to {out}, which a design point can name as its network")
