"""What is exported: a design point on its engine, what it was run on, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from archsim.clock import FASTEST

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from archsim import DesignPoint, Mapping
    from rtl import LoadWrite, Run, TestBench, VerilogDesign
    from rtl.axi import AxiWrapper


@dataclass(frozen=True, eq=False)
class Subject:
    """A design point, `values` as it stands in the folder with the files beside it, `inputs` and `outputs` of
    shape (n, runs), the runs of the hardware, and what it `kept` after the last."""

    design: DesignPoint
    values: MappingOf[str, Any]
    mapping: Mapping
    inputs: NDArray[np.int64]
    outputs: NDArray[np.int64]
    runs: list[Run]
    kept: list[NDArray[np.int64]]

    @property
    def behind_axi(self) -> bool:
        """Whether there is a wrapper for it: not for an engine that trains, whose samples have labels."""
        return self.design.training is None

    @cached_property
    def clock_hz(self) -> float:
        """The clock in hertz. Raises ClockError for the fastest one where no fit tells it."""
        clock = self.design.clock_hz
        return self.design.simulate("analytic").clock_hz if clock == FASTEST else float(clock)

    @property
    def period_ns(self) -> str:
        """A cycle in ns, to a picosecond, as constraints take it."""
        return f"{1e9 / self.clock_hz:.3f}"

    @cached_property
    def verilog(self) -> VerilogDesign:
        from rtl import to_verilog

        return to_verilog(self.mapping.hardware)

    @cached_property
    def loads(self) -> list[list[LoadWrite]]:
        """What the load port writes for each of the inputs."""
        return [self.mapping.load(x) for x in self.inputs.T]

    @cached_property
    def bench(self) -> TestBench:
        """The test bench of the engine alone."""
        from rtl import make_test_bench

        return make_test_bench(
            self.mapping.hardware,
            self.mapping.images,
            self.loads,
            self.runs,
            self.mapping.words_kept(self.kept),
        )

    @cached_property
    def wrapper(self) -> AxiWrapper:
        from archsim.engine.streams import streams_of
        from rtl.axi import make_axi_wrapper

        return make_axi_wrapper(self.mapping.hardware, self.verilog, streams_of(self.mapping))

    @cached_property
    def axi_bench(self) -> TestBench:
        """The test bench of the engine behind AXI."""
        from rtl.axi import make_axi_bench

        return make_axi_bench(
            self.wrapper,
            self.mapping.hardware,
            self.mapping.images,
            self.inputs.T.tolist(),
            self.loads,
            self.outputs.T.tolist(),
            [run.cycles for run in self.runs],
        )

    @property
    def tops(self) -> tuple[Top, ...]:
        """What can be built: the engine, and the engine behind AXI where there is a wrapper."""
        from rtl.axi import AXI_CLOCK, AXI_MODULE

        hardware = self.mapping.hardware
        wires = {str(wire.name): len(wire) for wire in vars(hardware.ports).values()}
        pins = {"reset": 1} | wires
        engine = Top(self.verilog.top, "clk", pins)
        if not self.behind_axi:
            return (engine,)
        behind = {port.name: port.bits for port in self.wrapper.ports if not port.output}
        return engine, Top(AXI_MODULE, AXI_CLOCK, behind)


@dataclass(frozen=True)
class Top:
    """A module that can be built by itself, its clock, and the bits of its other inputs."""

    name: str
    clock: str
    inputs: MappingOf[str, int]
