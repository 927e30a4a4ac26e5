"""The leaky-integrator kernels as differentiable torch functions.

References
----------
lava-dl 0.6.0, slayer: the surrogate and the backward pass of its CUBA neuron, in which the reset
has no gradient; that of a decay is not divided by 4096 and has the opposite sign of the true one.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from ._leaky import (
    Codes,
    Doubles,
    Floats,
    cuba_backward,
    cuba_forward,
    find_events,
    integrate_backward,
    integrate_forward,
    outer_events,
)
from ._order import first_order

_NO_FLOATS: Floats = np.zeros((0, 0, 0), dtype=np.float32)
_NO_CODES: Codes = np.zeros((0, 0), dtype=np.int32)
_NO_LIST: Codes = np.zeros(0, dtype=np.int32)


class Firing(NamedTuple):
    """Threshold as an integer, or inf; surrogate width and height; whether spikes are graded."""

    threshold: float
    width: float
    height: float
    graded: bool = False


class Events(NamedTuple):
    """Non-zero entries of ``(rows, n_in)``; those of a row lie between two pointers."""

    pointer: Codes
    channel: Codes


class Run(NamedTuple):
    """What a run returns beside its output: states ``(batch, n)`` and how many left 24 bits."""

    output: Tensor
    states: tuple[Tensor, ...]
    overflow: int


def array(x: Tensor) -> Floats:
    """View a tensor as a contiguous float32 array."""
    return cast("Floats", x.detach().to(torch.float32).contiguous().numpy())


def keep_of(decay: Tensor) -> Doubles:
    """Give the kept fraction ``(4096 - D)/4096``, exact in float64."""
    return cast("Doubles", ((4096.0 - decay.detach().double()) / 4096.0).contiguous().numpy())


def list_events(x: Tensor) -> Events | None:
    """List the spikes of ``(batch, time, n_in)``; None where they are not binary or too many."""
    if x.numel() >= np.iinfo(np.int32).max:
        return None
    flat = array(x).reshape(-1, x.shape[-1])
    pointer: Codes = np.zeros(flat.shape[0] + 1, dtype=np.int32)
    channel: Codes = np.zeros(flat.size + 1, dtype=np.int32)
    return Events(pointer, channel) if find_events(flat, pointer, channel) else None


def surrogate(v: Tensor, threshold: Tensor | float, rule: Firing) -> Tensor:
    """Give the derivative of the spikes at voltages; a width of 0 has none."""
    if not rule.width > 0.0:
        return torch.zeros_like(v)
    distance = v - threshold
    if rule.graded:
        return distance.clamp_(max=0.0).div_(rule.width).exp_().mul_(rule.height)
    scale = rule.height / (2.0 * rule.width)
    return distance.abs_().mul_(-1.0 / rule.width).exp_().mul_(scale)


def threshold_of(rule: Firing) -> float:
    """Give the threshold in model units where the surrogate has its peak."""
    return (rule.threshold + 0.01) / 4096.0


class _Cuba(torch.autograd.Function):
    """The fused neuron, on currents ``x`` or on spikes ``x`` through ``weight``."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        decay_u: Tensor,
        decay_v: Tensor,
        rule: Firing,
        states: tuple[Tensor, Tensor],
        events: Events | None,
        found: list[int],
    ) -> Tensor:
        batch, time = x.shape[:2]
        n = x.shape[2] if weight is None else weight.shape[0]
        keeps = keep_of(decay_u), keep_of(decay_v)
        needs = any(ctx.needs_input_grad)
        train = any(ctx.needs_input_grad[2:4])
        out = np.empty((batch, time, n), dtype=np.float32)
        u = np.empty_like(out) if train else _NO_FLOATS
        v = np.empty_like(out) if needs else _NO_FLOATS
        z, pointer, channel, codes = array(x), _NO_LIST, _NO_LIST, _NO_CODES
        if events is not None and weight is not None:
            pointer, channel = events
            codes = integer_weights(weight)
        found.append(
            cuba_forward(
                z, pointer, channel, codes, *keeps, rule.threshold, rule.graded,
                states[0].numpy(), states[1].numpy(), u, v, out,
            )
        )  # fmt: skip
        ctx.rule, ctx.keeps, ctx.events, ctx.train = rule, keeps, events, train
        kept = (x, weight, torch.from_numpy(u), torch.from_numpy(v))
        ctx.save_for_backward(*(kept if needs else ()))
        return torch.from_numpy(out)

    @staticmethod
    @first_order
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, u, v = ctx.saved_tensors
        gs = surrogate(v, threshold_of(ctx.rule), ctx.rule).mul_(g)
        n = gs.shape[2]
        gz = np.empty(tuple(gs.shape), dtype=np.float32)
        decays: list[Doubles] = [np.zeros(n), np.zeros(n)]
        keep_u, keep_v = ctx.keeps
        cuba_backward(gs.numpy(), keep_u, keep_v, u.numpy(), v.numpy(), gz, *decays)
        grads = [torch.from_numpy(d).float() if ctx.train else None for d in decays]
        gx: Tensor | None = torch.from_numpy(gz)
        gw = None
        if weight is not None:
            rows = gz.reshape(-1, n)
            gw = _weight_gradient(rows, x, ctx.events) if ctx.needs_input_grad[1] else None
            gx = torch.from_numpy(rows).mm(weight).view_as(x) if ctx.needs_input_grad[0] else None
        return gx, gw, grads[0], grads[1], None, None, None, None


def _weight_gradient(rows: Floats, x: Tensor, events: Events) -> Tensor:
    """Give ``(n, n_in)``: event by event where few inputs spike, else as a matrix product."""
    if int(events.pointer[-1]) * 8 > x.numel():
        return torch.from_numpy(rows).t().mm(x.reshape(-1, x.shape[-1]))
    gradient = np.zeros((x.shape[-1], rows.shape[1]), dtype=np.float32)
    outer_events(rows, events.pointer, events.channel, gradient)
    return torch.from_numpy(gradient).t()


def integer_weights(weight: Tensor) -> Codes:
    """Give ``4096 * weight`` as ``(n_in, n)`` integers."""
    return cast("Codes", (weight.detach().t() * 4096.0).to(torch.int32).contiguous().numpy())


def on_grid(weight: Tensor) -> bool:
    """Say whether weights are multiples of 1/4096 whose sums stay within 31 bits."""
    scaled = weight.detach() * 4096.0
    if not scaled.numel():
        return False
    small = float(scaled.abs().max()) * weight.shape[1] < 2.0**31
    return small and torch.equal(scaled, torch.round(scaled))


class _Integrate(torch.autograd.Function):
    """One leaky integrator."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, decay: Tensor, threshold: float, state: Tensor, found: list[int]
    ) -> Tensor:
        keep = keep_of(decay)
        out = np.empty(tuple(x.shape), dtype=np.float32)
        found.append(integrate_forward(array(x), keep, threshold, state.numpy(), out))
        ctx.keep = keep
        result = torch.from_numpy(out)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    @first_order
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        (out,) = ctx.saved_tensors
        gx = np.empty(tuple(out.shape), dtype=np.float32)
        grad = np.zeros(out.shape[2])
        integrate_backward(array(g), ctx.keep, out.numpy(), gx, grad)
        return torch.from_numpy(gx), torch.from_numpy(grad).float(), None, None, None


class _Fire(torch.autograd.Function):
    """Spikes that are known already, with the surrogate as their derivative."""

    @staticmethod
    def forward(
        ctx: Any, v: Tensor, spikes: Tensor, threshold: Tensor | float, rule: Firing
    ) -> Tensor:
        ctx.rule = rule
        ctx.threshold = threshold
        ctx.save_for_backward(v)
        return spikes.clone()

    @staticmethod
    @first_order
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        (v,) = ctx.saved_tensors
        return surrogate(v, ctx.threshold, ctx.rule).mul_(g), None, None, None


def fused_cuba(
    x: Tensor,
    weight: Tensor | None,
    decays: tuple[Tensor, Tensor],
    rule: Firing,
    *,
    states: tuple[Tensor, Tensor],
    events: Events | None = None,
) -> Run:
    """Run a CUBA layer: on ``x`` ``(batch, time, n)``, or on events through ``weight``.

    Parameters
    ----------
    x : Tensor
        Currents, or the binary spikes ``(batch, time, n_in)`` that ``events`` lists.
    weight : Tensor or None
        ``(n, n_in)``, multiples of 1/4096.
    decays : pair of Tensor
        Of current and voltage, ``(n,)``, integers 0..4096.
    rule : Firing
        Threshold and surrogate.
    states : pair of Tensor
        Current and voltage ``(batch, n)``, float64 integers; not changed.
    events : Events or None
        Of ``x``.

    Returns
    -------
    Run
        Spikes ``(batch, time, n)``, new states, overflow.
    """
    new = states[0].clone(), states[1].clone()
    found: list[int] = []
    out = _Cuba.apply(x, weight, *decays, rule, new, events, found)  # type: ignore[no-untyped-call]
    return Run(cast("Tensor", out), new, found[0])


def integrate(x: Tensor, decay: Tensor, state: Tensor, *, threshold: float = np.inf) -> Run:
    """Run one leaky integrator over ``(batch, time, n)``.

    Parameters
    ----------
    x : Tensor
        Input in model units.
    decay : Tensor
        ``(n,)``, integers 0..4096.
    state : Tensor
        ``(batch, n)``, float64 integers; not changed.
    threshold : float
        Integer above which the state returns to 0 after a step; inf never.

    Returns
    -------
    Run
        Output before the reset, in model units.
    """
    new = state.clone()
    found: list[int] = []
    out = _Integrate.apply(x, decay, threshold, new, found)  # type: ignore[no-untyped-call]
    return Run(cast("Tensor", out), (new,), found[0])


def fire(v: Tensor, spikes: Tensor, threshold: Tensor | float, rule: Firing) -> Tensor:
    """Give spikes a gradient with respect to the voltage."""
    return cast("Tensor", _Fire.apply(v, spikes, threshold, rule))  # type: ignore[no-untyped-call]
