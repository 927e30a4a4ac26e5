"""Graphs without a placement, and the chip's order of events in real numbers."""

import numpy as np
import pytest
from scipy import sparse

from ranvier.diagnostics import Findings
from ranvier.graph import LIF, CubaLIF
from ranvier_loihi.mapping import MapOptions
from ranvier_loihi.mapping._network import build_network
from ranvier_loihi.targets import target_named

CHIP = {"reset": "to_value", "comparison": ">"}


class Built:
    """A network before it is placed, with everything that was noticed."""

    def __init__(self, graph, target="loihi2", **options):
        self.findings = Findings()
        found = build_network(graph, target_named(target), MapOptions(**options), self.findings)
        self.network, self.outputs = found.network, found.outputs
        self.values, self.latency = found.values, found.latency

    def population(self, name):
        return next(p for p in self.network.populations if p.name == name)

    def connections(self, source, target):
        return [c for c in self.network.connections if (c.source, c.target) == (source, target)]

    def connection(self, source, target):
        (found,) = self.connections(source, target)
        return found

    def codes(self, node=None):
        return [d.code for d in self.findings if node is None or d.node == node]

    def only(self, code):
        (found,) = [d for d in self.findings if d.code == code.code]
        return found


def matrix_of(connection, n_target, n_source):
    """Return weights and delays of a connection as dense matrices, lists of (delay, matrix)."""
    if connection.kind == "dense":
        weight = np.array(connection.weight)
        delay = np.broadcast_to(connection.delay, weight.shape)
    elif connection.kind == "sparse":
        rows = np.repeat(np.arange(n_target), np.diff(connection.indptr))
        steps = connection.delay
        if steps.shape != connection.weight.shape:
            steps = np.broadcast_to(steps, (n_source,))[connection.indices]
        return [
            (
                int(d),
                sparse.coo_array(
                    (
                        connection.weight[steps == d],
                        (rows[steps == d], connection.indices[steps == d]),
                    ),
                    shape=(n_target, n_source),
                ).toarray(),
            )
            for d in np.unique(steps)
        ]
    else:
        weight = _convolution(connection, n_source)
        delay = np.broadcast_to(connection.delay, weight.shape)
    return [(int(d), np.where(delay == d, weight, 0.0)) for d in np.unique(delay)]


def _convolution(c, n_source):
    """Correlate unit images with plain loops."""
    c_out, per_group, kh, kw = c.weight.shape
    _, h, w = c.input_shape
    ho = (h + 2 * c.padding[0] - c.dilation[0] * (kh - 1) - 1) // c.stride[0] + 1
    wo = (w + 2 * c.padding[1] - c.dilation[1] * (kw - 1) - 1) // c.stride[1] + 1
    result = np.zeros((c_out, ho, wo, n_source))
    for o, y, x, i, a, b in np.ndindex(c_out, ho, wo, per_group, kh, kw):
        row = y * c.stride[0] + a * c.dilation[0] - c.padding[0]
        col = x * c.stride[1] + b * c.dilation[1] - c.padding[1]
        if 0 <= row < h and 0 <= col < w:
            channel = o // (c_out // c.groups) * per_group + i
            result[o, y, x, (channel * h + row) * w + col] += c.weight[o, i, a, b]
    return result.reshape(-1, n_source)


class FloatChip:
    """One step per hop, programmed delays, reset to zero, strict comparison."""

    def __init__(self, network):
        self.network = network
        self.wires = [
            (c.source, c.target, 1 + steps, matrix)
            for c in network.connections
            for steps, matrix in matrix_of(c, network.size_of(c.target), network.size_of(c.source))
        ]

    def run(self, inputs):
        """Return spikes (or voltages of read-outs) by population, (time, n)."""
        time = len(next(iter(inputs.values())))
        sent = {n: np.array(x, dtype=float).reshape(time, -1) for n, x in inputs.items()}
        for p in self.network.populations:
            sent[p.name] = np.zeros((time, p.size))
        state = {p.name: np.zeros((2, p.size)) for p in self.network.populations}
        for t in range(time):
            for p in self.network.populations:
                x = np.zeros(p.size)
                for source, target, steps, matrix in self.wires:
                    if target == p.name and t >= steps:
                        x += matrix @ sent[source][t - steps]
                i, v = state[p.name]
                i = p.full("beta") * i + x
                started = t >= p.late
                v = p.full("alpha") * v + i + p.full("bias") * started
                spikes = (v > p.full("threshold")) if p.spiking else np.zeros(p.size, dtype=bool)
                sent[p.name][t] = spikes if p.spiking else v + p.full("v_rest")
                state[p.name] = np.array([i, np.where(spikes, 0.0, v)])
        return sent


@pytest.fixture
def build():
    return Built


@pytest.fixture
def matrices():
    return matrix_of


@pytest.fixture
def float_chip():
    return FloatChip


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def lif():
    """Return a maker of LIF layers as the chip has them."""

    def make(*shape, **fields):
        return LIF(shape=shape, **{"tau_mem": 10e-3, **CHIP, **fields})

    return make


@pytest.fixture
def cuba():
    """Return a maker of CubaLIF layers as the chip has them."""

    def make(*shape, **fields):
        return CubaLIF(shape=shape, **{"tau_mem": 10e-3, "tau_syn": 5e-3, **CHIP, **fields})

    return make
