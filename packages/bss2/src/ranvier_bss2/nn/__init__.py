"""Experiments with BrainScaleS-2 in torch, in the habit of hxtorch; and the differentiable neurons.

Modules are called with handles, `run` fills them: numerically, on a virtual chip, or on a chip.
Everything runs over ``(batch, time, n)``. Needs ``pip install 'ranvier-bss2[torch]'``.
"""

import ranvier.nn as _core  # noqa: F401 - asks for torch, with advice, where it is missing

from . import functional as functional
from ._aelif import AELIF as AELIF, IAF as IAF
from ._dropout import BatchDropout as BatchDropout
from ._experiment import Experiment as Experiment
from ._graph import to_graph as to_graph
from ._handles import (
    AELIFObservables as AELIFObservables,
    Handle as Handle,
    LIFObservables as LIFObservables,
    LIObservables as LIObservables,
    NeuronHandle as NeuronHandle,
    ReadoutNeuronHandle as ReadoutNeuronHandle,
    SynapseHandle as SynapseHandle,
)
from ._instances import ExecutionInstance as ExecutionInstance
from ._layout import batch_first as batch_first, time_first as time_first
from ._lif import LI as LI, LIF as LIF, EventPropLIF as EventPropLIF
from ._module import HXModule as HXModule
from ._parameters import (
    ChipParameter as ChipParameter,
    HXParameter as HXParameter,
    HXTransformedModelParameter as HXTransformedModelParameter,
    MixedHXModelParameter as MixedHXModelParameter,
    ModelParameter as ModelParameter,
)
from ._readout import RecordOptions as RecordOptions
from ._run import run as run
from ._synapse import (
    EventPropSynapse as EventPropSynapse,
    SparseSynapse as SparseSynapse,
    Synapse as Synapse,
)
from ._transforms import (
    linear_exponential_clamp as linear_exponential_clamp,
    linear_saturating as linear_saturating,
)
from ._wrapper import HXModuleWrapper as HXModuleWrapper
from .functional import (
    AelifRun as AelifRun,
    EventPropRun as EventPropRun,
    aelif as aelif,
    eventprop_lif as eventprop_lif,
    linear_aelif as linear_aelif,
    superspike as superspike,
)

Neuron = LIF
ReadoutNeuron = LI
IAFNeuron = IAF
EventPropNeuron = EventPropLIF
