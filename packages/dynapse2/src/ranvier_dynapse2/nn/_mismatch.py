"""Networks as a particular chip would run them."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import numpy as np
from torch import nn

from ranvier.errors import InputError

from ..mismatch import VirtualChip
from ._dpi import DPI

Network = TypeVar("Network", bound=nn.Module)


def with_mismatch(network: Network, chip: VirtualChip, *, share_weights: bool = True) -> Network:
    """Return a copy of a network with the deviations of a virtual chip.

    Neurons are numbered through all `DPI` layers in the order of ``network.modules()``; neuron k
    takes the deviations of the k-th neuron of the board.

    Parameters
    ----------
    network : torch.nn.Module
        A network with `DPI` layers, or one such layer. It is not changed.
    chip : VirtualChip
        The board.
    share_weights : bool
        The copy trains the very parameters of ``network``, so that gradients taken with one board
        or several arrive there. With False it has parameters of its own.

    Returns
    -------
    torch.nn.Module
        The copy, at rest.

    Raises
    ------
    InputError
        There is no `DPI` layer, or a deviation made a value negative.

    Examples
    --------
    >>> import torch, ranvier.nn as rnn
    >>> from ranvier_dynapse2 import VirtualChip
    >>> net = rnn.Sequential(rnn.Linear(60, 2, bias=False), DPI(2))
    >>> other = with_mismatch(net, VirtualChip(seed=1, mismatch=0.05))
    >>> other[0].weight is net[0].weight
    True
    """
    shared: dict[int, Any] = {id(p): p for p in network.parameters()} if share_weights else {}
    for module in network.modules():
        if isinstance(module, DPI):
            shared |= {id(part): None for part in (module.recorder, module.state) if part}
    found = copy.deepcopy(network, shared)
    start = 0
    for module in found.modules():
        if not isinstance(module, DPI):
            continue
        neurons = np.arange(start, start + module.n)
        values = chip.apply(module.values(), neurons)
        module.set_values({name: value.reshape(module.shape) for name, value in values.items()})
        module.reset_state()
        start += module.n
    if not start:
        raise InputError(
            f"with_mismatch: {type(network).__name__} has no DPI layer; only these have mismatch"
        )
    return found
