"""Derivatives that the backward pass uses for the spike count of a membrane current."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ranvier.errors import GraphError


@dataclass(frozen=True)
class Surrogate(ABC):
    """Derivative of ``S = max(ceil(ln(i_mem / i_spkthr)), 0)`` with respect to ``i_mem``.

    Derivatives with respect to the threshold and the dark current are 0: neither is trained.

    Attributes
    ----------
    through_reset : bool
        Whether the reset ``(1 - b) i_mem + b i_o``, b being 1 where there are spikes, passes a
        gradient to b. A spike takes the membrane down by five decades, so that a derivative of
        some 1 per e-fold makes gradients grow by orders of magnitude with every spike.
    """

    through_reset: bool = field(default=False, kw_only=True)

    @abstractmethod
    def derivative(self, i_mem: Tensor, i_spkthr: Tensor, i_o: Tensor) -> Tensor:
        """Give dS/dI.

        Parameters
        ----------
        i_mem : Tensor
            Membrane current before the reset, in A, ``(..., n)``, >= ``i_o``.
        i_spkthr, i_o : Tensor
            Threshold and dark current, in A, ``(n,)``.

        Returns
        -------
        Tensor
            As ``i_mem``, in spikes per A.
        """


@dataclass(frozen=True)
class MembraneStep(Surrogate):
    """The published one: 1 spike per ampere where the membrane is above the dark current, else 0.

    Parameters
    ----------
    through_reset : bool
        See `Surrogate`.

    The published derivative. Its scale makes gradients some 1e-7 of those of `LogSigmoid`: an
    optimiser needs a learning rate, and an ``eps``, to match.

    Notes
    -----
    Thresholds are some 1e-7 A, so gradients shrink by that much with every layer: an optimiser
    that adds an ``eps`` of 1e-8 to them, as Adam does, trains the last layer slowly and no other.
    `LogSigmoid` has numbers.

    References
    ----------
    rockpool 3.1.0, devices/dynapse/simulation.
    """

    through_reset: bool = field(default=True, kw_only=True)

    def derivative(self, i_mem: Tensor, i_spkthr: Tensor, i_o: Tensor) -> Tensor:
        """Give dS/dI; see `Surrogate.derivative`."""
        return (i_mem > i_o).to(i_mem.dtype)


@dataclass(frozen=True)
class LogWindow(Surrogate):
    """``height / i_mem`` where the membrane is within ``width`` e-folds of the threshold, else 0.

    Parameters
    ----------
    width : float
        Half-width in units of ``ln(i_mem / i_spkthr)``, > 0.
    height : float
        Spikes per e-fold, > 0.
    through_reset : bool
        See `Surrogate`.

    Raises
    ------
    GraphError
        Width or height is not > 0.

    Notes
    -----
    Trains as `LogSigmoid` does, but a neuron that never comes near its threshold learns nothing.
    """

    width: float = 1.0
    height: float = 0.1

    def __post_init__(self) -> None:
        """Check the width."""
        _check_positive(self, "width", self.width)
        _check_positive(self, "height", self.height)

    def derivative(self, i_mem: Tensor, i_spkthr: Tensor, i_o: Tensor) -> Tensor:
        """Give dS/dI; see `Surrogate.derivative`."""
        high = i_spkthr * math.exp(self.width)
        low = i_spkthr * math.exp(-self.width)
        inside = (i_mem > low) & (i_mem < high)
        return torch.where(inside, self.height / i_mem, torch.zeros_like(i_mem))


@dataclass(frozen=True)
class LogSigmoid(Surrogate):
    """``4 height s (1 - s) / i_mem``, s the logistic function of ``slope ln(i_mem / i_spkthr)``.

    A spike count is a step in the logarithm of the membrane current, and this is a bell around it.

    Parameters
    ----------
    slope : float
        Steepness per e-fold of the membrane, > 0.
    height : float
        Spikes per e-fold at the threshold, > 0.
    through_reset : bool
        See `Surrogate`.

    Raises
    ------
    GraphError
        Slope or height is not > 0.

    Notes
    -----
    Measured on two samples of Poisson noise (60 channels, 50 Hz, 0.5 s), each to drive its own of 2
    recurrent neurons; Adam with a rate of 0.1, mean squared error of the spike counts, 10 seeds:

    ========================= =========================== =============== ===================
    surrogate                 epochs until 2.5 : 1        after 200: loss ratio >= 2.5
    ========================= =========================== =============== ===================
    `MembraneStep`            123 (median; one never)     0.050           8 of 10
    `LogWindow` (1, 0.1)      60                          0.031           10 of 10
    `LogSigmoid` (1, 0.1)     57                          0.032           10 of 10
    ========================= =========================== =============== ===================

    With Adam's ``eps`` at 1e-30 instead of 1e-8, `MembraneStep` needs 65 epochs here, too. With a
    hidden layer of 16 and ``eps`` 1e-8 it never gets there (5 seeds); the others need 30 to 46.
    Heights of 0.3 and more fail on some seeds, and 1 on nearly all: gradients then grow from spike
    to spike through the recurrent weights.
    """

    slope: float = 1.0
    height: float = 0.1

    def __post_init__(self) -> None:
        """Check the slope."""
        _check_positive(self, "slope", self.slope)
        _check_positive(self, "height", self.height)

    def derivative(self, i_mem: Tensor, i_spkthr: Tensor, i_o: Tensor) -> Tensor:
        """Give dS/dI; see `Surrogate.derivative`."""
        risen = torch.sigmoid(self.slope * torch.log(i_mem / i_spkthr))
        return 4.0 * self.height * risen * (1.0 - risen) / i_mem


def _check_positive(owner: object, name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise GraphError(
            f"{type(owner).__name__}: {name} is {value!r}; it must be a finite number > 0"
        )
