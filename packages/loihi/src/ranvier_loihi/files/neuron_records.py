"""Graph neurons as neuron groups of a .net file."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.graph import (
    IF,
    LI,
    LIF,
    AdaptiveLIF,
    CubaLI,
    CubaLIF,
    I,
    Neuron,
    ResonateAndFire,
    SigmaDelta,
    SpikingNeuron,
)

from ..diagnostics import NET_CHANGED, NET_KIND, NET_UNWRITABLE
from ..nodes import AdaptiveResonateAndFire, Delta, InputLayer, Sigma
from .codes import Coder
from .source import DECAY_UNIT, READOUT_THRESHOLD

NEURONS = (
    IF,
    LIF,
    CubaLIF,
    I,
    LI,
    CubaLI,
    AdaptiveLIF,
    ResonateAndFire,
    AdaptiveResonateAndFire,
    SigmaDelta,
    Delta,
    Sigma,
    InputLayer,
)
_RESONATORS = {"phase": "RF_PHASE", "amplitude": "RF_IZHIKEVICH"}
_BIAS_MAX = 4095


def neuron_record(node: Neuron, coder: Coder) -> dict[str, Any]:
    """Return the datasets of a neuron group, names without ``neuron/``."""
    _check_common(node, coder)
    if isinstance(node, (SigmaDelta, Delta)):
        activation = getattr(node, "activation", "identity")
        return {
            "type": "SDNN",
            "activation": activation,
            "vThMant": _threshold(node, coder),
        }
    if isinstance(node, Sigma):
        return {"type": "SDNN", "activation": "identity", "vThMant": 0, "sigma_output": True}
    if isinstance(node, (ResonateAndFire, AdaptiveResonateAndFire)):
        return _resonator(node, coder)
    return _cuba(node, coder)


def bias_record(node: Neuron, extra: Any, coder: Coder) -> dict[str, Any]:
    """Return the dataset ``bias`` of a layer, one value per channel; nothing if all are zero.

    Parameters
    ----------
    node : Neuron
        Its own bias counts.
    extra : array
        Bias of the map in front of it, in model units, which must broadcast to the neuron.
    coder : Coder
        Of the neuron.
    """
    total = np.broadcast_to(np.asarray(node.bias) + extra, node.shape)
    if not np.any(total):
        return {}
    codes = coder.mantissa("bias", total, -_BIAS_MAX - 1, _BIAS_MAX)
    stored = coder.stored("bias", codes, node.shape)
    return {"bias": np.broadcast_to(stored, node.shape[:1])}


def input_record(node: Neuron, gain: Any, coder: Coder) -> dict[str, Any]:
    """Return the datasets of an input layer's neurons: gain, offset and the neuron group."""
    offset: Any = 0.0
    if isinstance(node, InputLayer):
        gain, offset = np.asarray(node.weight), np.asarray(node.offset) + node.bias
    elif np.any(node.bias):
        coder.findings.add(NET_UNWRITABLE.at(coder.name, "a sigma-delta input has no offset"))
    found: dict[str, Any] = {}
    for name, value in (("weight", gain), ("bias", offset)):
        codes = coder.mantissa(name, value, -_BIAS_MAX - 1, _BIAS_MAX)
        if np.any(codes != codes.flat[0]):
            message = f"{name} differs between neurons; an input layer has one"
            coder.findings.add(NET_UNWRITABLE.at(coder.name, message))
        found[name] = codes.reshape(-1)[:1]
    return {**found, **{f"neuron/{k}": v for k, v in neuron_record(node, coder).items()}}


def _check_common(node: Neuron, coder: Coder) -> None:
    def refuse(message: str) -> None:
        coder.findings.add(NET_UNWRITABLE.at(coder.name, message))

    if np.any(node.v_rest):
        refuse("v_rest differs from 0; fold it into threshold and bias")
    if getattr(node, "synapses", 1) != 1:
        refuse(f"has {getattr(node, 'synapses', 1)} synaptic states, the format has one")
    resets = isinstance(node, (IF, LIF, CubaLIF, InputLayer))
    if resets and (getattr(node, "reset", "") != "to_value" or np.any(getattr(node, "v_reset", 0))):
        refuse("the reset must be 'to_value' with v_reset 0")
    if isinstance(node, SpikingNeuron) and resets and node.comparison != ">":
        message = "fires at the threshold; networks of .net files fire only above it"
        coder.findings.add(NET_CHANGED.at(coder.name, message))
    if isinstance(node, SpikingNeuron) and not resets and np.any(node.refractory):
        refuse("a refractory time has no place beside this neuron type")


def _threshold(node: Any, coder: Coder) -> Any:
    codes = coder.mantissa("threshold", node.threshold, 0, READOUT_THRESHOLD)
    return coder.stored("threshold", codes, node.shape)


def _cuba(node: Neuron, coder: Coder) -> dict[str, Any]:
    if isinstance(node, (IF, LIF, LI, I)):
        message = f"{node.kind} is written as a CUBA neuron with equal steps"
        coder.findings.add(NET_KIND.at(coder.name, message))
    found: dict[str, Any] = {
        "type": "ALIF" if isinstance(node, AdaptiveLIF) else "CUBA",
        "iDecay": coder.decay(node, "tau_syn") if hasattr(node, "tau_syn") else DECAY_UNIT,
        "vDecay": coder.decay(node, "tau_mem") if hasattr(node, "tau_mem") else 0,
        "vThMant": READOUT_THRESHOLD,
        "refDelay": 1,
        "gradedSpike": False,
    }
    if not isinstance(node, SpikingNeuron):
        return found
    found["vThMant"] = _firing_threshold(node, coder)
    if isinstance(node, AdaptiveLIF):
        return {**found, **_adaptation(node, coder)}
    steps = coder.whole("refractory", np.rint(node.refractory / coder.dt), 0, 62)
    if np.any(steps != steps.flat[0]):
        message = "refractory differs between neurons; the format has one"
        coder.findings.add(NET_UNWRITABLE.at(coder.name, message))
    return {**found, "refDelay": 1 + int(steps.flat[0])}


def _firing_threshold(node: SpikingNeuron, coder: Coder) -> Any:
    """Return a threshold below the one that stands for a read-out."""
    codes = coder.mantissa("threshold", node.threshold, 0, READOUT_THRESHOLD - 1)
    return coder.stored("threshold", codes, node.shape)


def _adaptation(node: Any, coder: Coder) -> dict[str, Any]:
    step = coder.mantissa("threshold_step", node.threshold_step, 0, READOUT_THRESHOLD)
    return {
        "thDecay": coder.decay(node, "tau_threshold"),
        "refDecay": coder.decay(node, "tau_refractory"),
        "vThStep": coder.stored("threshold_step", step, node.shape),
    }


def _resonator(node: Any, coder: Coder) -> dict[str, Any]:
    kept = np.exp(-coder.dt / node.tau) * DECAY_UNIT
    angle = 2 * np.pi * node.frequency * coder.dt
    found: dict[str, Any] = {"type": _RESONATORS.get(node.trigger, "")}
    for name, factor in (("sinDecay", np.sin(angle)), ("cosDecay", np.cos(angle))):
        codes = coder.whole(name, kept * factor, -DECAY_UNIT, DECAY_UNIT)
        found[name] = coder.stored(name, codes, node.shape)
    found |= {"vThMant": _threshold(node, coder), "gradedSpike": False}
    if isinstance(node, AdaptiveResonateAndFire):
        return {**found, "type": f"AD{found['type']}", **_adaptation(node, coder)}
    return found
