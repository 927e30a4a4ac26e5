"""Networks and inputs for the kit, generated from a target's manifest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PluginError
from ..graph import (
    LI,
    LIF,
    AdEx,
    CubaLI,
    CubaLIF,
    Edge,
    Graph,
    Input,
    Linear,
    Neuron,
    Node,
    Output,
    ResonateAndFire,
    SigmaDelta,
)
from ..target import Target
from .capabilities import Capabilities


def example_network(
    target: Target,
    *,
    seed: int = 0,
    recurrent: bool = False,
    readout: str = "spikes",
    n_inputs: int = 8,
    n_hidden: int = 24,
    n_outputs: int = 4,
) -> Graph:
    """Return a small network that a target should map without loss.

    Input, hidden layer and output layer of CubaLIF neurons (LIF where that is all there is) with
    bit-shift decays. Edges from neuron to neuron carry the target's latency per hop, so that the
    chip and the graph deliver spikes at the same step. Sizes are cut to the target's.

    Parameters
    ----------
    target : Target
        What the network is for.
    seed : int
        Draws the weights.
    recurrent : bool
        Whether hidden neurons drive each other.
    readout : {"spikes", "v_mem"}
        Whether the output layer fires or shows its membrane.
    n_inputs, n_hidden, n_outputs : int
        Sizes wanted.

    Raises
    ------
    PluginError
        The target accepts no neuron kind that the kit knows.
    """
    able = Capabilities(target)
    sizes = (
        able.size("input_channels", n_inputs),
        able.size("hidden_neurons", n_hidden),
        able.size("output_neurons", n_outputs),
    )
    rng = np.random.default_rng(seed)
    weights = [
        _weights(rng, sizes[0], sizes[1], drive=_FROM_INPUT),
        _weights(rng, sizes[1], sizes[2], drive=_FROM_HIDDEN),
    ]
    loop = _weights(rng, sizes[1], sizes[1], drive=_FROM_LOOP) if recurrent else None
    hidden = _neuron(able, sizes[1], most="hidden_spikes_max")
    last = _readout(able, sizes[2]) if readout == "v_mem" else None
    output = last or _neuron(able, sizes[2], most="output_spikes_max")
    return _network(able, weights, (hidden, output), loop)


def oversized_network(target: Target, resource: str) -> Graph:
    """Return a network that needs one more of a resource than the target has.

    Parameters
    ----------
    target : Target
        What the network is too large for.
    resource : str
        A fact of the manifest: ``"input_channels"``, ``"hidden_neurons"`` or ``"output_neurons"``.
    """
    able = Capabilities(target)
    sizes = {
        "input_channels": able.size("input_channels", 4),
        "hidden_neurons": able.size("hidden_neurons", 8),
        "output_neurons": able.size("output_neurons", 2),
    }
    used = (min(sizes.values()), min(sizes.values()))
    sizes[resource] = target.limit(resource) + 1
    n_in, n_hidden, n_out = sizes.values()
    weights = [np.zeros((n_hidden, n_in)), np.zeros((n_out, n_hidden))]
    weights[0][: used[0], : used[0]] = np.eye(used[0])
    weights[1][: used[1], : used[1]] = np.eye(used[1])
    if resource == "input_channels":
        weights[0][0] = 1.0
    if resource == "output_neurons":
        weights[1][:, 0] = 1.0
    hidden = _neuron(able, n_hidden, most="hidden_spikes_max")
    output = _neuron(able, n_out, most="output_spikes_max")
    return _network(able, weights, (hidden, output), None)


def unsupported_network(target: Target) -> tuple[Graph, str] | None:
    """Return a network with a neuron kind that the target refuses, and that node's name."""
    time = np.array(0.1)
    strangers: tuple[Neuron, ...] = (
        SigmaDelta(shape=(2,), threshold=np.array(0.5)),
        AdEx(shape=(2,), tau_mem=time, tau_syn=time, tau_adaptation=time),
        ResonateAndFire(shape=(2,), frequency=np.array(10.0), tau=time),
    )
    able = Capabilities(target)
    for stranger in strangers:
        if not able.accepts(stranger.kind):
            nodes = {"map": Linear(weight=np.eye(2)), "stranger": stranger}
            return Graph.sequential(nodes, dt=able.dt), "stranger"
    return None


def example_spikes(
    graph: Graph, *, batch: int = 3, n_steps: int = 60, rate: float = 0.25, seed: int = 0
) -> NDArray[np.int64]:
    """Return random spike counts for the only input of a graph, (batch, n_steps, *shape).

    Parameters
    ----------
    graph : Graph
        The network.
    batch, n_steps : int
        Samples and steps.
    rate : float
        Probability of a spike per channel and step, in 0..1.
    seed : int
        Draws the spikes.
    """
    shape = graph.nodes[graph.inputs[0]].output_shape
    rng = np.random.default_rng(seed)
    return (rng.random((batch, n_steps, *shape)) < rate).astype(np.int64)


_FROM_INPUT, _FROM_HIDDEN, _FROM_LOOP = 16.0, 96.0, 8.0
"""Drive of each kind of connection: all layers fire, about every tenth step."""
_SYNAPSE_SHIFT, _MEMBRANE_SHIFT = 1, 2
"""Time constants are ``dt * 2**shift``: short, so that a rounding error does not last."""


def _weights(
    rng: np.random.Generator, n_in: int, n_out: int, *, drive: float
) -> NDArray[np.float64]:
    """Return mostly exciting weights, whole multiples of a power of two."""
    codes = rng.integers(-24, 49, size=(n_out, n_in))
    scale = 2.0 ** np.round(np.log2(drive / n_in))
    return np.asarray(codes * scale / 512.0, dtype=np.float64)


def _dynamics(able: Capabilities, kind: str, n: int) -> dict[str, Any]:
    """Return shape and time constants of a population."""
    fields: dict[str, Any] = {"shape": (n,), "decay": "bitshift"}
    fields["tau_mem"] = able.dt * 2.0**_MEMBRANE_SHIFT
    if kind.startswith("Cuba"):
        fields["tau_syn"] = able.dt * 2.0**_SYNAPSE_SHIFT
    return fields


def _neuron(able: Capabilities, n: int, *, most: str) -> Neuron:
    """Return a spiking population of the kind the target has."""
    if able.neuron is None:
        raise PluginError(
            f"{able.target.name}: the kit's networks need CubaLIF or LIF; the manifest lists "
            f"{', '.join(able.target.node_kinds) or 'no node kinds'}; override network()"
        )
    reset = str(able.fact("reset", "subtract"))
    limit = int(able.fact(most, 1)) if reset == "subtract" else 1
    fields = {**_dynamics(able, able.neuron, n), "reset": reset, "max_spikes": limit}
    return CubaLIF(**fields) if able.neuron == "CubaLIF" else LIF(**fields)


def _readout(able: Capabilities, n: int) -> Neuron:
    """Return a non-spiking population of the kind the target has."""
    if able.readout is None:
        raise PluginError(f"{able.target.name}: the manifest lists no LI or CubaLI")
    fields = _dynamics(able, able.readout, n)
    return CubaLI(**fields) if able.readout == "CubaLI" else LI(**fields)


def _network(
    able: Capabilities,
    weights: list[NDArray[np.float64]],
    layers: tuple[Neuron, Neuron],
    loop: NDArray[np.float64] | None,
) -> Graph:
    hop = able.target.latency_per_hop
    nodes: dict[str, Node] = {
        "input": Input(shape=(weights[0].shape[1],)),
        "to_hidden": Linear(weight=weights[0]),
        "hidden": layers[0],
        "to_readout": Linear(weight=weights[1]),
        "readout": layers[1],
        "output": Output(shape=layers[1].shape),
    }
    edges = [
        Edge("input", "to_hidden"),
        Edge("to_hidden", "hidden"),
        Edge("hidden", "to_readout", delay=hop),
        Edge("to_readout", "readout"),
        Edge("readout", "output"),
    ]
    if loop is not None:
        nodes["loop"] = Linear(weight=loop)
        edges += [Edge("hidden", "loop", delay=max(1, hop)), Edge("loop", "hidden")]
    return Graph(nodes, tuple(edges), able.dt)
