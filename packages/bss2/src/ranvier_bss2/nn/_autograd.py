"""The compiled layer as one node of autograd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ranvier.errors import SimulationError

from ..kernels.arrangement import Arrangement
from ..kernels.lanes import WIDTH
from ..kernels.layers import Events, Floats, Observed, Records, States
from ..numerics import LayerState, NeuronParameters
from ..numerics.run import NO_MASK, NO_TRACE, begin_of, launch, observed_of
from ._autograd_constants import Layer
from ._results import AelifRun
from .kernels._backward import Given, run_backward, run_listed_backward
from .kernels._trained import ROWS

NO_TOTALS: Floats = np.zeros((1, 0), dtype=np.float32)
"""Gradients of constants that nobody asked for."""


class Task(NamedTuple):
    """What a run needs beside its differentiable inputs; the last state is put into ``end``."""

    parameters: NeuronParameters
    alpha: float
    arrangement: Arrangement
    observed: Observed
    start: States
    record: bool
    grad: bool
    end: list[LayerState]


def refuse_second_order() -> None:
    """Raise where a backward pass is itself to be differentiated (``create_graph=True``).

    Raises
    ------
    SimulationError
        Gradients are enabled, as they are only then during a backward pass.
    """
    if torch.is_grad_enabled():
        raise SimulationError(
            "bss2: the kernels compute first derivatives only, and create_graph=True asks for "
            "second ones; leave create_graph out, or use backend='loop'"
        )


def array_of(tensor: Tensor | None) -> Floats:
    """View a tensor as a contiguous array; None as a trace that is not there."""
    if tensor is None:
        return NO_TRACE
    plain = tensor.detach() if tensor.requires_grad else tensor
    values: Floats = (plain if plain.is_contiguous() else plain.contiguous()).numpy()
    return values


def run_and_keep(
    ctx: Any, task: Task, x: Floats, *, train: bool, events: Events | None = None
) -> tuple[Tensor | None, ...]:
    """Run a layer inside a node, which keeps what `differentiate` needs.

    Parameters
    ----------
    ctx : context of a node
        Gets ``task``, ``train``, ``masked``, and saves tensors; a node saves its own behind them,
        with ``ctx.save_for_backward(*ctx.kept, ...)``.
    task : Task
        What runs.
    x, events
        As `ranvier_bss2.numerics.run.launch`.
    train : bool
        Whether constants get gradients.

    Returns
    -------
    tuple of Tensor or None
        Spikes, membrane, current, adaptation.
    """
    p, place = task.parameters, task.arrangement
    keeps = task.grad and any(ctx.needs_input_grad)
    records = _room(task, keeps=keeps, train=train)
    end = launch(p, x, task.observed, task.start, records, place, events=events)
    task.end.append(end)
    shown = (p.has("fire"), task.record or not p.has("fire"), task.record, task.record and p.adapts)
    traces = (records.z, records.v, records.i, records.w)
    z, v, i, w = (
        torch.from_numpy(place.take(trace)) if show else None
        for trace, show in zip(traces, shown, strict=True)
    )
    ctx.kept = ()
    if keeps:
        ctx.set_materialize_grads(False)
        ctx.task, ctx.train, ctx.masked = task, train, records.masked
        ctx.kept = (torch.from_numpy(records.before),)
        if train or p.has("exponential"):
            ctx.kept += (_shared(records.i, i), _shared(records.v, v), _shared(records.w, w))
    return z, v, i, w


def _shared(trace: Floats, shown: Tensor | None) -> Tensor:
    """Give what to save of a trace: the output, if that is the same memory, so that it is watched.

    An output that is changed in place is then refused by the backward pass.
    """
    if shown is not None and trace.size and shown.data_ptr() == trace.ctypes.data:
        return shown
    return torch.from_numpy(trace)


def differentiate(
    ctx: Any,
    grad_outputs: Sequence[Tensor | None],
    gx: Floats,
    *,
    events: Events | None = None,
    to_weight: Floats = NO_TRACE,
) -> Tensor | None:
    """Go backward through a layer.

    Parameters
    ----------
    ctx : context of a node
        See `run_and_keep`; it has saved ``kept`` first of all.
    grad_outputs : sequence of Tensor or None
        Gradients of its outputs.
    gx : array
        Is filled with the gradients of the input, laid out for the kernels.
    events, to_weight
        As `run_listed_backward`.

    Returns
    -------
    Tensor or None
        Gradients of the constants, if they are trained.
    """
    task: Task = ctx.task
    p, place = task.parameters, task.arrangement
    z_grad, v_grad, i_grad, w_grad = (
        NO_TRACE if g is None else place.lay(array_of(g)) for g in grad_outputs
    )
    given = Given(z_grad, i_grad, v_grad, w_grad)
    columns = place.shape[2]
    tiles = -(-columns // WIDTH)
    totals = np.zeros((tiles, ROWS * WIDTH), dtype=np.float32) if ctx.train else NO_TOTALS
    before, *states = (array_of(saved).reshape(-1) for saved in ctx.saved_tensors)
    i, v, w = states[:3] if ctx.train or p.has("exponential") else (NO_TRACE, NO_TRACE, NO_TRACE)
    kept = Records(NO_TRACE, i, v, w, before, ctx.masked)
    constants, start, alpha = p.arranged(place), task.start, np.float32(task.alpha)
    if events is not None:
        run_listed_backward(
            events, to_weight, given, constants, p.terms, task.observed, kept, start, alpha, gx,
            ctx.train, totals, place.shape,
        )  # fmt: skip
    elif gx.size:
        run_backward(
            given, constants, p.terms, task.observed, kept, start, alpha, gx, ctx.train, totals,
            place.shape,
        )  # fmt: skip
    if not ctx.train:
        return None
    return torch.from_numpy(place.sum_columns(untile(totals, ROWS, columns)))


class _Aelif(torch.autograd.Function):
    """Inputs ``x`` and `Layer.constants`, outputs spikes, membrane, current, adaptation."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, constants: Tensor | None, task: Task
    ) -> tuple[Tensor | None, ...]:
        laid = task.arrangement.lay(array_of(x))
        outputs = run_and_keep(ctx, task, laid, train=bool(ctx.needs_input_grad[1]))
        ctx.save_for_backward(*ctx.kept)
        del ctx.kept
        return outputs

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
        refuse_second_order()
        place: Arrangement = ctx.task.arrangement
        gx = place.empty(np.float32)
        to_constants = differentiate(ctx, grad_outputs, gx)
        to_x = torch.from_numpy(place.take(gx)) if ctx.needs_input_grad[0] else None
        return to_x, to_constants, None


def _room(task: Task, *, keeps: bool, train: bool) -> Records:
    """Give arrays for what is shown or needed by the backward pass."""
    terms, place = task.parameters.terms, task.arrangement
    shown = task.record or train
    adapts = terms.subthreshold or terms.triggered
    wanted = (
        terms.fire,
        shown,
        shown or not terms.fire or (keeps and terms.exponential),
        adapts and shown,
        keeps and (terms.fire or terms.subthreshold),
    )
    z, i, v, w, before = (place.empty(np.float32) if want else NO_TRACE for want in wanted)
    masked = place.empty(np.uint8) if keeps and terms.refractory else NO_MASK
    return Records(z, i, v, w, before, masked)


def untile(totals: Floats, rows: int, columns: int) -> Floats:
    """Give (rows, columns) of (tiles, rows * WIDTH), whose last tile overlaps the one before."""
    parts = totals.reshape(len(totals), rows, WIDTH)
    own = columns - WIDTH * (len(totals) - 1)
    return np.concatenate([*parts[:-1], parts[-1][:, WIDTH - own :]], axis=1)


def run_kernel(
    x: Tensor,
    layer: Layer,
    *,
    alpha: float,
    traces: dict[str, NDArray[Any]],
    state: LayerState | None,
    record: bool,
) -> AelifRun:
    """Run `ranvier_bss2.nn.functional.aelif`, compiled."""
    place = Arrangement.of(*x.shape)
    task = task_of(layer, place, alpha=alpha, traces=traces, state=state, record=record)
    z, v, i, w = _Aelif.apply(x, layer.constants, task)  # type: ignore[no-untyped-call]
    return AelifRun(z, v, i, w, task.end[0])


def task_of(
    layer: Layer,
    place: Arrangement,
    *,
    alpha: float,
    traces: dict[str, NDArray[Any]],
    state: LayerState | None,
    record: bool,
) -> Task:
    """Give the task of a run over checked inputs."""
    observed = observed_of(traces, place)
    start, grad = begin_of(layer.parameters, state, place), torch.is_grad_enabled()
    return Task(layer.parameters, alpha, place, observed, start, record, grad, [])
