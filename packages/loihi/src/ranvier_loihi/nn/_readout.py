"""Blocks at the end of a network: membranes, currents and sums instead of spikes."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ranvier.errors import GraphError

from ._blocks import Block, Parameters
from ._quantize import quantize_8bit
from ._synapse import Dense, Quantizer, Shape


class AffineBlock(Block):
    """Dense layer that gives the voltage of neurons which do not fire, or the raw sum.

    Parameters
    ----------
    neuron_params : mapping
        Arguments of the family's neuron; its threshold is left out.
    in_neurons : int or tuple of int
        Sources.
    out_neurons : int
        Outputs.
    dynamics : bool
        Give the voltage (a resonator's imaginary part); False gives the output of the synapses.
    weight_scale, weight_norm, pre_hook
        See `DenseBlock`.

    Notes
    -----
    The output does not take the step to a next layer.
    """

    def __init__(
        self,
        neuron_params: Parameters,
        in_neurons: int | Shape,
        out_neurons: int,
        *,
        dynamics: bool = True,
        weight_scale: float = 1.0,
        weight_norm: bool = False,
        pre_hook: Quantizer | None = quantize_8bit,
    ) -> None:
        if not dynamics and self.neuron_class.complex:
            raise GraphError(
                f"{self.family}.Affine: dynamics=False gives no single value for complex neurons; "
                "use dynamics=True, or cuba.Affine"
            )
        super().__init__(
            {**neuron_params, "threshold": None},
            Dense,
            in_neurons,
            out_neurons,
            weight_scale=weight_scale,
            weight_norm=weight_norm,
            pre_hook=pre_hook,
            delay_shift=False,
        )
        self.dynamics = dynamics

    def respond(self, x: Tensor) -> Tensor:
        """Give the voltage, or the output of the synapses."""
        z: Any = x if self.synapse is None else self.synapse(x)
        voltage: Tensor = self.neuron.membrane(z)[1] if self.dynamics else z
        return voltage


class OutputBlock(Block):
    """Dense layer that sums its messages over time: the end of a sigma-delta network.

    Parameters
    ----------
    neuron_params : mapping
        Arguments of the family's neuron, of which only ``persistent_state`` matters.
    in_neurons : int or tuple of int
        Sources.
    out_neurons : int
        Outputs.
    weight_scale, weight_norm, pre_hook
        See `DenseBlock`.
    """

    total: Tensor | None

    def __init__(
        self,
        neuron_params: Parameters,
        in_neurons: int | Shape,
        out_neurons: int,
        *,
        weight_scale: float = 1.0,
        weight_norm: bool = False,
        pre_hook: Quantizer | None = quantize_8bit,
    ) -> None:
        super().__init__(
            None,
            Dense,
            in_neurons,
            out_neurons,
            weight_scale=weight_scale,
            weight_norm=weight_norm,
            pre_hook=pre_hook,
            delay_shift=False,
        )
        self.persistent_state = bool(neuron_params.get("persistent_state", False))
        self.register_buffer("total", None, persistent=False)

    def reset_state(self) -> None:
        """Start the next sum from zero."""
        super().reset_state()
        self.total = None

    def respond(self, x: Tensor) -> Tensor:
        """Give the running sum of the output of the synapses."""
        total = super().respond(x).cumsum(1)
        if self.persistent_state:
            if self.total is not None and self.total.shape == total[:, 0].shape:
                total = total + self.total[:, None]
            self.total = total[:, -1].detach()
        return total
