"""Time constants and gains in terms of currents, and back.

``i_tau_x = (u_t / kappa) c_x / tau_x``, ``i_gain_x = r_gain_x i_tau_x``, pulse currents
``v_th c / width``. Defaults are those of rockpool 3.1.0, devices/dynapse/parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ranvier.errors import GraphError

from .biases import PARAMETER_BIASES, published_table
from .layout import LAYOUT, Layout

SYNAPSES = ("ampa", "gaba", "nmda", "shunt")
"""The four synapses of a neuron."""
FILTERS = ("ahp", *SYNAPSES, "mem")
"""Low-pass filters with a time constant and a gain."""
PULSES = MappingProxyType({"t_pulse": "pulse", "t_pulse_ahp": "pulse_ahp", "t_ref": "ref"})
"""Pulse widths by the name of their capacitance and current."""
DEFAULTS = MappingProxyType(
    {
        **dict.fromkeys((f"tau_{s}" for s in SYNAPSES), 10e-3),
        **dict.fromkeys((f"r_gain_{s}" for s in SYNAPSES), 100.0),
        "tau_mem": 20e-3,
        "tau_ahp": 50e-3,
        "r_gain_mem": 4.0,
        "r_gain_ahp": 1.0,
        "t_pulse": 10e-6,
        "t_pulse_ahp": 1e-6,
        "t_ref": 1e-3,
    }
)
"""Times in s and gain ratios of the default neuron."""

Values = Mapping[str, NDArray[np.float64]]


def currents_from_times(
    times: Mapping[str, ArrayLike] | None = None, *, layout: Layout = LAYOUT
) -> dict[str, NDArray[np.float64]]:
    """Return the currents that give wanted times and gains.

    Parameters
    ----------
    times : mapping of str to array
        ``tau_x`` and pulse widths ``t_pulse``, ``t_pulse_ahp``, ``t_ref`` in s, > 0; gain ratios
        ``r_gain_x``, > 0; x one of `FILTERS`. What is missing takes its value of `DEFAULTS`.
    layout : Layout
        Capacitances.

    Returns
    -------
    dict of str to array
        ``i_tau_x``, ``i_gain_x``, ``i_pulse``, ``i_pulse_ahp``, ``i_ref``, in A.

    Raises
    ------
    GraphError
        A name is unknown, a value is no number > 0, or a current is beyond its bias or a leak or
        gain below the dark current; all in one message.
    """
    given = dict(times or {})
    _refuse_unknown(given)
    full = {n: _numbers(n, v) for n, v in {**DEFAULTS, **given}.items()}
    bad = _not_positive(full)
    if bad:
        raise GraphError(f"dynapse2: {'; '.join(bad)}; times and gains are finite and > 0")
    currents: dict[str, NDArray[np.float64]] = {}
    for name in FILTERS:
        capacitance = getattr(layout, f"c_{name}")
        currents[f"i_tau_{name}"] = layout.leak_current(full[f"tau_{name}"], capacitance)
        currents[f"i_gain_{name}"] = full[f"r_gain_{name}"] * currents[f"i_tau_{name}"]
    for time, name in PULSES.items():
        currents[f"i_{name}"] = layout.pulse_current(full[time], getattr(layout, f"c_{name}"))
    problems = [*range_problems(currents), *_floor_problems(currents, layout)]
    if problems:
        raise GraphError("dynapse2: " + "; ".join(problems))
    return currents


def times_from_currents(
    currents: Mapping[str, ArrayLike], *, layout: Layout = LAYOUT
) -> dict[str, NDArray[np.float64]]:
    """Return times in s and gain ratios of currents in A; the inverse of `currents_from_times`.

    Parameters
    ----------
    currents : mapping of str to array
        Currents of `currents_from_times`, > 0; others are ignored.
    layout : Layout
        Capacitances.

    Raises
    ------
    GraphError
        A current is not a finite number > 0.
    """
    times: dict[str, NDArray[np.float64]] = {}
    known = {f"i_{kind}_{name}" for kind in ("tau", "gain") for name in FILTERS}
    known |= {f"i_{name}" for name in PULSES.values()}
    given = {n: _numbers(n, v) for n, v in currents.items() if n in known}
    bad = _not_positive(given)
    if bad:
        raise GraphError(f"dynapse2: {'; '.join(bad)}; currents are finite and > 0 A")
    for name in FILTERS:
        leak = given.get(f"i_tau_{name}")
        if leak is None:
            continue
        times[f"tau_{name}"] = layout.time_constant(leak, getattr(layout, f"c_{name}"))
        if f"i_gain_{name}" in given:
            times[f"r_gain_{name}"] = np.asarray(given[f"i_gain_{name}"] / leak)
    for time, name in PULSES.items():
        if f"i_{name}" in given:
            times[time] = layout.pulse_width(given[f"i_{name}"], getattr(layout, f"c_{name}"))
    return times


def range_problems(currents: Mapping[str, ArrayLike]) -> list[str]:
    """Say which currents are beyond the bias that makes them, with number, limit and advice."""
    table = published_table()
    found = []
    for name, values in currents.items():
        bias = PARAMETER_BIASES.get(name)
        if bias is None:
            continue
        largest, limit = float(np.max(values)), table.largest(bias)
        if largest > limit * (1 + 1e-9):
            found.append(
                f"{name} is {largest:.4g} A, its bias {bias} gives at most {limit:.4g} A: "
                f"{_advice(name)}"
            )
    return found


def _floor_problems(currents: Mapping[str, ArrayLike], layout: Layout) -> list[str]:
    """Say which leaks and gains are below the dark current, with number, limit and advice."""
    found = []
    for name in FILTERS:
        longest = float(layout.time_constant(layout.i_o, getattr(layout, f"c_{name}")))
        advice = {
            f"i_tau_{name}": f"choose a time constant of at most {longest:.4g} s",
            f"i_gain_{name}": "choose a larger gain ratio or a shorter time constant",
        }
        for current, text in advice.items():
            smallest = float(np.min(currents[current]))
            if smallest < layout.i_o * (1 - 1e-9):
                found.append(
                    f"{current} is {smallest:.4g} A, below the dark current of {layout.i_o:.4g} A: "
                    f"{text}"
                )
    return found


def _numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise GraphError(f"dynapse2: {name} is {values!r}, must be numbers") from error


def _not_positive(values: Values) -> list[str]:
    return [
        f"{n} is {v.min():g}" for n, v in values.items() if not np.all(np.isfinite(v) & (v > 0))
    ]


def _advice(name: str) -> str:
    if name.startswith("i_tau_"):
        return "choose a longer time constant"
    if name.startswith("i_gain_"):
        return "choose a smaller gain ratio or a longer time constant"
    return "choose a wider pulse" if name in ("i_pulse", "i_pulse_ahp", "i_ref") else "lower it"


def _refuse_unknown(given: Mapping[str, ArrayLike]) -> None:
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise GraphError(
            f"dynapse2: unknown times or gains {unknown}; known: {', '.join(sorted(DEFAULTS))}"
        )
