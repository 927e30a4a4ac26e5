"""The verb *map*: from a graph to hidden and output neurons with float weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import MappedNetwork
from ranvier.diagnostics import Findings
from ranvier.graph import (
    Folding,
    Graph,
    Input,
    Neuron,
    SignalPath,
    StatelessCycleError,
    latencies,
    topological_order,
)
from ranvier.target import Target

from .. import diagnostics as codes
from ..targets import Limits, limits_of
from ._aliases import Residuals
from ._layout import Layout, Weights, fold_weights, place, placement_of
from ._limits import check_connections, check_sizes, raise_errors
from ._neurons import Parameters, parameters_of
from ._structure import Roles, check_kinds, check_paths, roles_of
from .options import MapOptions

Array = NDArray[np.float64]

FOLDABLE = 1 << 12
"""Most channels and neurons, all together, for which weights are still folded after an error."""


def map_network(graph: Graph, target: Target, options: MapOptions) -> MappedNetwork:
    """Place a network on a Xylo chip.

    Parameters
    ----------
    graph : Graph
        The network.
    target : Target
        A target of this plugin.
    options : MapOptions
        See there.

    Returns
    -------
    MappedNetwork
        Arrays ``weights_in`` (n_in, n_ien, S), ``weights_rec`` (n_hid, n_hid, S), ``weights_out``
        (n_oen, n_out) of the canonical model, the neurons' ``gain`` (n_hid, S) and ``gain_out``
        (n_out,) by which the chip's weights are larger, wanted decays ``alpha``, ``beta``, shifts
        ``dash_*``, ``threshold``, ``bias`` and ``aliases``; the same with ``_out`` for outputs.

    Raises
    ------
    MappingError
        All problems found, with numbers, limits and advice; `ResourceError` if only resources of
        the chip ran out.
    """
    findings = Findings()
    limits = limits_of(target.name)
    known = check_kinds(graph, target.node_kinds, target=target.name, findings=findings)
    roles = roles_of(graph, options, findings)
    check_sizes(graph, roles, limits, findings)
    parameters = _parameters(graph, roles, target, options, findings)
    paths = _paths(graph, findings)
    if not known or _too_large(graph) or _has_loop(findings):
        raise_errors(findings, target=target.name)
    check_paths(graph, paths, roles, findings)
    order = topological_order(graph.nodes, paths)
    late = latencies(graph, paths, order, hop=target.latency_per_hop, findings=findings)
    residuals, layout = place(graph, order, roles, options, findings)
    weights = fold_weights(graph, residuals, layout, parameters)
    biases = _biases(weights, parameters, limits, findings)
    _report_early(biases, late, findings)
    _check_connections(weights, layout, limits, findings)
    raise_errors(findings, target=target.name)
    arrays = _arrays(weights, biases, layout, parameters, residuals)
    return MappedNetwork(
        target=target.name,
        graph=graph,
        placement=placement_of(layout),
        arrays=arrays,
        settings={
            "readout": roles.readout,
            "shown": dict(roles.shown),
            "options": options.model_dump(),
        },
        latency={n: steps for n, steps in late.items() if n not in graph.inputs},
        diagnostics=findings.without_errors(),
    )


def _parameters(
    graph: Graph, roles: Roles, target: Target, options: MapOptions, findings: Findings
) -> dict[str, Parameters]:
    return {
        name: parameters_of(
            name,
            node,
            dt=graph.dt,
            output=name in roles.outputs,
            limits=limits_of(target.name),
            options=options,
            findings=findings,
        )
        for name, node in graph.nodes.items()
        if isinstance(node, Neuron) and node.kind in target.node_kinds
    }


def _paths(graph: Graph, findings: Findings) -> list[SignalPath]:
    try:
        return Folding(graph, graph.edges).paths()
    except StatelessCycleError as error:
        findings.add(codes.LOOP_WITHOUT_NEURON.at(str(error), "lies on a loop without neurons"))
        return []


def _has_loop(findings: Findings) -> bool:
    return any(d.code == codes.LOOP_WITHOUT_NEURON.code for d in findings)


def _too_large(graph: Graph) -> bool:
    """Whether folding would need more memory than any error message is worth."""
    ends = [n for n in graph.nodes.values() if isinstance(n, Input | Neuron)]
    return sum(n.size for n in ends) > FOLDABLE


def _biases(
    weights: Weights, parameters: Mapping[str, Parameters], limits: Limits, findings: Findings
) -> dict[str, Array]:
    """Add up the biases of neurons and of the maps in front of them."""
    biases = {}
    for name, own in parameters.items():
        settled = weights.bias[name] * own.bias_gain
        filtered = np.any((weights.bias[name] != 0) & (own.beta > 0))
        if filtered:
            largest = float(np.abs(settled).max())
            findings.add(codes.MAP_BIAS.at(name, f"up to {largest:.4g}", value=largest))
        biases[name] = own.bias + settled.sum(axis=1)
        if not limits.bias and np.any(biases[name]):
            largest = float(np.abs(biases[name]).max())
            findings.add(
                codes.NO_BIAS.at(name, f"bias up to {largest:.4g}", value=largest, limit=0)
            )
    return biases


def _report_early(biases: Mapping[str, Array], late: Mapping[str, int], findings: Findings) -> None:
    """Report neurons that integrate a bias before their first input can arrive."""
    for name, bias in biases.items():
        if late[name] > 0 and np.any(bias):
            message = f"bias up to {np.abs(bias).max():.4g}, input {late[name]} step(s) later"
            findings.add(codes.BIAS_STARTS_EARLY.at(name, message, value=late[name]))


def _check_connections(
    weights: Weights, layout: Layout, limits: Limits, findings: Findings
) -> None:
    check_connections(
        n_ien=layout.n_ien,
        n_oen=layout.n_oen,
        pairs=np.any(weights.w_rec != 0, axis=2),
        owners=layout.owners,
        limits=limits,
        findings=findings,
    )


def _arrays(
    weights: Weights,
    biases: Mapping[str, Array],
    layout: Layout,
    parameters: Mapping[str, Parameters],
    residuals: Residuals,
) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of the mapped network, see `map_network`."""
    _, n_hid, _ = layout.sizes
    n_syn = weights.w_in.shape[2]
    hidden = [parameters[n] for n in layout.hidden]
    outputs = [parameters[n] for n in layout.outputs]
    aliases = np.full(n_hid, -1, dtype=np.int64)
    for source, into in residuals.aliases.items():
        aliases[layout.hidden[source]] = np.r_[layout.hidden[into]]
    arrays: dict[str, NDArray[np.generic]] = {
        "weights_in": weights.w_in[:, : layout.n_ien],
        "weights_rec": weights.w_rec,
        "weights_out": weights.w_out[n_hid - layout.n_oen :],
        "aliases": aliases,
        "bias": np.concatenate([biases[n] for n in layout.hidden]),
        "bias_out": np.concatenate([biases[n] for n in layout.outputs]),
        "v_offset_out": np.concatenate([p.v_offset for p in outputs]),
    }
    for name in ("alpha", "dash_mem", "threshold"):
        arrays[name] = np.concatenate([getattr(p, name) for p in hidden])
        arrays[f"{name}_out"] = np.concatenate([getattr(p, name) for p in outputs])
    for name in ("beta", "gain", "dash_syn"):
        arrays[name] = np.concatenate([_widened(getattr(p, name), n_syn) for p in hidden])
        arrays[f"{name}_out"] = np.concatenate([getattr(p, name)[:, 0] for p in outputs])
    return arrays


def _widened(values: NDArray[np.generic], n_syn: int) -> NDArray[np.generic]:
    """Repeat the first synapse of a layer that has fewer than the network's others."""
    return np.repeat(values[:, :1], n_syn, axis=1) if values.shape[1] < n_syn else values
