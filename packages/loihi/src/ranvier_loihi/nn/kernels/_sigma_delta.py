"""The delta encoder over the whole time loop, as a differentiable torch function."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from ._jit import exact
from ._leaky import F32, LSB, UNIT, Floats
from ._leaky_functions import array
from ._order import first_order


class DeltaRun(NamedTuple):
    """Messages ``(batch, time, n)`` and the new states."""

    output: Tensor
    states: tuple[Tensor, ...]


@exact
def delta_forward(
    x: Floats,
    threshold: F32,
    cumulative: bool,
    before: Floats,
    residual: Floats,
    error: Floats,
    change: Floats,
    out: Floats,
) -> None:
    """Send a change where it reaches the threshold, keep what was not sent.

    With ``cumulative`` the test is on the sum of changes since the last message. ``change`` gets
    the change of every step; the states ``(batch, n)`` are updated.
    """
    batch, time, n = x.shape
    for b in range(batch):
        for t in range(time):
            for m in range(n):
                d = x[b, t, m] - before[b, m] + residual[b, m]
                error[b, m] += d
                tested = error[b, m] if cumulative else d
                sent = abs(tested) >= threshold
                y = d if sent else F32(0.0)
                residual[b, m] = d - y
                error[b, m] = F32(0.0) if sent else error[b, m]
                before[b, m] = x[b, t, m]
                change[b, t, m] = d
                out[b, t, m] = np.floor(y * UNIT) * LSB


class _Delta(torch.autograd.Function):
    """The delta encoder; residual and previous value carry no gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        threshold: Tensor,
        surrogate: tuple[float, float],
        cumulative: bool,
        states: tuple[Tensor, ...],
    ) -> Tensor:
        values = array(x)
        change, out = np.empty_like(values), np.empty_like(values)
        before, residual, error = (state.numpy() for state in states)
        level = np.float32(threshold.item())
        delta_forward(values, level, cumulative, before, residual, error, change, out)
        ctx.surrogate = surrogate
        ctx.save_for_backward(torch.from_numpy(change), threshold.detach().clone())
        return torch.from_numpy(out)

    @staticmethod
    @first_order
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        change, threshold = ctx.saved_tensors
        tau_grad, scale_grad = ctx.surrogate
        gx = g.clone()
        gx[:, :-1] -= g[:, 1:]
        size = change.abs()
        sent = -change * scale_grad * torch.exp(-(size - threshold) / tau_grad) / threshold
        slope = torch.where(size > threshold, sent, -torch.sign(change))
        return gx, (g * slope).sum().view(1), None, None, None


def encode_delta(
    x: Tensor,
    threshold: Tensor,
    *,
    surrogate: tuple[float, float],
    cumulative: bool,
    states: tuple[Tensor, ...],
) -> DeltaRun:
    """Encode changes of ``(batch, time, n)``.

    Parameters
    ----------
    x : Tensor
        Values, model units.
    threshold : Tensor
        ``(1,)``, above 0.
    surrogate : pair of float
        Width and height of the threshold's gradient.
    cumulative : bool
        Whether the changes since the last message are tested, instead of the last one.
    states : tuple of three Tensor
        Previous value, residual and error ``(batch, n)``, float32; not changed.

    Returns
    -------
    DeltaRun
        Messages are multiples of 1/4096, rounded down.
    """
    new = tuple(state.clone() for state in states)
    out = _Delta.apply(x, threshold, surrogate, cumulative, new)  # type: ignore[no-untyped-call]
    return DeltaRun(cast("Tensor", out), new)
