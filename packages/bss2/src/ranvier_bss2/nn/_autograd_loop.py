"""The layer as a plain loop of torch operations: slow, plain to read, the kernels' measure."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ranvier.nn.functional import replace_forward

from ..numerics import LayerState
from ._autograd_constants import Layer, constants_of
from ._results import AelifRun


def run_loop(
    x: Tensor, layer: Layer, *, alpha: float, observed: Mapping[str, Tensor], state: LayerState
) -> AelifRun:
    """Run `ranvier_bss2.nn.functional.aelif`, one operation after the other."""
    from .functional import superspike

    p = layer.parameters
    rows = constants_of(p, {}, at_rest=False) if layer.constants is None else layer.constants
    (
        leak, g, scale, keep, threshold, reset, steps, exp_gain, exp_slope, exp_threshold,
        w_keep, w_gain, w_leak, b, start,
    ) = rows.unbind()  # fmt: skip
    i, v, w, ref = (
        torch.tensor(s) for s in (state.i_syn, state.v_mem, state.w_adaptation, state.refractory)
    )
    v = replace_forward(start.expand_as(v), v) if start.requires_grad else v
    z = torch.zeros_like(v)
    sees_v, fires = "v_hw" in observed, p.has("fire")
    traces: list[tuple[Tensor, ...]] = []
    for t in range(x.shape[1]):
        seen = {name: trace[:, t] for name, trace in observed.items()}
        drive = i + g * (leak - v)
        if p.has("exponential"):
            drive = drive + exp_gain * torch.exp((v - exp_threshold) / exp_slope)
        if p.adapts:
            drive = drive - w
        v = _inject(v + scale * drive, seen.get("v_hw"))
        i = i * keep + x[:, t]
        if fires:
            z = _inject(superspike(v - threshold, alpha=alpha), seen.get("z_hw"))
        if p.adapts:
            w = w * w_keep
            if p.has("subthreshold_adaptation"):
                w = w + w_gain * (v - w_leak)
            if p.has("spike_triggered_adaptation"):
                w = w + b * z
            w = _inject(w, seen.get("w_hw"))
        if fires and not sees_v:
            v = torch.where(z.detach() > 0.0, reset, v)
        if p.terms.refractory:
            masked = ref > 0.0
            v = _inject(torch.where(masked, reset, v), seen.get("v_hw"))
            z = _inject(torch.where(masked, 0.0, z), seen.get("z_hw"))
            left = (ref - masked.to(ref.dtype)).clamp(min=0.0)
            ref = torch.where(z.detach() > 0.0, steps.detach(), left)
        traces.append((z, v, i, w))
    z, v_mem, i_syn, adaptation = (
        torch.stack([step[k] for step in traces], dim=1) if traces else torch.zeros_like(x)
        for k in range(4)
    )
    last = LayerState(
        i_syn=i.detach().numpy().copy(),
        v_mem=v.detach().numpy().copy(),
        w_adaptation=w.detach().numpy().copy(),
        refractory=ref.detach().numpy().copy(),
    )
    return AelifRun(z if fires else None, v_mem, i_syn, adaptation if p.adapts else None, last)


def _inject(model: Tensor, observed: Tensor | None) -> Tensor:
    """Put the observed value in the place of the model's, which keeps the gradient."""
    return model if observed is None else replace_forward(model, observed)
