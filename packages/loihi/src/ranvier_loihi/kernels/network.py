"""A whole network: populations and synapses in an order that allows chunks of steps.

What a neuron emits arrives one step later or more. Populations that are not part of a loop
therefore advance by whole chunks, sources first; those of a loop advance together by as many steps
as the fastest connection among them leaves time for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import LoihiConfig
from .layout import Array, Events, Out, Span
from .populations import PreparedPopulation, State, prepare_population
from .synapses import PreparedSynapse, prepare_synapse

MOST_STEPS = 256
CHUNK_VALUES = 1 << 17
"""Values of the largest population in a chunk: they fit the second cache."""


@dataclass(frozen=True)
class Group:
    """Populations that advance together: one, or all those of a loop.

    Parameters
    ----------
    members : tuple of int
        Populations.
    within, into : tuple of int
        Synapses between members, and from elsewhere to a member.
    steps : int
        Most steps at once; 0: a whole chunk.
    """

    members: tuple[int, ...]
    within: tuple[int, ...]
    into: tuple[int, ...]
    steps: int = 0


@dataclass(eq=False)
class NetworkState:
    """State of a batch between two runs.

    Parameters
    ----------
    populations, synapses : list of dict of str to array
        (batch, n) by state; (batch, slots, width) by ring.
    step : int
        Steps since the last reset.
    """

    populations: list[State]
    synapses: list[State]
    step: int = 0

    @property
    def batch(self) -> int:
        """Samples."""
        return len(next(iter(self.populations[0].values())))


@dataclass(eq=False)
class NetworkRun:
    """What came out of a run.

    Parameters
    ----------
    events : dict of str to list of tuple
        By population: sample, first step, ends, ids and values of each chunk.
    traces : dict of (str, str) to array
        (batch, time, n) by population and quantity.
    wrapped, clipped, emitted : dict of str to int
        By population: currents wrapped, voltages clipped, events sent.
    sums_wrapped : list of int
        By synapse: sums of a convolution wrapped.
    """

    events: dict[str, list[tuple[int, int, Array, Array, Array]]] = field(default_factory=dict)
    traces: dict[tuple[str, str], Array] = field(default_factory=dict)
    wrapped: dict[str, int] = field(default_factory=dict)
    clipped: dict[str, int] = field(default_factory=dict)
    emitted: dict[str, int] = field(default_factory=dict)
    sums_wrapped: list[int] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class PreparedNetwork:
    """A network laid out for the compiled loops; made by `prepare_network`."""

    populations: tuple[PreparedPopulation, ...]
    synapses: tuple[PreparedSynapse, ...]
    groups: tuple[Group, ...]
    chunk: int

    def at_rest(self, batch: int) -> NetworkState:
        """Return the state before the first step."""
        synapses = [
            {
                name: np.zeros((batch, *shape), dtype=s.slots.dtype)
                for name, shape in s.pending.items()
            }
            for s in self.synapses
        ]
        return NetworkState([p.at_rest(batch) for p in self.populations], synapses)

    def run(
        self,
        counts: dict[str, NDArray[np.int64]],
        drives: dict[str, NDArray[np.int64]],
        state: NetworkState,
        *,
        record: set[tuple[str, str]],
        n_steps: int,
    ) -> NetworkRun:
        """Advance all samples; ``state`` is changed in place.

        Parameters
        ----------
        counts : dict of str to array, (batch, time, n)
            Messages of the inputs that synapses read.
        drives : dict of str to array, (batch, time, n)
            Mantissas or messages by driven population.
        state : NetworkState
            Of as many samples.
        record : set of (str, str)
            Populations and quantities.
        n_steps : int
            Steps.
        """
        result = NetworkRun(sums_wrapped=[0] * len(self.synapses))
        for p in self.populations:
            for q in p.traces:
                if (p.source.name, q) in record and q is not None:
                    shape = (state.batch, n_steps, p.size)
                    result.traces[p.source.name, q] = np.empty(shape, dtype=p.dtype)
        for sample in range(state.batch):
            inputs = {name: _events_of(values[sample]) for name, values in counts.items()}
            own = {name: values[sample] for name, values in drives.items()}
            _SampleRun(self, inputs, own, state, result, record=record, sample=sample).run(n_steps)
        state.step += n_steps
        return result


class _SampleRun:
    """One sample on its way through the network."""

    def __init__(
        self,
        net: PreparedNetwork,
        inputs: dict[str, Events],
        drives: dict[str, NDArray[np.int64]],
        state: NetworkState,
        result: NetworkRun,
        *,
        record: set[tuple[str, str]],
        sample: int,
    ) -> None:
        self._net, self._inputs, self._state = net, inputs, state
        self._result, self._sample = result, sample
        self._drives = [
            p.driven(drives[p.source.name]) if p.source.name in drives else None
            for p in net.populations
        ]
        self._outs = [self._out(p) for p in net.populations]
        self._arriving = [
            [np.zeros((net.chunk, p.size), dtype=p.dtype) for _ in p.ports] for p in net.populations
        ]
        self._number = {p.source.name: i for i, p in enumerate(net.populations)}
        self._listed = [(p.source.name, "spikes") in record for p in net.populations]
        self._own = [
            {name: values[sample] for name, values in part.items()} for part in state.populations
        ]

    def _out(self, p: PreparedPopulation) -> Out:
        nothing = np.zeros((0, p.size), dtype=p.dtype)
        traces = tuple(
            self._result.traces[p.source.name, q][self._sample]
            if q is not None and (p.source.name, q) in self._result.traces
            else nothing
            for q in p.traces
        )
        return Out.of(p.size, chunk=self._net.chunk, traces=traces)

    def run(self, n_steps: int) -> None:
        """Advance by all steps and write the state back."""
        net, state = self._net, self._state
        for synapse, part in zip(net.synapses, state.synapses, strict=True):
            synapse.load({name: values[self._sample] for name, values in part.items()})
            synapse.lost[:] = 0
        for t in range(0, n_steps, net.chunk):
            self._advance(t, min(net.chunk, n_steps - t))
        for i, (synapse, part) in enumerate(zip(net.synapses, state.synapses, strict=True)):
            self._result.sums_wrapped[i] += int(synapse.lost[0])
            for name, values in synapse.saved(n_steps).items():
                part[name][self._sample] = values
        for p, out in zip(net.populations, self._outs, strict=True):
            for counter, lost in zip(
                (self._result.wrapped, self._result.clipped), out.lost, strict=True
            ):
                counter[p.source.name] = counter.get(p.source.name, 0) + int(lost)

    def _advance(self, t: int, n: int) -> None:
        """Advance by one chunk, group by group."""
        step = self._state.step
        for group in self._net.groups:
            whole = Span(0, n, t, step)
            for i in group.members:
                for x in self._arriving[i]:
                    x[:n] = 0
            for s in group.into:
                self._scatter(s, whole)
                self._hand_over(s, whole)
            steps = group.steps or n
            for first in range(0, n, steps):
                span = Span(first, min(steps, n - first), t + first, step)
                for s in group.within:
                    self._hand_over(s, span)
                for i in group.members:
                    self._net.populations[i].advance(
                        self._arriving[i], self._own[i], self._drives[i], self._outs[i], span
                    )
                for s in group.within:
                    self._scatter(s, span)
        self._keep_events(t, n)

    def _scatter(self, number: int, span: Span) -> None:
        synapse = self._net.synapses[number]
        name = synapse.source.source
        if name in self._inputs:
            events = self._inputs[name]._replace(first=span.t)
        else:
            out = self._outs[self._number[name]]
            events = Events(out.ends, span.first, out.ids, out.values)
        synapse.scatter(events, span)

    def _hand_over(self, number: int, span: Span) -> None:
        synapse = self._net.synapses[number]
        target = self._number[synapse.source.target]
        port = self._net.populations[target].ports.index(synapse.source.port)
        synapse.hand_over(self._arriving[target][port], span)

    def _keep_events(self, t: int, n: int) -> None:
        for p, out, listed in zip(self._net.populations, self._outs, self._listed, strict=True):
            last, name = int(out.ends[n]), p.source.name
            self._result.emitted[name] = self._result.emitted.get(name, 0) + last
            if listed:
                self._result.events.setdefault(name, []).append(
                    (
                        self._sample,
                        t,
                        out.ends[: n + 1].copy(),
                        out.ids[:last].copy(),
                        out.values[:last].copy(),
                    )
                )


def _events_of(counts: NDArray[np.int64]) -> Events:
    """List the non-zero messages of one sample, (time, n)."""
    from . import _neurons

    ends = np.zeros(len(counts) + 1, dtype=np.int64)
    _neurons.count_events(counts, ends)
    ids = np.empty(int(ends[-1]), dtype=np.int32)
    values = np.empty(int(ends[-1]), dtype=np.int64)
    _neurons.list_events(counts, ids, values)
    return Events(ends, 0, ids, values)


def prepare_network(config: LoihiConfig) -> PreparedNetwork:
    """Lay a configuration out.

    Parameters
    ----------
    config : LoihiConfig
        What shall run.

    Returns
    -------
    PreparedNetwork
        Holds the rings of one sample: not for two threads at a time.

    Raises
    ------
    SimulationError
        A population has a bias or drive that its model has no place for.
    """
    sizes = {p.name: p.size for p in config.populations}
    largest_size = max([1, *sizes.values()])
    chunk = max(1, min(MOST_STEPS, CHUNK_VALUES // largest_size))
    graded = {p.name for p in config.populations if p.graded} | set(config.input_shapes)
    synapses = tuple(
        prepare_synapse(
            s,
            n_source=config.size_of(s.source),
            n_target=sizes[s.target],
            graded_source=s.source in graded,
            chunk=chunk,
        )
        for s in config.synapses
    )
    largest = dict.fromkeys(sizes, 0)
    for s in synapses:
        largest[s.source.target] += s.largest
    populations = tuple(
        prepare_population(p, largest_input=largest[p.name]) for p in config.populations
    )
    return PreparedNetwork(populations, synapses, _groups(populations, synapses), chunk)


def _groups(
    populations: tuple[PreparedPopulation, ...], synapses: tuple[PreparedSynapse, ...]
) -> tuple[Group, ...]:
    """Return loops and single populations, sources before targets."""
    number = {p.source.name: i for i, p in enumerate(populations)}
    ends = [(number.get(s.source.source, -1), number[s.source.target]) for s in synapses]
    reach = np.eye(len(populations), dtype=bool)
    for source, target in ends:
        if source >= 0:
            reach[source, target] = True
    while True:
        further = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
        if np.array_equal(further, reach):
            break
        reach = further
    mutual = reach & reach.T
    ancestors = reach.sum(axis=0)
    leader = mutual.argmax(axis=0)  # first member of each loop
    order = sorted(set(leader.tolist()), key=lambda i: (int(ancestors[i]), i))
    return tuple(_group(np.flatnonzero(leader == i), ends, synapses) for i in order)


def _group(
    members: NDArray[Any], ends: list[tuple[int, int]], synapses: tuple[PreparedSynapse, ...]
) -> Group:
    inside = set(members.tolist())
    within = [s for s, (a, b) in enumerate(ends) if a in inside and b in inside]
    into = [s for s, (a, b) in enumerate(ends) if a not in inside and b in inside]
    steps = 1 + min((synapses[s].fastest for s in within), default=-1)
    return Group(tuple(sorted(inside)), tuple(within), tuple(into), steps)
