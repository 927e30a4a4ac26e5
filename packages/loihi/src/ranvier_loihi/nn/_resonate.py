"""Resonate-and-fire neurons in the integers of the chip."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ranvier.errors import GraphError, InputError

from ._neuron import UNIT, Decay, DeviceValue, LoihiNeuron, NeuronOptions, Shape
from ._quantize import rounded
from .kernels import Adaptation, Resonance, RotateRun, fire, fire_phase, rotate

_SHORTEST = 4.0


class _Resonator(LoihiNeuron):
    """Common part: a damped rotation of a complex state."""

    complex: ClassVar[bool] = True
    resonance: ClassVar[Resonance]
    sin_decay: nn.Parameter
    cos_decay: nn.Parameter

    def __init__(
        self,
        shape: Shape,
        *,
        threshold: float | None,
        period: Decay,
        decay: Decay,
        log_init: bool = True,
        **options: Unpack[NeuronOptions],
    ) -> None:
        super().__init__(shape, threshold=threshold, **options)
        self._check_rotation(period, decay)
        damping = 1.0 - self._draw(decay, "decay")
        angle = 2.0 * math.pi * self._frequencies(period, log_init=log_init)
        trained = self.requires_grad_decays
        self._add_parameter("sin_decay", UNIT * damping * torch.sin(angle), trained=trained)
        self._add_parameter("cos_decay", UNIT * damping * torch.cos(angle), trained=trained)
        self._clamp_rotation()

    def _check_rotation(self, period: Decay, decay: Decay) -> None:
        where = type(self).__name__
        periods = period if isinstance(period, tuple) else (period,)
        decays = decay if isinstance(decay, tuple) else (decay,)
        if self.norm is not None:
            raise GraphError(f"{where}: norm is not defined for a complex state; leave it out")
        if not all(value >= _SHORTEST for value in periods):
            raise GraphError(f"{where}: period is {period}; it must be at least 4 steps")
        if not all(0.0 <= value < 1.0 for value in decays):
            raise GraphError(f"{where}: decay is {decay}; it must be in 0 <= decay < 1")
        if self.shared_param and (len(periods) > 1 or len(decays) > 1):
            raise GraphError(
                f"{where}: period={period}, decay={decay}; a range needs shared_param=False"
            )

    def _frequencies(self, period: Decay, *, log_init: bool) -> Tensor:
        """Give cycles per step, ``(1,)`` or ``(channels,)``."""
        if not isinstance(period, tuple):
            return 1.0 / self._draw(period, "period").clamp(min=_SHORTEST)
        low, high = 1.0 / max(period), 1.0 / min(period)
        if log_init:
            return torch.logspace(math.log10(low), math.log10(high), self.channels)
        return self._draw((low, high), "period")

    def _clamp_rotation(self) -> None:
        """Keep the damping below 1 and the angle within a quarter turn."""
        with torch.no_grad():
            radius = torch.hypot(self.sin_decay, self.cos_decay)
            factor = (UNIT - 1.0) / radius.clamp(min=UNIT - 1.0)
            self.sin_decay.mul_(factor).clamp_(min=1.0)
            self.cos_decay.mul_(factor).clamp_(min=0.0)

    def _adaptation(self, n: int) -> Adaptation:
        """Give a threshold that does not adapt."""
        return Adaptation(self._firing().threshold, 0.0, np.zeros(n), np.zeros(n))

    def membrane(self, z: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Give the real and the imaginary state, both differentiable, instead of spikes."""
        run = self._rotate(z)
        return run.re.view(z[0].shape), run.im.view(z[0].shape)

    def forward(self, z: tuple[Tensor, Tensor]) -> Tensor:
        """Turn a real and an imaginary input ``(batch, time, *shape)`` into spikes."""
        run = self._rotate(z)
        if self.resonance.phase:
            spikes = fire_phase(run, self._firing())
        else:
            spikes = fire(run.im, run.spikes, run.threshold, self._firing())
        return self._emit(spikes.view(z[0].shape))

    def _rotate(self, z: tuple[Tensor, Tensor]) -> RotateRun:
        if not isinstance(z, tuple | list) or len(z) != 2 or z[0].shape != z[1].shape:
            raise InputError(
                f"{type(self).__name__}: input must be a pair (real, imaginary) of equal shape; "
                "a complex synapse gives one"
            )
        re, im = self._flat(z[0]), self._flat(z[1])
        n = re.shape[2]
        self._clamp_rotation()
        factors = self._spread(rounded(self.cos_decay), n), self._spread(rounded(self.sin_decay), n)
        states = self._start(4, re.shape[0], n)
        run = rotate((re, im), factors, self.resonance, self._adaptation(n), states=states)
        self._finish(run.states, run.overflow)
        return run

    def run_dense(self, x: Tensor, weight: Tensor) -> Tensor:
        """Refuse: one real weight gives no complex drive."""
        raise InputError(
            f"{type(self).__name__}: needs a complex synapse; call it with a pair (real, imaginary)"
        )

    def device_params(self) -> Mapping[str, DeviceValue]:
        """Give type, sine, cosine and threshold mantissa as a network file keeps them."""
        return {
            "type": self.device_type,
            "sinDecay": self._rotation_codes("sin_decay"),
            "cosDecay": self._rotation_codes("cos_decay"),
            "vThMant": self._threshold_code(),
            "gradedSpike": False,
        }

    def _rotation_codes(self, name: str) -> int | NDArray[np.int64]:
        self._clamp_rotation()
        return self._decay_codes(name)


class ResonateFire(_Resonator):
    """Resonate-and-fire neuron: a spike where the phase crosses zero above the threshold; no reset.

    Parameters
    ----------
    shape : int, tuple of int, or None
        Neurons of a sample, channels first.
    threshold : float or None
        Cut to a multiple of ``1/scale``.
    period : float or pair of float
        Steps of a cycle, >= 4; a pair is a range for ``shared_param=False``.
    decay : float or pair of float
        Fraction of the amplitude lost per step, 0 <= decay < 1.
    log_init : bool
        Space a range of frequencies logarithmically over the channels, else draw them.
    **options
        See `LoihiNeuron`; no ``norm``.

    Notes
    -----
    In integers: ``re = dz(c re) - dz(s im) + trunc(4096 x_re)``, ``im = dz(s re) + dz(c im) +
    trunc(4096 x_im)``; a spike where ``re >= th``, ``im >= 0`` and ``im`` was below 0 a step
    before. ``sin_decay`` and ``cos_decay`` are kept times 4096: radius at most 4095, sine at least
    1, cosine at least 0.

    References
    ----------
    lava-dl 0.6.0 documentation, slayer neuron ``rf``; E. M. Izhikevich, "Resonate-and-fire
    neurons", Neural Networks 14 (2001).
    """

    device_type: ClassVar[str] = "RF_PHASE"
    tau_multiplier: ClassVar[float] = 0.5
    scale_multiplier: ClassVar[float] = 10.0
    resonance: ClassVar[Resonance] = Resonance(phase=True, adaptive=False, reset=False)


class ResonateFireIzhikevich(_Resonator):
    """Resonate-and-fire neuron: a spike where ``im >= th``, then ``re = 0``, ``im`` just below it.

    Parameters are those of `ResonateFire`.

    References
    ----------
    lava-dl 0.6.0 documentation, slayer neuron ``rf_iz``.
    """

    device_type: ClassVar[str] = "RF_IZHIKEVICH"
    resonance: ClassVar[Resonance] = Resonance(phase=False, adaptive=False, reset=True)
