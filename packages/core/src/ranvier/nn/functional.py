"""The canonical discrete CUBA-LIF neuron as a function, with a choice of how it is computed.

One step, in this order (time step ``t``, synapse ``s``)::

    I_s = beta_s * I_s + x_s (+ recurrent input from the spikes of step t-1)
    V   = alpha * V + sum_s I_s + bias
    S   = min(floor(V / threshold), max_spikes)  if V >= threshold  else 0
    V   = V - S * threshold        (reset "subtract")
    V   = v_reset where S          (reset "to_value", at most one spike per step)

A resting potential enters as the constant input ``(1 - alpha) * v_rest`` through ``bias``.
For ``refractory`` steps after a spike the membrane is held at ``v_reset`` and does not fire.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from ranvier.errors import GraphError

from .surrogates import Surrogate

Decay = Literal["exponential", "euler", "bitshift"]
Reset = Literal["subtract", "to_value"]
Backend = Literal["auto", "loop", "kernel"]


@dataclass(frozen=True)
class LifParameters:
    """Numbers of one layer of neurons, resolved to the decay factors of one step.

    Attributes
    ----------
    alpha : Tensor
        Membrane decay factor, ``(n,)``.
    beta : Tensor or None
        Synaptic decay factor, ``(n * synapses,)``, column ``neuron*synapses + synapse``;
        None for neurons without synaptic state.
    threshold : Tensor
        Firing threshold > 0, ``(n,)``.
    bias : Tensor or None
        Constant input, ``(n,)``.
    v_reset : Tensor
        Membrane after a reset to a value and while refractory, ``(n,)``.
    reset : {"subtract", "to_value"}
        What a spike does to the membrane.
    max_spikes : float
        Largest number of spikes per step, ``inf`` for no limit.
    refractory : int
        Steps without firing after a spike.
    strict : bool
        Fire where ``V > threshold`` instead of ``V >= threshold``.
    fires : bool
        False makes a leaky integrator: no spikes, and the output is the membrane.
    synapses : int
        Synapses per neuron.
    """

    alpha: Tensor
    beta: Tensor | None
    threshold: Tensor
    bias: Tensor | None
    v_reset: Tensor
    reset: Reset = "subtract"
    max_spikes: float = math.inf
    refractory: int = 0
    strict: bool = False
    fires: bool = True
    synapses: int = 1

    @property
    def n(self) -> int:
        """Number of neurons."""
        return self.alpha.shape[0]


class LifState(NamedTuple):
    """State between two calls.

    Attributes
    ----------
    current : Tensor
        Synaptic currents, ``(batch, n * synapses)``.
    membrane : Tensor
        Membrane after the reset, ``(batch, n)``.
    spikes : Tensor
        Spikes of the last step, ``(batch, n)``.
    refractory : Tensor
        Steps left in which the neuron cannot fire, ``(batch, n)``.
    """

    current: Tensor
    membrane: Tensor
    spikes: Tensor
    refractory: Tensor


class LifTraces(NamedTuple):
    """Recorded currents ``(batch, time, n*synapses)``, membranes, spikes ``(batch, time, n)``."""

    current: Tensor
    membrane: Tensor
    spikes: Tensor


class _ReplaceForward(torch.autograd.Function):
    """Value of the second argument, gradient of the first (straight-through)."""

    @staticmethod
    def forward(ctx: Any, smooth: Tensor, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        return grad_outputs[0], None


def replace_forward(smooth: Tensor, value: Tensor) -> Tensor:
    """Return ``value`` and send its gradient to ``smooth`` (straight-through estimator).

    Parameters
    ----------
    smooth, value : Tensor
        Of equal shape.

    Returns
    -------
    Tensor
        Equal to ``value``, bit for bit.
    """
    result: Tensor = _ReplaceForward.apply(smooth, value.detach())  # type: ignore[no-untyped-call]
    return result


def decay_factor(tau: Tensor, *, dt: float, decay: Decay = "exponential") -> Tensor:
    """Turn time constants into the factor by which a state decays in one step.

    Parameters
    ----------
    tau : Tensor
        Time constants, in s, any shape; values below ``dt`` count as ``dt`` (the gradient passes).
    dt : float
        Time step, in s, > 0.
    decay : {"exponential", "euler", "bitshift"}
        ``exp(-dt/tau)``; ``1 - dt/tau``; ``1 - 2**-k`` with ``k = max(1, round(log2(tau/dt)))``.

    Returns
    -------
    Tensor
        Factors in 0..1, as ``tau``. The gradient of a bit-shift decay is that of the
        exponential one (straight-through).

    Raises
    ------
    GraphError
        ``decay`` is none of the three.

    Examples
    --------
    >>> decay_factor(torch.tensor(4e-3), dt=1e-3, decay="bitshift").item()
    0.75
    """
    tau = replace_forward(tau, tau.detach().clamp(min=dt)) if tau.requires_grad else tau
    if decay == "exponential":
        return torch.exp(-dt / tau)
    if decay == "euler":
        return 1.0 - dt / tau
    if decay == "bitshift":
        with torch.no_grad():
            shift = torch.log2(tau / dt).round().clamp(min=1.0)
            value = 1.0 - torch.exp2(-shift)
        return replace_forward(torch.exp(-dt / tau), value) if tau.requires_grad else value
    raise GraphError(f"decay is {decay!r}; use 'exponential', 'euler' or 'bitshift'")


def zero_state(x: Tensor, parameters: LifParameters) -> LifState:
    """Give the state at rest for an input ``(batch, time, n*synapses)``, on its device."""
    rows, n = x.shape[0], parameters.n
    return LifState(
        x.new_zeros(rows, n * parameters.synapses),
        x.new_zeros(rows, n),
        x.new_zeros(rows, n),
        x.new_zeros(rows, n),
    )


def cuba_lif(
    x: Tensor,
    parameters: LifParameters,
    *,
    surrogate: Surrogate,
    state: LifState | None = None,
    weight_rec: Tensor | None = None,
    backend: Backend = "auto",
    record: bool = False,
) -> tuple[Tensor, LifState, LifTraces | None]:
    """Run one layer of CUBA-LIF neurons over time.

    Parameters
    ----------
    x : Tensor
        Weighted input, ``(batch, time, n * synapses)``, column ``neuron*synapses + synapse``.
    parameters : LifParameters
        The layer.
    surrogate : Surrogate
        Derivative of the spikes.
    state : LifState, optional
        Where to start; at rest by default.
    weight_rec : Tensor, optional
        Recurrent weights, ``(n * synapses, n)``; they deliver the spikes of the previous step.
    backend : {"auto", "loop", "kernel"}
        The plain torch loop (any device and type, differentiable in the state too), the
        CPU kernels, or the kernels where they apply.
    record : bool
        Also return the traces.

    Returns
    -------
    out : Tensor
        Spike counts, or the membrane of neurons that do not fire, ``(batch, time, n)``.
    state : LifState
        State after the last step; detached when a kernel computed it.
    traces : LifTraces or None
        The recorded traces; differentiable when the loop computed them.

    Raises
    ------
    GraphError
        ``backend="kernel"`` where no kernel applies; the message says why.
    """
    from ._dispatch import run_layer

    return run_layer(
        x,
        parameters,
        surrogate=surrogate,
        state=state,
        weight_rec=weight_rec,
        backend=backend,
        record=record,
    )
