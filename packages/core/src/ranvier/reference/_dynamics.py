"""Instructions of each neuron kind: its definition, line by line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..graph import (
    IF,
    AdaptiveLIF,
    AdEx,
    CubaLI,
    CubaLIF,
    I,
    Neuron,
    ResonateAndFire,
    SigmaDelta,
    SpikingNeuron,
    decay_factor,
)
from . import opcodes as op
from .program import Builder

Values = NDArray[np.float64]


def compile_neuron(
    build: Builder, name: str, node: Neuron, arriving: Sequence[int], *, dt: float
) -> int:
    """Emit a population and return where its output lies.

    Parameters
    ----------
    build : Builder
        The program under construction.
    name : str
        Name of the node.
    node : Neuron
        The population.
    arriving : sequence of int
        Where the input of each port lies.
    dt : float
        Time step, in s.
    """
    if isinstance(node, SigmaDelta):
        return _sigma_delta(build, name, node, arriving[0])
    if isinstance(node, ResonateAndFire):
        return _resonator(build, name, node, arriving, dt)
    if isinstance(node, AdEx):
        return _adex(build, name, node, arriving, dt)
    current = arriving[0]
    if isinstance(node, CubaLI | CubaLIF | AdaptiveLIF):
        current = _synapses(build, name, node, arriving, _factor(node, node.tau_syn, dt))
    v = build.state(name, "v_mem", node.shape, node.v_rest)
    build.emit(op.LEAK, node.size, v, current, _leak_parameters(build, node, dt))
    y = build.value(node.size)
    if isinstance(node, AdaptiveLIF):
        _adapt(build, name, node, v, y, dt)
    elif isinstance(node, SpikingNeuron):
        left = _refractory(build, name, node, dt)
        par = build.parameters(node.shape, *_firing(node, dt))
        build.scalar(node.max_spikes)
        build.emit(op.FIRE, node.size, y, v, left, par, _flags(node))
    else:
        build.emit(op.EMIT, node.size, y, v)
    return y


def _factor(node: Neuron, tau: Values, dt: float) -> Values:
    return decay_factor(tau, dt=dt, decay=node.decay)  # type: ignore[arg-type]


def _leak_parameters(build: Builder, node: Neuron, dt: float) -> int:
    """Add alpha, resting value and bias; an integrator keeps all, so rest is no part of it."""
    if isinstance(node, I | IF):
        return build.parameters(node.shape, 1.0, 0.0, node.bias)
    alpha = _factor(node, node.parameter("tau_mem"), dt)
    return build.parameters(node.shape, alpha, node.v_rest, node.bias)


def _current_names(node: Neuron) -> list[str]:
    return ["i_syn", *(f"i_syn{k}" for k in range(2, node.n_synapses + 1))]


def _synapses(
    build: Builder, name: str, node: Neuron, arriving: Sequence[int], beta: Values
) -> int:
    """Emit the synapses and return where the sum of their currents lies."""
    currents = [build.state(name, quantity, node.shape) for quantity in _current_names(node)]
    return _update_currents(build, node, arriving, currents, beta)


def _update_currents(
    build: Builder, node: Neuron, arriving: Sequence[int], currents: Sequence[int], beta: Values
) -> int:
    """Decay the currents, add what arrives, and return where their sum lies."""
    total = build.value(node.size)
    factors = np.broadcast_to(beta, (node.n_synapses, *node.shape))
    for k, (x, i_syn) in enumerate(zip(arriving, currents, strict=True)):
        par = build.parameters(node.shape, factors[k])
        build.emit(op.SYNAPSE, node.size, total, x, i_syn, par, int(k == 0))
    return total


def _refractory(build: Builder, name: str, node: SpikingNeuron, dt: float) -> int:
    """Reserve the counter of steps without firing; -1 if no neuron has any."""
    if not np.any(np.rint(node.refractory / dt)):
        return -1
    return build.state(name, "refractory_left", node.shape)


def _firing(node: SpikingNeuron, dt: float) -> tuple[Values, Values, Values]:
    return node.threshold, node.v_reset, np.rint(node.refractory / dt)


def _flags(node: SpikingNeuron) -> int:
    strict = op.STRICT if node.comparison == ">" else 0
    return strict | (op.SUBTRACT if node.reset == "subtract" else 0)


def _adapt(build: Builder, name: str, node: AdaptiveLIF, v: int, y: int, dt: float) -> None:
    threshold = build.state(name, "threshold", node.shape, node.threshold)
    refractory = build.state(name, "refractory", node.shape)
    left = _refractory(build, name, node, dt)
    par = build.parameters(
        node.shape,
        *_firing(node, dt),
        node.threshold_step,
        _factor(node, node.tau_threshold, dt),
        _factor(node, node.tau_refractory, dt),
    )
    build.emit(op.ADAPTIVE, node.size, y, v, threshold, refractory, left, par, _flags(node))


def _adex(build: Builder, name: str, node: AdEx, arriving: Sequence[int], dt: float) -> int:
    """Emit an AdEx population: its membrane sees the currents before they are updated."""
    n, names = node.size, _current_names(node)
    old = build.value(n)
    currents = [build.state(name, quantity, node.shape) for quantity in names]
    for k, i_syn in enumerate(currents):
        build.emit(op.CURRENT, n, old, i_syn, int(k == 0))
    beta = 1.0 - dt / node.parameter("tau_syn")
    _update_currents(build, node, arriving, currents, beta)
    v = build.state(name, "v_mem", node.shape, node.v_rest)
    w = build.state(name, "w_adaptation", node.shape)
    left = _refractory(build, name, node, dt)
    par = build.parameters(
        node.shape,
        *_firing(node, dt),
        dt / node.tau_mem,
        node.v_rest,
        node.bias,
        node.slope,
        node.v_exp,
        dt / node.tau_adaptation,
        node.a,
        node.b,
    )
    build.scalar(node.max_spikes)
    y = build.value(n)
    build.emit(op.ADEX, n, y, v, w, left, old, par, _flags(node))
    return y


def _resonator(
    build: Builder, name: str, node: ResonateAndFire, arriving: Sequence[int], dt: float
) -> int:
    state = build.state(name, "re", node.shape)
    build.state(name, "im", node.shape)
    left = _refractory(build, name, node, dt)
    phi = 2.0 * np.pi * node.frequency * dt
    threshold, _, hold = _firing(node, dt)
    below = np.nextafter(threshold, -np.inf)
    rotation = (np.cos(phi), np.sin(phi), np.exp(-dt / node.tau))
    par = build.parameters(node.shape, threshold, below, hold, *rotation, node.bias)
    flags = _flags(node) | (op.AMPLITUDE if node.trigger == "amplitude" else 0)
    y = build.value(node.size)
    build.emit(op.RESONATE, node.size, y, state, *arriving, left, par, flags)
    return y


def _sigma_delta(build: Builder, name: str, node: SigmaDelta, x: int) -> int:
    state = build.state(name, "sigma", node.shape)
    build.state(name, "activation", node.shape)
    build.state(name, "residual", node.shape)
    par = build.parameters(node.shape, node.threshold, node.bias)
    y = build.value(node.size)
    build.emit(op.DELTA, node.size, y, state, x, par, op.RELU if node.activation == "relu" else 0)
    return y
