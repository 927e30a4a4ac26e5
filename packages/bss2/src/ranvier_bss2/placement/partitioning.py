"""Layers distributed over execution instances that run one after the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ranvier.diagnostics import Findings

from ..diagnostics.placement import (
    FAN_IN_TOO_LARGE,
    LOOP_TOO_LARGE,
    MORE_CIRCUITS,
    NO_ROUTING,
    PARTITIONED,
)
from ..network import BssNetwork
from ._checks import generator_problems
from ._circuits import first_fit
from ._demand import Demand, Signed, demands, fan_in, task_of
from ._place import place_task
from .budget import Budget

LAST = 1 << 30
"""Instance of populations that have none yet."""


def fit_circuits(
    network: BssNetwork,
    budget: Budget,
    *,
    signed_rows: Signed = True,
    findings: Findings | None = None,
) -> BssNetwork:
    """Return a network whose neurons have enough circuits for their fan-in.

    Parameters
    ----------
    network : BssNetwork
        Populations with at least as many circuits as they are to keep.
    budget : Budget
        Limits of the chip.
    signed_rows : bool or sequence of bool
        As in `ranvier_bss2.placement.place_network`.
    findings : Findings, optional
        Receives a note for every population that was changed.

    Notes
    -----
    With two rows per input these are ``ceil(fan_in / 128)`` circuits per neuron. Rows have one sign
    for all neurons: what counts is the most exciting synapses of a neuron plus the most inhibiting
    ones, maybe of another.
    """
    demand = demands(network, budget, signed_rows)
    populations = []
    for p in network.populations:
        most = int(fan_in(network, demand, p.name).max(axis=1, initial=0).sum())
        circuits = max(p.circuits, -(-most // budget.rows))
        if circuits > p.circuits and findings is not None:
            findings.add(
                MORE_CIRCUITS.at(
                    p.name,
                    f"{most} rows for each neuron take {circuits} circuits of {budget.rows} rows",
                    value=circuits,
                    limit=budget.circuits,
                )
            )
        populations.append(dataclasses.replace(p, circuits=circuits))
    return dataclasses.replace(network, populations=tuple(populations))


def partition(
    network: BssNetwork,
    budget: Budget,
    findings: Findings,
    *,
    signed_rows: Signed = True,
    seed: int = 0,
) -> BssNetwork:
    """Distribute a network over as many execution instances as it needs.

    Populations stay in order. A layer that is larger than a chip is cut into slices of neurons;
    a layer that fits onto a chip stays whole. What is left of an instance takes the next layers.
    Populations that form a loop stay together.

    Parameters
    ----------
    network : BssNetwork
        The network; its instances are ignored.
    budget : Budget
        Limits of the chip.
    findings : Findings
        Receives what cannot be distributed, and notes.
    signed_rows : bool or sequence of bool
        As in `ranvier_bss2.placement.place_network`.
    seed : int
        Of the placements that are tried.

    Returns
    -------
    BssNetwork
        With ``circuits``, ``instance`` and ``split`` of every population set. Unchanged in
        ``instance`` where `findings` has errors.

    References
    ----------
    hxtorch @3bfc7aa, tutorial on partitioning: neurons per chip are ``floor(512 / circuits)``.
    """
    network = fit_circuits(network, budget, signed_rows=signed_rows, findings=findings)
    demand = demands(network, budget, signed_rows)
    cutter = _Cutter(network, demand, budget, seed)
    if not cutter.check(findings):
        return network
    for loop in _loops(network):
        if not cutter.add(loop, findings):
            return network
    result = cutter.network()
    count = cutter.instance + 1
    if count > 1:
        findings.add(
            PARTITIONED.at(
                None, f"{count} execution instances run in turn", value=count, limit=None
            )
        )
    return result


def _loops(network: BssNetwork) -> list[list[int]]:
    """Return groups of populations that form loops, in order; most hold one population."""
    count = len(network.populations)
    number = {p.name: k for k, p in enumerate(network.populations)}
    reach = np.eye(count, dtype=np.bool_)
    for q in network.projections:
        if q.source in number:
            reach[number[q.source], number[q.target]] = True
    for _ in range(max(1, count.bit_length())):
        reach = reach @ reach
    together = reach & reach.T
    seen: set[int] = set()
    groups = []
    for k in sorted(range(count), key=lambda k: (int(reach[:, k].sum()), k)):
        if k not in seen:
            group = np.flatnonzero(together[k]).tolist()
            seen.update(group)
            groups.append(group)
    return groups


@dataclass(frozen=True)
class _Slice:
    """Neurons of a population that go into one instance."""

    population: int
    instance: int
    count: int


class _Cutter:
    """Fills one instance after the other."""

    def __init__(
        self, network: BssNetwork, demand: Sequence[Demand], budget: Budget, seed: int
    ) -> None:
        self.whole, self.demand, self.budget, self.seed = network, demand, budget, seed
        self.slices: list[_Slice] = []
        self.instance = 0

    def check(self, findings: Findings) -> bool:
        """Report neurons that no instance can hold, and generators that none has."""
        found = [
            FAN_IN_TOO_LARGE.at(
                p.name,
                f"a neuron needs {p.circuits} circuits, the chip has {self.budget.circuits}",
                value=p.circuits,
                limit=self.budget.circuits,
                hint="split its sources over a layer in between",
            )
            for p in self.whole.populations
            if p.circuits > self.budget.circuits
        ]
        for p in self.whole.populations:
            sources = {q.source for q in self.whole.projections if q.target == p.name}
            own = [k for k, b in enumerate(self.whole.backgrounds) if b.name in sources]
            found += generator_problems(self.whole, own, self.budget, where=repr(p.name))
        findings.add(*found)
        return not found

    def add(self, group: list[int], findings: Findings) -> bool:
        """Put a loop, or one population, into this instance and those that follow."""
        here = [_Slice(k, self.instance, self._size(k)) for k in group]
        if self._fits(here):
            self.slices += here
            return True
        own = self.whole.projections
        names = {self.whole.populations[k].name for k in group}
        looped = any(q.source in names and q.target in names for q in own)
        fresh = [dataclasses.replace(s, instance=self.instance + 1) for s in here]
        if self.slices and self._fits(fresh):
            self.instance += 1
            self.slices += fresh
            return True
        if looped:
            self._report_loop(group, findings)
            return False
        return self._cut(group[0], findings)

    def _cut(self, population: int, findings: Findings) -> bool:
        """Cut a population into slices, each as large as its instance can hold."""
        left = self._size(population)
        while left:
            count = self._most(population, left)
            if not count and not any(s.instance == self.instance for s in self.slices):
                name = self.whole.populations[population].name
                findings.add(
                    NO_ROUTING.at(name, "not even one neuron of it can be placed on an empty chip")
                )
                return False
            if count:
                self.slices.append(_Slice(population, self.instance, count))
                left -= count
            if left:
                self.instance += 1
        return True

    def _most(self, population: int, left: int) -> int:
        """Return the most neurons of a population that the instance takes."""
        low, high = 0, left + 1
        while high - low > 1:
            count = (low + high) // 2
            if self._room(_Slice(population, self.instance, count)):
                low = count
            else:
                high = count
        while low and not self._fits([_Slice(population, self.instance, low)]):
            low -= max(1, low // 16)
        return low

    def _size(self, population: int) -> int:
        return self.whole.populations[population].size

    def _room(self, *more: _Slice) -> bool:
        """Return whether circuits suffice for the instance of further slices."""
        own = [s for s in (*self.slices, *more) if s.instance == more[0].instance]
        circuits = np.concatenate(
            [np.full(s.count, self.whole.populations[s.population].circuits) for s in own]
        ).astype(np.int64)
        if circuits.sum() > self.budget.circuits:
            return False
        order = np.argsort(-circuits, kind="stable").tolist()
        free = np.full((circuits.size, int(circuits.max(initial=1))), -1, dtype=np.int64)
        placed = first_fit(circuits, self.budget, order=order, fixed=free, packed=True)
        return placed is not None

    def _fits(self, more: list[_Slice]) -> bool:
        """Return whether an instance with further slices can be placed."""
        if not self._room(*more):
            return False
        network = self.network(*more)
        task = task_of(network, self.demand, instance=more[0].instance)
        budget = dataclasses.replace(self.budget, tries=0)
        instance = more[0].instance
        return place_task(network, task, budget, instance=instance, seed=self.seed) is not None

    def _report_loop(self, group: list[int], findings: Findings) -> None:
        members = [self.whole.populations[k] for k in group]
        circuits = sum(p.size * p.circuits for p in members)
        names = ", ".join(p.name for p in members)
        findings.add(
            LOOP_TOO_LARGE.at(
                members[0].name,
                f"the loop {names} needs {circuits} circuits, the chip has {self.budget.circuits}",
                value=circuits,
                limit=self.budget.circuits,
            )
        )

    def network(self, *more: _Slice) -> BssNetwork:
        """Return the network with the instances of all slices; what has none runs last."""
        populations = []
        for k, p in enumerate(self.whole.populations):
            own = [s for s in (*self.slices, *more) if s.population == k]
            first = own[0].instance if own else LAST
            counts = [s.count for s in own]
            rest = p.size - sum(counts)
            split = tuple([*counts, rest] if rest else counts) if own else ()
            split = split if len(split) > 1 else ()
            populations.append(dataclasses.replace(p, instance=first, split=split))
        return dataclasses.replace(self.whole, populations=tuple(populations))
