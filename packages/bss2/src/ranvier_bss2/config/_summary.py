"""The readable overview of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..background import CLOCK, DRAWS
from ..network import BssBackground
from .population import Population

if TYPE_CHECKING:
    from .configuration import Bss2Config


def describe(config: Bss2Config) -> str:
    """Return target, sizes, circuits and synapses by execution instance, layers, losses.

    Parameters
    ----------
    config : Bss2Config
        What is described.
    """
    limits = config.limits
    rows = [
        f"{type(config).__name__} for {config.target}, dt = {config.dt:g} s "
        f"({config.chip_dt * 1e6:.4g} us on the chip), {config.instances} execution instance(s)"
    ]
    for instance in range(config.instances):
        circuits = int(np.sum(config.neuron_instance == instance))
        used = config.row_mode[instance] != 0
        synapses = int(np.count_nonzero(config.synapse_weight[instance]))
        rows.append(
            f"  instance {instance}: {circuits} of {limits.neuron_circuits} circuits, "
            f"{int(used.sum())} of {used.size} rows, {synapses} synapses with a weight"
        )
    rows += [_layer(p) for p in config.populations]
    rows += [_generator(b, config.dt / config.chip_dt) for b in config.backgrounds]
    return "\n".join([*rows, *(f"  {d}" for d in config.diagnostics)])


def _layer(p: Population) -> str:
    """Describe a population in a line."""
    values = p.targets
    parts = [
        f"{p.size} neurons of {p.circuits} circuit(s)",
        f"leak {_span(values['leak'])} LSB",
    ]
    if "fire" in p.switches:
        parts.append(f"threshold {_span(values['threshold'])} LSB")
    parts.append(f"tau_mem {_span(values['tau_mem'] * 1e6)} us")
    parts.append(f"tau_syn {_span(values['tau_syn_exc'] * 1e6)} us")
    parts.append(f"cadc {p.cadc}")
    return f"  {p.name}: {', '.join(parts)}"


def _generator(own: BssBackground, slower: float) -> str:
    """Describe a background generator in a line; times in s of the graph."""
    period = own.period / CLOCK * slower
    how = f"an event every {period:.4g} s"
    if not own.regular:
        how = f"a draw every {period:.4g} s, {own.rate} of {DRAWS} emit, seed {own.seed}"
    return f"  {own.name}: background generator of {own.size} channel(s), {how}"


def _span(values: NDArray[np.float64]) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g}" if np.isclose(low, high) else f"{low:.4g}..{high:.4g}"
