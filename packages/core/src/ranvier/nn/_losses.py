"""Losses on output spikes ``(batch, time, *shape)``.

References
----------
S. B. Shrestha, G. Orchard, "SLAYER", NeurIPS (2018), and the losses of lava-dl 0.6.0, without
the factors 1/2 and 1/T of its documentation, which its code does not have either. A van Rossum
distance is M. C. W. van Rossum, "A novel spike distance", Neural Computation 13 (2001).
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as f

from ranvier.errors import GraphError, InputError

from ._classifiers import window_rate

Reduction = Literal["sum", "mean"]


def _reduce(values: Tensor, reduction: Reduction) -> Tensor:
    return values.sum() if reduction == "sum" else values.mean()


def _check_reduction(where: str, reduction: str) -> None:
    if reduction not in ("sum", "mean"):
        raise GraphError(f"{where}: reduction is {reduction!r}; use 'sum' or 'mean'")


def _check_label(where: str, rate: Tensor, label: Tensor, *, windowed: bool) -> Tensor:
    """Give labels in the shape of the rates without the class axis."""
    if label.is_floating_point():
        raise InputError(f"{where}: labels are {label.dtype}; they must be integers")
    wanted = tuple(rate.shape[:-1])
    if windowed and tuple(label.shape) == wanted[:1]:
        label = label.unsqueeze(1).expand(wanted)
    if tuple(label.shape) != wanted:
        either = f"{wanted[:1]} or {wanted}" if windowed else f"{wanted}"
        raise InputError(f"{where}: labels have shape {tuple(label.shape)}; expected {either}")
    classes = rate.shape[-1]
    if label.numel() and not 0 <= int(label.min()) <= int(label.max()) < classes:
        raise InputError(
            f"{where}: labels go from {int(label.min())} to {int(label.max())}; "
            f"the output has classes 0 to {classes - 1}"
        )
    return label.long()


def _rates(spikes: Tensor, window: int | None) -> Tensor:
    """Mean rate ``(batch, n)``, or at every step ``(batch, time, n)`` with a window."""
    flat = spikes.flatten(2)
    return flat.mean(1) if window is None else window_rate(flat, window)


def _band(taps: Tensor) -> tuple[Tensor, Tensor]:
    """Give a filter as two matrices: onto the block of steps itself, and from the block before.

    Products of blocks take a twentieth of the time of a convolution with one channel.
    """
    steps = torch.arange(taps.shape[0], device=taps.device)
    lag = steps.view(-1, 1) - steps
    zero = taps.new_zeros(())
    here = torch.where(lag >= 0, taps[lag.clamp(min=0)], zero)
    return here, torch.where(lag < 0, taps[lag.remainder(taps.shape[0])], zero)


class SpikeTime(nn.Module):
    """Squared distance of filtered spike trains: sum of ``(h * (spikes - target))**2``.

    Parameters
    ----------
    time_constant : float
        Decay of the filter ``h[k] = exp(-k/time_constant)``, in steps, > 0.
    length : int
        Steps of the filter, >= 1.
    filter_order : int
        How often the filter is applied; each time it is cut to ``length`` and not rescaled.
    reduction : {"sum", "mean"}
        Over batch, time and neurons.
    """

    kernel: Tensor

    def __init__(
        self,
        *,
        time_constant: float = 5.0,
        length: int = 100,
        filter_order: int = 1,
        reduction: Reduction = "sum",
    ) -> None:
        super().__init__()
        if not time_constant > 0 or length < 1 or filter_order < 1:
            raise GraphError(
                f"SpikeTime: time_constant={time_constant}, length={length} and "
                f"filter_order={filter_order} must be > 0, >= 1 and >= 1"
            )
        _check_reduction("SpikeTime", reduction)
        self.reduction: Reduction = reduction
        first = torch.exp(-torch.arange(length, dtype=torch.float64) / time_constant)
        kernel = first
        for _ in range(filter_order - 1):
            padded = f.pad(kernel.view(1, 1, -1), (length - 1, 0))
            kernel = f.conv1d(padded, first.flip(0).view(1, 1, -1)).view(-1)
        self.register_buffer("kernel", kernel.to(torch.get_default_dtype()))

    def filter(self, spikes: Tensor) -> Tensor:
        """Convolve ``(batch, time, *shape)`` causally with the filter; the same shape."""
        rows = spikes.flatten(2)
        batch, time, n = rows.shape
        taps = self.kernel[: max(time, 1)].to(spikes.dtype)
        length = taps.shape[0]
        blocks = -(-time // length)
        whole = f.pad(rows, (0, 0, 0, blocks * length - time)).view(batch, blocks, length, n)
        here, before = _band(taps)
        filtered = torch.matmul(here, whole)
        carried = filtered[:, 1:] + torch.matmul(before, whole[:, :-1])
        out = torch.cat([filtered[:, :1], carried], dim=1)
        return out.view(batch, blocks * length, n)[:, :time].reshape(spikes.shape)

    def forward(self, spikes: Tensor, target: Tensor) -> Tensor:
        """Give the loss of two spike trains ``(batch, time, *shape)``."""
        if spikes.shape != target.shape:
            raise InputError(
                f"{type(self).__name__}: spikes have shape {tuple(spikes.shape)}, the target "
                f"{tuple(target.shape)}; both must be equal"
            )
        return _reduce(self.filter(spikes - target.to(spikes.dtype)).square(), self.reduction)


class VanRossum(nn.Module):
    """Van Rossum distance: ``dt/tau * sum over time of (h * (spikes - target))**2``.

    Parameters
    ----------
    tau : float
        Decay of the causal filter ``h(t) = exp(-t/tau)``, in s, > 0.
    dt : float
        Time step, in s, > 0.
    reduction : {"sum", "mean"}
        Over batch and neurons.

    Notes
    -----
    For ``dt`` much below ``tau`` a single surplus spike far from the end has distance 1/2. The
    filter has no cut: the sum runs on after the last step, analytically.
    """

    def __init__(
        self, *, tau: float = 10e-3, dt: float = 1e-3, reduction: Reduction = "sum"
    ) -> None:
        super().__init__()
        if not (math.isfinite(tau) and tau > 0 and math.isfinite(dt) and dt > 0):
            raise GraphError(f"VanRossum: tau={tau} s and dt={dt} s must be finite and > 0")
        _check_reduction("VanRossum", reduction)
        self.tau = tau
        self.dt = dt
        self.reduction: Reduction = reduction

    def forward(self, spikes: Tensor, target: Tensor) -> Tensor:
        """Give the loss of two spike trains ``(batch, time, *shape)``."""
        if spikes.shape != target.shape:
            raise InputError(
                f"VanRossum: spikes have shape {tuple(spikes.shape)}, the target "
                f"{tuple(target.shape)}; both must be equal"
            )
        decay = math.exp(-self.dt / self.tau)
        trains = (spikes - target.to(spikes.dtype)).flatten(2)
        steps = trains.shape[1]
        lag = torch.arange(steps, device=trains.device, dtype=trains.dtype)
        lag = lag.unsqueeze(1) - lag
        taps = torch.where(lag >= 0, decay ** lag.clamp(min=0), torch.zeros_like(lag))
        trace = torch.einsum("st,btn->bsn", taps, trains)
        tail = decay**2 / (1.0 - decay**2) * trace[:, -1].square()
        distance = (self.dt / self.tau) * (trace.square().sum(1) + tail)
        return _reduce(distance, self.reduction)


class SpikeRate(nn.Module):
    """Squared distance of rates from one rate for the labelled neuron and one for the others.

    Parameters
    ----------
    true_rate, false_rate : float
        Wanted rates, in spikes per step.
    moving_window : int, optional
        Compare the rates over the last steps at every step, instead of the mean over all.
    reduction : {"sum", "mean"}
        Over batch, neurons and, with a window, time.
    """

    def __init__(
        self,
        *,
        true_rate: float,
        false_rate: float,
        moving_window: int | None = None,
        reduction: Reduction = "sum",
    ) -> None:
        super().__init__()
        _check_reduction("SpikeRate", reduction)
        self.true_rate = true_rate
        self.false_rate = false_rate
        self.moving_window = moving_window
        self.reduction: Reduction = reduction

    def forward(self, spikes: Tensor, label: Tensor) -> Tensor:
        """Give the loss; ``label`` is ``(batch,)`` or, with a window, also ``(batch, time)``."""
        rate = _rates(spikes, self.moving_window)
        label = _check_label("SpikeRate", rate, label, windowed=self.moving_window is not None)
        hot = f.one_hot(label, rate.shape[-1]).to(rate.dtype)
        target = self.true_rate * hot + self.false_rate * (1.0 - hot)
        return _reduce((rate - target).square(), self.reduction)


class SpikeMax(nn.Module):
    """Negative log-likelihood of the labelled neuron, from rates.

    Parameters
    ----------
    mode : {"probability", "softmax"}
        Share of the summed rate, or softmax of the rates.
    moving_window : int, optional
        Judge the rates over the last steps at every step, instead of the mean over all.
    reduction : {"sum", "mean"}
        Over batch and, with a window, time.
    eps : float
        In ``"probability"`` mode added to the summed rate; a labelled neuron without a spike
        counts with the share ``eps``, so that the loss stays finite.
    """

    def __init__(
        self,
        *,
        mode: Literal["probability", "softmax"] = "probability",
        moving_window: int | None = None,
        reduction: Reduction = "sum",
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        if mode not in ("probability", "softmax"):
            raise GraphError(f"SpikeMax: mode is {mode!r}; use 'probability' or 'softmax'")
        _check_reduction("SpikeMax", reduction)
        self.mode = mode
        self.moving_window = moving_window
        self.reduction: Reduction = reduction
        self.eps = eps

    def forward(self, spikes: Tensor, label: Tensor) -> Tensor:
        """Give the loss; ``label`` is ``(batch,)`` or, with a window, also ``(batch, time)``."""
        rate = _rates(spikes, self.moving_window)
        label = _check_label("SpikeMax", rate, label, windowed=self.moving_window is not None)
        if self.mode == "softmax":
            log_likelihood = torch.log_softmax(rate, -1)
        else:
            share = rate / (rate.sum(-1, keepdim=True) + self.eps)
            log_likelihood = share.clamp(min=self.eps).log()
        picked = log_likelihood.gather(-1, label.unsqueeze(-1)).squeeze(-1)
        return _reduce(-picked, self.reduction)


class SpikeMoid(nn.Module):
    """Binary cross entropy of ``sigmoid((spikes - theta)/alpha)``, averaged over time.

    Parameters
    ----------
    alpha, theta : float
        Width (> 0) and centre of the sigmoid.
    moving_window : int, optional
        Average over the last steps at every step, instead of over all.
    reduction : {"sum", "mean"}
        Over batch, neurons and, with a window, time.
    """

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        theta: float = 0.0,
        moving_window: int | None = None,
        reduction: Reduction = "sum",
    ) -> None:
        super().__init__()
        if not alpha > 0:
            raise GraphError(f"SpikeMoid: alpha is {alpha!r}; it must be > 0")
        _check_reduction("SpikeMoid", reduction)
        self.alpha = alpha
        self.theta = theta
        self.moving_window = moving_window
        self.reduction: Reduction = reduction

    def forward(self, spikes: Tensor, label: Tensor) -> Tensor:
        """Give the loss; ``label`` is ``(batch,)`` or, with a window, also ``(batch, time)``."""
        likelihood = torch.sigmoid((spikes - self.theta) / self.alpha)
        rate = _rates(likelihood, self.moving_window)
        label = _check_label("SpikeMoid", rate, label, windowed=self.moving_window is not None)
        hot = f.one_hot(label, rate.shape[-1]).to(rate.dtype)
        values = f.binary_cross_entropy(rate.clamp(0.0, 1.0), hot, reduction="none")
        return _reduce(values, self.reduction)


class SparsityEnforcer(nn.Module):
    """Penalty on activity: ``lam * relu(mean |spikes| - max_rate)**2`` summed over layers.

    Parameters
    ----------
    max_rate : float
        Mean rate that costs nothing, in spikes per step, >= 0.
    lam : float
        Weight of the penalty.
    """

    def __init__(self, *, max_rate: float = 0.01, lam: float = 1.0) -> None:
        super().__init__()
        if not max_rate >= 0:
            raise GraphError(f"SparsityEnforcer: max_rate is {max_rate!r}; it must be >= 0")
        self.max_rate = max_rate
        self.lam = lam

    def forward(self, *layers: Tensor) -> Tensor:
        """Give the penalty of the spikes of one or more layers, ``(batch, time, *shape)`` each."""
        if not layers:
            raise InputError("SparsityEnforcer: there are no spikes; give those of one layer")
        costs = [torch.relu(s.abs().mean() - self.max_rate).square() for s in layers]
        return self.lam * torch.stack(costs).sum()
