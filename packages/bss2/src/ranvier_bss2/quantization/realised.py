"""What a configuration realises, in physical and in model units."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import Bss2Config, Population
from ..config.ranges import applies
from ..mapping import synaptic_strength
from .refractory import refractory_settings

Floats = NDArray[np.float64]


def realised(config: Bss2Config) -> list[dict[str, Any]]:
    """Return one row per population with what the chip is set to, and what that means.

    Parameters
    ----------
    config : Bss2Config
        A configuration.

    Returns
    -------
    list of dict
        ``population``, ``neurons``, ``circuits``; arrays (n,): ``leak``, ``reset``, ``threshold``
        in model units (reset and threshold only of firing neurons), ``tau_mem``, ``tau_syn_exc``,
        ``tau_syn_inh``, ``refractory`` (as counted) in s of the chip, ``weight_step`` (synaptic
        current of the model per weight LSB), and ``psp_step`` (LSB of drive per weight LSB);
        integers ``refractory_counter`` and ``refractory_clock`` of firing neurons.

    Examples
    --------
    ``pandas.DataFrame(realised(config))`` or a loop over rows shows them side by side.
    """
    counters = _counters(config)
    return [_row(config, p) | counters.get(p.name, {}) for p in config.populations]


def _row(config: Bss2Config, p: Population) -> dict[str, Any]:
    step = synaptic_strength(config.kappa, p.targets)
    names = [n for n in ("leak", "reset", "threshold") if applies(n, p.switches)]
    return {
        "population": p.name,
        "neurons": p.size,
        "circuits": p.circuits,
        **{n: (p.targets[n] - p.trace_offset) * p.trace_scale for n in names},
        **{n: p.targets[n] for n in ("tau_mem", "tau_syn_exc", "tau_syn_inh")},
        "weight_step": step * p.trace_scale * p.model["capacitance"] / p.model["tau_mem"],
        "psp_step": step,
    }


def _counters(config: Bss2Config) -> dict[str, dict[str, Any]]:
    """Return refractory times as counted, by population that fires."""
    found: dict[str, dict[str, Any]] = {
        p.name: {
            "refractory": np.zeros(p.size),
            "refractory_counter": np.zeros(p.size, dtype=np.int64),
            "refractory_clock": np.zeros(p.size, dtype=np.int64),
        }
        for p in config.populations
        if "fire" in p.switches
    }
    firing = np.array([p.name in found for p in config.populations], dtype=np.bool_)
    first = (config.neuron_rank == 0) & firing[config.neuron_population]
    for instance in range(config.instances):
        rows = np.flatnonzero(first & (config.neuron_instance == instance))
        if not rows.size:
            continue
        number, index = config.neuron_population[rows], config.neuron_index[rows]
        values = {n: np.zeros(rows.size) for n in ("refractory", "holdoff")}
        for k in np.unique(number):
            here = number == k
            for name, column in values.items():
                column[here] = config.populations[k].targets[name][index[here]]
        settings = refractory_settings(values["refractory"], values["holdoff"])
        scale = np.where(settings.input_clock == 1, settings.fast_clock, settings.slow_clock)
        for k in np.unique(number):
            own = found[config.populations[k].name]
            here = number == k
            own["refractory"][index[here]] = settings.refractory[here]
            own["refractory_counter"][index[here]] = settings.counter[here]
            own["refractory_clock"][index[here]] = scale[here]
    return found
