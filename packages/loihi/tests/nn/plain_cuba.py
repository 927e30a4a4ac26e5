"""The CUBA neuron three times more, without a line of the package.

`scalar_cuba` is Python ints. `loop_cuba` is what one writes without a kernel: a step in a loop over
time, with torch's autograd. `plain_cuba` has a backward pass written by hand as a second loop.
"""

from __future__ import annotations

import numpy as np
import torch


def dz(product: int) -> int:
    """Shift right by 12, rounding toward zero."""
    return -((-product) >> 12) if product < 0 else product >> 12


def units(value: float) -> int:
    """Cut the float32 product with 4096 to an integer."""
    return int(np.float32(4096) * np.float32(value))


def scalar_cuba(z, decay_u, decay_v, threshold_code, *, u0=0, v0=0):
    """Run one neuron over a list of floats; return integers u, v before the reset, and spikes."""
    u, v, us, vs, spikes = u0, v0, [], [], []
    for x in z:
        u = dz(u * (4096 - decay_u)) + units(x)
        v = dz(v * (4096 - decay_v)) + u
        fired = threshold_code is not None and v > 64 * threshold_code
        us.append(u)
        vs.append(v)
        spikes.append(int(fired))
        v = 0 if fired else v
    return us, vs, spikes


def scalar_layer(z, decay_u, decay_v, threshold_code):
    """Run every neuron of ``(time, n)``; decays ``(n,)``; arrays ``(time, n)``."""
    runs = [
        scalar_cuba(z[:, k].tolist(), int(decay_u[k]), int(decay_v[k]), threshold_code)
        for k in range(z.shape[1])
    ]
    return tuple(np.array([run[i] for run in runs], dtype=np.int64).T for i in range(3))


class PlainIntegrator(torch.autograd.Function):
    """A leaky integrator over ``(batch, time, n)``; ``above`` is an integer or None."""

    @staticmethod
    def forward(ctx, x, decay, above):
        keep = 4096 - torch.round(decay.detach()).to(torch.int64)
        drive = (x.detach().to(torch.float32) * 4096).to(torch.int64)
        state = torch.zeros(x.shape[0], x.shape[2], dtype=torch.int64)
        out = torch.empty(x.shape, dtype=x.dtype)
        for t in range(x.shape[1]):
            product = state * keep
            state = torch.sign(product) * (product.abs() >> 12) + drive[:, t]
            out[:, t] = state.to(x.dtype) / 4096
            if above is not None:
                state = torch.where(state > above, torch.zeros_like(state), state)
        ctx.save_for_backward(out, decay)
        return out

    @staticmethod
    def backward(ctx, g):
        out, decay = ctx.saved_tensors
        keep = 1 - torch.round(decay) / 4096
        gx, carried = torch.empty_like(g), torch.zeros_like(g[:, 0])
        for t in range(g.shape[1] - 1, -1, -1):
            carried = keep * carried + g[:, t]
            gx[:, t] = carried
        grad = (gx[:, 1:] * out[:, :-1]).sum((0, 1))
        return gx, grad.sum().view(1) if decay.numel() == 1 else grad, None


class PlainSpike(torch.autograd.Function):
    """Spikes above an integer threshold with an exponential surrogate."""

    @staticmethod
    def forward(ctx, v, above, width, height, graded):
        ctx.rule = above, width, height, graded
        ctx.save_for_backward(v)
        fired = v * 4096 > above
        return v * fired if graded else fired.to(v.dtype)

    @staticmethod
    def backward(ctx, g):
        (v,) = ctx.saved_tensors
        above, width, height, graded = ctx.rule
        distance = v - (above + 0.01) / 4096
        if graded:
            return g * height * torch.exp(distance.clamp(max=0) / width), None, None, None, None
        shape = torch.exp(-distance.abs() / width)
        return g * height / (2 * width) * shape, None, None, None, None


def plain_cuba(z, decay_u, decay_v, threshold, *, tau_grad=1.0, scale_grad=1.0, graded=False):
    """Run ``(batch, time, n)`` with decays times 4096; the threshold is a multiple of 1/64."""
    above = round(threshold * 4096)
    u = PlainIntegrator.apply(z, decay_u, None)
    v = PlainIntegrator.apply(u, decay_v, above)
    return PlainSpike.apply(v, above, tau_grad * threshold * 100, scale_grad * 0.1, graded)


class DecayStep(torch.autograd.Function):
    """One step of an integrator: integers forward, the plain product backward."""

    @staticmethod
    def forward(ctx, state, x, keep):
        ctx.keep = keep
        product = (state * 4096).to(torch.int64) * keep
        kept = torch.sign(product) * (product.abs() >> 12)
        return (kept + (x.to(torch.float32) * 4096).to(torch.int64)).to(state.dtype) / 4096

    @staticmethod
    def backward(ctx, g):
        return g * (ctx.keep / 4096), g, None


def loop_cuba(z, decay_u, decay_v, threshold):
    """Run ``(batch, time, n)`` step by step; autograd keeps the graph. Decays are not trained."""
    keep_u, keep_v = (4096 - torch.round(d.detach()).to(torch.int64) for d in (decay_u, decay_v))
    above, width = round(threshold * 4096), threshold * 100
    u = v = torch.zeros_like(z[:, 0])
    spikes = []
    for x in z.unbind(1):
        u = DecayStep.apply(u, x, keep_u)
        v = DecayStep.apply(v, u, keep_v)
        spikes.append(PlainSpike.apply(v, above, width, 0.1, False))
        v = v * (1 - spikes[-1].detach()) + (v - v.detach()) * spikes[-1].detach()
    return torch.stack(spikes, 1)
