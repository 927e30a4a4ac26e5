"""Synapses: weighted connections from spikes to neurons."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .. import diagnostics as codes
from ._handles import Handle, SynapseHandle
from ._instances import ExecutionInstance
from ._module import HXModule, input_error, spikes_handle
from ._transforms import linear_saturating, round_half_away
from .functional import linear

if TYPE_CHECKING:
    from ..alignment import Alignment
    from ._experiment import Experiment

Transform = Callable[[Tensor], Tensor]


class Synapse(HXModule[SynapseHandle]):
    """All-to-all synapses without bias.

    The numerics use the weights as they are; the transformation applies only to what is written to
    a chip, which then rounds halves away from zero and holds -63..63.

    Parameters
    ----------
    in_features, out_features : int
        Sources and targets, >= 1.
    experiment : Experiment
        To which it belongs.
    execution_instance : ExecutionInstance, optional
        Run of the chip.
    device, dtype : optional
        Of the weights; the kernels run on the CPU in float32.
    transform : callable
        From weights of the model to LSB.

    Attributes
    ----------
    weight : Parameter, (out_features, in_features)
        Uniform within ``1 / sqrt(in_features)`` at the start.
    """

    weight: nn.Parameter

    def __init__(
        self,
        in_features: int,
        out_features: int,
        experiment: Experiment,
        execution_instance: ExecutionInstance | None = None,
        *,
        device: Any = None,
        dtype: torch.dtype | None = None,
        transform: Transform = linear_saturating,
    ) -> None:
        super().__init__(experiment, execution_instance, name="synapse")
        if min(in_features, out_features) < 1:
            text = f"{in_features} inputs and {out_features} outputs, both must be >= 1"
            raise input_error(codes.BAD_CHOICE.at(self.name, text))
        self.in_features, self.out_features, self.transform = in_features, out_features, transform
        self.weight = nn.Parameter(
            torch.empty((out_features, in_features), device=device, dtype=dtype)
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))

    @property
    def effective_weight(self) -> Tensor:
        """What the numerics multiply by, (out_features, in_features)."""
        return self.weight

    @property
    def connected(self) -> Tensor | None:
        """Where synapses are, (out_features, in_features); None: everywhere."""
        return None

    @property
    def hardware_weight(self) -> Tensor:
        """What is written to the chip, whole numbers -63..63, (out_features, in_features).

        Raises
        ------
        InputError
            The transformation gives numbers that are not finite, or another shape.
        """
        with torch.no_grad():
            given = self.transform(self.effective_weight.detach())
        if given.shape != self.weight.shape or not bool(torch.isfinite(given).all()):
            text = (
                f"transform gives {tuple(given.shape)} for weights {tuple(self.weight.shape)}, or "
            )
            text += "values that are not finite"
            hint = "give a transform of the shape of the weights; look for NaN in the weights"
            raise input_error(codes.BAD_CHOICE.at(self.name, text, hint=hint))
        return round_half_away(given)

    def use_alignment(self, alignment: Alignment) -> None:
        """Write weights with the scale of an alignment from now on."""
        scale = float(alignment.weight_scale)
        self.transform = lambda weight: linear_saturating(weight, scale=scale)

    def forward(self, spikes: Handle | Tensor) -> SynapseHandle:
        """Record a call.

        Parameters
        ----------
        spikes : handle of neurons that fire, or Tensor, (batch, time, in_features)
            Sources.
        """
        return self._record((spikes_handle(self, spikes),), SynapseHandle())

    def weigh(self, spikes: Tensor) -> Tensor:
        """Return weighted spikes, (..., out_features)."""
        if spikes.ndim == 3 and spikes.device.type == "cpu":
            return linear(spikes, self.effective_weight)
        return torch.nn.functional.linear(spikes, self.effective_weight)

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"{self.in_features}, {self.out_features}"


class SparseSynapse(Synapse):
    """Synapses where a mask says so; only these take rows of the chip.

    Parameters
    ----------
    connections : Tensor, (in, out)
        0 where there is no synapse; dense or sparse.
    experiment, execution_instance, device, dtype, transform
        As `Synapse`.
    """

    mask: Tensor

    def __init__(
        self,
        connections: Tensor,
        experiment: Experiment,
        execution_instance: ExecutionInstance | None = None,
        *,
        device: Any = None,
        dtype: torch.dtype | None = None,
        transform: Transform = linear_saturating,
    ) -> None:
        dense = connections.to_dense() if connections.layout != torch.strided else connections
        if dense.ndim != 2:
            text = f"connections have shape {tuple(dense.shape)}, expected (in, out)"
            raise input_error(codes.BAD_CHOICE.at("synapse", text))
        super().__init__(
            dense.shape[0],
            dense.shape[1],
            experiment,
            execution_instance,
            device=device,
            dtype=dtype,
            transform=transform,
        )
        self.register_buffer("mask", (dense != 0).T.contiguous().to(self.weight.device))
        with torch.no_grad():
            self.weight.mul_(self.mask)

    @property
    def effective_weight(self) -> Tensor:
        """Weights, 0 where there is no synapse; these have no gradient either."""
        return self.weight * self.mask

    @property
    def connected(self) -> Tensor | None:
        """Where synapses are."""
        return self.mask


class EventPropSynapse(Synapse):
    """Synapses in front of `EventPropLIF`, which computes their gradients; as `Synapse`."""
