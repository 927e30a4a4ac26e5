"""Recording of currents, membranes and spikes, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class LayerRecord:
    """Traces of one neuron layer.

    Attributes
    ----------
    current : Tensor
        Synaptic currents of each step, ``(batch, time, *shape)``, with a last axis ``synapses``
        where a neuron has several.
    membrane : Tensor
        Membrane after the reset, ``(batch, time, *shape)``.
    spikes : Tensor
        Spike counts, ``(batch, time, *shape)``; zeros for neurons that do not fire.
    extra : Mapping[str, Tensor]
        Further states of the neuron model by name (adaptation, phase, …).
    """

    current: Tensor
    membrane: Tensor
    spikes: Tensor
    extra: Mapping[str, Tensor]


class Record(Mapping[str, LayerRecord]):
    """Traces of a network by layer name, in the order in which the layers ran.

    A layer that runs more than once inside one recording keeps its last run.
    """

    def __init__(self) -> None:
        self._layers: dict[str, LayerRecord] = {}

    def __getitem__(self, name: str) -> LayerRecord:
        """Give the traces of a layer."""
        return self._layers[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over layer names."""
        return iter(self._layers)

    def __len__(self) -> int:
        """Count the layers."""
        return len(self._layers)

    def __repr__(self) -> str:
        """List the layers with their shapes."""
        rows = (f"  {name}: {tuple(layer.spikes.shape)}" for name, layer in self.items())
        return "Record(\n" + "\n".join(rows) + "\n)"

    def put(self, name: str, layer: LayerRecord) -> None:
        """Keep the traces of a layer; used by the neuron modules."""
        self._layers[name] = layer


@contextmanager
def record(network: nn.Module) -> Iterator[Record]:
    """Record every neuron layer of a network while the block runs.

    Parameters
    ----------
    network : torch.nn.Module
        Any module that contains neuron modules of `ranvier.nn`.

    Yields
    ------
    Record
        Filled by every call of the network inside the block. The names are those of
        ``network.named_modules()``; a neuron module recorded alone goes by its class name.

    Notes
    -----
    With gradients enabled the recorded tensors take part in the graph and the plain loop computes
    them; under ``torch.no_grad()`` the kernels do.

    Examples
    --------
    >>> import torch, ranvier.nn as rnn
    >>> net = rnn.Sequential(rnn.Linear(2, 3), rnn.LIF(3))
    >>> with rnn.record(net) as rec:
    ...     _ = net(torch.ones(1, 5, 2))
    >>> rec["1"].membrane.shape
    torch.Size([1, 5, 3])
    """
    from ._neuron import Neuron

    traces = Record()
    marked: list[tuple[Neuron, tuple[Record, str] | None]] = []
    for name, module in network.named_modules():
        if isinstance(module, Neuron):
            marked.append((module, module.recorder))
            module.recorder = (traces, name or type(module).__name__)
    try:
        yield traces
    finally:
        for module, before in marked:
            module.recorder = before
