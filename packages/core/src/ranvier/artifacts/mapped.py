"""A network in the shape of a chip: placed, still in floating point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..diagnostics import Diagnostic
from ..graph import Graph, payload_hash
from .placement import Placement


@dataclass(frozen=True, eq=False)
class MappedNetwork:
    """Result of the verb *map*.

    Parameters
    ----------
    target : str
        Name of the target.
    graph : Graph
        What was mapped, unchanged.
    placement : Placement
        Which neuron sits where.
    arrays : mapping of str to array
        Float parameters in the chip's layout; names and shapes are the plugin's.
    settings : mapping
        JSON-able switches and the options used.
    latency : mapping of str to int
        Extra steps with which each node's signal arrives, compared with the graph.
    diagnostics : tuple of Diagnostic
        Losses and notes; errors were raised.
    """

    target: str
    graph: Graph
    placement: Placement
    arrays: Mapping[str, NDArray[Any]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    latency: Mapping[str, int] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "arrays", MappingProxyType(dict(self.arrays)))

    def to_payload(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the network as named arrays and a JSON-able document."""
        graph_arrays, graph = self.graph.to_payload()
        place_arrays, place = self.placement.to_payload()
        arrays = {f"graph/{name}": values for name, values in graph_arrays.items()}
        arrays |= {f"placement/{name}": values for name, values in place_arrays.items()}
        arrays |= {f"arrays/{name}": np.asarray(values) for name, values in self.arrays.items()}
        document = {
            "target": self.target,
            "graph": graph,
            "placement": place,
            "settings": dict(self.settings),
            "latency": dict(self.latency),
            "diagnostics": [d.to_dict() for d in self.diagnostics],
        }
        return arrays, document

    @classmethod
    def from_payload(
        cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]
    ) -> MappedNetwork:
        """Build a network from what `to_payload` returned."""
        return cls(
            target=document["target"],
            graph=Graph.from_payload(part(arrays, "graph"), document["graph"]),
            placement=Placement.from_payload(part(arrays, "placement"), document["placement"]),
            arrays=part(arrays, "arrays"),
            settings=document["settings"],
            latency=document["latency"],
            diagnostics=tuple(Diagnostic.from_dict(d) for d in document["diagnostics"]),
        )

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical content, hexadecimal."""
        return payload_hash(*self.to_payload())

    def __str__(self) -> str:
        lines = [f"MappedNetwork for {self.target}: {len(self.placement)} places"]
        lines += [f"  {name}: {values.shape}" for name, values in self.arrays.items()]
        return "\n".join([*lines, *(f"  {d}" for d in self.diagnostics)])

    __repr__ = __str__


def part(arrays: Mapping[str, NDArray[Any]], name: str) -> dict[str, NDArray[Any]]:
    """Return the arrays below one group of a payload, with the group's name removed."""
    prefix = f"{name}/"
    return {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}
