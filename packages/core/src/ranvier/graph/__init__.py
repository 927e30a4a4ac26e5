"""The chip-neutral network: node kinds, graph, decay factors."""

from ._fields import array as array
from ._linear import apply_linear as apply_linear
from ._validation import order_nodes as order_nodes
from .convolution import (
    AvgPool2d as AvgPool2d,
    Conv1d as Conv1d,
    Conv2d as Conv2d,
    ConvTranspose2d as ConvTranspose2d,
    SumPool2d as SumPool2d,
)
from .dynamics import (
    bitshift_code as bitshift_code,
    decay_factor as decay_factor,
    tau_from_decay_factor as tau_from_decay_factor,
)
from .folding import (
    AffineMap as AffineMap,
    Folding as Folding,
    SignalPath as SignalPath,
    StatelessCycleError as StatelessCycleError,
)
from .latency import latencies as latencies, topological_order as topological_order
from .maps import (
    Delay as Delay,
    Flatten as Flatten,
    Input as Input,
    Linear as Linear,
    Output as Output,
    Scale as Scale,
    ShapedNode as ShapedNode,
    SparseLinear as SparseLinear,
    Threshold as Threshold,
)
from .network import Edge as Edge, Graph as Graph, payload_hash as payload_hash
from .neuron import (
    IF as IF,
    LI as LI,
    LIF as LIF,
    AdaptiveLIF as AdaptiveLIF,
    AdEx as AdEx,
    CubaLI as CubaLI,
    CubaLIF as CubaLIF,
    I as I,
    Neuron as Neuron,
    ResonateAndFire as ResonateAndFire,
    SigmaDelta as SigmaDelta,
    SpikingNeuron as SpikingNeuron,
)
from .node import (
    Node as Node,
    Shape as Shape,
    UnknownNode as UnknownNode,
    node_from_fields as node_from_fields,
    node_kinds as node_kinds,
    register_node as register_node,
)
