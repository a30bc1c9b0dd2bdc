"""Commands about networks and topologies: train, networks, topology, decompose, experiments."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reports.cli.group import (
    Known,
    ListingCommand,
    answer,
    answer_report,
    fidelity_option,
    folder_option,
    going_on,
    json_option,
    kept,
    main,
    refuse,
)

if TYPE_CHECKING:
    from archsim.training import TrainedOn
    from workloads import Recipe


def _recipes() -> Iterable[str]:
    from workloads import recipe_names

    return recipe_names()


def _families() -> Iterable[str]:
    from workloads.families import families

    return sorted(families)


@main.command(cls=ListingCommand)
@click.argument("recipe", type=Known(_recipes, or_file=True))
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: NAME.npz]")
@click.option(
    "--checkpoint-every",
    "every_s",
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    type=click.FloatRange(0),
    help="How often to write a checkpoint.",
)
@click.option(
    "--on",
    "design",
    type=click.Path(path_type=Path),
    help="A design file: train a recipe `on_chip` on its engine, and say what that takes.",
)
@fidelity_option("cycle")
def train(recipe: str, out: Path | None, every_s: float, design: Path | None, fidelity: str) -> int:
    """Train a network by a RECIPE: a name, or a YAML file.

    A checkpoint lies beside the file while the run lasts. A run that was killed or interrupted goes on from
    it when the same command is given again, to the same weights bit for bit.
    """
    from reports import formatting as f
    from workloads import load_recipe, train_to_file
    from workloads.files import check_file
    from workloads.training.checkpoint import checkpoint_beside

    chosen = load_recipe(recipe)
    engine = _on(chosen, design) if design else None
    chosen = engine.recipe if engine else chosen
    target = out or Path(f"{chosen.name}.npz")
    check_file(target)
    try:
        network = train_to_file(chosen, target, every_s=every_s)
    except KeyboardInterrupt:
        kept = checkpoint_beside(target)
        goes_on = f"; the same command goes on from {kept}" if kept.exists() else ""
        return refuse(f"interrupted{goes_on}", 130)
    accuracy = f"accuracy {f.percent(network.accuracy['float'], 2)} in float"
    if "int8" in network.accuracy:
        accuracy += f" and {f.percent(network.accuracy['int8'], 2)} with 8 bits"
    if (share := network.accuracy.get("on_chip")) is not None:
        accuracy += f", {f.percent(share, 2)} in the integers of training"
    if chosen.data == "synthetic":
        accuracy = "random features and labels, so its accuracy means nothing"
    stored = f"{network.stored_weights:,} stored weights"
    if network.stored_biases:
        stored += f" and {network.stored_biases:,} biases"
    click.echo(f"{target}: {stored}, compression {f.ratio(network.compression)}, {accuracy}")
    for remark in getattr(network, "remarks", ()):
        click.echo(f"{target}: {remark}")
    if engine:
        for line in _told_of(engine, target, fidelity):
            click.echo(f"{target}: {line}")
    return 0


def _told_of(engine: TrainedOn, target: Path, fidelity: str) -> Iterator[str]:
    """What a training takes on an engine, a step and all of them."""
    from reports import formatting as f

    sizes, steps = engine.sizes, engine.steps
    first, last = engine.step(target, fidelity)
    ways = f"{sizes.forward_cycles:,} forward, {sizes.backward_cycles:,} backward with the update"
    if sizes.overlapped:
        ways = f"{sizes.backward_cycles:,} for it forward and another one back, with the update"
    yield (
        f"a step of one sample takes {first.interval_cycles:,} cycles on {sizes.pes} PEs: "
        f"{first.load_cycles:,} to load it, {ways}; {1e6 * first.interval_s:,.1f} us at "
        f"{first.clock_hz / 1e6:g} MHz, {steps * first.interval_s:,.3g} s for all {steps:,} steps"
    )
    if "energy_j" in first.missing:
        yield f"what it takes of energy is not known: {first.missing['energy_j']}"
        return
    most, least = (result.cost("energy_j") for result in (first, last))
    yield (
        f"a step takes {f.scaled(most, 'J')} at the beginning, {f.scaled(least, 'J')} at the end; between "
        f"{f.scaled(steps * least, 'J')} and {f.scaled(steps * most, 'J')} for all of them ({fidelity})"
    )


def _on(recipe: Recipe, design: Path) -> TrainedOn:
    """The recipe on the engine of a design file."""
    from archsim import DesignPoint
    from archsim.training import trained_on

    return trained_on(recipe, DesignPoint.from_file(design))


@main.command()
@json_option
def networks(as_json: bool) -> None:
    """List the networks of the zoo."""
    from reports.views.results import network_table
    from workloads import load_network, zoo_names

    zoo = [load_network(name) for name in zoo_names()]
    fields = ("name", "stored_weights", "compression", "accuracy")
    forms = ("accuracy (float)", "(8 bit)", "(4-bit weights)")
    plain = {"networks": [{field: getattr(network, field) for field in fields} for network in zoo]}
    answer(as_json, lambda: plain, lambda: network_table("Networks of the zoo", zoo, forms=forms))


@main.command(cls=ListingCommand)
@click.argument("family", type=Known(_families))
@click.option("--in", "n_in", required=True, type=click.IntRange(1), help="Inputs of the layer.")
@click.option("--out", "n_out", required=True, type=click.IntRange(1), help="Outputs of the layer.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the family: a number, a list like [4,8], or an array in a .npy file.",
)
@click.option("--weights", type=click.IntRange(1), help="Or: choose parameters that store about so many.")
@click.option("--skips", is_flag=True, help="Put an identity connection beside every square stage.")
@json_option
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the wiring to an .svg or .png file.")
def topology(
    family: str,
    n_in: int,
    n_out: int,
    settings: tuple[str, ...],
    weights: int | None,
    skips: bool,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Look at a layer of a FAMILY of topologies: weights, paths, connectivity, parameter efficiency."""
    from reports.views.topology import build, layer_tables, look_at, parse_settings
    from workloads.families import fit_budget

    if settings and weights is not None:
        raise click.UsageError("weights is given with set, allowed is one of the two")
    parameters = parse_settings(settings)
    if weights is not None:
        parameters = fit_budget(family, n_in, n_out, weights)
    layer = build(family, n_in, n_out, parameters, skips=skips)
    if plot is not None:
        from reports.pictures.topology import check_picture, save_picture

        check_picture(plot)
        title = f"{family}, {n_in:,} to {n_out:,}; in red the paths from the first input to the last output"
        save_picture(layer, title, plot)
    view = look_at(family, parameters, layer)
    answer(as_json, view.to_dict, lambda: layer_tables(view))
    if plot is not None and not as_json:
        click.echo(f"The wiring is drawn in {plot}")


@main.command(cls=ListingCommand)
@click.option(
    "--family",
    "families",
    multiple=True,
    type=Known(_families),
    help="A family to try.  [default: all with a grid]",
)
@click.option(
    "--size", "sizes", multiple=True, default=(16,), show_default=True, type=int, help="Inputs and outputs."
)
@click.option(
    "--compression",
    "compressions",
    multiple=True,
    default=(2.0, 4.0),
    show_default=True,
    type=float,
    help="Entries of the matrix for each stored weight.",
)
@click.option("--skips", default="both", show_default=True, type=click.Choice(("off", "on", "both")))
@click.option("--loss", default="both", show_default=True, type=click.Choice(("l1", "l2", "both")))
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1), help="Random matrices each.")
@click.option(
    "--iterations", default=2000, show_default=True, type=click.IntRange(1), help="Most steps of a descent."
)
@folder_option
@json_option
def decompose(
    families: tuple[str, ...],
    sizes: tuple[int, ...],
    compressions: tuple[float, ...],
    skips: str,
    loss: str,
    seeds: int,
    iterations: int,
    out: Path,
    as_json: bool,
) -> None:
    """Bring cascades near random matrices, with no data: errors against stored weights, as tables and a page.

    An interrupted run goes on where it stopped.
    """
    # The matrices are small: threads of BLAS would only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from reports.studies.topologies.decomposition.page import decompose_and_write

    with going_on(kept()):
        report = decompose_and_write(
            families=families,
            sizes=sizes,
            compressions=compressions,
            skips=skips,
            loss=loss,
            seeds=seeds,
            iterations=iterations,
            out=out,
        )
    answer_report(as_json, report, out / report.name)


@main.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the data files.")
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1), help="Trained at once.")
def experiments(out: Path, processes: int) -> None:
    """Train the networks behind the studies of topologies anew (about an hour), and write their data files.

    An interrupted run goes on where it stopped.
    """
    from reports.studies.topologies.experiments import run_and_write
    from workloads.files import check_folder

    check_folder(out)
    with going_on(kept()):
        paths = run_and_write(out, processes=processes)
    for path in paths:
        click.echo(path)
