"""Targets and model values of a population as hxtorch's parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .stack import MIXED, Stack

if TYPE_CHECKING:
    from ..plan import Part

COMMON = {
    "leak": ("leak", "leak"),
    "tau_mem": ("tau_mem", "tau_mem"),
    "membrane_capacitance": ("capacitance", "membrane_capacitance"),
}
"""hxtorch's name: model value, and target of the calibration."""
FIRING = {
    "reset": ("reset", "reset"),
    "threshold": ("threshold", "threshold"),
    "refractory_time": ("refractory", "refractory"),
}
CODES = ("i_synin_gm", "synapse_dac_bias")
ADAPTIVE = {
    "exponential_slope": "exp_slope",
    "exponential_threshold": "exp_threshold",
    "subthreshold_adaptation_strength": "a",
    "spike_triggered_adaptation_increment": "b",
    "tau_adap": "tau_adaptation",
    "leak_adaptation": "leak_adaptation",
}
"""hxtorch's name: model value. It becomes a code as it is, truncated: it is not calibrated."""


def parameters_of(part: Part, stack: Stack, *, adaptive: bool) -> dict[str, Any]:
    """Return keywords for a neuron module; times in s, potentials in LSB of the slow converter.

    Every value is a pair of model and chip, so that none stands for the other.

    Parameters
    ----------
    part : Part
        Neurons.
    stack : Stack
        hxtorch.
    adaptive : bool
        Whether the module is an AELIF.
    """
    mixed = stack.name(*MIXED)

    def pair(model: Any, target: Any, *, whole: bool = False) -> Any:
        return mixed(_value(model, stack), _value(target, stack, whole=whole))

    names = COMMON | (FIRING if part.fires or adaptive else {})
    found = {
        name: pair(
            part.values(model, of="model"),
            part.values(target),
            whole=target in ("leak", "reset", "threshold", "membrane_capacitance"),
        )
        for name, (model, target) in names.items()
    }
    found["tau_syn"] = pair(part.values("tau_syn", of="model"), _receptors(part))
    for name in CODES:
        found[name] = pair(part.values(name), part.values(name), whole=True)
    if part.fires or adaptive:
        found["holdoff_time"] = pair(part.values("holdoff"), part.values("holdoff"))
    if adaptive:
        for name, model in ADAPTIVE.items():
            own = part.values(model, of="model")
            found[name] = pair(own, own)
    return found


def _receptors(part: Part) -> NDArray[np.float64]:
    """Return synaptic time constants: (n,) if both receptors have the same, else (2, n)."""
    exc, inh = part.values("tau_syn_exc"), part.values("tau_syn_inh")
    return exc if np.array_equal(exc, inh) else np.stack([exc, inh])


def _value(values: NDArray[np.float64], stack: Stack, *, whole: bool = False) -> Any:
    """Return a number if all neurons have the same, else a tensor with the neurons last.

    Codes and potentials that are whole numbers become integers.
    """
    integers = whole and np.array_equal(values, np.rint(values))
    if integers:
        values = np.rint(values).astype(np.int64)
    per_receptor = values.ndim == 2
    if values.size and np.all(values == values[..., :1]):
        values = values[..., 0]
        if not per_receptor:
            return values.item()
    dtype = stack.torch.int64 if integers else stack.torch.float32
    return stack.torch.tensor(values.tolist(), dtype=dtype)
