"""What a NIR file leaves open: time step, scheme, reset and units, stated or chosen with a note."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...diagnostics import CHANGED_VALUE, GUESSED_VALUE, Findings
from ...errors import FileError, InputError
from ...graph.dynamics import DECAYS
from ...graph.neuron import RESETS
from .conventions import CONVENTIONS, Convention
from .source import RawGraph, RawNode

_AGREEMENT = 1e-4
"""Relative spread below which time steps are the same; files hold float32."""


@dataclass(frozen=True)
class Options:
    """What the caller stated; None leaves the choice to the file, then to the convention.

    Parameters
    ----------
    dt : float or None
        Time step, in s, > 0.
    convention : str or None
        Framework that wrote the file, a name of `CONVENTIONS`.
    reset : {"subtract", "to_value"} or None
        Reset of all spiking neurons.
    scheme : {"euler", "exponential", "bitshift"} or None
        How time constants become decay factors.
    time_unit : float or None
        Seconds per unit of time in the file, > 0.
    max_spikes : int or None
        Most spikes per neuron and step with reset "subtract".
    """

    dt: float | None = None
    convention: str | None = None
    reset: str | None = None
    scheme: str | None = None
    time_unit: float | None = None
    max_spikes: int | None = None

    def __post_init__(self) -> None:
        for name, allowed in (
            ("convention", tuple(CONVENTIONS)),
            ("reset", RESETS),
            ("scheme", DECAYS),
        ):
            value = getattr(self, name)
            if value is not None and value not in allowed:
                raise InputError(f"read_nir: {name} {value!r} must be one of {', '.join(allowed)}")
        for name in ("dt", "time_unit"):
            value = getattr(self, name)
            if value is not None and not _positive(value):
                raise InputError(f"read_nir: {name} is {value!r}, must be finite seconds > 0")
        if self.max_spikes is not None and not self.max_spikes >= 1:
            raise InputError(f"read_nir: max_spikes is {self.max_spikes!r}, must be >= 1")

    @property
    def stated(self) -> dict[str, Any]:
        """What is not None."""
        return {k: v for k, v in vars(self).items() if v is not None}


@dataclass(frozen=True)
class Settings:
    """Everything decided.

    Parameters
    ----------
    convention : Convention
        Rules of the framework.
    dt, time_unit : float
        In s.
    decay, reset : str
        As in the neurons of the graph.
    max_spikes : int
        Spike limit with reset "subtract".
    """

    convention: Convention
    dt: float
    time_unit: float
    decay: str
    reset: str
    max_spikes: int


def resolve(options: Options, flat: RawGraph, findings: Findings, *, where: str) -> Settings:
    """Decide what the file leaves open: the caller, then the file's notes, then the convention.

    Raises
    ------
    FileError
        The time step is neither stated nor safely encoded in the file.
    """
    convention = CONVENTIONS[options.convention or "nir"]
    notes = _notes(flat.metadata, with_style=options.convention is None)
    unit = options.time_unit or notes.get("time_unit") or convention.time_unit
    implied = _implied_dt(flat, convention, unit or 1.0)
    stated = options.dt or notes.get("dt")
    dt = stated or _chosen_dt(implied, convention, findings, where)
    if stated and implied and not math.isclose(stated, implied, rel_tol=_AGREEMENT):
        findings.add(
            CHANGED_VALUE.at(
                None,
                f"the gains of the file imply dt = {implied:g} s, asked for {stated:g} s; inputs "
                "act differently than in the framework that wrote it",
                value=stated,
                limit=implied,
                hint=f"read with dt={implied:g}, or stretch time with "
                f"time_unit={stated / implied * (unit or 1.0):g}",
            )
        )
    reset = options.reset or notes.get("reset") or _default_reset(convention, findings)
    return Settings(
        convention=convention,
        dt=float(dt),
        time_unit=float(unit or dt),
        decay=options.scheme or notes.get("scheme") or convention.decay,
        reset=reset,
        max_spikes=(options.max_spikes or convention.max_spikes) if reset == "subtract" else 1,
    )


def _positive(value: Any) -> bool:
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return bool(number and math.isfinite(value) and value > 0)


def _notes(metadata: Mapping[str, Any], *, with_style: bool) -> dict[str, Any]:
    """Return the usable notes of a file; they are hints, so nonsense is skipped.

    A stated convention replaces the notes on style (reset and scheme), not those on time.
    """
    notes: dict[str, Any] = {}
    for name in ("dt", "time_unit"):
        value = metadata.get(name)
        if isinstance(value, (int, float, np.ndarray, np.number)) and np.size(value) == 1:
            number = float(np.asarray(value).reshape(()))
            if _positive(number):
                notes[name] = number
    for name, allowed in (("reset", RESETS), ("scheme", DECAYS)):
        value = metadata.get(name)
        if with_style and isinstance(value, str) and value in allowed:
            notes[name] = value
    return notes


def _chosen_dt(
    implied: float | None, convention: Convention, findings: Findings, where: str
) -> float:
    if implied:
        reason = f"all gains of the file agree on dt = {implied:g} s"
    elif convention.dt:
        reason = f"{convention.name} uses dt = {convention.dt:g} s unless told otherwise"
    else:
        raise FileError(
            f"{where}: a NIR file states no time step and the gains of this one do not encode it; "
            "give the step it was trained with, in s: dt=1e-3"
        )
    findings.add(GUESSED_VALUE.at(None, reason, value=implied or convention.dt))
    return float(implied or convention.dt or 0.0)


def _default_reset(convention: Convention, findings: Findings) -> str:
    if not convention.reset_known:
        findings.add(
            GUESSED_VALUE.at(
                None,
                f"{convention.name} stores no reset mechanism; {convention.reset!r} was chosen "
                "(its layers with reset_delay=True subtract after the decay, here before it)",
                value=convention.reset,
                hint="state reset='subtract' or reset='to_value'",
            )
        )
    return convention.reset


def _implied_dt(flat: RawGraph, convention: Convention, unit: float) -> float | None:
    """Return the step on which all gains agree, None if there is none or they differ."""
    if not convention.dt_in_r:
        return None
    parts = [
        steps
        for node in flat.nodes.values()
        if isinstance(node, RawNode)
        for steps in _steps(node, convention)
    ]
    if not parts:
        return None
    steps = np.concatenate(parts) * unit
    low, high = float(steps.min()), float(steps.max())
    if not (math.isfinite(high) and low > 0) or high - low > _AGREEMENT * high:
        return None
    short = float(f"{float(np.median(steps)):.6g}")
    return short


def _steps(node: RawNode, convention: Convention) -> Iterator[NDArray[np.float64]]:
    """Yield the steps that one node's gains encode; a gain of 1 encodes nothing."""
    for tau_name, gain_name in (("tau", "r"), ("tau_mem", "r"), ("tau_syn", "w_in")):
        tau, gain = _array(node, tau_name), _array(node, gain_name)
        if tau is None or gain is None or not np.all(gain > 0) or np.allclose(gain, 1.0):
            continue
        if convention.dt_in_r == "rockpool" and gain_name == "r":
            yield np.ravel(tau * _product_logarithm(1.0 / gain))
        else:
            yield np.ravel(tau / gain)
    r = _array(node, "r") if node.type in ("I", "IF") else None
    if r is not None and np.all(r > 0) and not np.allclose(r, 1.0):
        yield np.ravel(1.0 / r)


def _array(node: RawNode, name: str) -> NDArray[np.float64] | None:
    try:
        values = np.asarray(node.fields[name], dtype=np.float64)
    except (KeyError, TypeError, ValueError):
        return None
    return values if values.size and bool(np.all(np.isfinite(values))) else None


def _product_logarithm(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve ``u exp(u) = values`` for u > 0 by Newton's method (rockpool: r = exp(-u) / u)."""
    u = np.log1p(values)
    for _ in range(50):
        u = u - (u * np.exp(u) - values) / (np.exp(u) * (1.0 + u))
    return np.asarray(u)
