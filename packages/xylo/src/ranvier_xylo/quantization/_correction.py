"""Biases that make up for the integer leak, measured on calibration spikes.

``x - (x >> k)`` rounds towards larger values: on average a state that is far from zero keeps half a
count too much per step, whatever its sign. With long decays that adds up: a current that decays
with ``2**-k`` stands ``2**(k-1)`` counts too high, and drives the membrane by as much in every
step. The mean of this drift over the calibration spikes is taken off the bias of each neuron, which
the chip adds to the membrane anyway. What varies around the mean stays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import XyloConfig
from ..kernels import CoreRun

Array = NDArray[np.float64]


def drifts(config: XyloConfig, counts: NDArray[np.int64], run: CoreRun) -> tuple[Array, Array]:
    """Return the mean drift of hidden and output membranes, in counts per step.

    Parameters
    ----------
    config : XyloConfig
        What ran.
    counts : array of int, (batch, time, n_in)
        Its input.
    run : CoreRun
        Its answer with all traces, from rest.

    Returns
    -------
    array (n_hid,), array (n_out,)
    """
    traces, n_hid = run.traces, config.n_hid
    before = _delayed(traces["spikes"].astype(np.float64))
    w_in = np.zeros((config.n_in, n_hid, config.n_synapses))
    w_in[:, : config.n_ien] = config.weights_in * 2.0**config.weight_shift_in
    w_rec = config.weights_rec * 2.0**config.weight_shift_rec
    hidden = _leak_error(traces["v_mem"], config.dash_mem)
    for synapse, name in enumerate(("i_syn", "i_syn2")[: config.n_synapses]):
        drive = counts @ w_in[:, :, synapse] + before @ w_rec[:, :, synapse]
        ideal = _filtered(drive, config.dash_syn[:, synapse])
        hidden = hidden + np.mean(traces[name] - ideal, axis=(0, 1))
    drive = before[:, :, n_hid - config.n_oen :] @ (
        config.weights_out * 2.0**config.weight_shift_out
    )
    ideal = _filtered(drive, config.dash_syn_out)
    output = _leak_error(traces["v_mem_out"], config.dash_mem_out)
    return hidden, output + np.mean(traces["i_syn_out"] - ideal, axis=(0, 1))


def _delayed(values: NDArray[Any]) -> NDArray[Any]:
    """Return what each step starts from: the value of the step before, zero in the first."""
    result = np.zeros_like(values)
    result[:, 1:] = values[:, :-1]
    return result


def _leak_error(trace: NDArray[Any], dash: NDArray[Any]) -> Array:
    """Return how much more than ``x * (1 - 2**-dash)`` the integer leak keeps, on average."""
    values = _delayed(trace.astype(np.int64))
    shift = dash.astype(np.int64)
    lost = values >> shift
    lost = np.where((lost == 0) & (values > 0), 1, lost)
    return np.asarray(np.mean(values * np.exp2(-shift.astype(np.float64)) - lost, axis=(0, 1)))


def _filtered(drive: Array, dash: NDArray[Any]) -> Array:
    """Return the current of an exact decay, (batch, time, n): add, then decay."""
    decay = 1.0 - np.exp2(-dash.astype(np.float64))
    current = np.zeros((drive.shape[0], drive.shape[2]))
    result = np.zeros_like(drive)
    for t in range(drive.shape[1]):
        current = decay * (current + drive[:, t])
        result[:, t] = current
    return result


def with_biases(config: XyloConfig, hidden: Array, output: Array) -> XyloConfig:
    """Return a configuration with drifts, in counts per step, taken off its biases."""
    limits = config.limits
    changed = {}
    for name, drift in (("bias", hidden), ("bias_out", output)):
        bias = getattr(config, name) - np.rint(drift).astype(np.int64)
        changed[name] = np.clip(bias, limits.bias_min, limits.bias_max).astype(np.int16)
        changed[name].setflags(write=False)
    return config.model_copy(update=changed)
