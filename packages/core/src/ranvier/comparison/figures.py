"""The figures of a plugin's estimate that all targets share: utilisation, latency, energy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .comparison import Figure

_ENERGIES = ("energy_per_sample", "energy_per_inference")


def figure(estimates: Mapping[str, Any], name: str) -> Figure | None:
    """Return one figure of an estimate; None if it is absent or not a finite number."""
    entry = estimates.get(name)
    fields = entry if isinstance(entry, Mapping) else {"value": entry}
    value = fields.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    texts = {key: str(fields.get(key) or "") for key in ("unit", "source", "certainty")}
    return Figure(name, float(value), **texts)


def fullest(estimates: Mapping[str, Any]) -> Figure | None:
    """Return the largest of the figures ``utilisation_...``, the first of equals."""
    found = [figure(estimates, name) for name in estimates if name.startswith("utilisation_")]
    known = [f for f in found if f is not None]
    return max(known, key=lambda f: f.value) if known else None


def chip_latency(estimates: Mapping[str, Any], otherwise: float) -> float:
    """Return the latency that a plugin states, in s, or else the given one."""
    stated = figure(estimates, "latency")
    return stated.value if stated is not None and stated.unit == "s" else otherwise


def energy_of_a_sample(estimates: Mapping[str, Any], *, duration: float) -> Figure | None:
    """Return the energy of one sample, in J.

    Parameters
    ----------
    estimates : mapping
        What `ranvier.estimate` returned. ``energy_per_sample`` or ``energy_per_inference`` are
        taken as they are; otherwise ``power`` times the duration.
    duration : float
        Time of a sample on the chip, in s.
    """
    for name in _ENERGIES:
        found = figure(estimates, name)
        if found is not None and found.unit == "J":
            return found
    power = figure(estimates, "power")
    if power is None or power.unit != "W":
        return None
    source = f"power times {duration:g} s; {power.source}"
    return Figure("energy_per_sample", power.value * duration, "J", source, power.certainty)
