"""Hand-made mapped networks, and an integer neuron written from the definition."""

import numpy as np
import pytest

from ranvier.artifacts import MappedNetwork, Placement
from ranvier.graph import LIF, Graph, Linear
from ranvier_loihi.network import LoihiNetwork, MappedConnection, MappedPopulation


def _population(name="a", size=3, **fields):
    given = {"model": "lif", "beta": 0.75, "alpha": 0.875, "threshold": 1.0, **fields}
    arrays = {
        k: np.atleast_1d(np.asarray(v, dtype=np.int64 if k == "refractory" else np.float64))
        if not isinstance(v, str | bool | int | type(None)) or k in ("beta", "alpha", "threshold")
        else v
        for k, v in given.items()
    }
    return MappedPopulation(**{"name": name, "shape": (size,), **arrays})


def _dense(weight, source="input", target="a", **fields):
    given = {"port": "in", "kind": "dense", **fields}
    return MappedConnection(
        source=source, target=target, weight=np.asarray(weight, dtype=np.float64), **given
    )


def _mapped(populations, connections, *, inputs=None, taps=(), target="loihi2", **settings):
    inputs = inputs or {"input": (2,)}
    network = LoihiNetwork(
        inputs=inputs,
        populations=tuple(populations),
        connections=tuple(connections),
        taps=tuple(taps),
    )
    rows, slot = [], 0
    for p in populations:
        rows.append((p.name, np.arange(p.size), "neuron", slot + np.arange(p.size)))
        slot += p.size
    arrays, document = network.to_parts()
    last = populations[-1]
    graph = Graph.sequential(
        {"fc": Linear(weight=np.ones((3, 2))), "a": LIF(shape=(3,), tau_mem=1e-2)}, dt=1e-3
    )
    quantity = "spikes" if last.spiking else "v_mem"
    return MappedNetwork(
        target=target,
        graph=graph,
        placement=Placement.from_rows(rows),
        arrays=arrays,
        settings={
            "network": document,
            "budget": {"chips": 1, "neurons": 4095},
            "options": {},
            "outputs": [["output", last.name, quantity]],
            "values": [],
            **settings,
        },
        latency={p.name: p.late for p in populations},
    )


def _dz(x):
    return np.sign(x) * (np.abs(x) >> 12)


def _integer_lif(current, *, decay_u, decay_v, threshold, bias=0, v=0):
    """Spikes and voltages before reset for weighted input codes (time, n), as the chip has them."""
    u, v = np.zeros(current.shape[1], dtype=np.int64), v + np.zeros(current.shape[1], np.int64)
    spikes, voltages = [], []
    for a in current:
        u = _dz(u * (4096 - decay_u)) + (a << 6)
        v = _dz(v * (4096 - decay_v)) + u + bias
        voltages.append(v.copy())
        s = v > (threshold << 6)
        v = np.where(s, 0, v)
        spikes.append(s)
    return np.array(spikes), np.array(voltages)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def make_population():
    return _population


@pytest.fixture(scope="session")
def make_dense():
    return _dense


@pytest.fixture(scope="session")
def make_mapped():
    return _mapped


@pytest.fixture(scope="session")
def integer_lif():
    return _integer_lif
