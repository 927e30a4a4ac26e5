"""Training in Loihi's integers: neurons, synapses, blocks, and what surrounds them.

Everything runs over ``(batch, time, *shape)``. Needs ``pip install 'ranvier-loihi[torch]'``.
"""

import ranvier.nn as _core  # noqa: F401 - asks for torch, with advice, where it is missing

from ._adrf import (
    AdaptiveResonateFire as AdaptiveResonateFire,
    AdaptiveResonateFireIzhikevich as AdaptiveResonateFireIzhikevich,
)
from ._alif import Alif as Alif
from ._axon import Delay as Delay, StepDelay as StepDelay, delay as delay
from ._blocks import Block as Block
from ._cuba import Cuba as Cuba
from ._dropout import NeuronDropout as NeuronDropout
from ._family import (
    Family as Family,
    adrf as adrf,
    adrf_iz as adrf_iz,
    alif as alif,
    cuba as cuba,
    rf as rf,
    rf_iz as rf_iz,
    sigma_delta as sigma_delta,
)
from ._network import Network as Network
from ._neuron import LoihiNeuron as LoihiNeuron
from ._norm import (
    MeanOnlyBatchNorm as MeanOnlyBatchNorm,
    WgtScaleBatchNorm as WgtScaleBatchNorm,
)
from ._pool import Pool as Pool, Unpool as Unpool
from ._quantize import (
    quantize as quantize,
    quantize_8bit as quantize_8bit,
    quantize_hook as quantize_hook,
    weight_codes as weight_codes,
)
from ._resonate import (
    ResonateFire as ResonateFire,
    ResonateFireIzhikevich as ResonateFireIzhikevich,
)
from ._sigma_delta import Delta as Delta, SigmaDelta as SigmaDelta
from ._statistics import Statistic as Statistic, Statistics as Statistics
from ._synapse import (
    Complex as Complex,
    Conv as Conv,
    ConvT as ConvT,
    Dense as Dense,
    Synapse as Synapse,
)
from ._to_graph import to_graph as to_graph
from ._trainer import Trainer as Trainer
