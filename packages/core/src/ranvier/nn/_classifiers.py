"""From output spikes to a decision and its confidence."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as f

from ranvier.errors import GraphError

ConfidenceMode = Literal["probability", "softmax", "logsoftmax"]


def window_rate(spikes: Tensor, length: int) -> Tensor:
    """Mean over the last ``length`` steps at every step; before the first step there is silence.

    Parameters
    ----------
    spikes : Tensor
        ``(batch, time, n)``.
    length : int
        Steps, >= 1.

    Returns
    -------
    Tensor
        ``(batch, time, n)``, spikes per step.
    """
    if length < 1:
        raise GraphError(f"the window has {length} steps; it must have at least one")
    total = f.pad(spikes.cumsum(1), (0, 0, length, 0))
    return (total[:, length:] - total[:, :-length]) / length


def confidence(rate: Tensor, mode: ConfidenceMode, eps: float) -> Tensor:
    """Turn rates ``(…, n)`` into confidences; see `Rate`."""
    if mode == "probability":
        return rate / (rate.sum(-1, keepdim=True) + eps)
    if mode == "softmax":
        return torch.softmax(rate, -1)
    if mode == "logsoftmax":
        return torch.log_softmax(rate, -1)
    raise GraphError(f"mode is {mode!r}; use 'probability', 'softmax' or 'logsoftmax'")


class _Decision(nn.Module):
    """From the rates of the output neurons to a class."""

    def __init__(self, *, mode: ConfidenceMode, eps: float) -> None:
        super().__init__()
        self.mode: ConfidenceMode = mode
        self.eps = eps

    @abstractmethod
    def rate(self, spikes: Tensor) -> Tensor:
        """Mean spikes per step; the last axis is the class."""

    def confidence(self, spikes: Tensor) -> Tensor:
        """Confidence of every class, of the shape of `rate`."""
        return confidence(self.rate(spikes), self.mode, self.eps)

    def predict(self, spikes: Tensor) -> Tensor:
        """Class, of the shape of `rate` without its last axis; the first of equals."""
        return self.rate(spikes).argmax(-1)

    def forward(self, spikes: Tensor) -> Tensor:
        """Give `predict`."""
        return self.predict(spikes)


class Rate(_Decision):
    """Decide for the neuron with the highest mean rate.

    Parameters
    ----------
    mode : {"probability", "softmax", "logsoftmax"}
        How rates become confidences: share of the summed rate, or (log-)softmax of the rates.
    eps : float
        Added to the summed rate, so that silence gives confidence zero.

    Notes
    -----
    Takes ``(batch, time, *shape)``; gives classes ``(batch,)`` and confidences ``(batch, n)``.
    """

    def __init__(self, *, mode: ConfidenceMode = "probability", eps: float = 1e-6) -> None:
        super().__init__(mode=mode, eps=eps)

    def rate(self, spikes: Tensor) -> Tensor:
        """Mean spikes per step, ``(batch, n)`` from ``(batch, time, *shape)``."""
        return spikes.flatten(2).mean(1)


class MovingWindow(_Decision):
    """Decide at every step for the neuron with the highest rate over the last steps.

    Parameters
    ----------
    time_window : int
        Steps of the window, >= 1.
    mode, eps
        As `Rate`.

    Notes
    -----
    Takes ``(batch, time, *shape)``; gives classes ``(batch, time)`` and confidences
    ``(batch, time, n)``.
    """

    def __init__(
        self, time_window: int, *, mode: ConfidenceMode = "probability", eps: float = 1e-6
    ) -> None:
        super().__init__(mode=mode, eps=eps)
        if time_window < 1:
            raise GraphError(f"MovingWindow: time_window is {time_window}; it must be >= 1")
        self.time_window = time_window

    def rate(self, spikes: Tensor) -> Tensor:
        """Mean spikes per step over the window, ``(batch, time, n)``."""
        return window_rate(spikes.flatten(2), self.time_window)
