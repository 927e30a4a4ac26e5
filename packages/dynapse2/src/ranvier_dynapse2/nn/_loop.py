"""The same layer as a plain loop of torch operations, with gradients by autograd.

Exponentials and logarithms are taken in float64 and rounded, as the kernels do, so that spikes are
the same. A limit has derivative 1 above it and 0 at and below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from ._constants import Constants
from ._surrogates import Surrogate

Parts = tuple[Tensor, ...]


class LoopRun(NamedTuple):
    """Spike counts, final state and traces by name, all differentiable."""

    out: Tensor
    state: Parts
    traces: Mapping[str, Tensor]


class _Count(torch.autograd.Function):
    """Spike counts of membrane currents, with a surrogate as derivative."""

    @staticmethod
    def forward(
        ctx: Any, i_mem: Tensor, i_spkthr: Tensor, i_o: Tensor, surrogate: Surrogate
    ) -> Tensor:
        ctx.surrogate = surrogate
        ctx.save_for_backward(i_mem, i_spkthr, i_o)
        return torch.log((i_mem / i_spkthr).double()).float().ceil().clamp(min=0.0)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        i_mem, i_spkthr, i_o = ctx.saved_tensors
        return g * ctx.surrogate.derivative(i_mem, i_spkthr, i_o), None, None, None


def _floor_at(value: Tensor, low: Tensor) -> Tensor:
    return torch.where(value <= low, low, value)


def _exp(x: Tensor) -> Tensor:
    return torch.exp(x.double()).float()


def _log(x: Tensor) -> Tensor:
    return torch.log(x.double()).float()


def loop_dpi(
    x: Tensor,
    weight: Tensor | None,
    constants: Constants,
    *,
    surrogate: Surrogate,
    state: Parts,
    trace: bool = False,
) -> LoopRun:
    """Run a layer step by step.

    Parameters
    ----------
    x : Tensor
        Weighted input, float32 ``(batch, time, n * ports)``.
    weight : Tensor or None
        Recurrent weights, float32 ``(n * ports, n)``.
    constants : Constants
        Numbers of one step.
    surrogate : Surrogate
        Derivative of the spike counts.
    state : tuple of Tensor
        ``i_syn`` ``(batch, ports, n)``; ``i_ahp``, ``i_mem``, ``v_mem``, ``spikes``, ``timer``
        ``(batch, n)``.
    trace : bool
        Also give the traces.

    Returns
    -------
    LoopRun
        Spike counts ``(batch, time, n)``, final state, traces of the first four states with the
        time as second axis.
    """
    c = _Step(constants, surrogate)
    outs: list[Tensor] = []
    seen: list[Parts] = []
    for x_t in x.unbind(1):
        drive = x_t if weight is None else state[4] @ weight.t() + x_t
        state = c.run(drive, state)
        outs.append(state[4])
        if trace:
            seen.append(state[:4])
    out = torch.stack(outs, 1) if outs else x[:, :, : c.n]
    names = ("i_syn", "i_ahp", "i_mem", "v_mem")
    columns = zip(*seen, strict=True)
    traces = {n: torch.stack(part, 1) for n, part in zip(names, columns, strict=False)}
    return LoopRun(out, state, traces)


class _Step:
    """One step of a layer."""

    def __init__(self, constants: Constants, surrogate: Surrogate) -> None:
        self.c = constants
        self.t = {
            name: torch.from_numpy(values)
            for name, values in constants._asdict().items()
            if not isinstance(values, (int, float))
        }
        self.surrogate = surrogate
        self.n = constants.i_o.shape[0]

    def run(self, drive: Tensor, state: Parts) -> Parts:
        """Advance by one step; ``drive`` is ``(batch, n * ports)``."""
        t, ports = self.t, self.c.keep_syn.shape[0]
        i_o = t["i_o"]
        isyn, iahp, imem, vmem, spikes, timer = state
        wide = drive.reshape(-1, self.n, ports).transpose(1, 2) * t["scale"]
        steady = _floor_at(t["ratio_syn"] * wide, i_o)
        isyn = t["keep_syn"] * isyn + t["add_syn"] * steady
        iahp = _floor_at(t["keep_ahp"] * iahp + t["add_ahp"] * spikes, i_o)
        fb = i_o * _exp(t["kappa_fb"] * vmem / t["u_t"])
        free = timer == 0
        terms = self._merged if ports == 1 else self._four
        leak, inf, level = terms(isyn, iahp, imem, free)
        rise = imem + t["gain"]
        force = inf + fb / leak * rise - imem * level
        speed = imem / (t["charge"] / leak * rise)
        imem = _floor_at(imem + speed * force * self.c.dt, i_o)
        vmem = t["volt"] * _log(imem / i_o)
        s = cast("Tensor", _Count.apply(imem, t["i_spkthr"], i_o, self.surrogate))  # type: ignore[no-untyped-call]
        counted = s if self.surrogate.through_reset else s.detach()
        fired = torch.where(counted > 1.0, torch.ones_like(s), counted)
        after = (1.0 - fired) * imem + fired * i_o
        rest = (timer - self.c.tick).clamp(min=0.0)
        timer = torch.where(s.detach() > 0.0, t["block"], rest)
        return isyn, iahp, after, vmem, s, timer

    def _merged(self, isyn: Tensor, iahp: Tensor, imem: Tensor, free: Tensor) -> Parts:
        """Give leak, driving current and leak factor with a merged synapse."""
        t = self.t
        leak = t["leak"] + iahp
        net = (isyn[:, 0] - leak + t["i_dc"]) * free
        inf = t["ratio_mem"] * (_floor_at(net, t["i_o"]) - leak)
        return leak, inf, 1.0 + iahp / t["leak"]

    def _four(self, isyn: Tensor, iahp: Tensor, imem: Tensor, free: Tensor) -> Parts:
        """Give leak, driving current and leak factor with four synapses."""
        t = self.t
        ampa, gaba, nmda, shunt = isyn.unbind(1)
        gated = nmda / (1.0 + t["i_f_nmda"] / imem)
        leak = t["leak"] + shunt
        net = (gated + ampa - gaba + t["i_dc"]) * free
        inf = t["ratio_mem"] * (_floor_at(net, t["i_o"]) - iahp - leak)
        return leak, inf, 1.0 + iahp / leak
