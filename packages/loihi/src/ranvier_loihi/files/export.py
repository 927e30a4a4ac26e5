"""A configuration as a .net file: registers become a graph in the chip's arithmetic again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ranvier.diagnostics import describe
from ranvier.errors import FileError, GraphError
from ranvier.graph import (
    Conv2d,
    CubaLI,
    CubaLIF,
    Delay,
    Edge,
    Flatten,
    Graph,
    Input,
    Linear,
    Neuron,
    Node,
    Output,
    ResonateAndFire,
    Shape,
    SigmaDelta,
    SparseLinear,
)

from ..config import LoihiConfig
from ..config.population import Population
from ..config.synapse import ConvSynapse, DenseSynapse, SparseSynapse
from ..diagnostics import NET_UNWRITABLE
from ..nodes import Delta, InputLayer, Sigma
from .neurons import FOREVER
from .source import DECAY_UNIT, MANTISSA_UNIT
from .writing import write_net

FORM = "net"
NET_NAME = "network.net"
_STATE_UNIT = MANTISSA_UNIT * MANTISSA_UNIT


def export(config: LoihiConfig, directory: Path, form: str) -> Sequence[Path] | None:
    """Write a configuration in a vendor's form.

    Parameters
    ----------
    config : LoihiConfig
        One chain of populations.
    directory : Path
        Where ``network.net`` is written.
    form : {"net"}
        The network description of lava-dl's netx.

    Returns
    -------
    list of Path, or None
        The file; None for another form.

    Raises
    ------
    GraphError
        The format cannot hold the configuration; all reasons are listed.
    FileError
        The file cannot be written.
    """
    if form != FORM:
        return None
    target = Path(directory) / NET_NAME
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{directory}: cannot be used as a folder ({error.strerror})") from error
    write_net(graph_of(config), target)
    return [target]


def graph_of(config: LoihiConfig) -> Graph:
    """Return a configuration as a graph whose values are the registers' integers over 64.

    Raises
    ------
    GraphError
        Parts that the .net format cannot hold: models, exponents, delays per synapse, taps that
        several signals share, periodic resets.
    """
    return _Builder(config).graph()


class _Builder:
    def __init__(self, config: LoihiConfig) -> None:
        self.config = config
        self.problems: list[Any] = []
        self.nodes: dict[str, Node] = {n: Input(shape=s) for n, s in config.input_shapes.items()}
        self.edges: list[Edge] = []

    def graph(self) -> Graph:
        """Build everything; raise all problems at once."""
        config = self.config
        for population in config.populations:
            node = self._neuron(population)
            if node is not None:
                self.nodes[population.name] = node
        for number, synapse in enumerate(config.synapses):
            if {synapse.source, synapse.target} <= set(self.nodes):
                self._connect(number, synapse)
        for population in config.populations:
            if population.drive is not None and population.name in self.nodes:
                self._shaped_edge(population.drive, population.name, population.shape)
        self._outputs()
        if self.problems:
            heading = f"{config.target}: {len(self.problems)} reason(s) against a .net file"
            raise GraphError(describe(self.problems, heading=heading), self.problems)
        return Graph(self.nodes, tuple(self.edges), config.dt)

    def _refuse(self, name: str, message: str) -> None:
        self.problems.append(NET_UNWRITABLE.at(name, message))

    def _tau(self, decay: Any) -> Any:
        dt = self.config.dt
        values = np.asarray(decay, dtype=np.float64)
        return np.where(values > 0, dt * DECAY_UNIT / np.maximum(values, 1), dt * FOREVER)

    def _spread(self, values: Any, p: Population) -> Any:
        array = np.asarray(values)
        return array.reshape(()) if array.size == 1 else array.reshape(p.shape)

    def _neuron(self, p: Population) -> Neuron | None:
        if p.reset_interval or np.any(p.v_initial):
            self._refuse(p.name, "a periodic reset or an initial voltage is not in the format")
        unit = 2.0 ** (p.spike_exp + p.state_exp) if p.graded else float(_STATE_UNIT)
        bias = np.asarray(p.bias_mant) * 2.0 ** np.asarray(p.bias_exp) / unit
        common: dict[str, Any] = {"shape": p.shape, "bias": self._spread(bias, p)}
        threshold = self._spread(np.asarray(p.threshold) / MANTISSA_UNIT, p)
        fine = self._spread(np.asarray(p.threshold) / unit, p)
        if p.model == "lif":
            return self._lif(p, common, threshold)
        if p.model in ("rf", "rf_iz"):
            return self._resonator(p, common, fine)
        if p.model == "sigma_delta":
            return SigmaDelta(**common, threshold=fine, activation=p.activation)
        if p.model == "sigma":
            return Sigma(**common)
        if p.model == "delta":
            return Delta(shape=p.shape, threshold=fine)
        self._refuse(p.name, f"the format has no neuron for the model {p.model!r}")
        return None

    def _lif(self, p: Population, common: dict[str, Any], threshold: Any) -> Neuron:
        firing: dict[str, Any] = {
            "threshold": threshold,
            "refractory": self._spread((np.asarray(p.refractory) - 1) * self.config.dt, p),
            "reset": "to_value",
            "comparison": ">",
            "decay": "euler",
        }
        tau_mem = self._spread(self._tau(p.decay_v), p)
        if p.drive is not None:
            weight, offset = np.asarray(p.drive_weight), np.asarray(p.drive_offset)
            exponent = 2.0 ** np.asarray(p.bias_exp) / _STATE_UNIT
            return InputLayer(
                shape=p.shape,
                tau_mem=tau_mem,
                weight=self._spread(weight * exponent, p),
                offset=self._spread(offset * exponent, p),
                **firing,
            )
        times = {"tau_mem": tau_mem, "tau_syn": self._spread(self._tau(p.decay_u), p)}
        if not p.spiking:
            return CubaLI(**common, **times, decay="euler")
        return CubaLIF(**common, **times, **firing)

    def _resonator(self, p: Population, common: dict[str, Any], threshold: Any) -> Neuron | None:
        radius = np.hypot(p.sin_decay, p.cos_decay) / DECAY_UNIT
        if np.any(radius <= 0) or np.any(radius >= 1):
            self._refuse(p.name, "its rotation is not damped")
            return None
        angle = np.arctan2(p.sin_decay, p.cos_decay)
        return ResonateAndFire(
            **common,
            threshold=threshold,
            tau=self._spread(-self.config.dt / np.log(radius), p),
            frequency=self._spread(angle / (2 * np.pi * self.config.dt), p),
            trigger="phase" if p.model == "rf" else "amplitude",
            reset="to_value",
        )

    def _connect(self, number: int, synapse: Any) -> None:
        name = f"{synapse.target}.synapse.{number}"
        if isinstance(synapse, DenseSynapse | SparseSynapse) and synapse.delays is not None:
            self._refuse(name, "delays per synapse; the format has one per neuron")
        map_node = self._map(name, synapse)
        source = self._delayed(number, synapse)
        hop = int(synapse.source not in self.config.input_shapes)
        self.nodes[name] = map_node
        self._shaped_edge(source, name, map_node.input_shape(), delay=hop)
        shape = self.nodes[synapse.target].input_shape(synapse.port)
        if map_node.output_shape == shape:
            self.edges.append(Edge(name, synapse.target, synapse.port))
        else:
            self._refuse(name, f"feeds neurons of shape {shape} with {map_node.output_shape}")

    def _map(self, name: str, synapse: Any) -> Node:
        factor = 2.0**synapse.weight_exp * self._unit(synapse)
        if isinstance(synapse, ConvSynapse):
            return Conv2d(
                shape=synapse.input_shape,
                weight=synapse.weights * factor,
                stride=synapse.stride,
                padding=synapse.padding,
                dilation=synapse.dilation,
                groups=synapse.groups,
            )
        if isinstance(synapse, DenseSynapse):
            return Linear(weight=synapse.weights * factor)
        return _sparse(synapse, factor, self.config.size_of(synapse.target))

    def _unit(self, synapse: Any) -> float:
        """Return the weight in the graph of a synapse of weight 1.

        Messages of sigma-delta neurons have ``spike_exp`` fractional bits, spikes none; sigma-delta
        neurons add what arrives to a state with ``state_exp`` further ones, the others shift it
        by 6 first.
        """
        known = self.config.population_of
        source, target = known.get(synapse.source), known[synapse.target]
        message = 2.0**source.spike_exp if source is not None and source.graded else 1.0
        state = 2.0 ** (target.spike_exp + target.state_exp) if target.graded else MANTISSA_UNIT
        return message / state

    def _delayed(self, number: int, synapse: Any) -> str:
        """Return the node that feeds a synapse: the source, or a delay behind it."""
        source: str = synapse.source
        steps = np.asarray(synapse.axon_delay)
        if not np.any(steps):
            return source
        shape = self.nodes[source].output_shape
        spread = steps.reshape(()) if steps.size == 1 else steps.reshape(shape)
        name = f"{source}.delay.{number}"
        self.nodes[name] = Delay(shape=shape, delay=spread * self.config.dt)
        self.edges.append(Edge(source, name))
        return name

    def _shaped_edge(self, source: str, target: str, shape: Shape, *, delay: int = 0) -> None:
        """Connect two nodes, through a Flatten where the source has more axes."""
        found = self.nodes[source].output_shape
        if found != shape and len(shape) == 1:
            name = f"{source}.flatten.{target}"
            self.nodes[name] = Flatten(shape=found)
            self.edges.append(Edge(source, name))
            source = name
        elif found != shape:
            self._refuse(target, f"takes the shape {shape}, {source!r} emits {found}")
            return
        self.edges.append(Edge(source, target, delay=delay))

    def _outputs(self) -> None:
        taps = {tap.name: tap for tap in self.config.taps}
        for number, output in enumerate(self.config.outputs):
            name, steps = output.node, np.asarray(0)
            if name in taps:
                name, steps = taps[name].source, np.asarray(taps[name].delay)
            if name not in self.nodes:
                continue
            shape = self.nodes[name].output_shape
            if np.any(steps):
                spread = steps.reshape(()) if steps.size == 1 else steps.reshape(shape)
                delay = Delay(shape=shape, delay=spread * self.config.dt)
                self.nodes[f"{name}.tap.{number}"] = delay
                self.edges.append(Edge(name, f"{name}.tap.{number}"))
                name = f"{name}.tap.{number}"
            end = output.output if output.output not in self.nodes else f"output.{number}"
            self.nodes[end] = Output(shape=shape)
            self.edges.append(Edge(name, end))


def _sparse(synapse: SparseSynapse, factor: float, n_target: int) -> SparseLinear:
    """Return the blocks of a sparse synapse as rows."""
    rows, columns = [], []
    for block, pointers in enumerate(synapse.pointers):
        sources = np.repeat(np.arange(pointers.size - 1), np.diff(pointers))
        columns.append(sources)
        inside = synapse.targets[int(pointers[0]) : int(pointers[-1])].astype(np.int64)
        rows.append(inside + block * synapse.block)
    row, column = np.concatenate(rows), np.concatenate(columns)
    order = np.lexsort((column, row))
    counts = np.bincount(row, minlength=n_target)
    return SparseLinear(
        data=synapse.weights[order] * factor,
        indices=column[order],
        indptr=np.concatenate([[0], np.cumsum(counts)]),
        n_in=int(synapse.pointers.shape[1] - 1),
    )
