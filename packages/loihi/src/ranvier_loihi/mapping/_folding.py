"""What reaches a neuron: paths from inputs and neurons through stateless nodes, folded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]

from ranvier.graph import Delay, Edge, Graph, Input, Neuron, Node

from ._maps import Floats, Ints, LinearMap, bias_of, map_of


class StatelessCycleError(Exception):
    """A loop of stateless nodes: it would be a filter with memory of its own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Path:
    """A map from a source to one port, with the graph's delay.

    Parameters
    ----------
    source : str
        Input or neuron node.
    map : LinearMap
        From the source to the port.
    delay : array of int
        Steps: (1,), (n_source,), or with the shape of the map's weight.
    per_synapse : bool
        Whether ``delay`` has the shape of the map's weight ("dense" and "sparse" only).
    """

    source: str
    map: LinearMap
    delay: Ints
    per_synapse: bool = False

    def later(self, steps: int) -> Path:
        """Return the path with more delay."""
        return replace(self, delay=self.delay + steps) if steps else self

    def with_target_delays(self, steps: Ints) -> Path:
        """Return the path with a further delay per target, (n_target,)."""
        if np.all(steps == steps[0]):
            return self.later(int(steps[0]))
        if self.map.kind == "identity":
            return replace(self, delay=self.delay + steps)
        if self.map.kind == "dense":
            delay = np.broadcast_to(self.delay + steps[:, None], self.map.weight.shape)
            return replace(self, delay=delay, per_synapse=True)
        own = self.as_sparse()
        rows = np.repeat(steps, np.diff(own.map.indptr))
        return replace(own, delay=own.delay_of_synapses() + rows, per_synapse=True)

    def as_sparse(self) -> Path:
        """Return the path with its map in the layout "sparse"."""
        if self.map.kind == "sparse":
            return self
        if not self.per_synapse:
            return replace(self, map=self.map.as_sparse())
        n_target, n_source = self.map.weight.shape
        flat = replace(
            self.map,
            kind="sparse",
            weight=self.map.weight.ravel(),
            indices=np.tile(np.arange(n_source), n_target),
            indptr=np.arange(0, n_target * n_source + 1, n_source),
        )
        return replace(self, map=flat, delay=self.delay.ravel())

    def delay_of_synapses(self) -> Ints:
        """Return the delay of every synapse of the layout "sparse", (n_synapses,)."""
        if self.per_synapse:
            return self.delay
        return np.broadcast_to(self.delay, (self.map.n_source,))[self.map.indices]

    def by_delay(self) -> list[Path]:
        """Split the path into one per delay, each with a single one."""
        if self.delay.size == 1:
            return [self]
        own = self.as_sparse()
        delays = own.delay_of_synapses()
        rows = np.repeat(np.arange(own.map.n_target), np.diff(own.map.indptr))
        parts = []
        for steps in np.unique(delays):
            chosen = delays == steps
            matrix = sparse.csr_array(
                (own.map.weight[chosen], (rows[chosen], own.map.indices[chosen])),
                shape=(own.map.n_target, own.map.n_source),
            )
            part = LinearMap.of_csr(matrix)
            parts.append(Path(source=self.source, map=part, delay=np.array([steps])))
        return parts


@dataclass
class Affine:
    """``y = sum of paths + bias``; ``bias_late`` are the steps after which the bias is complete."""

    paths: list[Path]
    bias: Floats
    bias_late: int = 0


@dataclass
class Folding:
    """Folds the stateless part of a graph.

    Parameters
    ----------
    graph : Graph
        The network.
    """

    graph: Graph
    _known: dict[str, Affine] = field(default_factory=dict)
    _visiting: list[str] = field(default_factory=list)

    def into(self, name: str, ports: Sequence[str]) -> Affine:
        """Return the affine map from all sources to some ports of a neuron node, summed.

        Raises
        ------
        StatelessCycleError
            Stateless nodes form a loop; the message names one of them.
        """
        node = self.graph.nodes[name]
        edges = [e for e in self.graph.edges_into(name) if e.port in ports]
        return self._sum(edges, int(np.prod(node.input_shape(ports[0]), dtype=np.int64)))

    def _sum(self, edges: Iterable[Edge], size: int) -> Affine:
        total = Affine([], np.zeros(size))
        for edge in edges:
            part = self._value_of(edge.source)
            total.paths += [p.later(edge.delay) for p in part.paths]
            if np.any(part.bias):
                total.bias = total.bias + part.bias
                total.bias_late = max(total.bias_late, part.bias_late + edge.delay)
        return total

    def _value_of(self, name: str) -> Affine:
        if name in self._known:
            return self._known[name]
        node = self.graph.nodes[name]
        if isinstance(node, Input | Neuron):
            one = LinearMap.identity(node.size)
            path = Path(source=name, map=one, delay=np.zeros(1, dtype=np.int64))
            result = Affine([path], np.zeros(node.size))
        else:
            if name in self._visiting:
                raise StatelessCycleError(name)
            self._visiting.append(name)
            size = int(np.prod(node.input_shape(), dtype=np.int64))
            before = self._sum(self.graph.edges_into(name), size)
            self._visiting.pop()
            result = _behind(node, before, dt=self.graph.dt)
        self._known[name] = result
        return result


def delay_steps(node: Delay, *, dt: float) -> Ints:
    """Return the delay of every element of a Delay node, flattened, in whole steps."""
    steps = np.rint(np.broadcast_to(node.delay, node.shape) / dt)
    return np.asarray(steps, dtype=np.int64).ravel()


def _behind(node: Node, before: Affine, *, dt: float) -> Affine:
    """Return what a stateless node makes of what arrives at it."""
    biased = bool(np.any(before.bias))
    late = before.bias_late if biased else 0
    if isinstance(node, Delay):
        steps = delay_steps(node, dt=dt)
        late += int(steps.max()) if biased else 0
        paths = [p.with_target_delays(steps) for p in _merged(before.paths)]
        return Affine(paths, before.bias, late)
    own = map_of(node)
    if own.kind == "identity":
        factor = float(own.weight)
        paths = [replace(p, map=p.map.scaled(factor)) for p in _merged(before.paths)]
        return Affine(paths, before.bias * factor, late)
    split = [q for p in before.paths for q in (p.by_delay() if p.per_synapse else [p])]
    bias = own.csr() @ before.bias if biased else np.zeros(own.n_target)
    added = bias_of(node)
    if added is not None:
        bias = bias + added
    return Affine([_multiplied(own, p) for p in _merged(split)], bias, late)


def _multiplied(own: LinearMap, path: Path) -> Path:
    if path.map.kind == "identity":
        return replace(path, map=own.scaled(float(path.map.weight)))
    product = (own.csr() @ path.map.csr()).tocsr()
    product.sort_indices()
    return replace(path, map=LinearMap.of_csr(product))


def _merged(paths: Iterable[Path]) -> list[Path]:
    """Add up paths of one source with equal delays, so that their number stays small."""
    groups: dict[tuple[str, bytes], list[Path]] = {}
    for number, path in enumerate(paths):
        key = b"%d" % number if path.per_synapse else b":" + path.delay.tobytes()
        groups.setdefault((path.source, key), []).append(path)
    return [_added(same) for same in groups.values()]


def _added(paths: Sequence[Path]) -> Path:
    if len(paths) == 1:
        return paths[0]
    total = paths[0].map.csr()
    for path in paths[1:]:
        total = total + path.map.csr()
    return replace(paths[0], map=LinearMap.of_csr(total.tocsr()))
