"""Graph nodes of neurons, from the integers that the chip gets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import GraphError
from ranvier.graph import AdaptiveLIF, CubaLI, CubaLIF, Neuron, ResonateAndFire, Shape, SigmaDelta

from ..nodes import AdaptiveResonateAndFire
from ._neuron import UNIT

FOREVER = 2.0**60
"""Steps of a time constant whose Euler factor is exactly 1."""
NEVER = 2**18 - 1
"""Threshold mantissa of neurons that do not fire."""
Values = NDArray[np.float64]


def neuron_node(neuron: Any, shape: Shape, *, dt: float, bias: Values | float = 0.0) -> Neuron:
    """Return the node of a neuron module.

    Parameters
    ----------
    neuron : LoihiNeuron
        Module.
    shape : tuple of int
        Shape of the layer.
    dt : float
        Time step, in s.
    bias : array
        Model units, broadcastable to ``shape``.

    Raises
    ------
    GraphError
        The kind has no counterpart.
    """
    codes = dict(neuron.device_params())
    kind = str(codes["type"])
    common: dict[str, Any] = {"shape": shape, "bias": bias}
    if kind == "CUBA":
        return _cuba(codes, common, dt)
    if kind == "ALIF":
        return AdaptiveLIF(
            **common,
            **leak(codes, shape, dt=dt),
            **_adaptation(codes, shape, dt),
            reset="to_value",
            decay="euler",
        )
    if kind == "SDNN":
        threshold = _threshold(codes, shape)
        return SigmaDelta(**common, threshold=threshold, activation=str(codes["activation"]))
    if kind.startswith(("RF", "ADRF")):
        return _resonator(kind, codes, common, dt)
    raise GraphError(f"to_graph: neurons of type {kind} have no counterpart in a graph")


def _cuba(codes: dict[str, Any], common: dict[str, Any], dt: float) -> Neuron:
    times = leak(codes, common["shape"], dt=dt) | {"decay": "euler"}
    if np.all(np.asarray(codes["vThMant"]) >= NEVER):
        return CubaLI(**common, **times)
    return CubaLIF(
        **common,
        **times,
        threshold=_threshold(codes, common["shape"]),
        reset="to_value",
        comparison=">",
    )


def leak(codes: dict[str, Any], shape: Shape, *, dt: float) -> dict[str, Any]:
    """Return the time constants of current and voltage."""
    return {
        "tau_syn": _tau(codes["iDecay"], shape, dt),
        "tau_mem": _tau(codes["vDecay"], shape, dt),
    }


def _adaptation(codes: dict[str, Any], shape: Shape, dt: float) -> dict[str, Any]:
    return {
        "threshold": _threshold(codes, shape),
        "threshold_step": spread(codes["vThStep"], shape) / 64.0,
        "tau_threshold": _tau(codes["thDecay"], shape, dt),
        "tau_refractory": _tau(codes["refDecay"], shape, dt),
    }


def _resonator(kind: str, codes: dict[str, Any], common: dict[str, Any], dt: float) -> Neuron:
    shape = common["shape"]
    sine, cosine = spread(codes["sinDecay"], shape), spread(codes["cosDecay"], shape)
    fields: dict[str, Any] = {
        "tau": -dt / np.log(np.hypot(sine, cosine) / UNIT),
        "frequency": np.arctan2(sine, cosine) / (2 * np.pi * dt),
        "reset": "to_value",
        "trigger": "phase" if kind.endswith("PHASE") else "amplitude",
    }
    _check_rotation(fields["tau"], fields["frequency"], sine, cosine, dt)
    if kind.startswith("ADRF"):
        adaptation = _adaptation(codes, shape, dt)
        return AdaptiveResonateAndFire(**common, **fields, **adaptation, decay="euler")
    return ResonateAndFire(**common, **fields, threshold=_threshold(codes, shape))


def _check_rotation(
    tau: Values, frequency: Values, sine: Values, cosine: Values, dt: float
) -> None:
    """Check that damping and angle give the integers back."""
    damping = UNIT * np.exp(-dt / tau)
    angle = 2 * np.pi * frequency * dt
    back = np.rint(damping * np.cos(angle)), np.rint(damping * np.sin(angle))
    if np.any(back[0] != cosine) or np.any(back[1] != sine):
        raise GraphError(
            f"to_graph: no time constant and frequency at dt = {dt:g} s give the rotation with "
            "these cosDecay and sinDecay; use a dt between 1e-9 s and 1 s"
        )


def _threshold(codes: dict[str, Any], shape: Shape) -> Values:
    return spread(codes["vThMant"], shape) / 64.0


def _tau(decay: Any, shape: Shape, dt: float) -> Values:
    lost = spread(decay, shape)
    return np.where(lost > 0, dt * UNIT / np.where(lost > 0, lost, 1.0), dt * FOREVER)


def spread(values: Any, shape: Shape) -> Values:
    """Return one value, or one per channel (first axis) such that it broadcasts to a shape."""
    array = np.asarray(values, dtype=np.float64).ravel()
    return array[0] if array.size == 1 else array.reshape(-1, *(1,) * (len(shape) - 1))
