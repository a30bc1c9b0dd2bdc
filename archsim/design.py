"""A design point: network, engine and technology, written down once and checked; errors are one sentence."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping as MappingOf
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)

from archsim.clock import FASTEST, Clock, fastest_hz
from archsim.costs.errors import fit_errors, placing_errors
from archsim.costs.fidelity.estimate import EstimateError
from archsim.costs.fidelity.fidelities import level, stimulus_of
from archsim.costs.logic import Logic
from archsim.costs.pricing import NOTHING, price
from archsim.costs.result import Result, clock_warnings
from archsim.costs.shown import Shown
from archsim.design_parts import (
    integer_network,
    known_accuracy,
    mapping_on,
    stamp_of,
    trained_network,
    training_on,
    zero_warnings,
)
from archsim.engine import Engine, engines
from archsim.engine.mapping import Mapping
from archsim.engine.stimulus import stimulus_warnings
from archsim.engine.training.options import Training
from archsim.inputs import InputFile
from archsim.kinds import OneOf
from archsim.refusals import named_in, one_sentence
from archsim.technology import Technology, technologies
from archsim.technology.technology import refuse_overflow
from workloads import AnyIntegerNetwork
from workloads.importers import AnyNetwork
from workloads.refusal import Refusal
from workloads.strict_yaml import read_yaml
from workloads.training.models.trained_model import TrainedModel

FILES = ("liberty", "power_report", "timing_report", "memories", "lef")
"""The options of technologies that name files."""


class DesignError(Refusal):
    """A design point was given a value that is not allowed; the message names field, value and what is."""


class DesignPoint(Shown, BaseModel):
    """Network x engine x technology at a clock.

    `network` is a name of the zoo or the path of a file that `import_network` reads; `engine` an engine or a
    mapping with its `kind`; `clock_hz` in hertz, or `fastest` for what the critical path allows at the
    fidelity that is asked for; `technology` a name, a mapping with its `kind`, or a technology; `inputs` the
    path of an .npy or .npz file of what the network is run on, instead of its own samples; with `training`
    the engine trains the network, and all figures are of a step on one sample.
    Raises DesignError for anything else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    network: str
    engine: Annotated[Engine, OneOf(engines)]
    clock_hz: Clock = 100e6
    technology: Annotated[Technology, OneOf(technologies, by_name=True)]
    inputs: str | None = None
    training: Training | None = None

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
        try:
            return engines[options["kind"]](**options)
        except Refusal as refused:
            raise DesignError(f"engine.{refused}") from None

    @field_validator("technology", mode="before")
    @classmethod
    def _technology(cls, value: Any) -> Any:
        if isinstance(value, Technology):
            return value
        return _technology(value)

    @field_validator("training", mode="before")
    @classmethod
    def _training(cls, value: Any) -> Any:
        if value is None or isinstance(value, Training):
            return value
        if not isinstance(value, MappingOf):
            fields = ", ".join(Training.model_fields)
            raise DesignError(f"training is {value!r}, allowed is a mapping of {fields}")
        _refuse_keys("training", value)
        try:
            return Training(**value)
        except Refusal as refused:
            raise DesignError(f"training.{refused}") from None

    @model_validator(mode="after")
    def _engine_that_trains(self) -> DesignPoint:
        if self.training is None:
            return self
        if not self.engine.trains:
            able = sorted(name for name, made in engines.items() if made.trains)
            raise DesignError.of("engine.kind", self.engine.kind, f"{', '.join(able)} with training")
        for name, value in self.engine.__repr_args__():
            if name not in ("kind", "pes"):
                default = type(self.engine).model_fields[str(name)].default
                raise DesignError.of(f"engine.{name}", value, f"{default} with training, which says widths")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Nothing of training where the engine does not train."""
        values: dict[str, Any] = serialise(self)
        return {name: value for name, value in values.items() if name != "training" or value is not None}

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

        `fidelity` is analytic (closed form), cycle (event simulation), rtl (the hardware itself), gate (its
        mapped netlist) or layout (that netlist placed and routed). Raises FidelityError for an unknown
        fidelity, DeviceError for a device that is too small, MappingError where the engine cannot run the
        network, ClockError for the fastest clock where nobody knows the critical path.
        """
        chosen, mapping, technology = level(fidelity), self.mapping, self.technology
        counts = chosen.count(mapping)
        logic, missing = self._logic(fidelity, mapping)
        path_s, *path_source = self._longest_path(logic)
        clock_hz = fastest_hz(path_s, fidelity) if self.clock_hz == FASTEST else self.clock_hz
        bill = price(counts, mapping.sizes, logic, technology, clock_hz) if logic else NOTHING
        refuse_overflow(technology, bill.total_resources)
        trained, widths = self.trained, (self.engine.weight_bits, self.engine.activation_bits)
        accuracy, unknown = None, ""
        if self.training is None:
            accuracy, unknown = known_accuracy(self.network, stamp_of(self.network), *widths)
        follows = technology.follows_switching and logic is not None
        stimulus = stimulus_of(mapping.network, fidelity, follows=follows, exact=counts.exact)
        return Result(
            fidelity=fidelity,
            exact=counts.exact,
            clock_hz=clock_hz,
            counts=counts,
            bill=bill,
            stored_weights=trained.stored_weights,
            stored_bits=mapping.stored_bits,
            compression=trained.compression,
            accuracy=accuracy,
            critical_path_s=path_s,
            design=self.model_dump() | {"engine": mapping.engine.model_dump()},
            warnings=(
                *clock_warnings(clock_hz, path_s, estimated=path_source[0] == "fitted"),
                *self._warnings(unknown),
                *(logic.assumptions if logic else ()),
                *(stimulus_warnings(mapping.network) if stimulus else ()),
            ),
            assumed=_assumed(technology),
            fit_error=fit_errors(bill, logic, technology) if logic else {},
            placing_error=placing_errors(bill, logic) if logic else {},
            brackets=technology.brackets,
            critical_path=logic.critical_path if logic and technology.known_path is None else (),
            path_source=(path_source[0], path_source[1]),
            missing=missing,
            stimulus=stimulus,
        )

    def analytic(self) -> Result:
        """The closed form at the default clock, kept for all clocks. Raises as `simulate` does."""
        stays = self.model_copy(update={"clock_hz": type(self).model_fields["clock_hz"].default})
        return _analytic(stays, stamp_of(self.network), self._input_file)

    def _logic(self, fidelity: str, mapping: Mapping) -> tuple[Logic | None, MappingOf[str, str]]:
        """The logic at a fidelity, None where nobody calibrated it, and the costs that are then missing with
        the reason."""
        technology = self.technology
        try:
            with self.fields_named():
                logic = level(fidelity).logic(mapping, technology)
        except EstimateError as refused:
            unknown = dict.fromkeys(technology.metrics, str(refused))
            return None, self._with_known({**unknown, **technology.missing})
        untimed = {} if logic.critical_path_s is not None else {"critical_path_s": technology.untimed}
        return logic, self._with_known({**technology.missing, **untimed})

    def _with_known(self, missing: MappingOf[str, str]) -> MappingOf[str, str]:
        """What is missing, but a path that a report tells."""
        told = self.technology.known_path is not None
        return {metric: why for metric, why in missing.items() if not (told and metric == "critical_path_s")}

    def _longest_path(self, logic: Logic | None) -> tuple[float | None, str, str]:
        """The longest path with its kind and source: that of the user's report, else of the logic."""
        if (told := self.technology.known_path) is not None:
            return told.value, told.kind, told.source
        if logic is None:
            return None, "assumed", "not known"
        return logic.critical_path_s, *logic.switching_origin

    def _warnings(self, unknown: str) -> Iterator[str]:
        """Those that no clock changes."""
        trained = self.trained
        yield from () if isinstance(trained, TrainedModel) else trained.remarks
        yield from zero_warnings(self.network, stamp_of(self.network))
        yield from self.technology.warnings
        if unknown:
            yield unknown

    @classmethod
    def from_file(cls, path: str | Path) -> DesignPoint:
        """Reads a YAML file. Raises DesignError where it is missing, no YAML, or no design point. A network,
        inputs or a technology's file given as a path is looked for beside the file."""
        if not isinstance(path, str | Path):
            raise DesignError(f"design file is {path!r}, allowed is the path of a file")
        file = Path(path)
        values = read_yaml(file, "design file", error=DesignError)
        if not isinstance(values, dict):
            held = "is empty" if values is None else f"holds {type(values).__name__}"
            raise DesignError(f"design file {file} {held}, allowed is a mapping")
        _refuse_keys("design", values)
        return cls.beside(file.parent, values)

    @classmethod
    def beside(cls, folder: Path, values: MappingOf[str, Any]) -> DesignPoint:
        """The design point with these values, as a file in this folder holds them: what they name is looked
        for there. Raises DesignError."""
        values = dict(values)
        network = values.get("network")
        if isinstance(network, str) and os.path.isfile(os.path.join(folder, network)):
            values["network"] = str(folder / network)
        inputs = values.get("inputs")
        if isinstance(inputs, str) and os.path.exists(os.path.join(folder, inputs)):
            values["inputs"] = str(folder / inputs)
        technology = values.get("technology")
        if isinstance(technology, dict):
            values["technology"] = files_beside(folder, technology)
        return cls(**values)

    @property
    def trained(self) -> AnyNetwork:
        """The network with its float weights and its accuracy."""
        return trained_network(self.network, stamp_of(self.network))

    @property
    def integer(self) -> AnyIntegerNetwork:
        """The network as the integers that the engine computes with."""
        engine = self.engine
        widths = engine.weight_bits, engine.activation_bits
        return integer_network(self.network, stamp_of(self.network), *widths, self._input_file)

    @property
    def mapping(self) -> Mapping:
        """The network on the engine. Raises MappingError where the engine cannot run it."""
        fabric, key = self.technology.fabric, (self.network, stamp_of(self.network), self.engine)
        with self.fields_named():
            if self.training is not None:
                return training_on(*key, self.training, self._input_file)
            return mapping_on(*key, fabric, self._input_file)

    def fields_named(self) -> AbstractContextManager[None]:
        """What is refused inside by a field of an engine, a training or a technology is refused by its path
        in the design point."""
        sections = {"training": self.training, "engine": self.engine, "technology": self.technology}
        return named_in(**{name: type(of).model_fields for name, of in sections.items() if of is not None})

    @property
    def _input_file(self) -> InputFile | None:
        return InputFile.now(self.inputs) if self.inputs is not None else None


def _technology(value: Any) -> Technology:
    """The technology of a name, or of a mapping with its kind."""
    options = _with_kind("technology", {"kind": value} if isinstance(value, str) else value, technologies)
    try:
        return technologies[options.pop("kind")](**options)
    except Refusal as refused:
        raise DesignError(f"technology.{refused}") from None


def technology_of_file(path: Path) -> Technology:
    """The technology that a YAML file describes: a mapping with its kind, or a design file that has one.
    Files that it names are looked for beside it. Raises DesignError for anything else."""
    values = read_yaml(path, "technology file", error=DesignError)
    if isinstance(values, dict) and "technology" in values:
        values = values["technology"]
    return _technology(files_beside(path.parent, values) if isinstance(values, dict) else values)


def files_beside(folder: Path, technology: MappingOf[str, Any]) -> dict[str, Any]:
    """The options of a technology with the files that they name as paths in this folder, where they lie
    there; a name with * stands for all that fit."""

    def beside(value: Any) -> Any:
        if isinstance(value, list):
            return [beside(each) for each in value]
        if isinstance(value, dict):
            return value | {"files": beside(value.get("files"))}
        there = isinstance(value, str) and any(True for _ in glob.iglob(str(folder / value)))
        return str(folder / value) if there else value

    return {name: beside(value) if name in FILES else value for name, value in technology.items()}


def _with_kind(field: str, value: Any, known: MappingOf[str, Any]) -> dict[str, Any]:
    """`value` as a mapping whose `kind` is known."""
    if not isinstance(value, MappingOf) or "kind" not in value:
        raise DesignError(
            f"{field} is {value!r}, allowed is a mapping with a kind: {', '.join(sorted(known))}"
        )
    if not isinstance(value["kind"], str) or value["kind"] not in known:
        raise DesignError(f"{field} is of kind {value['kind']!r}, allowed are {', '.join(sorted(known))}")
    _refuse_keys(field, value)
    return dict(value)


def _refuse_keys(field: str, values: MappingOf[Any, Any]) -> None:
    """Raises DesignError for names of fields that are no text."""
    for key in values:
        if not isinstance(key, str):
            raise DesignError(f"{field} has the field {key!r}, allowed are names of fields")


def simulate(design: DesignPoint, fidelity: str = "cycle") -> Result:
    """Costs a design point; see `DesignPoint.simulate`."""
    return design.simulate(fidelity)


@lru_cache(maxsize=512)
def _analytic(design: DesignPoint, stamp: int, inputs: InputFile | None) -> Result:
    return design.simulate("analytic")


@lru_cache(maxsize=64)
def _assumed(technology: Technology) -> tuple[str, ...]:
    """The assumptions that a technology's costs rest on, by the names of its data files."""
    names = {q.name for q in technology.provenance() if q.kind == "assumed"}
    return tuple(
        sorted({name.partition(":")[0] if ".csv" in name else name.rpartition(":")[2] for name in names})
    )
