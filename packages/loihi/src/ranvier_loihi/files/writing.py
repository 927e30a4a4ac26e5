"""Graph to .net: the nodes of one chain, gathered into layers."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np

from ranvier.diagnostics import Diagnostic, Findings, describe
from ranvier.errors import GraphError, InputError
from ranvier.events.atomic import replacing
from ranvier.graph import (
    Delay,
    Edge,
    Flatten,
    Graph,
    Linear,
    Neuron,
    Node,
    Output,
    Scale,
    SparseLinear,
)

from ..diagnostics import NET_ADDED_STEP, NET_CHANGED, NET_UNWRITABLE
from ..nodes import Average, Delta, InputLayer
from .codes import Coder
from .neuron_records import NEURONS, bias_record, input_record, neuron_record
from .records import Record, image_of
from .source import DECAY_UNIT, DELAY_MAX, checked_path
from .synapse_records import MAPS, map_bias, matrix_of, synapse_record, weight_codes


def write_net(graph: Graph, path: str | PathLike[str]) -> tuple[Diagnostic, ...]:
    """Write a graph in the chip's arithmetic as a .net file of netx, completely or not at all.

    Parameters
    ----------
    graph : Graph
        One chain of maps and neurons, as `read_net` and ``ranvier_loihi.nn`` make it: weights,
        thresholds and biases are multiples of 1/64, decays of 1/4096.
    path : path
        An existing file is replaced.

    Returns
    -------
    tuple of Diagnostic
        What the format does not hold.

    Raises
    ------
    GraphError
        Branches, unknown nodes, values that are no integer codes; all are listed.
    FileError
        The file cannot be written; a previous file is intact.

    Notes
    -----
    The time step and the names of the nodes are not in the file.
    """
    target = checked_path(path, "write_net")
    if not isinstance(graph, Graph):
        raise InputError(f"write_net: expected a Graph, got {type(graph).__name__}")
    findings = Findings()
    records = _Writer(graph, findings).records()
    bad = findings.errors()
    if bad:
        raise GraphError(describe(bad, heading=f"write_net: {len(bad)} problem(s)"), bad)
    image = image_of(records)
    with replacing(target) as temporary:
        temporary.write_bytes(image)
    return findings.without_errors()


class _StuckError(Exception):
    """The chain cannot be followed further; why is among the findings."""


class _Writer:
    """Follows a graph from its input to its output."""

    def __init__(self, graph: Graph, findings: Findings) -> None:
        self.graph = graph
        self.findings = findings
        self.layers: list[dict[str, Any]] = []
        self.seen: set[str] = set()
        self.owner: dict[str, Any] | None = None
        self.owner_name = ""
        self.steps: Any = np.asarray(0)
        self.before: Any = None

    def records(self) -> list[Record]:
        """Return the layers; problems are among the findings."""
        graph = self.graph
        if len(graph.inputs) != 1 or len(graph.outputs) != 1:
            message = f"{len(graph.inputs)} inputs and {len(graph.outputs)} outputs, expected one"
            self._refuse(None, message)
            self._check_values()
            return []
        name = graph.inputs[0]
        self._visit(name)
        shape = graph.nodes[name].output_shape
        self.layers.append({"type": "input", "shape": shape})
        try:
            while not isinstance(graph.nodes[name], Output):
                name = self._advance(name)
        except _StuckError:
            self._check_values()
        lost = [n for n in graph.nodes if n not in self.seen]
        if lost and not self.findings.errors():
            self._refuse(lost[0], f"{len(lost)} node(s) are not on the chain: {', '.join(lost)}")
        return list(self.layers)

    def _check_values(self) -> None:
        """Look at the nodes that the chain did not reach, so that all problems appear at once."""
        for name in [n for n in self.graph.nodes if n not in self.seen]:
            node, coder = self.graph.nodes[name], self._coder(name)
            if isinstance(node, NEURONS):
                neuron_record(node, coder)
            elif isinstance(node, MAPS):
                synapse_record(node, 1.0, coder)

    def _advance(self, name: str) -> str:
        edges = self._forward(name)
        if len(edges) == 2 and all(self._neuron_port(e.target) in ("re", "im") for e in edges):
            return self._synapses(edges)
        if len(edges) != 1:
            targets = ", ".join(e.target for e in edges) or "nothing"
            raise self._stop(name, f"feeds {targets}; the format holds one chain")
        edge = edges[0]
        node = self.graph.nodes[edge.target]
        if isinstance(node, MAPS):
            return self._synapses(edges)
        self.steps = self.steps + edge.delay
        if isinstance(node, Scale) and self._starts_input(edge.target):
            return self._input_neuron(edge.target, node.scale)
        self._visit(edge.target)
        if isinstance(node, (InputLayer, Delta)):
            return self._input_neuron(name, 1.0, found=edge.target)
        if isinstance(node, Output):
            self._close(hop=0)
        elif isinstance(node, Delay):
            steps = np.rint(node.delay / self.graph.dt)
            self.steps = self.steps + steps
        elif isinstance(node, Flatten):
            self.layers.append({"type": "flatten", "shape": (node.output_shape[0], 1, 1)})
        elif isinstance(node, Average):
            self.layers.append({"type": "average", "shape": node.output_shape})
        else:
            raise self._stop(edge.target, self._reason(node))
        return edge.target

    def _reason(self, node: Node) -> str:
        kind = getattr(node, "original_kind", node.kind)
        if isinstance(node, NEURONS):
            return f"a {kind} without a synapse in front of it"
        return f"the format has no counterpart of {kind} here"

    def _input_neuron(self, name: str, gain: Any, *, found: str | None = None) -> str:
        if found is None:
            self._visit(name)
            edge = self.graph.edges_from(name)[0]
            self.steps = self.steps + edge.delay
            found = edge.target
            self._visit(found)
        if len(self.layers) != 1 or self.owner is not None or np.any(self.steps):
            raise self._stop(found, "stands elsewhere than right behind the input")
        node = self.graph.nodes[found]
        if isinstance(node, Neuron):
            self.layers[0].update(input_record(node, gain, self._coder(found)))
        self._own(self.layers[0], found)
        return found

    def _starts_input(self, name: str) -> bool:
        after = self.graph.edges_from(name)
        return len(after) == 1 and isinstance(self.graph.nodes[after[0].target], Delta)

    def _neuron_port(self, name: str) -> str:
        """Return the port that a synapse feeds, ``""`` if it feeds no neuron."""
        if not isinstance(self.graph.nodes[name], MAPS):
            return ""
        edges = self._forward(name)
        while len(edges) == 1 and isinstance(self.graph.nodes[edges[0].target], Scale):
            edges = self._forward(edges[0].target)
        return edges[0].port if len(edges) == 1 else ""

    def _synapses(self, edges: tuple[Edge, ...]) -> str:
        """Write the synapses behind a node and the neurons that they feed; return the neurons."""
        delays = {e.delay for e in edges}
        if len(delays) > 1:
            raise self._stop(edges[0].target, "real and imaginary weights have unequal delays")
        self.steps = self.steps + delays.pop()
        self._close(hop=1)
        record: dict[str, Any] = {}
        ends = set()
        bias: Any = np.asarray(0.0)
        for edge in edges:
            part, end, own = self._synapse(edge.target)
            bias = bias + own
            weight = part.pop("weight")
            suffix = {"re": "/real", "im": "/imag"}.get(end.port, "")
            record |= {**part, f"weight{suffix}": weight}
            ends.add(end.target)
        if len(ends) != 1:
            raise self._stop(edges[0].target, f"feeds {', '.join(sorted(ends))}, not one neuron")
        for known, other in (("/real", "/imag"), ("/imag", "/real")):
            if f"weight{known}" in record and f"weight{other}" not in record:
                record[f"weight{other}"] = np.zeros_like(record[f"weight{known}"])
        name = ends.pop()
        self._visit(name)
        if isinstance(self.graph.nodes[name], Output):
            self._finish_without_neurons(edges[0].target, record, bias)
        else:
            self._finish_layer(name, record, bias)
        return name

    def _finish_without_neurons(self, name: str, record: dict[str, Any], bias: Any) -> None:
        """Write the last layer as lava-dl writes one whose block has no dynamics."""
        message = "no neurons behind it: readers of the file sum up what it emits over time"
        self.findings.add(NET_CHANGED.at(name, message))
        if np.any(bias) or self.before is not None or record["type"] != "dense":
            self._refuse(name, "without neurons a layer must be linear, without bias or delays")
        self.layers.append(record)

    def _synapse(self, name: str) -> tuple[dict[str, Any], Edge, Any]:
        """Return the datasets of a map, the edge to its neuron, and the bias it adds."""
        node = self.graph.nodes[name]
        self._visit(name)
        gain: Any = 1.0
        last = name
        while True:
            edges = self._forward(last)
            if len(edges) != 1 or edges[0].delay:
                raise self._stop(last, "must feed one neuron, without a delay")
            after = self.graph.nodes[edges[0].target]
            if not isinstance(after, Scale):
                break
            last = edges[0].target
            self._visit(last)
            gain = gain * after.scale
        unfit = not isinstance(after, (*NEURONS, Output)) or isinstance(after, (InputLayer, Delta))
        if unfit:
            message = f"feeds {edges[0].target!r} ({after.kind}); a synapse layer needs neurons"
            raise self._stop(name, message)
        record = synapse_record(node, gain, self._coder(name))
        return record, edges[0], map_bias(node) * np.asarray(gain).reshape(-1)[0]

    def _finish_layer(self, name: str, record: dict[str, Any], bias: Any) -> None:
        node, coder = self.graph.nodes[name], self._coder(name)
        if not isinstance(node, Neuron):
            raise self._stop(name, self._reason(node))
        neuron = neuron_record(node, coder)
        if np.any(bias) and (neuron["type"] != "CUBA" or np.any(neuron["iDecay"] != DECAY_UNIT)):
            message = "the map in front has a bias that passes through the current; move it here"
            self._refuse(name, message)
        record |= bias_record(node, bias, coder)
        record |= {f"neuron/{k}": v for k, v in neuron.items()}
        if self.before is not None:
            self._write_before(name, record)
        self._recurrence(name, record)
        self.layers.append(record)
        self._own(record, name)

    def _own(self, record: dict[str, Any], name: str) -> None:
        self.owner, self.owner_name, self.steps = record, name, np.asarray(0)

    def _close(self, *, hop: int) -> None:
        """Store the delays between the last neurons and the next synapse or output."""
        steps, self.steps = self.steps, np.asarray(0)
        name = self.owner_name or self.graph.inputs[0]
        if self.owner is None:
            if steps.size == 1 and int(steps.reshape(-1)[0]) == 1:
                message = "the step behind the input was left out; everything arrives earlier"
                self.findings.add(NET_CHANGED.at(name, message))
                return
            self.before = steps if np.any(steps) else None
            return
        steps = steps - hop
        if np.any(steps < 0):
            self.findings.add(NET_ADDED_STEP.at(name, "its spikes arrive one step later"))
            steps = steps + 1
        if not np.any(steps):
            return
        if np.any(steps > DELAY_MAX):
            most = int(np.max(steps))
            self._refuse(name, f"delay of {most} steps, the chip has {DELAY_MAX}", most, DELAY_MAX)
            return
        shape = self.graph.nodes[name].output_shape
        if steps.size > 1 and steps.size == int(np.prod(shape)):
            steps = steps.reshape(shape)  # behind a Flatten
        if steps.ndim and np.broadcast_shapes(steps.shape, shape) != shape:
            self._refuse(name, f"delays {steps.shape} do not fit its shape {shape}")
            return
        self.owner["delay"] = self._coder(name).stored("delay", steps, shape)

    def _write_before(self, name: str, record: dict[str, Any]) -> None:
        """Store delays of the input, one per input of the first dense layer."""
        steps, self.before = np.asarray(self.before).reshape(-1), None
        n_in, n_out = record.get("inFeatures", 0), record.get("outFeatures", 0)
        fits = steps.size == n_in and n_in not in (1, n_out) and int(steps.max()) <= DELAY_MAX
        if not fits:
            message = (
                f"delays of the input, {steps.size} value(s): the format holds one per input of a "
                f"dense layer whose outputs are another number, up to {DELAY_MAX} steps"
            )
            self._refuse(name, message)
        record["delay"] = steps

    def _recurrence(self, name: str, record: dict[str, Any]) -> None:
        loops = self._loops(name)
        if not loops:
            return
        ports = {self.graph.edges_from(loop)[0].port for loop in loops}
        if len(ports) != len(loops) or record["type"] != "dense":
            raise self._stop(name, "recurrent weights: one matrix behind a dense layer is written")
        for loop in loops:
            self._visit(loop)
            total = sum(e.delay for e in self.graph.edges if loop in (e.source, e.target))
            node, coder = self.graph.nodes[loop], self._coder(loop)
            if total != 1 or np.any(map_bias(node)):
                message = f"recurrence of {total} step(s), expected 1 and no bias"
                self._refuse(loop, message, total, 1)
            if isinstance(node, (Linear, SparseLinear)):
                port = self.graph.edges_from(loop)[0].port
                suffix = {"re": "/real", "im": "/imag"}[port] if len(loops) > 1 else ""
                weights = weight_codes(matrix_of(node, coder), coder, "recurrent weight")
                record[f"weight_rec{suffix}"] = weights
        if ports == {"im"}:
            self._refuse(name, "recurrent weights into the imaginary part alone")
        record["type"] = "dense_rec"

    def _loops(self, name: str) -> list[str]:
        """Return the linear maps from a node to itself."""
        found = []
        for edge in self.graph.edges_from(name):
            node = self.graph.nodes[edge.target]
            after = [e.target for e in self.graph.edges_from(edge.target)]
            if isinstance(node, (Linear, SparseLinear)) and after == [name]:
                found.append(edge.target)
        return found

    def _forward(self, name: str) -> tuple[Edge, ...]:
        loops = self._loops(name)
        return tuple(e for e in self.graph.edges_from(name) if e.target not in loops)

    def _visit(self, name: str) -> None:
        if name in self.seen:
            raise self._stop(name, "is on a cycle; only dense layers may feed themselves")
        self.seen.add(name)
        loops = self._loops(name)
        ports = [e.port for e in self.graph.edges_into(name) if e.source not in loops]
        if len(set(ports)) != len(ports):
            message = f"{len(ports)} nodes feed it; the format holds one chain"
            raise self._stop(name, message)

    def _coder(self, name: str) -> Coder:
        return Coder(name, self.graph.dt, self.findings)

    def _refuse(
        self, name: str | None, message: str, value: int | None = None, limit: int | None = None
    ) -> None:
        self.findings.add(NET_UNWRITABLE.at(name, message, value=value, limit=limit))

    def _stop(self, name: str, message: str) -> _StuckError:
        self._refuse(name, message)
        return _StuckError()
