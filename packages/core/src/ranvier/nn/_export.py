"""The method `to_graph` of modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from torch import nn

    from ..graph import Graph


class ToGraph:
    """Mixin of the modules that turn themselves into a graph."""

    def to_graph(self, **options: Any) -> Graph:
        """Return the graph of this module; arguments as `ranvier.nn.to_graph`."""
        from ._to_graph import to_graph

        return to_graph(cast("nn.Module", self), **options)
