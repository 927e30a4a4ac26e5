"""Utilisation, cycles, clock and synaptic operations of a configuration, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Recording, SpikeTrain
from ranvier.errors import InputError

from .config import XyloConfig
from .energy import CLOCK_MARGIN, Workload, cycles_per_step, required_clock
from .targets import target_named

CYCLE_SOURCE = (
    "cycle model of SynSense rockpool 3.1.0, compared with it on 50 random configurations"
)
COUNT_SOURCE = "counted in the configuration"
RECORDED_SOURCE = "counted in the recording"


@dataclass(frozen=True, kw_only=True, eq=False)
class Activity:
    """Spikes of a recording.

    Parameters
    ----------
    hidden : array, (n_hid,), or None
        Spikes per hidden neuron, those received through aliases included; None unless the spikes
        of every hidden node were recorded.
    hidden_rate, input_rate : float or None
        Fraction of (neuron, step) and (channel, step) with at least one spike.
    inputs : array, (n_in,), or None
        Spikes per channel.
    """

    hidden: NDArray[np.float64] | None = None
    hidden_rate: float | None = None
    input_rate: float | None = None
    inputs: NDArray[np.float64] | None = None


def estimate(
    config: XyloConfig, recording: Recording | None, options: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return utilisation, cycles per step, required clock, latency and synaptic operations.

    Parameters
    ----------
    config : XyloConfig
        The configured chip.
    recording : Recording or None
        Spikes in it replace the worst case of "everything fires".
    options : mapping
        ``margin`` (fraction added to the clock, default 0.2).

    Returns
    -------
    dict of str to dict
        ``value``, ``unit``, ``source`` and, where there is one, ``limit``. Utilisations are
        fractions; they state how many are ``used``.

    Raises
    ------
    InputError
        An option is unknown or out of range.
    """
    unknown = sorted(set(options) - {"margin"})
    if unknown:
        raise InputError(f"{config.target}: estimate: unknown {unknown}; known: margin")
    activity = _activity(config, recording)
    load = workload_of(
        config,
        p_in=1.0 if activity.input_rate is None else activity.input_rate,
        p_hidden=1.0 if activity.hidden_rate is None else activity.hidden_rate,
    )
    clock = required_clock(load, dt=config.dt, margin=float(options.get("margin", CLOCK_MARGIN)))
    result = _utilisation(config)
    result["cycles_per_step"] = _figure(cycles_per_step(load).total, "cycles", CYCLE_SOURCE)
    result["required_clock"] = _figure(clock, "Hz", CYCLE_SOURCE + ", worst case")
    default = target_named(config.target).facts.get("default_clock")
    if default is not None:
        result["required_clock"]["limit"] = default.value
    late = max(config.latency.values(), default=0)
    result["latency"] = _figure(late * config.dt, "s", "mapping: one step from neuron to neuron")
    return result | _measured(config, activity)


def _measured(config: XyloConfig, activity: Activity) -> dict[str, dict[str, Any]]:
    """Return what only a recording can tell."""
    result = {}
    for name in ("hidden_rate", "input_rate"):
        rate = getattr(activity, name)
        if rate is not None:
            result[name] = _figure(rate, "fraction of neurons and steps", RECORDED_SOURCE)
    if activity.hidden is not None and activity.inputs is not None:
        per_hidden = np.count_nonzero(config.weights_rec, axis=(1, 2)).astype(np.float64)
        first = config.n_hid - config.n_oen
        per_hidden[first:] += np.count_nonzero(config.weights_out, axis=1)
        per_input = np.count_nonzero(config.weights_in, axis=(1, 2))
        total = float(activity.hidden @ per_hidden + activity.inputs @ per_input)
        source = f"{RECORDED_SOURCE}: each spike times the nonzero weights of its source"
        result["synaptic_operations"] = _figure(total, "operations", source)
    return result


def workload_of(config: XyloConfig, *, p_in: float = 1.0, p_hidden: float = 1.0) -> Workload:
    """Return what decides how long the chip works on one step."""
    limits = config.limits
    expands = limits.input_expansion_neurons < limits.hidden_neurons
    # The cycle model counts targets through the first synapse; a pair that only the second one
    # reaches costs a parallel operation, not a cycle.
    aliased = config.aliases >= 0
    per_neuron = float(aliased.mean())
    return Workload(
        n_in=config.n_in,
        n_hidden=config.n_hid,
        n_out=config.n_out,
        n_ien=int(np.any(config.weights_in, axis=(0, 2)).sum()) if expands else config.n_hid,
        n_oen=int(np.any(config.weights_out, axis=1).sum()) if expands else config.n_hid,
        fan_out=float((config.weights_rec[:, :, 0] != 0).sum(axis=1).mean()),
        alias_targets=per_neuron,
        alias_sources=per_neuron,
        p_in=p_in,
        p_hidden=p_hidden,
    )


def _activity(config: XyloConfig, recording: Recording | None) -> Activity:
    if recording is None:
        return Activity()
    strangers = sorted(
        {n for n, _ in recording.signals} - set(config.node_shapes) - set(config.input_shapes)
    )
    if strangers:
        raise InputError(
            f"{config.target}: estimate: the recording has nodes {strangers}, which this network "
            "does not have; pass a recording of the same network"
        )
    spikes, active, bins = np.zeros(config.n_hid), 0, 0
    seen = np.zeros(config.n_hid, dtype=bool)
    for (node, quantity), signal in recording.signals.items():
        if quantity != "spikes" or not isinstance(signal, SpikeTrain):
            continue
        if node not in config.placement.node:
            continue
        ids = config.placement.slots_of(node, port="hidden")
        if ids.size:
            np.add.at(spikes, ids[signal.index], signal.count)
            active += signal.count.size
            bins += ids.size * signal.n_ticks * signal.n_samples
            seen[ids] = True
    for source in np.flatnonzero(config.aliases >= 0):  # ascending, as aliases point
        spikes[config.aliases[source]] += spikes[source]
    inputs = recording.provenance.get("input_spikes")
    return Activity(
        hidden=spikes if seen.all() else None,
        hidden_rate=active / bins if bins else None,
        input_rate=recording.provenance.get("input_rate"),
        inputs=None if inputs is None else np.asarray(inputs, dtype=np.float64),
    )


def _utilisation(config: XyloConfig) -> dict[str, dict[str, Any]]:
    limits, pairs = config.limits, config.recurrent_pairs
    counts = {
        "input_channels": config.n_in,
        "hidden_neurons": config.n_hid,
        "output_neurons": config.n_out,
        "input_expansion_neurons": config.n_ien,
        "output_expansion_neurons": config.n_oen,
        "fan_out": int(pairs.sum(axis=1).max()),
        "recurrent_weights": int(pairs.sum()),
    }
    result = {}
    for name, used in counts.items():
        limit = getattr(limits, name)
        figure = _figure(used / limit, "fraction", COUNT_SOURCE)
        result[f"utilisation_{name}"] = figure | {"used": used, "limit": limit}
    return result


def _figure(value: float, unit: str, source: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "source": source}
