"""Which signal of which node an output shows, and what can be recorded."""

from __future__ import annotations

from ..artifacts import OutputChannel
from ..graph import (
    LI,
    CubaLI,
    Delay,
    Flatten,
    Graph,
    I,
    Neuron,
    Node,
    Output,
    SumPool2d,
)

_KEEPS_COUNTS = (Flatten, SumPool2d, Delay, Output)
_EMITS_MEMBRANE = (I, LI, CubaLI)


def output_channel(graph: Graph, name: str) -> OutputChannel:
    """Return the signal of an Output node.

    It is that of the neuron that alone feeds the output without delay, ``"spikes"`` or ``"v_mem"``;
    otherwise the output's own: ``"spikes"`` if all that arrives are counts, else ``"value"``.
    """
    edges = graph.edges_into(name)
    source = graph.nodes[edges[0].source]
    if len(edges) == 1 and not edges[0].delay:
        if source.spiking:
            return OutputChannel(output=name, node=edges[0].source)
        if isinstance(source, _EMITS_MEMBRANE):
            return OutputChannel(output=name, node=edges[0].source, quantity="v_mem")
    quantity = "spikes" if name in _count_nodes(graph) else "value"
    return OutputChannel(output=name, node=name, quantity=quantity)


def recordable_quantities(graph: Graph, name: str) -> tuple[str, ...]:
    """Return what can be recorded of a node: what it emits, then its states."""
    node = graph.nodes[name]
    if isinstance(node, Output):
        return ("spikes" if name in _count_nodes(graph) else "value",)
    emitted = ("spikes",) if node.spiking else ()
    if not isinstance(node, Neuron):
        return emitted
    if not node.spiking and not isinstance(node, _EMITS_MEMBRANE):
        emitted = ("value",)
    return (*emitted, *state_names(node))


def state_names(node: Node) -> tuple[str, ...]:
    """Return the states of a node; the k-th synaptic current is ``i_syn`` with k from 2 on."""
    names = list(node.states)
    if isinstance(node, Neuron) and "i_syn" in names:
        names[1:1] = [f"i_syn{k}" for k in range(2, node.n_synapses + 1)]
    return tuple(names)


def _count_nodes(graph: Graph) -> frozenset[str]:
    """Return the nodes that emit whole numbers of spikes whatever the input is."""
    counts = {name for name, node in graph.nodes.items() if node.spiking}
    waiting = [n for n in graph.order if isinstance(graph.nodes[n], _KEEPS_COUNTS)]
    for _ in waiting:
        counts |= {
            name for name in waiting if all(e.source in counts for e in graph.edges_into(name))
        }
    return frozenset(counts)
