"""NIR neurons as canonical neurons: time constants, offsets, and a gain on what arrives.

A NIR neuron in the Euler scheme steps ``v <- v + a (v_leak - v + r i)`` with ``a = dt / tau``;
the canonical one ``V <- v_rest + alpha (V - v_rest) + x``. They agree with ``alpha = 1 - a``,
``v_rest = v_leak`` and inputs multiplied by the gain ``r a`` (with a synapse also ``w_in a_syn``).
Frameworks start the membrane at 0 and not at ``v_leak``; the same steps from there are
``v_rest = 0`` with a bias of ``a v_leak``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...diagnostics import CHANGED_VALUE, GUESSED_VALUE, LOST_FIELD, Findings
from ...errors import GraphError
from ...graph import IF, LI, LIF, CubaLI, CubaLIF, I, Node, Shape, bitshift_code
from ...graph.dynamics import Decay, decay_factor
from .maps import fitted
from .settings import Settings
from .source import RawNode

KINDS = {"I": I, "IF": IF, "LI": LI, "LIF": LIF, "CubaLI": CubaLI, "CubaLIF": CubaLIF}
_UNIT = 1e-6
"""Gains this close to 1 are 1: files hold float32."""
Array = NDArray[np.float64]


def gap(tau: Any, *, dt: float, decay: str) -> Array:
    """Return ``1 - decay_factor(tau)`` without the loss of digits of the subtraction."""
    taus = np.asarray(tau, dtype=np.float64)
    if decay == "euler":
        return np.asarray(dt / taus)
    if decay == "bitshift":
        return np.asarray(np.exp2(-bitshift_code(taus, dt=dt).astype(np.float64)))
    return np.asarray(-np.expm1(-dt / taus))


@dataclass(frozen=True)
class ConvertedNeuron:
    """A canonical neuron and the gain on its input; None where it is 1."""

    node: Node
    gain: Array | None


@dataclass(frozen=True)
class _Parameters:
    """Fields of one neuron, in s and float64."""

    name: str
    node: RawNode
    shape: Shape
    settings: Settings
    findings: Findings

    def field(self, name: str, default: float) -> Array:
        """Return a parameter in the file's units; raises `GraphError` unless it is finite."""
        values = fitted(self.node.fields.get(name, default), self.shape)
        if not np.all(np.isfinite(values)):
            bad = int(np.sum(~np.isfinite(values)))
            raise GraphError(f"{name} has {bad} value(s) that are NaN or infinite")
        return values

    def tau(self, name: str) -> Array:
        """Return a time constant in s, with the export fault undone where the convention has it."""
        seconds = self.field(name, 0.0) * self.settings.time_unit
        if not np.all(seconds > 0):
            raise GraphError(f"{name} is {float(np.min(seconds)):g} s, must be > 0")
        dt = self.settings.dt
        if self.settings.convention.tau_fault and bool(np.all(seconds < dt)):
            self.findings.add(
                CHANGED_VALUE.at(
                    self.name,
                    f"{name} = {float(np.max(seconds)):g} s is below dt = {dt:g} s; the exporter "
                    "multiplied it by dt, which was undone",
                    value=float(np.max(seconds)),
                    limit=dt,
                )
            )
            return np.asarray(seconds / dt)
        if self.settings.decay == "euler":
            decay_factor(seconds, dt=dt, decay="euler")
        return seconds

    def lost(self, name: str, default: float, why: str) -> None:
        """Report a field that the framework ignores, if it is not neutral."""
        value = self.field(name, default)
        if not np.allclose(value, default):
            shown = float(np.ravel(value)[0])
            self.findings.add(LOST_FIELD.at(self.name, f"{name} = {shown:g} {why}", value=shown))


def convert_neuron(
    name: str, node: RawNode, shape: Shape, settings: Settings, findings: Findings
) -> ConvertedNeuron:
    """Return the canonical neuron of a NIR neuron under a convention.

    Raises
    ------
    GraphError
        A parameter does not fit, or the framework of the convention has no such neuron.
    """
    convention = settings.convention
    if node.type in convention.unsupported:
        raise GraphError(
            f"{convention.name} has no equations for {node.type}; read with convention='nir'"
        )
    p = _Parameters(name, node, shape, settings, findings)
    values: dict[str, Any] = {"shape": shape, "decay": settings.decay}
    if node.type not in ("I", "IF"):
        values["tau_mem"] = p.tau("tau_mem" if "Cuba" in node.type else "tau")
        values |= _offset(p, values["tau_mem"])
    if "Cuba" in node.type:
        values["tau_syn"] = p.tau("tau_syn")
    if node.type in ("IF", "LIF", "CubaLIF"):
        values |= _firing(p)
    gain = _gain(p, values)
    built = cast("Node", KINDS[node.type](**values))
    return ConvertedNeuron(built, None if np.all(np.abs(gain - 1.0) <= _UNIT) else gain)


def _offset(p: _Parameters, tau_mem: Array) -> dict[str, Array]:
    """Return v_leak as rest, or as a drive where the framework starts from 0 regardless."""
    convention = p.settings.convention
    v_leak = p.field("v_leak", 0.0)
    if not convention.leak:
        p.lost("v_leak", 0.0, f"is ignored, as {convention.name} does")
        return {}
    if not np.any(v_leak):
        return {}
    if convention.name == "norse" and "Cuba" in p.node.type:
        p.findings.add(
            CHANGED_VALUE.at(
                p.name, "norse also lets the synaptic current leak towards v_leak; here it does not"
            )
        )
    if convention.starts_at_rest:
        return {"v_rest": v_leak}
    if convention.name == "nir":
        message = "NIR states no initial membrane; it starts at 0, and v_leak acts as a bias"
        p.findings.add(GUESSED_VALUE.at(p.name, message))
    return {"bias": gap(tau_mem, dt=p.settings.dt, decay=p.settings.decay) * v_leak}


def _firing(p: _Parameters) -> dict[str, Any]:
    settings, convention = p.settings, p.settings.convention
    values: dict[str, Any] = {
        "threshold": p.field("v_threshold", 1.0),
        "reset": settings.reset,
        "max_spikes": settings.max_spikes,
        "comparison": convention.comparison,
    }
    if settings.reset == "subtract":
        p.lost("v_reset", 0.0, "is not used with reset 'subtract'")
        if convention.name == "sinabs" and p.node.type == "IF":
            p.findings.add(
                CHANGED_VALUE.at(p.name, "sinabs clamps the membrane at -threshold; here it is not")
            )
        return values
    if not convention.own_v_reset:
        p.lost("v_reset", 0.0, f"is ignored: {convention.name} resets to 0")
    else:
        values["v_reset"] = p.field("v_reset", 0.0)
    if convention.name == "spikingjelly" and p.node.type != "IF":
        _check_equal_rest(p)
    if convention.erases_input and p.node.type == "CubaLIF":
        values["refractory"] = np.asarray(settings.dt)
    return values


def _check_equal_rest(p: _Parameters) -> None:
    v_leak, v_reset = p.field("v_leak", 0.0), p.field("v_reset", 0.0)
    if not np.allclose(v_leak, v_reset):
        raise GraphError(
            f"spikingjelly has v_leak = v_reset, the file has {float(np.ravel(v_leak)[0]):g} and "
            f"{float(np.ravel(v_reset)[0]):g}; read with convention='nir'"
        )


def _gain(p: _Parameters, values: dict[str, Any]) -> Array:
    """Return the factor on what arrives."""
    dt, decay, rules = p.settings.dt, p.settings.decay, p.settings.convention
    r = p.field("r", 1.0)
    if p.node.type in ("I", "IF"):
        if rules.integrator_gain == "one":
            p.lost("r", 1.0, f"is ignored, as {rules.name} does") if not _is_step(p, r) else None
            return np.asarray(1.0)
        return np.asarray(r * dt / p.settings.time_unit)
    membrane = gap(values["tau_mem"], dt=dt, decay=decay)
    if "Cuba" in p.node.type:
        beta = decay_factor(values["tau_syn"], dt=dt, decay=cast("Decay", decay))
        if rules.synapse_gain == "decay":
            p.lost("w_in", 1.0, f"is ignored, as {rules.name} does")
            return beta
        synapse = gap(values["tau_syn"], dt=dt, decay=decay)
        return np.asarray(p.field("w_in", 1.0) * synapse * r * membrane)
    if rules.leak_first and p.node.type == "LI":
        return decay_factor(values["tau_mem"], dt=dt, decay=cast("Decay", decay))
    if rules.membrane_gain == "r":
        return np.asarray(r * membrane)
    if rules.membrane_gain == "leak":
        p.lost("r", 1.0, f"is ignored, as {rules.name} does")
        return membrane
    if not rules.dt_in_r:
        p.lost("r", 1.0, f"is ignored, as {rules.name} does")
    return np.asarray(1.0)


def _is_step(p: _Parameters, r: Array) -> bool:
    """Say whether r of an integrator only encodes the time step."""
    return bool(np.allclose(r * p.settings.dt / p.settings.time_unit, 1.0, rtol=1e-4))
