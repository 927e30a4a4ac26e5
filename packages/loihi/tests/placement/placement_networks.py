"""Networks for the tests of placement, and a recount of cores with plain loops."""

import itertools
import math
from collections import defaultdict

import numpy as np

from ranvier.diagnostics import Findings
from ranvier_loihi.network import LoihiNetwork, MappedConnection, MappedPopulation
from ranvier_loihi.placement import Budget, place_network
from ranvier_loihi.targets import limits_of

PARAMETERS = ("alpha", "beta", "threshold", "threshold_low", "refractory", "cosine", "sine")


def budget(target="loihi2", *, chips=1, **changes):
    return Budget.of(limits_of(target), chips=chips, **changes)


def population(name, shape, **changes):
    shape = (shape,) if isinstance(shape, int) else shape
    return MappedPopulation(name=name, model="lif", shape=shape, **changes)


def connection(source, target, weight, *, kind="dense", **changes):
    return MappedConnection(
        source=source, target=target, port="in", kind=kind, weight=weight, **changes
    )


def dense(*sizes, seed=0, zeros=0.0):
    rng = np.random.default_rng(seed)
    names = ["input", *(f"layer{k}" for k in range(len(sizes) - 1))]
    weights = [
        rng.normal(size=(b, a)) * (rng.random((b, a)) >= zeros)
        for a, b in itertools.pairwise(sizes)
    ]
    return LoihiNetwork(
        inputs={"input": (sizes[0],)},
        populations=tuple(population(n, s) for n, s in zip(names[1:], sizes[1:], strict=True)),
        connections=tuple(
            connection(a, b, w) for a, b, w in zip(names[:-1], names[1:], weights, strict=True)
        ),
    )


def sparse_connection(source, target, pairs, n_target, **changes):
    """Connection from (target, source) pairs."""
    pairs = np.asarray(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    return connection(
        source,
        target,
        np.ones(len(pairs)),
        kind="sparse",
        indices=pairs[:, 1],
        indptr=np.searchsorted(pairs[:, 0], np.arange(n_target + 1)),
        **changes,
    )


def mixed(seed=0, *, n=60):
    """Convolution, recurrent sparse and dense layers, a skip connection, several parameters."""
    rng = np.random.default_rng(seed)
    maps = (3, 6, 5)
    kernel = rng.normal(size=(3, 2, 3, 3)) * (rng.random((3, 2, 3, 3)) > 0.3)
    pairs = {(int(t), int(s)) for t, s in rng.integers(0, n, (5 * n, 2))}
    return LoihiNetwork(
        inputs={"image": (2, 8, 7), "other": (9,)},
        populations=(
            population("maps", maps, alpha=rng.choice([0.1, 0.2, 0.3], 90)),
            population("hidden", n, threshold=rng.choice([1.0, 2.0, 3.0], n)),
            population("out", 7, spiking=False),
        ),
        connections=(
            connection("image", "maps", kernel, kind="conv", input_shape=(2, 8, 7)),
            connection("maps", "hidden", rng.normal(size=(n, 90)) * (rng.random((n, 90)) > 0.7)),
            sparse_connection("hidden", "hidden", pairs, n),
            connection("hidden", "out", rng.normal(size=(7, n))),
            connection("maps", "out", rng.normal(size=(7, 90)) * (rng.random((7, 90)) > 0.5)),
            connection("other", "hidden", rng.normal(size=(n, 9))),
        ),
    )


def clusters(n=240, *, size=24, fan=8, stray=0.02, seed=0):
    """A recurrent population whose neurons connect within clusters; names are shuffled."""
    rng = np.random.default_rng(seed)
    label = rng.permutation(n) // size
    pairs = set()
    for target in range(n):
        own = np.flatnonzero(label == label[target])
        for source in rng.choice(own, fan, replace=False):
            far = rng.random() < stray
            pairs.add((target, int(rng.integers(n)) if far else int(source)))
    net = LoihiNetwork(
        inputs={},
        populations=(population("cells", n),),
        connections=(sparse_connection("cells", "cells", pairs, n),),
    )
    return net, label


def pilotnet(seed=0):
    rng = np.random.default_rng(seed)
    shape, name = (3, 66, 200), "input_layer"
    populations, connections = [population(name, shape, drive="input")], []
    layers = zip((24, 36, 48, 64, 64), (5, 5, 5, 3, 3), (2, 2, 2, 1, 1), strict=True)
    for k, (channels, size, stride) in enumerate(layers):
        kernel = rng.normal(size=(channels, shape[0], size, size))
        changes = {"input_shape": shape, "stride": (stride, stride)}
        connections.append(connection(name, f"conv{k}", kernel, kind="conv", **changes))
        shape = (channels, *((s - size) // stride + 1 for s in shape[1:]))
        name = f"conv{k}"
        populations.append(population(name, shape))
    before = math.prod(shape)
    for k, size in enumerate((100, 50, 10, 1)):
        connections.append(connection(name, f"dense{k}", rng.normal(size=(size, before))))
        name, before = f"dense{k}", size
        populations.append(population(name, size))
    return LoihiNetwork(
        inputs={"input": (3, 66, 200)},
        populations=tuple(populations),
        connections=tuple(connections),
    )


def place(network, limits, *, seed=0, rates=None):
    findings = Findings()
    placement = place_network(network, limits, rates=rates, seed=seed, findings=findings)
    assert not findings.errors(), [str(d) for d in findings]
    return placement


def core_of(network, placement):
    """Return {(population, index): (chip, core)}."""
    columns = (placement.node_id, placement.index, placement.chip, placement.core)
    return {
        (placement.node[node], int(index)): (int(chip), int(core))
        for node, index, chip, core in zip(*columns, strict=True)
    }


def synapses_of(net, c):
    """Yield (target, source, output channel or None) of every nonzero weight."""
    if c.kind == "dense":
        for target, source in np.argwhere(c.weight):
            yield int(target), int(source), None
    elif c.kind == "sparse":
        for target in range(net.size_of(c.target)):
            for e in range(c.indptr[target], c.indptr[target + 1]):
                if c.weight[e] != 0:
                    yield target, int(c.indices[e]), None
    else:
        yield from _conv_synapses(net, c)


def _conv_synapses(net, c):
    shape = next(p.shape for p in net.populations if p.name == c.target)
    _, height, width = c.input_shape
    per_in, per_out = c.input_shape[0] // c.groups, shape[0] // c.groups
    for channel, y, x in np.ndindex(*shape):
        target = (channel * shape[1] + y) * shape[2] + x
        for part, i, j in np.argwhere(c.weight[channel]):
            row = y * c.stride[0] - c.padding[0] + i * c.dilation[0]
            column = x * c.stride[1] - c.padding[1] + j * c.dilation[1]
            if 0 <= row < height and 0 <= column < width:
                plane = channel // per_out * per_in + part
                yield target, int((plane * height + row) * width + column), channel


def recount(net, placement, limits):
    """Count what every core holds, synapse by synapse; and the spikes between cores."""
    places = core_of(net, placement)
    sources, reached = defaultdict(set), defaultdict(set)
    words, bunches, kernels = defaultdict(int), defaultdict(int), defaultdict(set)
    for number, c in enumerate(net.connections):
        shared = c.kind == "conv" and limits.convolution_shared
        if shared:
            for (name, index), core in places.items():
                if name == c.target:
                    channel = index // (net.size_of(name) // c.weight.shape[0])
                    kernels[core, number].add(channel)
        for target, source, _ in synapses_of(net, c):
            core = places[c.target, target]
            sources[core].add((c.source, source))
            if (c.source, source) in places:
                reached[c.source, source].add(core)
            if not shared:
                bunches[core, number, source] += 1
    for (core, _, _), count in bunches.items():
        bits = count * limits.bits_per_synapse + limits.overhead_bits_per_axon
        words[core] += math.ceil(bits / limits.bits_per_word)
    for (core, number), channels in kernels.items():
        bits = len(channels) * net.connections[number].weight[0].size * limits.bits_per_synapse
        words[core] += math.ceil(bits / limits.bits_per_word)
    found = {}
    for core in set(places.values()):
        own = [neuron for neuron, place in places.items() if place == core]
        sets = {(name, *_values(net, name, index, PARAMETERS)) for name, index in own}
        thresholds = {(name, *_values(net, name, index, ("threshold",))) for name, index in own}
        found[core] = {
            "neurons": len(own),
            "axons_in": len(sources[core]),
            "axons_out": sum(len(reached[neuron]) for neuron in own),
            "synapse_words": words[core],
            "groups": len(sets),
            "thresholds": len(thresholds),
        }
    traffic = sum(len(cores - {places[neuron]}) for neuron, cores in reached.items())
    return found, traffic


def _values(net, name, index, fields):
    p = next(p for p in net.populations if p.name == name)
    return [float(p.full(field)[index]) for field in fields]
