"""Resonators and adaptive thresholds as differentiable torch functions.

References
----------
lava-dl 0.6.0 documentation, slayer neurons ``alif``, ``rf``, ``rf_iz``, ``adrf``, ``adrf_iz``.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from ._leaky import Doubles
from ._leaky_functions import Firing, array
from ._order import first_order
from ._rotate import Adaptation, Resonance, adapt_forward, rotate_backward, rotate_forward


class RotateRun(NamedTuple):
    """States and spikes ``(batch, time, n)`` of a resonator; ``threshold`` is what was compared."""

    re: Tensor
    im: Tensor
    spikes: Tensor
    threshold: Tensor
    states: tuple[Tensor, ...]
    overflow: int


class AdaptRun(NamedTuple):
    """Spikes and thresholds ``(batch, time, n)`` of an adaptive neuron, and its new states."""

    spikes: Tensor
    threshold: Tensor
    states: tuple[Tensor, ...]


def fraction(codes: Tensor) -> Doubles:
    """Give integers over 4096, exact in float64."""
    return cast("Doubles", (codes.detach().double() / 4096.0).contiguous().numpy())


def adapt(v: Tensor, rule: Adaptation, states: tuple[Tensor, Tensor]) -> AdaptRun:
    """Fire against an adaptive threshold.

    Parameters
    ----------
    v : Tensor
        Voltage ``(batch, time, n)``, model units; no gradient passes here.
    rule : Adaptation
        Threshold at rest, its step, and what is kept per step.
    states : pair of Tensor
        Threshold above rest and refractory state, ``(batch, n)``; not changed.

    Returns
    -------
    AdaptRun
        Thresholds in model units.
    """
    new = states[0].clone(), states[1].clone()
    voltage = array(v)
    threshold, spikes = np.empty_like(voltage), np.empty_like(voltage)
    adapt_forward(voltage, rule, new[0].numpy(), new[1].numpy(), threshold, spikes)
    return AdaptRun(torch.from_numpy(spikes), torch.from_numpy(threshold), new)


class _Rotate(torch.autograd.Function):
    """A resonator: real and imaginary state are differentiable, spikes and thresholds are not."""

    @staticmethod
    def forward(
        ctx: Any,
        x_re: Tensor,
        x_im: Tensor,
        cos: Tensor,
        sin: Tensor,
        kind: Resonance,
        rule: Adaptation,
        states: tuple[Tensor, ...],
        found: list[int],
    ) -> tuple[Tensor, ...]:
        out = [np.empty(tuple(x_re.shape), dtype=np.float32) for _ in range(4)]
        factors = fraction(cos), fraction(sin)
        held = [state.numpy() for state in states]
        found.append(rotate_forward(array(x_re), array(x_im), *factors, kind, rule, *held, *out))
        re, im, threshold, spikes = (torch.from_numpy(values) for values in out)
        ctx.factors = factors
        ctx.save_for_backward(re, im)
        ctx.mark_non_differentiable(threshold, spikes)
        return re, im, threshold, spikes

    @staticmethod
    @first_order
    def backward(ctx: Any, g_re: Tensor, g_im: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        re, im = ctx.saved_tensors
        gx = [np.empty(tuple(re.shape), dtype=np.float32) for _ in range(2)]
        grads = [np.zeros(re.shape[2]) for _ in range(2)]
        cos, sin = ctx.factors
        states = re.numpy(), im.numpy()
        rotate_backward(array(g_re), array(g_im), cos, sin, *states, *gx, *grads)
        inputs = [torch.from_numpy(values) for values in gx]
        factors = [torch.from_numpy(values).float() for values in grads]
        return (*inputs, *factors, None, None, None, None)


class _FirePhase(torch.autograd.Function):
    """Spikes of a phase crossing that are known already, with their surrogate."""

    @staticmethod
    def forward(
        ctx: Any, re: Tensor, im: Tensor, spikes: Tensor, threshold: Tensor, rule: Firing
    ) -> Tensor:
        ctx.rule = rule
        ctx.save_for_backward(re, im, threshold)
        return spikes.clone()

    @staticmethod
    @first_order
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        re, im, threshold = ctx.saved_tensors
        width, height = ctx.rule.width, ctx.rule.height
        if not width > 0.0:
            return torch.zeros_like(re), torch.zeros_like(im), None, None, None
        above = re - threshold
        d_re = torch.exp(-above.abs() / width) / (2.0 * width)
        d_im = torch.exp(-im.abs() / width) / (2.0 * width)
        step = (1.0 + torch.sign(above) * (1.0 - 2.0 * width * d_re)) / 2.0
        g_im = -(height / width) * torch.sign(im) * d_im * step
        return g * height * d_re * d_im, g * g_im, None, None, None


def rotate(
    x: tuple[Tensor, Tensor],
    factors: tuple[Tensor, Tensor],
    kind: Resonance,
    rule: Adaptation,
    *,
    states: tuple[Tensor, ...],
) -> RotateRun:
    """Run a resonator over ``(batch, time, n)``.

    Parameters
    ----------
    x : pair of Tensor
        Real and imaginary input, model units.
    factors : pair of Tensor
        Cosine and sine times the damping, as integers over 4096, ``(n,)``.
    kind : Resonance
        When it fires and what a spike does.
    rule : Adaptation
        Its threshold.
    states : tuple of four Tensor
        ``re``, ``im``, threshold above rest, refractory state, ``(batch, n)``; not changed.

    Returns
    -------
    RotateRun
        ``re`` and ``im`` are differentiable and are those before a reset.
    """
    new = tuple(state.clone() for state in states)
    found: list[int] = []
    out = _Rotate.apply(*x, *factors, kind, rule, new, found)  # type: ignore[no-untyped-call]
    re, im, threshold, spikes = out
    return RotateRun(re, im, spikes, threshold, new, found[0])


def fire_phase(run: RotateRun, rule: Firing) -> Tensor:
    """Give the spikes of a phase crossing a gradient with respect to both states."""
    spikes = _FirePhase.apply(  # type: ignore[no-untyped-call]
        run.re, run.im, run.spikes, run.threshold, rule
    )
    return cast("Tensor", spikes)
