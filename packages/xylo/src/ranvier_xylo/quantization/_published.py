"""The two published methods, with their faults removed.

Both are described by the rockpool documentation (`global_quantize`, `channel_quantize`). What is
different here, and why:

- every number is rounded once, from its float; rescaling rounded numbers doubled the error;
- output biases take the output's scale, not that of the hidden neurons;
- an output threshold that overflows rescales the output neurons only, not the recurrent weights;
- with one synapse per neuron the bias of the channel method is scaled like the threshold, and it
  takes part in choosing the scale, so that it fits its register;
- thresholds that are never reached put no bound on the scale; before, they pressed all weights
  of a membrane readout to zero;
- `fuzzy_scaling` clips the weights beyond full scale instead of handing on numbers of more than
  eight bits, and looks at magnitudes, so that weights of both signs do not cancel;
- the caller's arrays are not written to.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..targets import Limits
from ._registers import FULL_SCALE, FloatRegisters, Scales

Array = NDArray[np.float64]


def global_scales(floats: FloatRegisters, limits: Limits, *, fuzzy_scaling: bool) -> Scales:
    """Return one scale for all hidden and one for all output neurons."""
    incoming = floats.incoming
    hidden = np.concatenate([incoming["in"].ravel(), incoming["rec"].ravel()])
    output = incoming["out"].ravel()
    if not fuzzy_scaling:
        hidden = np.concatenate([hidden, floats.bias])
        output = np.concatenate([output, floats.bias_out])
    scales = []
    for weights, bias, threshold, fires in (
        (hidden, floats.bias, floats.threshold, floats.fires),
        (output, floats.bias_out, floats.threshold_out, floats.fires_out),
    ):
        reach = _fuzzy_reach(weights) if fuzzy_scaling else float(np.abs(weights).max(initial=0))
        scale = FULL_SCALE / reach if reach else 1.0
        largest = max((float(t) for t in threshold[fires]), default=0.0)
        bound = _bound(np.array([largest]), np.abs(bias).max(initial=0.0)[None], limits)[0]
        scales.append(np.full(threshold.size, min(scale, bound)))
    return Scales(hidden=scales[0], output=scales[1])


def _fuzzy_reach(weights: Array) -> float:
    magnitudes = np.abs(weights[weights != 0])
    return float(magnitudes.mean() + 2.0 * magnitudes.std()) if magnitudes.size else 0.0


def channel_scales(floats: FloatRegisters, limits: Limits) -> Scales:
    """Return a scale per neuron, from its largest incoming weight."""
    largest = floats.largest
    return Scales(
        hidden=_channel(
            np.maximum(largest["in"], largest["rec"]),
            floats.bias,
            floats.threshold,
            floats.fires,
            limits,
        ),
        output=_channel(
            largest["out"], floats.bias_out, floats.threshold_out, floats.fires_out, limits
        ),
    )


def _channel(
    reach: Array, bias: Array, threshold: Array, fires: NDArray[np.bool_], limits: Limits
) -> Array:
    bound = _bound(np.where(fires, threshold, 0.0), np.abs(bias), limits)
    # Without weights the bias alone decides; with neither, nothing does.
    free = np.where(bias != 0, np.inf, 1.0)
    wanted = np.divide(FULL_SCALE, reach, out=free, where=reach > 0)
    return np.minimum(wanted, bound)


def _bound(threshold: Array, bias: Array, limits: Limits) -> Array:
    """Return the largest scale at which threshold and bias fit their registers."""
    with np.errstate(divide="ignore"):
        return np.minimum(limits.threshold_max / threshold, max(limits.bias_max, 1) / bias)
