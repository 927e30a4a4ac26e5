"""How good a quantisation is: weights against their floats, spikes against the float network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.artifacts import MappedNetwork
from ranvier.diagnostics import Diagnostic

from .. import diagnostics as codes
from ..config import XyloConfig
from ..float_model import FloatRun
from ..kernels import CoreRun
from ._activity import Activity
from ._registers import FloatRegisters, Scales

LOW_PRECISION_DB = 20.0
COARSE_THRESHOLD = 8
RAIL = 32767


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """The chip's answer to the calibration spikes, compared with the float network.

    Parameters
    ----------
    agreement : dict of str to float
        Per neuron node: 1 - |difference in spikes| / all spikes of both, 1 if both are silent.
        For a node that shows its membrane: 1 - |difference| / |float|, at least 0.
    saturated : dict of str to int
        Per neuron node, neurons with a state at the rails.
    """

    agreement: dict[str, float]
    saturated: dict[str, int]

    @property
    def score(self) -> float:
        """Mean agreement over the nodes, for choosing between candidates."""
        return float(np.mean(list(self.agreement.values())))


def answer_of(config: XyloConfig, activity: Activity) -> CoreRun:
    """Run the integers on the calibration spikes, from rest, with all traces."""
    from ..kernels import TRACES, prepare, run

    return run(prepare(config.core_arrays()), activity.counts, record=TRACES)


def measure(config: XyloConfig, activity: Activity, result: CoreRun) -> Measured:
    """Compare every node's answer with the float network."""
    membrane = config.readout != "spikes"
    agreement, saturated = {}, {}
    for node in config.node_shapes:
        hidden = config.placement.slots_of(node, port="hidden")
        ids = hidden if hidden.size else config.placement.slots_of(node, port="output")
        names = ("i_syn", "i_syn2", "v_mem") if hidden.size else ("i_syn_out", "v_mem_out")
        saturated[node] = _at_rails(result.traces, names, ids)
        if hidden.size:
            agreement[node] = _spike_agreement(
                result.traces["spikes"][:, :, ids], activity.wanted.spikes[:, :, ids]
            )
        elif membrane:
            v_mem = result.traces["v_mem_out"][:, :, ids] * config.v_lsb_out[ids]
            agreement[node] = _trace_agreement(v_mem, activity.wanted, ids)
        else:
            agreement[node] = _spike_agreement(
                result.spikes[:, :, ids], activity.wanted.spikes_out[:, :, ids]
            )
    return Measured(agreement=agreement, saturated=saturated)


def _at_rails(
    traces: Mapping[str, NDArray[Any]], names: tuple[str, ...], ids: NDArray[np.int64]
) -> int:
    """Count neurons with a recorded state at a rail; currents are recorded after their decay."""
    rails = np.zeros(ids.size, dtype=bool)
    for name in names:
        trace = traces[name][:, :, ids].astype(np.int64)
        rails |= np.any((trace >= RAIL) | (trace <= -RAIL - 1), axis=(0, 1))
    return int(rails.sum())


def _spike_agreement(got: NDArray[Any], wanted: NDArray[Any]) -> float:
    got = got.astype(np.int64)
    total = int(got.sum() + wanted.sum())
    return 1.0 - float(np.abs(got - wanted).sum()) / total if total else 1.0


def _trace_agreement(got: NDArray[Any], wanted: FloatRun, ids: NDArray[np.int64]) -> float:
    reference = wanted.v_mem_out[:, :, ids]
    size = float(np.abs(reference).sum())
    return max(0.0, 1.0 - float(np.abs(got - reference).sum()) / size) if size else 1.0


def weight_precision(
    mapped: MappedNetwork, floats: FloatRegisters, codes_by_name: Mapping[str, Any], scales: Scales
) -> dict[str, float]:
    """Return the signal-to-quantisation-noise ratio of each layer's incoming weights, in dB.

    A layer without incoming weights is left out; an exact one has 300 dB.
    """
    n_ien = floats.weights_in.shape[1]
    pairs = {
        "hidden": [
            (floats.weights_in, "weights_in", scales.hidden[:n_ien, None], scales.shift_in),
            (floats.weights_rec, "weights_rec", scales.hidden[:, None], scales.shift_rec),
        ],
        "output": [(floats.weights_out, "weights_out", scales.output, scales.shift_out)],
    }
    power: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    for port, entries in pairs.items():
        size = floats.threshold.size if port == "hidden" else floats.threshold_out.size
        signal, noise = np.zeros(size), np.zeros(size)
        for weights, name, scale, shift in entries:
            error = codes_by_name[name] * 2.0**shift / scale - weights
            axes = tuple(a for a in range(weights.ndim) if a != 1)
            signal[: weights.shape[1]] += np.square(weights).sum(axis=axes)
            noise[: weights.shape[1]] += np.square(error).sum(axis=axes)
        power[port] = (signal, noise)
    result = {}
    for node in mapped.placement.node:
        for port, (signal, noise) in power.items():
            ids = mapped.placement.slots_of(node, port=port)
            if ids.size and signal[ids].sum() > 0:
                total = signal[ids].sum()
                result[node] = float(10.0 * np.log10(total / max(noise[ids].sum(), 1e-30 * total)))
    return result


def findings_of(
    config: XyloConfig, precision: Mapping[str, float], measured: Measured | None
) -> list[Diagnostic]:
    """Return the diagnostics of a quantised network."""
    found = []
    for node, ratio in precision.items():
        code = codes.LOW_PRECISION if ratio < LOW_PRECISION_DB else codes.LAYER_PRECISION
        message = f"weights keep {ratio:.1f} dB"
        found.append(code.at(node, message, value=round(ratio, 2), limit=LOW_PRECISION_DB))
    found += _coarse(config)
    for node, value in (measured.agreement if measured else {}).items():
        message = f"{100 * value:.1f} % agreement with the float network on the calibration spikes"
        found.append(codes.SPIKE_AGREEMENT.at(node, message, value=round(value, 4)))
    for node, count in (measured.saturated if measured else {}).items():
        if count:
            message = f"{count} neuron(s) reach a rail"
            found.append(codes.SATURATION.at(node, message, value=count, limit=0))
    return found


def _coarse(config: XyloConfig) -> list[Diagnostic]:
    found = []
    for node in config.node_shapes:
        for port, thresholds in (("hidden", config.threshold), ("output", config.threshold_out)):
            ids = config.placement.slots_of(node, port=port)
            if ids.size and thresholds[ids].min() < COARSE_THRESHOLD:
                low = int(thresholds[ids].min())
                found.append(
                    codes.THRESHOLD_COARSE.at(
                        node, f"lowest threshold is {low}", value=low, limit=COARSE_THRESHOLD
                    )
                )
    return found
