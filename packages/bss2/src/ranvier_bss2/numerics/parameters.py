"""What the neurons of a layer are: model parameters in float32, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import InputError

from ..kernels.arrangement import Arrangement
from ..kernels.layers import Constants, States, Terms
from ..network import BssPopulation
from ..nodes import MODEL, SWITCHES, AnalogNeuron

Floats = NDArray[np.float32]
POSITIVE = ("tau_mem", "tau_syn", "capacitance", "exp_slope", "tau_adaptation")
"""Values that must be above 0."""
DEFAULT_SWITCHES = ("leaky", "fire")
"""Switches of a LIF neuron."""
_NEAR = 1e-5
_KEPT = 4
_ONE = np.float32(1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class NeuronParameters:
    """Neurons of one layer, ready to run; what a run derives from them is kept for the next one.

    Parameters
    ----------
    switches : tuple of str
        Those of `ranvier_bss2.nodes.SWITCHES` that are on.
    dt : float
        Time step, in s, > 0.
    values : mapping of str to array of float32, (n,)
        Every name of `ranvier_bss2.nodes.MODEL`: potentials in model units, times in s.

    Raises
    ------
    InputError
        An unknown switch, a missing or unknown name, another shape, or a value out of range; all
        problems in one message.
    """

    switches: tuple[str, ...]
    dt: float
    values: Mapping[str, Floats]
    _arranged: dict[int, Floats] = field(default_factory=dict, init=False, repr=False)
    _rest: dict[int, States] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        problems = [*_setting_problems(self.switches, self.dt), *_name_problems(self.values)]
        values = {name: _frozen(v) for name, v in self.values.items()}
        n = max((v.size for v in values.values()), default=0)
        problems += [p for name, v in values.items() for p in _value_problems(name, v, n)]
        if problems:
            raise InputError("bss2: " + "; ".join(problems))
        object.__setattr__(self, "switches", tuple(s for s in SWITCHES if s in self.switches))
        object.__setattr__(self, "values", MappingProxyType(values))

    @classmethod
    def of_values(
        cls,
        values: Mapping[str, ArrayLike],
        *,
        dt: float,
        switches: Sequence[str] = DEFAULT_SWITCHES,
        n: int | None = None,
    ) -> NeuronParameters:
        """Take some values, each a scalar or (n,), and the node's defaults for the others.

        Parameters
        ----------
        values : mapping of str to array
            Of `ranvier_bss2.nodes.MODEL`; ``leak_adaptation`` is the leak where it is missing.
        dt : float
            Time step, in s.
        switches : sequence of str
            Those that are on; those of a LIF neuron by default.
        n : int, optional
            Number of neurons; that of the longest value by default.

        Raises
        ------
        InputError
            As `NeuronParameters`.
        """
        defaults: dict[str, ArrayLike] = {k: _DEFAULTS[k] for k in MODEL if k not in values}
        if "leak" in values and "leak_adaptation" not in values:
            defaults["leak_adaptation"] = values["leak"]
        arrays = {k: np.asarray(v, np.float64) for k, v in {**defaults, **values}.items()}
        size = max((a.size for a in arrays.values()), default=1) if n is None else n
        full = {
            k: np.broadcast_to(a, (size,)) if a.ndim == 0 or a.shape == (1,) else a
            for k, a in arrays.items()
        }
        with np.errstate(over="ignore"):
            rounded = {k: a.astype(np.float32) for k, a in full.items()}
        return cls(switches=tuple(switches), dt=dt, values=rounded)

    @classmethod
    def of_population(cls, population: BssPopulation, dt: float) -> NeuronParameters:
        """Take the model of a mapped population; ``dt`` in s of the chip, as its times."""
        return cls.of_values(population.model, dt=dt, switches=population.switches)

    @classmethod
    def of_node(cls, node: AnalogNeuron, dt: float) -> NeuronParameters:
        """Take the model of a graph node, flattened C-major; ``dt`` in s of the graph."""
        switches = tuple(s for s in SWITCHES if getattr(node, s))
        values = {name: node.parameter(name).reshape(-1) for name in MODEL}
        return cls.of_values(values, dt=dt, switches=switches)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.switches, self.dt, dict(self.values))

    @property
    def n(self) -> int:
        """Number of neurons."""
        return int(self.values["leak"].size)

    def has(self, switch: str) -> bool:
        """Say whether a switch is on."""
        return switch in self.switches

    @property
    def adapts(self) -> bool:
        """Whether there is an adaptation variable."""
        return self.has("subthreshold_adaptation") or self.has("spike_triggered_adaptation")

    @property
    def starts_at_leak(self) -> bool:
        """Whether the membrane starts at the leak, not at 0."""
        return self.has("leaky") or self.has("subthreshold_adaptation")

    @cached_property
    def terms(self) -> Terms:
        """Which terms the kernels compute."""
        return Terms(
            fire=self.has("fire"),
            exponential=self.has("exponential"),
            subthreshold=self.has("subthreshold_adaptation"),
            triggered=self.has("spike_triggered_adaptation"),
            refractory=self.has("fire") and bool(np.any(self.values["refractory"])),
        )

    @cached_property
    def refractory_steps(self) -> Floats:
        """Refractory time in steps, (n,): a real number, of which the ceiling is masked."""
        quotient = self.values["refractory"].astype(np.float64) / np.float64(self.dt)
        whole = np.round(quotient)
        near = np.abs(quotient - whole) <= _NEAR * np.maximum(whole, 1.0)
        return np.where(near, whole, quotient).astype(np.float32)

    @cached_property
    def constants(self) -> Constants:
        """What the kernels multiply by, each (n,); rounded to float32 after every operation."""
        p, dt = self.values, np.float32(self.dt)
        g = p["capacitance"] / p["tau_mem"]
        return Constants(
            leak=p["leak"],
            g=g if self.has("leaky") else np.zeros_like(g),
            scale=dt / p["capacitance"],
            keep=_ONE - dt / p["tau_syn"],
            threshold=p["threshold"],
            reset=p["reset"],
            steps=self.refractory_steps,
            exp_gain=g * p["exp_slope"],
            exp_slope=p["exp_slope"],
            exp_threshold=p["exp_threshold"],
            w_keep=_ONE - dt / p["tau_adaptation"],
            w_gain=dt / p["tau_adaptation"] * p["a"],
            w_leak=p["leak_adaptation"],
            b=p["b"],
        )

    def arranged(self, arrangement: Arrangement) -> Floats:
        """Give the constants as kernels take them, flat."""
        key = arrangement.repeats
        if key not in self._arranged:
            if len(self._arranged) >= _KEPT:
                self._arranged.clear()
            self._arranged[key] = arrangement.lay_constants(np.stack(self.constants))
        return self._arranged[key]

    def rest(self, arrangement: Arrangement) -> States:
        """Give the states at the start as kernels take them, flat; not to be written to."""
        key = arrangement.batch
        if key not in self._rest:
            if len(self._rest) >= _KEPT:
                self._rest.clear()
            zero = np.zeros(arrangement.shape[0] * arrangement.shape[2], dtype=np.float32)
            v = zero
            if self.starts_at_leak:
                v = arrangement.lay_row(np.tile(self.values["leak"], (key, 1)))
            self._rest[key] = States(i=zero, v=v, w=zero, ref=zero)
        return self._rest[key]


_DEFAULTS = {
    name: float(np.asarray(getattr(AnalogNeuron(shape=(1,)), name)).reshape(-1)[0])
    for name in MODEL
}


def _rebuild(switches: tuple[str, ...], dt: float, values: dict[str, Floats]) -> NeuronParameters:
    return NeuronParameters(switches=switches, dt=dt, values=values)


def _frozen(value: ArrayLike) -> Floats:
    array = np.array(value, dtype=np.float32)
    array.setflags(write=False)
    return array


def _setting_problems(switches: Sequence[str], dt: float) -> list[str]:
    problems = []
    unknown = sorted(set(switches) - set(SWITCHES))
    if unknown:
        problems.append(f"switches {', '.join(unknown)} are unknown; use {', '.join(SWITCHES)}")
    if not (np.isfinite(dt) and dt > 0.0):
        problems.append(f"dt is {dt} s; it must be a finite number > 0")
    return problems


def _name_problems(values: Mapping[str, Floats]) -> list[str]:
    missing, unknown = sorted(set(MODEL) - set(values)), sorted(set(values) - set(MODEL))
    problems = [f"{', '.join(missing)} missing; give them all"] if missing else []
    if unknown:
        problems.append(f"{', '.join(unknown)} unknown; the neurons have {', '.join(MODEL)}")
    return problems


def _value_problems(name: str, value: Floats, n: int) -> list[str]:
    if value.shape != (n,) or not n:
        return [f"{name} has shape {value.shape}; expected ({max(n, 1)},), one value per neuron"]
    if not np.all(np.isfinite(value)):
        return [f"{name} has values that are not finite in float32; give finite numbers"]
    lowest = float(value.min())
    if name in POSITIVE and not lowest > 0.0:
        return [f"{name} is {lowest:g} at its lowest; it must be > 0 in float32"]
    if name == "refractory" and lowest < 0.0:
        return [f"refractory is {lowest:g} s at its lowest; it must be >= 0"]
    return []
