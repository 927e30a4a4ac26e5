"""Straight-through quantisers: the weight grid of the chip, seen by float training.

References
----------
lava-dl 0.6.0 documentation, slayer (quantisation hooks of its blocks).
"""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from torch import Tensor

from ranvier.errors import GraphError, QuantizationError

RoundingMode = Literal["round", "floor"]

WEIGHT_SCALE = 64
WEIGHT_STEP = 2.0 / WEIGHT_SCALE
_LOWEST_CODE, _HIGHEST_CODE = -256, 254


class _StraightThrough(torch.autograd.Function):
    """A rounding whose gradient is the identity."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, step: float, mode: str) -> Tensor:
        scaled = x / step
        return (torch.round(scaled) if mode == "round" else torch.floor(scaled)) * step

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0], None, None


def quantize(x: Tensor, *, step: float = WEIGHT_STEP, mode: RoundingMode = "round") -> Tensor:
    """Round to multiples of a step; the gradient passes unchanged.

    Parameters
    ----------
    x : Tensor
        Any shape.
    step : float
        Distance of two values, > 0.
    mode : {"round", "floor"}
        ``"round"`` takes ties to the even multiple.

    Returns
    -------
    Tensor
        Shape of ``x``.

    Raises
    ------
    GraphError
        ``step`` is not above 0, or ``mode`` is unknown.

    Examples
    --------
    >>> import torch
    >>> (quantize(torch.tensor([1.0, 3.0, 5.0]) / 64) * 64).tolist()
    [0.0, 4.0, 4.0]
    """
    if not step > 0:
        raise GraphError(f"quantize: step is {step!r}; it must be > 0")
    if mode not in ("round", "floor"):
        raise GraphError(f"quantize: mode is {mode!r}; use 'round' or 'floor'")
    return cast("Tensor", _StraightThrough.apply(x, step, mode))  # type: ignore[no-untyped-call]


def quantize_8bit(w: Tensor) -> Tensor:
    """Round to the weights of the chip: even multiples of 1/64 in [-4, 254/64].

    The gradient passes the rounding unchanged and is zero outside the range.

    Parameters
    ----------
    w : Tensor
        Any shape.

    Returns
    -------
    Tensor
        Shape of ``w``.
    """
    low, high = _LOWEST_CODE / WEIGHT_SCALE, _HIGHEST_CODE / WEIGHT_SCALE
    return quantize(w).clamp(low, high)


def quantize_hook(x: Tensor, *, scale: int = WEIGHT_SCALE, num_bits: int = 8) -> Tensor:
    """Round to multiples of ``2/scale`` in ``[-2 * 2**num_bits, 2 * (2**num_bits - 1)] / scale``.

    For ``num_bits=8`` the range is [-512, 510] / scale, twice that of `quantize_8bit`.

    Parameters
    ----------
    x : Tensor
        Any shape.
    scale : int
        Codes per unit, >= 1.
    num_bits : int
        >= 1.

    Returns
    -------
    Tensor
        Shape of ``x``.

    Raises
    ------
    GraphError
        ``scale`` or ``num_bits`` is below 1.
    """
    if scale < 1 or num_bits < 1:
        raise GraphError(
            f"quantize_hook: scale={scale} and num_bits={num_bits} must both be at least 1"
        )
    steps = 2**num_bits
    return quantize(x, step=2.0 / scale).clamp(-2 * steps / scale, 2 * (steps - 1) / scale)


def weight_codes(w: Tensor) -> Tensor:
    """Give the integers that the chip stores for weights.

    Parameters
    ----------
    w : Tensor
        Any shape; quantised here, so that float weights are welcome.

    Returns
    -------
    Tensor of int64
        Even, in [-256, 254].

    Raises
    ------
    QuantizationError
        A weight is not finite.
    """
    bad = int((~torch.isfinite(w.detach())).sum())
    if bad:
        raise QuantizationError(
            f"loihi: {bad} of {w.numel()} weights are not finite; a weight must lie in "
            "[-4, 254/64] to have a code; lower the learning rate or clip the gradients"
        )
    return torch.round(quantize_8bit(w.detach()) * WEIGHT_SCALE).to(torch.int64)


def rounded(x: Tensor) -> Tensor:
    """Round to integers, ties to even; the gradient passes unchanged."""
    return quantize(x, step=1.0)
