"""How strong a synapse is, in LSB of the CADC."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NOMINAL = {"synapse_dac_bias": 600.0, "i_synin_gm": 500.0, "membrane_capacitance": 63.0}
"""Targets at which kappa holds: the defaults of hxtorch @3bfc7aa."""


def synaptic_strength(kappa: float, targets: Mapping[str, Floats]) -> Floats:
    """Return the synaptic drive per weight LSB of every neuron, (n,), in LSB.

    Parameters
    ----------
    kappa : float
        The same at `NOMINAL` targets.
    targets : mapping of str to array, (n,)
        With the names of `NOMINAL`.

    Notes
    -----
    ``kappa (synapse_dac_bias / 600) (i_synin_gm / 500) (63 / membrane_capacitance)``. That it is
    linear is an assumption: no source states how the strength depends on these targets.

    Examples
    --------
    >>> import numpy as np
    >>> codes = {"synapse_dac_bias": 1000.0, "i_synin_gm": 500.0, "membrane_capacitance": 63.0}
    >>> float(synaptic_strength(0.6, {n: np.array(v) for n, v in codes.items()}))
    1.0
    """
    dac = targets["synapse_dac_bias"] / NOMINAL["synapse_dac_bias"]
    gm = targets["i_synin_gm"] / NOMINAL["i_synin_gm"]
    with np.errstate(divide="ignore"):
        capacitance = NOMINAL["membrane_capacitance"] / targets["membrane_capacitance"]
    return np.asarray(kappa * dac * gm * capacitance)


def psp_peak(tau_mem: Floats, tau_syn: Floats) -> Floats:
    """Return the highest point of a membrane after one unit of synaptic drive.

    Parameters
    ----------
    tau_mem, tau_syn : array, (n,)
        In s, > 0.

    Returns
    -------
    array, (n,)
        In 0..1: ``(tau_syn / tau_mem) ** (tau_mem / (tau_mem - tau_syn))``; ``exp(-1)`` for equal
        time constants. Of the differential equation; forward Euler comes out slightly higher.
    """
    ratio = np.asarray(tau_syn, dtype=np.float64) / tau_mem
    near = np.abs(ratio - 1) < 1e-6
    safe = np.where(near, 0.5, ratio)
    return np.where(near, np.exp(-1.0), safe ** (1.0 / (1.0 - safe)))
