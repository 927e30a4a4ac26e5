"""From graphs to packets: a spike opens exactly the synapses of the graph, with their weights."""

import numpy as np
import pytest

import ranvier as rv
from ranvier.graph import Edge, Graph, Input, Linear, Output
from ranvier_dynapse2 import Dpi
from ranvier_dynapse2.biases import WEIGHT_BIASES
from ranvier_dynapse2.routing import connections, walk

GRAPHS, PER_TEST = 200, 10
SIGN = np.array([1.0, -1.0, 1.0, -1.0])  # ampa, gaba, nmda, shunt
MANY, FEW = 40, 12
"""Neurons of a layer on few cores, and on many."""


def sparse(rng, n_out, n_in, *, most):
    """Weights with at most so many per row, some of them equal, some columns equal."""
    weight = np.zeros((n_out, n_in))
    for row in weight:
        count = int(rng.integers(0, min(most, n_in) + 1))
        chosen = rng.choice(n_in, count, replace=False)
        row[chosen] = rng.normal(0, 4, count)
    if n_in > 2 and rng.random() < 0.3:
        weight[:, 1] = weight[:, 0]  # sources that may share a tag
    return weight


def random_graph(seed):
    """Layers of different parameters, one core or more each, connected in all directions."""
    rng = np.random.default_rng(seed)
    layers = int(rng.integers(1, 17))
    sizes = rng.integers(1, MANY if layers < 5 else FEW, layers)
    if seed % 20 == 0:
        layers, sizes = 1, np.array([300])  # one set of parameters, two cores
    n_in = int(rng.integers(1, 30))
    nodes = {"input": Input(shape=(n_in,))}
    edges, fan_in = [], np.full(layers, 64)
    for k, n in enumerate(sizes):
        nodes[f"n{k}"] = Dpi(shape=(int(n),), i_tau_mem=4e-12 * 1.2**k)
        nodes[f"w{k}"] = Linear(weight=sparse(rng, int(n), n_in, most=20))
        edges += [Edge("input", f"w{k}"), Edge(f"w{k}", f"n{k}")]
        fan_in[k] -= 20
    for number in range(int(rng.integers(layers, 3 * layers + 1))):
        a, b = int(rng.integers(layers)), int(rng.integers(layers))
        most = int(min(fan_in[b], rng.integers(0, 16)))
        if not most:
            continue
        fan_in[b] -= most
        nodes[f"r{number}"] = Linear(weight=sparse(rng, int(sizes[b]), int(sizes[a]), most=most))
        edges += [Edge(f"n{a}", f"r{number}", delay=1), Edge(f"r{number}", f"n{b}")]
    for k in range(layers):
        nodes[f"o{k}"] = Output(shape=(int(sizes[k]),))
        edges.append(Edge(f"n{k}", f"o{k}"))
    return Graph(nodes, edges, 1e-3)


def intended(graph, config):
    """Return the signed currents that the levels of each core allow, (targets, sources), in A.

    Sources are the channels, then all neurons by layer; parallel connections add up first.
    """
    names = list(graph.neurons)
    sizes = [graph.nodes[n].size for n in names]
    start = dict(zip(names, np.cumsum([0, *sizes[:-1]]), strict=True))
    n_in = graph.nodes["input"].size
    wanted = np.zeros((sum(sizes), n_in + sum(sizes)))
    for edge in graph.edges:
        weight = getattr(graph.nodes[edge.source], "weight", None)
        if weight is None:
            continue
        source = graph.edges_into(edge.source)[0].source
        column = 0 if source == "input" else n_in + start[source]
        row = start[edge.target]
        wanted[row : row + weight.shape[0], column : column + weight.shape[1]] += weight
    place = config.placement
    neuron = place.port_id == place.port.index("neuron")
    position = np.zeros(sum(sizes), dtype=int)
    for node, index, chip, core, slot in zip(
        *(getattr(place, k)[neuron] for k in ("node_id", "index", "chip", "core", "slot")),
        strict=True,
    ):
        position[start[place.node[node]] + index] = (chip * 4 + core) * 256 + slot
    return _nearest(wanted, position // 256, config), position


def _nearest(wanted, cores, config):
    """Replace each weight by the nearest level of the target's core, 0 included."""
    bases = np.array([config.current(name).ravel() for name in WEIGHT_BIASES])  # (4, cores)
    scale = config.i_scale.ravel()
    codes = [config.bias_names.index(name) for name in WEIGHT_BIASES]
    coarse, fine = (getattr(config, f"bias_{k}")[..., codes] for k in ("coarse", "fine"))
    unused = ((coarse == 0) & (fine == 0)).reshape(-1, 4).T  # its bit is in no mask
    masks = (np.arange(16)[:, None] >> np.arange(4)) & 1
    levels = masks @ bases
    levels[(masks @ unused) > 0] = np.inf
    given = np.zeros_like(wanted)
    for row, core in enumerate(cores):
        current = np.abs(wanted[row]) * scale[core]
        nearest = np.abs(current[:, None] - levels[:, core]).argmin(axis=1)
        given[row] = np.sign(wanted[row]) * levels[nearest, core]
    return given


def found(config, rows, position):
    """Return the same from (source, target, port, mask) of synapses that opened."""
    n_in = config.n_channels
    numbers = np.full(n_in + config.chips * 1024, -1)
    numbers[:n_in] = np.arange(n_in)
    numbers[n_in + position] = n_in + np.arange(position.size)
    bases = np.array([config.current(name).ravel() for name in WEIGHT_BIASES])
    matrix = np.zeros((position.size, n_in + position.size))
    seen = set()
    for source, target, port, mask in rows:
        at = (int(numbers[n_in + target]) - n_in, int(numbers[source]))
        assert min(at) >= 0, "a synapse of a neuron that the graph does not have"
        assert at not in seen, "a synapse that opens twice"
        seen.add(at)
        bits = (int(mask) >> np.arange(4)) & 1
        matrix[at] = SIGN[port] * (bits @ bases[:, target // 256])
    return matrix


def walked(config):
    """Follow every packet of every source."""
    sources = [*range(config.n_channels)]
    used = np.flatnonzero(config.sram_used.reshape(-1, 4).any(axis=1))
    sources += (config.n_channels + used).tolist()
    for source in sources:
        for packet in walk(config, source):
            assert packet.fate in ("broadcast", "host")
            for core, neuron, entry in packet.opened:
                at = (packet.chip, core, neuron, entry)
                target = (packet.chip * 4 + core) * 256 + neuron
                yield source, target, config.cam_dendrite[at] - 1, config.cam_mask[at]


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, GRAPHS, PER_TEST))
def test_packets_open_exactly_the_synapses_of_the_graph(first):
    for seed in range(first, first + PER_TEST):
        graph = random_graph(seed)
        config = rv.build(graph, "dynapse2")
        expected, position = intended(graph, config)
        links = connections(config)

        rows = zip(links.source, links.target, links.port, links.mask, strict=True)
        at_once = found(config, rows, position)
        by_walking = found(config, walked(config), position)

        np.testing.assert_allclose(at_once, expected, rtol=1e-12, atol=0)
        np.testing.assert_array_equal(by_walking, at_once)


def test_the_generated_graphs_cover_one_to_sixteen_cores_and_several_chips():
    cores, across = set(), 0
    for seed in range(0, GRAPHS, 7):
        config = rv.build(random_graph(seed), "dynapse2")
        place = config.placement
        own = place.port_id == place.port.index("neuron")
        cores.add(len({*zip(place.chip[own].tolist(), place.core[own].tolist(), strict=True)}))
        across += int(np.any((config.sram_x != 0) & (config.sram_x != -7)))

    assert min(cores) == 1
    assert max(cores) == 16
    assert across > 5
