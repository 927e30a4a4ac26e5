"""From the inputs of a run to messages and biases."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranvier.diagnostics import Diagnostic
from ranvier.errors import InputError

from .. import diagnostics as codes
from ..config import LoihiConfig, Population

MESSAGE_MAX = (1 << 31) - 1


def spike_inputs(
    config: LoihiConfig, inputs: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[np.int64]]:
    """Return the counts of inputs that synapses read, (batch, time, n)."""
    read = {s.source for s in config.synapses}
    return {n: _flat(values) for n, values in inputs.items() if n in read}


def driven_values(
    config: LoihiConfig, inputs: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[np.int64]]:
    """Return mantissas or messages of driven populations, (batch, time, n).

    Raises
    ------
    InputError
        A value is beyond the register that takes it.
    """
    found = {}
    for p in config.populations:
        if p.drive is None:
            continue
        x = _flat(inputs[p.drive]).astype(np.float64)
        if p.model == "delta":
            found[p.name] = _whole(x * 2.0**p.spike_exp, p, -MESSAGE_MAX, MESSAGE_MAX)
            continue
        limits, own = config.limits, p.register("bias_mant")
        found[p.name] = _whole(
            p.register("drive_weight") * x + p.register("drive_offset"),
            p,
            limits.bias_mant_min - own,
            limits.bias_mant_max - own,
        )
    return found


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(*values.shape[:2], math.prod(values.shape[2:]))


def _whole(values: NDArray[np.float64], p: Population, least: Any, most: Any) -> NDArray[np.int64]:
    """Cut off fractions; refuse what is out of range."""
    cut = np.trunc(values)
    bad = (cut < least) | (cut > most)
    if np.any(bad):
        sample, t, j = (int(i) for i in np.argwhere(bad)[0])
        low, high = (int(np.broadcast_to(v, (p.size,))[j]) for v in (least, most))
        what = "a message" if p.model == "delta" else "a bias mantissa"
        raise InputError(
            f"loihi: input {p.drive!r}: {int(bad.sum())} value(s) are too large: they drive "
            f"population {p.name!r} to {what} of {cut[sample, t, j]:.0f} (sample {sample}, step "
            f"{t}, neuron {j}), allowed are {low}..{high}; scale the input down, or "
            "quantize with a smaller drive_weight"
        )
    return cut.astype(np.int64)


def input_findings(config: LoihiConfig, inputs: Mapping[str, NDArray[Any]]) -> list[Diagnostic]:
    """Report counts that binary synapses take as one."""
    found = []
    binary = {s.source for s in config.synapses if s.num_message_bits == 0}
    for name in (n for n in inputs if n in binary):
        over = int(np.sum(inputs[name] > 1))
        if over:
            largest = int(inputs[name].max())
            message = f"{over} count(s) above 1, up to {largest}, act as 1"
            found.append(codes.INPUT_COUNT.at(name, message, value=largest, limit=1))
    return found
