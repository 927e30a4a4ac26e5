"""Networks to place, and what their weights look like through the events of the chip."""

import numpy as np

from ranvier.diagnostics import Findings
from ranvier_bss2.network import (
    TARGETS,
    BssBackground,
    BssNetwork,
    BssPopulation,
    BssProjection,
    Readout,
)
from ranvier_bss2.nodes import MODEL
from ranvier_bss2.placement import Budget, fit_circuits, place_network, synapse_arrays
from ranvier_bss2.routing import (
    Registers,
    background_channels,
    background_event,
    connections,
    external_event,
    neuron_event,
    walk,
)
from ranvier_bss2.targets import limits_of

LIMITS = limits_of()
BUDGET = Budget.of(LIMITS)
VALUES = {
    "leak": 80,
    "reset": 80,
    "threshold": 125,
    "tau_mem": 10e-6,
    "tau_syn_exc": 10e-6,
    "tau_syn_inh": 10e-6,
    "refractory": 1e-6,
    "holdoff": 0.0,
    "i_synin_gm": 500,
    "membrane_capacitance": 63,
    "synapse_dac_bias": 600,
}


def population(name, size, *, circuits=1, fire=True, instance=0, split=()):
    ones = np.ones(size)
    return BssPopulation(
        name=name,
        shape=(size,),
        switches=("leaky", "fire") if fire else ("leaky",),
        model=dict.fromkeys(MODEL, ones),
        targets={name: VALUES[name] * ones for name in TARGETS},
        readout=Readout(trace_scale=ones, trace_offset=ones),
        circuits=circuits,
        instance=instance,
        split=split,
    )


def background(name, size=1, *, generator=-1, regular=False, period=125, rate=128, seed=1):
    return BssBackground(
        name=name,
        shape=(size,),
        regular=regular,
        period=period,
        rate=rate,
        seed=seed,
        generator=generator,
    )


def network(
    inputs,
    populations,
    joined,
    *,
    rng=None,
    scale=20.0,
    largest=63.0,
    density=1.0,
    backgrounds=(),
):
    """Return a network; `joined` holds pairs of names, weights are drawn."""
    rng = np.random.default_rng(0) if rng is None else rng
    sizes = dict(inputs) | {p.name: p.size for p in (*populations, *backgrounds)}
    projections = []
    for source, target in joined:
        shape = (sizes[target], sizes[source])
        recurrent = source == target
        projections.append(
            BssProjection(
                source=source,
                target=target,
                weight=rng.normal(0.0, scale, shape).clip(-largest, largest),
                connected=rng.random(shape) < density,
                delay=int(recurrent),
            )
        )
    return BssNetwork(
        dt=1e-6,
        time_scale=1e-3,
        inputs={name: (size,) for name, size in inputs.items()},
        populations=tuple(populations),
        projections=tuple(projections),
        backgrounds=tuple(backgrounds),
    )


def dense(*, inputs, hidden, outputs, recurrent=False, fire=False):
    """Return input, hidden and output layer, with as many circuits as they need."""
    joined = [("in", "hid"), ("hid", "out")] + [("hid", "hid")] * recurrent
    populations = [population("hid", hidden), population("out", outputs, fire=fire)]
    net = network({"in": inputs}, populations, joined)
    return fit_circuits(net, BUDGET)


def placed(net, **options):
    findings = Findings()
    layout = place_network(net, BUDGET, findings=findings, **options)
    assert layout is not None, [str(d) for d in findings]
    return layout


def rounded(net):
    return {
        k: (np.sign(q.weight) * np.floor(np.abs(q.weight) + 0.5) * q.connected).astype(np.int64)
        for k, q in enumerate(net.projections)
    }


def registers_of(layout, net, weights=None):
    return Registers(layout, *synapse_arrays(layout, rounded(net) if weights is None else weights))


class View:
    """Rows: channels of projections, all neurons, channels of generators; columns: neurons."""

    def __init__(self, net):
        self.net = net
        self.first_channel, start = [], 0
        for q in net.projections:
            self.first_channel.append(start)
            start += net.size_of(q.source)
        self.neurons, self.first = start, {}
        for p in net.populations:
            self.first[p.name] = start - self.neurons
            start += p.size
        columns, self.drawn = start - self.neurons, {}
        for b in net.backgrounds:
            self.drawn[b.name] = start
            start += b.size
        self.shape = (start, columns)

    def intended(self, weights):
        matrix = np.zeros(self.shape, dtype=np.int64)
        for k, q in enumerate(self.net.projections):
            p = self.net.population(q.target)
            outside = np.ones((p.size, self.net.size_of(q.source)), dtype=bool)
            rows = slice(self.first_channel[k], self.first_channel[k] + outside.shape[1])
            columns = slice(self.first[q.target], self.first[q.target] + p.size)
            if q.source in self.drawn:
                outside[:] = False
                inner = self.drawn[q.source]
            if q.source in self.first:
                source = self.net.population(q.source).neuron_instance
                outside = source[None, :] != p.neuron_instance[:, None]
                inner = self.neurons + self.first[q.source]
            if not outside.all():
                inside = (weights[k] * ~outside).T
                matrix[inner : inner + outside.shape[1], columns] += inside
            matrix[rows, columns] += (weights[k] * outside).T
        return matrix

    def neuron_at(self, layout):
        """Return the neuron of every circuit, (I, 512); -1: none."""
        first = np.array([self.first[p.name] for p in self.net.populations])
        at = np.full((layout.instances, LIMITS.neuron_circuits), -1)
        neuron = first[layout.neuron_population] + layout.neuron_index
        at[layout.neuron_instance, layout.neuron_circuit] = neuron
        return at

    def row_of_outer(self, layout, r):
        return np.array(self.first_channel)[layout.source_projection[r]] + layout.source_channel[r]

    def rows_of_drawn(self, registers):
        """Return the row of every channel of the generators in use."""
        row, channel, _ = background_channels(registers)
        first = np.array([*self.drawn.values(), 0])
        return first[registers.layout.background_node[row]] + channel

    def by_connections(self, layout, registers, *, count=False):
        found, at = connections(registers), self.neuron_at(layout)
        target = at[found.instance, found.array * LIMITS.columns + found.column]
        assert (target >= 0).all()
        inner = self.neurons + at[found.instance, found.source % LIMITS.neuron_circuits]
        outer = found.kind == 1
        row = inner.copy()
        row[outer] = self.row_of_outer(layout, found.source[outer])
        drawn = found.kind == 2
        row[drawn] = self.rows_of_drawn(registers)[found.source[drawn]]
        matrix = np.zeros(self.shape, dtype=np.int64)
        value = 1 if count else found.weights(registers.synapse_weight)
        np.add.at(matrix, (row, target), value)
        return matrix

    def by_walking(self, layout, registers):
        matrix, at = np.zeros(self.shape, dtype=np.int64), self.neuron_at(layout)
        for instance in range(layout.instances):
            address = layout.circuit_address[instance]
            for circuit in np.flatnonzero(address >= 0).tolist():
                event = neuron_event(circuit, int(address[circuit]), LIMITS)
                row = self.neurons + at[instance, circuit]
                self._walk(matrix, row, (registers, instance, event), at)
            for r in np.flatnonzero(layout.source_instance == instance).tolist():
                event = external_event(
                    int(layout.source_link[r]), int(layout.source_label[r]), LIMITS
                )
                self._walk(matrix, self.row_of_outer(layout, r), (registers, instance, event), at)
        self._walk_drawn(matrix, registers, at)
        return matrix

    def _walk_drawn(self, matrix, registers, at):
        layout = registers.layout
        generator, _, label = background_channels(registers)
        for row, g, own in zip(
            self.rows_of_drawn(registers), generator.tolist(), label.tolist(), strict=True
        ):
            event = background_event(int(layout.background_generator[g]), own, LIMITS)
            instance = int(layout.background_instance[g])
            self._walk(matrix, row, (registers, instance, event), at)

    def _walk(self, matrix, row, arguments, at):
        for opened in walk(*arguments):
            target = at[arguments[1], opened.array * LIMITS.columns + opened.column]
            assert target >= 0
            matrix[row, target] += opened.sign * opened.weight


def random_network(seed, *, generators=0):
    """Return a network of random structure that fits onto one chip."""
    rng = np.random.default_rng(seed)
    inputs = {"a": int(rng.integers(1, 60))}
    if rng.random() < 0.3:
        inputs["b"] = int(rng.integers(1, 30))
    hidden = [
        population(f"h{k}", int(rng.integers(1, 50)), circuits=int(rng.integers(1, 4)))
        for k in range(int(rng.integers(1, 4)))
    ]
    populations = [*hidden, population("out", int(rng.integers(1, 12)), fire=rng.random() < 0.5)]
    joined, before = [], list(inputs)
    for p in populations:
        joined += [(name, p.name) for name in before if rng.random() < 0.6]
        joined += [(before[-1], p.name)]
        if p.name != "out" and rng.random() < 0.4:
            joined.append((p.name, p.name))
        before.append(p.name)
    drawn = [background(f"g{k}", int(2 ** rng.integers(0, 5)), seed=k) for k in range(generators)]
    for b in drawn:
        targets = rng.permutation(len(populations))[: int(rng.integers(1, 3))]
        joined += [(b.name, populations[k].name) for k in targets]
    net = network(
        inputs,
        populations,
        joined,
        rng=rng,
        scale=float(rng.choice([5.0, 20.0, 60.0])),
        largest=np.inf,
        density=float(rng.choice([1.0, 1.0, 0.5, 0.1])),
        backgrounds=drawn,
    )
    return fit_circuits(net, BUDGET)
