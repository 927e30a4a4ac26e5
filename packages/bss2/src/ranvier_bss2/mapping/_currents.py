"""Weights and constant inputs between neurons, in synaptic currents of the model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings
from ranvier.graph import Folding, Graph, SignalPath

from .. import diagnostics as codes
from ._neurons import Neurons
from ._structure import Hops

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Connection:
    """All weights from one source to the synapses of one time constant.

    Parameters
    ----------
    source, target : str
        Input or neuron node, and neuron node.
    group : int
        Index into the target's ``groups``.
    delay : int
        Of the projection, in steps.
    weight : array, (n_target, n_source)
        Synaptic current of the model per spike.
    """

    source: str
    target: str
    group: int
    delay: int
    weight: Floats


def connections_of(
    graph: Graph,
    neurons: Mapping[str, Neurons],
    order: Sequence[str],
    *,
    hops: Hops,
    step: float,
    findings: Findings,
) -> tuple[list[Connection], dict[str, Neurons]]:
    """Fold the maps between neurons.

    Parameters
    ----------
    graph : Graph
        Without loops of stateless nodes.
    neurons : mapping of str to Neurons
        All neuron nodes.
    order : sequence of str
        Sources first.
    hops : Hops
        Delays of projections.
    step : float
        Time step of the chip, in s.
    findings : Findings
        Receives problems of constant inputs, and channels without use.

    Returns
    -------
    list of Connection
        By target in order, then source.
    dict of str to Neurons
        With constant inputs as shifts of the leak potential.
    """
    folding = Folding(graph, graph.edges)
    found: list[Connection] = []
    shifted = {}
    for name in order:
        own = neurons[name]
        constant = np.zeros(own.size)
        parts: dict[tuple[str, int, int], Floats] = {}
        for group, ports in enumerate(own.groups):
            for port in ports:
                affine = folding.weights_into(name, port)
                constant = constant + affine.bias * own.gain * own.tau_syn[group] / step
                for (source, steps), matrix in affine.parts.items():
                    delay = hops.chip_delay(SignalPath(source, name, port, steps))
                    key = (source, group, delay)
                    weight = matrix.T * own.gain[:, None]
                    parts[key] = parts[key] + weight if key in parts else weight
        found += [Connection(s, name, g, d, w) for (s, g, d), w in parts.items()]
        shifted[name] = _shifted(own, constant, findings)
    _report_unused(graph, found, findings)
    return found, shifted


def _shifted(own: Neurons, constant: Floats, findings: Findings) -> Neurons:
    """Return neurons whose leak potential holds a settled constant current, (n,)."""
    largest = float(np.abs(constant).max(initial=0.0))
    if not largest:
        return own
    if "leaky" not in own.switches:
        text = f"maps add up to {largest:.4g} to the current of every step, must be 0"
        findings.add(codes.BIAS_WITHOUT_LEAK.at(own.name, text, value=largest, limit=0))
        return own
    shift = constant * own.psp_gain
    text = (
        f"biases of maps settle at a current of up to {largest:.4g} and move the leak potential "
        f"by up to {float(np.abs(shift).max()):.4g}"
    )
    findings.add(codes.BIAS_AS_LEAK.at(own.name, text, value=largest))
    return dataclasses.replace(own, model={**own.model, "leak": own.model["leak"] + shift})


def _report_unused(graph: Graph, found: Iterable[Connection], findings: Findings) -> None:
    for name in graph.inputs:
        used = np.zeros(graph.nodes[name].size, dtype=np.bool_)
        for connection in found:
            if connection.source == name:
                used |= np.any(connection.weight != 0, axis=0)
        if not used.all():
            text = f"{int(np.sum(~used))} of {used.size} channels drive no neuron"
            findings.add(codes.UNUSED_CHANNELS.at(name, text, value=int(np.sum(~used))))


def receptors_of(
    own: Neurons, connections: Iterable[Connection], findings: Findings
) -> tuple[Floats, Floats]:
    """Return the time constants of the exciting and the inhibiting receptor, (n,) each.

    Parameters
    ----------
    own : Neurons
        With one or several groups of synapses.
    connections : iterable of Connection
        Into these neurons.
    findings : Findings
        Receives an error where two receptors do not do.
    """
    if len(own.groups) == 1:
        return own.tau_syn[0], own.tau_syn[0]
    signs: list[set[int]] = [set() for _ in own.groups]
    for connection in connections:
        signs[connection.group] |= {int(s) for s in np.unique(np.sign(connection.weight)) if s}
    exciting = [k for k, s in enumerate(signs) if 1 in s]
    inhibiting = [k for k, s in enumerate(signs) if -1 in s]
    if len(own.groups) > 2 or len(exciting) > 1 or len(inhibiting) > 1:
        text = (
            f"{len(own.groups)} time constants; {len(exciting)} of them have positive and "
            f"{len(inhibiting)} negative weights, the chip has 1 for each sign"
        )
        findings.add(codes.SYNAPSES_DIFFER.at(own.name, text, value=len(own.groups), limit=2))
        return own.tau_syn[0], own.tau_syn[0]
    first = exciting[0] if exciting else (1 - inhibiting[0] if inhibiting else 0)
    other = inhibiting[0] if inhibiting else 1 - first
    text = (
        f"exciting synapses have {own.tau_syn[first][0] * 1e6:.4g} us, inhibiting ones "
        f"{own.tau_syn[other][0] * 1e6:.4g} us"
    )
    findings.add(codes.TWO_RECEPTORS.at(own.name, text))
    return own.tau_syn[first], own.tau_syn[other]
