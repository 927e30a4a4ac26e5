"""The neurons as differentiable functions: surrogate gradients and adjoint (EventProp) gradients.

Values are those of `ranvier_bss2.numerics`, bit for bit. Kernels run on the CPU in one thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..numerics import LayerState, NeuronParameters
from ._arguments import (
    Backend as Backend,
    check_alpha,
    check_backend,
    check_device,
    cut_to,
    detached,
    prepare,
    run_prepared,
)
from ._autograd_constants import TRAINABLE as TRAINABLE
from ._autograd_eventprop import run_eventprop
from ._autograd_linear import check_shapes, events_of, run_linear
from ._autograd_synapse import run_sparse
from ._results import AelifRun as AelifRun, EventPropRun as EventPropRun


class _SuperSpike(torch.autograd.Function):
    """A step whose derivative is that of a fast sigmoid."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, alpha: float) -> Tensor:
        ctx.save_for_backward(u)
        ctx.alpha = alpha
        return (u > 0.0).to(u.dtype)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        (u,) = ctx.saved_tensors
        root = ctx.alpha * u.abs() + 1.0
        return grad_outputs[0] / (root * root), None


def superspike(u: Tensor, *, alpha: float = 50.0) -> Tensor:
    """Give 1 where ``u > 0``, else 0, with a derivative of ``1/(alpha |u| + 1)**2``.

    Parameters
    ----------
    u : Tensor
        Distance from the threshold, any shape.
    alpha : float
        Steepness, per unit of the membrane, > 0.

    Returns
    -------
    Tensor
        As ``u``.

    Raises
    ------
    InputError
        ``alpha`` is not a finite number > 0.

    References
    ----------
    F. Zenke, S. Ganguli, "SuperSpike", Neural Computation 30 (2018).
    """
    check_alpha(alpha)
    result: Tensor = _SuperSpike.apply(u, alpha)  # type: ignore[no-untyped-call]
    return result


def aelif(
    x: Tensor,
    parameters: NeuronParameters,
    *,
    alpha: float = 50.0,
    v_hw: Tensor | None = None,
    z_hw: Tensor | None = None,
    w_hw: Tensor | None = None,
    state: LayerState | None = None,
    trained: Mapping[str, Tensor] | None = None,
    record: bool = True,
    backend: Backend = "kernel",
) -> AelifRun:
    """Run a layer over time, differentiable in its input and in parameters.

    Parameters
    ----------
    x : Tensor, (batch, time, n)
        Sum of the weighted inputs of every step, in model units; other types become float32.
    parameters : NeuronParameters
        The layer: switches, time step and numbers.
    alpha : float
        Steepness of the SuperSpike derivative, per unit of the membrane, > 0.
    v_hw, z_hw, w_hw : Tensor, (batch, time or other, n), optional
        Observed membranes in model units, spikes (0 or 1) and adaptation: they replace the values
        of the model, and gradients pass to the model's own values as if they were these. With an
        observed membrane there is no reset, for it holds it already. Shorter traces shorten the
        run, longer ones are cut.
    state : LayerState, optional
        Where to start; at rest by default. Gets no gradients.
    trained : mapping of str to Tensor, optional
        Of `TRAINABLE`, each a scalar or (n,): they replace the numbers of ``parameters`` and get
        gradients. A trained leak does not train ``leak_adaptation``: give that one, too.
    record : bool
        Also return the traces; without it there are only spikes, or the membrane of neurons that
        do not fire.
    backend : {"kernel", "loop"}
        The compiled time loops, or one torch operation after the other (slow; what the kernels are
        tested against).

    Returns
    -------
    AelifRun
        Traces of ``min(time)`` steps, and the last state.

    Raises
    ------
    InputError
        As `ranvier_bss2.numerics.run_layer`; a tensor that is not on the CPU; a steepness or a
        trained value out of range.
    SimulationError
        A second derivative is asked for, which the kernels do not have.

    Notes
    -----
    The reset and the refractory time have no gradient with respect to the spikes that cause them,
    as on the chip's reference implementation; spikes have one where they are an output and where
    they drive the adaptation.

    References
    ----------
    hxtorch @3bfc7aa, spiking functionals; E. Neftci, H. Mostafa, F. Zenke, "Surrogate gradient
    learning in spiking neural networks", IEEE Signal Process. Mag. 36 (2019).
    """
    check_alpha(alpha)
    check_backend(backend)
    check_device("x", x)
    observed = detached({"v_hw": v_hw, "z_hw": z_hw, "w_hw": w_hw})
    given = prepare(parameters, tuple(x.shape), observed, state=state, trained=trained or {})
    return run_prepared(x, given, alpha=alpha, record=record, backend=backend)


def linear_aelif(
    spikes: Tensor,
    weight: Tensor,
    parameters: NeuronParameters,
    *,
    alpha: float = 50.0,
    v_hw: Tensor | None = None,
    z_hw: Tensor | None = None,
    w_hw: Tensor | None = None,
    state: LayerState | None = None,
    trained: Mapping[str, Tensor] | None = None,
    record: bool = True,
    backend: Backend = "kernel",
) -> AelifRun:
    """Run synapses and a layer: `aelif` of the weighted sums of spikes, in one step of autograd.

    The faster way where there are few spikes: the sums are never written to memory, neither are
    their gradients. Where there are many, it is a matrix product and `aelif`.

    Parameters
    ----------
    spikes : Tensor, (batch, time, n_in)
        Spikes, or any other numbers; other types become float32.
    weight : Tensor, (n, n_in)
        Weights in model units.
    parameters, alpha, v_hw, z_hw, w_hw, state, trained, record
        As `aelif`.
    backend : {"kernel", "loop"}
        As `aelif`; with "loop" the sums are a matrix product.

    Returns
    -------
    AelifRun
        As `aelif`.

    Raises
    ------
    InputError
        As `linear` and `aelif`.
    SimulationError
        A second derivative is asked for.

    Notes
    -----
    Few are at most one entry in 16. Sums of few spikes are added in the order of the channels,
    those of many as the matrix product does: the last bits differ unless the sums are exact.

    Examples
    --------
    >>> import torch
    >>> lif = {"leak": 80.0, "reset": 80.0, "threshold": 125.0}
    >>> neurons = NeuronParameters.of_values(lif, dt=1e-6, n=1)
    >>> spikes, weight = torch.zeros(1, 30, 2), torch.tensor([[120.0, 60.0]])
    >>> spikes[0, 10] = 1.0
    >>> linear_aelif(spikes, weight, neurons).spikes[0, :, 0].nonzero().flatten()
    tensor([14, 22])
    """
    check_alpha(alpha)
    check_backend(backend)
    check_device("spikes", spikes)
    check_device("weight", weight)
    check_shapes(spikes, weight)
    observed = detached({"v_hw": v_hw, "z_hw": z_hw, "w_hw": w_hw})
    shape = (*spikes.shape[:2], weight.shape[0])
    given = prepare(parameters, shape, observed, state=state, trained=trained or {})
    cut = cut_to(spikes, given.steps)
    weight = weight.to(torch.float32)
    events = events_of(cut) if backend == "kernel" else None
    if events is None:
        x = torch.nn.functional.linear(cut, weight)
        return run_prepared(x, given, alpha=alpha, record=record, backend=backend)
    layer, traces = given.layer, given.traces
    return run_sparse(
        cut, weight, events, layer, alpha=alpha, traces=traces, state=state, record=record
    )


def linear(spikes: Tensor, weight: Tensor) -> Tensor:
    """Give the weighted sums of spikes; only the spikes that are there cost time if they are few.

    Parameters
    ----------
    spikes : Tensor, (batch, time, n_in)
        Spikes, or any other numbers.
    weight : Tensor, (n, n_in)
        Weights.

    Returns
    -------
    Tensor
        ``(batch, time, n)`` of float32, as ``torch.nn.functional.linear`` but for the order in
        which it adds.

    Raises
    ------
    InputError
        Shapes that do not fit, or a tensor that is not on the CPU.
    SimulationError
        A second derivative is asked for where there are few spikes.
    """
    for name, tensor in {"spikes": spikes, "weight": weight}.items():
        check_device(name, tensor)
    return run_linear(spikes, weight)


def eventprop_lif(
    spikes_in: Tensor,
    weight: Tensor,
    parameters: NeuronParameters,
    *,
    z_hw: Tensor | None = None,
    v_hw: Tensor | None = None,
    i_hw: Tensor | None = None,
) -> EventPropRun:
    """Run synapses and LIF neurons, with the gradients of the adjoint system at spikes.

    Parameters
    ----------
    spikes_in : Tensor, (batch, time, n_in)
        Input spikes.
    weight : Tensor, (n, n_in)
        Weights in model units.
    parameters : NeuronParameters
        LIF neurons. The method is one of neurons with ``capacitance = tau_mem`` and without a
        refractory time: both values of the parameters are not used.
    z_hw, v_hw, i_hw : Tensor, (batch, time or other, n), optional
        Observed spikes (0 or 1), and with them, if they were recorded, membranes and currents
        (these one step late, as here); they are passed through. Without currents the gradients
        use those of the model. Lengths as in `aelif`.

    Returns
    -------
    EventPropRun
        Spikes, differentiable in input and weights; membranes and currents, without gradients.

    Raises
    ------
    InputError
        Other neurons than LIF, shapes that do not fit, observed membranes or currents without
        observed spikes, a tensor that is not on the CPU.
    SimulationError
        A second derivative is asked for.

    Notes
    -----
    The gradient that comes in at a spike is taken as the negative derivative of the loss by the
    time of the spike, and so is what goes out to the input spikes. Weights get ``tau_syn`` (in s)
    times the adjoint current at the input spikes: small numbers, whose scale Adam removes.

    References
    ----------
    T. Wunderlich, C. Pehle, "Event-based backpropagation can compute exact gradients for spiking
    neural networks", Sci. Rep. 11 (2021); hxtorch @3bfc7aa, spiking functionals.
    """
    found = {"z_hw": z_hw, "v_hw": v_hw, "i_hw": i_hw}
    observed = {name: trace.detach() for name, trace in found.items() if trace is not None}
    for name, tensor in {"spikes_in": spikes_in, "weight": weight, **observed}.items():
        check_device(name, tensor)
    return run_eventprop(spikes_in, weight, parameters, observed)
