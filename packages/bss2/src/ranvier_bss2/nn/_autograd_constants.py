"""From parameters, some of them trained, to what a step multiplies by, differentiable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from ranvier.errors import InputError

from ..numerics import NeuronParameters

TRAINABLE = (
    "leak",
    "reset",
    "threshold",
    "tau_mem",
    "tau_syn",
    "capacitance",
    "exp_slope",
    "exp_threshold",
    "a",
    "b",
    "tau_adaptation",
    "leak_adaptation",
)
"""Parameters that can have gradients: all but the refractory time."""


class Layer(NamedTuple):
    """A layer, ready to run.

    Attributes
    ----------
    parameters : NeuronParameters
        With the present values of what is trained.
    constants : Tensor or None
        (15, n): the rows of `ranvier_bss2.kernels.layers.Constants`, then the membrane at the
        start; None where nothing is trained.
    """

    parameters: NeuronParameters
    constants: Tensor | None


def resolve(parameters: NeuronParameters, trained: Mapping[str, Tensor], *, at_rest: bool) -> Layer:
    """Put trained values in the place of numbers.

    Raises
    ------
    InputError
        A name that cannot be trained, another shape, or a value out of range.
    """
    if not trained:
        return Layer(parameters, None)
    n = parameters.n
    problems = [
        f"{name} cannot be trained; choose from {', '.join(TRAINABLE)}"
        for name in trained
        if name not in TRAINABLE
    ]
    problems += [
        f"{name} has shape {tuple(value.shape)}; expected a scalar or ({n},)"
        for name, value in trained.items()
        if tuple(value.shape) not in ((), (1,), (n,))
    ]
    if problems:
        raise InputError("bss2: trained: " + "; ".join(problems))
    full = {name: value.to(torch.float32).expand(n) for name, value in trained.items()}
    numbers = {name: value.detach().numpy() for name, value in full.items()}
    present = NeuronParameters(
        switches=parameters.switches, dt=parameters.dt, values={**parameters.values, **numbers}
    )
    return Layer(present, constants_of(present, full, at_rest=at_rest))


def constants_of(
    parameters: NeuronParameters, trained: Mapping[str, Tensor], *, at_rest: bool
) -> Tensor:
    """Give the rows of `Layer.constants`, rounded as `NeuronParameters.constants`."""
    p = {name: trained.get(name, torch.tensor(value)) for name, value in parameters.values.items()}
    dt, one = torch.tensor(parameters.dt, dtype=torch.float32), torch.ones(())
    zeros = torch.zeros(parameters.n)
    g = p["capacitance"] / p["tau_mem"]
    rows = (
        p["leak"],
        g if parameters.has("leaky") else zeros,
        dt / p["capacitance"],
        one - dt / p["tau_syn"],
        p["threshold"],
        p["reset"],
        torch.tensor(parameters.refractory_steps),
        g * p["exp_slope"],
        p["exp_slope"],
        p["exp_threshold"],
        one - dt / p["tau_adaptation"],
        dt / p["tau_adaptation"] * p["a"],
        p["leak_adaptation"],
        p["b"],
        p["leak"] if at_rest and parameters.starts_at_leak else zeros,
    )
    return torch.stack(rows)
