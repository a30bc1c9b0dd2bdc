from archsim.accuracy import AccuracyError as AccuracyError, accuracy_at as accuracy_at
from archsim.comparison import compare as compare
from archsim.costs.fidelity.fidelities import FIDELITIES as FIDELITIES, FidelityError as FidelityError
from archsim.costs.metrics import METRICS as METRICS
from archsim.costs.result import MetricError as MetricError, Result as Result
from archsim.design import DesignError as DesignError, DesignPoint as DesignPoint, simulate as simulate
from archsim.engine import (
    Clos as Clos,
    Csc as Csc,
    Dense as Dense,
    Eie as Eie,
    Engine as Engine,
    Pruned as Pruned,
    engines as engines,
)
from archsim.engine.counts import Counts as Counts, Traffic as Traffic
from archsim.engine.mapping import Mapping as Mapping, MappingError as MappingError
from archsim.explore.pareto import pareto as pareto
from archsim.explore.query import results as results
from archsim.explore.search.search import Search as Search, search as search
from archsim.explore.spec import Space as Space
from archsim.explore.store import Store as Store
from archsim.explore.sweep.batch import analytic as analytic
from archsim.explore.sweep.sweep import Sweep as Sweep, sweep as sweep
from archsim.technology import (
    Artix7 as Artix7,
    Asic as Asic,
    Cmos as Cmos,
    Cmos65 as Cmos65,
    DeviceError as DeviceError,
    Ecp5 as Ecp5,
    Quantity as Quantity,
    technologies as technologies,
)
from archsim.trace.runs import timeline as timeline
from archsim.trace.timeline import Timeline as Timeline
from archsim.trace.utilisation import Utilisation as Utilisation, utilisation as utilisation
from archsim.verification import Verification as Verification, verify as verify
from workloads.data.labelled import LabelledData as LabelledData
from workloads.families import build_layer as build_layer, families as families
from workloads.importers import (
    import_network as import_network,
    load_network as load_network,
    networks as networks,
    zoo_names as zoo_names,
)
from workloads.refusal import Refusal as Refusal
from workloads.topology.integer import IntegerNetwork as IntegerNetwork
from workloads.topology.network import TrainedNetwork as TrainedNetwork
from workloads.topology.topology import Topology as Topology
from workloads.training.evaluate import layer_sensitivity as layer_sensitivity
from workloads.training.quantisation.integer_form import quantise as quantise
from workloads.training.recipe import load_recipe as load_recipe
from workloads.training.sharing import share_weights as share_weights
from workloads.training.training import train as train

__all__: list[str]
