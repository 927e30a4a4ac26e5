"""Gradient norms per layer, to see where learning stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


class GradientMonitor:
    """Euclidean norms of the gradients of a network's parameters, one entry per backward pass.

    Attributes
    ----------
    norms : dict of str to list of float
        By parameter name.
    """

    def __init__(self) -> None:
        self.norms: dict[str, list[float]] = {}

    def layers(self) -> dict[str, float]:
        """Give the norm of the last gradient of each layer: its parameters taken together."""
        squares: dict[str, float] = {}
        for name, values in self.norms.items():
            layer = name.rpartition(".")[0].removesuffix(".parametrizations.weight") or name
            squares[layer] = squares.get(layer, 0.0) + values[-1] ** 2
        return {layer: value**0.5 for layer, value in squares.items()}

    def vanished(self, below: float = 1e-12) -> list[str]:
        """Name the layers whose last gradient has a norm below a bound."""
        return [layer for layer, norm in self.layers().items() if norm < below]

    def hook(self, name: str) -> Callable[[Tensor], None]:
        """Give the function that keeps the norm of one parameter's gradient."""

        def keep(gradient: Tensor) -> None:
            self.norms.setdefault(name, []).append(float(gradient.detach().norm()))

        return keep


@contextmanager
def monitor_gradients(network: nn.Module) -> Iterator[GradientMonitor]:
    """Watch the gradients of a network while the block runs.

    Parameters
    ----------
    network : torch.nn.Module
        Any module; its trainable parameters are watched.

    Yields
    ------
    GradientMonitor
        Filled by every backward pass inside the block.

    Examples
    --------
    >>> import torch, ranvier.nn as rnn
    >>> net = rnn.Sequential(rnn.Linear(2, 3), rnn.LIF(3))
    >>> with rnn.monitor_gradients(net) as gradients:
    ...     net(torch.ones(1, 5, 2)).sum().backward()
    >>> sorted(gradients.layers())
    ['0']
    """
    monitor = GradientMonitor()
    handles: list[RemovableHandle] = [
        parameter.register_hook(monitor.hook(name))  # type: ignore[no-untyped-call]
        for name, parameter in network.named_parameters()
        if parameter.requires_grad
    ]
    try:
        yield monitor
    finally:
        for handle in handles:
            handle.remove()
