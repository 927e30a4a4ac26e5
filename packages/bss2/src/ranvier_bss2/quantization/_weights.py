"""Weights as whole steps of synapses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Findings

from .. import diagnostics as codes
from ..layout import Layout
from ..network import BssProjection

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

WEIGHT_MAX = 63
LOW_PRECISION = 0.1
"""Relative error above which a projection is reported as a loss."""


def round_weights(weights: NDArray[Any]) -> Ints:
    """Round to whole numbers, halves away from zero.

    Parameters
    ----------
    weights : array
        Any shape.

    Returns
    -------
    array of int
        Same shape.

    References
    ----------
    hxtorch @3bfc7aa: ``trunc(max(w, 0) + 0.5)`` exciting, ``trunc(min(w, 0) - 0.5)`` inhibiting.
    For sparse projections it truncates towards zero; here both are rounded.

    Examples
    --------
    >>> round_weights(np.array([-1.5, -0.5, 0.49, 0.5, 2.5])).tolist()
    [-2, -1, 0, 1, 3]
    """
    values = np.asarray(weights, dtype=np.float64)
    return np.asarray(np.trunc(values + np.copysign(0.5, values)), dtype=np.int64)


def parts_of(layout: Layout, projections: Sequence[Any], sizes: Mapping[str, int]) -> list[Ints]:
    """Return the synapses of every connection, [inhibiting, exciting], (2, n_target, n_source).

    Parameters
    ----------
    layout : Layout
        Where synapses are.
    projections : sequence
        With ``source`` and ``target``.
    sizes : mapping of str to int
        Of inputs and populations.
    """
    found = [np.zeros((2, sizes[q.target], sizes[q.source]), dtype=np.int64) for q in projections]
    for k, parts in enumerate(found):
        own = layout.synapse_projection == k
        exciting = 1 - layout.synapse_sign[own]
        np.add.at(parts, (exciting, layout.synapse_target[own], layout.synapse_source[own]), 1)
    return found


def clip_weights(weights: NDArray[Any], parts: Ints) -> Ints:
    """Cut whole weights to what the synapses of their connections hold.

    Parameters
    ----------
    weights : array of int, (n_target, n_source)
        Rounded weights.
    parts : array of int, (2, n_target, n_source)
        Inhibiting and exciting synapses per connection.
    """
    return np.asarray(np.clip(weights, -WEIGHT_MAX * parts[0], WEIGHT_MAX * parts[1]), np.int64)


def report_weights(
    number: int, projection: BssProjection, rounded: Ints, *, findings: Findings
) -> dict[str, Any]:
    """Report precision, cuts and weights that vanish; return the entry of the provenance.

    Parameters
    ----------
    number : int
        Of the projection.
    projection : BssProjection
        With weights in LSB.
    rounded : array of int, (n_target, n_source)
        What the chip gets.
    findings : Findings
        Receives the diagnostics.
    """
    wanted = projection.weight[projection.connected]
    got = rounded[projection.connected]
    mse = float(np.mean(np.square(wanted - got))) if wanted.size else 0.0
    power = float(np.mean(np.square(wanted))) if wanted.size else 0.0
    relative = float(np.sqrt(mse / power)) if power else 0.0
    cut = int(np.sum(np.abs(got) < np.abs(round_weights(wanted))))
    gone = int(np.sum((got == 0) & (wanted != 0)))
    used = int(np.abs(got).max(initial=0))
    where = f"projection {number} from {projection.source!r}"
    if wanted.size:
        code = codes.LOW_PRECISION if relative > LOW_PRECISION else codes.WEIGHT_PRECISION
        text = (
            f"{where}: {wanted.size} weights up to {used} of {WEIGHT_MAX}, root mean square error "
            f"{100 * relative:.2f} %"
        )
        findings.add(
            code.at(projection.target, text, value=round(relative, 6), limit=LOW_PRECISION)
        )
    if cut:
        text = f"{where}: {cut} of {wanted.size} weights were cut, the largest was "
        text += f"{float(np.abs(wanted).max()):.4g} LSB"
        findings.add(codes.WEIGHTS_CUT.at(projection.target, text, value=cut, limit=0))
    if gone:
        text = f"{where}: {gone} of {wanted.size} weights became 0"
        findings.add(codes.WEIGHTS_TO_ZERO.at(projection.target, text, value=gone, limit=0))
    return {
        "source": projection.source,
        "target": projection.target,
        "n": int(wanted.size),
        "mse": mse,
        "relative_error": relative,
        "cut": cut,
        "zero": gone,
        "largest": used,
    }
