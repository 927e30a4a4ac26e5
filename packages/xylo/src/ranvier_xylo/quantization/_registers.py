"""Scales and the integers that follow from them, the part that all methods share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..targets import Limits

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

NEVER_FIRES = 32767.0
"""Thresholds from here on mean "never", as the published SynNet writes it, if they are also ..."""
OUT_OF_REACH = 1000.0
"""... this many times the largest incoming weight."""
FULL_SCALE = 127
"""Largest weight that the methods aim at."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatRegisters:
    """A mapped network as the chip's registers would hold it, were they real numbers.

    Weights carry the gains of their target neurons. Sizes as in `ranvier_xylo.XyloConfig`.

    Parameters
    ----------
    fires, fires_out : array of bool, (n_hid,) and (n_out,)
        False where the threshold is out of reach: it then puts no bound on the scale.
    """

    weights_in: Array
    weights_rec: Array
    weights_out: Array
    threshold: Array
    threshold_out: Array
    bias: Array
    bias_out: Array
    fires: NDArray[np.bool_]
    fires_out: NDArray[np.bool_]
    dash_syn: Ints
    dash_syn_out: Ints

    @property
    def incoming(self) -> dict[str, Array]:
        """Weights by class, all hidden neurons wide: ``(sources * S, n_hid or n_out)``."""
        n_hid = self.threshold.size
        w_in = np.zeros((self.weights_in.shape[0], n_hid, self.weights_in.shape[2]))
        w_in[:, : self.weights_in.shape[1]] = self.weights_in
        return {
            "in": np.moveaxis(w_in, 1, 2).reshape(-1, n_hid),
            "rec": np.moveaxis(self.weights_rec, 1, 2).reshape(-1, n_hid),
            "out": self.weights_out,
        }

    @property
    def largest(self) -> dict[str, Array]:
        """Largest magnitude per target neuron and class."""
        return {name: np.abs(w).max(axis=0, initial=0.0) for name, w in self.incoming.items()}


@dataclass(frozen=True, kw_only=True, eq=False)
class Scales:
    """Counts per model unit of each neuron's states, and the weight shifts.

    An integer weight is ``rint(w * scale / 2**shift)``, a threshold ``rint(threshold * scale)``.
    """

    hidden: Array
    output: Array
    shift_in: int = 0
    shift_rec: int = 0
    shift_out: int = 0


def float_registers(arrays: Mapping[str, NDArray[np.generic]]) -> FloatRegisters:
    """Apply the gains of a mapped network and tell which neurons can fire at all."""
    values = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
    n_ien = values["weights_in"].shape[1]
    w_in = values["weights_in"] * values["gain"][:n_ien]
    w_rec = values["weights_rec"] * values["gain"]
    w_out = values["weights_out"] * values["gain_out"]
    reach = np.abs(w_rec).max(axis=(0, 2), initial=0.0)
    reach[:n_ien] = np.maximum(reach[:n_ien], np.abs(w_in).max(axis=(0, 2), initial=0.0))
    return FloatRegisters(
        weights_in=w_in,
        weights_rec=w_rec,
        weights_out=w_out,
        threshold=values["threshold"],
        threshold_out=values["threshold_out"],
        bias=values["bias"],
        bias_out=values["bias_out"],
        fires=_can_fire(values["threshold"], reach),
        fires_out=_can_fire(values["threshold_out"], np.abs(w_out).max(axis=0, initial=0.0)),
        dash_syn=values["dash_syn"].astype(np.int64),
        dash_syn_out=values["dash_syn_out"].astype(np.int64),
    )


def _can_fire(threshold: Array, reach: Array) -> NDArray[np.bool_]:
    never = np.isinf(threshold) | ((threshold >= NEVER_FIRES) & (threshold > OUT_OF_REACH * reach))
    return np.asarray(~never)


def round_registers(floats: FloatRegisters, scales: Scales, limits: Limits) -> dict[str, Ints]:
    """Return every scaled register as integers within their width."""
    n_ien = floats.weights_in.shape[1]
    hidden = scales.hidden

    def weights(values: Array, scale: Array, shift: int) -> Ints:
        codes = np.rint(values * scale / 2.0**shift)
        return np.clip(codes, limits.weight_min, limits.weight_max).astype(np.int64)

    def bias(values: Array, scale: Array) -> Ints:
        return np.clip(np.rint(values * scale), limits.bias_min, limits.bias_max).astype(np.int64)

    return {
        "weights_in": weights(floats.weights_in, hidden[:n_ien, None], scales.shift_in),
        "weights_rec": weights(floats.weights_rec, hidden[:, None], scales.shift_rec),
        "weights_out": weights(floats.weights_out, scales.output, scales.shift_out),
        "threshold": _thresholds(floats.threshold, hidden, floats.fires, limits),
        "threshold_out": _thresholds(floats.threshold_out, scales.output, floats.fires_out, limits),
        "bias": bias(floats.bias, hidden),
        "bias_out": bias(floats.bias_out, scales.output),
    }


def _thresholds(values: Array, scale: Array, fires: NDArray[np.bool_], limits: Limits) -> Ints:
    scaled = np.where(fires, np.where(fires, values, 1.0) * scale, limits.threshold_max)
    low, high = limits.threshold_min, limits.threshold_max
    return np.clip(np.rint(scaled), low, high).astype(np.int64)
