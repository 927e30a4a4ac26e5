"""Networks and a plain-loop model of the canonical neuron, for all tests of this package."""

import itertools

import numpy as np
import pytest

from ranvier.graph import CubaLIF, Graph, Linear, Neuron, decay_factor


def cuba(size, *, last=False, decay="bitshift", **changes):
    fields = {"tau_mem": 4e-3, "tau_syn": 2e-3, "decay": decay, "max_spikes": 1 if last else 31}
    return CubaLIF(shape=(size,), **{**fields, **changes})


def chain(rng, sizes=(4, 10, 6, 3), *, gain=2.0, **changes):
    """A feed-forward stack of Linear and CubaLIF layers that the chip represents exactly."""
    nodes = {}
    for i, (a, b) in enumerate(itertools.pairwise(sizes)):
        nodes[f"fc{i}"] = Linear(weight=gain * rng.normal(0.2, 1, (b, a)) / np.sqrt(a))
        nodes[f"n{i}"] = cuba(b, last=i == len(sizes) - 2, **changes)
    return Graph.sequential(nodes, dt=1e-3)


class Canonical:
    """The canonical discrete network, one step and one node at a time, in float64."""

    def __init__(self, graph):
        self.graph = graph
        self.past = {n: [] for n in graph.nodes}
        self.v = {n: node.parameter("v_rest").copy() for n, node in self._neurons()}
        self.i = {n: np.zeros((node.n_synapses, *node.shape)) for n, node in self._neurons()}

    def _neurons(self):
        return [(n, node) for n, node in self.graph.nodes.items() if isinstance(node, Neuron)]

    def _arriving(self, edge, t):
        known = self.past[edge.source]
        when = t - edge.delay
        return known[when] if when >= 0 else np.zeros(self.graph.nodes[edge.source].output_shape)

    def step(self, inputs, t):
        for name in self.graph.order:
            node = self.graph.nodes[name]
            ports = {
                port: sum(
                    (self._arriving(e, t) for e in self.graph.edges_into(name) if e.port == port),
                    start=0.0,
                )
                for port in node.ports
            }
            self.past[name].append(self._output(name, node, ports, inputs))

    def _output(self, name, node, ports, inputs):
        if node.kind == "Input":
            return inputs[name]
        x = ports["in"]
        if node.kind == "Linear":
            return node.weight @ x + (0 if node.bias is None else node.bias)
        if node.kind == "Scale":
            return node.scale * x
        if node.kind == "Flatten":
            return x.ravel()
        if isinstance(node, Neuron):
            return self._neuron(name, node, ports)
        return x

    def _neuron(self, name, node, ports):
        dt, decay = self.graph.dt, node.decay
        x = np.stack([np.broadcast_to(ports[p], node.shape) for p in node.ports])
        beta = (
            decay_factor(node.parameter("tau_syn"), dt=dt, decay=decay) if "C" in node.kind else 0
        )
        alpha = decay_factor(node.parameter("tau_mem"), dt=dt, decay=decay)
        self.i[name] = beta * self.i[name] + x
        v = node.v_rest + alpha * (self.v[name] - node.v_rest) + self.i[name].sum(0) + node.bias
        if not node.spiking:
            self.v[name] = v
            return v
        spikes = np.where(v >= node.threshold, np.minimum(v // node.threshold, node.max_spikes), 0)
        self.v[name] = v - spikes * node.threshold
        return spikes


def _run_canonical(graph, counts):
    """Return what every node emits, (time, *shape), for counts (time, n) or by input name."""
    inputs = counts if isinstance(counts, dict) else {graph.inputs[0]: counts}
    model = Canonical(graph)
    for t in range(len(next(iter(inputs.values())))):
        model.step({n: c[t].astype(float) for n, c in inputs.items()}, t)
    return {n: np.array(past) for n, past in model.past.items()}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def make_cuba():
    return cuba


@pytest.fixture(scope="session")
def make_chain():
    return chain


@pytest.fixture(scope="session")
def run_canonical():
    return _run_canonical
