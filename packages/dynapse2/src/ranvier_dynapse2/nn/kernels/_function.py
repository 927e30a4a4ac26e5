"""The kernels as a differentiable torch function."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .._constants import Constants
from .._surrogates import Surrogate
from ._backward import run_backward
from ._forward import run_forward
from ._order import first_order

Floats = NDArray[np.float32]


class State(NamedTuple):
    """State of a layer in float32: ``i_syn`` ``(ports, lanes)``, the rest ``(lanes,)``."""

    i_syn: Floats
    i_ahp: Floats
    i_mem: Floats
    v_mem: Floats
    spikes: Floats
    timer: Floats


class Kept(NamedTuple):
    """Rows of all steps, ``(time, lanes)``; ``drive`` and ``i_syn`` ``(time, ports, lanes)``.

    ``i_pre`` is the membrane before the reset, ``force`` what drives it. Rows that are not needed
    afterwards have room for one step only.
    """

    drive: Floats
    spikes: Floats
    i_pre: Floats
    i_ahp: Floats
    i_in: Floats
    fb: Floats
    force: Floats
    i_syn: Floats
    v_mem: Floats


class Run(NamedTuple):
    """Spike counts, differentiable; final state; what was kept."""

    out: Tensor
    state: State
    kept: Kept


def _room(drive: Floats, *, train: bool, trace: bool) -> Kept:
    """Give room for a run."""
    time, ports, lanes = drive.shape
    rows = time if train or trace else 1
    wide = time if trace or (train and ports > 1) else 0
    i_pre, i_ahp, i_in, fb, force = (np.empty((rows, lanes), dtype=np.float32) for _ in range(5))
    return Kept(
        drive=drive,
        spikes=np.empty((time, lanes), dtype=np.float32),
        i_pre=i_pre,
        i_ahp=i_ahp,
        i_in=i_in,
        fb=fb,
        force=force,
        i_syn=np.empty((wide, ports, lanes), dtype=np.float32),
        v_mem=np.empty((time if trace else 0, lanes), dtype=np.float32),
    )


def _rows(weight: Tensor | None, ports: int) -> Floats:
    """Give recurrent weights ``(n * ports, n)`` as ``(ports, n, n)``, second axis the source."""
    if weight is None:
        return np.zeros((ports, 0, 0), dtype=np.float32)
    n = weight.shape[1]
    split = weight.detach().reshape(n, ports, n)
    return cast("Floats", split.permute(1, 2, 0).contiguous().numpy())


def lanes_of(x: Tensor, ports: int) -> Tensor:
    """Give ``(batch, time, n * ports)`` as ``(time, ports, batch * n)``, a copy."""
    batch, time, columns = x.shape
    split = x.detach().reshape(batch, time, columns // ports, ports).permute(1, 3, 0, 2)
    rows = split.clone(memory_format=torch.contiguous_format)
    return rows.reshape(time, ports, batch * columns // ports)


def columns_of(rows: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Give ``(time, ports, batch * n)`` as ``(batch, time, n * ports)``; inverse of `lanes_of`."""
    batch, time, columns = shape
    ports = rows.shape[1]
    n = columns // ports
    split = rows.reshape(time, ports, batch, n).permute(2, 0, 3, 1)
    return split.reshape(batch, time, n * ports)


class _Fused(torch.autograd.Function):
    """A layer over all time."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        constants: Constants,
        surrogate: Surrogate,
        start: State,
        trace: bool,
        found: list[Any],
    ) -> Tensor:
        train = any(ctx.needs_input_grad)
        ports = constants.keep_syn.shape[0]
        kept = _room(lanes_of(x, ports).numpy(), train=train, trace=trace)
        state = State(*(part.copy() for part in start))
        run_forward(_rows(weight, ports), constants, state, kept, trace)
        found.extend((state, kept))
        if train:
            ctx.rest = (constants, surrogate, start, kept)
            ctx.save_for_backward(weight)
        shape = (*x.shape[:2], x.shape[2] // ports)
        return columns_of(torch.from_numpy(kept.spikes).unsqueeze(1), shape).clone()

    @staticmethod
    @first_order
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        constants, surrogate, start, kept = ctx.rest
        batch, ports = g.shape[0], kept.drive.shape[1]
        slope = surrogate.derivative(
            torch.from_numpy(kept.i_pre),
            torch.from_numpy(constants.i_spkthr),
            torch.from_numpy(constants.i_o),
        )
        gx, rows = np.empty_like(kept.drive), _rows(weight, ports)
        gw = np.zeros_like(rows)
        run_backward(
            lanes_of(g.to(torch.float32), 1)[:, 0].numpy(), slope.contiguous().numpy(),
            surrogate.through_reset, rows, constants, start, kept, gx, gw,
        )  # fmt: skip
        shape = (batch, g.shape[1], g.shape[2] * ports)
        gx_columns = columns_of(torch.from_numpy(gx), shape)
        if weight is None:
            return gx_columns, *(None,) * 6
        gw_columns = torch.from_numpy(gw).permute(2, 0, 1).reshape(weight.shape)
        return gx_columns, gw_columns, *(None,) * 5


def fused_dpi(
    x: Tensor,
    weight: Tensor | None,
    constants: Constants,
    *,
    surrogate: Surrogate,
    state: State,
    trace: bool = False,
) -> Run:
    """Run a layer in one kernel, with a backward pass through all of its states.

    Parameters
    ----------
    x : Tensor
        Weighted input, float32 ``(batch, time, n * ports)``.
    weight : Tensor or None
        Recurrent weights, float32 ``(n * ports, n)``.
    constants : Constants
        Numbers of one step, for all ``batch * n`` lanes.
    surrogate : Surrogate
        Derivative of the spike counts.
    state : State
        Where to start; not changed.
    trace : bool
        Keep all traces, without gradients.

    Returns
    -------
    Run
        Spike counts ``(batch, time, n)``, final state, traces.
    """
    found: list[Any] = []
    out = _Fused.apply(  # type: ignore[no-untyped-call]
        x, weight, constants, surrogate, state, trace, found
    )
    return Run(cast("Tensor", out), *found)
