"""The speed of training beside PyTorch's: `make bench` prints the tables. Ratios are of medians of one run.

The contestants of a size take turns, with a pause between them in which the threads of the last one go to
sleep, so that whatever else the machine does falls on all alike. Before any is timed, those of one topology
have to give the same outputs and input gradients.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.benchmarks import contestants
from tests.benchmarks.contestants import Contestant, Layer
from workloads import Stage, build_layer, load_mnist, load_recipe
from workloads.kernels.gather import GatherKernel
from workloads.kernels.threads import use_threads
from workloads.training.models.model import Model, initial_weights
from workloads.training.run import Run

THREADS, BATCH, PAUSE_S = 2, 128, 0.02
# Of a stage: x in and y out; then x and dy in and dx out. Of a weight: read forward, read and its gradient
# written backward, and in the update weight, gradient and two moments read, all but the gradient written.
STAGE_READS_OF_INPUT, STAGE_READS_OF_OUTPUT, WEIGHT_ACCESSES = 3, 2, 10

LAYERS: dict[int, list[tuple[str, dict[str, Any]]]] = {
    4096: [
        ("clos", {"ingress": 32, "middle": 160, "egress": 32}),
        ("clos", {"ingress": 64, "middle": 128, "egress": 64}),
        ("csc", {"fan_in": 4}),
        ("csc", {"fan_in": 64}),
        ("csc", {"fan_in": 128}),
        ("csc", {"fan_in": 204}),
    ],
    1024: [
        ("clos", {"ingress": 16, "middle": 40, "egress": 16}),
        ("csc", {"fan_in": 4}),
        ("csc", {"fan_in": 32}),
    ],
}
RIVALS: dict[str, tuple[Callable[[Layer], Contestant], ...]] = {
    "dense": (contestants.torch_dense,),
    "clos": (contestants.torch_blocks, contestants.torch_module),
    "csc": (contestants.torch_rows, contestants.torch_module),
}


@dataclass(frozen=True)
class Machine:
    """What two threads were measured to reach: flops of a large product, and bytes of a large copy."""

    flop_per_s: float
    byte_per_s: float

    def bound_s(self, stages: Sequence[Stage]) -> tuple[float, str]:
        """The least time of a step, and what sets it: 6 flops for every weight and example, or the traffic
        of every array from and to memory once a use. Arrays that stay in a cache can do better than that."""
        stored = sum(stage.stored_weights for stage in stages)
        compute_s = 6 * stored * BATCH / self.flop_per_s
        moved = sum(
            BATCH * (STAGE_READS_OF_INPUT * stage.n_in + STAGE_READS_OF_OUTPUT * stage.n_out)
            for stage in stages
        )
        traffic_s = 4 * (moved + WEIGHT_ACCESSES * stored) / self.byte_per_s
        return max((compute_s, "flops"), (traffic_s, "bytes"))


def new_layer(family: str, size: int, parameters: dict[str, Any]) -> Layer:
    random = np.random.default_rng(0)
    stages = build_layer(family, size, size, **parameters)
    weights = tuple(np.asarray(initial_weights(stage, random), np.float32) for stage in stages)
    x, dy = (random.normal(size=(size, BATCH)).astype(np.float32) for _ in range(2))
    return Layer(stages, weights, x, dy)


def medians_s(steps: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """The median time of each step, taken in turns."""
    times: list[list[float]] = [[] for _ in steps]
    for number in range(rounds + 1):
        for step, taken in zip(steps, times, strict=True):
            time.sleep(PAUSE_S)
            step()
            start = time.perf_counter()
            step()
            if number:
                taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]


def check_alike(rivals: Sequence[Contestant]) -> None:
    """Refuse to time contestants that do not compute the same."""
    (y, dx), *others = (rival.step() for rival in rivals)
    for rival, found in zip(rivals[1:], others, strict=True):
        for expected, array in zip((y, dx), found, strict=True):
            np.testing.assert_allclose(array, expected, rtol=1e-3, atol=1e-3, err_msg=rival.name)


def measured_machine(with_torch: bool) -> Machine:
    a, b = (np.random.default_rng(0).random((4096, n), dtype=np.float32) for n in (4096, 512))
    left, right = (contestants.torch.from_numpy(array) if with_torch else array for array in (a, b))
    source, target = np.zeros(1 << 25, np.float32), np.zeros(1 << 25, np.float32)
    multiply_s, copy_s = medians_s([lambda: left @ right, lambda: np.copyto(target, source)], 9)
    return Machine(2 * a.size * b.shape[1] / multiply_s, 2 * source.nbytes / copy_s)


def step_table(size: int, machine: Machine, with_torch: bool, rounds: int) -> Table:
    """One row a contestant: its time, and how many times as fast it is as the dense one and as its rival."""
    rows: list[tuple[str, Layer, Contestant, bool]] = []
    for family, parameters in [("dense", {}), *LAYERS[size]]:
        layer = new_layer(family, size, parameters)
        rivals = [contestants.archsim(layer)] if family != "dense" or not with_torch else []
        if family == "csc":
            rivals.append(contestants.reference(layer))
        if with_torch:
            rivals += [make(layer) for make in RIVALS[family]]
        check_alike(rivals)
        name = " ".join([family, *(f"{key}={value}" for key, value in parameters.items())])
        rows += [(name, layer, rival, number == 0) for number, rival in enumerate(rivals)]
    times = medians_s([rival.step for _, _, rival, _ in rows], rounds)
    dense_s = times[0]
    table = Table(
        title=f"One step of a {size} x {size} layer, batch {BATCH}, float32, {THREADS} threads each"
    )
    for heading in (
        "layer",
        "by",
        "compression",
        "ms",
        "dense / this",
        "this / archsim",
        "least ms",
        "set by",
    ):
        table.add_column(heading, justify="left" if heading in ("layer", "by", "set by") else "right")
    for (name, layer, rival, is_first), taken in zip(rows, times, strict=True):
        if is_first:
            ours_s = taken
        bound_s, limit = machine.bound_s(layer.stages)
        table.add_row(
            name,
            rival.name,
            f"{size * size / layer.stored:.1f}",
            f"{1e3 * taken:.2f}",
            f"{dense_s / taken:.1f}",
            "" if is_first else f"{taken / ours_s:.1f}",
            f"{1e3 * bound_s:.2f}",
            limit,
            end_section=rival.name == "archsim.torch",
        )
    return table


def epoch_table(name: str, machine: Machine) -> Table:
    """Where the time of one epoch on MNIST goes."""
    recipe = load_recipe(name)
    data = load_mnist()
    run = Run(recipe, data.train_inputs, data.train_labels)
    assert isinstance(run.model, Model)
    spent = dict.fromkeys(("BLAS", "compiled loops", "update"), 0.0)

    inside: list[str] = []

    def timed(part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, its time counted once where one method calls another."""

        def call(*given: Any) -> Any:
            inside.append(part)
            start = time.perf_counter()
            try:
                return work(*given)
            finally:
                inside.pop()
                if not inside:
                    spent[part] += time.perf_counter() - start

        return call

    run.advance()
    for cascade in run.model.cascades:
        for kernel in cascade.kernels:
            part = "compiled loops" if isinstance(kernel, GatherKernel) else "BLAS"
            for method in ("forward", "input_gradient", "weight_gradient", "gradients"):
                setattr(kernel, method, timed(part, getattr(kernel, method)))
    setattr(run.optimiser, "step", timed("update", run.optimiser.step))  # noqa: B010
    start = time.perf_counter()
    for _ in range(run.batches):
        run.advance()
    total_s = time.perf_counter() - start
    spent["shifting and gathering images, ReLU, loss"] = total_s - sum(spent.values())
    table = Table(title=f"One epoch of {name} on MNIST: {run.batches} steps of {recipe.batch}")
    table.add_column("part")
    table.add_column("s", justify="right")
    table.add_column("share", justify="right")
    for part, part_s in [*spent.items(), ("all", total_s)]:
        table.add_row(part, f"{part_s:.2f}", f"{part_s / total_s:.0%}")
    bound_s, limit = machine.bound_s(run.model.topology.stages)
    table.add_row(f"least for products and update, by {limit}", f"{run.batches * bound_s:.2f}", "")
    return table


def main(rounds: int = 9) -> None:
    console = Console(width=120)
    use_threads(THREADS)
    with_torch = contestants.prepare_torch(THREADS)
    if not with_torch:
        console.print("PyTorch is not installed: the dense layer is NumPy's, and nothing else is compared.")
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        console.print("OPENBLAS_NUM_THREADS is not 1: the threads of BLAS and those of archsim will collide.")
    machine = measured_machine(with_torch)
    console.print(
        f"{THREADS} threads reach {machine.flop_per_s / 1e9:.0f} Gflop/s in a large product "
        f"and {machine.byte_per_s / 1e9:.1f} GB/s in a large copy."
    )
    for size in LAYERS:
        console.print(step_table(size, machine, with_torch, rounds))
    for name in ("lenet-300-100-csc", "lenet-300-100-clos"):
        console.print(epoch_table(name, machine))


if __name__ == "__main__":
    main()
