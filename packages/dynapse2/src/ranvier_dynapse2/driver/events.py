"""Input spikes as the packets that a board is sent, and recorded spikes as those it sent.

Both are structured arrays, one row per packet, made to be drawn and searched.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Recording, SpikeTrain
from ranvier.errors import InputError

if TYPE_CHECKING:
    from ..config import Dynapse2Config

Packets = NDArray[np.void]
TICK = 1e-6
"""Tick of the board's clock, in s."""
MOST_SPIKES = 1 << 25
"""Most input spikes of one run that become packets."""
PACKET = np.dtype(
    [
        ("time_us", np.int64),
        ("tag", np.int64),
        ("cores", np.uint8),
        ("x", np.int8),
        ("y", np.int8),
        ("channel", np.int64),
    ]
)
"""A packet to the board: time in ticks, its destination, and the channel that it stands for."""
OUTPUT_EVENT = np.dtype(
    [
        ("time_us", np.int64),
        ("sample", np.int64),
        ("chip", np.int64),
        ("core", np.int64),
        ("slot", np.int64),
        ("tag", np.int64),
        ("index", np.int64),
    ]
)
"""A recorded spike: time in ticks, where it comes from, and the neuron of its graph node."""


def joined_inputs(config: Dynapse2Config, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Return inputs by name as channels: ``(batch, time, n_channels)``."""
    parts = [
        np.asarray(inputs[name]).reshape(*inputs[name].shape[:2], math.prod(shape))
        for name, shape in config.input_shapes.items()
    ]
    return np.concatenate(parts, axis=2).astype(np.int64)


def input_packets(
    config: Dynapse2Config, counts: NDArray[Any], *, start: float = 0.0, tick: float = TICK
) -> Packets:
    """Return the packets that input spikes become.

    Parameters
    ----------
    config : Dynapse2Config
        Its table of inputs says what a channel sends.
    counts : array of int, (time, n_channels)
        Spikes; channels of all inputs in order.
    start : float
        Time of the first step, in s.
    tick : float
        Tick of the board's clock, in s.

    Returns
    -------
    structured array, (n_packets,)
        Fields of `PACKET`, sorted by time. Packets of one spike share a time; a channel that
        reaches no neuron sends none.

    Raises
    ------
    InputError
        The counts do not have a column for every channel, or are more than `MOST_SPIKES` together.

    Notes
    -----
    Spike r of step k, in order of channels, is sent at ``round((start + k dt) / tick) + r``
    (rockpool 3.1.0, devices/dynapse/hardware); a count of n is n spikes.
    """
    counts = np.asarray(counts)
    if counts.ndim != 2 or counts.shape[1] != config.n_channels:
        raise InputError(
            f"dynapse2: counts have shape {counts.shape}, expected (time, {config.n_channels})"
        )
    step, channel, rank = _spikes(config, counts)
    order = np.argsort(config.input_channel, kind="stable")
    first = np.searchsorted(config.input_channel[order], np.arange(config.n_channels + 1))
    degree = np.diff(first)[channel]
    spike = np.repeat(np.arange(step.size), degree)
    within = np.arange(spike.size) - np.repeat(np.cumsum(degree) - degree, degree)
    row = order[first[channel[spike]] + within]
    packets = np.zeros(spike.size, dtype=PACKET)
    begin = np.rint((start + step * config.dt) / tick).astype(np.int64)
    packets["time_us"] = (begin + rank)[spike]
    packets["tag"], packets["cores"] = config.input_tag[row], config.input_cores[row]
    packets["x"], packets["y"] = config.input_x[row], config.input_y[row]
    packets["channel"] = channel[spike]
    return packets[np.argsort(packets["time_us"], kind="stable")]


def _spikes(
    config: Dynapse2Config, counts: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return step, channel and rank within the step of every spike that is sent."""
    sent = np.zeros(config.n_channels, dtype=bool)
    sent[config.input_channel] = True
    step, channel = np.nonzero(np.where(sent, counts, 0))
    times = np.asarray(counts)[step, channel].astype(np.int64)
    total = int(times.sum())
    if total > MOST_SPIKES:
        raise InputError(
            f"dynapse2: {total} input spikes in one run, at most {MOST_SPIKES} become packets; "
            "send fewer spikes, or split the input into shorter runs"
        )
    step, channel = np.repeat(step, times), np.repeat(channel, times)
    first = np.searchsorted(step, step, side="left")
    return step, channel, np.arange(step.size) - first


def overfull_steps(
    config: Dynapse2Config, counts: NDArray[Any], *, tick: float = TICK
) -> tuple[int, int]:
    """Return how many steps have more spikes to send than ticks, and the most spikes of a step."""
    sent = np.zeros(config.n_channels, dtype=bool)
    sent[config.input_channel] = True
    per_step = np.asarray(counts)[..., sent].sum(axis=-1)
    return int(np.sum(per_step > ticks_per_step(config.dt, tick))), int(per_step.max(initial=0))


def ticks_per_step(dt: float, tick: float = TICK) -> int:
    """Return how many whole ticks a time step has.

    Raises
    ------
    InputError
        It has less than one.
    """
    whole = int(np.floor(dt / tick + 1e-9))
    if whole < 1:
        raise InputError(
            f"dynapse2: dt = {dt:g} s is shorter than a tick of the board's clock ({tick:g} s); "
            "use a larger dt"
        )
    return whole


def counts_from_packets(
    config: Dynapse2Config, packets: Packets, *, steps: int, tick: float = TICK
) -> NDArray[np.int64]:
    """Return the spikes ``(time, n_channels)`` that packets from a start at 0 stand for.

    Packets that come after the last step are lost, as they are for a recording.
    """
    begin = np.rint(np.arange(steps) * config.dt / tick).astype(np.int64)
    end = int(np.rint(steps * config.dt / tick))
    degree = np.bincount(config.input_channel, minlength=config.n_channels)
    kept = packets[packets["time_us"] < end]
    step = np.searchsorted(begin, kept["time_us"], side="right") - 1
    counts = np.zeros((steps, config.n_channels), dtype=np.int64)
    np.add.at(counts, (step, kept["channel"]), 1)
    return np.asarray(counts // np.maximum(degree, 1))


def output_events(
    config: Dynapse2Config, recording: Recording, node: str, *, start: float = 0.0
) -> Packets:
    """Return the spikes of a node as the events that a board reports.

    Parameters
    ----------
    config : Dynapse2Config
        What ran.
    recording : Recording
        From any session; spikes of a simulation have the time of their step.
    node : str
        Graph node whose spikes were recorded.
    start : float
        Time of the first step, in s.

    Returns
    -------
    structured array, (n_events,)
        Fields of `OUTPUT_EVENT`; tags are those under which the neurons report,
        -1 where they do not.
    """
    from .monitors import places_of, tags_of

    signal = recording[node, "spikes"]
    if not isinstance(signal, SpikeTrain):
        raise InputError(f"dynapse2: {node!r} has no spikes in this recording; record its spikes")
    chip, core, slot = places_of(config, node)
    events = np.zeros(signal.total, dtype=OUTPUT_EVENT)
    index = np.repeat(signal.index, signal.count)
    events["sample"], events["index"] = np.repeat(signal.sample, signal.count), index
    ticks = np.rint((start + signal.times) / TICK).astype(np.int64)
    events["time_us"] = np.repeat(ticks, signal.count)
    events["chip"], events["core"], events["slot"] = chip[index], core[index], slot[index]
    events["tag"] = tags_of(config, node)[index]
    return events
