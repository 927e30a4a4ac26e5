"""Utilisation, operations, energy and time of a configuration, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Recording, SpikeTrain
from ranvier.errors import InputError

from .config import LoihiConfig
from .energy import energy_parts, step_time, workload_of
from .targets import target_named

Floats = NDArray[np.float64]
COUNT_SOURCE = "counted in the configuration"
RECORDED_SOURCE = "counted in the recording"
WORST_SOURCE = "worst case: everything fires in every step"
_ENERGY_FACTS = {
    "synaptic_operations": ("energy_synaptic_operation",),
    "neuron_updates": ("energy_neuron_update_active", "energy_neuron_update_inactive"),
    "spikes": ("energy_spike_within_tile", "energy_hop"),
}
_TIME_FACTS = ("time_synaptic_operation", "time_neuron_update", "time_hop", "time_barrier")


def estimate(
    config: LoihiConfig, recording: Recording | None, options: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return utilisation of the cores, operations, energy and time per step and per inference.

    Energies and times multiply counted operations with published figures per operation: they are
    estimates, and carry the figures' certainty. Static power is not part of them.

    Parameters
    ----------
    config : LoihiConfig
        The configured chip.
    recording : Recording or None
        Spikes and messages in it replace the worst case of "everything fires" for the populations
        that were recorded.
    options : mapping
        ``steps``: steps of one inference (default: the length of the recording, else 1);
        ``input_rate``: spikes per step of an input channel (default: that of the recording if it
        states one, else 1).

    Returns
    -------
    dict of str to dict
        ``value``, ``unit``, ``source``; estimates also have ``estimate`` (True) and
        ``certainty``, utilisations ``used`` and ``limit``.

    Raises
    ------
    InputError
        An option is unknown or out of range, or the recording is of another network.
    """
    steps, input_rate = _checked(config, recording, options)
    activity, measured = _activity(config, recording, input_rate)
    load = workload_of(config, activity)
    source = RECORDED_SOURCE if measured else WORST_SOURCE
    result = _utilisation(config)
    operations = f"{source}; each message times the synapses of its source"
    result["synaptic_operations_per_step"] = _figure(
        load.synaptic_operations, "operations", operations
    )
    result["neuron_updates_per_step"] = _figure(float(load.neurons), "updates", COUNT_SOURCE)
    result["spikes_per_step"] = _figure(load.active_neurons, "messages", source)
    result["deliveries_per_step"] = _figure(
        load.deliveries, "messages", f"{source}; each message times the cores it reaches"
    )
    result |= _energies(config, energy_parts(load, config.target), steps=steps, source=source)
    time = step_time(load, config.target)
    result["time_per_step"] = _estimate(config, time, "s", facts=_TIME_FACTS, source=source)
    result["time_per_inference"] = _estimate(
        config, time * steps, "s", facts=_TIME_FACTS, source=f"{source}; {steps} step(s)"
    )
    late = max(config.latency.values(), default=0)
    result["latency"] = _figure(late * config.dt, "s", "mapping: one step from layer to layer")
    return result


def _checked(
    config: LoihiConfig, recording: Recording | None, options: Mapping[str, Any]
) -> tuple[int, float]:
    """Return steps per inference and the rate of input channels."""
    unknown = sorted(set(options) - {"steps", "input_rate"})
    if unknown:
        raise InputError(f"{config.target}: estimate: unknown {unknown}; known: steps, input_rate")
    lengths = []
    provenance: Mapping[str, Any] = {}
    if recording is not None:
        lengths = [
            s.n_ticks if isinstance(s, SpikeTrain) else s.values.shape[1]
            for s in recording.signals.values()
        ]
        provenance = recording.provenance
    steps = options.get("steps", max(lengths, default=1))
    rate = options.get("input_rate", provenance.get("input_rate", 1.0))
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise InputError(f"{config.target}: estimate: steps is {steps!r}, must be an integer >= 1")
    if not isinstance(rate, int | float) or not np.isfinite(rate) or rate < 0:
        raise InputError(f"{config.target}: estimate: input_rate is {rate!r}, must be >= 0")
    return steps, float(rate)


def _activity(
    config: LoihiConfig, recording: Recording | None, input_rate: float
) -> tuple[dict[str, Floats], bool]:
    """Return messages per step of every channel and neuron, and whether all were recorded."""
    worst = {n: np.full(config.size_of(n), input_rate) for n in config.input_shapes}
    worst |= {
        p.name: np.ones(p.size) if p.spiking else np.zeros(p.size) for p in config.populations
    }
    if recording is None:
        return worst, False
    known = {*config.input_shapes, *config.node_shapes, *(c.output for c in config.outputs)}
    strangers = sorted({n for n, _ in recording.signals} - known)
    if strangers:
        raise InputError(
            f"{config.target}: estimate: the recording has nodes {strangers}, which this network "
            "does not have; pass a recording of the same network"
        )
    found = {p.name: _rate(recording, p.name) for p in config.populations if p.spiking}
    missing = [name for name, rate in found.items() if rate is None]
    return worst | {n: r for n, r in found.items() if r is not None}, not missing


def _rate(recording: Recording, name: str) -> Floats | None:
    """Return the messages per step of every neuron, (n,), or None if they were not recorded."""
    spikes = recording.signals.get((name, "spikes"))
    if isinstance(spikes, SpikeTrain):
        size = int(np.prod(spikes.shape, dtype=np.int64))
        counts = np.bincount(spikes.index, weights=spikes.count, minlength=size)
        return np.asarray(counts / max(1, spikes.n_samples * spikes.n_ticks))
    shown = spikes if spikes is not None else recording.signals.get((name, "value"))
    if shown is None or isinstance(shown, SpikeTrain):
        return None
    values = shown.values.reshape(-1, int(np.prod(shown.shape, dtype=np.int64)))
    return np.asarray(np.count_nonzero(values, axis=0) / max(1, len(values)))


def _energies(
    config: LoihiConfig, parts: Mapping[str, float], *, steps: int, source: str
) -> dict[str, dict[str, Any]]:
    result = {
        f"energy_{name}_per_step": _estimate(
            config, value, "J", facts=_ENERGY_FACTS[name], source=source
        )
        for name, value in parts.items()
    }
    total = sum(parts.values())
    facts = tuple(f for names in _ENERGY_FACTS.values() for f in names)
    result["energy_per_step"] = _estimate(config, total, "J", facts=facts, source=source)
    result["energy_per_inference"] = _estimate(
        config, total * steps, "J", facts=facts, source=f"{source}; {steps} step(s)"
    )
    return result


def _utilisation(config: LoihiConfig) -> dict[str, dict[str, Any]]:
    """Return cores in use, and the fullest core of every resource."""
    from .placement import occupancy_of
    from .placement.occupancy import RESOURCES

    uses = occupancy_of(config)
    available = config.chips * config.limits.cores_per_chip
    result = {"utilisation_cores": _share(len(uses), available, COUNT_SOURCE)}
    for name, limit in RESOURCES.items():
        used = max((int(getattr(use, name)) for use in uses), default=0)
        most = min((int(getattr(use.budget, limit)) for use in uses), default=0)
        source = f"{COUNT_SOURCE}; fullest core"
        result[f"utilisation_{name}"] = _share(used, most, source)
    return result


def _share(used: int, limit: int, source: str) -> dict[str, Any]:
    figure = _figure(used / max(1, limit), "fraction", source)
    return figure | {"used": used, "limit": limit}


def _figure(value: float, unit: str, source: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "source": source}


def _estimate(
    config: LoihiConfig, value: float, unit: str, *, facts: tuple[str, ...], source: str
) -> dict[str, Any]:
    """Return a figure with the sources and the least certainty of the facts in it."""
    known = target_named(config.target).facts
    sources = dict.fromkeys(known[name].source for name in facts)
    order = ("verified", "read", "uncertain")
    certainty = max((known[name].certainty for name in facts), key=order.index)
    figure = _figure(value, unit, "; ".join([source, *sources]))
    return figure | {"estimate": True, "certainty": certainty}
