"""Calibration spikes: the float network's answer, and each layer's error against it.

A layer is looked at alone: it receives what the float network's neurons emit, so that the errors of
the layers before it do not blur the choice of its scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier import pipeline
from ranvier.artifacts import MappedNetwork, OutputChannel, Placement
from ranvier.artifacts.session import check_inputs
from ranvier.errors import InputError, MappingError

from ..config import LoihiConfig, Population
from ._fit import Reach
from ._units import LIF_MODELS, RAIL, RESONATORS, Layer

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """What the graph does on the calibration spikes.

    Parameters
    ----------
    inputs : mapping of str to array, (batch, time, *shape)
        Input by name.
    signals : mapping of (node, quantity) to array, (batch, time, n)
        The reference's answer, neurons flattened.
    values : tuple of str
        Inputs that take real values.
    """

    inputs: Mapping[str, NDArray[Any]]
    signals: Mapping[tuple[str, str], Floats]
    values: tuple[str, ...] = field(default=())

    def emitted(self, name: str) -> Floats | None:
        """Return what an input or population emits, (batch, time, n), or None if unknown."""
        if name in self.inputs:
            array = self.inputs[name]
            return np.asarray(array.reshape(*array.shape[:2], -1), dtype=np.float64)
        found = self.signals.get((name, "spikes"))
        return self.signals.get((name, "value")) if found is None else found

    def reach(self, layer: Layer) -> Reach | None:
        """Return the largest states of a layer, or None if they are unknown."""
        p = layer.population
        voltage = self.voltage(layer)
        if voltage is None:
            return None
        current = self.signals.get((p.name, "i_syn"))
        if current is None and p.model in LIF_MODELS and np.any(p.beta):
            return None
        largest = float(np.abs(voltage).max(initial=0.0))
        held = 0.0 if current is None else float(np.abs(current).max(initial=0.0))
        if p.spiking:
            largest = max(largest, float(np.abs(p.threshold).max()))
        return Reach(current=held, voltage=largest, measured=True)

    def voltage(self, layer: Layer) -> Floats | None:
        """Return the state that is compared, relative to rest, (batch, time, n)."""
        p = layer.population
        found = self.signals.get((p.name, _state_of(p.model)))
        return None if found is None else found - p.v_rest


def calibrate(
    mapped: MappedNetwork, calibration: Any, *, samples: int, values: tuple[str, ...]
) -> Calibration | str:
    """Run the reference on calibration spikes; returns the reason as text where it cannot.

    Raises
    ------
    InputError
        The spikes do not fit the network, or there are none.
    """
    graph = mapped.graph
    shapes = {name: graph.nodes[name].output_shape for name in graph.inputs}
    arrays, _ = check_inputs(calibration, shapes, counts=not values)
    arrays = {name: array[:samples] for name, array in arrays.items()}
    if not all(a.size for a in arrays.values()):
        raise InputError("calibration: there are no samples or no steps; give at least one")
    try:
        config = pipeline.build(graph, "reference")
    except MappingError as error:
        return "; ".join(f"node {d.node!r} {d.message}" for d in error.diagnostics) or str(error)
    with pipeline.open_simulation(config, graded_input=bool(values)) as session:
        recording = session.run(arrays, record=True)
    signals = {}
    for node, quantity in recording.signals:
        found = recording.trace(node, quantity)
        signals[node, quantity] = found.reshape(*found.shape[:2], -1)
    return Calibration(inputs=arrays, signals=signals, values=values)


def usable(layer: Layer, calibration: Calibration) -> bool:
    """Say whether a layer can be run alone on what the float network emits."""
    p = layer.population
    if p.model not in (*LIF_MODELS, *RESONATORS) or p.drive is not None:
        return False
    if calibration.voltage(layer) is None or any(m != 1 for m in layer.message):
        return False
    return all(calibration.emitted(c.source) is not None for c in layer.connections)


def membrane_error(
    population: Population,
    synapses: list[Any],
    *,
    layer: Layer,
    calibration: Calibration,
    target: str,
    late: Mapping[str, int],
) -> float:
    """Return the mean square error of a layer's membrane, relative to the float network's.

    Parameters
    ----------
    population, synapses
        The candidate's registers.
    layer : Layer
        Where they come from.
    calibration : Calibration
        The float network's answer.
    target : str
        Name of the target.
    late : mapping of str to int
        Extra steps of every population's signal on the chip.
    """
    from ..simulator import LoihiSession

    wanted = calibration.voltage(layer)
    if wanted is None:
        return float("inf")
    names = {c.source: f"from {c.source}" for c in layer.connections}
    own = late.get(population.name, 0)
    inputs = {}
    for source, name in names.items():
        emitted = calibration.emitted(source)
        if emitted is None:
            return float("inf")
        inputs[name] = _later(emitted, late.get(source, 0), longer=own).astype(np.int64)
    if not inputs:
        return 0.0
    config = _alone(population, synapses, names=names, inputs=inputs, target=target)
    state = _state_of(population.model)
    with LoihiSession(config) as session:
        recording = session.run(inputs, record=[f"{population.name}.{state}"])
    found = recording.trace(population.name, state)
    found = found.reshape(*found.shape[:2], -1)[:, own:]
    size = float(np.mean(np.square(wanted)))
    return float(np.mean(np.square(found - wanted))) / size if size else 0.0


def agreement_of(
    config: LoihiConfig, calibration: Calibration, *, rest: Mapping[str, Floats]
) -> tuple[dict[str, float], dict[str, int]]:
    """Return how well the whole network agrees, and neurons at the rails, by population.

    Agreement of spikes is the share of those of both that coincide; of a membrane, 1 - the
    relative difference.

    Parameters
    ----------
    config : LoihiConfig
        The quantised network.
    calibration : Calibration
        The float network's answer.
    rest : mapping of str to array
        Resting voltages, which the chip's are relative to.
    """
    from ..simulator import LoihiSession

    longest = max((config.latency.get(p.name, 0) for p in config.populations), default=0)
    inputs = {
        name: np.concatenate(
            [a, np.zeros((a.shape[0], longest, *a.shape[2:]), dtype=a.dtype)], axis=1
        )
        for name, a in calibration.inputs.items()
    }
    populations = tuple(_without_reset(p) for p in config.populations)
    with LoihiSession(config.model_copy(update={"populations": populations})) as session:
        recording = session.run(inputs, record=True)
    agreement, saturated = {}, {}
    for p in config.populations:
        shift, shown = config.latency.get(p.name, 0), "spikes" if p.spiking else "v_mem"
        wanted = calibration.signals.get((p.name, shown))
        if (p.name, "v_mem") in recording:
            raw = recording.raw(p.name, "v_mem").reshape(-1, p.size)
            saturated[p.name] = int(np.any(np.abs(raw) >= RAIL, axis=0).sum())
        if wanted is None or (p.name, shown) not in recording:
            continue
        found = recording.trace(p.name, shown)
        found = found.reshape(*found.shape[:2], -1)[:, shift : shift + wanted.shape[1]]
        if not p.spiking:
            wanted = wanted - rest[p.name]
        total = float(np.abs(wanted).sum()) + (float(found.sum()) if p.spiking else 0.0)
        off = float(np.abs(found - wanted).sum())
        agreement[p.name] = max(0.0, 1.0 - off / total) if total else 1.0
    return agreement, saturated


def _without_reset(population: Population) -> Population:
    """Return a population that runs through, as the float network does."""
    return population.model_copy(update={"reset_interval": 0, "reset_offset": 0})


def _state_of(model: str) -> str:
    return {"rf": "re", "rf_iz": "im"}.get(model, "v_mem")


def _later(values: Floats, steps: int, *, longer: int) -> Floats:
    """Return a signal that starts ``steps`` later, ``longer`` steps longer."""
    result = np.zeros((values.shape[0], values.shape[1] + longer, values.shape[2]))
    kept = min(values.shape[1], result.shape[1] - steps)
    result[:, steps : steps + kept] = values[:, :kept]
    return result


def _alone(
    population: Population,
    synapses: list[Any],
    *,
    names: Mapping[str, str],
    inputs: Mapping[str, NDArray[Any]],
    target: str,
) -> LoihiConfig:
    """Return a network of one population whose sources are inputs."""
    state = _state_of(population.model)
    slots = np.arange(population.size)
    return LoihiConfig(
        target=target,
        dt=1e-3,
        input_shapes={name: (int(array.shape[2]),) for name, array in inputs.items()},
        outputs=(OutputChannel(output="output", node=population.name, quantity=state),),
        node_shapes={population.name: population.shape},
        placement=Placement.from_rows([(population.name, slots, "neuron", slots)]),
        populations=(_without_reset(population),),
        synapses=tuple(s.model_copy(update={"source": names[s.source]}) for s in synapses),
    )
