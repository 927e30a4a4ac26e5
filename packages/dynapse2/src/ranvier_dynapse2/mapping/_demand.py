"""What a network asks of a board: synapses of groups of sources, and clusters of neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings

from .. import diagnostics as codes
from ..network import Population
from ..placement import Grouped, group_sources
from ._clusters import Clusters
from ._synapses import Synapses

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Demand:
    """What a network asks of a board.

    Parameters
    ----------
    grouped : Grouped
        Synapses of groups of sources.
    clusters : Clusters
        Which neurons may share cores.
    n_channels : int
        Channels of all inputs.
    monitored : array of bool, (N,)
        Neurons that report their spikes.
    """

    grouped: Grouped
    clusters: Clusters
    n_channels: int
    monitored: Bools


def grouped_synapses(
    synapses: Synapses,
    clusters: Clusters,
    i_scale: NDArray[np.float64],
    *,
    n_sources: int,
    share: bool,
) -> Grouped:
    """Return synapses of groups of sources, in units of the clusters' current scales.

    Parameters
    ----------
    synapses : Synapses
        In units of ``i_scale``.
    clusters : Clusters
        Their current scale may differ within the tolerance; synaptic currents stay.
    i_scale : array, (N,)
        Current scale of every neuron before clustering, in A.
    n_sources : int
        Channels and neurons.
    share : bool
        Whether sources with equal synapses share a group.
    """
    ratio = i_scale / clusters.i_scale()
    return group_sources(
        n_sources,
        synapses.source,
        synapses.target,
        synapses.port,
        synapses.weight * ratio[synapses.target],
        share=share,
    )


def check_fan_in(
    grouped: Grouped, populations: Sequence[Population], *, limit: int, findings: Findings
) -> Grouped:
    """Report neurons with too many synapses; return synapses cut to the limit.

    Parameters
    ----------
    grouped : Grouped
        Synapses of groups.
    populations : sequence of Population
        Names of neurons.
    limit : int
        Synapses per neuron.
    findings : Findings
        Receives one error per node.
    """
    total = sum(p.size for p in populations)
    entries = np.bincount(grouped.synapse_target, minlength=total)
    for population in populations:
        own = entries[population.neurons]
        over = int(np.sum(own > limit))
        if over:
            worst = int(own.argmax())
            message = (
                f"neuron {worst} needs {own[worst]} synapses, {over} of {own.size} neurons need "
                f"more than the {limit} there are"
            )
            findings.add(
                codes.FAN_IN.at(population.name, message, value=int(own[worst]), limit=limit)
            )
    first = np.concatenate([[0], np.cumsum(entries)])
    kept = np.arange(grouped.synapse_target.size) - first[grouped.synapse_target] < limit
    if kept.all():
        return grouped
    return Grouped(
        grouped.group,
        grouped.synapse_group[kept],
        grouped.synapse_target[kept],
        grouped.synapse_port[kept],
        grouped.synapse_weight[kept],
    )
