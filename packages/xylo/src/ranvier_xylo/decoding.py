"""From the chip's ids to the graph's names: recordings, whether simulated or read from a board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Recording, Signal, SpikeTrain, Trace
from ranvier.diagnostics import Diagnostic

from . import diagnostics as codes
from .config import XyloConfig

_HIDDEN_TRACES = ("spikes", "i_syn", "i_syn2", "v_mem")
_OUTPUT_TRACES = ("spikes", "i_syn", "v_mem")


@dataclass(frozen=True, eq=False)
class ChipSignals:
    """What a chip answered, by its own ids. Hidden spikes include those received by aliases.

    Parameters
    ----------
    output_spikes : array of int, (batch, time, n_out)
        0 or 1.
    traces : dict of str to array
        ``spikes``, ``i_syn``, ``i_syn2``, ``v_mem`` (batch, time, n_hid), ``i_syn_out``,
        ``v_mem_out`` (batch, time, n_out); those that were recorded.
    spike_cap : int or None
        Most spikes of a hidden neuron in one step; None is the chip's limit.
    """

    output_spikes: NDArray[Any]
    traces: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    spike_cap: int | None = None


def is_hidden(config: XyloConfig, node: str) -> bool:
    """Whether a neuron node sits in the hidden layer (else in the output layer)."""
    return bool(config.placement.slots_of(node, port="hidden").size)


def recordable_quantities(config: XyloConfig) -> dict[str, tuple[str, ...]]:
    """Return what can be recorded, by neuron node."""
    hidden = tuple(q for q in _HIDDEN_TRACES if q != "i_syn2" or config.n_synapses == 2)
    return {n: hidden if is_hidden(config, n) else _OUTPUT_TRACES for n in config.node_shapes}


def needed_traces(config: XyloConfig, record: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the traces of the chip behind the wanted quantities and the outputs."""
    needed = set()
    wanted = {(n, q) for n, quantities in record.items() for q in quantities}
    wanted |= {(channel.node, channel.quantity) for channel in config.outputs}
    for node, quantity in wanted:
        if is_hidden(config, node):
            needed.add(quantity)
        elif quantity != "spikes":
            needed.add(f"{quantity}_out")
    return tuple(sorted(needed))


def joined_inputs(config: XyloConfig, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return inputs by graph name as the chip's channels, (batch, time, n_in)."""
    n_samples, n_steps = next(iter(inputs.values())).shape[:2]
    channels = np.zeros((n_samples, n_steps, config.n_in), dtype=np.int64)
    for name, counts in inputs.items():
        slots = config.placement.slots_of(name, port="input")
        channels[:, :, slots] = counts.reshape(n_samples, n_steps, slots.size)
    return channels


def input_findings(config: XyloConfig, inputs: Mapping[str, NDArray[Any]]) -> list[Diagnostic]:
    """Report counts that the chip's input registers cannot hold."""
    most = config.limits.input_count_max
    found = []
    for name, counts in inputs.items():
        over = int(np.sum(counts > most))
        if over:
            largest = int(counts.max())
            found.append(
                codes.INPUT_CLIPPED.at(
                    name,
                    f"{over} count(s) above {most}, up to {largest}, act as {most}",
                    value=largest,
                    limit=most,
                )
            )
    return found


def recording_from_signals(
    config: XyloConfig,
    signals: ChipSignals,
    *,
    record: Mapping[str, tuple[str, ...]],
    diagnostics: tuple[Diagnostic, ...] = (),
    provenance: Mapping[str, Any] | None = None,
) -> Recording:
    """Build a recording keyed by the graph's nodes from what a chip answered.

    Parameters
    ----------
    config : XyloConfig
        What ran.
    signals : ChipSignals
        Must hold the traces that `needed_traces` lists.
    record : mapping of str to tuple of str
        Quantities wanted besides the outputs, by neuron node.
    diagnostics : tuple of Diagnostic
        Added to those of the configuration.
    provenance : mapping or None
        Added to target and hash of the configuration.
    """
    wanted = [(channel.node, channel.quantity) for channel in config.outputs]
    wanted += [(node, quantity) for node, quantities in record.items() for quantity in quantities]
    found = {
        (node, quantity): _signal(config, signals, node, quantity)
        for node, quantity in dict.fromkeys(wanted)
    }
    return Recording(
        signals=found,
        dt=config.dt,
        outputs={c.output: (c.node, c.quantity) for c in config.outputs},
        latency=dict(config.latency),
        diagnostics=(*config.diagnostics, *diagnostics),
        provenance={
            "target": config.target,
            "config": config.content_hash,
            **dict(provenance or {}),
        },
    )


def _signal(config: XyloConfig, signals: ChipSignals, node: str, quantity: str) -> Signal:
    hidden = is_hidden(config, node)
    ids = config.placement.slots_of(node, port="hidden" if hidden else "output")
    shape = config.node_shapes[node]
    if quantity == "spikes":
        if hidden:
            spikes = own_spikes(config, signals.traces["spikes"], ids, spike_cap=signals.spike_cap)
        else:
            spikes = signals.output_spikes[:, :, ids]
        return SpikeTrain.from_raster(spikes.reshape(*spikes.shape[:2], *shape), dt=config.dt)
    values = signals.traces[quantity if hidden else f"{quantity}_out"][:, :, ids]
    scale, offset = _units(config, quantity, ids, hidden=hidden)
    return Trace(
        values.reshape(*values.shape[:2], *shape),
        interval=config.dt,
        scale=scale.reshape(shape),
        offset=offset.reshape(shape),
    )


def _units(
    config: XyloConfig, quantity: str, ids: NDArray[np.int64], *, hidden: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return model units per count, and the offset, of one quantity."""
    nothing = np.zeros(ids.size)
    if quantity == "v_mem":
        if hidden:
            return config.v_lsb[ids], nothing
        return config.v_lsb_out[ids], np.asarray(config.v_offset_out[ids])
    if hidden:
        return config.i_lsb[ids, 1 if quantity == "i_syn2" else 0], nothing
    return config.i_lsb_out[ids], nothing


def own_spikes(
    config: XyloConfig,
    spikes: NDArray[Any],
    ids: NDArray[np.int64],
    *,
    spike_cap: int | None = None,
) -> NDArray[np.int64]:
    """Return hidden spikes without those that came through aliases: the graph's spikes.

    The chip counts alias spikes first, then a neuron's own up to 31 in all, so that the difference
    is exact.

    Parameters
    ----------
    config : XyloConfig
        Its aliases tell who receives from whom.
    spikes : array of int, (batch, time, n_hid)
        As the chip counts them.
    ids : array of int, (n,)
        Hidden ids wanted.
    spike_cap : int or None
        Most spikes in one step; None is the chip's limit.

    Returns
    -------
    array of int64, (batch, time, n)
    """
    own = spikes[:, :, ids].astype(np.int64)
    most = config.limits.hidden_spikes_max if spike_cap is None else spike_cap
    for column, target in enumerate(ids):
        sources = np.flatnonzero(config.aliases == target)
        if sources.size:
            received = spikes[:, :, sources].astype(np.int64).sum(axis=2)
            own[:, :, column] -= np.minimum(received, most)
    return own
