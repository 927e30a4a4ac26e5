"""Run neurons: on currents, as a layer of a network, or on spikes through synapses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import InputError, SimulationError

from ..kernels import inputs as feed, network
from .parameters import DpiParameters
from .state import DpiState
from .synapses import Synapses

TILE = 256
"""Lanes that are filled by samples side by side, if neurons are fewer."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class DpiRun:
    """What a run gives.

    Parameters
    ----------
    spikes : array of int32, (batch, time, n)
        Spike counts.
    state : DpiState
        Where the neurons stand afterwards.
    traces : mapping of str to array of float32, (batch, time, n)
        What was recorded: currents in A (the membrane's after a reset), ``v_mem`` in V (before it).
    """

    spikes: NDArray[np.int32]
    state: DpiState
    traces: Mapping[str, Floats]


def run_layer(
    parameters: DpiParameters,
    x: ArrayLike,
    *,
    weight_rec: ArrayLike | None = None,
    state: DpiState | None = None,
    record: Sequence[str] = (),
) -> DpiRun:
    """Run neurons on real-valued input.

    Parameters
    ----------
    parameters : DpiParameters
        n neurons with p ports.
    x : array of float, (batch, time, n * p)
        Input in units of ``i_scale``, column ``neuron * p + port``; of any sign.
    weight_rec : array of float, (n * p, n), or None
        Recurrent weights in units of ``i_scale``, from the neuron of a column to the port of a row.
    state : DpiState or None
        Where to start; None: at rest.
    record : sequence of str
        Traces to keep: the synapses (``i_syn``, or ``i_ampa`` to ``i_shunt``), ``i_ahp``,
        ``i_mem``, ``v_mem``.

    Raises
    ------
    InputError
        Input or weights of another shape or type or not finite, or an unknown trace.
    SimulationError
        A state of other neurons, or numbers that overflow.
    """
    columns = parameters.n * parameters.n_ports
    values = _floats(x, f"x, (batch, time, {columns})")
    if values.ndim != 3 or values.shape[2] != columns:
        raise InputError(
            f"dynapse2: x has shape {values.shape}, must be (batch, time, {columns}): "
            f"{parameters.n} neurons with {parameters.n_ports} ports"
        )
    batch, time = values.shape[:2]
    events = network.Events(*_no_events(batch * time))
    wired = Synapses.none(0), _recurrent(parameters, weight_rec)
    return _run(parameters, values, events, synapses=wired, state=state, record=record)


def run_routed(
    parameters: DpiParameters,
    counts: ArrayLike,
    *,
    synapses_in: Synapses,
    synapses_rec: Synapses,
    state: DpiState | None = None,
    record: Sequence[str] = (),
) -> DpiRun:
    """Run neurons on spikes that come through synapses.

    Parameters
    ----------
    parameters : DpiParameters
        n neurons.
    counts : array of int or bool, (batch, time, n_channels)
        Input spikes, >= 0.
    synapses_in, synapses_rec : Synapses
        From the channels, and from the neurons.
    state : DpiState or None
        Where to start; None: at rest.
    record : sequence of str
        Traces to keep, as in `run_layer`.

    Raises
    ------
    InputError
        Counts of another shape or type or below 0, synapses from another number of sources or
        beyond the neurons, or an unknown trace.
    SimulationError
        A state of other neurons, or numbers that overflow.
    """
    spikes = np.asarray(counts)
    channels = synapses_in.n_sources
    if spikes.ndim != 3 or spikes.shape[2] != channels:
        raise InputError(
            f"dynapse2: counts have shape {spikes.shape}, must be (batch, time, {channels})"
        )
    if spikes.dtype.kind not in "iub":
        raise InputError(f"dynapse2: counts are {spikes.dtype}, must be whole numbers")
    if synapses_rec.n_sources != parameters.n:
        raise InputError(
            f"dynapse2: recurrent synapses have {synapses_rec.n_sources} sources, there are "
            f"{parameters.n} neurons"
        )
    x = np.zeros((*spikes.shape[:2], 0), dtype=np.float32)
    wired = synapses_in, synapses_rec
    return _run(parameters, x, _events(spikes), synapses=wired, state=state, record=record)


def _run(
    parameters: DpiParameters,
    x: Floats,
    events: network.Events,
    *,
    synapses: tuple[Synapses, Synapses],
    state: DpiState | None,
    record: Sequence[str],
) -> DpiRun:
    """Run in spans of samples that fill the lanes."""
    batch, time = x.shape[:2]
    n = parameters.n
    rows = _recorded_rows(parameters, record)
    if state is None:
        state = DpiState.rest(parameters, batch)
    else:
        state.check(parameters, batch)
    packed = _packed(state)
    spikes = np.zeros((batch, time, n), dtype=np.int32)
    traces = network.Traces(rows, np.empty((rows.size, batch, time, n), dtype=np.float32))
    w_in, w_rec = (s.wiring(parameters) for s in synapses)
    at_once = max(1, TILE // max(n, 1))
    dt = np.float32(parameters.dt)
    tick = dt if parameters.n_ports == 1 else np.float32(1.0)
    for first in range(0, batch if n and time else 0, at_once):
        copies = min(at_once, batch - first)
        span = network.Span(first, copies, n, dt, tick)
        constants = parameters.constants(copies)
        network.run(span, constants, packed, x, events, w_in, w_rec, spikes, traces)
    return DpiRun(
        spikes=spikes,
        state=_unpacked(packed, parameters, batch),
        traces=dict(zip(record, traces.values, strict=True)),
    )


def _recurrent(parameters: DpiParameters, weight: ArrayLike | None) -> Synapses:
    n, ports = parameters.n, parameters.n_ports
    if weight is None:
        return Synapses.none(n)
    matrix = _floats(weight, "weight_rec")
    if matrix.shape != (n * ports, n):
        raise InputError(
            f"dynapse2: weight_rec has shape {matrix.shape}, must be ({n * ports}, {n})"
        )
    source, row = np.nonzero(matrix.T)
    return Synapses.of_pairs(
        n, source, target=row // ports, port=row % ports, weight=matrix[row, source]
    )


def _floats(values: ArrayLike, name: str) -> Floats:
    given = np.asarray(values)
    if given.dtype.kind not in "fiub":
        raise InputError(f"dynapse2: {name} is {given.dtype}, must be real numbers")
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(given, dtype=np.float32)
    if result.size and not (np.isfinite(result.min()) and np.isfinite(result.max())):
        bad = int(np.sum(~np.isfinite(result)))
        raise InputError(f"dynapse2: {name} has {bad} values that are not finite in float32")
    return result


def _no_events(rows: int) -> tuple[Any, Any, Any]:
    empty = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    return np.zeros(rows + 1, dtype=np.int64), *empty


def _events(spikes: NDArray[Any]) -> network.Events:
    counts = np.ascontiguousarray(spikes).reshape(-1, spikes.shape[2])
    if counts.dtype == np.bool_:
        counts = counts.view(np.uint8)
    ends = np.empty(counts.shape[0] + 1, dtype=np.int64)
    lowest = feed.count_events(counts, ends)
    if lowest < 0:
        raise InputError(f"dynapse2: the lowest count is {lowest}; counts of spikes are >= 0")
    channels = np.empty(ends[-1], dtype=np.int64)
    values = np.empty(ends[-1], dtype=np.float32)
    feed.list_events(counts, ends, channels, values)
    return network.Events(ends, channels, values)


def _recorded_rows(parameters: DpiParameters, record: Sequence[str]) -> NDArray[np.int64]:
    names = (*parameters.synapse_states, "i_ahp", "i_mem", "v_mem")
    unknown = [name for name in record if name not in names]
    if unknown or len(set(record)) != len(record):
        raise InputError(
            f"dynapse2: cannot record {unknown or list(record)}; choose from {', '.join(names)}, "
            "each once"
        )
    return np.array([names.index(name) for name in record], dtype=np.int64)


def _packed(state: DpiState) -> Floats:
    rows = [*np.moveaxis(state.i_syn, -1, 0), state.i_ahp, state.i_mem, state.v_mem]
    rows += [state.spikes, state.timer]
    return np.stack([row.astype(np.float32).reshape(-1) for row in rows])


def _unpacked(packed: Floats, parameters: DpiParameters, batch: int) -> DpiState:
    if not np.all(np.isfinite(packed)):
        bad = int(np.sum(~np.all(np.isfinite(packed), axis=0)))
        raise SimulationError(
            f"dynapse2: {bad} of {packed.shape[1]} neurons reached currents beyond float32; use "
            "smaller inputs, weights or gains"
        )
    ports = parameters.n_ports
    rows = packed.reshape(len(packed), batch, parameters.n)
    timer = rows[ports + 4]
    return DpiState(
        i_syn=np.ascontiguousarray(np.moveaxis(rows[:ports], 0, -1)),
        i_ahp=rows[ports].copy(),
        i_mem=rows[ports + 1].copy(),
        v_mem=rows[ports + 2].copy(),
        spikes=rows[ports + 3].copy(),
        timer=timer.copy() if ports == 1 else timer.astype(np.int32),
    )
