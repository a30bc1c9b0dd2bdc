"""An exporter, as an installed package may add it."""

from __future__ import annotations

from reports.export import Exported, Subject, exporters


@exporters.register("header")
def header(subject: Subject) -> Exported:
    """The sizes of the engine, as a header of C."""
    sizes = {"PES": subject.mapping.sizes.pes, "ACTIVATION_BITS": subject.mapping.sizes.activation_bits}
    lines = [f"#define ARCHSIM_{name} {value}\n" for name, value in sizes.items()]
    return Exported({"archsim.h": "".join(lines)}, {"archsim.h": "the sizes of the engine"})
