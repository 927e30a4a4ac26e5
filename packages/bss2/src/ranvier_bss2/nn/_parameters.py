"""Parameters of neurons: one value for the model, another for the chip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Value: TypeAlias = float | Tensor | NDArray[Any]


class ChipParameter(nn.Module):
    """A value that model and chip have each in its own units.

    Calling it gives the current value of the model.

    Parameters
    ----------
    model_value : float or array, () or (n,)
        What the numerics use: model units, s.
    """

    value: Tensor

    def __init__(self, model_value: Value) -> None:
        super().__init__()
        self.register_buffer("value", _stored(model_value))
        self.set_on_chip: Callable[..., Any] | None = None

    @property
    def model_value(self) -> Tensor:
        """What the numerics use."""
        return self.value

    @model_value.setter
    def model_value(self, value: Value) -> None:
        self._replace(value)

    @property
    def hardware_value(self) -> Tensor:
        """What the chip is calibrated to: LSB, s, codes."""
        return self.value.detach()

    @property
    def trainable(self) -> bool:
        """Whether an optimiser may change the model value."""
        return isinstance(self.value, nn.Parameter)

    def make_trainable(self, set_on_chip_func: Callable[..., Any] | None = None) -> Self:
        """Turn the model value into a parameter for optimisers.

        Parameters
        ----------
        set_on_chip_func : callable, optional
            Called as ``f(hardware_value, chip, coordinates)`` by drivers of real chips. The
            emulator needs none: it takes every value as a new target.
        """
        self.set_on_chip = set_on_chip_func
        if not self.trainable:
            value = self.value.detach().to(torch.float32)
            del self.value
            self.value = nn.Parameter(value)
        return self

    def forward(self) -> Tensor:
        """Return the current value of the model."""
        return self.model_value

    def extra_repr(self) -> str:
        """Show both values."""
        return f"model={_shown(self.model_value)}, hardware={_shown(self.hardware_value)}"

    def _replace(self, value: Value) -> None:
        new = _stored(value).to(self.value.dtype)
        if isinstance(self.value, nn.Parameter):
            self.value.data = new
        else:
            self.value = new


class HXParameter(ChipParameter):
    """One value for both: assigning either changes both. Plain numbers are wrapped in this.

    Parameters
    ----------
    hardware_value : float or array, () or (n,)
        The value.
    """

    def __init__(self, hardware_value: Value) -> None:
        super().__init__(hardware_value)

    @property
    def hardware_value(self) -> Tensor:
        """The value."""
        return self.value.detach()

    @hardware_value.setter
    def hardware_value(self, value: Value) -> None:
        self._replace(value)


class MixedHXModelParameter(ChipParameter):
    """Two values that do not depend on each other.

    Parameters
    ----------
    model_value, hardware_value : float or array, () or (n,)
        For the numerics, and for the chip.
    """

    chip_value: Tensor

    def __init__(self, model_value: Value, hardware_value: Value) -> None:
        super().__init__(model_value)
        self.register_buffer("chip_value", _stored(hardware_value))

    @property
    def hardware_value(self) -> Tensor:
        """What the chip is calibrated to."""
        return self.chip_value

    @hardware_value.setter
    def hardware_value(self, value: Value) -> None:
        self.chip_value = _stored(value)


class HXTransformedModelParameter(ChipParameter):
    """A value of the model, from which that of the chip follows.

    Parameters
    ----------
    model_value : float or array, () or (n,)
        For the numerics.
    transform : callable
        Gives the chip's value of a tensor; evaluated whenever the value is read.
    """

    def __init__(self, model_value: Value, transform: Callable[[Tensor], Tensor | float]) -> None:
        super().__init__(model_value)
        self.transform = transform

    @property
    def hardware_value(self) -> Tensor:
        """What the transformation gives now."""
        return torch.as_tensor(self.transform(self.value.detach()), dtype=torch.float64)


class ModelParameter(ChipParameter):
    """A value of the model that the chip takes as it is.

    Parameters
    ----------
    model_value : float or array, () or (n,)
        For both.
    """


def parameter_of(value: Value | ChipParameter) -> ChipParameter:
    """Wrap plain values in `HXParameter`; leave parameters as they are."""
    return value if isinstance(value, ChipParameter) else HXParameter(value)


def numbers_of(value: Tensor, size: int) -> NDArray[np.float64]:
    """Return a value per neuron, (size,), in double precision."""
    array = value.detach().cpu().to(torch.float64).numpy()
    return np.array(np.broadcast_to(array, (size,)))


def _stored(value: Value) -> Tensor:
    given = value.detach() if isinstance(value, Tensor) else torch.as_tensor(value)
    return given.to(torch.float64).clone()


def _shown(value: Tensor) -> str:
    flat = value.detach().reshape(-1)
    same = bool(flat.numel()) and bool((flat == flat[0]).all())
    return f"{float(flat[0]):g}" if same else f"({flat.numel()} values)"
