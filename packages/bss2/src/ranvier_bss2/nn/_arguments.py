"""Checks of what the differentiable functions are given, before a layer runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor

from ranvier.errors import InputError

from ..numerics import LayerState, NeuronParameters
from ..numerics.run import check_input
from ._autograd import run_kernel
from ._autograd_constants import Layer, resolve
from ._autograd_loop import run_loop
from ._results import AelifRun

Backend = Literal["kernel", "loop"]


class Prepared(NamedTuple):
    """Checked arguments of a layer."""

    layer: Layer
    observed: dict[str, Tensor]
    traces: dict[str, NDArray[Any]]
    steps: int
    state: LayerState | None


def cut_to(x: Tensor, steps: int) -> Tensor:
    """Give the first steps in float32; slices copy in the backward pass, also whole ones."""
    x = x if x.shape[1] == steps else x[:, :steps]
    return x if x.dtype is torch.float32 else x.to(torch.float32)


def detached(traces: Mapping[str, Tensor | None]) -> dict[str, Tensor]:
    """Give those traces that are there."""
    return {name: trace.detach() for name, trace in traces.items() if trace is not None}


def prepare(
    parameters: NeuronParameters,
    shape: tuple[int, ...],
    observed: dict[str, Tensor],
    *,
    state: LayerState | None,
    trained: Mapping[str, Tensor],
) -> Prepared:
    """Check everything but the input itself, whose ``shape`` is (batch, time, n)."""
    for name, tensor in {**observed, **trained}.items():
        check_device(name, tensor)
    layer = resolve(parameters, trained, at_rest=state is None)
    traces = {name: trace.numpy() for name, trace in observed.items()}
    steps = check_input(layer.parameters, shape, traces)
    return Prepared(layer, observed, traces, steps, state)


def run_prepared(
    x: Tensor, given: Prepared, *, alpha: float, record: bool, backend: Backend
) -> AelifRun:
    """Run a layer on weighted sums."""
    x = cut_to(x, given.steps)
    if backend == "kernel":
        return run_kernel(
            x, given.layer, alpha=alpha, traces=given.traces, state=given.state, record=record
        )
    cut = {name: cut_to(trace, given.steps) for name, trace in given.observed.items()}
    own, batch = given.layer.parameters, x.shape[0]
    start = given.state or LayerState.rest(own, batch)
    start = start.checked(batch, own.n)
    run = run_loop(x, given.layer, alpha=alpha, observed=cut, state=start)
    shown = run.v_mem if run.spikes is None else None
    return run if record else run._replace(v_mem=shown, i_syn=None, w_adaptation=None)


def check_backend(backend: str) -> None:
    if backend not in ("kernel", "loop"):
        raise InputError(f"bss2: backend is {backend!r}; use 'kernel' or 'loop'")


def check_device(name: str, tensor: Tensor) -> None:
    if not tensor.is_cpu:
        raise InputError(
            f"bss2: {name} is on device '{tensor.device}'; the neurons run on the CPU: move data "
            "and network there with .cpu()"
        )


def check_alpha(alpha: float) -> None:
    if not (math.isfinite(alpha) and alpha > 0.0):
        raise InputError(f"bss2: alpha is {alpha}; it must be a finite number > 0, such as 50")
