"""Running a chain: module by module, or several modules in one kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from ._layers import Linear
from ._lif import LifFamily
from .functional import LifState

if TYPE_CHECKING:
    from ._containers import Sequential

Named = tuple[str, nn.Module]
_SMALL_LAYER = 50


class Pair(NamedTuple):
    """Weights and the neurons behind them, with the name of the weights in the chain."""

    name: str
    linear: Linear
    neurons: LifFamily


def run_chain(chain: Sequential, x: Tensor) -> Tensor:
    """Run the modules of a chain in order, with the delays of its hops."""
    hops = chain.hops
    modules = list(chain.named_children())
    place = 0
    while place < len(modules):
        group = fusible(modules[place:], x, hops, carries_over=chain.carries_over)
        if group:
            x = run_group(group, chain.delayed(group[0].name, x, hops[group[0].name]), hops)
            place += 2 * len(group)
        elif small := small_pairs(modules[place:], x, hops):
            x = run_small(small, chain.delayed(small[0].name, x, hops[small[0].name]))
            place += 2 * len(small)
        else:
            name, module = modules[place]
            x = module(chain.delayed(name, x, hops[name]))
            place += 1
    return x


def fusible(
    modules: list[Named], x: Tensor, hops: dict[str, int], *, carries_over: bool
) -> list[Pair]:
    """Give the pairs of modules at the front that one kernel can compute; empty for none."""
    group: list[Pair] = []
    for (name, linear), (after, neurons) in zip(modules[::2], modules[1::2], strict=False):
        if not (isinstance(linear, Linear) and isinstance(neurons, LifFamily)):
            break
        late = hops[name] if group else 0
        if not pays(linear, neurons, x) or hops[after] or (late and carries_over):
            break
        group.append(Pair(name, linear, neurons))
    return group


def small_pairs(modules: list[Named], x: Tensor, hops: dict[str, int]) -> list[Pair]:
    """Give the pairs of modules at the front that one node without events can compute."""
    group: list[Pair] = []
    for (name, linear), (after, neurons) in zip(modules[::2], modules[1::2], strict=False):
        if not (isinstance(linear, Linear) and isinstance(neurons, LifFamily)):
            break
        if not computable(linear, neurons, x) or is_event_driven(linear, neurons):
            break
        if hops[after] or (group and (hops[name] or group[-1].neurons.shape != (linear.n_in,))):
            break
        if not runs_dense(neurons, x):
            break
        group.append(Pair(name, linear, neurons))
    return group


def pays(linear: Linear, neurons: LifFamily, x: Tensor) -> bool:
    """Whether the event-driven kernel computes a pair of modules, and faster than two modules."""
    return computable(linear, neurons, x) and is_event_driven(linear, neurons)


def computable(linear: Linear, neurons: LifFamily, x: Tensor) -> bool:
    """Whether kernels may compute a pair of modules together."""
    if neurons.backend == "loop" or neurons.recorder is not None:
        return False
    if type(linear) is not Linear or has_hooks(linear) or has_hooks(neurons):
        return False
    if x.ndim != 3 or linear.n_out != neurons.columns:
        return False
    if x.device.type != "cpu" or x.dtype != torch.float32 or linear.weight.dtype != x.dtype:
        return False
    return not (neurons.refractory or torch.compiler.is_compiling())


def is_event_driven(linear: Linear, neurons: LifFamily) -> bool:
    """Whether the event-driven kernel knows a pair of modules and is the fastest for it."""
    if neurons.spiking and not neurons.surrogate.compact:
        return False
    return neurons.n >= _SMALL_LAYER or neurons.recurrent or linear.n_in >= _SMALL_LAYER


def runs_dense(neurons: LifFamily, x: Tensor) -> bool:
    """Whether the kernel without events computes a layer, from the state it is in."""
    if neurons.spiking and (neurons.recurrent or neurons.surrogate.code is None):
        return False
    if neurons.threshold.dtype != x.dtype or torch.is_autocast_enabled("cpu"):
        return False
    state = neurons.state if neurons.stateful else None
    return state is None or state[0].shape[0] == x.shape[0]


def run_group(group: list[Pair], x: Tensor, hops: dict[str, int]) -> Tensor:
    """Run modules in one kernel, and leave their states as they would."""
    from .kernels import ChainLayer, run_chain as run_layers

    layers: list[ChainLayer] = []
    for name, linear, neurons in group:
        if not layers:
            linear.check_input(x)
        state = neurons.state if neurons.stateful else None
        layers.append(
            ChainLayer(
                neurons.parameters_of_step(),
                neurons.surrogate,
                neurons.start_state(x) if state is None else LifState(*state),
                weight=linear.weight,
                weight_bias=linear.bias,
                weight_rec=neurons.weight_rec if neurons.spiking else None,
                delay=hops[name] if layers else 0,
            )
        )
    out = run_layers(x, layers)
    for pair, layer in zip(group, layers, strict=True):
        pair.neurons.state = layer.final
    return out.reshape(*out.shape[:2], *group[-1].neurons.shape)


def run_small(group: list[Pair], x: Tensor) -> Tensor:
    """Run modules in one node without events, and leave their states as they would."""
    from .kernels._layer import DenseLayer, run_dense_layers

    group[0].linear.check_input(x)
    layers = [
        DenseLayer(
            neurons.parameters_of_step(),
            neurons.surrogate,
            neurons.start_state(x)
            if not neurons.stateful or neurons.state is None
            else LifState(*neurons.state),
            weight=linear.weight,
            weight_bias=linear.bias,
        )
        for _, linear, neurons in group
    ]
    out = run_dense_layers(x, layers)
    for pair, layer in zip(group, layers, strict=True):
        pair.neurons.state = layer.final
    return out.reshape(*out.shape[:2], *group[-1].neurons.shape)


def has_hooks(module: nn.Module) -> bool:
    """Whether somebody wants to see the input or output of a module."""
    return bool(
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
    )
