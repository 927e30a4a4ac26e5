"""Use of the chip, run time, and an upper estimate of its energy, each with its source."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ranvier.artifacts import Recording, SpikeTrain
from ranvier.errors import InputError

from .config import Bss2Config
from .targets import target_named

COUNT_SOURCE = "counted in the configuration"
RECORDED_SOURCE = "counted in the recording"
KNOWN = ("steps", "power")


def estimate(
    config: Bss2Config, recording: Recording | None, options: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return use of circuits, rows and synapses, latency, run time, power and energy.

    The energy is the published power of the chip times the time for which a sample runs: an
    estimate from above. Boards, host, configuration and calibration are not part of it.

    Parameters
    ----------
    config : Bss2Config
        The configured chip.
    recording : Recording or None
        Gives the steps of a sample, and spikes.
    options : mapping
        ``steps``: steps of one sample (default: those of the recording, else 1); ``power``: of the
        chip, in W (default: the manifest's).

    Returns
    -------
    dict of str to dict
        ``value``, ``unit``, ``source``; utilisations (of the fullest execution instance) also
        ``used`` and ``limit``, estimates ``estimate`` (True) and ``certainty``.

    Raises
    ------
    InputError
        An option is unknown or out of range, or the recording is of another network.

    References
    ----------
    Cramer et al., PNAS 119(4) (2022): below 200 mW.
    """
    unknown = sorted(set(options) - set(KNOWN))
    if unknown:
        raise InputError(f"{config.target}: estimate: unknown {unknown}; known: {', '.join(KNOWN)}")
    _check_recording(config, recording)
    fact = target_named(config.target).fact("energy_chip_power")
    steps = _positive(config, options, "steps", default=_steps(config, recording))
    power = _positive(config, options, "power", default=float(fact.value or 0.0))
    duration = steps * config.chip_dt * config.instances
    late = max(config.latency.values(), default=0)
    result = _utilisation(config)
    result["execution_instances"] = _figure(config.instances, "runs per sample", COUNT_SOURCE)
    result["latency"] = _figure(
        late * config.chip_dt, "s", "mapping: a step at every synapse into a canonical neuron"
    )
    result["run_time"] = _figure(
        duration, "s", f"{steps:g} steps of {config.chip_dt:g} s in {config.instances} run(s)"
    )
    marks = {"estimate": True, "certainty": "uncertain"}
    given = "option power" if "power" in options else f"{fact.source}: an upper bound"
    result["power"] = _figure(power, "W", given) | marks
    text = f"power times run time; {given}"
    result["energy_per_sample"] = _figure(power * duration, "J", text) | marks
    return result | _spikes(config, recording)


def _check_recording(config: Bss2Config, recording: Recording | None) -> None:
    if recording is None:
        return
    known = {*config.node_shapes, *config.input_shapes}
    strangers = sorted({n for n, _ in recording.signals} - known)
    if strangers:
        raise InputError(
            f"{config.target}: estimate: the recording has nodes {strangers}, which this network "
            "does not have; pass a recording of the same network"
        )


def _positive(
    config: Bss2Config, options: Mapping[str, Any], name: str, *, default: float
) -> float:
    value = options.get(name, default)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not (math.isfinite(value) and value > 0)
    ):
        raise InputError(
            f"{config.target}: estimate: {name} is {value!r}, give a finite number above 0"
        )
    return float(value)


def _steps(config: Bss2Config, recording: Recording | None) -> float:
    """Return the steps of the longest signal of a recording, else 1."""
    if recording is None:
        return 1.0
    trains = [s for s in recording.signals.values() if isinstance(s, SpikeTrain)]
    return max((s.n_ticks * s.tick_duration / config.dt for s in trains), default=0.0) or 1.0


def _utilisation(config: Bss2Config) -> dict[str, dict[str, Any]]:
    limits = config.limits
    circuits = np.bincount(config.neuron_instance, minlength=config.instances)
    used = (config.row_mode != 0).reshape(config.instances, limits.arrays, -1, limits.buses, 2)
    rows = used.sum(axis=(2, 4))
    synapses = np.count_nonzero(config.synapse_weight, axis=(1, 2, 3))
    counts = {
        "circuits": (int(circuits.max()), limits.neuron_circuits),
        "rows_per_bus": (int(rows.max()), limits.rows_per_bus),
        "rows": (int(used.sum(axis=(1, 2, 3, 4)).max()), limits.arrays * limits.rows),
        "synapses": (int(synapses.max()), limits.arrays * limits.rows * limits.columns),
    }
    return {
        f"utilisation_{name}": _figure(count / limit, "fraction", COUNT_SOURCE)
        | {"used": count, "limit": limit}
        for name, (count, limit) in counts.items()
    }


def _spikes(config: Bss2Config, recording: Recording | None) -> dict[str, dict[str, Any]]:
    """Return the spikes per sample of the populations that were recorded."""
    if recording is None:
        return {}
    names = {p.name for p in config.populations}
    trains = [
        s
        for (node, quantity), s in recording.signals.items()
        if quantity == "spikes" and node in names and isinstance(s, SpikeTrain)
    ]
    if not trains:
        return {}
    total = sum(int(s.count.sum()) for s in trains) / max(trains[0].n_samples, 1)
    return {"spikes_per_sample": _figure(total, "spikes", RECORDED_SOURCE)}


def _figure(value: float, unit: str, source: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "source": source}
