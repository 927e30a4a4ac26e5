"""Neuron groups of a .net file as graph neurons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.graph import (
    AdaptiveLIF,
    CubaLI,
    CubaLIF,
    Neuron,
    ResonateAndFire,
    Shape,
    SigmaDelta,
)

from ..diagnostics import (
    NET_CHANGED,
    NET_EXPONENT,
    NET_GRADED,
    NET_INPUT_CURRENT,
    NET_MISSING,
    NET_READOUT,
    NET_SHAPE,
    NET_THETA,
    NET_UNKNOWN_TYPE,
    NET_VALUE,
    NET_VENDOR_ADRF,
    NET_VENDOR_INPUT,
    NET_VENDOR_NO_NEURON,
    NET_VENDOR_REFRACTORY,
    NET_VENDOR_REFUSES,
)
from ..nodes import AdaptiveResonateAndFire, Delta, InputLayer, Sigma
from .source import DECAY_UNIT, MANTISSA_UNIT, READOUT_THRESHOLD, RawLayer

FOREVER = 2.0**60
"""Steps of a time constant whose state loses nothing: its Euler factor is exactly 1."""
CUBA = ("CUBA", "LOIHI")
RESONATORS = {"RF_PHASE": "phase", "RF_IZHIKEVICH": "amplitude"}
ADAPTIVE = {"ADRF_PHASE": "phase", "ADRF_IZHIKEVICH": "amplitude"}
COMPLEX = (*RESONATORS, *ADAPTIVE)
TYPES = (*CUBA, "ALIF", *COMPLEX, "SDNN")
_ACTIVATIONS = {"relu": "relu", "identity": "identity", "linear": "identity", "none": "identity"}


def neuron_type(layer: RawLayer) -> str:
    """Return the type of a layer's neuron in upper case, ``""`` without a neuron."""
    if not layer.has_neuron:
        return ""
    if "neuron/type" not in layer:
        raise layer.broken(NET_MISSING, "has no dataset 'neuron/type'")
    kind = layer.text("neuron/type").upper()
    if kind not in TYPES:
        raise layer.broken(
            NET_UNKNOWN_TYPE, f"neuron type {kind!r}; known: {', '.join(TYPES)}", value=kind
        )
    return kind


def read_neuron(layer: RawLayer, shape: Shape, *, bias: NDArray[Any], dt: float) -> Neuron:
    """Return the neurons behind a layer's synapses.

    Parameters
    ----------
    layer : RawLayer
        With or without a neuron group.
    shape : tuple of int
        Shape of the population.
    bias : array
        In model units, broadcastable to ``shape``.
    dt : float
        Time step, in s.

    Raises
    ------
    BrokenLayerError
        After the problem was noted.
    """
    kind = neuron_type(layer)
    common: dict[str, Any] = {"shape": shape, "bias": bias}
    if not kind:
        layer.report(
            NET_VENDOR_NO_NEURON,
            "no neuron: read as iDecay 0, vDecay 4096 and a threshold that never fires",
        )
        times: dict[str, Any] = {"tau_syn": dt * FOREVER, "tau_mem": dt}
        return CubaLI(**common, **times, decay="euler")
    if kind in CUBA:
        return _cuba(layer, common, dt)
    if kind == "ALIF":
        return _alif(layer, common, dt)
    if kind == "SDNN":
        return _sigma_delta(layer, common)
    return _resonator(layer, kind, common, dt)


def read_input_neuron(layer: RawLayer, shape: Shape, *, dt: float) -> tuple[float, Neuron]:
    """Return a factor on the input and the neurons of an input layer that has some."""
    kind = neuron_type(layer)
    weight = layer.integer("weight", MANTISSA_UNIT) / MANTISSA_UNIT
    offset = layer.integer("bias", 0) / MANTISSA_UNIT
    if kind == "SDNN":
        if offset:
            message = f"the offset {offset:g} of a sigma-delta input was left out"
            layer.report(NET_CHANGED, message, value=offset)
        return weight, Delta(shape=shape, threshold=_threshold(layer, shape))
    if kind not in CUBA:
        message = f"an input layer has neurons of type {kind}; known: CUBA, LOIHI, SDNN"
        raise layer.broken(NET_UNKNOWN_TYPE, message, value=kind)
    layer.report(NET_VENDOR_INPUT, f"V += {weight:g} x + {offset:g} per step")
    lost = _decay(layer, "iDecay", shape, default=DECAY_UNIT)
    if np.any(lost != DECAY_UNIT):
        message = f"iDecay {int(lost.min())} of the input layer has no effect"
        layer.report(NET_INPUT_CURRENT, message, value=int(lost.min()), limit=DECAY_UNIT)
    return 1.0, InputLayer(
        shape=shape,
        weight=np.asarray(weight),
        offset=np.asarray(offset),
        threshold=_threshold(layer, shape),
        tau_mem=_tau(_decay(layer, "vDecay", shape), dt),
        refractory=_refractory(layer, dt),
        decay="euler",
    )


def _cuba(layer: RawLayer, common: dict[str, Any], dt: float) -> Neuron:
    shape = common["shape"]
    _report_extras(layer)
    times: dict[str, Any] = {
        "tau_syn": _tau(_decay(layer, "iDecay", shape), dt),
        "tau_mem": _tau(_decay(layer, "vDecay", shape), dt),
        "decay": "euler",
    }
    threshold = _threshold(layer, shape)
    if np.all(threshold * MANTISSA_UNIT >= READOUT_THRESHOLD):
        largest = int(np.max(threshold) * MANTISSA_UNIT)
        message = f"vThMant is {largest}: a read-out that never fires"
        layer.report(NET_READOUT, message, value=largest, limit=READOUT_THRESHOLD)
        return CubaLI(**common, **times)
    if np.any(threshold * MANTISSA_UNIT > READOUT_THRESHOLD):
        largest = int(np.max(threshold) * MANTISSA_UNIT)
        message = f"vThMant is up to {largest}, 17 bits hold {READOUT_THRESHOLD}"
        raise layer.broken(NET_VALUE, message, value=largest, limit=READOUT_THRESHOLD)
    firing: dict[str, Any] = {"threshold": threshold, "reset": "to_value", "comparison": ">"}
    return CubaLIF(**common, **times, **firing, refractory=_refractory(layer, dt))


def _alif(layer: RawLayer, common: dict[str, Any], dt: float) -> Neuron:
    shape = common["shape"]
    _report_extras(layer)
    layer.report(NET_VENDOR_REFUSES, "the vendor's reader fails on the neuron type ALIF")
    return AdaptiveLIF(
        **common,
        tau_syn=_tau(_decay(layer, "iDecay", shape), dt),
        tau_mem=_tau(_decay(layer, "vDecay", shape), dt),
        reset="to_value",
        decay="euler",
        **_adaptation(layer, shape, dt),
    )


def _adaptation(layer: RawLayer, shape: Shape, dt: float) -> dict[str, Any]:
    step = _per_channel(layer, "neuron/vThStep", shape)
    if np.any(step < 0):
        raise layer.broken(NET_VALUE, f"vThStep is {int(step.min())}, must be >= 0")
    return {
        "threshold": _threshold(layer, shape),
        "threshold_step": step / MANTISSA_UNIT,
        "tau_threshold": _tau(_decay(layer, "thDecay", shape), dt),
        "tau_refractory": _tau(_decay(layer, "refDecay", shape), dt),
    }


def _resonator(layer: RawLayer, kind: str, common: dict[str, Any], dt: float) -> Neuron:
    shape = common["shape"]
    _report_extras(layer)
    sine = _per_channel(layer, "neuron/sinDecay", shape)
    cosine = _per_channel(layer, "neuron/cosDecay", shape)
    radius = np.hypot(sine, cosine) / DECAY_UNIT
    if np.any(radius >= 1) or np.any(radius <= 0) or np.any(sine <= 0):
        message = (
            f"sinDecay {int(sine.min())}..{int(sine.max())} and cosDecay {int(cosine.min())}.."
            f"{int(cosine.max())} are no damped rotation: sinDecay > 0, radius below 4096"
        )
        raise layer.broken(NET_VALUE, message)
    times: dict[str, Any] = {
        "tau": -dt / np.log(radius),
        "frequency": np.arctan2(sine, cosine) / (2 * np.pi * dt),
        "reset": "to_value",
    }
    if kind in RESONATORS:
        firing: dict[str, Any] = {
            "threshold": _threshold(layer, shape),
            "trigger": RESONATORS[kind],
        }
        return ResonateAndFire(**common, **times, **firing)
    layer.report(NET_VENDOR_ADRF, f"the vendor's reader runs {kind} as a plain resonator")
    trigger, adaptation = ADAPTIVE[kind], _adaptation(layer, shape, dt)
    return AdaptiveResonateAndFire(**common, **times, **adaptation, trigger=trigger, decay="euler")


def _sigma_delta(layer: RawLayer, common: dict[str, Any]) -> Neuron:
    if "neuron/sigma_output" in layer:
        return Sigma(**common)
    name = layer.text("neuron/activation", "relu").lower()
    if name not in _ACTIVATIONS:
        message = f"activation {name!r}; known: {', '.join(_ACTIVATIONS)}"
        raise layer.broken(NET_UNKNOWN_TYPE, message, value=name)
    threshold = _threshold(layer, common["shape"])
    return SigmaDelta(**common, threshold=threshold, activation=_ACTIVATIONS[name])


def _report_extras(layer: RawLayer) -> None:
    """Report what changes the numbers of a spiking layer and cannot be kept."""
    if np.any(layer.integers("neuron/gradedSpike", 0)):
        layer.report(NET_GRADED, "gradedSpike is set; the neuron emits 0 or 1")
    for name in ("neuron/wgtExp", "neuron/weight_exp"):
        exponent = layer.integers(name, 0)
        if np.any(exponent):
            value = int(exponent.reshape(-1)[0])
            layer.report(NET_EXPONENT, f"{name} is {value}; it was ignored", value=value, limit=0)


def _refractory(layer: RawLayer, dt: float) -> NDArray[np.float64]:
    steps = layer.integer("neuron/refDelay", 1)
    if not 1 <= steps <= 63:
        raise layer.broken(NET_VALUE, f"refDelay is {steps}, allowed are 1..63", value=steps)
    if steps != 1:
        message = f"refDelay is {steps}: {steps - 1} further step(s) without a spike"
        layer.report(NET_VENDOR_REFRACTORY, message, value=steps)
    return np.asarray((steps - 1) * dt)


def _threshold(layer: RawLayer, shape: Shape) -> NDArray[np.float64]:
    theta = _per_channel(layer, "neuron/theta", shape) if "neuron/theta" in layer else None
    if "neuron/vThMant" not in layer and theta is not None:
        return theta / (MANTISSA_UNIT * MANTISSA_UNIT)
    mantissa = _per_channel(layer, "neuron/vThMant", shape)
    if np.any(mantissa < 0):
        message = f"vThMant is {int(mantissa.min())}, must be >= 0"
        raise layer.broken(NET_VALUE, message, value=int(mantissa.min()), limit=0)
    if theta is not None and np.any(theta != MANTISSA_UNIT * mantissa):
        message = f"theta is {int(theta.max())}, 64 vThMant is {64 * int(mantissa.max())}"
        layer.report(NET_THETA, message, value=int(theta.max()))
    return mantissa / MANTISSA_UNIT


def _decay(
    layer: RawLayer, name: str, shape: Shape, *, default: int | None = None
) -> NDArray[np.int64]:
    values = _per_channel(layer, f"neuron/{name}", shape, default=default)
    if np.any(values < 0) or np.any(values > DECAY_UNIT):
        message = f"{name} is {int(values.min())}..{int(values.max())}, allowed are 0..4096"
        raise layer.broken(NET_VALUE, message, value=int(values.max()), limit=DECAY_UNIT)
    return values


def _per_channel(
    layer: RawLayer, name: str, shape: Shape, *, default: int | None = None
) -> NDArray[np.int64]:
    return channel_values(layer, name, layer.integers(name, default), shape)


def channel_values(layer: RawLayer, name: str, values: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """Return one value, or one per channel (first axis), such that it broadcasts to a shape."""
    flat = values.reshape(-1)
    if flat.size == 1:
        return np.asarray(flat[0])
    if flat.size == shape[0]:
        return flat.reshape(-1, *(1,) * (len(shape) - 1))
    if flat.size == int(np.prod(shape)):
        return flat.reshape(shape)
    message = f"{name} has {flat.size} values, expected 1 or {shape[0]} for the shape {shape}"
    raise layer.broken(NET_SHAPE, message, value=int(flat.size), limit=int(shape[0]))


def _tau(decay: NDArray[np.int64], dt: float) -> NDArray[np.float64]:
    """Return the time constant whose Euler factor is ``1 - decay / 4096``."""
    whole = np.where(decay > 0, decay, 1)
    return np.asarray(np.where(decay > 0, dt * DECAY_UNIT / whole, dt * FOREVER))
