"""What all neurons of one run share: synaptic strength, converters, memories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic, Findings

from .. import diagnostics as codes
from ..network import BssNetwork, BssPopulation

SHARED = ("synapse_dac_bias", "i_synin_gm")
"""Targets that all neurons of an execution instance have in common."""


def check_run(network: BssNetwork, findings: Findings) -> None:
    """Report what neurons of one execution instance do not have in common, but must.

    Parameters
    ----------
    network : BssNetwork
        With execution instances.
    findings : Findings
        Receives errors.

    References
    ----------
    hxtorch @3bfc7aa: equal synapse_dac_bias and i_synin_gm, one neuron at the fast converter, one
    memory of the slow converter.
    """
    instances = {int(k) for p in network.populations for k in np.unique(p.neuron_instance)}
    for instance in sorted(instances):
        own = [p for p in network.populations if instance in p.neuron_instance]
        findings.add(*run_problems(own, instance))


def run_problems(populations: list[BssPopulation], instance: int) -> Iterator[Diagnostic]:
    """Yield the problems of the populations of one execution instance."""
    where = f"execution instance {instance}"
    for name in SHARED:
        values = {p.name: np.unique(p.targets[name]) for p in populations}
        every = np.unique(np.concatenate([*values.values(), np.zeros(0)]))
        if every.size > 1:
            shown = ", ".join(f"{n!r} {_span(v)}" for n, v in values.items())
            text = f"{where}: {name} is {shown}, must be one value"
            yield codes.UNEQUAL_CODES.at(None, text, value=int(every.size), limit=1)
    recorded = [p.name for p in populations if _records(p, instance)]
    if len(recorded) > 1:
        text = f"{where}: neurons of {', '.join(map(repr, recorded))}, at most 1 neuron"
        yield codes.SEVERAL_MADC.at(None, text, value=len(recorded), limit=1)
    memories = {p.name: p.readout.cadc for p in populations if p.readout.cadc != "off"}
    if len(set(memories.values())) > 1:
        shown = ", ".join(f"{n!r} {m}" for n, m in memories.items())
        yield codes.MEMORY_MIXED.at(None, f"{where}: {shown}", value=2, limit=1)


def _records(population: BssPopulation, instance: int) -> bool:
    neuron = population.readout.madc_neuron
    own = population.neuron_instance
    return 0 <= neuron < own.size and int(own[neuron]) == instance


def _span(values: NDArray[np.float64]) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:g}" if low == high else f"{low:g}..{high:g}"


def with_circuits(constraints: Mapping[str, Any] | None) -> dict[str, NDArray[np.int64]] | None:
    """Return constraints as (n, circuits) arrays; a list of n circuits is one each."""
    if constraints is None:
        return None
    arrays = {n: np.asarray(v, dtype=np.int64) for n, v in constraints.items()}
    return {n: a[:, None] if a.ndim == 1 else a for n, a in arrays.items()}
