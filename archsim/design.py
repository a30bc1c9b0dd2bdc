"""A design point: network, engine and technology, written down once and checked; errors are one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping as MappingOf
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer, field_validator

from archsim.costs.errors import fit_errors
from archsim.costs.estimate import EstimateError
from archsim.costs.fidelities import level, refuse_overflow
from archsim.costs.logic import Logic
from archsim.costs.pricing import NOTHING, price
from archsim.costs.result import Result, clock_warnings
from archsim.costs.stimulus import representative, stimulus_name
from archsim.engine import Engine, engines
from archsim.engine.mapping import Mapping
from archsim.inputs import InputFile, with_inputs
from archsim.kinds import OneOf
from archsim.refusals import one_sentence
from archsim.technology import Technology, technologies
from workloads import AnyIntegerNetwork, quantise, read_network
from workloads.importers import AnyNetwork
from workloads.refusal import Refusal

FILES = ("liberty", "power_report")
"""The options of technologies that name a file."""

NO_SAMPLES = (
    "the network carries no samples and the design gives no inputs, so random integers ran: their switching "
    "is not that of real data"
)
"""The warning where nobody knows what the network is made for."""


class DesignError(Refusal):
    """A design point was given a value that is not allowed; the message names field, value and what is."""


class DesignPoint(BaseModel):
    """Network x engine x technology at a clock.

    `network` is a name of the zoo or the path of an .npz file; `engine` an engine or a mapping with its
    `kind`; `clock_hz` in hertz; `technology` a name, a mapping with its `kind`, or a technology; `inputs` the
    path of an .npy or .npz file of what the network is run on, instead of its own samples.
    Raises DesignError for anything else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    network: str
    engine: Annotated[Engine, OneOf(engines)]
    clock_hz: Annotated[float, Field(gt=0, le=10e9, allow_inf_nan=False)] = 100e6
    technology: Annotated[Technology, OneOf(technologies, by_name=True)]
    inputs: str | None = None

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise DesignError(one_sentence(error, type(self))) from None

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return ((name, value) for name, value in super().__repr_args__() if value is not None)

    @field_validator("network", "inputs", mode="before")
    @classmethod
    def _path(cls, value: Any) -> Any:
        return str(value) if isinstance(value, Path) else value

    @field_validator("engine", mode="before")
    @classmethod
    def _engine(cls, value: Any) -> Any:
        if isinstance(value, Engine):
            return value
        options = _with_kind("engine", value, engines)
        kind = engines[options["kind"]]
        try:
            return kind(**options)
        except ValidationError as error:
            raise DesignError(one_sentence(error, kind, within="engine")) from None

    @field_validator("technology", mode="before")
    @classmethod
    def _technology(cls, value: Any) -> Any:
        if isinstance(value, Technology):
            return value
        options = _with_kind("technology", {"kind": value} if isinstance(value, str) else value, technologies)
        try:
            return technologies[options.pop("kind")](**options)
        except Refusal as refused:
            raise DesignError(f"technology.{refused}") from None

    @field_serializer("engine")
    def _engine_as_dict(self, engine: Engine) -> dict[str, Any]:
        return engine.model_dump()

    @field_serializer("technology")
    def _technology_as_dict(self, technology: Technology) -> dict[str, Any]:
        return {"kind": technology.kind, **technology.options()}

    def replace(self, **changes: Any) -> DesignPoint:
        """The same design point with some fields changed, checked anew."""
        return DesignPoint(**{name: getattr(self, name) for name in type(self).model_fields} | changes)

    def simulate(self, fidelity: str = "cycle") -> Result:
        """What this design point costs.

        `fidelity` is analytic (closed form), cycle (event simulation), rtl (the hardware itself) or gate
        (its mapped netlist). Raises FidelityError for an unknown fidelity, DeviceError for a device that is
        too small, MappingError where the engine cannot run the network.
        """
        chosen, mapping, technology = level(fidelity), self.mapping, self.technology
        counts = chosen.count(mapping)
        logic, missing = self._logic(fidelity)
        bill = price(counts, mapping.sizes, logic, technology, self.clock_hz) if logic else NOTHING
        refuse_overflow(technology, bill.total_resources)
        trained, widths = self.trained, (self.engine.weight_bits, self.engine.activation_bits)
        accuracy = trained.accuracy.get("int8") if widths == (8, 8) else None
        path_s = logic.critical_path_s if logic else None
        stimulus = self._stimulus(fidelity, follows=technology.follows_switching and logic is not None)
        return Result(
            fidelity=fidelity,
            exact=counts.exact,
            clock_hz=self.clock_hz,
            counts=counts,
            bill=bill,
            stored_weights=trained.stored_weights,
            stored_bits=mapping.stored_bits,
            compression=trained.compression,
            accuracy=accuracy,
            critical_path_s=path_s,
            design=self.model_dump() | {"engine": mapping.engine.model_dump()},
            warnings=(
                *self._warnings(path_s, accuracy, estimated=logic is not None and logic.kind == "fitted"),
                *(logic.assumptions if logic else ()),
                *((NO_SAMPLES,) if stimulus and not mapping.network.samples else ()),
            ),
            assumed=_assumed(technology),
            fit_error=fit_errors(bill, logic, technology) if logic else {},
            brackets=technology.brackets,
            critical_path=logic.critical_path if logic else (),
            missing=missing,
            stimulus=stimulus,
        )

    def _logic(self, fidelity: str) -> tuple[Logic | None, MappingOf[str, str]]:
        """The logic at a fidelity, None where nobody calibrated it, and the costs that are then missing with
        the reason."""
        technology = self.technology
        try:
            logic = level(fidelity).logic(self.mapping, technology)
        except EstimateError as refused:
            return None, {**dict.fromkeys(technology.metrics, str(refused)), **technology.missing}
        untimed = {} if logic.critical_path_s is not None else {"critical_path_s": technology.untimed}
        return logic, {**technology.missing, **untimed}

    def _stimulus(self, fidelity: str, *, follows: bool) -> str | None:
        """The inputs that ran, where a cost `follows` them or the fidelity runs the hardware."""
        network = self.mapping.network
        ran = representative(network) if follows else level(fidelity).inputs
        return stimulus_name(network, ran) if ran else None

    def _warnings(
        self, critical_path_s: float | None, accuracy: float | None, *, estimated: bool
    ) -> Iterator[str]:
        yield from clock_warnings(self.clock_hz, critical_path_s, estimated=estimated)
        yield from self.technology.warnings
        if accuracy is None:
            yield "accuracy is unknown: it was measured for 8-bit weights and activations only"

    @classmethod
    def from_file(cls, path: str | Path) -> DesignPoint:
        """Reads a YAML file. Raises DesignError where it is missing, no YAML, or no design point. A network,
        inputs or a technology's file given as a path is looked for beside the file."""
        file = Path(path)
        try:
            values = yaml.safe_load(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise DesignError(f"design file {file} cannot be read: {error.strerror}") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise DesignError(f"design file {file} is not YAML: {' '.join(str(error).split())}") from None
        if not isinstance(values, dict):
            raise DesignError(f"design file {file} holds {type(values).__name__}, allowed is a mapping")
        network = values.get("network")
        if isinstance(network, str) and network.endswith(".npz") and (file.parent / network).exists():
            values["network"] = str(file.parent / network)
        inputs = values.get("inputs")
        if isinstance(inputs, str) and (file.parent / inputs).exists():
            values["inputs"] = str(file.parent / inputs)
        technology = values.get("technology")
        if isinstance(technology, dict):
            beside = {name: file.parent / str(technology[name]) for name in FILES if name in technology}
            found = {name: str(path) for name, path in beside.items() if path.is_file()}
            values["technology"] = technology | found
        return cls(**values)

    @property
    def trained(self) -> AnyNetwork:
        """The network with its float weights and its accuracy."""
        return _trained(self.network, _stamp(self.network))

    @property
    def integer(self) -> AnyIntegerNetwork:
        """The network as the integers that the engine computes with."""
        engine = self.engine
        widths = engine.weight_bits, engine.activation_bits
        return _integer(self.network, _stamp(self.network), *widths, self._input_file)

    @property
    def mapping(self) -> Mapping:
        """The network on the engine. Raises MappingError where the engine cannot run it."""
        fabric = self.technology.fabric
        return _mapping(self.network, _stamp(self.network), self.engine, fabric, self._input_file)

    @property
    def _input_file(self) -> InputFile | None:
        return InputFile.now(self.inputs) if self.inputs is not None else None


def _with_kind(field: str, value: Any, known: MappingOf[str, Any]) -> dict[str, Any]:
    """`value` as a mapping whose `kind` is known."""
    if not isinstance(value, MappingOf) or "kind" not in value:
        raise DesignError(
            f"{field} is {value!r}, allowed is a mapping with a kind: {', '.join(sorted(known))}"
        )
    if not isinstance(value["kind"], str) or value["kind"] not in known:
        raise DesignError(f"{field} is of kind {value['kind']!r}, allowed are {', '.join(sorted(known))}")
    return dict(value)


def simulate(design: DesignPoint, fidelity: str = "cycle") -> Result:
    """Costs a design point; see `DesignPoint.simulate`."""
    return design.simulate(fidelity)


@lru_cache(maxsize=64)
def _assumed(technology: Technology) -> tuple[str, ...]:
    """The assumptions that a technology's costs rest on, by the names of its data files."""
    names = {q.name for q in technology.provenance() if q.kind == "assumed"}
    return tuple(
        sorted({name.partition(":")[0] if ".csv" in name else name.rpartition(":")[2] for name in names})
    )


def _stamp(network: str) -> int:
    """Changes when a network's file does, so that nothing stale is used."""
    path = Path(network)
    return path.stat().st_mtime_ns if path.suffix == ".npz" and path.exists() else 0


@lru_cache(maxsize=32)
def _trained(network: str, stamp: int) -> AnyNetwork:
    return read_network(network)


@lru_cache(maxsize=64)
def _integer(
    network: str, stamp: int, weight_bits: int, activation_bits: int, inputs: InputFile | None
) -> AnyIntegerNetwork:
    integer = quantise(_trained(network, stamp), weight_bits, activation_bits)
    return with_inputs(integer, inputs) if inputs else integer


@lru_cache(maxsize=256)
def _mapping(network: str, stamp: int, engine: Engine, fabric: str, inputs: InputFile | None) -> Mapping:
    integer = _integer(network, stamp, engine.weight_bits, engine.activation_bits, inputs)
    return engine.map(integer, fabric)
