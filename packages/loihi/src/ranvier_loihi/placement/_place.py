"""Neurons onto cores and chips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Placement
from ranvier.diagnostics import Findings

from .. import diagnostics as codes
from ..network import LoihiNetwork
from ._checks import check_neurons, least_cores, report_full
from ._chips import axons_out, chips_of, core_traffic
from ._connectivity import Net, connectivity
from ._cost import TABLE_BYTES, Caps, State, state_of
from ._refine import compact, refine
from ._start import best_start
from .budget import Budget

_HOPELESS = 4
"""A start with this many times the board's cores is not refined."""


def place_network(
    network: LoihiNetwork,
    budget: Budget,
    *,
    rates: Mapping[str, NDArray[Any]] | None = None,
    seed: int = 0,
    findings: Findings,
) -> Placement | None:
    """Put all neurons on cores within every limit of the budget.

    The objective, most important first: cores in use, spikes between cores (each spike counts
    once per other core that its neuron reaches), spikes between chips. The better of layer order
    and a METIS partition is refined by emptying cores, moves and swaps on these true costs; the
    result is never worse than that start and the same for the same seed.

    Parameters
    ----------
    network : LoihiNetwork
        Populations and connections; zero weights are no synapses.
    budget : Budget
        Limits of a core and size of the board.
    rates : mapping of str to array, optional
        Spikes per unit of time of a population's neurons, (1,) or (n,). Default: 1.
    seed : int
        Of METIS and of the order of moves.
    findings : Findings
        Receives what does not fit, all at once.

    Returns
    -------
    Placement or None
        Port ``"neuron"``; slots number the neurons of a core. None where findings got errors.

    Raises
    ------
    InputError
        Rates have a wrong number of values, or one is negative or not finite.
    """
    net = connectivity(network, budget, rates=rates)
    before = len(findings.errors())
    check_neurons(network, net, budget, findings)
    least = least_cores(net, budget)
    if least > budget.cores:
        report_full(least, budget, findings, least=True)
    if len(findings.errors()) > before:
        return None
    core = _cores(network, net, budget, seed=seed, findings=findings)
    if core is None:
        return None
    chip = np.zeros(int(core.max(initial=-1)) + 1, dtype=np.int64)
    if chip.size > budget.cores_per_chip:
        chip = chips_of(core_traffic(net, core), cores_per_chip=budget.cores_per_chip)
    return _table(network, core, chip)


def _cores(
    network: LoihiNetwork, net: Net, budget: Budget, *, seed: int, findings: Findings
) -> NDArray[np.int32] | None:
    """Return the core of each neuron, numbered over the whole board."""
    caps = Caps.of(budget)
    core, state = best_start(network, net, budget, seed=seed, most_bytes=TABLE_BYTES)
    if state is not None:
        state = _within_axons(net, caps, state, most=_HOPELESS * budget.cores)
        if state.over[0] == 0 and state.used <= _HOPELESS * budget.cores:
            _improve(net, state, caps, seed=seed)
        core = state.core
    core = _numbered(core)
    used = int(core.max(initial=-1)) + 1
    if used > budget.cores:
        report_full(used, budget, findings)
        return None
    over = int(axons_out(net, core).max(initial=0))
    if over > budget.axons_out:
        message = f"a core of the placement needs {over} output axons, it has {budget.axons_out}"
        findings.add(codes.FAN_OUT_TOO_LARGE.at(None, message, value=over, limit=budget.axons_out))
        return None
    if state is None:
        findings.add(codes.NOT_REFINED.at(None, f"{net.n} neurons on {used} cores"))
    return core


def _improve(net: Net, state: State, caps: Caps, *, seed: int) -> None:
    """Refine, and once more where that made a core superfluous."""
    refine(net, state, caps, seed=seed)
    used = state.used
    compact(net, state, caps)
    if state.used < used:
        refine(net, state, caps, seed=seed + 1)


def _within_axons(net: Net, caps: Caps, state: State, *, most: int) -> State:
    """Halve cores that have too many output axons until none has."""
    while state.over[0] and state.neurons.size <= most:
        core = state.core.copy()
        new = int(core.max()) + 1
        for k in np.flatnonzero(state.axons_out > caps.axons_out):
            own = np.flatnonzero(core == k)
            if own.size > 1:
                core[own[own.size // 2 :]] = new
                new += 1
        if new == int(state.core.max()) + 1:
            break
        state = state_of(net, caps, core)
    return state


def _numbered(core: NDArray[np.int32]) -> NDArray[np.int32]:
    """Number the cores in use by the mean of their neurons, so that neighbours are near."""
    kinds, number = np.unique(core, return_inverse=True)
    mean = np.bincount(number, weights=np.arange(core.size)) / np.bincount(number)
    rank = np.empty(kinds.size, dtype=np.int32)
    rank[np.argsort(mean, kind="stable")] = np.arange(kinds.size)
    found: NDArray[np.int32] = rank[number.ravel()]
    return found


def _table(network: LoihiNetwork, core: NDArray[np.int32], chip: NDArray[np.int64]) -> Placement:
    """Return the table; cores are numbered within their chip."""
    local = np.zeros(chip.size, dtype=np.int64)
    for c in np.unique(chip):
        local[chip == c] = np.arange(np.count_nonzero(chip == c))
    order = np.argsort(core, kind="stable")
    slot = np.empty(core.size, dtype=np.int64)
    starts = np.searchsorted(core[order], np.arange(chip.size))
    slot[order] = np.arange(core.size) - starts[core[order]]
    sizes = [p.size for p in network.populations]
    none = [np.zeros(0, dtype=np.int64)]
    return Placement(
        node=tuple(p.name for p in network.populations),
        port=("neuron",),
        node_id=np.repeat(np.arange(len(sizes)), sizes),
        index=np.concatenate(none + [np.arange(n) for n in sizes]),
        chip=chip[core],
        core=local[core],
        slot=slot,
        port_id=np.zeros(core.size, dtype=np.int64),
    )
