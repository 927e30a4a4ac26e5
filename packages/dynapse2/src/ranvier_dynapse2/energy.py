"""Utilisation, events and energy of a configuration, each with its source.

No energy of the DYNAP-SE2 is published. The figures per operation are those of its predecessor, the
DYNAP-SE, at 1.3 V (Moradi et al., IEEE TBioCAS 12 (2018)), marked uncertain in the manifest. Static
power is not part of the estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Recording, SpikeTrain
from ranvier.errors import InputError

from .config import Dynapse2Config
from .routing import connections
from .targets import target_named

Floats = NDArray[np.float64]
COUNT_SOURCE = "counted in the configuration"
RECORDED_SOURCE = "spikes counted in the recording"
WORST_SOURCE = "worst case: every channel and neuron fires in every time step"
_FACTS = {
    "spikes": "energy_spike",
    "packets": "energy_encode",
    "hops": "energy_route",
    "broadcasts": "energy_broadcast",
    "pulses": "energy_pulse",
}
"""Fact of the manifest with the energy of one operation, by operation."""


@dataclass(frozen=True, kw_only=True)
class Operations:
    """What one second of activity makes the board do.

    Parameters
    ----------
    spikes : float
        Spikes of neurons.
    packets : float
        Packets of neurons: one per used word of the SRAM.
    hops : float
        Steps of packets from chip to chip or to another core of their own chip.
    broadcasts : float
        Packets times the cores that they are broadcast in.
    pulses : float
        Synapses that open.
    """

    spikes: float
    packets: float
    hops: float
    broadcasts: float
    pulses: float


def estimate(
    config: Dynapse2Config, recording: Recording | None, options: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return utilisation of the board, events per second and dynamic power.

    Parameters
    ----------
    config : Dynapse2Config
        The board.
    recording : Recording or None
        Spikes in it replace the worst case of "everything fires in every step".
    options : mapping
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
    rates, source = _rates(config, recording, options)
    work = operations_of(config, rates)
    result = _utilisation(config)
    for name in _FACTS:
        figure = _figure(getattr(work, name), "1/s", source)
        result[f"{name}_per_second"] = figure
    powers = {n: getattr(work, n) * _energy(config, n) for n in _FACTS}
    for name, value in powers.items():
        result[f"power_{name}"] = _estimated(config, value, "W", facts=[name], source=source)
    total = sum(powers.values())
    result["power"] = _estimated(config, total, "W", facts=list(_FACTS), source=source)
    per_spike = total / work.spikes if work.spikes else 0.0
    result["energy_per_spike"] = _estimated(
        config, per_spike, "J", facts=list(_FACTS), source=source
    )
    late = max(config.latency.values(), default=0)
    result["latency"] = _figure(late * config.dt, "s", "mapping: one step from neuron to neuron")
    return result


def operations_of(config: Dynapse2Config, rates: Floats) -> Operations:
    """Return what activity makes the board do.

    Parameters
    ----------
    config : Dynapse2Config
        The board.
    rates : array, (n_channels + n_neurons,)
        Spikes per second: of every channel, then of every neuron by its position.
    """
    links = connections(config)
    neurons = rates[config.n_channels :]
    words = config.sram_used.reshape(neurons.size, -1)
    active = np.where(words, neurons[:, None], 0.0)
    distance = np.abs(config.sram_x.astype(int)) + np.abs(config.sram_y.astype(int))
    cores = _n_cores(config.sram_cores)
    arrives = distance.reshape(words.shape) <= config.chips - 1  # monitor words go to the host
    into_cores = np.where(arrives, cores.reshape(words.shape), 0)
    steps = np.where(arrives, np.maximum(distance.reshape(words.shape), 1), 1)
    channels = rates[config.input_channel]
    from_input = _n_cores(config.input_cores)
    return Operations(
        spikes=float(neurons.sum()),
        packets=float(active.sum()),
        hops=float((active * steps).sum() + channels.sum()),
        broadcasts=float((active * into_cores).sum() + (channels * from_input).sum()),
        pulses=float(rates[links.source].sum()),
    )


def _rates(
    config: Dynapse2Config, recording: Recording | None, options: Mapping[str, Any]
) -> tuple[Floats, str]:
    """Return spikes per second of every source, and where they come from."""
    unknown = sorted(set(options) - {"input_rate"})
    if unknown:
        raise InputError(f"{config.target}: estimate: unknown {unknown}; known: input_rate")
    stated = {} if recording is None else recording.provenance
    rate = options.get("input_rate", stated.get("input_rate", 1.0))
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < np.inf:
        raise InputError(f"{config.target}: estimate: input_rate is {rate!r}, must be >= 0")
    rates = np.zeros(config.n_channels + config.cam_tag.size // config.cam_tag.shape[-1])
    rates[: config.n_channels] = rate
    placed = config.placement
    all_recorded = recording is not None
    for name in config.node_shapes:
        found = None if recording is None else _recorded(config, recording, name)
        all_recorded &= found is not None
        rows = placed.node_id == placed.node.index(name)
        rows &= placed.port_id == placed.port.index("neuron")
        place = (placed.chip[rows], placed.core[rows], placed.slot[rows])
        at = config.n_channels + np.ravel_multi_index(place, config.cam_tag.shape[:3])
        rates[at] = 1.0 if found is None else found[placed.index[rows]]
    return rates / config.dt, RECORDED_SOURCE if all_recorded else WORST_SOURCE


def _recorded(config: Dynapse2Config, recording: Recording, name: str) -> Floats | None:
    """Return spikes per step of the graph of a node's neurons, None if they were not recorded."""
    strangers = sorted({n for n, _ in recording.signals} - set(config.node_shapes))
    if strangers:
        raise InputError(
            f"{config.target}: estimate: the recording has nodes {strangers}, which this network "
            "does not have; pass a recording of the same network"
        )
    train = recording.signals.get((name, "spikes"))
    if not isinstance(train, SpikeTrain):
        return None
    size = int(np.prod(train.shape, dtype=np.int64))
    counts = np.bincount(train.index, weights=train.count, minlength=size)
    steps = train.n_samples * train.n_ticks * train.tick_duration / config.dt
    return np.asarray(counts / max(steps, 1.0))


def _utilisation(config: Dynapse2Config) -> dict[str, dict[str, Any]]:
    """Return chips, cores and neurons in use, and the fullest neuron and core."""
    place, limits = config.placement, config.limits
    own = place.port_id == place.port.index("neuron")
    cores = {*zip(place.chip[own].tolist(), place.core[own].tolist(), strict=True)}
    entries = (config.cam_dendrite > 0).sum(axis=-1)
    tags = [
        np.unique(config.cam_tag[at][config.cam_dendrite[at] > 0]).size
        for at in np.ndindex(config.cam_tag.shape[:2])
    ]
    board = config.chips * limits.cores_per_chip
    return {
        "utilisation_cores": _share(len(cores), board),
        "utilisation_neurons": _share(int(own.sum()), board * limits.neurons_per_core),
        "utilisation_synapses": _share(int(entries.max(initial=0)), limits.synapses_per_neuron),
        "utilisation_tags": _share(max(tags, default=0), limits.tags),
    }


def _n_cores(masks: NDArray[Any]) -> NDArray[np.int64]:
    """Return the number of cores in masks, shape of the masks."""
    return np.asarray((masks[..., None] >> np.arange(4) & 1).sum(axis=-1), dtype=np.int64)


def _energy(config: Dynapse2Config, name: str) -> float:
    return float(target_named(config.target).fact(_FACTS[name]).value or 0.0)


def _share(used: int, limit: int) -> dict[str, Any]:
    figure = _figure(used / max(1, limit), "fraction", COUNT_SOURCE)
    return figure | {"used": used, "limit": limit}


def _figure(value: float, unit: str, source: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "source": source}


def _estimated(
    config: Dynapse2Config, value: float, unit: str, *, facts: list[str], source: str
) -> dict[str, Any]:
    """Return a figure with the sources and the least certainty of the facts in it."""
    known = [target_named(config.target).fact(_FACTS[name]) for name in facts]
    order = ("verified", "read", "uncertain")
    certainty = max((fact.certainty for fact in known), key=order.index)
    sources = dict.fromkeys(fact.source for fact in known)
    figure = _figure(value, unit, "; ".join([source, *sources]))
    return figure | {"estimate": True, "certainty": certainty}
