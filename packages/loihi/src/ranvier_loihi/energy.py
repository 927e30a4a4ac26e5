"""Operations, energy and time of one step, from published figures per operation.

References
----------
Davies et al., "Loihi: a neuromorphic manycore processor with on-chip learning", IEEE Micro 38(1),
2018, table 1; the manifest states each figure with its certainty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .config import ConvSynapse, DenseSynapse, LoihiConfig
from .targets import target_named

Floats = NDArray[np.float64]
CHUNK = 1 << 22
"""Weights that are looked at together."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Workload:
    """What one step has to do.

    Parameters
    ----------
    synaptic_operations : float
        Messages times the synapses they reach.
    neurons : int
        Neurons, each updated once per step.
    active_neurons : float
        Those that fire.
    deliveries : float
        Messages of neurons times the cores they reach.
    remote_deliveries : float
        Those to another core.
    busiest_operations, busiest_neurons : float
        Synaptic operations and neurons of the core that takes longest.
    cores : int
        Cores in use.
    """

    synaptic_operations: float
    neurons: int
    active_neurons: float
    deliveries: float
    remote_deliveries: float
    busiest_operations: float
    busiest_neurons: float
    cores: int


def arriving(synapse: Any, activity: Floats, n_target: int) -> Floats:
    """Return the synaptic operations per step at each target.

    Synapses whose stored weight is zero are none.

    Parameters
    ----------
    synapse : Synapse
        Of a configuration.
    activity : array, (n_source,)
        Messages per step of each source.
    n_target : int
        Neurons of the target.

    Returns
    -------
    array, (n_target,)
    """
    if isinstance(synapse, DenseSynapse):
        return _through_matrix(synapse.weights, activity)
    if isinstance(synapse, ConvSynapse):
        return _through_kernels(synapse, activity)
    total = np.zeros(n_target)
    for block, pointers in enumerate(synapse.pointers):
        first, last = int(pointers[0]), int(pointers[-1])
        rate = np.repeat(activity, np.diff(pointers)) * (synapse.weights[first:last] != 0)
        low = block * synapse.block
        width = min(synapse.block, n_target - low)
        own = np.bincount(synapse.targets[first:last], weights=rate, minlength=width)
        total[low : low + width] += own
    return total


def _through_matrix(weights: NDArray[Any], activity: Floats) -> Floats:
    step = max(1, CHUNK // max(1, weights.shape[1]))
    parts = [
        (weights[start : start + step] != 0) @ activity
        for start in range(0, weights.shape[0], step)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def _through_kernels(s: ConvSynapse, activity: Floats) -> Floats:
    c_out, h_out, w_out = s.output_shape
    (ph, pw), (sh, sw), (dh, dw) = s.padding, s.stride, s.dilation
    padded = np.pad(activity.reshape(s.input_shape), ((0, 0), (ph, ph), (pw, pw)))
    used = (np.asarray(s.weights) != 0).astype(np.float64)
    total = np.zeros((c_out, h_out, w_out))
    per_in, per_out = s.input_shape[0] // s.groups, c_out // s.groups
    for g in range(s.groups):
        ins, outs = slice(g * per_in, (g + 1) * per_in), slice(g * per_out, (g + 1) * per_out)
        for i in range(used.shape[2]):
            for j in range(used.shape[3]):
                rows = slice(i * dh, i * dh + sh * (h_out - 1) + 1, sh)
                columns = slice(j * dw, j * dw + sw * (w_out - 1) + 1, sw)
                seen = padded[ins, rows, columns]
                total[outs] += np.einsum("oc,chw->ohw", used[outs, :, i, j], seen)
    return total.ravel()


def workload_of(config: LoihiConfig, activity: Mapping[str, Floats]) -> Workload:
    """Count the operations of one step.

    Parameters
    ----------
    config : LoihiConfig
        The configured chip.
    activity : mapping of str to array, (n,)
        Messages per step of every input channel and neuron.
    """
    core_of, n_cores = _cores(config)
    operations = np.zeros(n_cores)
    neurons = np.zeros(n_cores)
    for p in config.populations:
        np.add.at(neurons, core_of[p.name], 1.0)
    for s in config.synapses:
        rows = arriving(s, activity[s.source], config.size_of(s.target))
        np.add.at(operations, core_of[s.target], rows)
    local = remote = 0.0
    for name in core_of:
        here, away = _deliveries(config, name, core_of=core_of, n_cores=n_cores)
        local += float(here @ activity[name])
        remote += float(away @ activity[name])
    facts = target_named(config.target).facts
    times = operations * _number(facts, "time_synaptic_operation")
    times += neurons * _number(facts, "time_neuron_update")
    busiest = int(np.argmax(times)) if n_cores else 0
    return Workload(
        synaptic_operations=float(operations.sum()),
        neurons=int(neurons.sum()),
        active_neurons=float(sum(activity[p.name].sum() for p in config.populations)),
        deliveries=local + remote,
        remote_deliveries=remote,
        busiest_operations=float(operations[busiest]) if n_cores else 0.0,
        busiest_neurons=float(neurons[busiest]) if n_cores else 0.0,
        cores=n_cores,
    )


def energy_parts(load: Workload, target: str) -> dict[str, float]:
    """Return the energy of one step by cause, in J; a lower bound for spikes: one tile hop each."""
    facts = target_named(target).facts
    active = min(load.active_neurons, float(load.neurons))
    return {
        "synaptic_operations": load.synaptic_operations
        * _number(facts, "energy_synaptic_operation"),
        "neuron_updates": active * _number(facts, "energy_neuron_update_active")
        + (load.neurons - active) * _number(facts, "energy_neuron_update_inactive"),
        "spikes": load.deliveries * _number(facts, "energy_spike_within_tile")
        + load.remote_deliveries * _number(facts, "energy_hop"),
    }


def step_time(load: Workload, target: str) -> float:
    """Return the shortest time of one step, in s: the busiest core, one hop, then the barrier."""
    facts = target_named(target).facts
    core = load.busiest_operations * _number(facts, "time_synaptic_operation")
    core += load.busiest_neurons * _number(facts, "time_neuron_update")
    hop = _number(facts, "time_hop") if load.remote_deliveries else 0.0
    return core + hop + _number(facts, "time_barrier")


def _number(facts: Mapping[str, Any], name: str) -> float:
    return float(facts[name].value)


def _cores(config: LoihiConfig) -> tuple[dict[str, NDArray[np.int64]], int]:
    """Return the core of every neuron, numbered over the cores in use."""
    place = config.placement
    key = place.chip * config.limits.cores_per_chip + place.core
    used, number = np.unique(key, return_inverse=True)
    cores = {}
    for p in config.populations:
        rows = np.flatnonzero(place.node_id == place.node.index(p.name))
        own = np.empty(p.size, dtype=np.int64)
        own[place.index[rows]] = number[rows]
        cores[p.name] = own
    return cores, int(used.size)


def _deliveries(
    config: LoihiConfig, name: str, *, core_of: Mapping[str, NDArray[np.int64]], n_cores: int
) -> tuple[Floats, Floats]:
    """Return, per neuron of a population, its own core if reached, and other cores reached."""
    size = config.size_of(name)
    reached = np.zeros((size, n_cores), dtype=bool)
    for s in config.synapses:
        if s.source == name:
            _mark(reached, s, core_of[s.target])
    own = reached[np.arange(size), core_of[name]]
    return own.astype(np.float64), reached.sum(axis=1).astype(np.float64) - own


def _mark(reached: NDArray[np.bool_], synapse: Any, cores: NDArray[np.int64]) -> None:
    """Set the cores that each source of a synapse reaches."""
    if isinstance(synapse, DenseSynapse):
        for core in np.unique(cores):
            rows = np.flatnonzero(cores == core)
            reached[:, core] |= np.any(synapse.weights[rows] != 0, axis=0)
    elif isinstance(synapse, ConvSynapse):
        _mark_kernels(reached, synapse, cores)
    else:
        for block, pointers in enumerate(synapse.pointers):
            first, last = int(pointers[0]), int(pointers[-1])
            source = np.repeat(np.arange(pointers.size - 1), np.diff(pointers))
            where = cores[block * synapse.block + synapse.targets[first:last].astype(np.int64)]
            used = synapse.weights[first:last] != 0
            reached[source[used], where[used]] = True


def _mark_kernels(reached: NDArray[np.bool_], s: ConvSynapse, cores: NDArray[np.int64]) -> None:
    c_out, h_out, w_out = s.output_shape
    c_in, h_in, w_in = s.input_shape
    per_in, per_out = c_in // s.groups, c_out // s.groups
    grid = cores.reshape(c_out, h_out, w_out)
    y_out, x_out = np.mgrid[0:h_out, 0:w_out]
    for o, i, ky, kx in np.argwhere(np.asarray(s.weights) != 0):
        y = y_out * s.stride[0] - s.padding[0] + ky * s.dilation[0]
        x = x_out * s.stride[1] - s.padding[1] + kx * s.dilation[1]
        inside = (y >= 0) & (y < h_in) & (x >= 0) & (x < w_in)
        channel = (int(o) // per_out) * per_in + int(i)
        reached[(channel * h_in + y[inside]) * w_in + x[inside], grid[int(o)][inside]] = True
