"""Synapses and LIF neurons as one node of autograd whose backward pass is the adjoint system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ranvier.errors import InputError

from ..kernels.arrangement import Arrangement
from ..kernels.layers import Floats, Observed, Records
from ..numerics import NeuronParameters
from ..numerics.run import NO_MASK, NO_TRACE, launch
from ._autograd import array_of, refuse_second_order
from ._results import EventPropRun
from .kernels._eventprop import run_adjoint

_ONE = np.float32(1.0)
_LIF = ("leaky", "fire")


class Task(NamedTuple):
    """What a run needs beside its differentiable inputs."""

    parameters: NeuronParameters
    observed: Mapping[str, Tensor]


class _EventProp(torch.autograd.Function):
    """Inputs spikes and weights, outputs spikes, membrane, current."""

    @staticmethod
    def forward(
        ctx: Any, spikes_in: Tensor, weight: Tensor, task: Task
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        x = torch.nn.functional.linear(spikes_in, weight)
        z, v, i = _run(array_of(x), task.parameters)
        seen = task.observed
        spikes = seen["z_hw"].clone() if "z_hw" in seen else torch.from_numpy(z)
        current = seen["i_hw"].clone() if "i_hw" in seen else torch.from_numpy(_late(i))
        membrane = None if "z_hw" in seen else torch.from_numpy(v)
        membrane = seen["v_hw"].clone() if "v_hw" in seen else membrane
        ctx.parameters = task.parameters
        ctx.save_for_backward(spikes_in, weight, spikes, current)
        ctx.mark_non_differentiable(*(a for a in (membrane, current) if a is not None))
        return spikes, membrane, current

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        refuse_second_order()
        spikes_in, weight, spikes, current = ctx.saved_tensors
        p: NeuronParameters = ctx.parameters
        place = Arrangement.of(*spikes.shape)
        gz, z, i = (place.lay(array_of(a)) for a in (grad_outputs[0], spikes, current))
        lam_i, inputs = place.empty(np.float32), place.empty(np.float32)
        if gz.size:
            run_adjoint(gz, z, i, place.lay_constants(_constants(p)), lam_i, inputs, place.shape)
        lam_i, inputs = place.take(lam_i), place.take(inputs)
        to_input = torch.from_numpy(inputs) @ weight if ctx.needs_input_grad[0] else None
        to_weight = None
        if ctx.needs_input_grad[1]:
            rows = torch.from_numpy(lam_i).reshape(-1, p.n)
            sums = rows.t() @ spikes_in.reshape(-1, spikes_in.shape[2])
            to_weight = torch.tensor(p.values["tau_syn"])[:, None] * sums
        return to_input, to_weight, None


def _run(x: Floats, p: NeuronParameters) -> tuple[Floats, Floats, Floats]:
    place = Arrangement.of(*x.shape)
    z, i, v = (place.empty(np.float32) for _ in range(3))
    records = Records(z, i, v, NO_TRACE, NO_TRACE, NO_MASK)
    observed = Observed(NO_TRACE, NO_TRACE, NO_TRACE)
    launch(p, place.lay(x), observed, p.rest(place), records, place)
    return place.take(z), place.take(v), place.take(i)


def _late(i: Floats) -> Floats:
    """Record currents one step late."""
    late = np.zeros_like(i)
    late[:, 1:] = i[:, :-1]
    return late


def _constants(p: NeuronParameters) -> Floats:
    """Give the constants of `run_adjoint`, (5, n)."""
    dt, v = np.float32(p.dt), p.values
    return np.stack(
        [v["leak"], v["threshold"], v["reset"], _ONE - dt / v["tau_mem"], dt / v["tau_syn"]]
    )


def run_eventprop(
    spikes_in: Tensor,
    weight: Tensor,
    parameters: NeuronParameters,
    observed: Mapping[str, Tensor],
) -> EventPropRun:
    """Run `ranvier_bss2.nn.functional.eventprop_lif` after its checks of devices."""
    _check(spikes_in, weight, parameters, observed)
    steps = min([spikes_in.shape[1], *(trace.shape[1] for trace in observed.values())])
    values = dict(parameters.values)
    values |= {"capacitance": values["tau_mem"], "refractory": np.zeros_like(values["leak"])}
    lif = NeuronParameters(switches=_LIF, dt=parameters.dt, values=values)
    seen = {k: trace[:, :steps].to(torch.float32).contiguous() for k, trace in observed.items()}
    given = spikes_in[:, :steps].to(torch.float32)
    spikes, v, i = _EventProp.apply(  # type: ignore[no-untyped-call]
        given, weight.to(torch.float32), Task(lif, seen)
    )
    return EventPropRun(spikes, v, i)


def _check(
    spikes_in: Tensor,
    weight: Tensor,
    parameters: NeuronParameters,
    observed: Mapping[str, Tensor],
) -> None:
    problems = []
    n = parameters.n
    if set(parameters.switches) != set(_LIF):
        problems.append(
            f"the neurons have {', '.join(parameters.switches)}; EventProp is for LIF neurons "
            "(leaky, fire): train others with aelif"
        )
    if spikes_in.ndim != 3 or tuple(weight.shape) != (n, spikes_in.shape[-1]):
        problems.append(
            f"weights {tuple(weight.shape)} do not fit an input {tuple(spikes_in.shape)} and {n} "
            "neurons; expected (n, n_in) with (batch, time, n_in)"
        )
    for name, trace in observed.items():
        if trace.ndim != 3 or (trace.shape[0], trace.shape[2]) != (spikes_in.shape[0], n):
            problems.append(
                f"{name} has shape {tuple(trace.shape)}; expected ({spikes_in.shape[0]}, time, {n})"
            )
    if observed and "z_hw" not in observed:
        problems.append(f"{', '.join(observed)} without z_hw; give the observed spikes, too")
    elif "z_hw" in observed:
        z = observed["z_hw"]
        others = int(((z != 0) & (z != 1)).sum())
        if others:
            problems.append(f"z_hw has {others} values other than 0 and 1; give 1 per spike")
    if problems:
        raise InputError("bss2: " + "; ".join(problems))
