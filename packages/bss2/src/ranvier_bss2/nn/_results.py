"""What the differentiable functions return."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from ..numerics import LayerState


class AelifRun(NamedTuple):
    """What `aelif` returns; traces (batch, time, n) of float32, all differentiable.

    Attributes
    ----------
    spikes : Tensor or None
        0 or 1; None for neurons that do not fire.
    v_mem, i_syn : Tensor or None
        Membrane after its reset, current after its update; None without ``record``, but for the
        membrane of neurons that do not fire.
    w_adaptation : Tensor or None
        Adaptation; None without ``record`` and for neurons that do not adapt.
    state : LayerState
        State after the last step; without gradients.
    """

    spikes: Tensor | None
    v_mem: Tensor | None
    i_syn: Tensor | None
    w_adaptation: Tensor | None
    state: LayerState


class EventPropRun(NamedTuple):
    """What `eventprop_lif` returns, (batch, time, n) of float32; only spikes have gradients.

    Attributes
    ----------
    spikes : Tensor
        0 or 1.
    v_mem : Tensor or None
        Membrane after its reset; None for observed spikes without an observed membrane.
    i_syn : Tensor
        Current, recorded one step late: 0 in the first step.
    """

    spikes: Tensor
    v_mem: Tensor | None
    i_syn: Tensor
