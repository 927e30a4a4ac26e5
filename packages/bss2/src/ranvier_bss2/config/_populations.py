"""Checks of populations, alone and together in one run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..network import TARGETS
from ..nodes import MODEL, SWITCHES
from ..targets import Limits
from .population import Population
from .ranges import RANGES, applies

if TYPE_CHECKING:
    from .configuration import Bss2Config

POSITIVE = ("tau_mem", "tau_syn", "capacitance", "exp_slope", "tau_adaptation")
SHARED = ("synapse_dac_bias", "i_synin_gm")


def population_problems(population: Population, limits: Limits) -> Iterator[str]:
    """Yield the problems of one population.

    Parameters
    ----------
    population : Population
        What is checked.
    limits : Limits
        Of the target.
    """
    where, size = f"population {population.name!r}", population.size
    unknown = [s for s in population.switches if s not in SWITCHES]
    if unknown:
        yield f"{where}: unknown switches {unknown}; switches: {', '.join(SWITCHES)}"
    if population.circuits < 1 or population.circuits > limits.neuron_circuits:
        yield f"{where}: {population.circuits} circuits, allowed are 1..{limits.neuron_circuits}"
    if not -1 <= population.madc_neuron < size:
        yield f"{where}: madc_neuron is {population.madc_neuron}, allowed are -1..{size - 1}"
    yield from _table(where, "model", population.model, MODEL, size=size)
    yield from _table(where, "targets", population.targets, TARGETS, size=size)
    for name in ("trace_scale", "trace_offset"):
        yield from _values(where, name, getattr(population, name), size)
    if population.spike_mask.dtype != np.bool_ or population.spike_mask.shape != (size,):
        mask = population.spike_mask
        yield f"{where}: spike_mask is {mask.dtype} of shape {mask.shape}, expected bool ({size},)"
    if np.size(population.trace_scale) and not np.all(population.trace_scale > 0):
        yield f"{where}: trace_scale is {np.min(population.trace_scale):g}, must be > 0"
    for name in POSITIVE:
        values = population.model.get(name, np.ones(1))
        if not np.all(values > 0):
            yield f"{where}: model {name} is {np.min(values):g}, must be > 0"
    yield from _target_problems(where, population)


def _table(
    where: str, field: str, table: dict[str, Any], names: tuple[str, ...], *, size: int
) -> Iterator[str]:
    missing, unknown = [n for n in names if n not in table], [n for n in table if n not in names]
    if missing or unknown:
        yield f"{where}: {field} lacks {missing} and has unknown {unknown}"
    for name, values in table.items():
        yield from _values(where, f"{field} {name}", values, size)


def _values(where: str, name: str, values: NDArray[Any], size: int) -> Iterator[str]:
    if values.dtype.kind not in "fiu" or values.shape != (size,):
        yield f"{where}: {name} is {values.dtype} of shape {values.shape}, expected ({size},)"
    elif not np.all(np.isfinite(values)):
        yield f"{where}: {name} has values that are not finite"


def _target_problems(where: str, population: Population) -> Iterator[str]:
    for name, allowed in RANGES.items():
        values = population.targets.get(name)
        if values is None or not applies(name, population.switches):
            continue
        outside = allowed.outside(values)
        if outside.any():
            yield (
                f"{where}: {name} is {allowed.shown(float(values[outside][0]))} in "
                f"{int(outside.sum())} of {values.size} neurons, allowed are {allowed}"
            )


def run_problems(config: Bss2Config) -> Iterator[str]:
    """Yield what neurons of one execution instance do not share, but must.

    Parameters
    ----------
    config : Bss2Config
        With populations that are in order.
    """
    for instance in range(config.instances):
        here = np.unique(config.neuron_population[config.neuron_instance == instance])
        own = [config.populations[k] for k in here.tolist()]
        where = f"execution instance {instance}"
        for name in SHARED:
            values = np.unique(np.concatenate([*(p.targets[name] for p in own), np.zeros(0)]))
            if values.size > 1:
                yield f"{where}: {name} is between {values[0]:g} and {values[-1]:g}, must be equal"
        recorded = [p.name for p in own if _samples_fast(config, p, instance)]
        if len(recorded) > 1:
            yield f"{where}: the fast converter records {recorded}, at most 1 neuron"
        memories = sorted({p.cadc for p in own} - {"off"})
        if len(memories) > 1:
            yield f"{where}: the slow converter records into {memories}, must be one memory"


def _samples_fast(config: Bss2Config, population: Population, instance: int) -> bool:
    if population.madc_neuron < 0:
        return False
    number = [p.name for p in config.populations].index(population.name)
    rows = (config.neuron_population == number) & (config.neuron_index == population.madc_neuron)
    return bool(np.any(config.neuron_instance[rows] == instance))
