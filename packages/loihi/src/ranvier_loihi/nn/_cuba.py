"""The current-based leaky integrate-and-fire neuron in the integers of the chip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from ranvier.errors import InputError

from ._neuron import Decay, DeviceValue, LoihiNeuron, Shape
from .kernels import Run, fire, fused_cuba, integrate, list_events, on_grid, threshold_of


class Cuba(LoihiNeuron):
    """CUBA neuron: current and voltage with 12-bit decays, reset to 0, spike above the threshold.

    Parameters
    ----------
    shape : int, tuple of int, or None
        Neurons of a sample, channels first.
    threshold : float or None
        Cut to a multiple of ``1/scale``; None or below 0 never spikes.
    current_decay, voltage_decay : float or pair of float
        Fraction lost per step, 0..1; a pair is a range for ``shared_param=False``. Kept as
        parameters times 4096 and used rounded to integers, with a straight-through gradient.
    tau_grad, scale_grad, scale, norm, dropout, shared_param, persistent_state, requires_grad, seed
        See `LoihiNeuron`. ``norm`` acts on the current, before the voltage integrates it.
    graded_spike : bool
        Spikes carry the voltage.

    Notes
    -----
    With states in 1/4096: ``n = dz(a * (4096 - D)) + trunc(4096 * x)``, where ``dz`` shifts right
    by 12 rounding toward zero; a spike where the integer ``n`` is above
    ``64 * int(64 * threshold)``. This is the chip's comparison for every threshold; a float32
    comparison with a small epsilon, as in lava-dl, is not strict any more for thresholds above
    some 32. Nor is anything rounded between current and voltage, where lava-dl rounds currents
    beyond 24 bits to float32. Results are exact while states stay below 2**41; a state beyond 24
    bits, where the chip would wrap or saturate, is counted in ``overflow``.

    Gradients are those of lava-dl: an exponential surrogate; the leaky integrators run backward
    without the reset; the gradient of a decay is ``sum of g[t] * y[t-1]``, not divided by 4096.
    A threshold of 0 has a surrogate of no width: gradients are 0.

    References
    ----------
    lava-dl 0.6.0 documentation, slayer neuron ``cuba``; M. Davies et al., IEEE Micro 38(1), 2018.
    """

    device_type: ClassVar[str] = "CUBA"
    current_decay: nn.Parameter
    voltage_decay: nn.Parameter

    def __init__(
        self,
        shape: Shape,
        *,
        threshold: float | None,
        current_decay: Decay,
        voltage_decay: Decay,
        tau_grad: float = 1.0,
        scale_grad: float = 1.0,
        scale: int = 64,
        norm: nn.Module | None = None,
        dropout: nn.Module | None = None,
        shared_param: bool = True,
        persistent_state: bool = False,
        requires_grad: bool = False,
        graded_spike: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(
            shape,
            threshold=threshold,
            tau_grad=tau_grad,
            scale_grad=scale_grad,
            scale=scale,
            norm=norm,
            dropout=dropout,
            shared_param=shared_param,
            persistent_state=persistent_state,
            requires_grad=requires_grad,
            seed=seed,
        )
        self.graded_spike = graded_spike
        self._add_decay("current_decay", current_decay, trained=True)
        self._add_decay("voltage_decay", voltage_decay, trained=True)

    def forward(self, z: Tensor) -> Tensor:
        """Turn synaptic input ``(batch, time, *shape)`` into spikes of the same shape."""
        if self.norm is not None:
            return self._run_with_norm(z)
        flat = self._flat(z)
        n = flat.shape[2]
        run = fused_cuba(
            flat, None, self._decays(n), self._firing(graded=self.graded_spike),
            states=self._pair(flat.shape[0], n),
        )  # fmt: skip
        return self._close(run, z)

    def run_dense(self, x: Tensor, weight: Tensor) -> Tensor:
        """Run behind a dense synapse: from event to event where ``x`` is binary.

        Parameters
        ----------
        x : Tensor
            ``(batch, time, n_in)``.
        weight : Tensor
            ``(n, n_in)``, quantised by the caller.

        Returns
        -------
        Tensor
            ``(batch, time, n)``, the same as ``forward(linear(x, weight))``.

        Raises
        ------
        InputError
            ``weight`` does not fit ``x`` or the neurons; ``x`` is not on the CPU.
        """
        n, n_in = weight.shape
        if x.ndim != 3 or x.shape[2] != n_in or (self.shape is not None and self.shape != (n,)):
            raise InputError(
                f"Cuba: weights {tuple(weight.shape)} do not fit an input {tuple(x.shape)} and "
                f"{self.shape} neurons; expected (n, n_in) with (batch, time, n_in)"
            )
        self._check_device(x)
        plain = self.norm is None and on_grid(weight) and x.shape[1] > 0
        events = list_events(x) if plain else None
        if events is None:
            return super().run_dense(x, weight)
        run = fused_cuba(
            x.to(torch.float32), weight.to(torch.float32), self._decays(n),
            self._firing(graded=self.graded_spike),
            states=self._pair(x.shape[0], n), events=events,
        )  # fmt: skip
        self._finish(run.states, run.overflow)
        return self._emit(run.output)

    def membrane(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Give current and voltage, both differentiable, instead of spikes.

        Parameters
        ----------
        z : Tensor
            ``(batch, time, *shape)``.

        Returns
        -------
        current, voltage : Tensor
            Shape of ``z``, model units; the voltage before its reset. Advances the state as
            `forward` does.
        """
        flat = self._flat(z)
        decay_u, decay_v = self._decays(flat.shape[2])
        states = self._pair(flat.shape[0], flat.shape[2])
        first = integrate(flat, decay_u, states[0])
        current = first.output.view(z.shape)
        if self.norm is not None:
            current = self.norm(current)
        second = integrate(
            current.reshape(flat.shape), decay_v, states[1], threshold=self._firing().threshold
        )
        self._finish(first.states + second.states, first.overflow + second.overflow)
        return current, second.output.view(z.shape)

    def _run_with_norm(self, z: Tensor) -> Tensor:
        voltage = self.membrane(z)[1]
        rule = self._firing(graded=self.graded_spike)
        fired = voltage.detach() * 4096.0 > rule.threshold
        spikes = fired * voltage.detach() if self.graded_spike else fired.to(torch.float32)
        return self._emit(fire(voltage, spikes, threshold_of(rule), rule))

    def _close(self, run: Run, z: Tensor) -> Tensor:
        self._finish(run.states, run.overflow)
        return self._emit(run.output.view(z.shape))

    def _pair(self, batch: int, n: int) -> tuple[Tensor, Tensor]:
        current, voltage = self._start(2, batch, n)
        return current, voltage

    def _decays(self, n: int) -> tuple[Tensor, Tensor]:
        return self._values("current_decay", n), self._values("voltage_decay", n)

    def device_params(self) -> Mapping[str, DeviceValue]:
        """Give type, decays, threshold mantissa, refractory delay of 1, and ``gradedSpike``."""
        found: dict[str, DeviceValue] = {
            "type": self.device_type,
            "iDecay": self._decay_codes("current_decay"),
            "vDecay": self._decay_codes("voltage_decay"),
            "vThMant": self._threshold_code(),
            "refDelay": 1,
            "gradedSpike": self.graded_spike,
        }
        return self._with_norm(found)
