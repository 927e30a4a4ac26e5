"""The adaptive leaky integrate-and-fire neuron in the integers of the chip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Unpack

from torch import Tensor, nn

from ._neuron import Decay, DeviceValue, LoihiNeuron, NeuronOptions, Shape
from .kernels import adapt, fire, integrate


class Alif(LoihiNeuron):
    """CUBA neuron without a reset whose spikes raise its threshold and a refractory state.

    Parameters
    ----------
    shape : int, tuple of int, or None
        Neurons of a sample, channels first.
    threshold : float or None
        At rest; cut to a multiple of ``1/scale``.
    threshold_step : float
        What a spike adds to the threshold; cut likewise.
    current_decay, voltage_decay, threshold_decay, refractory_decay : float or pair of float
        Fraction lost per step, 0..1. The last two have no gradient.
    **options
        See `LoihiNeuron`; ``norm`` acts on the input.

    Notes
    -----
    Per step, in integers: ``r = dz(r * (4096 - Dr))``, ``th = dz((th - th0) * (4096 - Dth)) +
    th0``; a spike where ``v >= th + r``; then ``r += 2 * th`` and ``th += step`` where it spiked.

    References
    ----------
    lava-dl 0.6.0 documentation, slayer neuron ``alif``.
    """

    device_type: ClassVar[str] = "ALIF"
    current_decay: nn.Parameter
    voltage_decay: nn.Parameter
    threshold_decay: nn.Parameter
    refractory_decay: nn.Parameter

    def __init__(
        self,
        shape: Shape,
        *,
        threshold: float | None,
        threshold_step: float,
        current_decay: Decay,
        voltage_decay: Decay,
        threshold_decay: Decay,
        refractory_decay: Decay,
        **options: Unpack[NeuronOptions],
    ) -> None:
        super().__init__(shape, threshold=threshold, **options)
        self.threshold_step = self._cut(threshold_step)
        self._add_decay("current_decay", current_decay, trained=True)
        self._add_decay("voltage_decay", voltage_decay, trained=True)
        self._add_decay("threshold_decay", threshold_decay, trained=False)
        self._add_decay("refractory_decay", refractory_decay, trained=False)

    def forward(self, z: Tensor) -> Tensor:
        """Turn synaptic input ``(batch, time, *shape)`` into spikes of the same shape."""
        flat = self._flat(z if self.norm is None else self.norm(z))
        batch, _, n = flat.shape
        states = self._start(4, batch, n)
        current = integrate(flat, self._values("current_decay", n), states[0])
        voltage = integrate(current.output, self._values("voltage_decay", n), states[1])
        run = adapt(voltage.output, self._adapting(n), (states[2], states[3]))
        spikes = fire(voltage.output, run.spikes, run.threshold, self._firing())
        self._finish(
            current.states + voltage.states + run.states, current.overflow + voltage.overflow
        )
        return self._emit(spikes.view(z.shape))

    def device_params(self) -> Mapping[str, DeviceValue]:
        """Give type, decays, threshold mantissa and step as a network file keeps them."""
        found: dict[str, DeviceValue] = {
            "type": self.device_type,
            "iDecay": self._decay_codes("current_decay"),
            "vDecay": self._decay_codes("voltage_decay"),
            "vThMant": self._threshold_code(),
            "refDelay": 1,
            "gradedSpike": False,
            **self._adaptation_params(),
        }
        return self._with_norm(found)
