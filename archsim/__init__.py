"""archsim: what does a sparse fully connected layer really cost in silicon?

>>> import archsim as a
>>> design = a.DesignPoint(network="lenet-300-100-csc", engine=a.Csc(pes=16), technology="artix7")
>>> design.simulate("analytic").cycles > 0
True

The names below load when they are first used, so that importing archsim is fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.comparison import compare
    from archsim.costs.fidelities import FIDELITIES, DeviceError, FidelityError
    from archsim.costs.metrics import METRICS
    from archsim.costs.result import MetricError, Result
    from archsim.design import DesignError, DesignPoint, simulate
    from archsim.engine import Clos, Csc, Dense, Engine, Pruned
    from archsim.engine.counts import Counts, Traffic
    from archsim.engine.mapping import Mapping, MappingError
    from archsim.technology import Artix7, Asic, Cmos, Cmos65, Ecp5, Quantity
    from archsim.verification import Verification, verify
    from workloads import (
        IntegerNetwork,
        Topology,
        TrainedNetwork,
        build_layer,
        load_network,
        load_recipe,
        quantise,
        train,
        zoo_names,
    )

_HOMES = {
    "archsim.comparison": ("compare",),
    "archsim.engine.counts": ("Counts", "Traffic"),
    "archsim.design": ("DesignError", "DesignPoint", "simulate"),
    "archsim.engine": ("Clos", "Csc", "Dense", "Engine", "Pruned"),
    "archsim.costs.fidelities": ("FIDELITIES", "DeviceError", "FidelityError"),
    "archsim.engine.mapping": ("Mapping", "MappingError"),
    "archsim.costs.metrics": ("METRICS",),
    "archsim.costs.result": ("MetricError", "Result"),
    "archsim.technology": ("Artix7", "Asic", "Cmos", "Cmos65", "Ecp5", "Quantity"),
    "archsim.verification": ("Verification", "verify"),
    "workloads": (
        "IntegerNetwork",
        "Topology",
        "TrainedNetwork",
        "build_layer",
        "load_network",
        "load_recipe",
        "quantise",
        "train",
        "zoo_names",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "FIDELITIES",
    "METRICS",
    "Artix7",
    "Asic",
    "Clos",
    "Cmos",
    "Cmos65",
    "Counts",
    "Csc",
    "Dense",
    "DesignError",
    "DesignPoint",
    "DeviceError",
    "Ecp5",
    "Engine",
    "FidelityError",
    "IntegerNetwork",
    "Mapping",
    "MappingError",
    "MetricError",
    "Pruned",
    "Quantity",
    "Result",
    "Topology",
    "Traffic",
    "TrainedNetwork",
    "Verification",
    "build_layer",
    "compare",
    "load_network",
    "load_recipe",
    "quantise",
    "simulate",
    "train",
    "verify",
    "zoo_names",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module archsim has no attribute {name}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
