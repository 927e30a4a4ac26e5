"""From records to recordings, keyed by the graph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ranvier.artifacts import Recording, Signal, SpikeTrain, Trace
from ranvier.diagnostics import Diagnostic

from .. import diagnostics as codes
from .grid import trace_of
from .raw import CLOCK, CadcRecord, MadcRecord, RawRecords

if TYPE_CHECKING:
    from ..config import Bss2Config, Population

GRID_QUANTITY = "v_grid"
"""Quantity of an output that shows a membrane: the samples interpolated on the graph's grid."""
MADC_PER_CADC = 4.0
"""LSB of the fast converter per LSB of the slow one: both are taken to span the same range.

Our choice and uncertain; no conversion between the two is published.
"""


def observables(config: Bss2Config) -> dict[str, tuple[str, ...]]:
    """Return what a chip shows of every population.

    Parameters
    ----------
    config : Bss2Config
        Switches and readouts of its populations are read.

    Returns
    -------
    dict of str to tuple of str
        ``"spikes"`` of firing populations and background generators, ``"v_mem"`` where the slow
        converter samples and ``"madc"`` where the fast one does; populations that show nothing are
        left out.
    """
    offers: dict[str, tuple[str, ...]] = dict.fromkeys(config.background_shapes, ("spikes",))
    for p in config.populations:
        names = (
            ("spikes", "fire" in p.switches),
            ("v_mem", p.cadc != "off"),
            ("madc", p.madc_neuron >= 0),
        )
        offers[p.name] = tuple(name for name, there in names if there)
    return {name: found for name, found in offers.items() if found}


def recording_of(
    config: Bss2Config,
    raw: RawRecords,
    *,
    n_steps: int,
    record: Mapping[str, tuple[str, ...]],
    diagnostics: tuple[Diagnostic, ...] = (),
    provenance: Mapping[str, Any] | None = None,
) -> Recording:
    """Return what a run recorded under the names of the graph.

    Parameters
    ----------
    config : Bss2Config
        What ran.
    raw : RawRecords
        What came back.
    n_steps : int
        Length of the run, in steps.
    record : mapping of str to tuple of str
        Quantities by node besides the outputs, see `observables`.
    diagnostics : tuple of Diagnostic
        Findings besides those of the configuration and of the records.
    provenance : mapping or None
        What ran, for the recording.

    Returns
    -------
    Recording
        Spikes with ticks of 8 ns of the chip in model time; they are counted from half a step
        before the run, so that bins of the graph's grid are centred on its steps, as hxtorch
        rounds them; earlier ones count at the start. ``v_mem`` holds the samples of the slow
        converter in LSB at their own times, ``madc`` those of the fast one, shape (1,). An output
        that shows a membrane has the quantity ``"v_grid"``: the trace on the graph's grid, in model
        units.
    """
    outputs = {
        c.output: (c.node, c.quantity if c.quantity == "spikes" else GRID_QUANTITY)
        for c in config.outputs
    }
    wanted = dict.fromkeys(
        [*outputs.values(), *((node, q) for node, names in record.items() for q in names)]
    )
    return Recording(
        signals={key: _signal(config, raw, n_steps, key=key) for key in wanted},
        dt=config.dt,
        outputs=outputs,
        latency=dict(config.latency),
        diagnostics=(*config.diagnostics, *diagnostics, *_findings(config, raw)),
        provenance={"target": config.target, "chip": raw.identifier, **(provenance or {})},
    )


def _signal(config: Bss2Config, raw: RawRecords, n_steps: int, *, key: tuple[str, str]) -> Signal:
    node, quantity = key
    if node in config.background_shapes:
        return _spike_train(config, raw, n_steps, node=node, shape=config.background_shapes[node])
    population, own = config.population_of[node], raw[node]
    if quantity == "spikes":
        return _spike_train(config, raw, n_steps, node=node, shape=population.shape)
    if quantity == GRID_QUANTITY:
        rows = trace_of(population, raw, length=n_steps, dt=config.chip_dt)
        return Trace(rows.reshape(*rows.shape[:2], *population.shape), interval=config.dt)
    if quantity == "madc" and own.madc is not None:
        return _madc_trace(config, population, own.madc)
    return _cadc_trace(config, population, own.sampled(node))


def _spike_train(
    config: Bss2Config, raw: RawRecords, n_steps: int, *, node: str, shape: tuple[int, ...]
) -> SpikeTrain:
    tick = 1.0 / CLOCK / config.time_scale
    ratio = config.dt / tick
    ratio = round(ratio) if math.isclose(ratio, round(ratio), rel_tol=1e-9) else ratio
    spikes, n_ticks = raw[node].spikes, math.floor(n_steps * ratio)
    ticks = np.maximum(spikes.cycle + math.floor(ratio / 2), 0)
    kept = ticks < n_ticks
    events = np.stack([spikes.sample[kept], ticks[kept], spikes.neuron[kept]]).astype(np.int64)
    events, count = np.unique(events, axis=1, return_counts=True)
    return SpikeTrain(
        events[0],
        events[1],
        events[2],
        count.astype(np.int64),
        raw.n_samples,
        n_ticks,
        shape,
        tick,
    )


def _times(config: Bss2Config, record: CadcRecord | MadcRecord, shift: int) -> tuple[float, float]:
    """Return interval and start of samples, in s of model time."""
    unit = 1.0 / CLOCK / config.time_scale
    start = float(record.times[0]) * unit if record.times.size else 0.0
    return record.interval * unit, start - shift * config.dt


def _cadc_trace(config: Bss2Config, population: Population, cadc: CadcRecord) -> Trace:
    batch, samples, _ = cadc.values.shape
    scale = np.broadcast_to(population.trace_scale, population.size)
    if population.shift_to_first and samples:
        base = cadc.values[:, :1].astype(np.float64)
    else:
        base = np.broadcast_to(population.trace_offset, (1, 1, population.size))
    offset = np.asarray(-base * scale, dtype=np.float64)
    return Trace(
        cadc.values.reshape(batch, samples, *population.shape),
        *_times(config, cadc, population.time_shift),
        scale=np.array(scale.reshape(population.shape), dtype=np.float64),
        offset=offset.reshape(*offset.shape[:2], *population.shape),
    )


def _madc_trace(config: Bss2Config, population: Population, madc: MadcRecord) -> Trace:
    size = population.size
    scale = float(np.broadcast_to(population.trace_scale, size)[madc.neuron])
    base = float(np.broadcast_to(population.trace_offset, size)[madc.neuron])
    return Trace(
        madc.values[:, :, None],
        *_times(config, madc, population.time_shift),
        scale=scale / MADC_PER_CADC,
        offset=-base * scale,
    )


def _findings(config: Bss2Config, raw: RawRecords) -> list[Diagnostic]:
    found, top = [], config.limits.cadc_max
    for name, own in raw.populations.items():
        if own.cadc is None:
            continue
        if own.cadc.dropped:
            kept = own.cadc.times.size
            message = f"{own.cadc.dropped} samples per trial are dropped, {kept} are kept"
            found.append(
                codes.SAMPLES_DROPPED.at(name, message, value=own.cadc.dropped, limit=kept)
            )
        clipped = int(np.count_nonzero((own.cadc.values == 0) | (own.cadc.values == top)))
        if clipped:
            message = f"{clipped} of {own.cadc.values.size} samples read 0 or {top}"
            found.append(codes.OUT_OF_RANGE.at(name, message, value=clipped, limit=0))
    return found
