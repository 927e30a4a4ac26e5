"""From a program to a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.graph import Edge, Graph, Input, Linear, Node, Output

from ..nodes import CODES, MODEL, POTENTIALS, SWITCHES, AnalogNeuron
from ._experiment import Experiment
from ._layer import NeuronLayer
from ._program import Program


def to_graph(experiment: Experiment) -> Graph:
    """Return the modules of an experiment as a graph; see `Experiment.to_graph`."""
    return experiment.to_graph()


def graph_of(program: Program, *, dt: float) -> Graph:
    """Return the graph of a program.

    Every population that drives no other one has an output. Spikes that go back to neurons which
    are computed earlier arrive one step later.

    Parameters
    ----------
    program : Program
        What was called.
    dt : float
        Time step, in s of the chip.
    """
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    sources = {q.source for q in program.links}
    for name in program.inputs:
        if name in sources:
            nodes[name] = Input(shape=(program.size_of(name),))
    for q in program.links:
        weight = q.synapse.effective_weight.detach().cpu().numpy().astype(np.float64)
        nodes[q.call.module.name] = Linear(weight=weight)
        edges.append(Edge(q.source, q.call.module.name, delay=q.delay))
        edges.append(Edge(q.call.module.name, q.target))
    for name in program.neurons:
        nodes[name] = node_of(program.layer(name))
    shown = [name for name in program.neurons if name not in sources] or list(program.neurons)[-1:]
    for number, name in enumerate(shown):
        output = "output" if not number else f"output_{number}"
        nodes[output] = Output(shape=(program.layer(name).size,))
        edges.append(Edge(name, output))
    metadata = {"hardware_time": True, "origin": "ranvier_bss2.nn"}
    return Graph(nodes, tuple(edges), dt, metadata)


def node_of(layer: NeuronLayer[Any]) -> AnalogNeuron:
    """Return the graph node of a layer, with values of the model and targets of the chip."""
    model, targets = layer.model_values(), layer.target_values()
    fields: dict[str, Any] = {name: _plain(model[name]) for name in MODEL}
    fields |= {name: _plain(targets[name.removesuffix("_lsb")]) for name in POTENTIALS}
    fields |= {name: _plain(targets[name]) for name in CODES}
    fields |= {name: name in layer.switches for name in SWITCHES}
    scale = layer.recording.readout(layer.size).trace_scale
    return AnalogNeuron(shape=(layer.size,), trace_scale=_plain(scale), **fields)


def _plain(values: NDArray[np.float64]) -> Any:
    return values if np.ptp(values) else float(values[0])
