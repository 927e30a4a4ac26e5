"""A sequence of blocks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ranvier.errors import GraphError

from ..diagnostics import INPUT_STEP
from ._blocks import Block
from ._input import InputBlock
from ._to_graph import shapes_of, to_graph

if TYPE_CHECKING:
    from ranvier.diagnostics import Diagnostic
    from ranvier.graph import Graph, Shape


class Network(nn.Module):
    """Blocks one after the other.

    Parameters
    ----------
    *blocks : Block
        Of any family.

    Attributes
    ----------
    blocks : torch.nn.ModuleList
        The blocks.

    Raises
    ------
    GraphError
        There is no block, one is no block, or two do not fit.

    Examples
    --------
    >>> from ranvier_loihi.nn import Network, cuba
    >>> neuron = {"threshold": 0.1, "current_decay": 1.0, "voltage_decay": 0.1}
    >>> net = Network(cuba.Dense(neuron, 200, 256), cuba.Dense(neuron, 256, 200))
    >>> net.shapes
    ((256,), (200,))
    """

    def __init__(self, *blocks: Block) -> None:
        super().__init__()
        wrong = [type(b).__name__ for b in blocks if not isinstance(b, Block)]
        if wrong or not blocks:
            raise GraphError(
                f"Network: {', '.join(wrong) or 'nothing'} given; it takes blocks of "
                "ranvier_loihi.nn, such as cuba.Dense"
            )
        self.blocks = nn.ModuleList(blocks)
        shapes_of(blocks)

    @property
    def shapes(self) -> tuple[Shape | None, ...]:
        """Shape of every block's output without batch and time; None where any will do."""
        return shapes_of(self.blocks)

    def forward(self, x: Tensor) -> Any:
        """Run ``(batch, time, *shape)``.

        Returns
        -------
        Tensor or (Tensor, Tensor)
            Output of the last block; if any block counts, also the shares of spikes of those
            blocks, ``(n,)``.
        """
        counts: list[Tensor] = []
        for block in self.blocks:
            x = block(x)
            if isinstance(x, tuple):
                x, count = x
                counts.append(count)
        return (x, torch.stack(counts)) if counts else x

    def reset_state(self) -> None:
        """Set every block back to rest."""
        for block in self.blocks:
            if isinstance(block, Block):
                block.reset_state()

    def to_graph(self, *, dt: float = 1e-3) -> Graph:
        """Return the graph; see `to_graph`."""
        return to_graph(self.blocks, dt=dt)

    def export(self, path: str | Path, *, dt: float = 1e-3) -> tuple[Diagnostic, ...]:
        """Write the network as a ``.net`` file.

        Parameters
        ----------
        path : path
            File.
        dt : float
            Time step, in s.

        Returns
        -------
        tuple of Diagnostic
            What the file cannot hold; the step of an input block without neurons, for one.
        """
        from ranvier_loihi.files import write_net

        first, *others = self.blocks
        if not (isinstance(first, InputBlock) and first.neuron is None and others):
            return write_net(self.to_graph(dt=dt), path)
        graph = to_graph(others, dt=dt, input_shape=first.in_shape)
        step = INPUT_STEP.at("input", "the input block without neurons was left out")
        return (step, *write_net(graph, path))
