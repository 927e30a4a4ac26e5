"""The network between *map* and *quantize*: neurons with places and tags, currents still real."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import QuantizationError

from .layout import Layout
from .nodes import CURRENTS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Population:
    """Neurons of one graph node: a range of the network's neurons.

    Parameters
    ----------
    name : str
        Graph node.
    shape : tuple of int
        Its shape; neurons are flattened C-major.
    start : int
        First neuron.
    """

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        """Number of neurons."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def neurons(self) -> slice:
        """Where its neurons are."""
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True, kw_only=True, eq=False)
class DpiNetwork:
    """Everything that *map* finds out about a graph.

    Sources are numbered: the channels of all inputs (in order of ``inputs``, flattened) come first,
    then the N neurons. Sources whose synapses are all equal form a *group* and share tags; a source
    that drives nothing has group -1.

    Parameters
    ----------
    model : {"merged_synapse", "four_synapse"}
        How synapses act, see `ranvier_dynapse2.nodes.Dpi`.
    chips : int
        Chips of the board.
    inputs : mapping of str to tuple of int
        Input nodes and their shapes.
    populations : tuple of Population
        In topological order; together they are all N neurons.
    layout : Layout
        Capacitances and transistor constants.
    chip, core, slot : array of int, (N,)
        Place of every neuron; slots are unique in a core.
    currents : mapping of str to array, (N,)
        Every one of `ranvier_dynapse2.nodes.CURRENTS`, in A; equal within a core.
    i_scale : array, (N,)
        Synaptic current of a weight of 1, in A; equal within a core.
    monitored : array of bool, (N,)
        Neurons that spend a word of their SRAM on reporting spikes.
    group : array of int, (n_channels + N,)
        Group of every source, -1: drives nothing.
    synapse_group, synapse_target, synapse_port : array of int, (S,)
        Group, neuron, and index into `ranvier_dynapse2.nodes.PORTS`, sorted by target, then group,
        then port. At most one synapse per group, target and port; the merged model uses AMPA for
        positive and GABA for negative weights.
    synapse_weight : array, (S,)
        Magnitude of the weight, > 0, in units of the target's ``i_scale``.
    route_group, route_chip, route_cores, route_tag : array of int, (R,)
        Packets of a group: the chip, a mask of its cores (bit k is core k), and the tag.
    cam_usable : array of bool, (chips, 4, 256, 64)
        CAM entries that may be used; all, unless a profile of the chip says otherwise.
    """

    model: str
    chips: int
    inputs: Mapping[str, tuple[int, ...]]
    populations: tuple[Population, ...]
    layout: Layout
    chip: Ints
    core: Ints
    slot: Ints
    currents: Mapping[str, Floats]
    i_scale: Floats
    monitored: NDArray[np.bool_]
    group: Ints
    synapse_group: Ints
    synapse_target: Ints
    synapse_port: Ints
    synapse_weight: Floats
    route_group: Ints
    route_chip: Ints
    route_cores: Ints
    route_tag: Ints
    cam_usable: NDArray[np.bool_]

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return int(self.chip.size)

    @property
    def n_channels(self) -> int:
        """Number of input channels."""
        return sum(int(np.prod(s, dtype=np.int64)) for s in self.inputs.values())

    def to_parts(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays and a JSON-able document, as a `MappedNetwork` carries them."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        arrays |= {f"currents/{name}": self.currents[name] for name in CURRENTS}
        document = {
            "model": self.model,
            "chips": self.chips,
            "inputs": {n: list(s) for n, s in self.inputs.items()},
            "populations": [[p.name, list(p.shape), p.start] for p in self.populations],
            "layout": self.layout.model_dump(),
        }
        return arrays, document

    @classmethod
    def from_parts(
        cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]
    ) -> DpiNetwork:
        """Build a network from what `to_parts` returned.

        Raises
        ------
        QuantizationError
            An array is missing, unknown or not finite.
        """
        wanted = {*_ARRAYS, *(f"currents/{name}" for name in CURRENTS)}
        if set(arrays) != wanted:
            raise QuantizationError(
                f"dynapse2: the mapped network lacks {sorted(wanted - set(arrays))} and has "
                f"unknown {sorted(set(arrays) - wanted)}; map the graph again"
            )
        bad = [n for n, v in arrays.items() if not np.all(np.isfinite(v))]
        if bad:
            raise QuantizationError(
                f"dynapse2: {', '.join(sorted(bad))}: values that are not finite; map the graph "
                "again"
            )
        return cls(
            model=document["model"],
            chips=document["chips"],
            inputs={n: tuple(s) for n, s in document["inputs"].items()},
            populations=tuple(Population(n, tuple(s), k) for n, s, k in document["populations"]),
            layout=Layout(**document["layout"]),
            currents={name: arrays[f"currents/{name}"] for name in CURRENTS},
            **{name: arrays[name] for name in _ARRAYS},
        )


_PLAIN = ("model", "chips", "inputs", "populations", "layout", "currents")
_ARRAYS = tuple(f.name for f in dataclasses.fields(DpiNetwork) if f.name not in _PLAIN)
