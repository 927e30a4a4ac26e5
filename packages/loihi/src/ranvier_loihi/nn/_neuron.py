"""What all neurons have in common: parameters on the chip's grid, state, norm and dropout."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypedDict, Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as f

from ranvier.errors import GraphError, InputError

from ._quantize import rounded
from .kernels import Adaptation, Firing, keep_of

Shape = int | tuple[int, ...] | None
Drive = Tensor | tuple[Tensor, Tensor]
Decay = float | tuple[float, float]
DeviceValue = int | bool | str | NDArray[np.int64]

UNIT = 4096
"""What 1.0 of a state is, and what a decay of 1 is."""
NEVER = 2**18 - 1


class NeuronOptions(TypedDict, total=False):
    """Keywords that every spiking neuron takes; `LoihiNeuron` describes them."""

    tau_grad: float
    scale_grad: float
    scale: int
    norm: nn.Module | None
    dropout: nn.Module | None
    shared_param: bool
    persistent_state: bool
    requires_grad: bool
    seed: int


class LoihiNeuron(nn.Module):
    """Common part of the neurons.

    Parameters
    ----------
    shape : int, tuple of int, or None
        Neurons of a sample, channels first; None takes any, with shared parameters.
    threshold : float or None
        Model units, cut to a multiple of ``1/scale``. None or below 0 never spikes.
    tau_grad, scale_grad : float
        Width and height of the surrogate, relative to the defaults of the kind.
    scale : int
        Weight codes per unit; the state has ``64 * scale`` codes per unit. Only 64 fits the chip.
    norm, dropout : Module or None
        Applied inside and to the spikes.
    shared_param : bool
        One decay per layer, else one per channel: drawn uniformly from 0.99 to 1.01 times the
        value, or between two values.
    persistent_state : bool
        Whether a call goes on where the last one ended; the state carries no gradient.
    requires_grad : bool
        Whether decays are trained.
    seed : int
        Of the draw.

    Attributes
    ----------
    overflow : int
        States of the last call that 24 bits cannot hold. The arithmetic here has no such limit, the
        chip's has, so results may differ where this is not 0.

    Raises
    ------
    GraphError
        A shape, decay, threshold or scale is out of range.
    """

    complex: ClassVar[bool] = False
    device_type: ClassVar[str] = ""
    tau_multiplier: ClassVar[float] = 100.0
    scale_multiplier: ClassVar[float] = 0.1

    def __init__(
        self, shape: Shape, *, threshold: float | None, **options: Unpack[NeuronOptions]
    ) -> None:
        super().__init__()
        self.shape = _checked_shape(type(self).__name__, shape)
        self.scale = options.get("scale", 64)
        self.shared_param = options.get("shared_param", True)
        self.requires_grad_decays = options.get("requires_grad", False)
        self.persistent_state = options.get("persistent_state", False)
        self.tau_grad = float(options.get("tau_grad", 1.0))
        self.scale_grad = float(options.get("scale_grad", 1.0))
        self.norm = options.get("norm")
        self.dropout = options.get("dropout")
        self._seed = options.get("seed", 0)
        self._check_options(threshold)
        silent = threshold is None or threshold < 0
        self.threshold: float | None = None if silent else self._cut(threshold)
        self.threshold_step = 0.0
        self.overflow = 0
        self._states: tuple[Tensor, ...] | None = None

    def _check_options(self, threshold: float | None) -> None:
        where = type(self).__name__
        if self.scale < 1:
            raise GraphError(f"{where}: scale is {self.scale}; it must be >= 1, and 64 for a chip")
        if threshold is not None and not math.isfinite(threshold):
            raise GraphError(f"{where}: threshold is {threshold}; give a finite number or None")
        if not self.shared_param and self.shape is None:
            raise GraphError(
                f"{where}: shared_param is False and shape is None; decays per channel need a shape"
            )

    def _cut(self, value: float | None) -> float:
        """Cut to a multiple of the weight step."""
        return int((value or 0.0) * self.scale) / self.scale

    def _add_parameter(self, name: str, values: Tensor, *, trained: bool) -> None:
        self.register_parameter(name, nn.Parameter(values, requires_grad=trained))

    def _add_decay(self, name: str, value: Decay, *, trained: bool) -> None:
        """Add a decay between 0 and 1 as a parameter times 4096."""
        bounds = value if isinstance(value, tuple) else (value, value)
        where = f"{type(self).__name__}: {name} is {value}"
        if not all(0.0 <= bound <= 1.0 for bound in bounds):
            raise GraphError(f"{where}; it must be in 0..1, as a fraction lost per step")
        if isinstance(value, tuple) and self.shared_param:
            raise GraphError(f"{where}; a range needs shared_param=False, else give one number")
        drawn = self._draw(value, name) * UNIT
        self._add_parameter(name, drawn, trained=trained and self.requires_grad_decays)

    def _draw(self, value: Decay, name: str, *, spread: float = 0.01) -> Tensor:
        """Give ``(1,)``, or one value per channel drawn from a range."""
        if self.shared_param:
            return torch.tensor([float(value)])  # type: ignore[arg-type]
        low, high = (
            value if isinstance(value, tuple) else (value * (1.0 - spread), value * (1.0 + spread))
        )
        generator = torch.Generator().manual_seed(self._seed + sum(name.encode()))
        return low + (high - low) * torch.rand(self.channels, generator=generator)

    @property
    def channels(self) -> int:
        """Channels of a sample; 1 where the shape is open."""
        return self.shape[0] if self.shape else 1

    def _values(self, name: str, n: int) -> Tensor:
        """Give a decay as integers ``(n,)``, differentiable; clamps the parameter first."""
        parameter: Tensor = getattr(self, name)
        with torch.no_grad():
            parameter.clamp_(0.0, float(UNIT))
        return self._spread(rounded(parameter), n)

    def _spread(self, values: Tensor, n: int) -> Tensor:
        """Repeat values per channel over the ``n`` neurons of a sample."""
        if values.shape[0] == 1:
            return values.expand(n)
        return values.repeat_interleave(n // values.shape[0])

    def _firing(self, *, graded: bool = False) -> Firing:
        """Give threshold and surrogate for the kernels."""
        if self.threshold is None:
            return Firing(math.inf, 0.0, 0.0, graded)
        width = self.tau_grad * self.threshold * self.tau_multiplier
        height = self.scale_grad * self.scale_multiplier
        return Firing(round(self.threshold * UNIT), width, height, graded)

    def _flat(self, x: Tensor) -> Tensor:
        """Give ``(batch, time, n)`` in float32 after checking the shape."""
        found = tuple(x.shape[2:])
        if x.ndim < 3 or (self.shape is not None and found != self.shape):
            wanted = (
                "(batch, time, *shape)" if self.shape is None else f"(batch, time, *{self.shape})"
            )
            raise InputError(
                f"{type(self).__name__}: input has shape {tuple(x.shape)}; expected {wanted}"
            )
        self._check_device(x)
        return x.reshape(x.shape[0], x.shape[1], -1).to(torch.float32)

    def _check_device(self, x: Tensor) -> None:
        if x.device.type != "cpu":
            raise InputError(
                f"{type(self).__name__}: input is on device '{x.device}'; the kernels run on the "
                "CPU: move data and network there with .cpu()"
            )

    def _start(self, count: int, batch: int, n: int) -> tuple[Tensor, ...]:
        """Give the states ``(batch, n)`` at the start of a call."""
        states = self._states if self.persistent_state else None
        if states is not None and tuple(states[0].shape) == (batch, n):
            return states
        return tuple(torch.zeros(batch, n, dtype=torch.float64) for _ in range(count))

    def _finish(self, states: tuple[Tensor, ...], overflow: int) -> None:
        self._states = states if self.persistent_state else None
        self.overflow = overflow

    def _emit(self, spikes: Tensor) -> Tensor:
        return spikes if self.dropout is None else self.dropout(spikes)

    def reset_state(self) -> None:
        """Start the next call from zero."""
        self._states = None
        self.overflow = 0

    def run_dense(self, x: Tensor, weight: Tensor) -> Tensor:
        """Run behind a dense synapse.

        Parameters
        ----------
        x : Tensor
            ``(batch, time, n_in)``.
        weight : Tensor
            ``(n, n_in)``, quantised by the caller; its gradient is taken with respect to it.

        Returns
        -------
        Tensor
            ``(batch, time, n)``.
        """
        result: Tensor = self(f.linear(x.to(torch.float32), weight))
        return result

    def _decay_codes(self, name: str) -> int | NDArray[np.int64]:
        """Give a decay as an int, or as ``(channels,)``."""
        parameter: Tensor = getattr(self, name)
        codes = torch.round(parameter.detach().clamp(0.0, float(UNIT))).to(torch.int64)
        return int(codes[0]) if self.shared_param else codes.numpy().copy()

    def _threshold_code(self) -> int:
        return NEVER if self.threshold is None else round(self.threshold * 64)

    @abstractmethod
    def device_params(self) -> Mapping[str, DeviceValue]:
        """Give the integers that a network file keeps of this neuron.

        Returns
        -------
        dict
            Decays are ints, or int64 arrays ``(channels,)``.
        """

    def _adapting(self, n: int) -> Adaptation:
        """Give the adaptive threshold of a kind that has one."""
        return Adaptation(
            self._firing().threshold,
            float(round(self.threshold_step * UNIT)),
            keep_of(self._values("threshold_decay", n)),
            keep_of(self._values("refractory_decay", n)),
        )

    def _adaptation_params(self) -> dict[str, DeviceValue]:
        """Give what a file keeps of an adaptive threshold."""
        return {
            "thDecay": self._decay_codes("threshold_decay"),
            "refDecay": self._decay_codes("refractory_decay"),
            "vThStep": round(self.threshold_step * 64),
        }

    def _with_norm(self, found: dict[str, DeviceValue]) -> dict[str, DeviceValue]:
        """Add what the normalisation exports."""
        exponent: Any = getattr(self.norm, "weight_exponent", None)
        return found if exponent is None else {**found, "weight_exp": int(exponent)}

    def extra_repr(self) -> str:
        """Describe shape and threshold."""
        return f"{self.shape}, threshold={self.threshold}"


def _checked_shape(where: str, shape: Shape) -> tuple[int, ...] | None:
    """Give a shape as a tuple."""
    found = (shape,) if isinstance(shape, int) else shape
    if found is not None and (not found or min(found) < 1):
        raise GraphError(f"{where}: shape is {shape}; every size must be at least 1")
    return None if found is None else tuple(found)
