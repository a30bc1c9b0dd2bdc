from workloads.data.digits import test_digits as test_digits
from workloads.data.fashion import load_fashion_mnist as load_fashion_mnist
from workloads.data.images import DataUnavailableError as DataUnavailableError
from workloads.data.labelled import DataError as DataError, LabelledData as LabelledData
from workloads.data.mnist import load_mnist as load_mnist
from workloads.data.registry import datasets as datasets, load_data as load_data
from workloads.families import build_layer as build_layer, fit_budget as fit_budget
from workloads.importers import (
    import_network as import_network,
    load_network as load_network,
    networks as networks,
    read_network as read_network,
    zoo_names as zoo_names,
)
from workloads.stages import (
    BlockStage as BlockStage,
    CscStage as CscStage,
    DenseStage as DenseStage,
    KroneckerStage as KroneckerStage,
    PrunedStage as PrunedStage,
    Stage as Stage,
    TopologyError as TopologyError,
    build_stage as build_stage,
)
from workloads.topology.integer import (
    IntegerNetwork as IntegerNetwork,
    IntegerNetworkError as IntegerNetworkError,
    IntegerStage as IntegerStage,
)
from workloads.topology.integer_model import (
    AnyIntegerNetwork as AnyIntegerNetwork,
    IntegerModel as IntegerModel,
    IntegerPart as IntegerPart,
)
from workloads.topology.network import (
    Calibration as Calibration,
    NetworkFileError as NetworkFileError,
    TrainedNetwork as TrainedNetwork,
)
from workloads.topology.placed import PlacedLayers as PlacedLayers, PlacedNetwork as PlacedNetwork
from workloads.topology.places import (
    Places as Places,
    PlacesError as PlacesError,
    Steps as Steps,
    Sweep as Sweep,
)
from workloads.topology.random_network import random_integer_network as random_integer_network
from workloads.topology.samples import Samples as Samples
from workloads.topology.topology import Topology as Topology
from workloads.training.checkpoint import CheckpointError as CheckpointError
from workloads.training.evaluate import (
    accuracies as accuracies,
    evaluate as evaluate,
    layer_sensitivity as layer_sensitivity,
)
from workloads.training.models.trained_model import TrainedModel as TrainedModel
from workloads.training.quantisation.integer_form import quantise as quantise
from workloads.training.recipe import (
    Recipe as Recipe,
    load_recipe as load_recipe,
    parse_recipe as parse_recipe,
    recipe_names as recipe_names,
)
from workloads.training.schema import RecipeError as RecipeError
from workloads.training.sharing import share_weights as share_weights
from workloads.training.training import (
    TrainingError as TrainingError,
    train as train,
    train_model as train_model,
    train_to_file as train_to_file,
)

__all__: list[str]
