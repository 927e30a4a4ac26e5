"""NIR to graph: structure, shapes, conventions and gains put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...diagnostics import CHANGED_VALUE, Findings
from ...errors import FileError, GraphError
from ...graph import Edge, Graph, Node, Shape
from .._hdf5 import MAX_BYTES
from ..container import checked_path
from .flattening import closing_edges, flattened, report_extra_fields, with_ends
from .gains import apply_gains
from .hints import graph_of_hints
from .maps import batch_counted, convert_map
from .neurons import convert_neuron
from .settings import Options, Settings, resolve
from .shapes import input_shapes
from .source import RawGraph, RawNode, raw_from_file, raw_from_object, same_content
from .writing import raw_from_graph

_NONSENSE = (GraphError, ValueError, TypeError, LookupError, ArithmeticError)
_MAPS_WITH_LATENCY = ("Linear", "Affine", "Conv1d", "Conv2d")


def read_nir(
    path: str | PathLike[str],
    *,
    dt: float | None = None,
    convention: str | None = None,
    reset: str | None = None,
    scheme: str | None = None,
    time_unit: float | None = None,
    max_spikes: int | None = None,
    max_bytes: int = MAX_BYTES,
) -> Graph:
    """Read a NIR file as a graph that steps as the framework that wrote it.

    A NIR file holds differential equations but no time step, integration scheme or reset style.
    What is not stated here is taken from the file's metadata if ranvier wrote it, then from the
    convention; each choice is a diagnostic.

    Parameters
    ----------
    path : path
        A ``.nir`` file, of nir 1.0.8 or older.
    dt : float or None
        Time step, in s, > 0. None: where the gains of all neurons encode the same step
        (``r = tau / dt``), that step; else the exporter's fixed step; else an error.
    convention : {"nir", "norse", "snntorch", "sinabs", "rockpool", "spikingjelly", "lava", \
"hxtorch"} or None
        Framework that wrote the file; None means "nir": forward Euler, new current drives the
        membrane, reset to ``v_reset``, fires strictly above the threshold.
    reset : {"subtract", "to_value"} or None
        Reset of all spiking neurons.
    scheme : {"euler", "exponential", "bitshift"} or None
        How time constants become decay factors; gains follow (``r (1 - alpha)``).
    time_unit : float or None
        Seconds per unit of time in the file.
    max_spikes : int or None
        Most spikes per neuron and step with reset "subtract".
    max_bytes : int
        Limit of the sizes that the file's arrays declare together.

    Returns
    -------
    Graph
        ``metadata`` has ``source``, ``dt``, ``scheme``, ``reset``, ``convention``, ``time_unit``
        and ``diagnostics`` (dictionaries for `Diagnostic.from_dict`). A file that ranvier wrote
        and nobody changed gives the graph it was written from.

    Raises
    ------
    FileError
        Not a NIR file, damaged or hostile; or the network in it cannot be represented. All
        problems are listed with the names of their nodes.
    InputError
        An argument is unknown or out of range.

    Notes
    -----
    Gains other than 1 (``r dt / tau``, ``w_in dt / tau_syn``) are folded into the weights of a map
    that feeds only this neuron; elsewhere a `Scale` node ``<neuron>.gain`` holds them. Edges that
    close a cycle get ``delay=1``. Subgraphs are inlined with dotted names.
    """
    options = Options(dt, convention, reset, scheme, time_unit, max_spikes)
    source = checked_path(path, "read_nir")
    return _graph(raw_from_file(source, max_bytes=max_bytes), options, where=str(source))


def graph_from_nir(
    nir_graph: Any,
    *,
    dt: float | None = None,
    convention: str | None = None,
    reset: str | None = None,
    scheme: str | None = None,
    time_unit: float | None = None,
    max_spikes: int | None = None,
) -> Graph:
    """Turn a ``nir.NIRGraph`` into a graph.

    Parameters
    ----------
    nir_graph : nir.NIRGraph
        In memory; its own type checks are not relied on.
    dt, convention, reset, scheme, time_unit, max_spikes
        As in `read_nir`.

    Raises
    ------
    FileError
        As in `read_nir`.
    """
    options = Options(dt, convention, reset, scheme, time_unit, max_spikes)
    return _graph(raw_from_object(nir_graph), options, where="NIR graph")


def _graph(raw: RawGraph, options: Options, *, where: str) -> Graph:
    findings = Findings()
    flat = flattened(raw, where=where)
    exact = graph_of_hints(flat, options)
    if exact is not None and _agrees(exact, flat):
        return exact
    if exact is not None:
        message = "the notes in the metadata contradict the fields; the fields were used"
        findings.add(CHANGED_VALUE.at(None, message))
    report_extra_fields(flat, findings)
    try:
        return _interpreted(with_ends(flat, findings), options, findings, where)
    except FileError:
        raise
    except _NONSENSE as error:
        raise FileError(f"{where}: {error}") from error


def _interpreted(flat: RawGraph, options: Options, findings: Findings, where: str) -> Graph:
    settings = resolve(options, flat, findings, where=where)
    shapes = input_shapes(flat, where=where)
    parts = _converted(flat, shapes, settings, findings, where)
    nodes, edges = apply_gains(parts.nodes, _edges(flat, settings), parts.gains)
    graph = Graph(nodes, tuple(edges), settings.dt)
    order = {name: graph.nodes[name] for name in graph.order}
    return Graph(order, graph.edges, settings.dt, _metadata(flat, settings, findings))


def _agrees(graph: Graph, flat: RawGraph) -> bool:
    try:
        return same_content(raw_from_graph(graph)[0], flat)
    except GraphError:
        return False


@dataclass(frozen=True)
class _Parts:
    nodes: dict[str, Node]
    gains: dict[str, NDArray[np.float64]]


def _converted(
    flat: RawGraph,
    shapes: Mapping[str, Shape],
    settings: Settings,
    findings: Findings,
    where: str,
) -> _Parts:
    parts = _Parts({}, {})
    problems = []
    comparison = settings.convention.comparison
    for name in _in_order(flat):
        node, shape = flat.nodes[name], shapes[name]
        if not isinstance(node, RawNode):
            continue
        try:
            built = convert_map(node, shape, time_unit=settings.time_unit, comparison=comparison)
            if built is None:
                neuron = convert_neuron(name, node, shape, settings, findings)
                built = neuron.node
                if neuron.gain is not None:
                    parts.gains[name] = neuron.gain
            parts.nodes[name] = built
        except _NONSENSE as error:
            problems.append(f"node {name!r} ({node.type}): {error}")
        else:
            if node.type == "Flatten" and batch_counted(node.fields, shape):
                message = "start_dim = 1 keeps the first axis in NIR; read as flattening all axes"
                findings.add(CHANGED_VALUE.at(name, message))
    if problems:
        raise FileError(f"{where}: " + "; ".join(problems))
    return parts


def _in_order(flat: RawGraph) -> Iterable[str]:
    return sorted(flat.nodes, key=lambda n: (getattr(flat.nodes[n], "type", "") != "Input", n))


def _edges(flat: RawGraph, settings: Settings) -> list[Edge]:
    types = {n: v.type for n, v in flat.nodes.items() if isinstance(v, RawNode)}
    closing = set(closing_edges(types, flat.edges))
    edges = []
    for source, target in sorted(flat.edges):
        late = settings.convention.map_delay if types[target] in _MAPS_WITH_LATENCY else 0
        closes = int((source, target) in closing)
        edges.append(Edge(source, target, delay=max(closes, late)))
    return edges


def _metadata(flat: RawGraph, settings: Settings, findings: Findings) -> dict[str, Any]:
    notes = {k: v for k, v in flat.metadata.items() if isinstance(v, str)}
    return {
        "source": {"format": "nir", "version": flat.version, **notes},
        "convention": settings.convention.name,
        "dt": settings.dt,
        "scheme": settings.decay,
        "reset": settings.reset,
        "time_unit": settings.time_unit,
        "diagnostics": [d.to_dict() for d in findings],
    }
