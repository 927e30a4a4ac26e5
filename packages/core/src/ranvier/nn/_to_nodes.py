"""Graph node of each module: parameters as arrays, shapes known."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .. import graph as g
from ..errors import GraphError
from ..graph import Node, Shape
from . import _layers as layers
from ._adaptive import AdaptiveLIF, AdEx
from ._lif import LifFamily
from ._neuron import Neuron
from ._resonate import ResonateAndFire
from ._sigma_delta import SigmaDelta

UNLIMITED = 2**31 - 1
"""Spikes per step that stand for "no limit"."""


def values_of(tensor: Any) -> NDArray[np.float64]:
    """Return a parameter or buffer as float64 array."""
    values: NDArray[np.float64] = tensor.detach().cpu().to(torch.float64).numpy()
    return values


@singledispatch
def node_of(module: nn.Module, shape: Shape) -> Node | None:
    """Return the node of a module whose input has ``shape``; None for one that hands on its input.

    Raises
    ------
    GraphError
        There is no counterpart.
    """
    raise GraphError(
        f"to_graph: {type(module).__name__} has no counterpart in a graph; use modules of "
        "ranvier.nn, torch.nn.Linear, Conv2d, AvgPool2d, Flatten, Dropout or Identity"
    )


@node_of.register
def _linear(module: layers.Linear, shape: Shape) -> Node:
    return g.Linear(weight=values_of(module.weight), bias=_optional(module.bias))


@node_of.register
def _torch_linear(module: nn.Linear, shape: Shape) -> Node:
    return g.Linear(weight=values_of(module.weight), bias=_optional(module.bias))


def _optional(tensor: Tensor | None) -> NDArray[np.float64] | None:
    return None if tensor is None else values_of(tensor)


@node_of.register(layers.Conv2d)
@node_of.register(nn.Conv2d)
def _conv2d(module: Any, shape: Shape) -> Node:
    if isinstance(module.padding, str) or getattr(module, "padding_mode", "zeros") != "zeros":
        raise GraphError("to_graph: Conv2d needs numeric zero padding")
    return g.Conv2d(
        shape=shape,
        weight=values_of(module.weight),
        bias=_optional(module.bias),
        stride=module.stride,
        padding=module.padding,
        dilation=module.dilation,
        groups=module.groups,
    )


@node_of.register
def _sum_pool(module: layers.SumPool2d, shape: Shape) -> Node:
    return g.SumPool2d(shape=shape, **_window(module))


@node_of.register(layers.AvgPool2d)
@node_of.register(nn.AvgPool2d)
def _avg_pool(module: Any, shape: Shape) -> Node:
    return g.AvgPool2d(shape=shape, **_window(module))


def _window(module: Any) -> dict[str, Any]:
    return {name: getattr(module, name) for name in ("kernel_size", "stride", "padding")}


@node_of.register(layers.Flatten)
@node_of.register(nn.Flatten)
def _flatten(module: Any, shape: Shape) -> Node | None:
    return g.Flatten(shape=shape) if len(shape) > 1 else None


@node_of.register(nn.Identity)
@node_of.register(nn.Dropout)
def _nothing(module: Any, shape: Shape) -> None:
    return None


@node_of.register
def _lif_family(module: LifFamily, shape: Shape) -> Node:
    fires = module.spiking
    kind: Any = getattr(g, _lif_kind(module, fires))
    fields: dict[str, Any] = {
        "shape": module.shape,
        "v_rest": values_of(module.v_rest),
        "bias": values_of(module.bias),
        "decay": module.decay,
    }
    if module.leaky:
        fields["tau_mem"] = _finite(module, "tau_mem")
    if module.synaptic:
        fields["tau_syn"] = _synapses_first(module)
        fields["synapses"] = module.n_synapses
    if fires:
        limit = UNLIMITED if module.max_spikes is None else module.max_spikes
        fields |= {
            "threshold": values_of(module.threshold),
            "reset": module.reset,
            "v_reset": values_of(module.v_reset),
            "refractory": module.refractory,
            "max_spikes": limit if module.reset == "subtract" else 1,
            "comparison": module.comparison,
        }
    node: Node = kind(**fields)
    return node


def _lif_kind(module: LifFamily, fires: bool) -> str:
    if module.n_synapses > 1 and not module.synaptic:
        raise GraphError(
            f"to_graph: {type(module).__name__} with {module.n_synapses} synapses but without "
            "synaptic state; use n_synapses=1"
        )
    if module.synaptic:
        return "CubaLIF" if fires else "CubaLI"
    if module.leaky:
        return "LIF" if fires else "LI"
    return "IF" if fires else "I"


def _finite(module: LifFamily, name: str) -> NDArray[np.float64]:
    values = values_of(getattr(module, name))
    if not np.all(np.isfinite(values)):
        raise GraphError(
            f"to_graph: {type(module).__name__}: {name} is infinite; use IF or I for neurons "
            "without leak"
        )
    return values


def _synapses_first(module: LifFamily) -> NDArray[np.float64]:
    """Return the synaptic time constants with the synapse axis in front."""
    values = _finite(module, "tau_syn")
    if module.n_synapses == 1:
        return values
    full = np.broadcast_to(values, (*module.shape, module.n_synapses))
    return np.moveaxis(full, -1, 0)


def _fields(module: Neuron, *names: str) -> dict[str, Any]:
    return {"shape": module.shape} | {name: values_of(getattr(module, name)) for name in names}


@node_of.register
def _adaptive(module: AdaptiveLIF, shape: Shape) -> Node:
    _needs_spikes(module)
    names = ("tau_mem", "tau_syn", "threshold", "threshold_step", "tau_threshold")
    return g.AdaptiveLIF(**_fields(module, *names, "tau_refractory", "bias"))


@node_of.register
def _adex(module: AdEx, shape: Shape) -> Node:
    _needs_spikes(module)
    names = ("tau_mem", "tau_syn", "tau_adaptation", "threshold", "v_rest", "v_reset")
    return g.AdEx(**_fields(module, *names, "slope", "v_exp", "a", "b", "bias"))


@node_of.register
def _resonate(module: ResonateAndFire, shape: Shape) -> Node:
    _needs_spikes(module)
    return g.ResonateAndFire(
        **_fields(module, "frequency", "tau", "threshold", "bias"), trigger=module.trigger
    )


@node_of.register
def _sigma_delta(module: SigmaDelta, shape: Shape) -> Node:
    return g.SigmaDelta(**_fields(module, "threshold", "bias"), activation=str(module.activation))


def _needs_spikes(module: Neuron) -> None:
    if module.readout != "spikes":
        raise GraphError(
            f"to_graph: {type(module).__name__} with readout 'vmem' has no counterpart; "
            "set readout='spikes'"
        )


def recurrent_weights(module: nn.Module) -> list[NDArray[np.float64]]:
    """Return the recurrent weights per synapse, each (n, n); empty without recurrence."""
    weight = getattr(module, "weight_rec", None)
    if weight is None:
        return []
    synapses = int(getattr(module, "n_synapses", 1))
    return [values_of(weight)[s::synapses] for s in range(synapses)]


Converter = Callable[[Any, Shape], Node | None]


def register_module(kind: type[nn.Module], converter: Converter) -> None:
    """Teach `to_graph` a module.

    Parameters
    ----------
    kind : subclass of torch.nn.Module
        Modules of this class, and of its subclasses unless they have a converter of their own.
    converter : callable
        ``converter(module, input_shape)`` returns the node.
    """
    node_of.register(kind)(converter)
