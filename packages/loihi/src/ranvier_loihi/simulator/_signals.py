"""From what the compiled loops return to signals by graph node."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import Signal, SpikeTrain, Trace
from ranvier.diagnostics import Diagnostic

from .. import diagnostics as codes
from ..config import LoihiConfig, Population, Tap
from ..kernels.network import NetworkRun

_STATES = {
    "lif": ("i_syn", "v_mem"),
    "ternary": ("i_syn", "v_mem"),
    "rf": ("re", "im"),
    "rf_iz": ("re", "im"),
    "delta": ("activation", "residual"),
    "sigma_delta": ("sigma", "activation", "residual"),
    "sigma": ("sigma",),
}
_FIRST = ("i_syn", "re", "sigma")


def quantities(p: Population) -> tuple[str, ...]:
    """Return what can be recorded of a population; what it emits comes last."""
    if p.graded:
        return (*_STATES[p.model], "value")
    return (*_STATES[p.model], *(("spikes",) if p.spiking else ()))


def shown_by(config: LoihiConfig, tap: Tap) -> str:
    """Return the quantity that a tap delays: what an Output would show of its source."""
    if tap.source in config.input_shapes:
        return "value" if config.values else "spikes"
    p = config.population_of[tap.source]
    if p.graded:
        return "value"
    if p.spiking:
        return "spikes"
    return "v_mem" if "v_mem" in _STATES[p.model] else "im"


def shape_of(config: LoihiConfig, name: str) -> tuple[int, ...]:
    """Return the shape of an input or population."""
    if name in config.input_shapes:
        return tuple(config.input_shapes[name])
    return config.population_of[name].shape


def values_of(result: NetworkRun, p: Population, quantity: str, *, shape: Any) -> NDArray[Any]:
    """Return a quantity of every step as integers, (batch, time, n)."""
    if (p.name, quantity) in result.traces:
        return result.traces[p.name, quantity]
    dense = np.zeros((*shape, p.size), dtype=np.int64)
    for sample, t, ends, ids, values in result.events.get(p.name, ()):
        ticks = np.repeat(np.arange(t, t + len(ends) - 1), np.diff(ends))
        dense[sample, ticks, ids] = values
    return dense


def scale_of(p: Population, quantity: str) -> NDArray[np.float64] | float:
    """Return model units per count, of the population's shape or a number."""
    if quantity == "value" and p.model != "sigma":
        return 1.0 if p.model == "ternary" else 2.0**-p.spike_exp
    first = quantity in _FIRST or quantity == "value"
    return p.register("u_lsb" if first else "v_lsb").reshape(p.shape).astype(np.float64)


def spike_train(
    result: NetworkRun, p: Population, *, n_samples: int, n_steps: int, dt: float
) -> SpikeTrain:
    """Return the spikes of a population."""
    parts = result.events.get(p.name, [])
    empty = np.zeros(0, dtype=np.int64)

    def joined(arrays: list[NDArray[Any]]) -> NDArray[np.int64]:
        return np.concatenate([empty, *arrays]).astype(np.int64)

    ticks = [np.repeat(np.arange(t, t + len(e) - 1), np.diff(e)) for _, t, e, _, _ in parts]
    return SpikeTrain(
        joined([np.full(len(ids), sample) for sample, _, _, ids, _ in parts]),
        joined(ticks),
        joined([ids for _, _, _, ids, _ in parts]),
        joined([values for _, _, _, _, values in parts]),
        n_samples,
        n_steps,
        p.shape,
        dt,
    )


def signal(
    result: NetworkRun, p: Population, quantity: str, *, n_samples: int, n_steps: int, dt: float
) -> Signal:
    """Return one recorded quantity of a population."""
    if quantity == "spikes":
        return spike_train(result, p, n_samples=n_samples, n_steps=n_steps, dt=dt)
    values = values_of(result, p, quantity, shape=(n_samples, n_steps))
    return Trace(
        values.reshape(n_samples, n_steps, *p.shape), interval=dt, scale=scale_of(p, quantity)
    )


def delayed(
    values: NDArray[Any], pending: NDArray[Any], delay: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Shift each column of ``values`` (batch, time, n) by its delay.

    Returns what shows in these steps, and what is pending for the next, (batch, slots, n).
    """
    n_steps, slots = values.shape[1], pending.shape[1]
    full = np.zeros((len(values), n_steps + slots, values.shape[2]), dtype=values.dtype)
    full[:, :slots] = pending
    delays = np.broadcast_to(delay, (values.shape[2],))
    for d in np.unique(delays):
        columns = np.flatnonzero(delays == d)
        full[:, d : d + n_steps, columns] = values[:, :, columns]
    return full[:, :n_steps], full[:, n_steps:]


def run_findings(config: LoihiConfig, result: NetworkRun) -> list[Diagnostic]:
    """Report what the number ranges cost, with counts."""
    found = []
    for p in config.populations:
        wrapped, clipped = result.wrapped.get(p.name, 0), result.clipped.get(p.name, 0)
        fired = 0 if p.spiking or p.model != "lif" else result.emitted.get(p.name, 0)
        if wrapped:
            message = f"{wrapped} current(s) (neurons times steps) wrapped at 2**23"
            found.append(codes.CURRENT_WRAPPED.at(p.name, message, value=wrapped, limit=0))
        if not p.spiking and (clipped or fired):
            message = f"{clipped} voltage(s) saturated and {fired} neuron(s) were reset"
            total = clipped + fired
            found.append(codes.READOUT_LIMIT.at(p.name, message, value=total, limit=0))
        elif clipped:
            message = f"{clipped} voltage(s) (neurons times steps) saturated at 2**23 - 1"
            found.append(codes.VOLTAGE_CLIPPED.at(p.name, message, value=clipped, limit=0))
    for s, wrapped in zip(config.synapses, result.sums_wrapped, strict=True):
        if wrapped:
            message = f"{wrapped} sum(s) of the input from {s.source!r} wrapped at 2**23"
            found.append(codes.CONVOLUTION_WRAPPED.at(s.target, message, value=wrapped, limit=0))
    return found
