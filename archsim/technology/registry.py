"""The technologies by name. A technology is one file that registers one class."""

from __future__ import annotations

from archsim.technology.technology import Technology, TechnologyError
from workloads.register import Register

technologies: Register[type[Technology]] = Register(
    "technology",
    "archsim.technology.asic",
    "archsim.technology.fpga",
    group="archsim.technologies",
    error=TechnologyError,
)
"""All technologies, those of installed packages too."""


def technology(name: str, **options: object) -> Technology:
    """The technology registered under a name, made with its options. Raises TechnologyError for a name
    nobody registered."""
    return technologies.named(name)(**options)
