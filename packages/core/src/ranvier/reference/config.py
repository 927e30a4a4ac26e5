"""Configuration of the reference: the graph itself, and the options of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from ..artifacts import ChipConfig
from ..artifacts.mapped import part
from ..graph import Graph

GraphField = Annotated[
    Graph, PlainSerializer(lambda graph: graph.to_payload()[1], return_type=dict)
]
"""A graph inside a pydantic model; JSON shows its structure, files keep its arrays too."""


class ReferenceConfig(ChipConfig):
    """What the reference runs: the graph, unchanged.

    Parameters
    ----------
    graph : Graph
        The network in float64; nothing is quantised.
    """

    graph: GraphField

    def to_payload(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the configuration as named arrays and a JSON-able document."""
        arrays, document = super().to_payload()
        graph_arrays, graph = self.graph.to_payload()
        arrays |= {f"graph/{name}": values for name, values in graph_arrays.items()}
        return arrays, {**document, "graph": graph}

    @classmethod
    def from_payload(cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]) -> Self:
        """Build a configuration from what `to_payload` returned, validated again."""
        graph = Graph.from_payload(part(arrays, "graph"), document["graph"])
        return super().from_payload(arrays, {**document, "graph": graph})

    def summary(self) -> str:
        """Return a readable overview."""
        return "\n".join([super().summary(), str(self.graph)])


class RunOptions(BaseModel):
    """Options of *simulate* and *deploy*."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    graded_input: bool = Field(
        default=False, description="accept real values as input, not only spike counts"
    )
