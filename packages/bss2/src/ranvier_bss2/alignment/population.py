"""The population that is aligned, from whatever describes it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import InputError

from ..config.ranges import RANGES
from ..network import TARGETS, BssPopulation, Readout
from ..nodes import CODES, MODEL, POTENTIALS, SWITCHES, AnalogNeuron

if TYPE_CHECKING:
    from ..config import Bss2Config

Floats = NDArray[np.float64]
_TIMES = ("tau_mem", "tau_syn", "capacitance", "refractory", "tau_adaptation")


def population_of(
    model: Any, *, name: str | None, time_scale: float
) -> tuple[BssPopulation, Floats]:
    """Return a population, and the model units per LSB that its description states, (n,).

    Parameters
    ----------
    model : AnalogNeuron, BssPopulation, Bss2Config or a layer of ranvier_bss2.nn
        What describes the neurons.
    name : str or None
        Population of a configuration.
    time_scale : float
        Chip seconds per second of an `AnalogNeuron`.

    Raises
    ------
    InputError
        ``model`` is something else, or there is no such population.
    """
    from ..config import Bss2Config

    if isinstance(model, Bss2Config):
        return _of_config(model, name)
    if isinstance(model, BssPopulation):
        return _measured(model), np.broadcast_to(model.readout.trace_scale, (model.size,))
    if isinstance(model, AnalogNeuron):
        return _of_node(model, time_scale)
    if hasattr(model, "model_values") and hasattr(model, "target_values"):
        return _of_layer(model)
    raise InputError(
        f"bss2 align: cannot align a {type(model).__name__}; give an AnalogNeuron, a layer of "
        "ranvier_bss2.nn, or a Bss2Config with population=..."
    )


def circuits_of(config: Bss2Config, name: str) -> NDArray[np.int64]:
    """Return the circuits of a population's neurons, (n, circuits), by rank.

    Raises
    ------
    InputError
        The population lies in several execution instances, which use a circuit twice.
    """
    number = [p.name for p in config.populations].index(name)
    here = np.flatnonzero(np.asarray(config.neuron_population) == number)
    rank, index = (np.asarray(a)[here] for a in (config.neuron_rank, config.neuron_index))
    circuits = np.zeros((int(index.max()) + 1, int(rank.max()) + 1), dtype=np.int64)
    circuits[index.astype(np.int64), rank.astype(np.int64)] = np.asarray(config.neuron_circuit)[
        here
    ]
    if np.unique(circuits).size < circuits.size:
        raise InputError(
            f"bss2 align: {name!r} lies in several execution instances that use the same circuits; "
            "give the circuits of some neurons, and a node with as many neurons"
        )
    return circuits


def _of_config(config: Bss2Config, name: str | None) -> tuple[BssPopulation, Floats]:
    known = config.population_of
    chosen = name if name is not None else (next(iter(known)) if len(known) == 1 else None)
    if chosen is None or chosen not in known:
        raise InputError(
            f"bss2 align: no population {name!r}; give population=..., one of {', '.join(known)}"
        )
    p = known[chosen]
    size = p.size
    made = BssPopulation(
        name=p.name,
        shape=(size,),
        switches=p.switches,
        model={n: _full(v, size) for n, v in p.model.items()},
        targets={n: _full(v, size) for n, v in p.targets.items()},
        readout=_plain_readout(size),
        circuits=p.circuits,
    )
    return made, _full(p.trace_scale, size)


def _of_node(node: AnalogNeuron, time_scale: float) -> tuple[BssPopulation, Floats]:
    size = int(np.prod(node.shape, dtype=np.int64))
    model = {n: _full(getattr(node, n), size) for n in MODEL}
    model |= {n: model[n] * time_scale for n in _TIMES}
    own = {n.removesuffix("_lsb"): _full(getattr(node, n), size) for n in POTENTIALS}
    own |= {n: _full(getattr(node, n), size) for n in CODES}
    own |= {n: model["tau_syn"] for n in ("tau_syn_exc", "tau_syn_inh")}
    own |= {n: model[n] for n in ("tau_mem", "refractory")}
    own["refractory"] = _possible(own["refractory"])
    own["holdoff"] = np.zeros(size)
    made = BssPopulation(
        name="neurons",
        shape=(size,),
        switches=tuple(s for s in SWITCHES if getattr(node, s)),
        model=model,
        targets={n: own[n] for n in TARGETS},
        readout=_plain_readout(size),
    )
    return made, _full(node.trace_scale, size)


def _of_layer(layer: Any) -> tuple[BssPopulation, Floats]:
    size, targets = int(layer.size), layer.target_values()
    targets = {n: _full(targets[n], size) for n in TARGETS}
    targets["refractory"] = _possible(targets["refractory"])
    made = BssPopulation(
        name=str(layer.name),
        shape=(size,),
        switches=tuple(layer.switches),
        model={n: _full(layer.model_values()[n], size) for n in MODEL},
        targets=targets,
        readout=_plain_readout(size),
        circuits=int(layer.recording.circuits),
    )
    return made, _full(layer.recording.readout(size).trace_scale, size)


def _measured(population: BssPopulation) -> BssPopulation:
    """Return a population alone, read in LSB."""
    size = population.size
    return dataclasses.replace(
        population, shape=(size,), readout=_plain_readout(size), instance=0, split=(), late=0
    )


def _plain_readout(size: int) -> Readout:
    return Readout(cadc="sram", trace_scale=np.ones(size), trace_offset=np.zeros(size))


def _full(values: Any, size: int) -> Floats:
    return np.broadcast_to(np.asarray(values, dtype=np.float64).reshape(-1), (size,)).copy()


def _possible(refractory: Floats) -> Floats:
    """Return the refractory times of the chip: there is a shortest one."""
    return np.maximum(refractory, RANGES["refractory"].least)
