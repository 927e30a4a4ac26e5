"""Batch normalisation that the chip can do: a bias, and a power of two.

References
----------
lava-dl 0.6.0 documentation, slayer neuron norms.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ranvier.errors import GraphError, InputError

from ._quantize import WEIGHT_SCALE, quantize_8bit


class MeanOnlyBatchNorm(nn.Module):
    """Subtract the mean of every channel, quantised like a weight.

    Parameters
    ----------
    num_features : int
        Channels, >= 1: the first axis behind ``(batch, time)``.
    momentum : float
        Weight of a new mean in the running one, 0..1.

    Notes
    -----
    Training subtracts the mean over batch, time and space; evaluation the running mean.
    """

    running_mean: Tensor

    def __init__(self, num_features: int, *, momentum: float = 0.1) -> None:
        super().__init__()
        if num_features < 1 or not 0.0 <= momentum <= 1.0:
            raise GraphError(
                f"{type(self).__name__}: num_features={num_features} and momentum={momentum} "
                "must be >= 1 and in 0..1"
            )
        self.num_features = num_features
        self.momentum = momentum
        self.register_buffer("running_mean", torch.zeros(num_features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(batch, time, channels, ...)``."""
        self._check(x)
        if self.training:
            mean = x.mean(dim=[axis for axis in range(x.ndim) if axis != 2])
            self._update(self.running_mean, mean)
        else:
            mean = self.running_mean
        return x - quantize_8bit(mean).view(-1, *([1] * (x.ndim - 3)))

    def _check(self, x: Tensor) -> None:
        if x.ndim < 3 or x.shape[2] != self.num_features:
            raise InputError(
                f"{type(self).__name__}: input has shape {tuple(x.shape)}; expected "
                f"(batch, time, {self.num_features}, ...)"
            )

    def _update(self, running: Tensor, value: Tensor) -> None:
        running.mul_(1.0 - self.momentum).add_(value.detach(), alpha=self.momentum)

    @property
    def bias_codes(self) -> Tensor:
        """Bias that the chip adds, as int64 mantissas ``(channels,)``."""
        return torch.round(-quantize_8bit(self.running_mean) * WEIGHT_SCALE).to(torch.int64)

    def extra_repr(self) -> str:
        """Describe channels and momentum."""
        return f"{self.num_features}, momentum={self.momentum:g}"


class WgtScaleBatchNorm(MeanOnlyBatchNorm):
    """Subtract the mean and divide by the power of two at or above the standard deviation.

    Parameters
    ----------
    num_features : int
        Channels, >= 1.
    momentum : float
        Weight of new statistics in the running ones, 0..1.
    weight_exp_bits : int
        Largest exponent, either sign, >= 0.
    eps : float
        Added to the variance, > 0.

    Notes
    -----
    The variance is one number for the layer. The running one gains ``var * n / (n + 1)`` of ``n``
    values. The division has no gradient of its own.
    """

    running_var: Tensor

    def __init__(
        self,
        num_features: int,
        *,
        momentum: float = 0.1,
        weight_exp_bits: int = 3,
        eps: float = 1e-5,
    ) -> None:
        super().__init__(num_features, momentum=momentum)
        if weight_exp_bits < 0 or not eps > 0:
            raise GraphError(
                f"WgtScaleBatchNorm: weight_exp_bits={weight_exp_bits} and eps={eps} "
                "must be >= 0 and > 0"
            )
        self.weight_exp_bits = weight_exp_bits
        self.eps = eps
        self.register_buffer("running_var", torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(batch, time, channels, ...)``."""
        centred = super().forward(x)
        if self.training:
            variance = x.detach().var(unbiased=False)
            n = x.numel()
            self._update(self.running_var, variance * (n / (n + 1)))
        else:
            variance = self.running_var
        return centred / 2.0 ** self._exponent(float(variance))

    def _exponent(self, variance: float) -> int:
        found = math.ceil(math.log2(math.sqrt(variance + self.eps)))
        return max(-self.weight_exp_bits, min(self.weight_exp_bits, found))

    @property
    def weight_exponent(self) -> int:
        """Exponent of the running statistics: evaluation divides by ``2**weight_exponent``."""
        return self._exponent(float(self.running_var))
