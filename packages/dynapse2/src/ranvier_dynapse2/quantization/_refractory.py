"""How many time steps a refractory period blocks, and the code that keeps this number."""

from __future__ import annotations

import numpy as np

from ..biases import BiasCode, BiasTable
from ..layout import Layout

BIAS = "SOIF_REFR_N"
REACH = 0.2
"""Codes within this relative distance of the wanted current are neighbours."""
CANDIDATES = 64
"""Most neighbours that are looked at."""
_LONG = 2000


def blocked_steps(i_ref: float, *, layout: Layout, dt: float, model: str) -> int:
    """Return the number of time steps that a neuron ignores input after a spike.

    Parameters
    ----------
    i_ref : float
        Refractory current, in A, > 0.
    layout : Layout
        Its ``c_ref`` and ``v_th`` tie the current to a time.
    dt : float
        Time step, in s, > 0.
    model : {"merged_synapse", "four_synapse"}
        The merged model counts a float32 timer down to exactly zero, the other one whole steps.

    Notes
    -----
    The order of the float32 operations matters: 1 ms at a step of 1 ms is one step because
    ``v_th c_ref / i_ref`` rounds to just below it.
    """
    single = np.float32
    step = single(dt)
    period = single(layout.v_th) * single(layout.c_ref) / single(i_ref)
    if model != "merged_synapse" or period / step > _LONG:
        return int(np.ceil(float(period) / dt - 1e-6))
    steps = 0
    while period > 0:
        period = max(period - step, single(0.0))
        steps += 1
    return steps


def refractory_code(
    i_ref: float, *, table: BiasTable, layout: Layout, dt: float, model: str
) -> tuple[BiasCode, int]:
    """Return the closest code that blocks as many steps as the current, and its number of steps.

    Where no neighbour within `REACH` does, this is the closest code of all.

    Parameters
    ----------
    i_ref : float
        Wanted, in A, > 0.
    table : BiasTable
        Currents of the codes.
    layout, dt, model
        As in `blocked_steps`.
    """
    wanted = blocked_steps(i_ref, layout=layout, dt=dt, model=model)
    nearest = table.code(BIAS, i_ref)
    row = table.row(BIAS)
    error = np.abs(row - i_ref).ravel()
    order = np.argsort(error, kind="stable")
    for flat in order[error[order] <= REACH * i_ref][:CANDIDATES]:
        coarse, fine = divmod(int(flat), row.shape[1])
        current = float(row[coarse, fine])
        steps = blocked_steps(current, layout=layout, dt=dt, model=model)
        if steps == wanted:
            return BiasCode(coarse, fine), steps
    current = float(row[nearest.coarse, nearest.fine])
    return nearest, blocked_steps(current, layout=layout, dt=dt, model=model)
