"""Choice between the plain loop and the kernels."""

from __future__ import annotations

import torch
from torch import Tensor

from ranvier.errors import GraphError

from ._loop import lif_loop
from .functional import Backend, LifParameters, LifState, LifTraces, zero_state
from .surrogates import Surrogate


def why_no_kernel(
    x: Tensor, parameters: LifParameters, surrogate: Surrogate, state: LifState | None
) -> str | None:
    """Say why the CPU kernels cannot compute a layer; None if they can."""
    if x.device.type != "cpu":
        return f"the input is on {x.device}, the kernels run on the CPU"
    if x.dtype != torch.float32 or parameters.alpha.dtype != torch.float32:
        return f"the input is {x.dtype}, the kernels compute in float32"
    if surrogate.code is None and parameters.fires:
        return f"the kernels do not know the surrogate {type(surrogate).__name__}"
    if parameters.refractory and parameters.fires:
        return "the kernels have no refractory period"
    if state is not None and any(part.requires_grad for part in state):
        return "the initial state requires a gradient"
    if torch.compiler.is_compiling():
        return "the network is being compiled"
    return None


def run_layer(
    x: Tensor,
    parameters: LifParameters,
    *,
    surrogate: Surrogate,
    state: LifState | None,
    weight_rec: Tensor | None,
    backend: Backend,
    record: bool,
) -> tuple[Tensor, LifState, LifTraces | None]:
    """Run `ranvier.nn.functional.cuba_lif`; same arguments."""
    if backend != "loop":
        reason = why_no_kernel(x, parameters, surrogate, state)
        if reason is None and record and torch.is_grad_enabled():
            reason = "recorded traces are differentiable, which needs the loop"
        if reason is None:
            from .kernels import run_layer_kernel

            return run_layer_kernel(
                x,
                parameters,
                surrogate=surrogate,
                state=state,
                weight_rec=weight_rec,
                record=record,
            )
        if backend == "kernel":
            raise GraphError(f"backend='kernel' does not apply: {reason}; use backend='auto'")
    start = state if state is not None else zero_state(x, parameters)
    return lif_loop(
        x,
        parameters,
        surrogate=surrogate,
        state=start,
        weight_rec=weight_rec,
        record=record,
    )
