"""What the neurons of a run are: currents and constants in float32, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import InputError

from ..kernels.network import Constants
from ..nodes import CONSTANTS, CURRENTS, MODELS, PORTS, Dpi

NAMES = (*CURRENTS, *CONSTANTS, "i_scale")
"""Values that a neuron has."""
POSITIVE = (*CONSTANTS, "i_pulse", "i_pulse_ahp", "i_ref", "i_spkthr", "i_scale")
"""Values that must be above 0; the others may be 0."""
LANES = 16
"""Rows are padded to a multiple of this."""
Floats = NDArray[np.float32]
_ONE = np.float32(1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class DpiParameters:
    """Neurons, ready to run; what a run derives from them is kept for the next one.

    Parameters
    ----------
    model : {"merged_synapse", "four_synapse"}
        See `ranvier_dynapse2.dpi`.
    dt : float
        Time step, in s, > 0.
    values : mapping of str to array of float32, (n,)
        Every one of `NAMES`: currents in A, capacitances in F, voltages in V.

    Raises
    ------
    InputError
        An unknown model, a missing or unknown name, another shape, or a value out of range; all
        problems in one message.
    """

    model: str
    dt: float
    values: Mapping[str, Floats]
    _tiled: dict[int, Constants] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        problems = [*_setting_problems(self.model, self.dt), *_name_problems(self.values)]
        values = {n: _frozen(v) for n, v in self.values.items()}
        n = max((v.size for v in values.values()), default=0)
        problems += [p for name, v in values.items() for p in _value_problems(name, v, n)]
        if problems:
            raise InputError("dynapse2: " + "; ".join(problems))
        object.__setattr__(self, "values", MappingProxyType(values))

    @classmethod
    def of_values(cls, values: Mapping[str, ArrayLike], *, model: str, dt: float) -> DpiParameters:
        """Take values of any float type, each a scalar or (n,), and round them to float32."""
        arrays = {n: np.asarray(v, dtype=np.float64) for n, v in values.items()}
        n = max((a.size for a in arrays.values()), default=0)
        full = {
            name: np.broadcast_to(a, (n,)) if a.ndim == 0 or a.shape == (1,) else a
            for name, a in arrays.items()
        }
        with np.errstate(over="ignore"):
            rounded = {k: a.astype(np.float32) for k, a in full.items()}
        return cls(model=model, dt=dt, values=rounded)

    @classmethod
    def of_node(cls, node: Dpi, *, dt: float) -> DpiParameters:
        """Take the values of a graph node, flattened C-major."""
        values = {name: node.parameter(name).reshape(-1) for name in NAMES}
        return cls.of_values(values, model=node.model, dt=dt)

    def with_values(self, values: Mapping[str, ArrayLike]) -> DpiParameters:
        """Return parameters with some values replaced."""
        return self.of_values({**self.values, **values}, model=self.model, dt=self.dt)

    @property
    def n(self) -> int:
        """Number of neurons."""
        return int(self.values["i_o"].size)

    @property
    def n_ports(self) -> int:
        """Number of synapses per neuron: 1 or 4."""
        return 1 if self.model == "merged_synapse" else len(PORTS)

    @property
    def synapse_states(self) -> tuple[str, ...]:
        """Names of the synaptic currents."""
        return ("i_syn",) if self.n_ports == 1 else tuple(f"i_{port}" for port in PORTS)

    @cached_property
    def t_ref(self) -> Floats:
        """Refractory period, (n,): in s in the merged model, in whole steps in the other."""
        v = self.values
        seconds = v["v_th"] * v["c_ref"] / v["i_ref"]
        if self.n_ports == 1:
            return np.asarray(seconds)
        steps = np.ceil(seconds.astype(np.float64) / self.dt - 1e-6)
        return np.maximum(steps, 0).astype(np.float32)

    def constants(self, copies: int) -> Constants:
        """Return what the kernels need for so many samples side by side."""
        if copies not in self._tiled:
            rows = {name: _tiled(a, copies) for name, a in self.derived.items()}
            self._tiled[copies] = Constants(**rows)
        return self._tiled[copies]

    @cached_property
    def derived(self) -> Mapping[str, Floats]:
        """What a step needs, by the names of `ranvier_dynapse2.kernels.network.Constants`.

        Exponentials are correctly rounded to float32. A charge ``1 - exp(-width/tau)`` of 1e-3 is
        only known to 6e-5: another exponential that is off by a unit in the last place moves all
        synaptic currents by that much.
        """
        v = self.values
        kappa = (v["kappa_n"] + v["kappa_p"]) / np.float32(2.0)
        slope = v["u_t"] / kappa
        synapses = [self._synapse(port, slope) for port in PORTS[: self.n_ports]]
        keep_ahp, jump = self._decay("ahp", v["i_pulse_ahp"], "c_pulse_ahp", slope)
        i_tau_mem, i_gain_mem = self._above_dark("i_tau_mem"), self._above_dark("i_gain_mem")
        jump = jump * self._above_dark("i_gain_ahp") / self._above_dark("i_tau_ahp")
        derived = {
            **{name: v[name] for name in ("i_scale", "i_o", "i_dc", "i_f_nmda", "i_spkthr", "u_t")},
            "i_tau_mem": i_tau_mem,
            "i_gain_mem": i_gain_mem,
            "gain_syn": np.stack([s[0] for s in synapses]),
            "keep_syn": np.stack([s[1] for s in synapses]),
            "charge_syn": np.stack([s[2] for s in synapses]),
            "keep_ahp": keep_ahp,
            "jump_ahp": jump * v["i_w_ahp"],
            "gain_mem": i_gain_mem / i_tau_mem,
            "tau_leak": slope * v["c_mem"],
            "kappa_prime": kappa * kappa / (kappa + _ONE),
            "slope": slope,
            "t_ref": self.t_ref,
        }
        return MappingProxyType(derived)

    def _above_dark(self, name: str) -> Floats:
        return np.maximum(self.values[name], self.values["i_o"])

    def _synapse(self, port: str, slope: Floats) -> tuple[Floats, Floats, Floats]:
        gain = self._above_dark(f"i_gain_{port}") / self._above_dark(f"i_tau_{port}")
        return (gain, *self._decay(port, self.values["i_pulse"], "c_pulse", slope))

    def _decay(
        self, name: str, i_pulse: Floats, c_pulse: str, slope: Floats
    ) -> tuple[Floats, Floats]:
        """Return the decay per step, and what a pulse charges, of a low-pass filter."""
        v = self.values
        tau = slope * v[f"c_{name}"] / self._above_dark(f"i_tau_{name}")
        width = v["v_th"] * v[c_pulse] / i_pulse
        return _exp(-np.float32(self.dt) / tau), _ONE - _exp(-width / tau)


def _exp(x: Floats) -> Floats:
    """Return the correctly rounded exponential: the same on every machine."""
    return np.exp(x.astype(np.float64)).astype(np.float32)


def _tiled(values: Floats, copies: int) -> Floats:
    width = -(-copies * values.shape[-1] // LANES) * LANES
    return np.ascontiguousarray(
        np.take(values, np.arange(width) % max(values.shape[-1], 1), axis=-1)
    )


def _frozen(values: Any) -> Floats:
    result = np.array(values, dtype=np.float32)
    result.setflags(write=False)
    return result


def _setting_problems(model: str, dt: float) -> list[str]:
    problems = []
    if model not in MODELS:
        problems.append(f"model {model!r} must be one of {', '.join(MODELS)}")
    if not (np.isfinite(dt) and dt > 0):
        problems.append(f"dt is {dt!r} s, must be finite and > 0; typical is 1e-3")
    return problems


def _name_problems(values: Mapping[str, Any]) -> list[str]:
    missing, unknown = sorted(set(NAMES) - set(values)), sorted(set(values) - set(NAMES))
    problems = [f"missing values: {', '.join(missing)}"] if missing else []
    return [*problems, f"unknown values: {', '.join(unknown)}"] if unknown else problems


def _value_problems(name: str, values: Floats, n: int) -> list[str]:
    if values.shape != (n,):
        return [f"{name} has shape {values.shape}, must be ({n},): one value per neuron"]
    bad = int(np.sum(~np.isfinite(values)))
    if bad:
        return [f"{name} has {bad} values that are not finite"]
    low = float(values.min(initial=np.inf))
    if low < 0 or (low == 0 and name in POSITIVE):
        sign = ">" if name in POSITIVE else ">="
        return [f"{name} is {low:g} at neuron {int(values.argmin())}, must be {sign} 0"]
    return []
