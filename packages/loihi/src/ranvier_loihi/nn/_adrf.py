"""Resonate-and-fire neurons with an adaptive threshold, in the integers of the chip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Unpack

from torch import nn

from ._neuron import Decay, DeviceValue, NeuronOptions, Shape
from ._resonate import _Resonator
from .kernels import Adaptation, Resonance


class AdaptiveResonateFire(_Resonator):
    """Phase-crossing resonator whose spikes raise its threshold and a refractory state.

    Parameters
    ----------
    shape, threshold, period, decay, log_init
        See `ResonateFire`.
    threshold_step : float
        What a spike adds to the threshold; cut to a multiple of ``1/scale``.
    threshold_decay, refractory_decay : float or pair of float
        Fraction lost per step, 0..1; no gradient.
    **options
        See `LoihiNeuron`; no ``norm``.

    Notes
    -----
    The rotation of `ResonateFire`, compared with ``th + r``, which adapt as in `Alif`.

    References
    ----------
    lava-dl 0.6.0 documentation, slayer neuron ``adrf``.
    """

    device_type: ClassVar[str] = "ADRF_PHASE"
    resonance: ClassVar[Resonance] = Resonance(phase=True, adaptive=True, reset=False)
    threshold_decay: nn.Parameter
    refractory_decay: nn.Parameter

    def __init__(
        self,
        shape: Shape,
        *,
        threshold: float | None,
        threshold_step: float,
        period: Decay,
        decay: Decay,
        threshold_decay: Decay,
        refractory_decay: Decay,
        log_init: bool = True,
        **options: Unpack[NeuronOptions],
    ) -> None:
        super().__init__(
            shape, threshold=threshold, period=period, decay=decay, log_init=log_init, **options
        )
        self.threshold_step = self._cut(threshold_step)
        self._add_decay("threshold_decay", threshold_decay, trained=False)
        self._add_decay("refractory_decay", refractory_decay, trained=False)

    def _adaptation(self, n: int) -> Adaptation:
        return self._adapting(n)

    def device_params(self) -> Mapping[str, DeviceValue]:
        """Give the values of the resonator, and decays and step of its threshold."""
        return {**super().device_params(), **self._adaptation_params()}


class AdaptiveResonateFireIzhikevich(AdaptiveResonateFire):
    """Resonator that spikes where ``im >= th + r``; no reset, adaptation as in `Alif`.

    Parameters are those of `AdaptiveResonateFire`.

    References
    ----------
    lava-dl 0.6.0 documentation, slayer neuron ``adrf_iz``.
    """

    device_type: ClassVar[str] = "ADRF_IZHIKEVICH"
    resonance: ClassVar[Resonance] = Resonance(phase=False, adaptive=True, reset=False)
