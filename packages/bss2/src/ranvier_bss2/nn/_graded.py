"""Weighted spikes that are computed together with the layer they feed, and given when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import torch
from torch import Tensor

from .. import diagnostics as codes
from ._layer import NeuronLayer
from ._module import input_error
from ._program import Program
from ._synapse import EventPropSynapse, Synapse
from .functional import linear

Field: TypeAlias = Tensor | Callable[[], Tensor] | None
"""What a field of a handle is filled with; a function is called when the field is first read."""


def fed_alone(program: Program) -> Iterable[int]:
    """Give the results that are the only input of a layer outside of loops."""
    for group in program.groups:
        call = group[0]
        alone = len(group) == 1 and len(call.inputs) == 1
        if alone and isinstance(call.module, NeuronLayer):
            yield id(call.inputs[0])


def is_plain(module: Synapse, spikes: Tensor) -> bool:
    """Say whether a synapse multiplies spikes by weights as `linear_aelif` does."""
    own = type(module).weigh is Synapse.weigh and not isinstance(module, EventPropSynapse)
    on_cpu = spikes.device.type == module.weight.device.type == "cpu"
    # Tensors of inference do not count their changes, see below.
    counts = not (torch.is_inference_mode_enabled() or spikes.is_inference())
    return own and on_cpu and counts and spikes.ndim == 3


def graded_later(name: str, spikes: Tensor, weight: Tensor) -> Callable[[], Tensor]:
    """Give a function that computes the weighted spikes of this moment when it is called.

    Parameters
    ----------
    name : str
        Of the synapse, for messages.
    spikes : Tensor, (batch, time, n_in)
        Refused if they are changed in place before.
    weight : Tensor, (n, n_in)
        If they are changed in place before, there are no gradients.
    """
    versions, grad = (spikes._version, weight._version), torch.is_grad_enabled()
    values = weight.detach().clone() if weight.is_leaf else weight

    def compute() -> Tensor:
        if spikes._version != versions[0]:
            text = "its input was changed in place after the run, so graded_spikes are lost"
            hint = "read them before, or give the next run a new tensor"
            raise input_error(codes.BAD_INPUT.at(name, text, hint=hint))
        if weight._version == versions[1]:
            with torch.set_grad_enabled(grad):
                return linear(spikes, weight)
        with torch.no_grad():
            return linear(spikes, values)

    return compute
