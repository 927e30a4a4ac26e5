"""The verb *quantize*: from real numbers to registers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
from pydantic import ValidationError

from ranvier.artifacts import MappedNetwork, OutputChannel
from ranvier.diagnostics import Findings, describe
from ranvier.errors import QuantizationError
from ranvier.graph import Graph

from .. import diagnostics as codes
from ..config import LoihiConfig, Population, Tap
from ..network import LoihiNetwork
from ..targets import Limits, limits_of
from ._calibration import Calibration, agreement_of, calibrate, membrane_error, usable
from ._fit import (
    candidates,
    exact_layer,
    expected_reach,
    precision_of,
    rounded_layer,
    worst_current,
)
from ._registers import Resets, arrivals_of, population_of
from ._units import LIF_MODELS, RAIL, Layer, layers_of
from ._weights import Codes, synapse_of
from .options import QuantizeOptions

LOW_PRECISION_DB = 20.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """A population of the configuration with its synapses.

    Parameters
    ----------
    population : Population
    synapses : list of Synapse
        Those that end in it.
    scale : float
        State units of 1.0 in the graph.
    exact : bool
        Whether it passed unchanged.
    precision : float or None
        Signal-to-quantisation-noise ratio of the weights, in dB; None without weights.
    """

    population: Population
    synapses: list[Any]
    scale: float
    exact: bool
    precision: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What all layers share while they are quantised.

    Parameters
    ----------
    mapped : MappedNetwork
    network : LoihiNetwork
        Its populations and connections.
    limits : Limits
        Of the target.
    options : QuantizeOptions
    resets : Resets
        Periodic reset.
    calibration : Calibration or None
        Answer of the float network.
    late : mapping of str to int
        Extra steps of every population's signal.
    """

    mapped: MappedNetwork
    network: LoihiNetwork
    limits: Limits
    options: QuantizeOptions
    resets: Resets
    calibration: Calibration | None
    late: Mapping[str, int]


def quantize_network(mapped: MappedNetwork, options: QuantizeOptions) -> LoihiConfig:
    """Turn a mapped network into the registers of its chip.

    Layers whose numbers are the chip's already are taken unchanged. For the others one scale is
    chosen per population.

    Parameters
    ----------
    mapped : MappedNetwork
        From `ranvier_loihi.mapping.map_network`.
    options : QuantizeOptions
        See there.

    Returns
    -------
    LoihiConfig
        ``provenance["quantization"]`` holds per population the scale, whether it passed unchanged,
        the signal-to-quantisation-noise ratio of its weights and, with calibration spikes, the
        agreement with the float network.

    Raises
    ------
    QuantizationError
        A value has no code on the chip, or the mapped network was altered; all problems at once.
    InputError
        The calibration spikes do not fit the network.
    """
    findings = Findings()
    task = _task(mapped, options, findings)
    bits = int(mapped.settings.get("options", {}).get("input_message_bits", 0))
    layers = layers_of(task.network, input_message_bits=bits)
    fitted = [_fit(layer, task, findings) for layer in layers]
    errors = findings.errors()
    if errors:
        heading = f"{mapped.target}: the network cannot be quantised, {len(errors)} problem(s)"
        raise QuantizationError(describe(errors, heading=heading), errors)
    config = _config(task, fitted)
    return _reported(config, fitted, task, findings)


def _task(mapped: MappedNetwork, options: QuantizeOptions, findings: Findings) -> Task:
    settings = mapped.settings
    missing = [name for name in ("network", "outputs") if name not in settings]
    if missing:
        raise QuantizationError(
            f"{mapped.target}: the mapped network has no settings {missing}; map the graph again"
        )
    network = LoihiNetwork.from_parts(mapped.arrays, settings["network"])
    chosen = settings.get("options", {})
    resets = Resets(
        interval=int(chosen.get("reset_interval", 0)),
        offset=int(chosen.get("reset_offset", 0)),
        arrivals=arrivals_of(network),
    )
    calibration = None
    if options.calibration is not None:
        found = calibrate(
            mapped,
            options.calibration,
            samples=options.calibration_samples,
            values=tuple(settings.get("values", ())),
        )
        if isinstance(found, str):
            findings.add(codes.NOT_CALIBRATED.at(None, found))
        else:
            calibration = found
    return Task(
        mapped=mapped,
        network=network,
        limits=limits_of(mapped.target),
        options=options,
        resets=resets,
        calibration=calibration,
        late={p.name: p.late for p in network.populations},
    )


def _fit(layer: Layer, task: Task, findings: Findings) -> Fitted:
    """Quantise one population with its incoming connections."""
    exact = exact_layer(layer, task.limits)
    if exact is not None:
        _report_wrap(layer, layer.native_scale, task, findings=findings)
        made = _made(layer, exact, layer.native_scale, task=task, findings=findings)
        return replace(made, exact=True)
    reach = task.calibration.reach(layer) if task.calibration else None
    scales = candidates(
        layer,
        reach or expected_reach(layer),
        limits=task.limits,
        headroom=task.options.headroom,
    )
    scale = _best_scale(layer, scales[: task.options.candidates].tolist(), task)
    _report_wrap(layer, scale, task, findings=findings)
    weights = rounded_layer(layer, scale, findings)
    return _made(layer, weights, scale, task=task, findings=findings)


def _best_scale(layer: Layer, scales: list[float], task: Task) -> float:
    """Return the scale with the least membrane error on the calibration spikes."""
    calibration = task.calibration
    if calibration is None or len(scales) < 2 or not usable(layer, calibration):
        return scales[0]
    errors = []
    for scale in scales:
        weights = rounded_layer(layer, scale, Findings())
        made = _made(layer, weights, scale, task=task, findings=Findings())
        error = membrane_error(
            made.population,
            made.synapses,
            layer=layer,
            calibration=calibration,
            target=task.mapped.target,
            late=task.late,
        )
        errors.append(error)
    return scales[int(np.argmin(errors))]


def _made(
    layer: Layer, weights: list[Codes], scale: float, *, task: Task, findings: Findings
) -> Fitted:
    p = layer.population
    try:
        population = population_of(
            p, scale, limits=task.limits, resets=task.resets, findings=findings
        )
        synapses = [
            synapse_of(c, entry, message_bits=bits, n_source=task.network.size_of(c.source))
            for c, entry, bits in zip(layer.connections, weights, layer.message_bits, strict=True)
        ]
    except ValidationError as error:
        raise QuantizationError(
            f"{task.mapped.target}: the arrays of the mapped network do not fit: {error}; map the "
            "graph again"
        ) from error
    return Fitted(
        population=population,
        synapses=synapses,
        scale=scale,
        exact=False,
        precision=precision_of(layer, weights, scale),
    )


def _report_wrap(layer: Layer, scale: float, task: Task, *, findings: Findings) -> None:
    if layer.population.model not in LIF_MODELS or task.calibration is not None:
        return
    worst = worst_current(layer) * scale
    if worst > RAIL * (1 + 1e-9):
        text = f"the worst case is {worst:.3g} state units, the rails are at {RAIL}"
        findings.add(
            codes.CURRENT_MAY_WRAP.at(layer.population.name, text, value=worst, limit=RAIL)
        )


def _config(task: Task, fitted: list[Fitted]) -> LoihiConfig:
    mapped, network, settings = task.mapped, task.network, task.mapped.settings
    budget = settings.get("budget", {})
    try:
        return LoihiConfig(
            target=mapped.target,
            dt=mapped.graph.dt,
            input_shapes=dict(network.inputs),
            outputs=tuple(
                OutputChannel(output=output, node=node, quantity=quantity)
                for output, node, quantity in settings["outputs"]
            ),
            node_shapes=_node_shapes(network, mapped.graph),
            placement=mapped.placement,
            latency=dict(mapped.latency),
            diagnostics=mapped.diagnostics,
            populations=tuple(f.population for f in fitted),
            synapses=tuple(s for f in fitted for s in f.synapses),
            taps=tuple(
                Tap(name=t.name, source=t.source, delay=t.delay.astype(np.int64))
                for t in network.taps
            ),
            values=tuple(settings.get("values", ())),
            chips=int(budget.get("chips", 1)),
            resources=dict(budget),
        )
    except ValidationError as error:
        raise QuantizationError(
            f"{mapped.target}: the arrays of the mapped network do not fit: {error}; map the graph "
            "again"
        ) from error


def _node_shapes(network: LoihiNetwork, graph: Graph) -> dict[str, tuple[int, ...]]:
    """Return the shapes of what can be recorded; a tap behind a Flatten has the Flatten's."""
    shapes = {**network.inputs, **{p.name: p.shape for p in network.populations}}
    shown = {p.name: p.shape for p in network.populations}
    return shown | {
        t.name: graph.nodes[t.name].output_shape if t.name in graph.nodes else shapes[t.source]
        for t in network.taps
    }


def _reported(
    config: LoihiConfig, fitted: list[Fitted], task: Task, findings: Findings
) -> LoihiConfig:
    """Add diagnostics and provenance."""
    layers: dict[str, dict[str, float | bool]] = {}
    for f in fitted:
        name = f.population.name
        layers[name] = {"scale": f.scale, "unchanged": f.exact}
        if f.exact:
            findings.add(codes.PASSED_UNCHANGED.at(name, "all numbers are the chip's"))
        elif f.precision is not None:
            low = f.precision < LOW_PRECISION_DB
            code = codes.LOW_PRECISION if low else codes.LAYER_PRECISION
            value = round(f.precision, 2)
            text = f"weights keep {value:.1f} dB at {f.scale:.6g} units per model unit"
            findings.add(code.at(name, text, value=value, limit=LOW_PRECISION_DB))
            layers[name]["sqnr_db"] = f.precision
    _measure(config, task, layers, findings=findings)
    provenance = {
        "graph": task.mapped.graph.content_hash,
        "ranvier-loihi": version("ranvier-loihi"),
        "map": dict(task.mapped.settings.get("options", {})),
        "quantize": {
            **task.options.model_dump(exclude={"calibration"}),
            "calibrated": task.calibration is not None,
        },
        "quantization": layers,
    }
    return config.model_copy(
        update={"diagnostics": (*config.diagnostics, *findings), "provenance": provenance}
    )


def _measure(
    config: LoihiConfig,
    task: Task,
    layers: dict[str, dict[str, float | bool]],
    *,
    findings: Findings,
) -> None:
    """Report how well the whole network agrees on the calibration spikes."""
    if task.calibration is None:
        return
    rest = {p.name: p.v_rest for p in task.network.populations}
    agreement, saturated = agreement_of(config, task.calibration, rest=rest)
    for name, share in agreement.items():
        layers[name]["agreement"] = share
        text = f"{100 * share:.1f} % agreement with the float network on the calibration spikes"
        findings.add(codes.SPIKE_AGREEMENT.at(name, text, value=round(share, 4)))
    for name, count in saturated.items():
        if count:
            text = f"{count} neuron(s) reach a rail"
            findings.add(codes.STATE_SATURATES.at(name, text, value=count, limit=0))
