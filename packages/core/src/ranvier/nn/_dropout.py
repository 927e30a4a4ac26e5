"""Dropout of spikes: per time step, or per neuron for a whole sample."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ranvier.errors import GraphError


class _Dropout(nn.Module):
    """Common part of both kinds."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0.0 <= p < 1.0:
            raise GraphError(f"{type(self).__name__}: p is {p!r}; it must be in 0 <= p < 1")
        self.p = p

    @property
    def active(self) -> bool:
        """Whether a call drops anything: only in training, with p > 0."""
        return self.training and self.p > 0.0

    def extra_repr(self) -> str:
        """Describe the probability."""
        return f"p={self.p:g}"


class TimeStepDropout(_Dropout):
    """Drop each neuron's spikes of each step alone, with probability ``p``; no rescaling.

    Parameters
    ----------
    p : float
        Probability, 0 <= p < 1. Evaluation passes the input on.

    References
    ----------
    SynSense rockpool documentation, ``TimeStepDropout``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Drop from ``(batch, time, *shape)``."""
        return x * torch.empty_like(x).bernoulli_(1.0 - self.p) if self.active else x


class UnitDropout(_Dropout):
    """Silence neurons for a whole sample with probability ``p``; the others times ``1/(1-p)``.

    Parameters
    ----------
    p : float
        Probability, 0 <= p < 1. Evaluation passes the input on.

    References
    ----------
    SynSense rockpool documentation, ``UnitDropout``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Drop from ``(batch, time, *shape)``."""
        if not self.active:
            return x
        kept = x.new_empty(x.shape[0], 1, *x.shape[2:]).bernoulli_(1.0 - self.p)
        return x * (kept / (1.0 - self.p))
