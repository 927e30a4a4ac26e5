"""Codes of adaptation and exponential term: written as they are, not calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranvier.errors import QuantizationError

from .refractory import BASE_CLOCK, SCALE_MAX

Ints = NDArray[np.int64]
CODE_MAX = 1022
V_REF = 511
"""Code of the reference potential of the adaptation, fixed in hxtorch @3bfc7aa."""
CODES = {
    "exp_threshold": "v_exp",
    "exp_slope": "i_bias_exp",
    "tau_adaptation": "i_bias_adapt_tau",
    "a": "i_bias_adapt_a",
    "b": "i_bias_adapt_b",
}
"""Analogue parameter of a circuit by parameter of the model."""
NEEDS = {
    "exp_threshold": "exponential",
    "exp_slope": "exponential",
    "tau_adaptation": "",
    "a": "subthreshold_adaptation",
    "b": "spike_triggered_adaptation",
}
"""Switch without which a parameter is not written; the time constant needs either adaptation."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AdexCodes:
    """Codes of one population.

    Parameters
    ----------
    codes : mapping of str to array of int, (n,)
        By analogue parameter, 0..1022; only those that the switches ask for.
    invert_a, invert_b : array of bool, (n,)
        Sign bits of a and b.
    changed : mapping of str to int
        Number of neurons, by parameter of the model, whose value is not its code.
    """

    codes: Mapping[str, Ints]
    invert_a: NDArray[np.bool_]
    invert_b: NDArray[np.bool_]
    changed: Mapping[str, int]


def adex_codes(model: Mapping[str, NDArray[np.float64]], switches: tuple[str, ...]) -> AdexCodes:
    """Return what is written for adaptation and exponential term.

    Parameters
    ----------
    model : mapping of str to array, (n,)
        `ranvier_bss2.nodes.MODEL`.
    switches : tuple of str
        Those of `ranvier_bss2.nodes.SWITCHES` that are on.

    Notes
    -----
    Values are truncated and clipped to 0..1022; a and b give their absolute value and a sign bit.
    Nothing is calibrated: the code of a value is the value, whatever its unit. A time constant in
    seconds is therefore 0.

    References
    ----------
    hxtorch @3bfc7aa, hardware entities of the adaptive exponential neuron.
    """
    adapts = {"subthreshold_adaptation", "spike_triggered_adaptation"} & set(switches)
    codes, changed = {}, {}
    for name, written in CODES.items():
        wanted = bool(adapts) if not NEEDS[name] else NEEDS[name] in switches
        if not wanted:
            continue
        values = np.abs(model[name]) if name in ("a", "b") else np.asarray(model[name])
        code = np.clip(np.trunc(values), 0, CODE_MAX).astype(np.int64)
        codes[written] = code
        different = int(np.sum(code != values))
        if different:
            changed[name] = different
    if adapts:
        codes["v_adapt_ref"] = np.full(np.shape(model["a"]), V_REF, dtype=np.int64)
    return AdexCodes(
        codes=codes,
        invert_a=np.asarray(model["a"]) < 0,
        invert_b=np.asarray(model["b"]) < 0,
        changed=changed,
    )


def pulse_length(clock_scale: int) -> float:
    """Return the length of the pulse that a spike adds to the adaptation, in s.

    Parameters
    ----------
    clock_scale : int
        0..15; hxtorch @3bfc7aa takes 5 unless told otherwise.

    Raises
    ------
    QuantizationError
        The scale is out of range.

    Examples
    --------
    >>> pulse_length(5)
    2.56e-07
    """
    if not 0 <= clock_scale <= SCALE_MAX:
        raise QuantizationError(
            f"bss2: clock scale {clock_scale}, allowed are 0..{SCALE_MAX}; choose one of them"
        )
    return float(2 ** (clock_scale + 1) / BASE_CLOCK)
