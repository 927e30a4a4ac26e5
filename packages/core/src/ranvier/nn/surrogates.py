"""Surrogate derivatives: what the backward pass uses in place of the step at the threshold.

The spike count of a step is a function of ``v / threshold``, so every surrogate gives the
derivative towards the membrane and, from it, the one towards the threshold.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ranvier.errors import GraphError


@dataclass(frozen=True)
class Surrogate(ABC):
    """Derivative of the spike count with respect to the membrane.

    Attributes
    ----------
    code : int or None
        Number of the same formula in the CPU kernels; None for a formula the kernels do not know,
        which is then trained with the plain loop.
    compact : bool
        Whether the derivative is exactly zero below ``threshold - margin``. Event-driven kernels
        need it to leave most neurons out.
    """

    code: ClassVar[int | None] = None
    compact: ClassVar[bool] = False

    @abstractmethod
    def derivative(self, v: Tensor, threshold: Tensor, *, max_spikes: float = math.inf) -> Tensor:
        """Give dS/dV.

        Parameters
        ----------
        v : Tensor
            Membrane before the reset, ``(batch, n)`` or any shape.
        threshold : Tensor
            Firing threshold > 0, broadcastable to ``v``.
        max_spikes : float
            Largest number of spikes per step.

        Returns
        -------
        Tensor
            As ``v``, in spikes per unit of the membrane.
        """

    def threshold_derivative(
        self, v: Tensor, threshold: Tensor, *, max_spikes: float = math.inf
    ) -> Tensor:
        """Give dS/dthreshold, which is ``-dS/dV * v / threshold``. Arguments as `derivative`."""
        return -self.derivative(v, threshold, max_spikes=max_spikes) * v / threshold

    @property
    def margin(self) -> float:
        """Distance below the threshold from which on the derivative is zero (``inf``: none)."""
        return math.inf

    @property
    def scale(self) -> float:
        """The one number of the formula, as the kernels take it."""
        return 0.0


def _check_positive(owner: object, name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise GraphError(
            f"{type(owner).__name__}: {name} is {value!r}; it must be a finite number > 0"
        )


@dataclass(frozen=True)
class PiecewiseLinear(Surrogate):
    """``1/threshold`` where ``v >= threshold - window``, else 0; follows multiple spikes per step.

    Parameters
    ----------
    window : float
        Distance below the threshold, in units of the membrane, at which learning starts; > 0.

    References
    ----------
    SynSense rockpool documentation, ``StepPWL``.
    """

    window: float = 0.5
    code: ClassVar[int | None] = 0
    compact: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the window."""
        _check_positive(self, "window", self.window)

    def derivative(self, v: Tensor, threshold: Tensor, *, max_spikes: float = math.inf) -> Tensor:
        """Give dS/dV; see `Surrogate.derivative`."""
        return (v >= threshold - self.window).to(v.dtype) / threshold

    @property
    def margin(self) -> float:
        """See `Surrogate.margin`."""
        return self.window

    @property
    def scale(self) -> float:
        """See `Surrogate.scale`."""
        return self.window


@dataclass(frozen=True)
class Window(Surrogate):
    """Box of unit area around the threshold: ``1/(2*half_width)`` where ``|v - threshold| < it``.

    Parameters
    ----------
    half_width : float
        Half the width of the box, in units of the membrane; > 0.
    """

    half_width: float = 0.5
    code: ClassVar[int | None] = 1
    compact: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the half width."""
        _check_positive(self, "half_width", self.half_width)

    def derivative(self, v: Tensor, threshold: Tensor, *, max_spikes: float = math.inf) -> Tensor:
        """Give dS/dV; see `Surrogate.derivative`."""
        inside = (v - threshold).abs() < self.half_width
        return inside.to(v.dtype) * (0.5 / self.half_width)

    @property
    def margin(self) -> float:
        """See `Surrogate.margin`."""
        return self.half_width

    @property
    def scale(self) -> float:
        """See `Surrogate.scale`."""
        return self.half_width


@dataclass(frozen=True)
class PeriodicExponential(Surrogate):
    """Exponential peaks at every multiple of the threshold, up to ``max_spikes`` of them.

    Parameters
    ----------
    window : float
        Width of a peak, in units of the membrane; > 0.

    Notes
    -----
    With ``u = v - threshold/2`` and, above the threshold, ``u`` reduced by
    ``threshold * min(floor(u/threshold), max_spikes - 1)``, the derivative is
    ``exp(-|u - threshold/2| / window) / threshold``.

    References
    ----------
    SynSense rockpool documentation, ``PeriodicExponential``.
    """

    window: float = 0.5
    code: ClassVar[int | None] = 2

    def __post_init__(self) -> None:
        """Check the window."""
        _check_positive(self, "window", self.window)

    def derivative(self, v: Tensor, threshold: Tensor, *, max_spikes: float = math.inf) -> Tensor:
        """Give dS/dV; see `Surrogate.derivative`."""
        half = 0.5 * threshold
        u = v - half
        periods = torch.floor(u / threshold).clamp(max=max_spikes - 1)
        u = torch.where(v < threshold, u, u - threshold * periods)
        return torch.exp(-(u - half).abs() / self.window) / threshold

    @property
    def scale(self) -> float:
        """See `Surrogate.scale`."""
        return self.window


@dataclass(frozen=True)
class FastSigmoid(Surrogate):
    """Derivative of the fast sigmoid, ``1 / (1 + slope*|v - threshold|)**2``.

    Parameters
    ----------
    slope : float
        Steepness, per unit of the membrane; > 0.

    References
    ----------
    F. Zenke, S. Ganguli, "SuperSpike", Neural Computation 30 (2018).
    """

    slope: float = 25.0
    code: ClassVar[int | None] = 3

    def __post_init__(self) -> None:
        """Check the slope."""
        _check_positive(self, "slope", self.slope)

    def derivative(self, v: Tensor, threshold: Tensor, *, max_spikes: float = math.inf) -> Tensor:
        """Give dS/dV; see `Surrogate.derivative`."""
        denominator = 1.0 + self.slope * (v - threshold).abs()
        return 1.0 / (denominator * denominator)

    @property
    def scale(self) -> float:
        """See `Surrogate.scale`."""
        return self.slope


@dataclass(frozen=True)
class SuperSpike(FastSigmoid):
    """The fast sigmoid with the steepness usual for the SuperSpike rule; see `FastSigmoid`.

    Parameters
    ----------
    slope : float
        Steepness, per unit of the membrane; > 0.
    """

    slope: float = 100.0


@dataclass(frozen=True)
class Sigmoid(Surrogate):
    """Derivative of the logistic function, ``slope * s * (1 - s)``, of unit area.

    Parameters
    ----------
    slope : float
        Steepness, per unit of the membrane; > 0.
    """

    slope: float = 25.0
    code: ClassVar[int | None] = 4

    def __post_init__(self) -> None:
        """Check the slope."""
        _check_positive(self, "slope", self.slope)

    def derivative(self, v: Tensor, threshold: Tensor, *, max_spikes: float = math.inf) -> Tensor:
        """Give dS/dV; see `Surrogate.derivative`."""
        e = torch.exp(-(self.slope * (v - threshold)).abs())
        return self.slope * e / ((1.0 + e) * (1.0 + e))

    @property
    def scale(self) -> float:
        """See `Surrogate.scale`."""
        return self.slope


@dataclass(frozen=True)
class Arctan(Surrogate):
    """Derivative of the arc tangent, ``alpha/2 / (1 + (pi/2*alpha*(v - threshold))**2)``.

    Parameters
    ----------
    alpha : float
        Steepness, per unit of the membrane; > 0. The area is one.

    References
    ----------
    W. Fang et al., "Incorporating learnable membrane time constant", ICCV (2021).
    """

    alpha: float = 2.0
    code: ClassVar[int | None] = 5

    def __post_init__(self) -> None:
        """Check the steepness."""
        _check_positive(self, "alpha", self.alpha)

    def derivative(self, v: Tensor, threshold: Tensor, *, max_spikes: float = math.inf) -> Tensor:
        """Give dS/dV; see `Surrogate.derivative`."""
        z = (0.5 * math.pi * self.alpha) * (v - threshold)
        return (0.5 * self.alpha) / (1.0 + z * z)

    @property
    def scale(self) -> float:
        """See `Surrogate.scale`."""
        return self.alpha
