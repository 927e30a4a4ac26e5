"""From weights of the model to weights of the chip."""

from __future__ import annotations

import torch
from torch import Tensor

from ranvier.errors import InputError

from ..targets import limits_of

WEIGHT_MAX = float(limits_of().weight_max)


def linear_saturating(
    weight: Tensor,
    scale: float = 1.0,
    min_weight: float = -WEIGHT_MAX,
    max_weight: float = WEIGHT_MAX,
) -> Tensor:
    """Scale weights, and cut them to what a synapse holds.

    Parameters
    ----------
    weight : Tensor
        Weights of the model.
    scale : float
        LSB of the chip per unit of the model; with weights of exact effect it is
        ``1 / (kappa trace_scale)``.
    min_weight, max_weight : float
        Range, in LSB.

    Returns
    -------
    Tensor
        In LSB, not rounded.

    References
    ----------
    hxtorch @3bfc7aa, weight transforms.
    """
    return torch.clamp(scale * weight, min_weight, max_weight)


def linear_exponential_clamp(
    weight: Tensor, cap: float = 1.5, start_weight: float = 61.0, quantize: bool = False
) -> Tensor:
    """Bend large weights towards a limit instead of cutting them, so that gradients stay.

    Parameters
    ----------
    weight : Tensor
        Weights of the model.
    cap : float
        Limit of the result, in units of the model, > 0.
    start_weight : float
        Where bending begins, in LSB of 63 for ``cap``, 0..63.
    quantize : bool
        Also round to 63 steps of ``cap``, with gradient 1.

    Returns
    -------
    Tensor
        In units of the model, magnitude below ``cap``.

    Raises
    ------
    InputError
        ``cap`` or ``start_weight`` is out of range.

    Notes
    -----
    With ``s = start_weight / 63`` and ``k = 1 / (1 - s)``, magnitudes above ``s cap`` become
    ``cap (1 - exp(-k (|w| / cap - s)) / k)``.

    References
    ----------
    hxtorch @3bfc7aa, spiking functionals (linear with an exponential clamp).
    """
    if not cap > 0 or not 0 <= start_weight < WEIGHT_MAX:
        raise InputError(
            f"linear_exponential_clamp: cap {cap}, start_weight {start_weight}; use cap > 0 and "
            f"0 <= start_weight < {WEIGHT_MAX:g}"
        )
    start = start_weight / WEIGHT_MAX
    k = 1.0 / (1.0 - start)
    size = weight.abs() / cap
    above = size > start
    bent = cap * (1.0 - torch.exp(-k * (torch.where(above, size, start) - start)) / k)
    result = torch.where(above, torch.sign(weight) * bent, weight)
    if not quantize:
        return result
    steps = torch.round(result.detach() * WEIGHT_MAX / cap) * cap / WEIGHT_MAX
    return result + (steps - result.detach())


def round_half_away(weight: Tensor) -> Tensor:
    """Round to whole LSB, halves away from zero, and cut to what a synapse holds."""
    rounded = torch.sign(weight) * torch.floor(weight.abs() + 0.5)
    return torch.clamp(rounded, -WEIGHT_MAX, WEIGHT_MAX)
