"""Loops of neurons: one step after the other, in torch operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ranvier.nn.functional import replace_forward

from ._autograd_constants import constants_of, resolve
from ._layer import NeuronLayer
from ._program import Link
from .functional import superspike


class Traces(NamedTuple):
    """What neurons of a loop did, (batch, time, n) each; spikes are zeros if they do not fire."""

    spikes: Tensor
    v_mem: Tensor
    i_syn: Tensor
    w_adaptation: Tensor


class Member(NamedTuple):
    """Neurons of a loop.

    Attributes
    ----------
    layer : NeuronLayer
        The neurons.
    outer : Tensor or None
        Sum of weighted inputs from outside, (batch, time, n).
    links : sequence of Link
        Projections from inside.
    observed : mapping of str to Tensor
        ``v_hw`` and ``z_hw``, (batch, time, n), of a chip.
    """

    layer: NeuronLayer[Any]
    outer: Tensor | None
    links: Sequence[Link]
    observed: Mapping[str, Tensor]


class Stepper:
    """Advances neurons by a step, in the order that `ranvier_bss2.numerics` writes down."""

    def __init__(self, layer: NeuronLayer[Any], batch: int) -> None:
        resolved = resolve(layer.neuron_parameters(), layer.trained(), at_rest=True)
        self.p, self.alpha = resolved.parameters, layer.alpha
        rows = resolved.constants
        if rows is None:
            rows = constants_of(self.p, {}, at_rest=True)
        self.rows = rows.unbind()
        self.v = self.rows[-1].expand(batch, self.p.n)
        self.i = torch.zeros(batch, self.p.n)
        self.w, self.ref = torch.zeros_like(self.i), torch.zeros_like(self.i)

    def step(self, x: Tensor, seen: Mapping[str, Tensor]) -> Traces:
        """Return spikes, membrane, current and adaptation after a step, (batch, n) each."""
        (
            leak, g, scale, keep, threshold, reset, steps, exp_gain, exp_slope, exp_threshold,
            w_keep, w_gain, w_leak, b, _,
        ) = self.rows  # fmt: skip
        p, z = self.p, torch.zeros_like(self.i)
        drive = self.i + g * (leak - self.v)
        if p.has("exponential"):
            drive = drive + exp_gain * torch.exp((self.v - exp_threshold) / exp_slope)
        if p.adapts:
            drive = drive - self.w
        v = _inject(self.v + scale * drive, seen.get("v_hw"))
        self.i = self.i * keep + x
        if p.has("fire"):
            z = _inject(superspike(v - threshold, alpha=self.alpha), seen.get("z_hw"))
        if p.adapts:
            self.w = self.w * w_keep
            if p.has("subthreshold_adaptation"):
                self.w = self.w + w_gain * (v - w_leak)
            if p.has("spike_triggered_adaptation"):
                self.w = self.w + b * z
        if p.has("fire") and "v_hw" not in seen:
            v = torch.where(z.detach() > 0.0, reset, v)
        if p.terms.refractory:
            masked = self.ref > 0.0
            v = _inject(torch.where(masked, reset, v), seen.get("v_hw"))
            z = _inject(torch.where(masked, 0.0, z), seen.get("z_hw"))
            left = (self.ref - masked.to(self.ref.dtype)).clamp(min=0.0)
            self.ref = torch.where(z.detach() > 0.0, steps.detach(), left)
        self.v = v
        return Traces(z, v, self.i, self.w)


def run_loop(
    members: Mapping[str, Member], *, batch: int, steps: int
) -> tuple[dict[str, Traces], dict[str, Tensor]]:
    """Run neurons that feed each other.

    Parameters
    ----------
    members : mapping of str to Member
        By name, in the order of computation: spikes reach later members in the same step, others
        in the next one.
    batch, steps : int
        Of the run.

    Returns
    -------
    tuple
        Traces by name of the neurons, and weighted spikes, (batch, time, n), by name of the
        synapse.
    """
    steppers = {name: Stepper(m.layer, batch) for name, m in members.items()}
    kept: dict[str, list[Traces]] = {name: [] for name in members}
    graded: dict[str, list[Tensor]] = {
        q.call.module.name: [] for m in members.values() for q in m.links
    }
    spikes = {name: torch.zeros(batch, m.layer.size) for name, m in members.items()}
    for t in range(steps):
        before = dict(spikes)
        for name, member in members.items():
            x = torch.zeros(batch, member.layer.size)
            x = x if member.outer is None else x + member.outer[:, t]
            for q in member.links:
                source = (before if q.delay else spikes)[q.source]
                part = q.synapse.weigh(source if q.mask is None else source * q.mask)
                graded[q.call.module.name].append(part)
                x = x + part
            seen = {key: trace[:, t] for key, trace in member.observed.items()}
            done = steppers[name].step(x, seen)
            kept[name].append(done)
            spikes[name] = done.spikes
    traces = {name: _stacked(rows) for name, rows in kept.items()}
    return traces, {name: torch.stack(rows, dim=1) for name, rows in graded.items()}


def _stacked(rows: Sequence[Traces]) -> Traces:
    return Traces(*(torch.stack(parts, dim=1) for parts in zip(*rows, strict=True)))


def _inject(model: Tensor, observed: Tensor | None) -> Tensor:
    return model if observed is None else replace_forward(model, observed)
