"""Spiking networks in torch: modules, surrogates, losses, and kernels that make them fast.

Everything runs over ``(batch, time, *shape)``. Needs ``pip install 'ranvier[torch]'``.
"""

from ranvier._require import require as _require

_require("torch", extra="torch")

from . import functional as functional, surrogates as surrogates
from ._adaptive import AdaptiveLIF as AdaptiveLIF, AdEx as AdEx
from ._classifiers import MovingWindow as MovingWindow, Rate as Rate
from ._containers import Residual as Residual, Sequential as Sequential
from ._dropout import TimeStepDropout as TimeStepDropout, UnitDropout as UnitDropout
from ._from_graph import GraphNetwork as GraphNetwork, from_graph as from_graph
from ._layers import (
    AvgPool2d as AvgPool2d,
    Conv2d as Conv2d,
    Delay as Delay,
    Flatten as Flatten,
    Linear as Linear,
    SumPool2d as SumPool2d,
)
from ._lif import (
    IF as IF,
    LI as LI,
    LIF as LIF,
    CubaLI as CubaLI,
    CubaLIF as CubaLIF,
    I as I,
    LifFamily as LifFamily,
)
from ._losses import (
    SparsityEnforcer as SparsityEnforcer,
    SpikeMax as SpikeMax,
    SpikeMoid as SpikeMoid,
    SpikeRate as SpikeRate,
    SpikeTime as SpikeTime,
    VanRossum as VanRossum,
)
from ._monitor import GradientMonitor as GradientMonitor, monitor_gradients as monitor_gradients
from ._neuron import Neuron as Neuron
from ._recording import LayerRecord as LayerRecord, Record as Record, record as record
from ._resonate import ResonateAndFire as ResonateAndFire
from ._sigma_delta import SigmaDelta as SigmaDelta
from ._synnet import SynNet as SynNet
from ._timed import Timed as Timed
from ._to_graph import to_graph as to_graph
from ._to_nodes import register_module as register_module
from .functional import LifParameters as LifParameters, LifState as LifState
from .surrogates import (
    Arctan as Arctan,
    FastSigmoid as FastSigmoid,
    PeriodicExponential as PeriodicExponential,
    PiecewiseLinear as PiecewiseLinear,
    Sigmoid as Sigmoid,
    SuperSpike as SuperSpike,
    Surrogate as Surrogate,
    Window as Window,
)
